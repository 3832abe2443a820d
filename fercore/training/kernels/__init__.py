"""Loops compiled for the CPU by numba: numbers in, numbers out, one thread.

What a network does with them is in `fercore.training.fused` and `fercore.training.winograd`.
"""

from numba import njit

# Of fastmath not what lets the compiler forget NaN and infinity: a run that diverges must show.
compiled = njit(
    fastmath={"reassoc", "contract", "nsz"}, cache=True, nogil=True, error_model="numpy"
)
