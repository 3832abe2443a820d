"""Faces that are no faces and networks that are hardly any: training in a second."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercore.data.faces import Faces
from fercore.progress import Progress
from fercore.spec import AugmentSpec, DataSpec, ModelSpec, RunSpec, TrainSpec

TINY = ModelSpec(name="mobilenet", widths=(4, 8, 8, 16), depth=1)
STILL = AugmentSpec(flip=False, shift=0, rotation=0, zoom=0)


def bars(train: int = 140, public: int = 35, seed: int = 0) -> Faces:
    """Noise with a bright bar whose height in the image is the label: easily learned."""
    n = train + public
    labels = np.arange(n, dtype=np.int64) % 7
    images: NDArray[Any] = np.random.default_rng(seed).integers(0, 80, (n, 48, 48))
    for image, label in zip(images, labels, strict=True):
        image[6 * label + 2 : 6 * label + 8] += 150
    splits = np.array(["Training"] * train + ["PublicTest"] * public)
    return Faces(images.astype(np.uint8), labels, splits, "bars")


def spec(seed: int = 0, data: DataSpec | None = None, **train: Any) -> RunSpec:
    """A run of a second or less; `train` overrides the recipe."""
    recipe = {"epochs": 2, "batch": 20, "augment": STILL, **train}
    return RunSpec(data=data or DataSpec(), model=TINY, train=TrainSpec(**recipe), seed=seed)


class Spy(Progress):
    """Counts what happens; may stop it by raising KeyboardInterrupt."""

    def __init__(self, stop_after_epochs: int = 0, stop_after_steps: int = 0) -> None:
        self.titles: list[str] = []
        self.outcomes: list[str] = []
        self.notes: list[str] = []
        self.epochs = self.steps = self.done = self.closed = self.most_at_once = 0
        self.total: tuple[int, int] | None = None
        self._epochs, self._steps = stop_after_epochs, stop_after_steps

    def study(self, total: int, done: int = 0) -> None:
        """Note the study's size."""
        self.total = total, done

    def run(self, title: str, epochs: int, steps: int, done: int = 0) -> None:
        """Note the run."""
        self.titles.append(title)
        self.done = done

    def step(self) -> None:
        """Count, and stop where asked."""
        self.steps += 1
        if self.steps == self._steps:
            raise KeyboardInterrupt

    def epoch(self, loss: float, accuracy: float) -> None:
        """Count, and stop where asked."""
        self.epochs += 1
        if self.epochs == self._epochs:
            raise KeyboardInterrupt

    def end(self, outcome: str) -> None:
        """Note the outcome."""
        self.outcomes.append(outcome)

    def elsewhere(self, running: Mapping[str, float]) -> None:
        """Note how many there are."""
        self.most_at_once = max(self.most_at_once, len(running))

    def ended(self, title: str, outcome: str, seconds: float) -> None:
        """Note the outcome."""
        self.outcomes.append(outcome)

    def note(self, text: str) -> None:
        """Keep it."""
        self.notes.append(text)

    def close(self) -> None:
        """Count."""
        self.closed += 1
