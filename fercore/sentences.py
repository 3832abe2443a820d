"""The report's sentences, built from a run's numbers so that they cannot disagree with them.

Every function takes tables of `fercore.analysis` and returns `Text`. Each can say every outcome:
one side ahead, the other ahead, no difference shown, too few seeds, nothing finished.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from fercore.analysis import Row, difference, smallest_within
from fercore.figures import NAMES, short

CLOSE = 0.02
"""What counts as nearly as good as the best: 2 percentage points."""

CLAIMS = {
    "A": ("the plain CNN is ahead from about 50,000 to 100,000 parameters on", 100_000, math.inf),
    "B": ("MobileNet is ahead at every matched size, 46,000 to 158,000", 45_000, 160_000),
}
"""What each report concluded, and the sizes (trainable parameters) at which that can be held
against a run: for A from the upper end of its range, so that the range itself decides nothing."""


@dataclass(frozen=True)
class Text:
    """Markdown that a notebook shows as text."""

    markdown: str

    def _repr_markdown_(self) -> str:
        return self.markdown


def _points(value: float) -> str:
    return f"{100 * abs(value):.1f} points"


def _seeds(summary: pd.DataFrame) -> str:
    counts = sorted(set(summary["seeds"]) - {0}) or [0]
    if len(counts) == 1:
        return "1 seed" if counts == [1] else f"mean of {counts[0]} seeds"
    return f"mean of {counts[0]} to {counts[-1]} seeds"


def _lead(first: str, second: str, row: Row) -> str:
    """Who leads, by how much, and how sure that is."""
    leader, other = (first, second) if row["lead"] >= 0 else (second, first)
    by = f"{leader} is {_points(row['lead'])} ahead of {other}"
    if row["verdict"] == "one seed":
        return f"{by}, from a single seed: nothing says how sure that is"
    spread = f"± {100 * (row['high'] - row['lead']):.1f}"
    if row["verdict"] == "undecided":
        return f"no difference is shown between {first} and {second} ({by}, {spread})"
    return f"{by} ({spread})"


def _failures(summary: pd.DataFrame) -> str:
    failed = summary[summary["failed"] > 0]
    if failed.empty:
        return ""
    names = ", ".join(f"{row.network} ({row.failed})" for row in failed.itertuples())
    return f" Training did not stay finite, and no result is shown, for: {names}."


def large_against_compact(
    runs: pd.DataFrame, summary: pd.DataFrame, split: str, note: str = ""
) -> Text:
    """Question 1: for each report, what its large CNN and its compact MobileNet reach."""
    lines = []
    for report, part in summary.groupby("report"):
        small, large = (
            part[part["family"] == family].to_dict("records") for family in ("mobilenet", "cnn")
        )
        for compact in small:
            lines += [_one_pair(runs, split, str(report), big, compact) for big in large]
    text = "\n".join(f"- {line}" for line in lines) or "No pair of a CNN and a MobileNet was asked."
    return Text(f"**Answer** ({split}, {_seeds(summary)}). {note}\n\n{text}{_failures(summary)}")


def _one_pair(runs: pd.DataFrame, split: str, report: str, large: Row, compact: Row) -> str:
    ratio = large["params_trainable"] / compact["params_trainable"]
    word = "fewer" if ratio >= 1 else "more"
    ratio = max(ratio, 1 / ratio)
    times = f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}"
    sizes = (
        f"Report {report}: **{compact['network']}** has {compact['params_trainable']:,} trainable "
        f"parameters, {times} times {word} than **{large['network']}** with "
        f"{large['params_trainable']:,}"
    )
    if math.isnan(large["mean"] + compact["mean"]):
        return f"{sizes}. At least one of them has no finished run, so they cannot be compared."
    row = difference(runs, split, large["network"], compact["network"])
    return (
        f"{sizes}. They reach {100 * compact['mean']:.1f} % and {100 * large['mean']:.1f} %: "
        f"{_lead('the large CNN', 'the compact MobileNet', row)}."
    )


def size_against_accuracy(summary: pd.DataFrame, family: str, split: str, note: str = "") -> Text:
    """Questions 2 and 3: what a family's accuracy does as parameters are taken away."""
    part = summary[(summary["family"] == family)].dropna(subset="mean")
    name, head = NAMES[family], f"**Answer** ({split}, {_seeds(summary)}). {note}\n\n"
    if part.empty:
        return Text(f"{head}No {name} has a finished run.{_failures(summary)}")
    rows: list[Row] = part.sort_values("params_trainable").to_dict("records")
    first, last = rows[0], rows[-1]
    if len(rows) == 1:
        text = f"The one {name} trained reaches {_reach(first)}; one size shows no trend."
    else:
        text = f"{_range(name, first, last)} {_nearly(part)} {_order(rows)}"
    return Text(f"{head}{text}{_failures(summary)}")


def _reach(row: Row) -> str:
    spread = "" if math.isnan(row["high"]) else f" ± {100 * (row['high'] - row['mean']):.1f}"
    return (
        f"**{100 * row['mean']:.1f}{spread} %** with {row['params_trainable']:,} "
        f"trainable parameters ({row['network']})"
    )


def _range(name: str, first: Row, last: Row) -> str:
    tens = math.log10(last["params_trainable"] / first["params_trainable"])
    gain = last["mean"] - first["mean"]
    slope = (
        f": {'a gain' if gain >= 0 else 'a loss'} of {_points(gain / tens)} "
        "for every tenfold of parameters, on average"
        if tens > 0
        else ""
    )
    return f"The smallest {name} reaches {_reach(first)}, the largest {_reach(last)}{slope}."


def _nearly(part: pd.DataFrame) -> str:
    row = smallest_within(part, CLOSE)
    assert row is not None
    return (
        f"The smallest within {100 * CLOSE:.0f} points of the best is {row['network']} "
        f"({short(row['params_trainable'])} parameters)."
    )


def _order(rows: list[Row]) -> str:
    """Whether more parameters always gave a higher mean."""
    drops = [
        (small["network"], large["network"])
        for small, large in pairwise(rows)
        if large["mean"] < small["mean"]
    ]
    if not drops:
        return "No step up in size lowered the mean."
    steps = ", ".join(f"{large} is below {small}" for small, large in drops)
    return f"The mean did not rise with every step up in size: {steps}."


def comparison(
    summary: pd.DataFrame, pairs: pd.DataFrame, crossings: list[float], split: str, note: str = ""
) -> Text:
    """Question 4: who is ahead at which size, and where the curves cross, if they do."""
    head = f"**Answer** ({split}, {_seeds(summary)}). {note}\n\n"
    if pairs.empty:
        nothing = "No MobileNet and CNN of equal size finished: nothing to compare."
        return Text(f"{head}{nothing}{_failures(summary)}")
    rows: list[Row] = pairs.to_dict("records")
    smallest = _lead("MobileNet", "the plain CNN", rows[0])
    text = f"At the smallest matched size, {short(rows[0]['size'])} parameters, {smallest}."
    if len(rows) > 1:
        largest = _lead("MobileNet", "the plain CNN", rows[-1])
        text += f" At the largest, {short(rows[-1]['size'])}, {largest}. {_tally(rows)}"
    return Text(f"{head}{text} {_crossing(crossings, rows)}{_failures(summary)}")


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


def _crossing(crossings: list[float], rows: list[Row]) -> str:
    if sum(row["report"] == "sweep" for row in rows) < 2:
        return "Fewer than two matched sizes of the sweep: no curves to cross."
    if not crossings:
        return "The curves of the means do not cross within the measured sizes."
    places = " and ".join(f"{short(size)} parameters" for size in crossings)
    below = {row["verdict"] for row in rows if row["size"] < crossings[0]}
    above = {row["verdict"] for row in rows if row["size"] > crossings[-1]}
    shown = ("ahead" in below and "behind" in above) or ("behind" in below and "ahead" in above)
    sure = (
        "and the leads on both sides are shown"
        if shown
        else "but a lead is not shown on both sides, so that the crossing is not established"
    )
    return f"The curves of the means cross at about {places}, {sure}."


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
