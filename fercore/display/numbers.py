"""Numbers as people read them, in tables and in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from fercore.display.common import MISSING
from fercore.language import say


def text_of(value: Any, form: str | None) -> str:
    """A value for people, by a format specification or, without one, by its kind."""
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return MISSING
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool):
        return say("yes") if value else say("no")
    if form is None:
        form = _default_form(value)
    return format(value, form).replace("-", "−") if form else str(value)


def _default_form(value: Any) -> str:
    if hasattr(value, "__index__"):
        return ",d"
    if hasattr(value, "__float__"):
        return ",.0f" if abs(value) >= 1000 else ".4g"
    return ""


WIDE = 9.95
"""Percent or points: of a number with half such an interval, decimals say nothing."""


def number(value: float, half: float = math.nan, sign: str = "") -> str:
    """Percent or points with the decimals that half the interval supports: none or one."""
    return text_of(value, f"{sign}z.{0 if half >= WIDE else 1}f")


def spread(half: float) -> str:
    """Half an interval, as " ± 1.3" or " ± 15"; empty where there is none."""
    return "" if pd.isna(half) else f" ± {number(half, half)}"


def percent(mean: float, high: float = math.nan) -> str:
    """A mean with half its interval in percent, as "61.2 ± 1.3"; "61.2" without an interval."""
    if pd.isna(mean):
        return say("failed")
    half = 100 * (high - mean)
    return number(100 * mean, half) + spread(half)


def signed(lead: float, high: float = math.nan) -> str | None:
    """A lead with half its interval in points, as "+1.2 ± 0.8"; None for an unknown one."""
    if pd.isna(lead):
        return None
    half = 100 * (high - lead)
    return number(100 * lead, half, "+") + spread(half)


def all_signed(leads: Iterable[float], highs: Iterable[float]) -> list[str | None]:
    """A column of leads; see `signed`."""
    return [signed(lead, high) for lead, high in zip(leads, highs, strict=True)]


def in_percent(share: float) -> str:
    """A share as "20 %"; what is not quite none is not called so."""
    return say("under 1 %") if 0 < share < 0.01 else f"{100 * share:.0f} %"


def times(ratio: float) -> str:
    """What is said of one number if another is so many times it, as "8.1 times fewer"."""
    larger = max(ratio, 1 / ratio)
    shown = f"{larger:.0f}" if larger >= 10 else f"{larger:.1f}"
    if ratio >= 1:
        return say("{times} times fewer", times=shown)
    return say("{times} times more", times=shown)
