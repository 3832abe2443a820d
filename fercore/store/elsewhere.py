"""Runs that were made elsewhere: records that come with fercore, in reports/PRESET/records/.

Such a run has neither weights nor predictions. What is drawn from those goes without it.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from fercore.data import Faces
from fercore.provenance import root
from fercore.spec import RunSpec
from fercore.store.identity import identity
from fercore.store.record import RunRecord, parse

HIDDEN = "PrivateTest"
"""The split that most copies of FER2013 lack. No run was trained on it: a record that was made
without it holds for the same data with it."""

log = logging.getLogger(__name__)


class Elsewhere:
    """The records that fit one data set. folder: holds PRESET/records/RUN.json."""

    def __init__(self, faces: Faces, folder: Path | None = None) -> None:
        self.faces = faces
        found = (folder or root() / "reports").glob("*/records/*.json")
        self.files = {path.stem: path for path in found}

    @cached_property
    def _shapes(self) -> list[Faces]:
        """The data as it is and, where that is another, without `HIDDEN`. Drawn faces are whole."""
        faces = self.faces
        kept = faces.splits != HIDDEN
        if faces.synthetic or kept.all():
            return [faces]
        arrays = {name: getattr(faces, name)[kept] for name in ("images", "labels", "splits")}
        return [faces, replace(faces, **arrays, votes=None)]

    def get(self, spec: RunSpec) -> RunRecord | None:
        """The record of this very specification on this data; None if there is none."""
        if not self.files:
            return None
        paths = (self.files.get(identity(spec, faces)) for faces in self._shapes)
        records = (usable(path) for path in paths if path)
        return next(filter(None, records), None)


def usable(path: Path) -> RunRecord | None:
    """A record; None, with a logged warning that names it, for a file that is none."""
    try:
        return parse(path.read_bytes(), path.stem)
    except (OSError, ValueError) as error:
        log.warning("%s is no usable record and counts as absent: %s", path, error)
        return None
