"""Where a notebook's numbers come from, for readers and for the report's appendix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from fercore.display.common import MISSING, Bundle, DisplayError, jsonable
from fercore.display.numbers import text_of
from fercore.display.table import html_table, numeric
from fercore.language import say

PROVENANCE_MIME = "application/vnd.fercore.provenance+json"


@dataclass(frozen=True)
class Provenance:
    """Where a notebook's numbers come from: its data, runs, versions, hardware and parameters.

    Keys of `content` (all JSON; NaN becomes null; those not known may be left out):
    "notebook": its name; "data": {"source", "synthetic", "fingerprint", "counts": {split: n}};
    "runs": [{"run_id", "network", "family", "seed", "epochs", "params_trainable",
    "params_keras_total", "accuracy": {split: share}, "seconds", "device", "dtype", "commit",
    "failure": why there is no result, "elsewhere": whether it was made on another machine and came
    as a record}];
    "versions", "hardware" and "parameters": {name: value}; "commit": of the running code.
    """

    content: Mapping[str, Any]

    def __post_init__(self) -> None:
        absent = [key for key in ("notebook", "data", "runs") if key not in self.content]
        if absent:
            raise DisplayError(f"provenance lacks {', '.join(absent)}")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:
        content = jsonable(self.content)
        runs, data = content["runs"], content["data"]
        summary = (
            f"Provenance: {len(runs)} {'run' if len(runs) == 1 else 'runs'}, "
            f"data {data.get('source', MISSING)} ({data.get('fingerprint', MISSING)})"
        )
        html = (
            '<details class="fercore-provenance">'
            f"<summary>{escape(summary)}</summary>{_provenance_tables(content)}</details>"
        )
        bundle = {PROVENANCE_MIME: content, "text/html": html, "text/plain": summary}
        return bundle, {"fercore": {"kind": "provenance", "name": str(content["notebook"])}}


def _provenance_tables(content: Mapping[str, Any]) -> str:
    pairs = {
        **{f"data: {key}": value for key, value in content["data"].items()},
        **{f"version: {key}": value for key, value in content.get("versions", {}).items()},
        **{f"hardware: {key}": value for key, value in content.get("hardware", {}).items()},
    }
    facts = pd.DataFrame({"what": list(pairs), "value": [str(value) for value in pairs.values()]})
    runs = run_table(content["runs"])
    shown = html_table(runs, numeric(runs, runs)) if len(runs) else "<p>No runs.</p>"
    return html_table(facts, [False, False]) + shown


def run_table(runs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Runs as a table of texts: one row per run, one column per split's accuracy (percent).

    Where a run's recipe differs from that of the others, a column says in what.
    """
    splits = list(dict.fromkeys(split for run in runs for split in run.get("accuracy") or {}))
    table = pd.DataFrame([_run_row(run, splits) for run in runs], dtype=object)
    differing = [run.get("departures", "") for run in runs]
    return table.assign(**{"differs in": differing}) if any(differing) else table


def _run_row(run: Mapping[str, Any], splits: Sequence[str]) -> dict[str, str]:
    accuracy = run.get("accuracy") or {}
    plain = {
        "run": "run_id",
        "network": "network",
        "seed": "seed",
        "epochs": "epochs",
        "trainable": "params_trainable",
        "Keras total": "params_keras_total",
    }
    texts = {column: text_of(run.get(key), None) for column, key in plain.items()}
    for split in splits:
        texts[f"{split} %"] = (
            say("failed")
            if run.get("failure")
            else text_of(accuracy.get(split), ".1%").removesuffix("%")
        )
    formats = {"bfloat16": "bf16", "float32": "fp32"}
    dtype = run.get("dtype")
    parts = (run.get("device"), formats.get(str(dtype), dtype))
    texts["device"] = " ".join(str(part) for part in parts if part is not None)
    star = "*" if run.get("elsewhere") else ""
    texts["commit"] = str(run.get("commit") or MISSING)[:9] + star
    return texts
