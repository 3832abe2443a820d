"""How tables write a mean, a lead, a verdict and an outcome."""

from __future__ import annotations

import pandas as pd

from fercore.display import text_of
from fercore.language import mark, say

VERDICTS = mark(
    {
        "ahead": "MobileNet ahead",
        "behind": "plain CNN ahead",
        "undecided": "undecided: interval holds 0",
        "one seed": "one seed: no interval",
        "nothing learned": "neither learned anything",
        "no predictions": "made elsewhere (some or all): no predictions",
    }
)

OUTCOMES = mark(
    {
        "mobilenet": "MobileNet ahead throughout",
        "cnn": "plain CNN ahead throughout",
        "mobilenet first": "MobileNet ahead, then the plain CNN",
        "cnn first": "plain CNN ahead, then MobileNet",
        "several": "the curves cross more than once",
        "level": "no difference",
        "apart": "no common budgets",
    }
)
"""What a `Comparison`'s outcome is called."""


def percent(mean: float, high: float) -> str:
    """A mean with half its interval in percent, as "61.2 ± 1.3"; "61.2" without an interval."""
    if pd.isna(mean):
        return say("failed")
    return f"{100 * mean:.1f}" + ("" if pd.isna(high) else f" ± {100 * (high - mean):.1f}")


def signed(lead: float, high: float) -> str | None:
    """A lead with half its interval in points, as "+1.2 ± 0.8"; None for an unknown one."""
    if pd.isna(lead):
        return None
    return text_of(100 * lead, "+.1f") + ("" if pd.isna(high) else f" ± {100 * (high - lead):.1f}")
