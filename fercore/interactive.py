"""The scatter of parameters against accuracy to explore: Vega-Lite by Altair, as a `Chart`.

It speaks the language of `fercore.figures`: family is colour, a report's network has its report's
marker, a published figure is open. Text and lines have the colour of the text around the chart, so
that it can be read on light and on dark paper.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any, NamedTuple

import altair as alt
import pandas as pd

from fercore.display import MISSING, Chart, percent
from fercore.figures import COLOURS, NAMES
from fercore.language import mark, say

AXES = mark(
    {
        "params_trainable": "trainable parameters",
        "params_keras_total": "Keras total parameters",
        "macs": "multiply-adds (MACs)",
        "file_bytes": "file bytes",
        "latency_ms": "latency (ms)",
    }
)
"""What x can be, by column of the runs table; those that the runs have are offered."""

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
SHAPES = {"sweep": "circle", "A": "square", "B": "triangle-up"}
KINDS = mark({"ours": "measured", "published": "published"})
HEADS = mark({"network": "network", "told kind": "kind", "accuracy": "accuracy", "runs": "runs"})
"""Of what the pointer tells first, by field."""
TOLD = ("network", "report", "family_name", "percent", "low", "high", "accuracy", "runs", "curve")
TICKS = [digit * 10**power for power in range(-3, 12) for digit in (1, 3)]
INK = "currentColor"
LINES = dict.fromkeys(["gridColor", "domainColor", "tickColor", "labelColor", "titleColor"], INK)
SIZE = {"width": 560, "height": 340}
"""Pixels; the report's page makes it as wide as its text."""


class View(NamedTuple):
    """What a chart shows. axis: of `AXES`; "": it offers them, and to hide the published figures.

    families: of `fercore.figures.NAMES`. ring: around this mark, named as in `marks`.
    """

    axis: str = ""
    families: Collection[str] = tuple(NAMES)
    ring: str | None = None


def size_against_accuracy(
    runs: pd.DataFrame,
    summary: pd.DataFrame,
    split: str,
    *,
    published: pd.DataFrame | None = None,
    view: View = View(),  # noqa: B008 - it is frozen
    name: str = "explore",
    note: str = "",
) -> Chart:
    """The scatter of `fercore.figures.size_against_accuracy`; x can be switched, families hidden.

    runs, summary: see `fercore.analysis`; published: see `fercore.figures`, its networks stand on
    each axis whose column it has. Members of a family are joined by a line, those alone that have
    the same ``curve`` where runs have that column.
    """
    ours = _ours(runs, summary)
    records, axes = _records(ours, _theirs(published))
    drawn = _draw(records, axes, split, view)
    alt_text = _describe(ours, split)
    return Chart(
        {
            **drawn.to_dict(),
            "description": alt_text,
            "$schema": SCHEMA,
            "usermeta": {"embedOptions": {"renderer": "svg"}},
        },
        name=name,
        caption=say(
            "Size against accuracy on {split}, to explore: point at a mark for its network, costs, "
            "interval and run ids; choose the x axis; click a family in the legend to hide it or "
            "to show it again. Filled marks are means over seeds with their 95 % interval, open "
            "marks what the two reports published, on photographs.",
            split=split,
        ),
        alt=alt_text,
        note=note,
    )


def marks(
    runs: pd.DataFrame, summary: pd.DataFrame, published: pd.DataFrame | None, view: View
) -> dict[str, dict[str, str]]:
    """By name: the marks that a view of the same tables shows, and what the pointer is told."""
    records, axes = _records(_ours(runs, summary), _theirs(published))
    families = {say(NAMES[family]) for family in view.families}
    return {
        row["mark"]: {head: row[field] for field, head in _heads(axes).items() if field in row}
        for row in records
        if view.axis in row and row["family_name"] in families
    }


def _heads(axes: dict[str, str]) -> dict[str, str]:
    """Of what the pointer tells, by field."""
    told = {field: say(text) for field, text in HEADS.items()}
    return told | {f"told {axis}": text for axis, text in axes.items()}


def _ours(runs: pd.DataFrame, summary: pd.DataFrame) -> pd.DataFrame:
    """One row per network with a finished run; accuracies in percent."""
    done = summary.dropna(subset="mean")
    known = runs[runs["network"].isin(done["network"])].groupby("network")
    wanted = [c for c in (*AXES, "curve") if c in runs and c not in done]
    more = {c: done["network"].map(known[c].max()) for c in wanted}
    percents = {c: (100 * done[k]).round(2) for c, k in (("percent", "mean"), ("low", "low"))}
    half = (100 * (done["high"] - done["mean"])).round(2)
    return done.assign(
        **more,
        **percents,
        high=percents["percent"] + half,
        accuracy=[f"{percent(*pair)} %" for pair in zip(done["mean"], done["high"], strict=True)],
        runs=done["network"].map(known["run_id"].agg(", ".join)),
        family_name=done["family"].map(NAMES).map(say),
        kind="ours",
    )


def _theirs(published: pd.DataFrame | None) -> pd.DataFrame:
    if published is None:
        return pd.DataFrame()
    percent = (100 * published["accuracy"]).round(2)
    return published.assign(
        percent=percent,
        accuracy=[f"{value:.1f} %" for value in percent],
        runs=[say("none: published by report {report}", report=r) for r in published["report"]],
        family_name=published["family"].map(NAMES).map(say),
        kind="published",
    )


def _records(
    ours: pd.DataFrame, theirs: pd.DataFrame
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """What is drawn or told of each mark, and the axes that the runs know, in words.

    Missing values are left out, or told as a dash.
    """
    axes = {c: say(text) for c, text in AXES.items() if c in ours and ours[c].notna().any()}
    rows = pd.concat([part for part in (ours, theirs) if len(part)] or [ours], ignore_index=True)
    kept = rows[[column for column in rows if column in {*TOLD, *axes, "kind"}]]
    texts = {f"told {axis}": [_count(value) for value in rows[axis]] for axis in axes}
    texts["told kind"] = [say(KINDS[kind]) for kind in rows["kind"]]
    named = zip(rows["network"], texts["told kind"], rows["accuracy"], strict=True)
    texts["mark"] = [", ".join(parts) for parts in named]
    return [
        {str(key): value for key, value in row.items() if pd.notna(value)}
        for row in kept.assign(**texts).to_dict("records")
    ], axes


def _count(value: float) -> str:
    return MISSING if pd.isna(value) else f"{value:,.4g}" if value < 100 else f"{value:,.0f}"


def _draw(
    records: list[dict[str, Any]], axes: dict[str, str], split: str, view: View
) -> alt.LayerChart:
    """Layers, from below: joined means, intervals, marks, and what the pointer aims at."""
    x = alt.X("x:Q", title=None, axis=alt.Axis(format="~s", labelOverlap=True, values=TICKS))
    base = alt.Chart(alt.InlineData(values=records)).encode(
        x=x.scale(type="log", nice=False, padding=20),
        y=alt.Y("percent:Q")
        .scale(zero=False, padding=12)
        .title(say("accuracy on {split} (%)", split=split)),
        color=_colour(),
    )
    ours = base.transform_filter("datum.kind === 'ours'")
    shape = alt.Shape("report:N", legend=None).scale(
        domain=list(SHAPES), range=list(SHAPES.values())
    )
    heads = _heads(axes).items()
    tooltip = [alt.Tooltip(f"{field}:N", title=_spelt(head)) for field, head in heads]
    aim = base.encode(tooltip=tooltip)
    theirs = base.transform_filter("datum.kind === 'published'").mark_point(
        filled=False, size=70, opacity=1
    )
    layers = [
        ours.transform_filter("datum.report === 'sweep'")
        .mark_line(strokeWidth=1.5)
        .encode(detail="curve:N")
        .add_params(_families(view.families)),
        ours.mark_rule(strokeWidth=2, aria=False).encode(y="low:Q", y2="high:Q"),
        ours.mark_point(filled=True, size=80, opacity=1).encode(shape=shape),
        # Without marks the layer would be a picture without a name, as screen readers see it.
        *([theirs.encode(shape=shape)] if "published" in {row["kind"] for row in records} else []),
        aim.mark_point(filled=True, size=500, opacity=0),
    ]
    if view.ring:
        ringed = aim.transform_filter(alt.FieldEqualPredicate(field="mark", equal=view.ring))
        layers.append(ringed.mark_point(filled=False, size=500, opacity=1, strokeWidth=3))
    return _dress(alt.LayerChart(layer=layers), axes, view)


def _spelt(title: str) -> str:
    """Vega-Lite 5 puts a tooltip's title between quotes as it is, 6 escapes quotes alone.

    Written as code points, quotes and backslashes come out right in both.
    """
    return re.sub(r'["\\]', lambda found: f"\\u{ord(found[0]):04x}", title)


def _dress(layers: alt.LayerChart, axes: dict[str, str], view: View) -> alt.LayerChart:
    """The controls, the choice of x, and a title where Vega-Lite has none that could change."""
    choices = alt.binding_select(options=[*axes], labels=[*axes.values()], name=say("x axis "))
    box = alt.binding_checkbox(name=say("published "))
    binds = (alt.Undefined, alt.Undefined) if view.axis else (choices, box)
    axis = alt.param(name="axis", value=view.axis or next(iter(axes), ""), bind=binds[0])
    theirs = alt.param(name="published", value=True, bind=binds[1])
    named = axes or {"": ""}
    titles = {c: say("{unit} (log scale)", unit=text) for c, text in named.items()}
    chart: alt.LayerChart = (
        layers.add_params(axis, theirs)
        .transform_fold([*axes], as_=["size", "x"])
        .transform_filter("datum.size === axis && isValid(datum.x)")
        .transform_filter("published || datum.kind !== 'published'")
        .transform_filter({"param": "families", "empty": False})
        .properties(
            **SIZE,
            title=alt.TitleParams(
                text=alt.ExprRef(f"{json.dumps(titles)}[axis]"),
                orient="bottom",
                fontWeight="normal",
            ),
            autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        )
        .configure(background="transparent", font="system-ui, sans-serif")
        .configure_view(stroke=None)
        .configure_title(color=INK, fontSize=12, offset=6)
        .configure_axis(
            gridOpacity=0.15, domainOpacity=0.5, tickOpacity=0.5, labelFontSize=12, **LINES
        )
        .configure_legend(labelColor=INK, labelFontSize=13, symbolOpacity=1)
    )
    return chart


def _colour() -> alt.Color:
    legend = alt.Legend(title=None, orient="top", symbolType="circle", symbolSize=120)
    scale = alt.Scale(
        domain=[*map(say, NAMES.values())], range=[COLOURS[family] for family in NAMES]
    )
    return alt.Color("family_name:N", scale=scale, legend=legend)


def _families(shown: Collection[str]) -> alt.Parameter:
    """These are on; a click in the legend takes one off or puts it back."""
    return alt.selection_point(
        name="families",
        fields=["family_name"],
        bind="legend",
        toggle="true",
        value=[{"family_name": say(NAMES[family])} for family in shown],
    )


def _describe(ours: pd.DataFrame, split: str) -> str:
    points = [
        say(
            "{network}: {parameters:,} trainable parameters, {accuracy}",
            network=row["network"],
            parameters=row["params_trainable"],
            accuracy=row["accuracy"],
        )
        for row in ours.to_dict("records")
    ]
    return say(
        "Scatter plot of size against accuracy on {split}. {points}",
        split=split,
        points=say("; ").join(points),
    )
