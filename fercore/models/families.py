"""Two families for sweeps that differ in one thing: the block.

Both have the same skeleton (`members`): a plain 3x3 stem at 48x48, three stages of `depth` blocks
at 24, 12 and 6 pixels, whose first block halves the image by stride 2, the mean over the image
and class scores. No dropout: it weighs differently on small and on large networks. What
`fercore.spec.ModelSpec` calls variants (head, residual, early, norm) changes one thing of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain, product
from typing import Literal, TypeAlias, TypedDict, Unpack

from fercore.models.blocks import Norm, conv_bn, flattened, pooled, residual, separable
from fercore.models.layers import Layers, ModelError, Shape, total
from fercore.spec import ModelSpec

INPUT: Shape = (1, 48, 48)

FAMILIES: dict[str, Callable[..., Layers]] = {"mobilenet": separable, "cnn": conv_bn}
"""The block of each family, called with (out, stride=...)."""

STAGES = 3
DEPTH = 2
"""Blocks per stage unless asked otherwise; docs/models.md says what was measured."""

HIDDEN = 64
"""Units of the dense head's hidden layer, as in report A's smaller networks."""

TOLERANCE = 0.02
"""Largest distance from a budget that `nearest` accepts, as a share of the budget."""

_CLOSE = 0.005  # so near, the more regular member is preferred
_RUNGS = range(2**STAGES, 4097)  # the ladder of regular members: channels of the last stage
_LOWER = 16  # so many channels fewer in the last stage are tried where no rung fits
# Channels added to stem, stage 1 and stage 2 of a rung; the smallest departures first.
_NUDGES = sorted(product((0, 1, -1, 2, -2), repeat=STAGES), key=lambda n: sum(map(abs, n)))


Count: TypeAlias = Callable[[tuple[int, ...]], int]


class Variant(TypedDict, total=False):
    """What a member may have otherwise; see `fercore.spec.ModelSpec`."""

    head: Literal["pool", "dense"]
    residual: bool
    early: bool
    norm: Norm


def members(spec: ModelSpec) -> Layers:
    """Layers of one member. Its widths: channels of the stem and of each of the three stages."""
    widths, depth, norm = spec.widths or (), spec.depth or DEPTH, spec.norm
    if len(widths) != STAGES + 1:
        raise ModelError(
            f"{spec.name}: expected {STAGES + 1} widths (the stem and {STAGES} stages), "
            f"found {len(widths)}: {widths}"
        )
    if spec.residual and depth < 2:
        raise ModelError(f"{spec.name}: residual needs depth 2 or more, found {depth}")
    block, (stem, *stages) = FAMILIES[spec.name], widths
    body = [conv_bn(stem, stride=2 if spec.early else 1, norm=norm)]
    for width in stages:
        later = block(width, norm=norm)
        body += [block(width, stride=2, norm=norm)]
        body += [residual(later) if spec.residual else later] * (depth - 1)
    head = pooled() if spec.head == "pool" else flattened(HIDDEN, norm)
    return *chain(*body), *head


def regular(width: float) -> tuple[int, ...]:
    """Channels that double from stage to stage: (1, 2, 4, 8) times width, rounded, at least 1."""
    return tuple(max(1, round(width * 2**stage)) for stage in range(STAGES + 1))


@lru_cache(maxsize=4096)
def nearest(
    family: str, budget: int, depth: int | None = None, **variant: Unpack[Variant]
) -> ModelSpec:
    """The member of a family, or of a variant of it, whose trainable parameters are nearest.

    The count lies within 2 % of every budget from 10,000 to 5,000,000, of an ordinary member's from
    1,000; with a dense head from 20,000, at depth 2 or more. A member as regular as can be
    (`regular`) within 0.5 % is preferred to a nearer one that is less so. Only arithmetic: nothing
    is built.

    Raises `ModelError` where no member comes within 2 %.
    """
    depth = DEPTH if depth is None else depth
    if family not in FAMILIES:
        raise ModelError(f"expected a family ({', '.join(FAMILIES)}), found {family!r}")
    if budget < 1:
        raise ModelError(f"expected a budget of at least 1 parameter, found {budget}")
    ordinary = ModelSpec(name=family, depth=depth, **variant)

    def count(widths: tuple[int, ...]) -> int:
        member = ordinary.model_copy(update={"widths": widths})
        return total(members(member), INPUT).trainable

    best = _closest(budget, count)
    if abs(count(best) / budget - 1) > TOLERANCE:
        asked = ", ".join(
            [f"depth {depth}", *(f"{name} {value}" for name, value in variant.items())]
        )
        raise ModelError(
            f"no {family} of {asked} has {budget:,} trainable parameters within 2 %: "
            f"budgets from 10,000 to 5,000,000 work at depths 1 to 4, with a dense head from "
            f"20,000 at depths 2 to 4; the nearest here has {count(best):,}"
        )
    return ordinary.model_copy(update={"widths": best})


def _closest(budget: int, count: Count) -> tuple[int, ...]:
    """The first widths that come close enough, else the nearest of all that are tried."""
    best, error = regular(1), float("inf")
    for enough, candidates in (_CLOSE, _candidates), (TOLERANCE, _flatter):
        for widths in candidates(budget, count):
            if error <= enough:
                return best
            off = abs(count(widths) / budget - 1)
            if off < error:
                best, error = widths, off
    return best


def _rung(last: int) -> tuple[int, ...]:
    return regular(last / 2**STAGES)


def _candidates(budget: int, count: Count) -> Iterator[tuple[int, ...]]:
    """The rungs around the budget, then the same with a few channels more or less."""
    above = bisect_left(_RUNGS, budget, key=lambda rung: count(_rung(rung)))
    rungs = [_rung(rung) for rung in _RUNGS[max(0, above - 2) : above + 2]]
    for nudge in _NUDGES:
        for *early, last in rungs:
            widths = [width + extra for width, extra in zip(early, nudge, strict=True)]
            if min(widths) >= 1:
                yield *widths, last


def _flatter(budget: int, count: Count) -> Iterator[tuple[int, ...]]:
    """Fewer channels in the last stage and more before it, where one channel there weighs much.

    Behind a dense head a channel of the last stage costs 36 x 64 weights.
    """
    above = bisect_left(_RUNGS, budget, key=lambda rung: count(_rung(rung)))
    top = _RUNGS[min(above, len(_RUNGS) - 1)]
    for last in range(top, max(0, top - _LOWER), -1):
        ladder = [(*_rung(2 * third)[:STAGES], last) for third in range(1, last + 1)]
        place = bisect_left(ladder, budget, key=count)
        yield from ladder[max(0, place - 1) : place + 1]
