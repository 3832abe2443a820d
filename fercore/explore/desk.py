"""What the panels share: one store, one recipe, and the faces that were read."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cached_property
from typing import Any, TypeVar

from fercore.data import DataError, Faces, load
from fercore.explore.browse import Compare, Runs
from fercore.explore.networks import Networks
from fercore.explore.panel import Panel
from fercore.explore.sheets import Gallery, Mistakes
from fercore.explore.training import stop_all
from fercore.setting import Setting, check
from fercore.store.record import RunRecord
from fercore.store.runs import RunStore

P = TypeVar("P", bound=Panel)
_OPEN: list[Desk] = []


def begin(parameters: Mapping[str, Any]) -> Desk:
    """Open a desk with the recipe of a notebook's parameters; reads the data, trains nothing.

    parameters: usually `globals()`, as for `fercore.study.begin`. An earlier desk of this process
    is closed, as its widgets would keep its faces in memory; what it still trains is stopped, its
    checkpoint stays. Raises `StudyError`, `DataError`.
    """
    stop_all()
    desk = Desk(check(parameters))
    while _OPEN:
        _OPEN.pop().close()
    _OPEN.append(desk)
    return desk


class Desk:
    """Five panels on one store; each is made when it is first asked for."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.store = RunStore()
        self.lock = threading.RLock()
        self._read: dict[str, Faces] = {}
        self._panels: list[Panel] = []
        self.records: dict[str, RunRecord] = {}
        self._look()
        self.faces = self.read(setting.source)

    def __repr__(self) -> str:
        return f"Desk({self.faces!r}, {self.store.root}, runs: {len(self.records)})"

    @cached_property
    def networks(self) -> Networks:
        """Choose a network and train it."""
        return self._add(Networks(self))

    @cached_property
    def runs(self) -> Runs:
        """Browse the store."""
        return self._add(Runs(self))

    @cached_property
    def compare(self) -> Compare:
        """Two runs side by side."""
        return self._add(Compare(self))

    @cached_property
    def mistakes(self) -> Mistakes:
        """Faces that a network reads wrongly."""
        return self._add(Mistakes(self))

    @cached_property
    def gallery(self) -> Gallery:
        """Faces of the data."""
        return self._add(Gallery(self))

    def refresh(self, latest: RunRecord | None = None) -> None:
        """Read the store again; latest: the run that was just finished."""
        self._look()
        for panel in self._panels:
            panel.refresh(latest)

    def close(self) -> None:
        """Its panels are shown no more."""
        for panel in self._panels:
            panel.close()

    def knows(self, source: str) -> bool:
        """Were these faces read already?"""
        return source in self._read

    def read(self, source: str) -> Faces:
        """Faces by `RunSpec.data.source`, read once. Raises `DataError`."""
        if source not in self._read:
            self._read[source] = load(source)
        return self._read[source]

    def use(self, source: str) -> Faces:
        """From now on these are the data."""
        faces = self.read(source)
        if faces is not self.faces:
            self.faces = faces
            if "gallery" in vars(self):
                self.gallery.refresh()
        return faces

    def faces_of(self, record: RunRecord) -> Faces:
        """The faces of a run. Raises `DataError` where they are no longer to be had."""
        wanted = record.data.fingerprint
        for faces in self._read.values():
            if faces.fingerprint == wanted:
                return faces
        source = record.spec.data.source
        try:
            faces = self.read(source)
        except DataError as error:
            raise DataError(f"the faces of run {record.run_id} cannot be read: {error}") from None
        if faces.fingerprint != wanted:
            raise DataError(
                f"{source}: expected the faces of run {record.run_id} with fingerprint {wanted}, "
                f"found {faces.fingerprint}; name a path that holds them as data above"
            )
        return faces

    def _look(self) -> None:
        self.records = {record.run_id: record for record in self.store.records()}

    def _add(self, panel: P) -> P:
        self._panels.append(panel)
        return panel
