"""Accuracy over a budget, and who leads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fercore.analysis import UNITS, Comparison
from fercore.display import Figure, Text, signed
from fercore.figures.style import COLOURS, MARKERS, NAMES, house_axes, pale, short, size_axis
from fercore.language import listed, mark, paragraph, say


def _family(axes: Axes, summary: pd.DataFrame, runs: pd.DataFrame, split: str, family: str) -> None:
    """One family's networks: dots per seed, mean with interval."""
    colour = COLOURS[family]
    seeds = runs[runs["family"] == family]
    axes.scatter(seeds["params_trainable"], 100 * seeds[split], s=10, color=colour, alpha=0.35)
    part = summary[summary["family"] == family].dropna(subset="mean")
    for report, group in part.groupby("report"):
        spread = (100 * (group["high"] - group["mean"])).fillna(0)
        label = name = say(NAMES[family])
        if report != "sweep":
            label = say("{name} of report {report}", name=name, report=report)
        axes.errorbar(
            group["params_trainable"],
            100 * group["mean"],
            yerr=spread.where(spread > 0),
            fmt=MARKERS[str(report)],
            linestyle="none",
            color=colour,
            markersize=6,
            capsize=3,
            label=label,
        )


def _curves(axes: Axes, comparison: Comparison, label: bool = False) -> None:
    """Both families' fits with their bands, and where they cross."""
    for family, curve in comparison.curves.items():
        colour, sizes = COLOURS[family], curve["size"]
        name = say(NAMES[family]) if label else None
        axes.plot(sizes, 100 * curve["accuracy"], color=colour, label=name)
        axes.fill_between(
            sizes, 100 * curve["low"], 100 * curve["high"], color=colour, alpha=0.15, linewidth=0
        )
    _crossings(axes, comparison)


CROSS = mark("means cross at {places}")
MAYBE_CROSS = mark("means cross at {places} (uncertain)")


def _crossings(axes: Axes, comparison: Comparison) -> None:
    """A dotted line wherever the means cross, one label, and how far replicates scatter."""
    for size in comparison.crossings:
        axes.axvline(size, color="0.4" if comparison.shown else "0.7", linestyle=":")
    if comparison.crossings:
        _name_crossings(axes, comparison)
    if _shaded(comparison):
        axes.axvspan(comparison.low, comparison.high, color="0.5", alpha=0.12, linewidth=0)


def _name_crossings(axes: Axes, comparison: Comparison) -> None:
    """The label, right of the first, or left of the last where that would leave the axes."""
    places = comparison.crossings
    sizes = pd.concat([curve["size"] for curve in comparison.curves.values()])
    right = places[0] / sizes.min() < (sizes.max() / sizes.min()) ** 0.6  # of a log axis
    axes.annotate(
        say(CROSS if comparison.shown else MAYBE_CROSS, places=listed(map(short, places))),
        (places[0] if right else places[-1], 0.02),
        (4 if right else -4, 0),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="left" if right else "right",
        color="0.3",
        fontsize=8,
    )


def _shaded(comparison: Comparison) -> bool:
    """Is there a grey band: do the means cross as most replicates that cross do, once?"""
    return comparison.outcome == comparison.once


def _percent_axis(axes: Axes, split: str) -> None:
    """Accuracy from 0 to 100 %: an interval that knows nothing does not stretch it."""
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, 0), min(high, 100))
    axes.set_ylabel(say("accuracy on {split} (%)", split=split))


def _published(axes: Axes, published: pd.DataFrame) -> None:
    for (report, family), group in published.groupby(["report", "family"]):
        axes.plot(
            group["params_trainable"],
            100 * group["accuracy"],
            MARKERS[str(report)],
            markerfacecolor="none",
            color=COLOURS[str(family)],
            label=say(
                "report {report}'s published {name}", report=report, name=say(NAMES[str(family)])
            ),
        )


def size_against_accuracy(
    runs: pd.DataFrame,
    summary: pd.DataFrame,
    split: str,
    comparison: Comparison,
    *,
    published: pd.DataFrame | None = None,
    name: str = "size-against-accuracy",
    note: str = "",
) -> Figure:
    """Scatter parameters (log axis) against accuracy, one colour per family.

    runs, summary, comparison: see `fercore.analysis`; published: the reports' own figures, one row
    each with ``report``, ``family``, ``params_trainable`` and ``accuracy``, drawn as open markers.
    """
    drawing, (axes,) = house_axes(7.2, 4.4)
    families = [family for family in COLOURS if family in set(summary["family"])]
    for family in families:
        _family(axes, summary, runs, split, family)
    _curves(axes, comparison)
    if published is not None and len(published):
        _published(axes, published)
    if summary["mean"].notna().any() or published is not None:
        size_axis(axes)
    _percent_axis(axes, split)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=8)
    title = say(" and ").join(say(NAMES[family]) for family in families)
    return Figure(
        drawing,
        name=name,
        caption=paragraph(
            say(
                "Parameters against accuracy on {split}, {title}. Large filled marks are means "
                "over seeds with their 95 % interval over seeds (none for a single seed), small "
                "dots single runs, lines the fit that does not fall with size, through the "
                "sweep's means, with its 95 % band over seeds.",
                split=split,
                title=title,
            ),
            _grey(comparison),
            say("Networks with a single seed take no part in the lines.")
            if comparison.left_out
            else "",
            say(
                "Open marks are what the two reports published, at their trainable parameters (on "
                "photographs, with other splits and recipes: see the table)."
            ),
        ),
        alt=_describe_curves(summary, split),
        note=note,
    )


def _grey(comparison: Comparison) -> str:
    """What the grey band holds, and of how many replicates; empty if there is none."""
    if not _shaded(comparison):
        return ""
    return say(
        "Grey: 95 % of the crossings of those replicates that cross once and in the more frequent "
        "direction ({share:.1f} % of all).",
        share=100 * comparison.shares[comparison.once],
    )


def _describe_curves(summary: pd.DataFrame, split: str) -> str:
    points = [
        say(
            "{name} {parameters:,} parameters {accuracy:.1f} %",
            name=say(NAMES[row["family"]]),
            parameters=row["params_trainable"],
            accuracy=100 * row["mean"],
        )
        for row in summary.dropna(subset="mean").to_dict("records")
    ]
    return say(
        "Scatter plot of trainable parameters against accuracy on {split}: {points}",
        split=split,
        points=say("; ").join(points),
    )


def leads(pairs: pd.DataFrame, split: str, *, note: str = "") -> Figure | Text:
    """MobileNet's lead over the plain CNN at each matched size, with both of its intervals.

    pairs: from `analysis.matched_pairs`, with those of `analysis.over_images` if they are known.
    Without pairs: an empty text.
    """
    if pairs.empty:
        return Text("")
    wide = "image_high" in pairs and pairs["image_high"].notna().any()
    drawing, (axes,) = house_axes(7.2, 3.2)
    axes.axhline(0, color="0.3", linewidth=1)
    for row in pairs.to_dict("records"):
        lead, colour = 100 * row["lead"], COLOURS["mobilenet" if row["lead"] > 0 else "cnn"]
        spread = 100 * row["high"] - lead
        decided = row["verdict"] in ("ahead", "behind")
        if wide:
            images = 100 * (row["image_high"] - row["image_lead"])
            axes.errorbar(row["size"], lead, yerr=images, color="0.6", linewidth=6, alpha=0.5)
        axes.errorbar(
            row["size"],
            lead,
            yerr=None if np.isnan(spread) else spread,
            fmt="o",
            color=colour,
            markerfacecolor=colour if decided else pale(colour),
            capsize=3,
        )
    size_axis(axes)
    axes.set_ylabel(say("lead of MobileNet (points)"))
    rows = pairs.to_dict("records")
    points = [f"{short(row['size'])}: {signed(row['lead'], row['high'])}" for row in rows]
    return Figure(
        drawing,
        name="leads",
        caption=paragraph(
            say(
                "MobileNet's lead over the plain CNN of equal size, {split}, in percentage points. "
                "Thin bars: 95 % interval over seeds.",
                split=split,
            ),
            say("Broad grey bars: over test images.") if wide else "",
            say(
                "Above zero MobileNet is ahead. Pale: the interval over seeds holds zero, there "
                "is only one seed, or neither network learned anything."
            ),
        ),
        alt=say("MobileNet's lead in points by size. {points}", points=say("; ").join(points)),
        note=note,
    )


def budgets(comparisons: Sequence[Comparison], split: str, *, note: str = "") -> Figure:
    """Both families' curves over each unit of budget, one panel each."""
    drawing, axes = house_axes(
        9, 3.3 * ((len(comparisons) + 1) // 2), 2, (len(comparisons) + 1) // 2
    )
    ends = []
    for panel, comparison in zip(axes, comparisons, strict=False):
        _curves(panel, comparison, label=True)
        size_axis(panel, comparison.unit)
        _percent_axis(panel, split)
        if comparison.first:
            ends_at = (comparison.first, comparison.last)
            first, last = (signed(row["lead"], row["high"]) for row in ends_at)
            unit = say(UNITS[comparison.unit])
            ends.append(say("{unit}: {first} to {last}", unit=unit, first=first, last=last))
    axes[0].legend(frameon=False, fontsize=8)
    return Figure(
        drawing,
        name="budgets",
        caption=paragraph(
            say(
                "The same networks over four budgets, accuracy on {split}: fits through the means, "
                "with 95 % bands over seeds. The latency is of one image on one CPU thread, on the "
                "machine that made this report.",
                split=split,
            ),
            say(
                "Grey: 95 % of the crossings of those replicates that cross once and in the more "
                "frequent direction."
            )
            if any(map(_shaded, comparisons))
            else "",
        ),
        alt=say(
            "MobileNet's lead in points at the smallest and the largest common budget. {ends}",
            ends=say("; ").join(ends) or say("no common budgets"),
        ),
        note=note,
    )
