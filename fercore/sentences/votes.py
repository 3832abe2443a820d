"""Networks against FER+: what ten annotators say of the images that they get wrong."""

from __future__ import annotations

from fercore.analysis import Voted
from fercore.display import NO_PREDICTIONS, Text, text_of
from fercore.language import mark, paragraph, say

NO_VOTES = mark(
    "Not shown here: FERPLUS names no file of FER+ votes. With DATA=path/to/fer2013.csv, "
    "FERPLUS=path/to/fer2013new.csv (from github.com/microsoft/FERPlus) does."
)


def votes(found: Voted | None, split: str) -> Text:
    """Whether networks side with the majority of ten, and where their errors lie.

    found: None without votes.
    """
    if found is None:
        return Text(say(NO_VOTES))
    if found.runs.empty:
        return Text(say(NO_PREDICTIONS))
    return Text(paragraph(_chosen(found, split), _disputed(found)))


def _chosen(found: Voted, split: str) -> str:
    """On images with a majority for an expression: it against FER2013's label."""
    if not found.chosen:
        return say("No image of {split} has a majority for one of the expressions.", split=split)
    agreed = say(
        "Of {images:,} images of {split}, {chosen:,} have a majority of ten annotators for one of "
        "the seven expressions; FER2013's label is the same for {agree:.1f} % of these.",
        images=found.images,
        split=split,
        chosen=found.chosen,
        agree=100 * found.agree,
    )
    means = found.runs.groupby("network")[["chosen", "own_chosen"]].mean()
    gains = 100 * (means["chosen"] - means["own_chosen"])
    low, high = float(gains.min()), float(gains.max())
    side = "more" if low > 0 else "less" if high < 0 else "mixed"
    if side == "less":
        low, high = -high, -low
    return paragraph(agreed, say(SIDES[side], low=_signed(low, side), high=_signed(high, side)))


def _signed(points: float, side: str) -> str:
    """Points, with their sign where both occur."""
    return text_of(points, "+.1f") if side == "mixed" else f"{points:.1f}"


SIDES = mark(
    {
        "more": "There every network agrees with the majority more often than with FER2013's "
        "label: by {low} to {high} points, mean over seeds.",
        "less": "There every network agrees with FER2013's label, which it was trained on, more "
        "often than with the majority: by {low} to {high} points, mean over seeds.",
        "mixed": "There it depends on the network whether it agrees with the majority more often "
        "than with FER2013's label: the difference is {low} to {high} points, mean over seeds.",
    }
)


def _disputed(found: Voted) -> str:
    """Whether images without a majority have more than their share of the errors."""
    shares = 100 * found.runs.groupby("network")["disputed"].mean().dropna()
    if shares.empty:
        return ""
    usual = 100 * found.disputed / found.images
    word = "more" if shares.min() > usual else "less" if shares.max() < usual else "mixed"
    return say(SHARES[word], usual=usual, low=shares.min(), high=shares.max())


SHARES = mark(
    {
        "more": "Images without a majority are {usual:.1f} % of all, and hold more than that of "
        "each network's errors: {low:.1f} to {high:.1f} %.",
        "less": "Images without a majority are {usual:.1f} % of all, and hold less than that of "
        "each network's errors: {low:.1f} to {high:.1f} %.",
        "mixed": "Images without a majority are {usual:.1f} % of all, and hold {low:.1f} to "
        "{high:.1f} % of the networks' errors: for some more than their share, for others not.",
    }
)
