"""A notebook's parameters, checked before anything is trained, and the networks they ask for."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from fercore import models
from fercore.executors import ExecutorError, parse
from fercore.experiments import hypotheses
from fercore.provenance import root
from fercore.spec import AugmentSpec, DataSpec, ModelSpec, Optimizer, Schedule, Spec, TrainSpec

EPOCHS_UNSTATED = 150
"""Epochs in the `reported` preset for networks whose report gives none: those of its MobileNet."""


WHOLE, NUMBER, TRUTH = "expected a whole number", "expected a number", "expected True or False"
EXPECTED = {
    "bool_parsing": TRUTH,
    "bool_type": TRUTH,
    "finite_number": "expected a finite number",
    "float_parsing": NUMBER,
    "float_type": NUMBER,
    "greater_than": "expected more than {gt:,}",
    "greater_than_equal": "expected {ge:,} or more",
    "int_from_float": WHOLE,
    "int_parsing": WHOLE,
    "int_parsing_size": "expected a smaller number",
    "int_type": WHOLE,
    "less_than": "expected less than {lt:,}",
    "less_than_equal": "expected {le:,} or less",
    "literal_error": "expected {expected}",
    "string_pattern_mismatch": "expected auto, cpu, mps, cuda or one of several (cuda:1)",
    "string_too_short": "expected a text",
    "string_type": "expected a text",
    "string_unicode": "expected a text",
    "too_short": "expected a list of {min_length} or more",
    "tuple_type": "expected a list",
}
"""What a parameter may be, by pydantic's name of the fault; DEVICE alone has a pattern."""


class StudyError(ValueError):
    """A notebook's parameters make no study: the message names the parameter."""


class Setting(Spec):
    """A notebook's parameters, checked. Each notebook has some of them, by these names."""

    DATA: str = Field("synthetic", min_length=1)
    FERPLUS: str | None = Field(None, min_length=1)
    TRAIN_IMAGES: int | None = None
    NETWORKS: tuple[str, ...] = ()
    BUDGETS: tuple[Annotated[int, Field(ge=1_000)], ...] = ()
    DEPTH: int = Field(models.DEPTH, ge=1, le=20)
    REPORTED: bool = False
    HYPOTHESES: tuple[hypotheses.Name, ...] = hypotheses.NAMES
    SIZES: tuple[Annotated[int, Field(ge=1_000)], ...] = ()
    LARGE: tuple[Annotated[int, Field(ge=1_000)], ...] = ()
    SEEDS: tuple[Annotated[int, Field(ge=0, lt=2**32)], ...] = Field((0, 1), min_length=1)
    EPOCHS: int | None = Field(4, ge=1, le=100_000)
    BATCH: int = 64
    OPTIMIZER: Optimizer = "muon"
    RATE: float = 0.1
    SCHEDULE: Schedule = "onecycle"
    LABEL_SMOOTHING: float = 0.0
    DROPOUT: float = 0.0
    AVERAGE: float = 0.0
    TEACHERS: tuple[str, ...] = ()
    FLIP: bool = True
    SHIFT: float = 0.1
    ROTATION: float = 10.0
    ZOOM: float = 0.1
    DTYPE: Literal["auto", "float32", "bfloat16"] = "auto"
    DEVICE: str = Field("auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    THREADS: int | None = Field(1, ge=1, le=1024)
    EXECUTOR: str = "auto"
    RECORDS: bool = True
    LANG: Literal["en", "zh-TW"] = "en"

    @field_validator("*", mode="before")
    @classmethod
    def _as_typed(cls, value: Any, info: ValidationInfo) -> Any:
        """A text is read as the command line has it. True is no number, though Python counts it."""
        kind = cls.model_fields[str(info.field_name)].annotation
        if isinstance(value, str):
            return _read(value, kind)
        items = value if isinstance(value, list | tuple) else [value]
        if kind is not bool and any(isinstance(item, bool) for item in items):
            raise PydanticCustomError("bool", "expected no True or False")
        return value

    @property
    def source(self) -> str:
        """DATA with its path found: below the working directory, else below the project."""
        if self.DATA.lower() == "synthetic":
            return "synthetic"
        return str(_found("DATA", self.DATA))

    @property
    def ferplus(self) -> Path | None:
        """FERPLUS with its path found, as `source`; None without votes."""
        return _found("FERPLUS", self.FERPLUS) if self.FERPLUS else None

    @property
    def data(self) -> DataSpec:
        """The data part of every run."""
        return DataSpec(source=self.source, train_images=self.TRAIN_IMAGES)

    def members(self, family: str) -> list[ModelSpec]:
        """The family's member nearest to each of BUDGETS. Raises `StudyError` without such."""
        try:
            found = [models.nearest(family, size, depth=self.DEPTH) for size in self.BUDGETS]
        except models.ModelError as error:
            raise StudyError(f"BUDGETS: {error}") from None
        for one, other in combinations(set(found), 2):
            if models.label(one) == models.label(other):
                name = models.label(one)
                raise StudyError(f"BUDGETS: two of them are too close, both would be {name}")
        return found

    def contrasts(self) -> list[hypotheses.Contrast]:
        """What HYPOTHESES compare at SIZES and LARGE. Raises `StudyError` without such networks."""
        try:
            return hypotheses.contrasts(self.HYPOTHESES, self.SIZES, self.LARGE)
        except models.ModelError as error:
            raise StudyError(f"SIZES or LARGE: {error}") from None

    @property
    def passes(self) -> int:
        """EPOCHS; where each network has its own, those of networks whose report gives none."""
        return self.EPOCHS or EPOCHS_UNSTATED

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


def _found(name: str, value: str) -> Path:
    """A parameter's path: below the working directory, else below the project."""
    try:
        path = Path(value).expanduser()
        return path if path.is_absolute() or path.exists() else root() / path
    except (OSError, RuntimeError) as error:  # a name too long, or ~somebody unknown
        raise StudyError(f"{name}: no such file or folder: {error}") from None


def named(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """What counts as a parameter in a notebook's namespace: upper case, from two letters on."""
    return {name: value for name, value in namespace.items() if name.isupper() and len(name) > 1}


def typed(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Texts of a command line and values of YAML as numbers, texts, lists and None.

    Each is checked by itself. Raises `StudyError` as `check` does, also for any unknown name.
    """
    with _one_line_per_fault():
        values = Setting(**parameters).model_dump(mode="json")
    return {name: values[name] for name in parameters}


def check(parameters: Mapping[str, Any]) -> Setting:
    """Check a notebook's parameters: the upper-case names of its namespace, from two letters on.

    An upper-case name that is no parameter is an error, since papermill would only warn of it.
    Raises `StudyError` with one line per fault: the parameter, what is allowed, what was found.
    """
    names = named(parameters)
    with _one_line_per_fault():
        setting = Setting(**names)
        setting.recipe(setting.passes)
        _ = setting.data, setting.ferplus
    try:
        parse(setting.EXECUTOR)
    except ExecutorError as error:
        raise StudyError(f"EXECUTOR: {error}") from None
    for name in ("SEEDS", "BUDGETS", "NETWORKS", "TEACHERS", "HYPOTHESES", "SIZES", "LARGE"):
        values = getattr(setting, name)
        if len(set(values)) < len(values):
            raise StudyError(f"{name}: each value once, found {values}")
    _check_networks(setting, names)
    return setting


def _read(text: str, kind: Any) -> str | list[str] | None:
    """A text for a field of this type: a list between commas, None by its name."""
    if get_origin(kind) is tuple:
        listed = text.strip("[]() ")
        return [item.strip(" '\"") for item in listed.split(",")] if listed else []
    optional = type(None) in get_args(kind)
    return None if optional and text.strip().lower() in ("", "none", "null") else text


def _check_networks(setting: Setting, given: Mapping[str, Any]) -> None:
    """Each of NETWORKS and TEACHERS is known, and there is something to train."""
    for parameter in ("NETWORKS", "TEACHERS"):
        try:
            for name in getattr(setting, parameter):
                models.layers(ModelSpec(name=name))
        except models.ModelError as error:
            raise StudyError(f"{parameter}: {error}") from None
    if "NETWORKS" in given and not setting.NETWORKS:
        raise StudyError("NETWORKS: expected one name or more (`fercore models`), found none")
    if "BUDGETS" in given and not (setting.BUDGETS or setting.REPORTED):
        raise StudyError("BUDGETS: expected one number or more, or REPORTED = True, found none")


@contextmanager
def _one_line_per_fault() -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        raise StudyError("\n".join(_faults(error.errors()))) from None


def _faults(errors: Sequence[Any]) -> list[str]:
    """One line per fault; that a list is too short without its faulty items is no news."""
    lists = {error["loc"][0] for error in errors if len(error["loc"]) > 1}
    return [
        _fault(error)
        for error in errors
        if error["type"] != "too_short" or error["loc"][0] not in lists
    ]


def _fault(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return f"{error['loc'][0]}: no such parameter; there are {', '.join(Setting.model_fields)}"
    place = ".".join(str(part) for part in error["loc"]).upper()
    words = EXPECTED.get(error["type"], "{msg}").format(msg=error["msg"], **error.get("ctx", {}))
    return f"{place}: {words}, found {reprlib.repr(error['input'])}"
