"""What the errors look like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from fercore.display import NO_PAIR, Figure, Text, text_of
from fercore.figures.style import COLOURS, font_style, house_axes
from fercore.language import mark, say


def confusions(
    matrices: Mapping[str, NDArray[np.int64]], classes: Sequence[str], split: str, *, note: str
) -> Figure | Text:
    """Confusion matrices side by side, each row in percent of its true class.

    matrices: title to (7, 7) counts, rows true, columns predicted; a sentence where there is none.
    """
    if not matrices:
        return Text(say(NO_PAIR))
    count, classes = len(matrices), [*map(say, classes)]
    drawing, axes = house_axes(4.6 * count, 4.2, count)
    worst = []
    for panel, (title, matrix) in zip(axes, matrices.items(), strict=False):
        share = _percent(matrix)
        _heat(panel, share, classes, form=".0f", cmap="Blues", vmin=0, vmax=100)
        panel.set_title(title)
        off = np.where(np.eye(len(share), dtype=bool), -1, share)
        row, column = np.unravel_index(off.argmax(), off.shape)
        true, taken = classes[int(row)], classes[int(column)]
        read = mark("{title}: {true} read as {taken} {share:.0f} %")
        worst.append(say(read, title=title, true=true, taken=taken, share=off.max()))
    return Figure(
        drawing,
        name="confusions",
        caption=say(
            "Confusion matrices on {split}, summed over seeds; each row adds up to 100 % of the "
            "images of that class.",
            split=split,
        ),
        alt=say(
            "Confusion matrices. Largest confusions: {confusions}", confusions=say("; ").join(worst)
        ),
        note=note,
    )


def confusion_difference(
    matrices: Mapping[str, NDArray[np.int64]], classes: Sequence[str], split: str, *, note: str
) -> Figure | Text:
    """First confusion matrix less the second, in points of the true class's images.

    matrices: name to (7, 7) counts, rows true, columns predicted; an empty text where there are
    not two of them.
    """
    if len(matrices) != 2:
        return Text("")
    drawing, (axes,) = house_axes(5.4, 4.6)
    (first, ours), (second, theirs) = matrices.items()
    both, classes = {"first": first, "second": second}, [*map(say, classes)]
    gap = _percent(ours) - _percent(theirs)
    _heat(axes, gap, classes, form="+.0f", cmap="vlag", vmin=-60, vmax=60)
    axes.set_title(say("{first} less {second}", **both), fontsize=10)
    row, column = np.unravel_index(np.abs(gap).argmax(), gap.shape)
    return Figure(
        drawing,
        name="confusion-difference",
        caption=say(
            "{first} less {second} on {split}: difference of the two confusion matrices in "
            "percentage points, summed over seeds. Red: the first says it more often.",
            **both,
            split=split,
        ),
        alt=say(
            "Difference of confusion matrices. Largest: true {true} read as {taken}, {gap:+.0f} "
            "points",
            true=classes[int(row)],
            taken=classes[int(column)],
            gap=gap[row, column],
        ),
        note=note,
    )


def _percent(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each row in percent of its sum; a class without images gives zeros."""
    share: NDArray[np.float64] = 100 * matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    return share


def _heat(
    axes: Axes, values: NDArray[np.float64], classes: Sequence[str], *, form: str, **style: object
) -> None:
    import seaborn as sns

    texts = [[text_of(v, form) if round(v) else "0" for v in r] for r in values]
    with mpl.rc_context(font_style()):
        sns.heatmap(  # which draws already here, to see whether labels overlap
            values,
            ax=axes,
            annot=texts,
            fmt="",
            cbar=False,
            square=True,
            xticklabels=classes,
            yticklabels=classes,
            **style,
        )
    axes.set(xlabel=say("predicted"), ylabel=say("true"))
    axes.tick_params("x", rotation=90)


def reliability(
    tables: Mapping[str, pd.DataFrame], families: Mapping[str, str], split: str, *, note: str
) -> Figure | Text:
    """How often networks are right, by how sure they say they are.

    tables: network to its table of `analysis.reliability`; an empty text where there is none, as
    `fercore.tables.calibration` says why. families: network to family.
    """
    if not tables:
        return Text("")
    drawing, (axes,) = house_axes(5.4, 4.4)
    axes.plot([0, 100], [0, 100], color="0.5", linestyle="--", linewidth=1)
    said = []
    for network, table in tables.items():
        confidence, accuracy = 100 * table["confidence"], 100 * table["accuracy"]
        colour = COLOURS[families[network]]
        axes.plot(confidence, accuracy, color=colour, alpha=0.6, label=network)
        axes.scatter(
            confidence, accuracy, s=200 * table["images"] / table["images"].sum(), c=colour
        )
        mean = np.average(table["confidence"], weights=table["images"])
        right = np.average(table["accuracy"], weights=table["images"])
        line = mark("{network} says {confidence:.0f} % and reaches {accuracy:.0f} %")
        said.append(say(line, network=network, confidence=100 * mean, accuracy=100 * right))
    axes.set(xlabel=say("confidence (%)"), ylabel=say("accuracy (%)"), xlim=(0, 100), ylim=(0, 100))
    axes.legend(frameon=False, fontsize=8)
    return Figure(
        drawing,
        name="reliability",
        caption=say(
            "Reliability on {split}, all seeds whose predictions are here: share of images read "
            "correctly, by the probability given to the answer, in bins of equal width; larger "
            "marks hold more images. Below the dashed line a network is too sure of itself.",
            split=split,
        ),
        alt=say("Reliability diagram. On average {said}", said=say("; ").join(said)),
        note=note,
    )
