"""Question 1: what a block saves, where parameters and MACs go, and what networks look at."""

from __future__ import annotations

import math

import pandas as pd

from fercore.analysis import Looks, lower_share
from fercore.figures import short
from fercore.figures.layers import AMOUNTS
from fercore.sentences.words import Text

EVEN = 0.05
"""A share this near to one half counts as both halves alike."""

FAINT = 0.01
"""Where covering never takes so much of the right answer's probability, nothing is looked at."""

HALVES = {
    "lower": "mostly at the lower half, where the mouth is",
    "upper": "mostly at the upper half, where eyes and brows are",
    "both": "about as much at the upper half (eyes, brows) as at the lower (mouth)",
    "none": "at no place in particular: no part, covered, takes a point off the right answer",
}


def blocks(pieces: pd.DataFrame) -> Text:
    """What the separable block saves at equal width. pieces: as in `fercore.figures.blocks`."""
    sums = pieces.groupby("family")[list(AMOUNTS)].sum().to_dict("index")
    ours, theirs = sums["mobilenet"], sums["cnn"]
    channels = pieces["output"].iloc[-1][0]
    said = [
        f"{short(ours[key])} {name} against {short(theirs[key])}, {_times(ours[key] / theirs[key])}"
        for key, name in AMOUNTS.items()
    ]
    return Text(
        f"With {channels} channels, the separable block has {said[0]}; and {said[1]}, than the "
        "plain block has."
    )


def _times(ratio: float) -> str:
    if 0.95 < ratio < 1.05:
        return "about as many"
    return f"{1 / ratio:.1f} times fewer" if ratio < 1 else f"{ratio:.1f} times more"


def layers(pieces: pd.DataFrame) -> Text:
    """For each network, in which kind of layer most of it lies, and what its dense head holds.

    pieces: as in `fercore.figures.layers`.
    """
    parts = pieces.groupby("network", sort=False)
    return Text("\n".join(f"- **{network}**: {_kinds(part)}" for network, part in parts))


def _kinds(part: pd.DataFrame) -> str:
    shares = {key: part.groupby("group")[key].sum() / part[key].sum() for key in AMOUNTS}
    tops = {key: str(share.idxmax()) for key, share in shares.items()}
    first, second = (
        f"{_most(shares[key][tops[key]])} of its {name}" for key, name in AMOUNTS.items()
    )
    if tops["trainable"] == tops["macs"]:
        text = f"{first} and {second} are {_where(tops['macs'])}."
    else:
        text = f"{first} are {_where(tops['trainable'])}, {second} {_where(tops['macs'])}."
    if "dense head" in tops.values():
        return text
    weight, work = (_percent(share["dense head"]) for share in shares.values())
    return f"{text} The dense head has {weight} of the parameters and {work} of the multiply-adds."


def _most(share: float) -> str:
    return f"{'most' if share > 0.5 else 'the largest part'} ({_percent(share)})"


def _where(group: str) -> str:
    names = {"stem": "in the stem", "dense head": "in the dense head"}
    layers = {"plain convolution": "in plain convolutions", "normalisation": "in normalisation"}
    return (names | layers).get(group, f"in {group} convolutions")


def _percent(share: float) -> str:
    return "under 1 %" if 0 < share < 0.01 else f"{100 * share:.0f} %"


def looks(found: Looks, split: str, note: str = "") -> Text:
    """Which half of the face each network needs; or why nothing is shown."""
    if not found.maps:
        return Text(f"What the networks look at is not shown: {found.reason}.")
    shares = {
        name: lower_share(maps) if maps.max() >= FAINT else math.nan
        for name, maps in found.maps.items()
    }
    halves = {name: _half(share) for name, share in shares.items()}
    if len(set(halves.values())) == 1:
        text = f"{' and '.join(halves)} look {HALVES[next(iter(halves.values()))]}."
    else:
        looked = (f"{name} looks {HALVES[half]}" for name, half in halves.items())
        text = f"{'; '.join(looked)}."
    return Text(f"{note} {text} {_measured(shares)} {_few(found, split)}".strip())


def _half(share: float) -> str:
    if math.isnan(share):
        return "none"
    if abs(share - 0.5) <= EVEN:
        return "both"
    return "lower" if share > 0.5 else "upper"


def _measured(shares: dict[str, float]) -> str:
    known = [f"{_percent(s)} for {name}" for name, s in shares.items() if not math.isnan(s)]
    if not known:
        return ""
    return (
        "Of all that covering takes from the right answer, the lower half of the image has "
        f"{', '.join(known)}."
    )


def _few(found: Looks, split: str) -> str:
    count = len(found.expressions)
    text = (
        f"That is {count} {'image' if count == 1 else 'images'} of {split} and one seed: "
        "a picture, not a proof."
    )
    if not found.unread:
        return text
    return f"{text} No image read correctly by both: {', '.join(found.unread)}."
