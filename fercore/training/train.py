"""From a specification to a finished run in the store: train, measure once, write."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fercore import models, provenance
from fercore.data.faces import Faces
from fercore.data.split import Split, divide, groups
from fercore.progress import Progress, choose
from fercore.spec import RunSpec
from fercore.store.identity import identity
from fercore.store.record import SEEN, DataRecord, RunRecord, Score
from fercore.store.runs import Predictions, RunStore, pack
from fercore.training import checkpoint, teachers
from fercore.training import device as devices
from fercore.training.evaluate import DivergenceError, probabilities, score, scores
from fercore.training.fit import Examples, Fit


def run(
    spec: RunSpec,
    faces: Faces,
    store: RunStore,
    *,
    device: str = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
) -> RunRecord:
    """Read the run from the store, or make it.

    faces: what spec.data.source names. device: auto, cpu, cuda, cuda:1 or mps. threads: of torch
    on the CPU; None leaves their number as it is. The same specification on the same machine with
    as many threads gives the same bytes of weights. A run whose loss stops being finite is kept
    as "diverged". An interrupted run, asked for again, goes on after its last finished epoch, or
    where it was saved within a long one (`checkpoint.MINUTES`).

    Raises `StoreError` if the store cannot be written, `TeacherError` for teachers that it does not
    have, `DeviceError`, `ModelError`, `DataError`.
    """
    name = identity(spec, faces)
    if found := store.get(name):
        return found
    where = devices.choose(device)
    shown = progress or choose()
    with store.lock(name, shown.wait):
        if found := store.get(name):  # made by another process meanwhile
            return found
        try:
            with devices.ALONE, devices.repeatable(where, threads):
                return _Run(name, spec, faces, store, where).make(shown)
        finally:
            if progress is None:
                shown.close()


class _Run:
    """One run that is not in the store yet."""

    def __init__(
        self, name: str, spec: RunSpec, faces: Faces, store: RunStore, where: torch.device
    ) -> None:
        devices.keep_memory()
        self.name, self.spec, self.faces, self.store, self.where = name, spec, faces, store, where
        self.pause, self.saved = checkpoint.pause(), time.monotonic()
        self.split: Split = divide(faces, spec.data)
        train, valid = (Examples(faces, r, where) for r in (self.split.train, self.split.valid))
        self.fit = Fit(spec, train, valid, teachers.load(spec, faces, store, where))
        self.machine = {
            "device": devices.describe(where),
            "dtype": str(self.fit.dtype).removeprefix("torch."),
            "threads": torch.get_num_threads(),
            "versions": provenance.versions(),
        }

    def make(self, progress: Progress) -> RunRecord:
        """Train, measure and write; a run that diverges is written too."""
        path = self.store.checkpoint(self.name)
        if state := checkpoint.load(path, self.machine):
            self.fit.resume(state)
        try:
            self._train(path, progress)
            record = self._measure()
        except DivergenceError as error:
            record = self._record({}, status="diverged", message=str(error), file_bytes=None)
            self.store.put(record)
        progress.end(record.outcome)
        return record

    def _train(self, path: Path, progress: Progress) -> None:
        fit, spec = self.fit, self.spec
        title = f"{models.label(spec.model)} seed {spec.seed}"
        progress.run(title, spec.train.epochs, fit.steps, fit.done)

        def step_done() -> None:
            if time.monotonic() - self.saved >= self.pause:
                self._save(path)
            progress.step()

        while len(fit.history) < spec.train.epochs:
            latest = fit.epoch(step_done)
            self._save(path)
            progress.epoch(latest.valid_loss, latest.valid_accuracy)

    def _save(self, path: Path) -> None:
        checkpoint.save(path, {"about": self.machine, **self.fit.state()})
        self.saved = time.monotonic()

    def _measure(self) -> RunRecord:
        """Validation once more and the test splits for the first time, then into the store."""
        began = time.perf_counter()
        splits, predictions = {}, {}
        repeated = {"valid": _trained_on(self.faces, self.split), **self.split.repeated}
        for name, rows in {"valid": self.split.valid, **self.split.tests}.items():
            logits, labels = self._said(rows), self.faces.labels[rows]
            splits[name] = score(logits, torch.tensor(labels), repeated[name])
            predictions[name] = Predictions(probabilities(logits), labels, rows)
        first = self.split.train[: min(SEEN, len(self.split.train) // 4)]
        labels = torch.tensor(self.faces.labels[first])
        seen = score(self._said(first), labels, np.ones(len(first), bool))
        self.fit.seconds += time.perf_counter() - began
        weights = pack(self.fit.weights())
        digest = hashlib.sha256(weights).hexdigest()
        file = {"file_bytes": len(weights), "weights_sha256": digest}
        record = self._record(splits, status="done", seen=seen, **file)
        self.store.put(record, predictions, weights)
        return record

    def _said(self, rows: NDArray[np.int64]) -> torch.Tensor:
        """Class scores (N, 7) of some rows of the faces, by the finished network."""
        return scores(self.fit.measured, Examples(self.faces, rows, self.where).images)

    def _record(self, splits: dict[str, Score], **outcome: Any) -> RunRecord:
        fit, cost = self.fit, models.cost(self.spec.model)
        spent = sum(epoch.seconds for epoch in fit.history)
        images = len(fit.history) * fit.steps * fit.batch
        return RunRecord(
            run_id=self.name,
            spec=self.spec,
            data=DataRecord(
                source=self.faces.source,
                fingerprint=self.faces.fingerprint,
                synthetic=self.faces.synthetic,
                train_images=len(fit.train),
            ),
            model_fingerprint=models.fingerprint(self.spec.model),
            history=tuple(fit.history),
            splits=splits,
            params_trainable=cost.trainable,
            params_keras_total=cost.keras_total,
            macs=cost.macs,
            seconds=fit.seconds,
            train_images_per_second=images / spent if spent else None,
            **self.machine,
            commit=provenance.commit(),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            **outcome,
        )


def _trained_on(faces: Faces, split: Split) -> NDArray[np.bool_]:
    """For each validation row: does its image equal, byte by byte, one that was trained on?"""
    group = groups(faces.images[np.concatenate([split.valid, split.train])])
    valid, train = np.split(group, [len(split.valid)])
    return np.isin(valid, train)
