"""Question 5 on paper: the figure, the tables and the sentences of its verdicts.

judged, sizes: tables of `fercore.verdicts`. Accuracies are fractions going in and percent, or
percentage points, coming out. The sentences are built from the tables and can say every outcome.
"""

from __future__ import annotations

import math

import pandas as pd

from fercore.analysis import Row
from fercore.display import Figure, Table
from fercore.figures import COLOURS, NAMES, house_axes
from fercore.language import mark, paragraph, say
from fercore.sentences import Text
from fercore.sentences.words import ANSWER
from fercore.verdicts import FREEDOM, MARGIN, summary

SUBJECTS = {**NAMES, "lead": mark("lead of MobileNet"), "": ""}
"""What a comparison speaks of, for people."""

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
OUTCOMES = mark(
    (
        "supported",
        "supported in part",
        "not supported",
        "undecided",
        "too few seeds",
        "failed",
        "not tried",
    )
)

NOTHING_TRIED = mark(
    "**Answer.** None: no hypothesis was tried here. HYPOTHESES names those to try, SIZES and "
    "LARGE the sizes at which, as HYPOTHESES=head,block SIZES=25000,60000."
)


def answer(judged: pd.DataFrame, split: str, note: str = "") -> Text:
    """Which explanations hold, which do not, and of which nothing can be said."""
    if _nothing_tried(judged):
        return Text(say(NOTHING_TRIED))
    verdicts = summary(judged)
    lines = []
    for outcome in OUTCOMES:
        named = [say(TITLES[name]) for name, verdict in verdicts.items() if verdict == outcome]
        if named:
            listed = say(", ").join(named)
            lines.append(say("- {outcome}: {hypotheses}", outcome=say(outcome), hypotheses=listed))
    head = say(ANSWER, about=split, note=note)
    return Text(f"{head}\n\n" + "\n".join(lines) + _too_few(judged))


def _nothing_tried(judged: pd.DataFrame) -> bool:
    return set(judged["verdict"]) == {"not tried"}


def _too_few(judged: pd.DataFrame) -> str:
    if "too few seeds" not in set(judged["verdict"]):
        return ""
    said = say(
        "Too few seeds: fewer than {freedom} degrees of freedom between seeds of one size. "
        "Differences are shown, and no conclusion is drawn from them.",
        freedom=FREEDOM,
    )
    return f"\n\n{said}"


def finding(judged: pd.DataFrame, name: str) -> Text:
    """The claim of one hypothesis, and what was found in each of its comparisons."""
    part: list[Row] = judged[judged["hypothesis"] == name].to_dict("records")
    claim = say("> *Claim:* {claim}", claim=say(part[0]["claim"]))
    if part[0]["verdict"] == "not tried":
        untried = say("Not tried here: {reason}.", reason=say(part[0]["untried"]))
        return Text(f"{claim}\n\n{untried}")
    lines = [f"- {_found(row)}" for row in part]
    return Text(f"{claim}\n\n" + "\n".join(lines))


def _found(row: Row) -> str:
    about = {"subject": say(SUBJECTS[row["subject"]]), "change": say(row["change"])}
    if row["verdict"] == "failed":
        nothing = mark("{subject}, {change}: no pair of runs stayed finite, so nothing is shown.")
        return say(nothing, **about)
    shown = say(
        "{subject}, {change}: **{difference}**{spread}.",
        **about,
        difference=_points(row["difference"]),
        spread=_spread(row),
    )
    failed = say("Pairs that did not stay finite: {failed:.0f}.", failed=row["failed"])
    return paragraph(shown, _says(row), _leads(row), failed if row["failed"] else "")


def _points(difference: float) -> str:
    points = f"{100 * difference:+.1f}".replace("-", "−")
    return say("{points} points", points=points)


def _spread(row: Row) -> str:
    if math.isnan(row["high"]):
        return ""
    return f" ± {100 * (row['high'] - row['difference']):.1f}"


def _says(row: Row) -> str:
    match row["verdict"]:
        case "too few seeds":
            return say("Too few seeds to conclude.")
        case "supported" if row["directed"]:
            return say("Supported.")
        case "supported":
            return say("Supported: it matters.")
        case "not supported" if row["high"] < 0 and row["directed"]:
            return say("Not supported: the opposite holds.")
        case "not supported":
            margin = 100 * MARGIN
            return say(
                "Not supported: an effect of {margin:.0f} point is ruled out.", margin=margin
            )
    return say("Undecided: neither no effect nor an effect worth the name is ruled out.")


def _leads(row: Row) -> str:
    """For leads: what they were on both sides, and whether their sign changes."""
    if row["subject"] != "lead":
        return ""
    ours, theirs = row["treatment"], row["control"]
    leads = {"theirs": _points(theirs), "ours": _points(ours)}
    if ours * theirs < 0:
        return say("MobileNet's lead goes from {theirs} to {ours}: its sign changes.", **leads)
    return say("MobileNet's lead goes from {theirs} to {ours}: its sign does not change.", **leads)


def verdicts(judged: pd.DataFrame, split: str, *, note: str = "") -> Table | Text:
    """All comparisons with their difference, its interval and the verdict.

    An empty text where none was tried.
    """
    if _nothing_tried(judged):
        return Text("")
    shown = pd.DataFrame(
        {
            "hypothesis": judged["hypothesis"].map(TITLES).map(say),
            "of": judged["subject"].map(SUBJECTS).map(say),
            "compared": judged["change"].map(say),
            "difference": 100 * judged["difference"].astype(float),
            "± 95 %": 100 * (judged["high"] - judged["difference"]).astype(float),
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
                "accuracy, in percentage points; positive speaks for the claim.",
                split=split,
            ),
            say(COVERS),
            say("Each comparison is judged by itself at 95 %."),
            _words(),
        ),
        formats={"difference": "+.1f", "± 95 %": ".1f"},
        note=note,
    )


def _verdict(row: Row) -> str:
    verdict = say(str(row["verdict"]))
    if not row["untried"]:
        return verdict
    return say("{verdict}: {reason}", verdict=verdict, reason=say(row["untried"]))


def _words() -> str:
    return say(
        "Supported: the interval lies above zero. Not supported: it ends below {margin:.0f} point. "
        "Too few seeds: fewer than {freedom} degrees of freedom.",
        margin=100 * MARGIN,
        freedom=FREEDOM,
    )


def sizes(found: pd.DataFrame, name: str, split: str, *, note: str = "") -> Table | Text:
    """One hypothesis, size by size; nothing where it was not tried.

    found: of `fercore.verdicts.by_size`.
    """
    if found.empty:
        return Text("")
    shown = pd.DataFrame(
        {
            "of": found["subject"].map(SUBJECTS).map(say),
            "compared": found["change"].map(say),
            "parameters": found["treatment_params"],
            "of control": found["control_params"],
            "treatment %": 100 * found["treatment"],
            "control %": 100 * found["control"],
            "difference": 100 * found["difference"],
            "± 95 %": 100 * (found["high"] - found["difference"]),
            "seeds": found["seeds"],
        }
    )
    lead = say("For leads, % is MobileNet's lead in points.")
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
        formats={"treatment %": ".1f", "control %": ".1f", "difference": "+.1f", "± 95 %": ".1f"},
        note=note,
    )


def forest(judged: pd.DataFrame, split: str, *, note: str = "") -> Figure | Text:
    """One line per comparison that was tried: difference and interval, zero and the margin.

    An empty text where there is no difference.
    """
    rows: list[Row] = judged.dropna(subset="difference").to_dict("records")
    if not rows:
        return Text("")
    drawing, (axes,) = house_axes(8.4, 1.2 + 0.32 * len(rows))
    axes.axvspan(-100 * MARGIN, 100 * MARGIN, color="0.92", zorder=0)
    axes.axvline(0, color="0.3", linewidth=1)
    for place, row in enumerate(rows):
        spread = 100 * (row["high"] - row["difference"])
        colour = COLOURS.get(row["subject"], "0.35")
        axes.errorbar(
            100 * row["difference"],
            place,
            xerr=None if math.isnan(spread) else spread,
            fmt="o",
            color=colour,
            markerfacecolor=colour if row["verdict"] == "supported" else "white",
            capsize=3,
        )
    axes.set_yticks(range(len(rows)), [_line(row) for row in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(say("difference of accuracy on {split} (percentage points)", split=split))
    points = [
        say(
            "{line} {points}, {verdict}",
            line=_line(row),
            points=_points(row["difference"]),
            verdict=say(row["verdict"]),
        )
        for row in rows
    ]
    return Figure(
        drawing,
        name="verdicts",
        caption=paragraph(
            say(
                "Differences that the hypotheses speak of, {split}, with 95 % interval. Right of "
                "zero speaks for the claim, filled marks where that is supported; the grey band is "
                "{margin:.0f} point to either side. Colour: plain CNN, MobileNet, or (grey) "
                "MobileNet's lead.",
                split=split,
                margin=100 * MARGIN,
            ),
            say(COVERS),
        ),
        alt=say("Differences by comparison. {points}", points=say("; ").join(points)),
        note=note,
    )


def _line(row: Row) -> str:
    return say(
        "{number} {subject}: {change}",
        number=TITLES[row["hypothesis"]][:2],
        subject=say(SUBJECTS[row["subject"]]),
        change=say(row["change"]),
    )
