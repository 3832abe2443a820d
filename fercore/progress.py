"""How far a study is: bars for people, lines for log files.

FERCORE_PROGRESS chooses: "auto" (default: bars in a terminal or in Jupyter, else lines), "bars"
(bars of plain text wherever stderr goes), "lines", "off". All of it goes to stderr.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import tqdm.auto
import tqdm.std

CHOICE = "FERCORE_PROGRESS"
PAUSE = 10.0
"""Seconds between two lines of one run, at least."""
SHOWN = 3
"""Runs named beside the bar of a study that makes several at once."""


class ProgressError(ValueError):
    """FERCORE_PROGRESS asks for a kind that there is not."""


class Progress:
    """Told what happens; says nothing. The other kinds say it."""

    def study(self, total: int, done: int = 0) -> None:
        """A study of `total` runs begins; `done` of them are read from the store."""

    def wait(self) -> None:
        """Another process is making the run. Called each second until it has."""

    def run(self, title: str, epochs: int, steps: int, done: int = 0) -> None:
        """A run begins (or goes on after `done` batches) with `steps` batches in each epoch."""

    def step(self) -> None:
        """A batch is done. Called in the inner loop."""

    def epoch(self, loss: float, accuracy: float) -> None:
        """An epoch is done: validation loss in nats, accuracy as a fraction."""

    def end(self, outcome: str) -> None:
        """A run ended, with its outcome in a few words."""

    def elsewhere(self, running: Mapping[str, float]) -> None:
        """What share of each run in other processes is done, by title."""

    def ended(self, title: str, outcome: str, seconds: float) -> None:
        """A run in another process ended."""

    def note(self, text: str) -> None:
        """Something else worth a line."""

    def close(self) -> None:
        """The study ended, by itself or not."""


class Bars(Progress):
    """Three nested bars, for study, run and epoch."""

    def __init__(self, tqdm: Callable[..., Any]) -> None:
        self._tqdm = tqdm
        self._bars: list[Any] = []
        self._study: Any = None

    def study(self, total: int, done: int = 0) -> None:
        """Show the outermost bar."""
        self._study = self._bar(total, done, "study", "run", leave=True)

    def run(self, title: str, epochs: int, steps: int, done: int = 0) -> None:
        """Show the bars of a run and of its epochs."""
        finished, batches = divmod(done, steps)
        self._bars = [
            self._bar(epochs, finished, title, "epoch"),
            self._bar(steps, batches, f"epoch {min(finished + 1, epochs)}", "batch"),
        ]

    def step(self) -> None:
        """Move the innermost bar."""
        self._bars[1].update()

    def epoch(self, loss: float, accuracy: float) -> None:
        """Move the run's bar and start the epoch's anew."""
        run, batches = self._bars
        run.set_postfix_str(f"loss {loss:.2f}, valid {accuracy:.1%}", refresh=False)
        run.update()
        batches.set_description(f"epoch {min(run.n + 1, run.total)}", refresh=False)
        batches.initial = 0  # else an epoch that went on from its middle slows down all others
        batches.reset()

    def end(self, outcome: str) -> None:
        """Take the run's bars away and move the study's."""
        self._clear()
        if self._study is not None:
            self._study.set_postfix_str(outcome, refresh=False)
            self._study.update()

    def elsewhere(self, running: Mapping[str, float]) -> None:
        """Name the runs beside the study's bar."""
        if self._study is not None:
            self._study.set_postfix_str(_listing(running), refresh=False)
            self._study.update(0)

    def ended(self, title: str, outcome: str, seconds: float) -> None:
        """Move the study's bar."""
        if self._study is not None:
            self._study.update()

    def note(self, text: str) -> None:
        """Write it above the bars."""
        tqdm.std.tqdm.write(text, file=sys.stderr)

    def close(self) -> None:
        """Leave the study's bar where it is."""
        self._clear()
        if self._study is not None:
            self._study.close()
            self._study = None

    def _bar(self, total: int, done: int, name: str, unit: str, leave: bool = False) -> Any:
        return self._tqdm(
            total=total, initial=done, desc=name, unit=unit, leave=leave, dynamic_ncols=True
        )

    def _clear(self) -> None:
        for bar in reversed(self._bars):
            bar.close()
        self._bars = []


class Lines(Progress):
    """A line at the end of each run, and now and then within it."""

    def __init__(self) -> None:
        self._place, self._runs = 0, 0
        self._title = ""
        self._latest = ""
        self._spoke = -math.inf

    def study(self, total: int, done: int = 0) -> None:
        """Say how much there is to do."""
        self._place, self._runs = done, total
        if done:
            self._say(f"{done} of {total} runs are there already")

    def run(self, title: str, epochs: int, steps: int, done: int = 0) -> None:
        """Note when the run began; no line yet."""
        self._place += 1
        self._title = f"[{self._place}/{self._runs}] {title}" if self._runs else title
        self._epochs, self._steps = epochs, steps
        self._first = self._batches = done
        self._began = self._spoke = time.monotonic()
        self._latest = ""

    def step(self) -> None:
        """Say something if the last line is long ago."""
        self._batches += 1
        now = time.monotonic()
        if now - self._spoke < PAUSE:
            return
        self._spoke = now
        epoch = (self._batches - 1) // self._steps + 1
        each = (now - self._began) / (self._batches - self._first)
        left = duration(each * (self._epochs * self._steps - self._batches))
        self._say(f"{self._title}  epoch {epoch}/{self._epochs}{self._latest}  {left} left")

    def epoch(self, loss: float, accuracy: float) -> None:
        """Keep the figures for the next line."""
        self._latest = f"  loss {loss:.2f}  valid {100 * accuracy:.1f} %"

    def end(self, outcome: str) -> None:
        """Say how it ended."""
        self._say(f"{self._title}  {outcome}  {duration(time.monotonic() - self._began)}")

    def elsewhere(self, running: Mapping[str, float]) -> None:
        """Say something if the last line is long ago."""
        if running and time.monotonic() - self._spoke >= PAUSE:
            self._spoke = time.monotonic()
            self._say(f"[{self._place}/{self._runs}] {_listing(running)}")

    def ended(self, title: str, outcome: str, seconds: float) -> None:
        """Say how it ended."""
        self._place += 1
        self._say(f"[{self._place}/{self._runs}] {title}  {outcome}  {duration(seconds)}")

    def note(self, text: str) -> None:
        """Say it."""
        self._say(text)

    def _say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """For people: 42s, 1m10s, 2h05m."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}m{rest:02d}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"


def _listing(running: Mapping[str, float]) -> str:
    """The first few of them: "cnn-25k seed 0 35 %, cnn-10k seed 1 4 %, 6 more"."""
    named = [f"{title} {share:.0%}" for title, share in list(running.items())[:SHOWN]]
    more = len(running) - len(named)
    return ", ".join(named + ([f"{more} more"] if more else []))


def choose(kind: str | None = None) -> Progress:
    """What `kind`, else FERCORE_PROGRESS, asks for. Raises `ProgressError` for any other word."""
    kinds: dict[str, Callable[[], Progress]] = {
        "auto": lambda: Bars(tqdm.auto.tqdm) if _watched() else Lines(),
        "bars": lambda: Bars(tqdm.std.tqdm),
        "lines": Lines,
        "off": Progress,
    }
    kind = kind or os.environ.get(CHOICE) or "auto"
    if kind not in kinds:
        raise ProgressError(f"{CHOICE}: expected one of {', '.join(kinds)}, found {kind!r}")
    return kinds[kind]()


def _watched() -> bool:
    """Is stderr a terminal, or the output of a cell in Jupyter?"""
    return sys.stderr.isatty() or type(sys.stderr).__module__.startswith("ipykernel")
