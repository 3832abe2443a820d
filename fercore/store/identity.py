"""Which run a specification names, on the faces that it is trained on."""

from __future__ import annotations

from fercore import models
from fercore.data.faces import Faces
from fercore.spec import RunSpec
from fercore.store.record import run_id


def identity(spec: RunSpec, faces: Faces) -> str:
    """The id of the run that `fercore.training.train.run` reads or makes. Raises `ModelError`."""
    return run_id(spec, faces.fingerprint, models.fingerprint(spec.model))
