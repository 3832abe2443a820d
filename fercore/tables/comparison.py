"""One family, or one report, against the other."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from fercore.analysis import UNITS, Comparison, Row
from fercore.data.faces import SYNTHETIC_NOTE
from fercore.display import NO_PAIR, Table, Text, all_signed, percent, signed
from fercore.figures import amount, short
from fercore.language import paragraph, say
from fercore.tables.words import OUTCOMES, VERDICTS

HALVES = ("public", "private")
"""Splits of the course's test set that are not FER2013's own."""


def published(figures: pd.DataFrame, summary: pd.DataFrame, split: str, *, note: str = "") -> Table:
    """The reports' own figures, beside what the same networks reached here where they were trained.

    figures: columns ``network``, ``report``, ``epochs``, ``split``, ``accuracy``, ``note``. The
    difference is given where both are of photographs, and of more than one half of a test set.
    """
    ours = summary.set_index("network").reindex(figures["network"])
    shown = pd.DataFrame(
        {
            "network": figures["network"],
            "report": figures["report"],
            "its epochs": figures["epochs"].astype("Int64"),
            "its split": figures["split"].map(say),
            "its %": 100 * figures["accuracy"],
        }
    )
    caption, note_here = say("What the reports published, on photographs."), ""
    if ours["mean"].notna().any():
        reached = zip(ours["mean"], ours["high"], strict=True)
        shown[say("here, {split} %", split=split)] = [
            None if pd.isna(mean) else percent(mean, high) for mean, high in reached
        ]
        alike = ~figures["split"].isin(HALVES).to_numpy() & (note != say(SYNTHETIC_NOTE))
        lead = (ours["mean"].to_numpy() - figures["accuracy"].to_numpy())[alike]
        spread = (ours["high"] - ours["mean"]).to_numpy()[alike]
        if alike.any():
            shown.loc[alike, "difference, points"] = all_signed(lead, lead + spread)
        caption = paragraph(
            say(
                "What the reports published, on photographs, beside what the same networks reach "
                "here (± 95 % over seeds). Splits, epochs and recipes differ: a comparison at a "
                "glance, not a verdict."
            ),
            say(
                "Difference: ours less theirs, which are single runs; none for one half of the "
                "course's test set."
            )
            if alike.any()
            else "",
        )
        note_here = note
    shown["its protocol"] = figures["note"].map(say)
    return Table(
        shown.reset_index(drop=True),
        name="published",
        note=note_here,
        caption=caption,
        formats={"its %": ".1f"},
    )


def pairs(matched: pd.DataFrame, split: str, *, note: str = "") -> Table | Text:
    """Matched sizes: both accuracies, the lead of MobileNet and what its intervals allow.

    A sentence where there is none.
    """
    if matched.empty:
        return Text(say(NO_PAIR))
    shown = pd.DataFrame(
        {
            "size": [short(size) for size in matched["size"]],
            "from": matched["report"].replace("sweep", say("sweep")),
            "MobileNet": matched["mobilenet"],
            "plain CNN": matched["cnn"],
            "MobileNet %": 100 * matched["mobilenet_mean"],
            "CNN %": 100 * matched["cnn_mean"],
            "lead, points": all_signed(matched["lead"], matched["high"]),
            "over seeds": matched["verdict"].map(VERDICTS).map(say),
        }
    )
    if set(shown["from"]) == {say("sweep")}:
        shown = shown.drop(columns="from")
    formats = {"MobileNet %": ".1f", "CNN %": ".1f"}
    caption = say(
        "MobileNet against the plain CNN of equal trainable parameters, {split}; lead of "
        "MobileNet, ± 95 % over seeds, for these images. Undecided: the interval holds 0.",
        split=split,
    )
    if "image_high" in matched and matched["image_high"].isna().all():
        none = say("There is none over test images: the records are older than that measurement.")
        caption = paragraph(caption, none)
    elif "image_high" in matched:
        shown["± images, points"] = 100 * (matched["image_high"] - matched["image_lead"])
        shown["over images"] = matched["image_verdict"].map(VERDICTS).map(say)
        formats["± images, points"] = ".1f"
        images = say(
            "± images: 95 % interval over test images, for these trained networks (paired "
            "bootstrap). Neither contains the other."
        )
        caption = paragraph(caption, images)
    return Table(shown, name="pairs", note=note, caption=caption, formats=formats)


def budgets(comparisons: Sequence[Comparison], split: str, *, note: str = "") -> Table:
    """Who leads, by the unit in which the budget is counted: one row per unit."""
    rows = [_budget(comparison) for comparison in comparisons]
    return Table(
        pd.DataFrame(rows),
        name="budgets",
        caption=say(
            "MobileNet's lead in points ({split}, ± 95 % over seeds) at the smallest and the "
            "largest budget that both families' curves cover, by the unit of the budget, read off "
            "the curves; who is ahead by the means; where the curves cross, with 95 % of the "
            "crossings of the bootstrap's replicates that cross likewise, if that is once; and the "
            "share of replicates whose curves cross never or more than once, in percent.",
            split=split,
        ),
        formats={"never or more than once %": ".0f"},
        note=note,
    )


def _budget(comparison: Comparison) -> Row:
    unit, shares = comparison.unit, comparison.shares
    places = ", ".join(_place(place, unit) for place in comparison.crossings)
    if comparison.outcome == comparison.once:
        low, high = _place(comparison.low, unit), _place(comparison.high, unit)
        places = say("{places} ({low} to {high})", places=places, low=low, high=high)
    once = shares.get("mobilenet first", 0) + shares.get("cnn first", 0)
    ends = {"smallest": comparison.first, "largest": comparison.last}
    return {
        "budget": say(UNITS[unit]),
        "from": amount(comparison.start, unit),
        "to": amount(comparison.stop, unit),
        **{
            f"{end}: lead, points": signed(row["lead"], row["high"]) if row else None
            for end, row in ends.items()
        },
        "by the means": say(OUTCOMES[comparison.outcome]),
        "cross at": places or say("nowhere"),
        "never or more than once %": 100 * (1 - once) if shares else None,
    }


def _place(value: float, unit: str) -> str:
    """A budget with its unit if that is short, as 126 kB; parameters are named by their row."""
    return amount(value, unit) if unit in ("file_bytes", "latency_ms") else short(value)


def claims(judged: pd.DataFrame, *, note: str = "") -> Table:
    """The reports' conclusions beside what is found here of them; see `sentences.claims`."""
    return Table(
        judged,
        name="claims",
        caption=say(
            "What each report concluded, and what the matched sizes say of it here. A leaves open "
            "where in its range the CNN takes the lead: sizes from its upper end on test it."
        ),
        note=note,
    )
