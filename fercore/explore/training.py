"""A run in a thread of its own, which can be watched and stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from weakref import WeakSet

import altair as alt

from fercore.data import Faces
from fercore.display import Chart
from fercore.interactive import LINES
from fercore.progress import Progress
from fercore.spec import RunSpec
from fercore.store.record import RunRecord
from fercore.store.runs import RunStore
from fercore.training import train

WAITING = "another process trains this very run; waiting for it"
PAUSE = 0.25
"""Seconds between two reports within an epoch, at least."""

_STARTED: WeakSet[Training] = WeakSet()


class Stopped(Exception):  # noqa: N818 - no error
    """Somebody pressed stop."""


class Live(Progress):
    """What is known of a run under way. `changed` is called from the run's thread.

    done, total: batches, those of earlier sittings counted. history: of this sitting, by epoch:
    its number, validation loss in nats, accuracy as a fraction.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self.title, self.waiting = "", False
        self.done = self.total = self.epochs = self.resumed = 0
        self.history: list[tuple[int, float, float]] = []
        self._stop = threading.Event()
        self._changed, self._spoke = changed, 0.0

    def stop(self) -> None:
        """End the run after the batch it is at."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        """Was it asked to stop?"""
        return self._stop.is_set()

    def wait(self) -> None:
        """Say so. Raises `Stopped` if that was asked for."""
        self.waiting = True
        self._check()
        self._changed()

    def run(self, title: str, epochs: int, steps: int, done: int = 0) -> None:
        """Note what begins."""
        self.title, self.epochs, self.resumed = title, epochs, done // steps
        self.done, self.total = done, epochs * steps
        self._changed()

    def step(self) -> None:
        """Count the batch. Raises `Stopped` if that was asked for."""
        self._check()
        self.done += 1
        if time.monotonic() - self._spoke > PAUSE:
            self._spoke = time.monotonic()
            self._changed()

    def epoch(self, loss: float, accuracy: float) -> None:
        """Note the figures."""
        self.history.append((self.finished + 1, loss, accuracy))
        self._changed()

    def _check(self) -> None:
        if self.stopping:
            raise Stopped

    @property
    def finished(self) -> int:
        """Epochs that were finished, earlier sittings included."""
        return self.resumed + len(self.history)

    def status(self) -> str:
        """How far it is, for people."""
        if not self.total:
            return WAITING if self.waiting else "preparing"
        if not self.history:
            begun = f" goes on after epoch {self.resumed}" if self.resumed else " begins"
            return f"{self.title}{begun}"
        number, loss, accuracy = self.history[-1]
        figures = f"validation loss {loss:.2f}, accuracy {accuracy:.1%}"
        return f"{self.title}: epoch {number} of {self.epochs}, {figures}"

    def chart(self) -> Chart:
        """Validation loss and accuracy by epoch."""
        names = ("epoch", "loss", "accuracy")
        values = [dict(zip(names, (n, x, 100 * a), strict=True)) for n, x, a in self.history]
        x = alt.X("epoch:Q", axis=alt.Axis(tickMinStep=1), scale=alt.Scale(domain=[1, self.epochs]))
        line = alt.Chart(alt.InlineData(values=values), width=300, height=180).mark_line(point=True)
        titles = {"loss": "validation loss (nats)", "accuracy": "validation accuracy (%)"}
        tips = [f"{name}:Q" for name in names]
        panels = [
            line.encode(x=x, y=alt.Y(f"{name}:Q", title=title).scale(zero=False), tooltip=tips)
            for name, title in titles.items()
        ]
        status = self.status()
        drawn = alt.hconcat(*panels).configure(background="transparent")
        drawn = drawn.configure_axis(gridOpacity=0.15, **LINES).configure_view(stroke=None)
        return Chart(drawn.to_dict(), name="live", caption=status, alt=status)


class Training:
    """One run in a thread. `ended` is called from it, whatever happens."""

    def __init__(
        self,
        spec: RunSpec,
        faces: Faces,
        store: RunStore,
        live: Live,
        ended: Callable[[], None],
        *,
        device: str = "auto",
        threads: int | None = None,
    ) -> None:
        self.spec, self.faces, self.store, self.live = spec, faces, store, live
        self.record: RunRecord | None = None
        self.error = ""
        self._ended, self._device, self._threads = ended, device, threads
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._make, name="fercore training", daemon=True)

    def start(self) -> None:
        """Begin, or go on where an earlier sitting was stopped."""
        _STARTED.add(self)
        self._thread.start()

    def stop(self) -> None:
        """End it after the batch it is at; what its epochs learned is kept."""
        self.live.stop()

    def join(self, seconds: float | None = None) -> bool:
        """Wait for its end; False if it lasts longer."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def running(self) -> bool:
        """Is it under way?"""
        return self._thread.is_alive() and not self._over.is_set()

    def _make(self) -> None:
        try:
            self.record = train.run(
                self.spec,
                self.faces,
                self.store,
                device=self._device,
                threads=self._threads,
                progress=self.live,
            )
        except Stopped:
            pass
        except Exception as error:  # a thread's exception would be seen by nobody
            self.error = f"{type(error).__name__}: {error}"
        finally:
            self._over.set()
            self._ended()


def stop_all() -> None:
    """Stop all runs in threads of this process: none goes on behind a desk that nobody sees."""
    for training in list(_STARTED):
        training.stop()
