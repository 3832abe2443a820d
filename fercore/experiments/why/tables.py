"""The tables: all verdicts, and each hypothesis size by size."""

from __future__ import annotations

import pandas as pd

from fercore.analysis import Row
from fercore.display import Table, Text, all_signed
from fercore.experiments.verdicts import FREEDOM, MARGIN
from fercore.experiments.why.words import COVERS, SUBJECTS, TITLES, nothing_tried, undirected
from fercore.language import paragraph, say


def verdicts(judged: pd.DataFrame, split: str, *, note: str = "") -> Table | Text:
    """All changes with their difference, its interval and the verdict.

    An empty text where none was tried.
    """
    if nothing_tried(judged):
        return Text("")
    shown = pd.DataFrame(
        {
            "hypothesis": judged["hypothesis"].map(TITLES).map(say),
            "of": judged["subject"].map(SUBJECTS).map(say),
            "compared": judged["change"].map(say),
            "difference, points": all_signed(judged["difference"], judged["high"]),
            "sizes": judged["sizes"].astype("Int64"),
            "seeds": judged["seeds"].astype("Int64"),
            "verdict": [_verdict(row) for row in judged.to_dict("records")],
        }
    )
    return Table(
        shown,
        name="verdicts",
        caption=paragraph(
            say(
                "Verdicts on the hypotheses, {split}: mean over sizes of the differences of "
                "accuracy, ± 95 %; positive speaks for the claim.",
                split=split,
            ),
            say(COVERS),
            say("Each comparison is judged by itself at 95 %."),
            _words(),
            undirected(judged.dropna(subset="difference")),
        ),
        note=note,
    )


def _verdict(row: Row) -> str:
    verdict = say(str(row["verdict"]))
    if not row["untried"]:
        return verdict
    return say("{verdict}: {reason}", verdict=verdict, reason=say(row["untried"]))


def _words() -> str:
    return say(
        "Supported: the interval lies above zero. Not supported: it does not, and ends below "
        "{margin:.0f} point. Undecided: neither. Seeds: at the size that has the fewest. Too few: "
        "fewer than {freedom} degrees of freedom; each seed of a size after its first gives one.",
        margin=100 * MARGIN,
        freedom=FREEDOM,
    )


def sizes(found: pd.DataFrame, name: str, split: str, *, note: str = "") -> Table | Text:
    """One hypothesis, size by size; nothing where it was not tried.

    found: of `fercore.experiments.verdicts.by_size`.
    """
    if found.empty:
        return Text("")
    shown = pd.DataFrame(
        {
            "of": found["subject"].map(SUBJECTS).map(say),
            "compared": found["change"].map(say),
            "parameters": found["treatment_params"],
            "control's parameters": found["control_params"],
            "treatment %": 100 * found["treatment"],
            "control %": 100 * found["control"],
            "difference, points": all_signed(found["difference"], found["high"]),
            "seeds": found["seeds"],
        }
    )
    lead = say(
        "For leads, % is MobileNet's lead in points, and parameters are the larger network's."
    )
    return Table(
        shown,
        name=f"sizes-{name}",
        caption=paragraph(
            say(
                "Hypothesis {title}, size by size, {split}: treatment (named first) and control, "
                "mean over seeds, and their difference in points with its 95 % interval (seed to "
                "seed, deviation pooled over sizes; none for one seed).",
                title=say(TITLES[name]),
                split=split,
            ),
            lead if "lead" in set(found["subject"]) else "",
        ),
        formats={"treatment %": ".1f", "control %": ".1f"},
        note=note,
    )
