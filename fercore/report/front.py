"""Title page: what the report is about, what it says, and what it rests on."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from typing import Any

from nbformat import NotebookNode

from fercore.data.faces import SPLITS
from fercore.display import PROVENANCE_MIME
from fercore.language import mark, paragraph, say
from fercore.report.parameters import Parameter
from fercore.report.paths import PATHS, name_of
from fercore.sentences.words import ANSWER

TITLE = mark("How few parameters does it take to read a facial expression?")
SUBTITLE = mark("And when does a MobileNet beat an ordinary CNN?")
DESCRIPTION = mark(
    "Parameters against accuracy of MobileNets and plain CNNs on 48×48 faces, by fercore."
)
SYNTHETIC = mark(
    "Every accuracy of this report's own runs was measured on procedurally drawn faces "
    "(SynthFER), not on photographs. Accuracy on real faces will differ: over fourteen networks, "
    "drawn faces rank them as FER2013 does with a Spearman correlation of 0.88 (0.57 to 0.97)."
)
"""The correlation is that of benchmarks/rank_correlation.py; docs/synthfer.md has the table."""
MAIN = "q4"
"""Key of the question that the report is about."""
PHOTOGRAPHS = "q6"
"""Key of the question that photographs answer, whatever the report's own data are."""
MAIN_FIGURE = f"fig-{MAIN}-size-against-accuracy"
"""Anchor of its figure."""

INTERVAL = mark("; ± is half the 95 % interval over seeds")
FACTS = mark(
    ("source", "synthetic", "fingerprint", "train_images", "device", "processors", "system")
)
"""What provenance says of data and machine; versions go by the name of their package."""

_SENTENCE = re.compile(r"[.?!](?=\s+[A-Z])|[。？！]|$")
"""Where a sentence ends."""


@dataclass(frozen=True)
class Request:
    """What was asked for: the preset, what changes it as it was typed, and which notebook."""

    preset: str
    overrides: Mapping[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """The command that asks for the same again."""
        words = [f"PRESET={self.preset}"] if self.preset != "quick" or not self.overrides else []
        words += [f"{name}={value}" for name, value in self.overrides.items()]
        if not self.only:
            return shlex.join(["make", "report", *words])
        names = [part for name in self.only for part in ("--only", name)]
        values = [part for pair in self.overrides.items() for part in ("--set", "=".join(pair))]
        return shlex.join(["fercore", "report", "--preset", self.preset, *names, *values])


@dataclass(frozen=True)
class Answer:
    """A question's answer in short, in its notebook's own words."""

    sentences: str
    """The first two of them, with their numbers and intervals; plain text."""
    measured: str
    """On what, as "PublicTest, mean of 2 seeds; ± is half the 95 % interval over seeds"."""
    note: str = ""
    """What is to be said of the data, in a sentence."""

    @property
    def rests_on(self) -> str:
        """Data and measurement, in two sentences."""
        return paragraph(self.note, say("{measured}.", measured=self.measured))


@dataclass(frozen=True)
class Front:
    """Title page and appendix of one report."""

    request: Request
    date: datetime
    title: str = field(default_factory=lambda: say(TITLE))
    subtitle: str = field(default_factory=lambda: say(SUBTITLE))
    sources: Sequence[Mapping[str, Any]] = ()
    """The notebooks' provenance (see `fercore.display.Provenance`), in order."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that the preset or the command line set, by name."""
    parameters: Mapping[str, Mapping[str, Parameter]] = field(default_factory=dict)
    """What each notebook declares, by its key."""
    answer: Answer | None = None
    """The main question's answer, for the title page."""
    photographs: Answer | None = None
    """What photographs say to it, where the report's own faces are drawn."""

    @property
    def description(self) -> str:
        """One sentence for the page's metadata."""
        return say(DESCRIPTION)

    @property
    def kicker(self) -> str:
        """The line above the title."""
        code, preset = version("fercore"), self.request.preset
        return say("fercore {version} · preset {preset}", version=code, preset=preset)

    @property
    def day(self) -> str:
        """The date, as "22 November 2026"."""
        return say("{date:%d} {date:%B} {date:%Y}", date=self.date)

    @property
    def synthetic(self) -> str:
        """The notice that the faces are drawn; empty for photographs."""
        drawn = any(source["data"].get("synthetic") for source in self.sources)
        return say(SYNTHETIC) if drawn else ""

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Title page: what, when, on which machine, from which code; unknown ones are left out."""
        facts = [(say("Data"), describe_data(data)) for data in self.data]
        time = f"{self.date:%H:%M %Z}"
        facts += [
            (say("Preset"), self.request.preset),
            (say("Parameters"), ", ".join(_setting(*pair) for pair in self.settings.items())),
            (say("Runs"), describe_runs(self.runs)),
            (say("Date"), say("{day}, {time}", day=self.day, time=time)),
            (say("Code"), " ".join(["fercore", version("fercore"), *self._commit_words])),
            *self._machines,
        ]
        return [(name, value) for name, value in facts if value]

    @property
    def data(self) -> list[Mapping[str, Any]]:
        """The data sets used; one, unless notebooks were given different ones."""
        found = {str(source["data"].get("fingerprint")): source["data"] for source in self.sources}
        return list(found.values())

    @property
    def runs(self) -> list[dict[str, Any]]:
        """Each run once, in order of first use, with the notebooks that use it.

        A run of this store and the record of the same run made elsewhere are two.
        """
        runs: dict[tuple[str, bool], dict[str, Any]] = {}
        for source in self.sources:
            for run in source["runs"]:
                which = run["run_id"], bool(run.get("elsewhere"))
                known = runs.setdefault(which, {**run, "used": []})
                known["used"].append(str(source["notebook"]).partition("_")[0])
        return list(runs.values())

    @property
    def commit(self) -> str:
        """The commit of the code that ran, as far as known."""
        return next((str(s["commit"]) for s in self.sources if s.get("commit")), "")

    def merged(self, key: str) -> dict[str, Any]:
        """What the notebooks state under `key`, empty values left out."""
        pairs = [pair for source in self.sources for pair in source.get(key, {}).items()]
        return {name: value for name, value in pairs if value not in (None, "")}

    @property
    def _machines(self) -> list[tuple[str, str]]:
        """Where the runs were made, and where they were put together if that was elsewhere."""
        here = self.merged("hardware")
        made_on = list(dict.fromkeys(str(run["device"]) for run in self.runs if run.get("device")))
        machine = "; ".join(str(value) for value in here.values())
        if made_on in ([], [here.get("device")]):
            return [(say("Hardware"), machine)]
        runs = (say("Hardware of the runs"), "; ".join(made_on))
        return [runs, (say("Report made on"), machine)]

    @property
    def _commit_words(self) -> list[str]:
        return [say("at commit"), self.commit[:12]] if self.commit else []


def provenance(notebook: NotebookNode) -> dict[str, Any] | None:
    """What the notebook's last `Provenance` output holds; None without one."""
    found = [
        output.data[PROVENANCE_MIME]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if PROVENANCE_MIME in output.get("data", {})
    ]
    return dict(found[-1]) if found else None


def answer(notebook: NotebookNode) -> Answer | None:
    """What the notebook's answer says first; None for a notebook that gives none."""
    opening = _opening()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            text = str(output.get("data", {}).get("text/markdown", ""))
            if found := opening.match(text):
                shown = _first_sentences(found["text"].replace("**", ""), 2)
                measured = found["about"] + (say(INTERVAL) if "±" in shown else "")
                return Answer(shown, measured, found["note"].strip())
    return None


def _opening() -> re.Pattern[str]:
    """How `fercore.sentences` writes an answer: what it was measured on, a note, a paragraph."""
    about, note = "about", "note"
    head = re.escape(say(ANSWER, about=about, note=note))
    head = head.replace(about, r"(?P<about>[^)）]+)").replace(note, r"(?P<note>[^\n]*)")
    return re.compile(rf"{head}\n+(?P<text>\S.*)")


def _first_sentences(text: str, count: int) -> str:
    ends = [found.end() for found in _SENTENCE.finditer(text)]
    return text[: ends[:count][-1]].strip()


def describe_data(data: Mapping[str, Any]) -> str:
    """Source, images per split (absent splits named) and fingerprint, in one line."""
    counts = data.get("counts") or {}
    splits = [
        f"{counts[split]:,} {split}" if counts.get(split) else say("no {split}", split=split)
        for split in dict.fromkeys((*SPLITS, *counts))
    ]
    parts = [name_of(data.get("source", "")), ", ".join(splits) if counts else ""]
    if data.get("fingerprint"):
        parts.append(say("fingerprint {fingerprint}", fingerprint=data["fingerprint"]))
    return " · ".join(part for part in parts if part)


def describe_runs(runs: Sequence[Mapping[str, Any]]) -> str:
    """As "12 runs of 6 networks, 1 failed"; empty without runs."""
    if not runs:
        return ""
    networks = {run.get("network") for run in runs}
    failed = sum(bool(run.get("failure")) for run in runs)
    text = say(
        "{runs} of {networks}",
        runs=count_runs(len(runs)),
        networks=say("1 network")
        if len(networks) == 1
        else say("{count} networks", count=len(networks)),
    )
    made = sum(bool(run.get("elsewhere")) for run in runs)
    text += say(", {count} of them measured elsewhere", count=made) if made else ""
    return text + (say(", {count} failed", count=failed) if failed else "")


def count_runs(count: int) -> str:
    """As "1 run" or "12 runs"."""
    return say("1 run") if count == 1 else say("{count} runs", count=count)


def shown(value: Any, name: str = "") -> str:
    """A fact's value, or that of the parameter of this name, for people."""
    if name in PATHS:
        return name_of(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or say("none")
    return str(value)


def _setting(name: str, value: Any) -> str:
    """As "SEEDS = 0, 1"."""
    return f"{name} = {shown(value, name) or say('none')}"
