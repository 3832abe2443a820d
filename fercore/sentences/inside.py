"""Question 1: what a block saves, where parameters and MACs go, and what networks look at."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from fercore.analysis import Looks, lower_share
from fercore.display import Text, in_percent, times
from fercore.figures import short
from fercore.figures.layers import AMOUNTS
from fercore.language import mark, paragraph, say

EVEN = 0.05
"""A share this near to one half counts as both halves alike."""

FAINT = 0.01
"""Where covering never takes so much of the right answer's probability, nothing is looked at."""

HALVES = mark(
    {
        "lower": "mostly at the lower half, where the mouth is",
        "upper": "mostly at the upper half, where eyes and brows are",
        "both": "about as much at the upper half (eyes, brows) as at the lower (mouth)",
        "none": "at no place in particular: no part, covered, takes a point off the right answer",
    }
)

PLACES = mark(
    {
        "stem": "in the stem",
        "dense head": "in the dense head",
        "plain convolution": "in plain convolutions",
        "normalisation": "in normalisation",
        "depthwise": "in depthwise convolutions",
        "pointwise": "in pointwise convolutions",
    }
)
"""Where something lies, by kind of layer."""


def blocks(pieces: pd.DataFrame) -> Text:
    """What the separable block saves at equal width. pieces: as in `fercore.figures.blocks`."""
    sums = pieces.groupby("family")[list(AMOUNTS)].sum().to_dict("index")
    ours, theirs = sums["mobilenet"], sums["cnn"]
    channels = pieces["output"].iloc[-1][0]
    first, second = (
        say(
            "{ours} {what} against {theirs}, {times}",
            ours=short(ours[key]),
            what=say(name),
            theirs=short(theirs[key]),
            times=_times(ours[key] / theirs[key]),
        )
        for key, name in AMOUNTS.items()
    )
    said = say(
        "With {channels} channels, the separable block has {first}; and {second}, than the plain "
        "block has.",
        channels=channels,
        first=first,
        second=second,
    )
    return Text(said)


def _times(ratio: float) -> str:
    return say("about as many") if 0.95 < ratio < 1.05 else times(1 / ratio)


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
        say("{most} of its {what}", most=_most(shares[key][tops[key]]), what=say(name))
        for key, name in AMOUNTS.items()
    )
    weights, work = (say(PLACES[tops[key]]) for key in AMOUNTS)
    if weights == work:
        text = say("{first} and {second} are {place}.", first=first, second=second, place=work)
    else:
        text = say(
            "{first} are {weights}, {second} {work}.",
            first=first,
            weights=weights,
            second=second,
            work=work,
        )
    return text if "dense head" in tops.values() else paragraph(text, _head(shares))


def _head(shares: Mapping[str, pd.Series[float]]) -> str:
    """What a dense head holds in which neither most of the weights nor most of the work is."""
    return say(
        "The dense head has {weights} of the parameters and {work} of the multiply-adds.",
        weights=in_percent(shares["trainable"]["dense head"]),
        work=in_percent(shares["macs"]["dense head"]),
    )


def _most(share: float) -> str:
    if share > 0.5:
        return say("most ({share})", share=in_percent(share))
    return say("{share} (the largest part)", share=in_percent(share))


def looks(found: Looks, split: str, note: str = "") -> Text:
    """Which half of the face each network needs; or why nothing is shown."""
    if not found.maps:
        reason = say("What the networks look at is not shown: {reason}.", reason=found.reason)
        return Text(reason)
    shares = {
        name: lower_share(maps) if maps.max() >= FAINT else math.nan
        for name, maps in found.maps.items()
    }
    halves = {name: _half(share) for name, share in shares.items()}
    return Text(paragraph(note, _looked(halves), _measured(shares), _few(found, split)))


def _looked(halves: Mapping[str, str]) -> str:
    """At which half each network looks."""
    if len(set(halves.values())) == 1:
        both, half = say(" and ").join(halves), next(iter(halves.values()))
        return say("{networks} look {half}.", networks=both, half=say(HALVES[half]))
    looked = (
        say("{network} looks {half}", network=name, half=say(HALVES[half]))
        for name, half in halves.items()
    )
    return say("{sentence}.", sentence=say("; ").join(looked))


def _half(share: float) -> str:
    if math.isnan(share):
        return "none"
    if abs(share - 0.5) <= EVEN:
        return "both"
    return "lower" if share > 0.5 else "upper"


def _measured(shares: dict[str, float]) -> str:
    known = [
        say("{share} for {network}", share=in_percent(share), network=name)
        for name, share in shares.items()
        if not math.isnan(share)
    ]
    if not known:
        return ""
    return say(
        "Of all that covering takes from the right answer, the lower half of the image has "
        "{shares}.",
        shares=say(", ").join(known),
    )


def _few(found: Looks, split: str) -> str:
    count = len(found.expressions)
    if count == 1:
        text = say("That is 1 image of {split} and one seed: a picture, not a proof.", split=split)
    else:
        text = say(
            "That is {count} images of {split} and one seed: a picture, not a proof.",
            count=count,
            split=split,
        )
    if not found.unread:
        return text
    names = say(", ").join(map(say, found.unread))
    return paragraph(text, say("No image read correctly by both: {names}.", names=names))
