"""A notebook's parameters, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from fercore import models
from fercore.executors import ExecutorError, parse
from fercore.provenance import root
from fercore.spec import AugmentSpec, DataSpec, Optimizer, Schedule, Spec, TrainSpec

EPOCHS_UNSTATED = 150
"""Epochs in the `reported` preset for networks whose report gives none: those of its MobileNet."""


class StudyError(ValueError):
    """A notebook's parameters make no study: the message names the parameter."""


class Setting(Spec):
    """A notebook's parameters, checked. Each notebook has some of them, by these names."""

    DATA: str = Field("synthetic", min_length=1)
    TRAIN_IMAGES: int | None = None
    NETWORKS: tuple[str, ...] = ()
    BUDGETS: tuple[Annotated[int, Field(ge=1_000)], ...] = ()
    DEPTH: int = Field(models.DEPTH, ge=1)
    REPORTED: bool = False
    SEEDS: tuple[Annotated[int, Field(ge=0)], ...] = Field((0, 1), min_length=1)
    EPOCHS: int | None = Field(10, ge=1)
    BATCH: int = 32
    OPTIMIZER: Optimizer = "muon"
    RATE: float = 0.05
    SCHEDULE: Schedule = "onecycle"
    LABEL_SMOOTHING: float = 0.0
    DROPOUT: float = 0.0
    AVERAGE: float = 0.0
    FLIP: bool = True
    SHIFT: float = 0.1
    ROTATION: float = 10.0
    ZOOM: float = 0.1
    DTYPE: Literal["auto", "float32", "bfloat16"] = "auto"
    DEVICE: str = "auto"
    THREADS: int | None = Field(1, ge=1)
    EXECUTOR: str = "auto"

    @property
    def source(self) -> str:
        """DATA with its path found: below the working directory, else below the project."""
        if self.DATA.lower() == "synthetic":
            return "synthetic"
        path = Path(self.DATA).expanduser()
        return str(path if path.is_absolute() or path.exists() else root() / path)

    @property
    def data(self) -> DataSpec:
        """The data part of every run."""
        return DataSpec(source=self.source, train_images=self.TRAIN_IMAGES)

    def recipe(self, epochs: int) -> TrainSpec:
        """The recipe that all networks of the study share."""
        return TrainSpec(
            epochs=epochs,
            batch=self.BATCH,
            optimizer=self.OPTIMIZER,
            rate=self.RATE,
            schedule=self.SCHEDULE,
            label_smoothing=self.LABEL_SMOOTHING,
            dropout=self.DROPOUT,
            average=self.AVERAGE,
            augment=AugmentSpec(
                flip=self.FLIP, shift=self.SHIFT, rotation=self.ROTATION, zoom=self.ZOOM
            ),
            dtype=self.DTYPE,
        )


def check(parameters: Mapping[str, Any]) -> Setting:
    """Check a notebook's parameters: the upper-case names of its namespace, from two letters on.

    An upper-case name that is no parameter is an error, since papermill would only warn of it.
    Raises `StudyError` with one line per fault: the parameter, what is allowed, what was found.
    """
    names = {name: value for name, value in parameters.items() if name.isupper() and len(name) > 1}
    try:
        setting = Setting(**names)
        setting.recipe(epochs=setting.EPOCHS or EPOCHS_UNSTATED)
        _ = setting.data
    except ValidationError as error:
        raise StudyError("\n".join(map(_fault, error.errors()))) from None
    try:
        parse(setting.EXECUTOR)
    except ExecutorError as error:
        raise StudyError(f"EXECUTOR: {error}") from None
    for name in ("SEEDS", "BUDGETS", "NETWORKS"):
        values = getattr(setting, name)
        if len(set(values)) < len(values):
            raise StudyError(f"{name}: each value once, found {values}")
    return setting


def _fault(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"]).upper()
    if error["type"] == "extra_forbidden":
        return f"{place}: no such parameter; there are {', '.join(Setting.model_fields)}"
    return f"{place}: {error['msg']}, found {error['input']!r}"
