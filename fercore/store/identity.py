"""Which run a specification names, on the faces that it is trained on."""

from __future__ import annotations

from fercore import models
from fercore.data.faces import SIDE, Faces
from fercore.spec import RunSpec
from fercore.store.record import run_id


def identity(spec: RunSpec, faces: Faces) -> str:
    """The id of the run that `fercore.training.train.run` reads or makes.

    Raises `ModelError` for a network that there is not, or that cannot read images of the side
    with which the recipe begins.
    """
    side = spec.train.first_side
    if side != SIDE and not models.takes(spec.model, side):
        raise models.ModelError(
            f"{models.label(spec.model)} reads images of {SIDE} pixels only (its dense layer sees "
            f"each pixel's place): expected first_side {SIDE}, found {side}"
        )
    return run_id(spec, faces.fingerprint, models.fingerprint(spec.model))
