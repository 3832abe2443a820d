"""The appendix: every run, the data, the parameters and the machine, as tables in HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from fercore.display import Table, html_table, run_table
from fercore.language import mark, say
from fercore.report.front import Front, shown
from fercore.report.parameters import Parameter
from fercore.report.paths import name_of


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


def _run_html(runs: Sequence[Mapping[str, Any]]) -> str:
    frame = run_table(runs).assign(used=[", ".join(run["used"]) for run in runs])
    bundle, _ = Table(frame, caption=say(_all(runs)), name="runs")._repr_mimebundle_()
    html = str(bundle["text/html"])
    for run in runs:
        cell = f">{run['run_id']}</th>"
        # The first of two rows of one run is the one that links lead to.
        if f'id="run-{run["run_id"]}"' not in html:
            html = html.replace(cell, f' id="run-{run["run_id"]}"{cell}', 1)
    return html
