"""What a run is asked to do: frozen, validated specifications.

Two specifications that are equal give the same run id (`fercore.store.record.run_id`). What only
says *how* a run is carried out (device, threads) is no part of a specification; it is recorded with
the run.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

SCHEMA_VERSION = 2
"""Raised when the meaning of a specification or of a record changes; part of every run id."""

Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Optimizer = Literal["muon", "adam", "adamw", "sgd"]
Schedule = Literal["constant", "cosine", "onecycle"]
RunId = Annotated[str, Field(pattern="^[0-9a-f]{12}$")]


class Spec(BaseModel):
    """Base of all specifications and records: frozen, no unknown keys, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def later(default: Any) -> Any:
    """A field that came after records were made: dumps, and so run ids, name it if it is set."""
    return Field(default, exclude_if=lambda value: value == default)


class DataSpec(Spec):
    """Which faces, and how Training is divided."""

    source: str = Field("synthetic", min_length=1)
    """"synthetic", or the path of a file or folder that `fercore.data.load` reads."""
    train_images: int | None = Field(None, ge=70)
    """Use only this many Training rows (stratified, seeded by split_seed); None: all."""
    valid_fraction: float = Field(0.1, gt=0, lt=0.9)
    """Share of Training that is kept for validation, stratified by label."""
    split_seed: int = Field(0, ge=0)


class ModelSpec(Spec):
    """Which network: one of the reports' by name, or a family member by widths and depth."""

    name: str = Field(min_length=1)
    widths: tuple[Annotated[int, Field(ge=1)], ...] | None = None
    """Family members: channels of the stem and of each stage."""
    depth: int | None = Field(None, ge=1)
    """Family members: blocks per stage."""
    head: Literal["pool", "dense"] = "pool"
    """Family members: before the scores the mean over the image, or flatten and a dense layer."""
    residual: bool = False
    """Family members: blocks that keep the shape add their input to their output."""
    early: bool = False
    """Family members: the stem halves the image already."""
    norm: Literal["before", "after", "none"] = "before"
    """Family members: BatchNorm before or after the activation, or nowhere."""

    def __repr__(self) -> str:
        from fercore import reprs  # here, as it stands above: a specification imports nothing

        return reprs.line(self) or super().__repr__()

    def _repr_html_(self) -> str:
        from fercore import reprs

        return reprs.network(self)


class AugmentSpec(Spec):
    """Random geometric changes of each training image, drawn anew each epoch.

    Ranges are symmetric and uniform. Uncovered pixels take the nearest edge's value.
    """

    flip: bool = True
    shift: Fraction = 0.1
    """Largest shift in each direction, as a share of the side."""
    rotation: float = Field(10.0, ge=0, le=180)
    """Largest rotation, in degrees."""
    zoom: Fraction = 0.1
    """Scale between 1 - zoom and 1 + zoom."""
    shear: float = Field(0.0, ge=0, le=60)
    """Largest shear, in degrees."""


class TrainSpec(Spec):
    """The recipe. Everything that is compared uses the same one; docs/recipes.md says why this."""

    epochs: int = Field(10, ge=1)
    batch: int = Field(32, ge=2)
    optimizer: Optimizer = "muon"
    rate: Positive = 0.05
    """Peak learning rate."""
    schedule: Schedule = "onecycle"
    momentum: Fraction = 0.9
    """For sgd (Nesterov); the others keep their customary moments."""
    weight_decay: float = Field(0.0, ge=0)
    decay_all: bool = later(False)
    """Weight decay on biases and BatchNorm's scale and shift too."""
    initial: Literal["he", "torch"] = later("he")
    """Weights at the start: as `fercore.models.build` draws them, or as torch's layers do."""
    label_smoothing: Fraction = 0.0
    dropout: float = Field(0.0, ge=0, le=1)
    """Every dropout of the network is multiplied by this: 1 as its author placed it, 0 none."""
    average: Fraction = 0.0
    """Decay per step of an exponential average of the weights, which is then what is measured."""
    augment: AugmentSpec = AugmentSpec()
    first_side: Literal[24, 32, 48] = later(48)
    """Side in pixels of the training images in the first half of the epochs; 48 from then on."""
    teachers: tuple[RunId, ...] = later(())
    """Finished runs of the store: what they say of an image is learned in place of its label."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """auto: bfloat16 where the device has instructions for it, else float32."""

    @model_validator(mode="after")
    def _decay_needs_decoupling(self) -> TrainSpec:
        if self.optimizer == "adam" and self.weight_decay:
            raise ValueError("weight_decay with adam is coupled to the gradient; use adamw")
        return self

    @model_validator(mode="after")
    def _teachers_see_what_they_know(self) -> TrainSpec:
        if self.teachers and self.first_side != 48:
            raise ValueError(f"first_side with teachers: expected 48, found {self.first_side}")
        return self


class RunSpec(Spec):
    """One training run, wholly specified."""

    data: DataSpec = DataSpec()
    model: ModelSpec
    train: TrainSpec = TrainSpec()
    seed: int = Field(0, ge=0)
    """Seeds initial weights, shuffling, augmentation and dropout."""
