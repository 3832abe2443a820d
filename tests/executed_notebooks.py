"""Notebooks as if they had been executed: outputs from display objects, no kernel."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
from matplotlib.figure import Figure as Drawing
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from fercore.display import Chart, Figure, Provenance, Table
from fercore.report.front import Front, Request
from fercore.report.front import provenance as provenance_of

DATE = datetime(2024, 5, 17, 9, 30, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>"


def drawing(size: float = 1.5) -> Drawing:
    """A line, one inch and a half wide."""
    figure = Drawing(figsize=(size, size))
    figure.add_subplot().plot([0, 1], [1, 3])
    return figure


def figure(name: str = "curve", **texts: Any) -> Figure:
    """A figure; `texts` are its caption, alt and so on."""
    given = {"caption": "Accuracy by size.", "alt": "A rising line.", **texts}
    return Figure(drawing(), name=name, **given)


def chart(name: str = "explore", **texts: Any) -> Chart:
    """One mark, which Vega-Lite can draw."""
    spec = {"data": {"values": [{"x": 1}]}, "mark": "point", "encoding": {"x": {"field": "x"}}}
    return Chart(spec, **{"caption": "Sizes to explore.", "alt": "A mark.", **texts}, name=name)


def table(name: str = "sizes", **texts: Any) -> Table:
    """Two networks and their accuracy."""
    frame = pd.DataFrame({"network": ["MobileNet", "plain CNN"], "accuracy": [0.612, 0.587]})
    return Table(
        frame, **{"caption": "Two networks.", "formats": {"accuracy": ".1%"}} | texts, name=name
    )


def run(run_id: str, **more: Any) -> dict[str, Any]:
    """One run's entry in a provenance."""
    return {
        "run_id": run_id,
        "network": "mobilenet-4-8",
        "seed": 0,
        "epochs": 2,
        "params_trainable": 1234,
        "accuracy": {"PublicTest": 0.512, "PrivateTest": float("nan")},
        "device": "cpu",
        "dtype": "float32",
        **more,
    }


def provenance(notebook: str, *runs: dict[str, Any], synthetic: bool = True) -> Provenance:
    """Where the numbers of `notebook` come from."""
    data = {
        "source": "synthetic" if synthetic else "fer2013.csv",
        "synthetic": synthetic,
        "fingerprint": "abc123",
        "counts": {"Training": 1400, "PublicTest": 350},
    }
    more = {
        "versions": {"torch": "2.x"},
        "hardware": {"device": "cpu", "processors": "2 CPU cores"},
        "commit": "c0ffee" * 5,
    }
    return Provenance({"notebook": notebook, "data": data, "runs": list(runs), **more})


def output(shown: Chart | Figure | Table | Provenance) -> NotebookNode:
    """What a kernel would have stored for it."""
    data, metadata = shown._repr_mimebundle_()
    made: NotebookNode = new_output("display_data", data, metadata=metadata)  # type: ignore[no-untyped-call]
    return made


def text(source: str) -> NotebookNode:
    """A Markdown cell."""
    cell: NotebookNode = new_markdown_cell(source)  # type: ignore[no-untyped-call]
    return cell


def code(*shown: Chart | Figure | Table | Provenance, source: str = "show(it)") -> NotebookNode:
    """An executed code cell with one output for each of `shown`."""
    cell: NotebookNode = new_code_cell(source, outputs=[output(one) for one in shown])  # type: ignore[no-untyped-call]
    return cell


def notebook(*cells: NotebookNode) -> NotebookNode:
    """A notebook of these cells."""
    made: NotebookNode = new_notebook(cells=list(cells))  # type: ignore[no-untyped-call]
    return made


def three_chapters() -> dict[str, NotebookNode]:
    """Two questions that share a run, and a chapter without runs; by key."""
    first = notebook(
        text("# Does size matter?\n\n## Answer\n\nSee [](#fig-curve) and [](#tab-q2-sizes)."),
        code(figure(note="Synthetic data (SynthFER)"), source="print('folded')"),
        code(table(), provenance("q1_size", run("0123456789ab"), run("ffffffffffff"))),
    )
    second = notebook(
        text("# Does shape matter?\n\n## Answer\n\nSee [](#fig-square), [gone](#fig-absent)."),
        code(figure("square", caption="Another line.")),
        code(table(caption="Again two networks.")),
        code(provenance("q2_shape", run("ffffffffffff"), run("222222222222", seed=1))),
    )
    last = notebook(text("# Data and method\n\n## Answer\n\nDrawn faces."))
    return {"q1": first, "q2": second, "data": last}


def front(notebooks: dict[str, NotebookNode], **more: Any) -> Front:
    """The title page of these notebooks."""
    found = (provenance_of(notebook) for notebook in notebooks.values())
    sources = [source for source in found if source]
    return Front(request=Request("quick"), date=DATE, sources=sources, **more)
