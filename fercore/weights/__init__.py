"""Trained weights, each with the record of its run: in this folder, in a run store, in a file.

`NAME.safetensors` and `NAME.json` beside this file come with fercore. README.md here says more.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from fercore import models
from fercore.store.record import RunRecord, parse
from fercore.store.runs import RunStore, StoreError
from fercore.store.verify import check_layers, check_weights

FOLDER = Path(__file__).parent
NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")


class WeightsError(ValueError):
    """No such weights, or weights that do not fit their record: the message says which."""


@dataclass(frozen=True)
class Weights:
    """Where trained weights lie, and the record of the run that made them."""

    name: str
    path: Path
    record: RunRecord

    def __str__(self) -> str:
        """What they are and what they were trained on, in one line."""
        data = self.record.data
        kind = "synthetic faces" if data.synthetic else "photographs"
        splits = {"validation" if k == "valid" else k: s for k, s in self.record.splits.items()}
        figures = (f"{name} {100 * score.accuracy:.1f} %" for name, score in splits.items())
        return (
            f"{self.name}: {models.label(self.record.spec.model)}, "
            f"{self.record.params_trainable:,} parameters, trained on {data.train_images:,} "
            f"{kind} ({data.source}); accuracy there, image alone: {', '.join(figures)}"
        )


def names() -> list[str]:
    """Names of the weights that come with fercore, sorted; without reading them."""
    found = FOLDER.glob("*.safetensors")
    return sorted(path.stem for path in found if path.with_suffix(".json").exists())


def shipped() -> list[Weights]:
    """Those that come with fercore: trained on photographs first, then by validation accuracy."""
    found = [_beside(FOLDER / f"{name}.safetensors") for name in names()]
    return sorted(
        found, key=lambda w: (w.record.data.synthetic, -(w.record.accuracy("valid") or 0))
    )


def find(name: str | None = None, store: RunStore | None = None) -> Weights:
    """Weights by name, by the beginning of a run id, or by the path of a .safetensors file.

    None: the best of those that come with fercore, by the order of `shipped`. A file has its
    record beside it, as the same name with .json or as record.json. Raises `WeightsError`.
    """
    if name is None:
        if not (best := shipped()):
            raise WeightsError(f"no weights come with this fercore; name {_others(store)}")
        return best[0]
    if name in names():
        return _beside(FOLDER / f"{name}.safetensors")
    if name.endswith(".safetensors"):
        return _beside(Path(name))
    return _of_run(name, store or RunStore())


def _others(store: RunStore | None) -> str:
    root = (store or RunStore()).root.absolute()
    return f"a run of {root} (`fercore runs list`) or a .safetensors file with its record"


def _of_run(start: str, store: RunStore) -> Weights:
    runs = store.starting(start) if start else []
    if len(runs) > 1:
        raise WeightsError(f"{start!r} begins the ids of {len(runs)} runs: {', '.join(runs)}")
    if not runs:
        known = ", ".join(names()) or "none"
        raise WeightsError(
            f"no weights {start!r}; with fercore come: {known}; or name {_others(store)}"
        )
    try:
        record = store.check(runs[0])
    except StoreError as error:
        raise WeightsError(f"{store.folder(runs[0]).absolute()}: {error}") from None
    return _whole(Weights(record.run_id, store.folder(runs[0]) / "weights.safetensors", record))


def _beside(path: Path) -> Weights:
    """A file's weights, whose record lies beside it."""
    if not os.path.isfile(path):  # noqa: PTH113 - this one takes names that are too long
        raise WeightsError(f"{path}: no such file")
    own, common = path.with_suffix(".json"), path.with_name("record.json")
    chosen = own if own.exists() or not common.exists() else common
    try:
        record = parse(chosen.read_bytes())
    except (OSError, ValueError) as error:
        fault = getattr(error, "strerror", error)
        raise WeightsError(f"{chosen}: expected the record of {path.name}: {fault}") from None
    return _whole(Weights(path.stem if chosen == own else record.run_id, path, record))


def _whole(weights: Weights) -> Weights:
    if weights.record.status != "done":
        raise WeightsError(f"{weights.name}: a run that {weights.record.status} has no weights")
    return weights


def load(weights: Weights | str | None = None) -> nn.Module:
    """The trained network, on the CPU, float32, in evaluation mode; a text is given to `find`.

    Raises `WeightsError` unless the file's bytes, the network's layers and the names, shapes, types
    and values of all weights are what the record says.
    """
    found = weights if isinstance(weights, Weights) else find(weights)
    network, tensors = _network(found), _tensors(found)
    for name, own in network.state_dict().items():
        kind = tensors.get(name, own).dtype  # another would be converted without a word
        if kind != own.dtype:
            raise WeightsError(f"{found.path}: {name}: expected {own.dtype}, found {kind}")
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise WeightsError(f"{found.path}: {' '.join(str(error).split())[:300]}") from None
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval()


def _network(weights: Weights) -> nn.Module:
    try:
        check_layers(weights.record)
    except StoreError as error:
        raise WeightsError(f"{weights.name}: {error}") from None
    with torch.random.fork_rng(devices=()):  # nobody's dice are moved by looking at a network
        return models.build(weights.record.spec.model)


def _tensors(weights: Weights) -> dict[str, Tensor]:
    path = weights.path
    try:
        content = path.read_bytes()
        check_weights(content, weights.record)
        tensors: dict[str, Tensor] = safetensors.torch.load(content)
    except (OSError, SafetensorError, StoreError) as error:
        raise WeightsError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise WeightsError(f"{path}: {name}: expected finite numbers")
    return tensors


def export(weights: Weights, name: str, folder: Path | None = None) -> Weights:
    """Copy weights and record to `folder` (None: fercore's) as `name`, without the machine's paths.

    Raises `WeightsError` where the weights do not fit the record or the name is taken.
    """
    load(weights)
    if not NAME.fullmatch(name):
        raise WeightsError(f"name {name!r}: expected small letters, digits, hyphens and dots")
    folder = folder or FOLDER
    path = folder / f"{name}.safetensors"
    if path.exists() or path.with_suffix(".json").exists():
        raise WeightsError(f"{path}: there are weights of that name already")
    record = _portable(weights.record)
    files = {path: weights.path.read_bytes(), path.with_suffix(".json"): record.content()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(files)
    except OSError as error:
        raise WeightsError(f"cannot write to {folder}: {error.strerror or error}") from None
    return Weights(name, path, record)


def _portable(record: RunRecord) -> RunRecord:
    """The record with the data's file name where its path was, which is no part of the run's id."""
    if record.data.synthetic:
        return record
    named = {"source": Path(record.data.source).name}
    spec = record.spec.model_copy(update={"data": record.spec.data.model_copy(update=named)})
    return record.model_copy(update={"spec": spec, "data": record.data.model_copy(update=named)})


def _write(files: dict[Path, bytes]) -> None:
    """All are whole before the first of them gets its name."""
    new = {path: path.with_name(f".{path.name}.{os.getpid()}.new") for path in files}
    try:
        for path, content in files.items():
            new[path].write_bytes(content)
        for path, temporary in new.items():
            temporary.replace(path)
    finally:
        for temporary in new.values():
            temporary.unlink(missing_ok=True)
