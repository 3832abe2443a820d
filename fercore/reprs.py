"""How things show themselves in a notebook: small pieces of HTML from plain values, all escaped."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from fercore import models
from fercore.analysis import MEASURED
from fercore.display import Table, html_table
from fercore.spec import ModelSpec


def facts(title: str, pairs: Mapping[str, object]) -> str:
    """A title and a table of names and values."""
    texts = pd.DataFrame({"what": list(pairs), "value": [str(value) for value in pairs.values()]})
    return f"<p><strong>{escape(title)}</strong></p>{html_table(texts, [False, False])}"


def costs(spec: ModelSpec) -> dict[str, str]:
    """What a network costs, for people. Raises `ModelError` for one that there is not."""
    found = models.cost(spec)
    return {
        "trainable parameters": f"{found.trainable:,}",
        "Keras total parameters": f"{found.keras_total:,}",
        "multiply-adds per image (MACs)": f"{found.macs:,}",
        "weights in float32": f"{models.weight_bytes(spec)['fp32'] / 1000:,.0f} kB",
    }


def line(spec: ModelSpec) -> str:
    """A network's label, costs and settings in one line; empty for one that there is not."""
    try:
        cost, label = models.cost(spec), models.label(spec)
    except models.ModelError:
        return ""
    own = spec.model_dump(exclude={"name"}, exclude_defaults=True)
    texts = [f"{cost.trainable:,} parameters", f"{cost.macs:,} MACs"]
    texts += [f"{name} {value}" for name, value in own.items()]
    return f"ModelSpec({label}: {', '.join(texts)})"


def layers(spec: ModelSpec) -> str:
    """A network's layers from input to output, and where its parameters and multiply-adds are.

    The bars behind the numbers are each layer's share of the network.
    """
    table = pd.DataFrame(models.describe(spec))
    amounts = table[["trainable", "macs"]].set_axis(["parameters", "MACs"], axis="columns")
    texts = table[["layer", "output"]].join(amounts.map("{:,}".format))
    shares = {str(name): column.to_list() for name, column in (amounts / amounts.sum()).items()}
    return html_table(texts, [False, True, True, True], shares)


def network(spec: ModelSpec) -> str:
    """A network's costs and layers; of one that there is not, what is wrong with it."""
    try:
        return facts(models.label(spec), costs(spec)) + layers(spec)
    except models.ModelError as error:
        return f"<p><strong>{escape(spec.name)}</strong>: {escape(str(error))}</p>"


def runs(table: pd.DataFrame, caption: str, name: str = "runs") -> Table:
    """What a runs table (`fercore.analysis`) is about, one row per run, in percent.

    Its column ``departures``, in what a recipe differs, is shown where there is one and a run has
    any.
    """
    kept = ["params_trainable", "params_keras_total", "macs", "status", "departures"]
    table = table.reindex(columns=["run_id", "network", "seed", "epochs", *MEASURED, *kept])
    percent = {split: 100 * table[split] for split in MEASURED}
    shown = table.assign(**percent, macs=table["macs"] / 1e6)
    empty = [split for split in MEASURED if table[split].isna().all()]
    shown = shown.drop(columns=[*empty, *(() if table["departures"].any() else ("departures",))])
    named = {"run_id": "run", "params_trainable": "trainable", "params_keras_total": "Keras total"}
    named |= {"macs": "MMACs", "departures": "differs in", **{s: f"{s} %" for s in MEASURED}}
    formats = {f"{split} %": ".1f" for split in MEASURED if split in shown} | {"MMACs": ".2f"}
    shown = shown.rename(columns=named).reset_index(drop=True)
    return Table(shown, name=name, caption=caption, formats=formats)


def study(source: str, recipe: Mapping[str, object], table: pd.DataFrame) -> str:
    """A study: its data, its recipe, and a runs table of what it has trained or read so far."""
    html = facts(f"Study on {source}", recipe)
    if not len(table):
        return f"{html}<p>No runs so far.</p>"
    shown: str = runs(table, f"Runs so far: {len(table)}.")._repr_mimebundle_()[0]["text/html"]
    return html + shown


def tiles(images: Iterable[NDArray[np.uint8]], texts: Sequence[str], scale: int = 2) -> str:
    """Grey images (height, width) side by side, each with a text below it and for who sees none.

    scale: CSS pixels per image pixel.
    """
    shown = "".join(
        '<figure style="display: inline-block; margin: 4px; vertical-align: top; '
        f'width: {image.shape[1] * scale}px; text-align: center">'
        f'<img src="{_png(image)}" alt="{escape(text)}" width="{image.shape[1] * scale}" '
        'style="image-rendering: pixelated">'
        f"<figcaption>{escape(text)}</figcaption></figure>"
        for image, text in zip(images, texts, strict=True)
    )
    return f"<div>{shown}</div>"


def _png(image: NDArray[np.uint8]) -> str:
    file = io.BytesIO()
    Image.fromarray(image).save(file, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
