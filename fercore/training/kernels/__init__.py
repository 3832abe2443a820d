"""Loops compiled for the CPU by numba: numbers in, numbers out, one thread.

What a network does with them is in `fercore.training.fused` and `fercore.training.winograd`.

numba keeps what it compiles until the file of a loop changes, and looks at no other: `BUILT_ON` in
the files of loops is the digest of this one and `simd.py` (a test holds it to that).
"""

from numba import njit

FASTMATH = ("reassoc", "contract", "nsz")
"""Not what lets the compiler forget NaN and infinity: a run that diverges must show."""

compiled = njit(fastmath=set(FASTMATH), cache=True, nogil=True, error_model="numpy")
