"""What is kept of a run: its specification, how it went, what it measured, where it ran."""

from __future__ import annotations

import base64
import hashlib
import json
import reprlib
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from fercore.plain import plain
from fercore.spec import SCHEMA_VERSION, RunSpec, Spec, later

SEEN = 6000
"""Images trained on that are measured as well: as many as report A's validation had; no more than
a quarter of all, or a short run would mostly measure."""

Counts = tuple[tuple[Annotated[int, Field(ge=0)], ...], ...]
NonEmpty = Annotated[str, Field(min_length=1)]


class Epoch(Spec):
    """One pass over the training images, and what validation said after it."""

    epoch: int
    """From 1."""
    rate: float
    """Learning rate of the last step."""
    train_loss: float
    """Mean over the epoch's steps, on augmented images, label smoothing included; against what
    teachers say if the recipe has any."""
    train_accuracy: float
    """Share of augmented images read correctly, each by the weights of its step."""
    valid_loss: float
    """Cross-entropy in nats, without smoothing."""
    valid_accuracy: float
    seconds: float
    """Training alone, without validation."""


class Score(Spec):
    """What a finished network measures on one split. Accuracies are fractions."""

    n: int = Field(ge=1)
    accuracy: float
    loss: float
    """Mean cross-entropy in nats."""
    repeated: int
    """Images that are byte-identical to a Training image (for valid: to one trained on)."""
    accuracy_unseen: float | None
    """Accuracy without the repeated images; None if nothing else is left."""
    confusion: Counts
    """Counts (7, 7) of n images: rows are true labels, columns what the network said."""
    right: str | None = later(None)
    """One bit per image, in the split's order: was it read rightly? (`bits`); None in records that
    are older than this field."""

    @model_validator(mode="after")
    def _figures_fit(self) -> Self:
        if [len(row) for row in self.confusion] != [7] * 7:
            raise ValueError("confusion: expected 7 rows of 7")
        if (found := sum(map(sum, self.confusion))) != self.n:
            raise ValueError(f"confusion: expected {self.n:,} images, found {found:,}")
        if (correct := self.correct()) is not None:
            expected = sum(row[i] for i, row in enumerate(self.confusion))
            if (found := correct.sum()) != expected:
                raise ValueError(f"right: expected {expected:,} by confusion, found {found:,}")
            if abs(self.accuracy - found / self.n) > 1e-6:
                raise ValueError(f"accuracy: expected {found / self.n:.6g}, found {self.accuracy}")
        return self

    def correct(self) -> NDArray[np.bool_] | None:
        """(n,): which images were read rightly; None if that was not recorded yet."""
        if self.right is None:
            return None
        try:
            packed = np.frombuffer(base64.b64decode(self.right, validate=True), np.uint8)
        except ValueError as error:
            raise ValueError(f"right: {error}") from None
        if len(packed) != -(-self.n // 8):
            raise ValueError(f"right: expected {self.n:,} bits, found {8 * len(packed):,}")
        return np.unpackbits(packed, count=self.n).astype(bool)


def bits(correct: NDArray[np.bool_]) -> str:
    """As `Score.right` holds them: eight to a byte, the first the highest, in base64."""
    return base64.b64encode(np.packbits(correct).tobytes()).decode()


class DataRecord(Spec):
    """The faces of a run."""

    source: str
    fingerprint: str
    synthetic: bool
    train_images: int
    """Images trained on; validation images are not among them."""


class RunRecord(Spec):
    """Everything that is known of one run. A diverged run has no splits and no file."""

    schema_version: int = SCHEMA_VERSION
    run_id: NonEmpty
    spec: RunSpec
    data: DataRecord
    model_fingerprint: NonEmpty
    status: Literal["done", "diverged"]
    message: str = ""
    """For a diverged run: what was not finite, and in which epoch."""
    history: tuple[Epoch, ...]
    splits: dict[str, Score]
    """"valid", and "PublicTest" and "PrivateTest" where the data has them; measured at the end."""
    seen: Score | None = later(None)
    """On images that were trained on, as report A took its validation accuracy: the first `SEEN` in
    the data's order (FER2013's own; of an image folder that of the numbers in its names); None in
    records that are older than this field."""
    params_trainable: int
    params_keras_total: int
    macs: int
    """Multiply-adds per image."""
    file_bytes: int | None
    """Size of weights.safetensors."""
    weights_sha256: str | None = later(None)
    """Of that file's bytes; None in records that are older than this field."""
    seconds: float
    """Training and evaluation, interruptions left out."""
    train_images_per_second: float | None
    device: str
    dtype: Literal["float32", "bfloat16"]
    """In which training computed; weights are float32, and evaluation computes in it."""
    threads: int
    """CPU threads of torch; another number gives other weights."""
    versions: dict[str, str]
    commit: str | None
    """Commit of fercore's checkout, "-dirty" if its code was changed; None outside git."""
    finished: str
    """UTC, ISO 8601."""

    @property
    def outcome(self) -> str:
        """In a few words, for people."""
        figures = (f"{name} {100 * score.accuracy:.1f} %" for name, score in self.splits.items())
        return "  ".join([self.status, *figures, *filter(None, [self.message])])

    def __repr__(self) -> str:
        network = f"{self.spec.model.name}, {self.params_trainable:,} parameters"
        how = f"seed {self.spec.seed}, epochs {self.spec.train.epochs}"
        return f"RunRecord({self.run_id}: {network}, {how}: {self.outcome})"

    def _repr_html_(self) -> str:
        from fercore import reprs  # here, as it needs torch, which takes seconds to import

        accuracies = {
            f"accuracy, {name}": f"{100 * score.accuracy:.1f} % of {score.n:,}"
            for name, score in self.splits.items()
        }
        return reprs.facts(
            f"{self.spec.model.name}, seed {self.spec.seed} ({self.run_id})",
            {
                "outcome": " ".join(filter(None, [self.status, self.message])),
                **accuracies,
                "trainable parameters": f"{self.params_trainable:,}",
                "Keras total parameters": f"{self.params_keras_total:,}",
                "multiply-adds per image (MACs)": f"{self.macs:,}",
                "data": f"{self.data.source}, {self.data.train_images:,} images trained on",
                "epochs": self.spec.train.epochs,
                "time": f"{self.seconds:,.0f} s on {self.device}, {self.dtype}",
                "finished": f"{self.finished}, commit {self.commit or 'unknown'}",
            },
        )

    def content(self) -> bytes:
        """Of the record's file; `parse` reads it."""
        return (self.model_dump_json(indent=1) + "\n").encode()

    def accuracy(self, split: str) -> float | None:
        """Accuracy on a split; None where the split is absent or the run diverged."""
        score = self.splits.get(split)
        return score.accuracy if score else None


def run_id(spec: RunSpec, data_fingerprint: str, model_fingerprint: str) -> str:
    """12 hexadecimal digits that name a run by everything that its result depends on.

    SHA-256 over canonical JSON of the whole specification (defaults included, except those of
    `fercore.spec.later` fields), both fingerprints and `SCHEMA_VERSION`. Where the data lies
    (data.source) is left out: its fingerprint says more.
    """
    whole = spec.model_dump(mode="json")
    del whole["data"]["source"]
    identity = [SCHEMA_VERSION, whole, data_fingerprint, model_fingerprint]
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def parse(text: bytes, run: str | None = None) -> RunRecord:
    """A record whose id is that of its content, and `run` if that is given; else ValueError."""
    try:
        tree = json.loads(text)
        found = tree.get("schema_version") if isinstance(tree, dict) else None
        if found != SCHEMA_VERSION:
            raise ValueError(f"expected schema {SCHEMA_VERSION}, found {reprlib.repr(found)}")
        record = RunRecord.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place, fault = ".".join(map(str, first["loc"])), first["msg"]
        if not isinstance(first["input"], dict):  # of a whole part the message says what it found
            fault += f", found {reprlib.repr(first['input'])}"
        raise ValueError(f"{plain(place)}: {fault}") from None
    except RecursionError:
        raise ValueError("expected a record, found brackets within brackets without end") from None
    if run not in (None, record.run_id):
        raise ValueError(f"expected run {run}, found run {record.run_id}")
    named = run_id(record.spec, record.data.fingerprint, record.model_fingerprint)
    if named != record.run_id:
        raise ValueError(f"its specification and fingerprints are those of run {named}")
    return record
