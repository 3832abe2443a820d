"""Question 4: one family against the other, at equal size and over every unit of budget."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from fercore.analysis import UNITS, UNKNOWN, Comparison, Row
from fercore.figures import amount, short
from fercore.sentences.words import Text, failures, lead, seeds

SURE = 0.95
"""Share of the bootstrap replicates from which on an outcome counts as shown."""

CLAIMS = {
    "A": ("the plain CNN is ahead from about 50,000 to 100,000 parameters on", 100_000, math.inf),
    "B": ("MobileNet is ahead at every matched size, 46,000 to 158,000", 45_000, 160_000),
}
"""What each report concluded, and the sizes (trainable parameters) at which that can be held
against a run: for A from the upper end of its range, so that the range itself decides nothing."""


def comparison(
    summary: pd.DataFrame, pairs: pd.DataFrame, curves: Comparison, split: str, note: str = ""
) -> Text:
    """Question 4: who is ahead at which size, and where the curves cross, if they do.

    curves: over trainable parameters.
    """
    head = f"**Answer** ({split}, {seeds(summary)}). {note}\n\n"
    if pairs.empty:
        nothing = "No MobileNet and CNN of equal size finished: nothing to compare."
        return Text(f"{head}{nothing}{failures(summary)}")
    rows: list[Row] = pairs.to_dict("records")
    smallest = lead("MobileNet", "the plain CNN", rows[0])
    text = f"At the smallest matched size, {short(rows[0]['size'])} parameters, {smallest}."
    if len(rows) > 1:
        largest = lead("MobileNet", "the plain CNN", rows[-1])
        text += f" At the largest, {short(rows[-1]['size'])}, {largest}. {_tally(rows)}"
    return Text(f"{head}{text}{_other_images(rows)} {_crossing(curves)}{failures(summary)}")


def _other_images(rows: list[Row]) -> str:
    """What another draw of test images could change, where that is known."""
    known = [row for row in rows if row.get("image_verdict", UNKNOWN) != UNKNOWN]
    if not known:
        return ""
    firm = sum(row["image_verdict"] in ("ahead", "behind") for row in known)
    return (
        f" Another draw of test images would leave the leader of these very networks as it is at "
        f"{firm} of {len(known)} sizes, at 95 %; that says nothing of other seeds."
    )


def _crossing(curves: Comparison) -> str:
    """Whether and where the fitted curves cross, and in which share of the replicates."""
    if curves.outcome == "apart":
        return "The families' sizes do not overlap: there are no curves to cross."
    between = f"between {amount(curves.start, curves.unit)} and {amount(curves.stop, curves.unit)}"
    places = " and ".join(amount(place, curves.unit) for place in curves.crossings)
    said = {
        "mobilenet": f"The fitted curves do not cross {between}: MobileNet's lies above.",
        "cnn": f"The fitted curves do not cross {between}: the plain CNN's lies above.",
        "mobilenet first": f"The fitted curves cross at {places}: MobileNet's lies above below it.",
        "cnn first": f"The fitted curves cross at {places}: the plain CNN's lies above below it.",
        "several": f"The fitted curves cross more than once, at {places}.",
        "level": f"The fitted curves do not differ {between}.",
    }[curves.outcome]
    return f"{said} {_replicates(curves)}"


def _replicates(curves: Comparison) -> str:
    if not curves.shares:
        return "With a single seed of some network nothing says how sure that is."
    agree = curves.shares.get(curves.outcome, 0.0)
    never = curves.shares.get("mobilenet", 0.0) + curves.shares.get("cnn", 0.0)
    known = "That is shown" if agree >= SURE else "That is not shown"
    text = (
        f"{known}: {_percent(agree)} of the bootstrap replicates over seeds agree, "
        f"{_percent(never)} have no crossover"
    )
    if curves.shares.get(curves.once, 0.0) <= 1 - SURE:
        return f"{text}."
    leader = "MobileNet" if curves.once == "mobilenet first" else "the plain CNN"
    ends = f"{amount(curves.low, curves.unit)} and {amount(curves.high, curves.unit)}"
    share = _percent(curves.shares[curves.once])
    return f"{text}, {share} cross once with {leader} ahead below, 95 % of these between {ends}."


def _percent(share: float) -> str:
    """A share as people read it; what is not quite none or all is not called so."""
    if 0 < share < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"


def budgets(comparisons: Sequence[Comparison]) -> Text:
    """Whether the winner depends on the unit in which the budget is counted."""
    words = {"ahead": "MobileNet", "behind": "the plain CNN"}
    lines, leaders = [], set()
    for curves in comparisons:
        name = UNITS[curves.unit]
        if not curves.first:
            lines.append(f"- By {name}: the families share no budgets.")
            continue
        at = [words.get(row["verdict"], "") for row in (curves.first, curves.last)]
        leaders |= set(at)
        small, large = (f"{leader} is ahead" if leader else "no lead is shown" for leader in at)
        ends = amount(curves.start, curves.unit), amount(curves.stop, curves.unit)
        lines.append(f"- By {name}: {small} at {ends[0]}, {large} at {ends[1]}.")
    return Text(f"{_dependence(leaders - {''})}\n\n" + "\n".join(lines))


def _dependence(leaders: set[str]) -> str:
    if not leaders:
        return "No lead is shown at either end of any budget: too few seeds, or no difference."
    if len(leaders) == 1:
        return f"Wherever a lead is shown at an end of a common budget, {leaders.pop()} has it."
    return "Who is ahead depends on the budget and on the unit in which it is counted."


def channels(runs: pd.DataFrame, pairs: pd.DataFrame) -> Text:
    """How many channels each family affords at equal parameters (last stage, sweep only)."""
    widths = runs.drop_duplicates("network").set_index("network")["channels"]
    lines = []
    for row in pairs[pairs["report"] == "sweep"].to_dict("records"):
        wide, narrow = (int(widths[row[f]].split("-")[-1]) for f in ("mobilenet", "cnn"))
        lines.append(
            f"{wide / narrow:.1f} times as many at {short(row['size'])} ({wide} against {narrow})"
        )
    if not lines:
        return Text("No matched pair of the sweep was trained here to show it on.")
    return Text(f"MobileNet's last stage has, in channels, {', '.join(lines)}.")


def _tally(rows: list[Row]) -> str:
    counts = {word: sum(row["verdict"] == word for row in rows) for word in ("ahead", "behind")}
    undecided = len(rows) - sum(counts.values())
    return (
        f"Of {len(rows)} matched sizes MobileNet is shown to be ahead at {counts['ahead']}, "
        f"the plain CNN at {counts['behind']}; {undecided} remain undecided "
        "(each size judged by itself at 95 %)."
    )


def claims(pairs: pd.DataFrame) -> pd.DataFrame:
    """Hold the two reports' conclusions against matched pairs.

    Columns: ``report``, ``its conclusion``, ``sizes tested``, ``this run``.
    """
    rows = []
    for report, (claim, low, high) in CLAIMS.items():
        tested = pairs[(pairs["size"] >= low) & (pairs["size"] <= high)]
        wanted = "behind" if report == "A" else "ahead"
        rows.append(
            {
                "report": report,
                "its conclusion": claim,
                "sizes tested": ", ".join(short(size) for size in tested["size"]) or "none",
                "this run": _judge(list(tested["verdict"]), wanted),
            }
        )
    return pd.DataFrame(rows)


def _judge(verdicts: list[str], wanted: str) -> str:
    against = "ahead" if wanted == "behind" else "behind"
    if not verdicts:
        return "not tested: no matched size in its range"
    if against in verdicts:
        return f"contradicts it at {verdicts.count(against)} of {len(verdicts)} sizes"
    if all(word == wanted for word in verdicts):
        return "supports it at every size tested"
    if wanted in verdicts:
        return f"supports it at {verdicts.count(wanted)} of {len(verdicts)} sizes, else undecided"
    return "decides nothing: no difference shown, or too few seeds"
