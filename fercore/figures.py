"""One function per figure: a table in, a `fercore.display.Figure` with caption and alt text out.

One visual language: family is colour, a report's published figure is an open marker, a network
trained here a filled one. Accuracy is shown in percent. `note` is printed with every caption; it
says so where the data is synthetic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from fercore.analysis import crossings
from fercore.display import Figure

COLOURS = {"mobilenet": "#0173b2", "cnn": "#d55e00"}
"""From seaborn's colour-blind palette."""

NAMES = {"mobilenet": "MobileNet", "cnn": "plain CNN"}
MARKERS = {"A": "s", "B": "^", "sweep": "o"}
STYLE = {"axes.spines.top": False, "axes.spines.right": False, "font.size": 10}


def short(count: float) -> str:
    """A count as one reads it on an axis: 30k, 1.3M."""
    if count >= 1e6:
        return f"{count / 1e6:.3g}M"
    return f"{count / 1e3:.3g}k" if count >= 1e3 else f"{count:.0f}"


def house_axes(width: float, height: float, columns: int = 1) -> tuple[Drawing, list[Axes]]:
    """Axes in the house style, outside pyplot's global state."""
    with sns.axes_style("whitegrid", rc=STYLE):
        drawing = Drawing(figsize=(width, height), layout="constrained")
        axes = drawing.subplots(1, columns, squeeze=False)[0]
    return drawing, list(axes)


def _size_axis(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("trainable parameters (log scale)")


def _curve(axes: Axes, summary: pd.DataFrame, runs: pd.DataFrame, split: str, family: str) -> None:
    """One family: dots per seed, mean with interval, the sweep's means joined."""
    colour = COLOURS[family]
    seeds = runs[runs["family"] == family]
    axes.scatter(seeds["params_trainable"], 100 * seeds[split], s=10, color=colour, alpha=0.35)
    part = summary[summary["family"] == family].dropna(subset="mean")
    for report, group in part.groupby("report"):
        spread = (100 * (group["high"] - group["mean"])).fillna(0)
        label = NAMES[family] + ("" if report == "sweep" else f" of report {report}")
        axes.errorbar(
            group["params_trainable"],
            100 * group["mean"],
            yerr=spread.where(spread > 0),
            fmt=MARKERS[str(report)],
            linestyle="-" if report == "sweep" else "none",
            color=colour,
            markersize=6,
            capsize=3,
            label=label,
        )


def _published(axes: Axes, published: pd.DataFrame) -> None:
    for (report, family), group in published.groupby(["report", "family"]):
        axes.plot(
            group["params_trainable"],
            100 * group["accuracy"],
            MARKERS[str(report)],
            markerfacecolor="none",
            color=COLOURS[str(family)],
            label=f"report {report}'s published {NAMES[str(family)]}",
        )


def size_against_accuracy(
    runs: pd.DataFrame,
    summary: pd.DataFrame,
    split: str,
    *,
    published: pd.DataFrame | None = None,
    name: str = "size-against-accuracy",
    note: str = "",
) -> Figure:
    """Scatter parameters (log axis) against accuracy, one colour per family.

    runs, summary: see `fercore.analysis`; published: the reports' own figures, one row each with
    ``report``, ``family``, ``params_trainable`` and ``accuracy``, drawn as open markers.
    """
    drawing, (axes,) = house_axes(7.2, 4.4)
    families = [family for family in COLOURS if family in set(summary["family"])]
    for family in families:
        _curve(axes, summary, runs, split, family)
    if published is not None and len(published):
        _published(axes, published)
    for size in crossings(summary):
        axes.axvline(size, color="0.4", linestyle=":")
        axes.annotate(
            f"means cross at {short(size)}",
            (size, 0.02),
            (4, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            color="0.3",
        )
    if summary["mean"].notna().any() or published is not None:
        _size_axis(axes)
    axes.set_ylabel(f"accuracy on {split} (%)")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=8)
    title = " and ".join(NAMES[family] for family in families)
    return Figure(
        drawing,
        name=name,
        caption=f"Parameters against accuracy on {split}, {title}. Large filled marks are means "
        "over seeds with their 95 % interval (seed to seed, pooled deviation; none for a single "
        "seed), small dots single runs, open marks what the two reports published, at their "
        "trainable parameters (on photographs, with other splits and recipes: see the table).",
        alt=_describe_curves(summary, split),
        note=note,
    )


def _describe_curves(summary: pd.DataFrame, split: str) -> str:
    points = [
        f"{NAMES[row['family']]} {row['params_trainable']:,} parameters {100 * row['mean']:.1f} %"
        for row in summary.dropna(subset="mean").to_dict("records")
    ]
    return f"Scatter plot of trainable parameters against accuracy on {split}: " + "; ".join(points)


def leads(pairs: pd.DataFrame, split: str, *, note: str = "") -> Figure:
    """MobileNet's lead over the plain CNN at each matched size, with its interval."""
    drawing, (axes,) = house_axes(7.2, 3.2)
    axes.axhline(0, color="0.3", linewidth=1)
    for row in pairs.to_dict("records"):
        colour = COLOURS["mobilenet" if row["lead"] > 0 else "cnn"]
        spread = 100 * (row["high"] - row["lead"])
        decided = row["verdict"] in ("ahead", "behind")
        axes.errorbar(
            row["size"],
            100 * row["lead"],
            yerr=None if np.isnan(spread) else spread,
            fmt="o",
            color=colour,
            markerfacecolor=colour if decided else "white",
            capsize=3,
        )
    _size_axis(axes)
    axes.set_ylabel("lead of MobileNet (points)")
    points = [f"{short(row['size'])}: {100 * row['lead']:+.1f}" for row in pairs.to_dict("records")]
    return Figure(
        drawing,
        name="leads",
        caption=f"MobileNet's lead over the plain CNN of equal size, {split}, in percentage points "
        "with 95 % interval (seed to seed). Above zero MobileNet is ahead. Hollow: the interval "
        "holds zero, or there is only one seed.",
        alt="MobileNet's lead in points by size. " + "; ".join(points),
        note=note,
    )


def learning_curves(history: pd.DataFrame, *, note: str = "") -> Figure:
    """Loss and validation accuracy by epoch.

    history: one row per run and epoch with ``network``, ``seed``, ``epoch``, ``train_loss`` and
    ``valid_accuracy``.
    """
    drawing, (left, right) = house_axes(9, 3.6, 2)
    networks = history["network"].unique()
    palette = sns.color_palette("colorblind" if len(networks) <= 10 else "husl", len(networks))
    colours = dict(zip(networks, palette, strict=True))
    for (network, _), part in history.groupby(["network", "seed"], sort=False):
        left.plot(part["epoch"], part["train_loss"], color=colours[network], alpha=0.8)
        right.plot(part["epoch"], 100 * part["valid_accuracy"], color=colours[network], alpha=0.8)
    for network, colour in colours.items():
        left.plot([], [], color=colour, label=network)
    if colours:
        left.legend(frameon=False, fontsize=8)
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.set(xlabel="epoch", ylabel="training loss (augmented images)")
    right.set(xlabel="epoch", ylabel="validation accuracy (%)")
    last = history.groupby(["network", "seed"], sort=False).tail(1)
    final = last.groupby("network", sort=False)["valid_accuracy"].mean()
    ends = "; ".join(f"{network} {100 * value:.1f} %" for network, value in final.items())
    return Figure(
        drawing,
        name="learning-curves",
        caption="Learning curves, one line per seed: training loss, and accuracy on the "
        "validation part of Training. A line that stops early is a run that did not stay finite.",
        alt="Learning curves. Validation accuracy after the last finished epoch, mean over seeds: "
        + (ends or "no epoch was finished"),
        note=note,
    )


def confusions(
    matrices: Mapping[str, NDArray[np.int64]], classes: Sequence[str], split: str, *, note: str
) -> Figure:
    """Confusion matrices side by side, each row in percent of its true class.

    matrices: title to (7, 7) counts, rows true, columns predicted.
    """
    panels = max(1, len(matrices))
    drawing, axes = house_axes(4.6 * panels, 4.2, panels)
    if not matrices:
        axes[0].set_title("no matched pair finished")
    worst = []
    for panel, (title, matrix) in zip(axes, matrices.items(), strict=False):
        share = 100 * matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
        sns.heatmap(
            share,
            ax=panel,
            annot=True,
            fmt=".0f",
            cmap="Blues",
            vmin=0,
            vmax=100,
            cbar=False,
            square=True,
            xticklabels=classes,
            yticklabels=classes,
        )
        panel.set(title=title, xlabel="predicted", ylabel="true")
        off = np.where(np.eye(len(share), dtype=bool), -1, share)
        row, column = np.unravel_index(off.argmax(), off.shape)
        true, taken = classes[int(row)], classes[int(column)]
        worst.append(f"{title}: {true} read as {taken} {off.max():.0f} %")
    return Figure(
        drawing,
        name="confusions",
        caption=f"Confusion matrices on {split}, summed over seeds; each row adds up to 100 % of "
        "the images of that class.",
        alt="Confusion matrices. Largest confusions: "
        + ("; ".join(worst) or "no matched pair finished"),
        note=note,
    )


def faces(
    images: NDArray[np.uint8],
    rows: Sequence[str],
    columns: Sequence[str],
    caption: str,
    *,
    note: str = "",
) -> Figure:
    """Grey images in a grid.

    images: uint8 (rows, columns, height, width); rows, columns: their names, or none.
    """
    down, across, height, width = images.shape
    sheet = images.transpose(0, 2, 1, 3).reshape(down * height, across * width)
    drawing, (axes,) = house_axes(7.2, 7.2 * down / across + 0.3)
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_yticks([height * (i + 0.5) for i in range(len(rows))], rows)
    axes.set_xticks([width * (i + 0.5) for i in range(len(columns))], columns)
    axes.grid(visible=False)
    sns.despine(ax=axes, left=True, bottom=True)
    names = ", ".join([*rows, *columns])
    return Figure(
        drawing,
        name="faces",
        caption=caption,
        alt=f"Grid of faces: {names}",
        note=note,
        raster=True,
    )
