"""Choose data and network, see what it costs and who is near, train it, watch it, stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from fercore import models, reprs
from fercore.data import Faces
from fercore.explore.choices import KINDS, Choice, channels, nearest
from fercore.explore.diagram import diagram
from fercore.explore.panel import WIDE, Panel, drawn, dropdown, html, number, region, row
from fercore.explore.training import Live, Training
from fercore.figures import short
from fercore.setting import Setting
from fercore.spec import RunSpec
from fercore.store.identity import identity
from fercore.store.record import RunRecord

if TYPE_CHECKING:
    from fercore.explore.desk import Desk

ROUND = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)
BUDGETS = [
    size * power
    for power in (1_000, 10_000, 100_000)
    for size in ROUND
    if size * power <= 3_000_000
]
"""Trainable parameters, as evenly on a logarithmic scale as round numbers are."""


class Networks(Panel):
    """One run: its choice, its costs, its neighbours, its training."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.training: Training | None = None
        self._drawn = 0
        self._make(desk.setting)
        family = [self.kind, self.budget, self.depth]
        self.on_change(family, self.fill)
        self.on_change([self.source, self.images, self.channels, self.epochs, self.seed], self.show)
        self.on_click(self.train, self.begin)
        self.on_click(self.stop, self.halt)
        self.box.children = (
            row(self.source, self.images),
            row(*family, self.channels),
            row(self.epochs, self.seed, self.train, self.stop, self.bar),
            self.message,
            self.curve,
            row(self.costs, self.diagram),
            self.known,
            self.layers,
        )
        self.attempt(self.fill)

    def _make(self, setting: Setting) -> None:
        """The controls, at first as the setting says, and what they fill."""
        self.source = widgets.Text(
            setting.DATA, description="data", continuous_update=False, style=WIDE
        )
        self.images = number("Training images (0: all)", setting.TRAIN_IMAGES or 0, 0, 10_000_000)
        self.images.layout.width = "18em"
        self.kind = dropdown("network", KINDS.items())
        self.budget = dropdown("parameters", [(short(n), n) for n in BUDGETS], value=30_000)
        self.channels = widgets.Text(
            description="channels", continuous_update=False, style=WIDE, layout={"width": "16em"}
        )
        self.depth = number("blocks per stage", setting.DEPTH, 1, 20)
        self.epochs = number("epochs", setting.EPOCHS or 10, 1, 100_000)
        self.seed = number("seed", 0, 0, 2**32 - 1)
        self.train = widgets.Button(description="Train", button_style="primary", disabled=True)
        self.stop = widgets.Button(description="Stop", disabled=True)
        self.bar = widgets.IntProgress(0, 0, 1, description="batches", layout={"width": "30em"})
        self.costs, self.known, self.layers = (widgets.HTML() for _ in range(3))
        self.diagram = widgets.HTML(layout={"max_width": "100%"})
        self.curve = widgets.Output()

    @property
    def choice(self) -> Choice:
        """What the controls say."""
        return Choice(
            self.source.value.strip(),
            self.images.value,
            self.kind.value,
            self.channels.value,
            self.depth.value,
            self.epochs.value,
            self.seed.value,
        )

    def fill(self) -> None:
        """Channels by the budget; a network of the reports has neither."""
        family = self.kind.value in models.FAMILIES
        for control in (self.budget, self.channels, self.depth):
            control.disabled = not family
        if family:
            with self.quiet():
                self.channels.value = channels(self.kind.value, self.budget.value, self.depth.value)
        self.show()

    def show(self) -> None:
        """Costs, drawing, layers and neighbours of the chosen network."""
        try:
            spec, faces = self._read()
        except ValueError:
            self.train.disabled = True
            raise
        self.known.value = self._neighbours(spec, faces)
        self.train.disabled = self._busy
        if not self._busy:
            self.say(self._outlook(spec, faces))

    def _read(self) -> tuple[RunSpec, Faces]:
        spec = self.choice.specification(self.desk.setting)
        self.costs.value = reprs.facts(models.label(spec.model), reprs.costs(spec.model))
        self.diagram.value = region("diagram", diagram(spec.model))
        self.layers.value = reprs.layers(spec.model)
        if not self.desk.knows(spec.data.source):
            self.say(f"reading {spec.data.source} ...")
        return spec, self.desk.use(spec.data.source)

    def refresh(self, latest: RunRecord | None = None) -> None:
        """There may be other neighbours."""
        self.attempt(self.show)

    @property
    def _busy(self) -> bool:
        return self.training is not None and self.training.running

    def _neighbours(self, spec: RunSpec, faces: Faces) -> str:
        found = nearest(self.desk.records.values(), spec, faces.fingerprint)
        if not len(found):
            return "<p>No finished run on these faces is in the store.</p>"
        caption = (
            "The finished runs on these faces that are nearest in parameters. Differs in: from the "
            "recipe of this study."
        )
        return html(reprs.runs(found, caption, name="nearest"))

    def _outlook(self, spec: RunSpec, faces: Faces) -> str:
        if found := self.desk.records.get(identity(spec, faces)):
            return f"This very run is in the store, {found.run_id}: {found.outcome}"
        return "This run is not in the store yet."

    def begin(self) -> None:
        """Train the chosen run, or go on with it."""
        if self._busy:  # a second click, made before the button was seen to be off
            return
        spec = self.choice.specification(self.desk.setting)
        faces, setting = self.desk.use(spec.data.source), self.desk.setting
        self.train.disabled, self.stop.disabled = True, False
        self.curve.outputs, self._drawn = (), 0
        self.training = Training(
            spec,
            faces,
            self.desk.store,
            Live(self._watch),
            lambda: self.attempt(self._end),
            device=setting.DEVICE,
            threads=setting.THREADS,
        )
        self.say("preparing ...")
        self.training.start()

    def halt(self) -> None:
        """Stop the run; what its finished epochs learned is kept."""
        if self.training:
            self.training.stop()
            self.say("stopping ...")

    def _watch(self) -> None:
        assert self.training
        live = self.training.live
        self.bar.max, self.bar.value = max(1, live.total), live.done
        if not live.stopping:
            self.say(live.status())
        if len(live.history) > self._drawn:
            self._drawn = len(live.history)
            drawn(self.curve, live.chart())

    def _end(self) -> None:
        assert self.training
        training = self.training
        self.stop.disabled = True
        self.desk.refresh(training.record)
        if training.record:
            self.say(f"finished, {training.record.run_id}: {training.record.outcome}")
        elif training.error:
            self.say(training.error, "alert")
        else:
            self.say(f"stopped; Train goes on after epoch {training.live.finished}")
