"""The networks whose answers a run learns in place of labels.

Distillation (Hinton, Vinyals and Dean 2015, arXiv:1503.02531) in the form of Beyer et al. 2022
(arXiv:2106.05237): the teacher answers the very image that its student sees, moved as that is.
"""

from __future__ import annotations

import torch
from torch import nn

from fercore import weights
from fercore.data.faces import Faces
from fercore.spec import RunSpec
from fercore.store.record import RunRecord
from fercore.store.runs import RunStore


class TeacherError(ValueError):
    """A network that cannot teach a run: the message says which, and why."""


def load(spec: RunSpec, faces: Faces, store: RunStore, where: torch.device) -> list[nn.Module]:
    """The networks of the runs that the recipe names, on the device, in evaluation mode.

    Raises `TeacherError` where one is not in the store or has no weights, or learned from other
    images than the run is to learn from: it may have seen those that validation measures.
    """
    return [_load(name, spec, faces, store).to(where) for name in spec.train.teachers]


def _load(name: str, spec: RunSpec, faces: Faces, store: RunStore) -> nn.Module:
    try:
        found = weights.find(name, store)
        network = weights.load(found)
    except weights.WeightsError as error:
        raise TeacherError(f"teacher {name}: {error}") from None
    if not _same_images(found.record, spec, faces):
        theirs, ours = found.record.spec.data, spec.data
        raise TeacherError(
            f"teacher {name}: expected the faces and the split of the run that it is to teach "
            f"({faces.fingerprint}, {ours}), found {found.record.data.fingerprint}, {theirs}"
        )
    return network


def _same_images(teacher: RunRecord, spec: RunSpec, faces: Faces) -> bool:
    """Wherever the file lay."""
    data = spec.data.model_copy(update={"source": teacher.spec.data.source})
    return teacher.data.fingerprint == faces.fingerprint and teacher.spec.data == data
