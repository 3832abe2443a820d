"""What sentences, tables and figure of question 5 say alike."""

from __future__ import annotations

import math

import pandas as pd

from fercore.display import signed
from fercore.experiments.verdicts import MARGIN
from fercore.figures import NAMES
from fercore.language import mark, say

SUBJECTS = {**NAMES, "lead": mark("lead of MobileNet"), "": ""}
"""What a change speaks of, for people."""

TITLES = mark(
    {
        "head": "1. dense head",
        "depth": "2. depth",
        "large": "3. too deep when large",
        "width": "4. too few filters",
        "block": "5. plain convolutions",
        "reports": "6. reports A and B",
    }
)
COVERS = mark("The interval covers other seeds, at these sizes and on these test images.")

EITHER = mark(
    "{changes}: no direction is claimed. Supported there: the interval holds no zero; not "
    "supported: it lies within {margin:.0f} point of zero."
)


def undirected(judged: pd.DataFrame) -> str:
    """How changes that claim no direction are judged; empty if there is none."""
    changes = judged["change"][~judged["directed"].astype(bool)].unique()
    listed = say(", ").join(map(say, changes))
    return say(EITHER, changes=listed, margin=100 * MARGIN) if len(changes) else ""


def nothing_tried(judged: pd.DataFrame) -> bool:
    """Is there no hypothesis that was tried?"""
    return set(judged["verdict"]) == {"not tried"}


def in_points(difference: float, high: float = math.nan) -> str:
    """As "+1.2 points", or "+1.2 ± 0.8 points" where there is an interval."""
    return say("{points} points", points=signed(difference, high))
