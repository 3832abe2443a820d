"""Two families for sweeps that differ in one thing: the block.

Both have the same skeleton (`members`): a plain 3x3 stem at 48x48, three stages of `depth` blocks
at 24, 12 and 6 pixels, whose first block halves the image by stride 2, the mean over the image
and class scores. No dropout: it weighs differently on small and on large networks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain, product

from fercore.models.blocks import conv_bn, pooled, separable
from fercore.models.layers import Layers, ModelError, Shape, total
from fercore.spec import ModelSpec

INPUT: Shape = (1, 48, 48)

FAMILIES: dict[str, Callable[..., Layers]] = {"mobilenet": separable, "cnn": conv_bn}
"""The block of each family, called with (out, stride=...)."""

STAGES = 3
DEPTH = 2
"""Blocks per stage unless asked otherwise; docs/models.md says what was measured."""

TOLERANCE = 0.02
"""Largest distance from a budget that `nearest` accepts, as a share of the budget."""

_CLOSE = 0.005  # so near, the more regular member is preferred
_RUNGS = range(2**STAGES, 4097)  # the ladder of regular members: channels of the last stage
# Channels added to stem, stage 1 and stage 2 of a rung; the smallest departures first.
_NUDGES = sorted(product((0, 1, -1, 2, -2), repeat=STAGES), key=lambda n: sum(map(abs, n)))


def members(family: str, widths: tuple[int, ...], depth: int) -> Layers:
    """Layers of one member. widths: channels of the stem and of each of the three stages."""
    if len(widths) != STAGES + 1:
        raise ModelError(
            f"{family}: expected {STAGES + 1} widths (the stem and {STAGES} stages), "
            f"found {len(widths)}: {widths}"
        )
    block, (stem, *stages) = FAMILIES[family], widths
    body = [conv_bn(stem)]
    for width in stages:
        body += [block(width, stride=2)] + [block(width)] * (depth - 1)
    return *chain(*body), *pooled()


def regular(width: float) -> tuple[int, ...]:
    """Channels that double from stage to stage: (1, 2, 4, 8) times width, rounded, at least 1."""
    return tuple(max(1, round(width * 2**stage)) for stage in range(STAGES + 1))


@lru_cache(maxsize=4096)
def nearest(family: str, budget: int, depth: int | None = None) -> ModelSpec:
    """The member of a family whose trainable parameters are nearest to a budget.

    The count lies within 2 % of every budget from 10,000 to 5,000,000. A member as regular as can
    be (`regular`) within 0.5 % is preferred to a nearer one that is less so. Only arithmetic:
    nothing is built.

    Raises `ModelError` where no member comes within 2 %.
    """
    depth = DEPTH if depth is None else depth
    if family not in FAMILIES:
        raise ModelError(f"expected a family ({', '.join(FAMILIES)}), found {family!r}")
    if budget < 1:
        raise ModelError(f"expected a budget of at least 1 parameter, found {budget}")

    def count(widths: tuple[int, ...]) -> int:
        return total(members(family, widths, depth), INPUT).trainable

    best, error = regular(1), float("inf")
    for widths in _candidates(budget, count):
        off = abs(count(widths) / budget - 1)
        if off < error:
            best, error = widths, off
        if error <= _CLOSE:
            break
    if error > TOLERANCE:
        raise ModelError(
            f"no {family} of depth {depth} has {budget:,} trainable parameters within 2 %: "
            f"budgets from 10,000 to 5,000,000 work at depths 1 to 4, "
            f"the nearest here has {count(best):,}"
        )
    return ModelSpec(name=family, widths=best, depth=depth)


def _rung(last: int) -> tuple[int, ...]:
    return regular(last / 2**STAGES)


def _candidates(budget: int, count: Callable[[tuple[int, ...]], int]) -> Iterator[tuple[int, ...]]:
    """The rungs around the budget, then the same with a few channels more or less."""
    above = bisect_left(_RUNGS, budget, key=lambda rung: count(_rung(rung)))
    rungs = [_rung(rung) for rung in _RUNGS[max(0, above - 2) : above + 2]]
    for nudge in _NUDGES:
        for *early, last in rungs:
            widths = [width + extra for width, extra in zip(early, nudge, strict=True)]
            if min(widths) >= 1:
                yield *widths, last
