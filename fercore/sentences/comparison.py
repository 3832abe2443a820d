"""Question 4: one family against the other, at equal size and over every unit of budget."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from fercore.analysis import UNITS, UNKNOWN, Comparison, Row, unlearned
from fercore.display import Text, in_percent, number
from fercore.figures import amount, short
from fercore.language import listed, mark, paragraph, say
from fercore.sentences.words import answer, lead

CLAIMS = {
    "A": (
        mark("the plain CNN is ahead from about 50,000 to 100,000 parameters on"),
        98_000,
        math.inf,
    ),
    "B": (mark("MobileNet is ahead at every matched size, 46,000 to 158,000"), 45_000, 160_000),
}
"""What each report concluded, and the sizes (trainable parameters) at which that can be held
against a run: for A from the upper end of its range, so that the range itself decides nothing, less
the 2 % by which the network nearest to a budget may miss it."""


def comparison(
    summary: pd.DataFrame, pairs: pd.DataFrame, curves: Comparison, split: str, note: str = ""
) -> Text:
    """Question 4: who is ahead at which size, and where the curves cross, if they do.

    curves: over trainable parameters.
    """
    rows: list[Row] = pairs[pairs["verdict"] != "nothing learned"].to_dict("records")
    if not rows:
        return answer(split, summary, note, say(UNMATCHED if pairs.empty else NOTHING_LEARNED))
    text = say(SMALLEST if len(rows) == len(pairs) else SMALLEST_LEARNED, **_pair(rows[0]))
    stuck = unlearned(summary[summary["report"] == "sweep"]).any()
    cross = say(NO_CROSSING) if stuck else _crossing(curves)
    counted = _tally(pairs)
    return answer(split, summary, note, text, _largest(rows), counted, _other_images(rows), cross)


SMALLEST = mark(
    "With {size} parameters, the smallest size compared, MobileNet reads {ours} % of the faces "
    "rightly and the plain CNN {theirs} %: {lead}."
)
SMALLEST_LEARNED = mark(
    "With {size} parameters, the smallest size compared at which either family learned anything, "
    "MobileNet reads {ours} % of the faces rightly and the plain CNN {theirs} %: {lead}."
)
LARGEST = mark("With {size}, the largest, they read {ours} and {theirs} %: {lead}.")
UNMATCHED = mark("No MobileNet and CNN of equal size finished: nothing to compare.")
NOTHING_LEARNED = mark("At no matched size did either family learn to tell expressions apart.")
NO_CROSSING = mark("A curve passes through networks that learned nothing: no crossover is read.")


def _largest(rows: list[Row]) -> str:
    """Who is ahead at the largest size; empty for a single one."""
    if len(rows) == 1:
        return ""
    return say(LARGEST, **_pair(rows[-1]))


def _pair(row: Row) -> dict[str, str]:
    """A matched size in words: what both families reach at it, and who leads."""
    return {
        "size": short(row["size"]),
        "ours": number(100 * row["mobilenet_mean"]),
        "theirs": number(100 * row["cnn_mean"]),
        "lead": lead("MobileNet", say("the plain CNN"), row),
    }


def _other_images(rows: list[Row]) -> str:
    """What another draw of test images could change, where that is known."""
    known = [row for row in rows if row.get("image_verdict", UNKNOWN) != UNKNOWN]
    if not known:
        return ""
    firm = sum(row["image_verdict"] in ("ahead", "behind") for row in known)
    return say(
        "Other test images alone, with these very networks, would leave who is ahead as it is at "
        "{firm} of the {sizes} sizes that can be tested for it (at 95 %).",
        firm=firm,
        sizes=len(known),
    )


CROSSINGS = mark(
    {
        "mobilenet": "From {start} to {stop}, the curve through MobileNet's means lies above the "
        "plain CNN's all the way: the two do not cross.",
        "cnn": "From {start} to {stop}, the curve through the plain CNN's means lies above "
        "MobileNet's all the way: the two do not cross.",
        "mobilenet first": "The curves through the means cross at {places}: with fewer, "
        "MobileNet's lies above; with more, the plain CNN's.",
        "cnn first": "The curves through the means cross at {places}: with fewer, the plain "
        "CNN's lies above; with more, MobileNet's.",
        "several": "The curves through the means cross more than once, at {places}.",
        "level": "From {start} to {stop}, the curves through the means are the same.",
    }
)
"""What the fitted curves of the means do, by outcome."""


def _crossing(curves: Comparison) -> str:
    """First what the fitted curves of the means do, then how sure that is."""
    if curves.outcome == "apart":
        return say("The families' sizes do not overlap: there are no curves to cross.")
    said = say(
        CROSSINGS[curves.outcome],
        start=amount(curves.start, curves.unit),
        stop=amount(curves.stop, curves.unit),
        places=listed(amount(place, curves.unit) for place in curves.crossings),
    )
    return paragraph(said, _sureness(curves))


def _sureness(curves: Comparison) -> str:
    """How often the curves of other seeds (the bootstrap's replicates) do the same."""
    if not curves.shares:
        return say("How sure that is cannot be said: some network has a single seed.")
    never = curves.shares.get("mobilenet", 0.0) + curves.shares.get("cnn", 0.0)
    share = _percent(curves.shares.get(curves.outcome, 0.0))
    if curves.shown and curves.outcome == curves.once:
        low, high = amount(curves.low, curves.unit), amount(curves.high, curves.unit)
        return say(SHOWN_WHERE, share=share, low=low, high=high)
    if curves.shown:
        return say(SHOWN, share=share)
    if curves.crossings:
        return say(UNSURE_CROSSING, share=share, never=_percent(never))
    crossing = 1 - never - curves.shares.get("level", 0.0)
    return say(UNSURE, share=share, crossing=_percent(crossing))


SHOWN = mark("That is shown: with other seeds it would be so in {share} of cases.")
SHOWN_WHERE = mark(
    "That is shown: with other seeds it would be so in {share} of cases, and in 95 % of these the "
    "crossing would lie between {low} and {high}."
)
UNSURE = mark(
    "That is not shown: with other seeds it would be so in only {share} of cases, and in "
    "{crossing} the curves would cross."
)
UNSURE_CROSSING = mark(
    "That is not shown: with other seeds it would be so in only {share} of cases, and in {never} "
    "the curves would not cross at all."
)


def _percent(share: float) -> str:
    """A share as people read it; what is not quite none or all is not called so."""
    return say("over 99 %") if 0.99 < share < 1 else in_percent(share)


def budgets(comparisons: Sequence[Comparison]) -> Text:
    """Whether the winner depends on the unit in which the budget is counted."""
    words = {"ahead": say("MobileNet"), "behind": say("the plain CNN")}
    lines, leaders = [], set()
    for curves in comparisons:
        name = say(UNITS[curves.unit])
        if not curves.first:
            lines.append(say("- By {unit}: the families share no budgets.", unit=name))
            continue
        at = [words.get(row["verdict"], "") for row in (curves.first, curves.last)]
        leaders |= set(at)
        small, large = (
            say("{leader} is ahead", leader=leader) if leader else say("no lead is shown")
            for leader in at
        )
        line = say(
            "- By {unit}: {small} at {start}, {large} at {stop}.",
            unit=name,
            small=small,
            start=amount(curves.start, curves.unit),
            large=large,
            stop=amount(curves.stop, curves.unit),
        )
        lines.append(line)
    return Text(f"{_dependence(leaders - {''})}\n\n" + "\n".join(lines))


def _dependence(leaders: set[str]) -> str:
    if not leaders:
        return say("No lead is shown at either end of any budget: too few seeds, or no difference.")
    if len(leaders) == 1:
        return say(
            "At the smallest and the largest budget that both families cover, {leader} has every "
            "lead that is shown.",
            leader=leaders.pop(),
        )
    return say(
        "Each of the two is shown to be ahead somewhere: who leads depends on how large the budget "
        "is, or on the unit in which it is counted."
    )


def channels(runs: pd.DataFrame, pairs: pd.DataFrame) -> Text:
    """How many channels each family affords at equal parameters (last stage, sweep only)."""
    widths = runs.drop_duplicates("network").set_index("network")["channels"]
    lines = []
    for row in pairs[pairs["report"] == "sweep"].to_dict("records"):
        wide, narrow = (int(widths[row[f]].split("-")[-1]) for f in ("mobilenet", "cnn"))
        line = say(
            "{times:.1f} times as many at {size} ({wide} against {narrow})",
            times=wide / narrow,
            size=short(row["size"]),
            wide=wide,
            narrow=narrow,
        )
        lines.append(line)
    if not lines:
        return Text(say("No matched pair of the sweep was trained here to show it on."))
    listed = say(", ").join(lines)
    return Text(say("MobileNet's last stage has, in channels, {times}.", times=listed))


def _tally(pairs: pd.DataFrame) -> str:
    """At which sizes who is ahead; empty for a single one."""
    if len(pairs) == 1:
        return ""
    return say(
        "Of {sizes} matched sizes MobileNet is shown to be ahead at {ahead}, the plain CNN at "
        "{behind}; {undecided} remain undecided (each size judged by itself at 95 %).",
        sizes=len(pairs),
        ahead=_sizes(pairs, "ahead"),
        behind=_sizes(pairs, "behind"),
        undecided=int((~pairs["verdict"].isin(["ahead", "behind"])).sum()),
    )


def _sizes(pairs: pd.DataFrame, verdict: str) -> str:
    """How many have it, and which: "2 (5k, 10k)"."""
    sizes = [short(size) for size in pairs.loc[pairs["verdict"] == verdict, "size"]]
    return f"{len(sizes)} ({say(', ').join(sizes)})" if sizes else "0"


def claims(pairs: pd.DataFrame) -> pd.DataFrame:
    """Hold the two reports' conclusions against matched pairs.

    Columns: ``report``, ``its conclusion``, ``sizes tested``, ``found here``.
    """
    rows = []
    for report, (claim, low, high) in CLAIMS.items():
        tested = pairs[(pairs["size"] >= low) & (pairs["size"] <= high)]
        wanted = "behind" if report == "A" else "ahead"
        rows.append(
            {
                "report": report,
                "its conclusion": say(claim),
                "sizes tested": ", ".join(short(size) for size in tested["size"]) or say("none"),
                "found here": _judge(list(tested["verdict"]), wanted),
            }
        )
    return pd.DataFrame(rows)


def _judge(verdicts: list[str], wanted: str) -> str:
    against = "ahead" if wanted == "behind" else "behind"
    if not verdicts:
        return say("not tested: no matched size in its range")
    counts = {"against": verdicts.count(against), "sizes": len(verdicts)}
    if against in verdicts:
        return say("contradicts it at {against} of {sizes} sizes", **counts)
    counts["supporting"] = verdicts.count(wanted)
    if all(word == wanted for word in verdicts):
        return say("supports it at every size tested")
    if wanted in verdicts:
        return say("supports it at {supporting} of {sizes} sizes, else undecided", **counts)
    return say("decides nothing: no difference shown, or too few seeds")
