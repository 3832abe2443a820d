"""Does all that lies in a run's folder fit together? What `fercore runs verify` says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors.numpy

from fercore import models, provenance
from fercore.data.faces import EMOTIONS
from fercore.store.record import RunRecord, Score
from fercore.store.runs import Predictions, RunStore, StoreError

EXACT = 1e-6
"""How far apart two figures may lie that are the same: a tenth of one image of 100,000."""


class Verdict(NamedTuple):
    """Of one run in the store."""

    run_id: str
    fault: str | None = None
    """Why it is not used, or should not be; None if all of it fits together."""
    unchecked: str | None = None
    """What could be wrong with it and go unseen, as its record does not hold what it takes."""
    version: str | None = None
    """Under what other code or packages it was made; it is used all the same."""


def verify(store: RunStore, run: str) -> Verdict:
    """Read all files of a run, which the store itself does not do each time."""
    try:
        record = store.check(run)
        check_layers(record)
        if record.status == "done":
            _predictions(store, record)
            _weights(store.folder(run) / "weights.safetensors", record)
    except StoreError as error:
        return Verdict(run, fault=str(error).removeprefix(f"{store.folder(run)}/"))
    return Verdict(run, unchecked=_unchecked(record), version=version(record))


def version(record: RunRecord) -> str | None:
    """By which commit and packages a run was made where others are in use now; None: by these."""
    then = {"commit": record.commit, **record.versions}
    now = {"commit": provenance.commit(), **provenance.versions()}
    other = (name for name in now if then.get(name) != now[name])
    texts = [f"{name} {_short(then.get(name))} (here {_short(now[name])})" for name in other]
    return ", ".join(texts) or None


def _short(name: str | None) -> str:
    """A commit by its first digits; any other version as it is."""
    return re.sub("^([0-9a-f]{12})[0-9a-f]{28}", r"\1", name or "unknown")


def check_layers(record: RunRecord) -> None:
    """Raise `StoreError` unless the network of that name is still the one that was trained."""
    try:
        found = models.fingerprint(record.spec.model)
    except models.ModelError as error:
        raise StoreError(f"this version knows no such network: {error}") from None
    if found != record.model_fingerprint:
        raise StoreError(
            f"{models.label(record.spec.model)} has other layers in this version: "
            f"fingerprint {record.model_fingerprint} then, {found} now"
        )


def check_weights(content: bytes, record: RunRecord) -> None:
    """Raise `StoreError` unless a weights file's bytes are those that the record names."""
    if len(content) != (expected := record.file_bytes or 0):
        raise StoreError(f"expected {expected:,} bytes, found {len(content):,}")
    found = hashlib.sha256(content).hexdigest()
    if record.weights_sha256 not in (None, found):
        raise StoreError(f"expected SHA-256 {record.weights_sha256}, found {found}")


def _unchecked(record: RunRecord) -> str | None:
    if record.status == "done" and record.weights_sha256 is None:
        return "a changed bit of the weights: the record is older than their SHA-256"
    return None


def _predictions(store: RunStore, record: RunRecord) -> None:
    kept = store.predictions(record.run_id)
    found = {split: parts.labels.size for split, parts in kept.items()}
    expected = {split: score.n for split, score in record.splits.items()}
    if found != expected:
        raise StoreError(f"predictions.npz: expected images {expected}, found {found}")
    for split, said in kept.items():
        if not _in_form(said):
            raise StoreError(
                f"predictions.npz: {split}: expected labels 0 to 6 with 7 shares and a row each"
            )
        for name, figure, least, most in _limits(said, record.splits[split]):
            if not least - EXACT <= figure <= most + EXACT:
                allowed = f"{least:.6g}" if least == most else f"{least:.6g} to {most:.6g}"
                raise StoreError(
                    f"record.json: {split}: {name}: expected {allowed}, as predictions.npz has it, "
                    f"found {figure:.6g}"
                )


def _in_form(said: Predictions) -> bool:
    shares, labels, rows = said
    whole = labels.ndim == 1 and labels.dtype.kind == "i" and {*labels.tolist()} <= {*range(7)}
    placed = rows.shape == labels.shape and rows.dtype.kind == "i"
    return whole and placed and shares.shape == (len(labels), 7) and shares.dtype == np.float16


def _limits(said: Predictions, score: Score) -> Iterator[tuple[str, float, float, float]]:
    """The record's figures, each with the least and the most that the predictions allow.

    Those were rounded to float16: of two classes that tie there, either may have been the larger.
    """
    best = said.probabilities == said.probabilities.max(1, keepdims=True)
    sure = best & (best.sum(1, keepdims=True) == 1)
    truth = np.eye(7, dtype=int)[said.labels].T
    found: Any = np.array(score.confusion)
    for row, images in enumerate(truth.sum(1)):
        yield f"{EMOTIONS[row]} images", found[row].sum(), images, images
    for row, column in np.ndindex(7, 7):
        limits = (truth[row] @ sure[:, column], truth[row] @ best[:, column])
        yield f"{EMOTIONS[row]} read as {EMOTIONS[column]}", found[row, column], *limits
    right = found.trace()
    yield "accuracy", score.accuracy, right / score.n, right / score.n
    if (answers := score.correct()) is not None:
        least, most = (every[np.arange(score.n), said.labels] for every in (sure, best))
        yield "right: images otherwise", (least & ~answers | answers & ~most).sum(), 0, 0
    unseen = score.n - score.repeated
    limits = (max(right - score.repeated, 0), min(right, unseen))
    yield "read rightly and not repeated", unseen * (score.accuracy_unseen or 0), *limits
    with np.errstate(divide="ignore"):
        shares = said.probabilities[np.arange(score.n), said.labels]
        beyond = (np.nextafter(shares, np.float16(end)).astype(float) for end in (2, 0))
        yield "loss", score.loss, *(-np.log(each).mean() for each in beyond)


def _weights(path: Path, record: RunRecord) -> None:
    try:
        content = path.read_bytes()
        check_weights(content, record)
        tensors = safetensors.numpy.load(content)
    except Exception as error:  # safetensors raises what it likes on a damaged file
        raise StoreError(f"{path.name}: {error}") from None
    count = sum(tensor.size for tensor in tensors.values())
    if count < record.params_trainable:
        raise StoreError(
            f"{path.name}: expected {record.params_trainable:,} weights, found {count:,}"
        )
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise StoreError(f"{path.name}: {name}: expected finite numbers")
