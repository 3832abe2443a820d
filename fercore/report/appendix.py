"""The appendix: every run, the data, the parameters and the machine, as tables in HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from fercore.display import MISSING, Table, html_table, run_table
from fercore.language import mark, paragraph, say
from fercore.report.front import Front, shown
from fercore.report.parameters import Parameter
from fercore.report.paths import name_of

SHARED = ("epochs", "device", "commit")
"""Columns of the table of runs that are said once, above it, where all runs have the same."""

VARIANT = re.compile(r"-(dense|depth|early|norm|residual)")
NAMES = mark(
    "In a network's name, dense: with a dense head; depth1, depth4: so many blocks per stage; "
    "early: the image is halved before the blocks; norm-after: BatchNorm after the activation; "
    "residual: with residual connections."
)
"""What stands in names of question 5's networks; see `fercore.models.catalogue`."""


def appendix(front: Front) -> dict[str, str]:
    """Values for the appendix' template; all but commit and command are HTML."""
    return {
        "runs": _run_html(front.runs) if front.runs else f"<p>{say('No runs.')}</p>",
        "data": "".join(_pairs(_data_rows(data)) for data in front.data) or _none(),
        "parameters": _parameter_html(front.parameters, front.settings),
        "machine": _pairs(front.merged("hardware") | front.merged("versions")),
        "commit": front.commit,
        "command": front.request.command,
    }


def _none() -> str:
    return f"<p>{say('None.')}</p>"


def _data_rows(data: Mapping[str, Any]) -> dict[str, Any]:
    counts = {
        say("{split} images", split=name): f"{count:,}"
        for name, count in (data.get("counts") or {}).items()
    }
    rest = {key: value for key, value in data.items() if key not in ("counts", "source")}
    return {"source": name_of(data.get("source", "")), **counts, **rest}


def _pairs(rows: Mapping[str, Any]) -> str:
    texts = {
        say(key): {True: say("yes"), False: say("no")}.get(v, v) if isinstance(v, bool) else v
        for key, v in rows.items()
    }
    frame = pd.DataFrame({"what": list(texts), "value": [shown(value) for value in texts.values()]})
    return html_table(frame, [False, False])


def _parameter_html(
    parameters: Mapping[str, Mapping[str, Parameter]], settings: Mapping[str, Any]
) -> str:
    rows: dict[str, dict[str, str]] = {}
    for key, declared in parameters.items():
        for name, parameter in declared.items():
            value = settings.get(name, parameter.default)
            row = rows.setdefault(
                f"{name} {value!r}",
                {
                    "name": name,
                    "value": shown(value, name),
                    "set by": say("preset or command") if name in settings else say("notebook"),
                    "meaning": say(parameter.comment),
                    "notebooks": "",
                },
            )
            row["notebooks"] = f"{row['notebooks']} {key}".strip()
    frame = pd.DataFrame(list(rows.values()))
    return html_table(frame, [False] * frame.shape[1]) if len(frame) else _none()


def _all(runs: Sequence[Mapping[str, Any]]) -> str:
    elsewhere = mark("All runs. *: made elsewhere, and read from records that came with fercore.")
    return elsewhere if any(run.get("elsewhere") for run in runs) else mark("All runs.")


def _once(same: Mapping[str, str]) -> str:
    """What is the same for all runs, in a sentence."""
    facts = [f"{say(name)} {value}" for name, value in same.items() if value not in ("", MISSING)]
    listed = say(", ").join(facts)
    return say("The same for all of them: {facts}.", facts=listed) if facts else ""


def _keyed(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Devices as D1, D2, ..., so that a row stays on one line, and a sentence that names them."""
    if "device" not in frame:
        return frame, ""
    named = [name for name in frame["device"].unique() if name]
    keys = {name: f"D{number}" for number, name in enumerate(named, start=1)}
    listed = say("; ").join(f"{key} {name}" for name, key in keys.items())
    short = frame.assign(device=frame["device"].map({"": "", **keys}))
    return short, say("Devices: {devices}.", devices=listed)


def _run_html(runs: Sequence[Mapping[str, Any]]) -> str:
    frame = run_table(runs).assign(used=[",\N{NO-BREAK SPACE}".join(run["used"]) for run in runs])
    same = {name: frame[name][0] for name in SHARED if set(frame[name]) == {frame[name][0]}}
    rest, key = _keyed(frame.drop(columns=[*same]))
    differing = say("Differs in: where the recipe of a run departs from its question's.")
    changed = any(VARIANT.search(name) for name in frame["network"])
    caption = paragraph(
        say(_all(runs)),
        _once(same),
        key,
        differing if "differs in" in rest else "",
        say(NAMES) if changed else "",
    )
    bundle, _ = Table(rest, caption=caption, name="runs")._repr_mimebundle_()
    html = str(bundle["text/html"])
    for run in runs:
        cell = f">{run['run_id']}</th>"
        # The first of two rows of one run is the one that links lead to.
        if f'id="run-{run["run_id"]}"' not in html:
            html = html.replace(cell, f' id="run-{run["run_id"]}"{cell}', 1)
    return html
