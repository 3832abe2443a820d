"""Faces to look at: those of the data, and those that a network reads wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import ipywidgets as widgets

from fercore.data import EMOTIONS, SPLITS, Faces
from fercore.explore import runs, tiles
from fercore.explore.panel import Pages, Panel, dropdown, row
from fercore.store.record import RunRecord

if TYPE_CHECKING:
    from fercore.explore.desk import Desk

PAGE = 21
"""Faces shown at once."""


class Sheet(Panel):
    """Pages of faces, with a class to choose."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.emotion = dropdown("class", [runs.ALL, *EMOTIONS])
        self.split = dropdown("split")
        self.pages = Pages(self, PAGE, self.show)
        self.faces = widgets.HTML()
        self.on_change([self.split, self.emotion], self.pages.restart)

    def show(self) -> None:
        """The faces of this page."""
        raise NotImplementedError

    def lay_out(self, faces: Faces, found: Sequence[tiles.Tile], what: str) -> None:
        """Show a page of these faces, and how many there are."""
        part, words = self.pages.place(len(found))
        self.faces.value = tiles.sheet(faces, found[part])
        self.say(f"{words} {what}")


class Gallery(Sheet):
    """The faces of the data that the first panel names."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.offer(self.split, SPLITS)
        self.box.children = (
            row(self.split, self.emotion, self.pages.before, self.pages.after),
            self.message,
            self.faces,
        )
        self.attempt(self.show)

    def refresh(self, latest: RunRecord | None = None) -> None:
        """The data may be others."""
        self.attempt(self.pages.restart)

    def show(self) -> None:
        """The faces of this page."""
        faces = self.desk.faces
        found = tiles.gallery(faces, self.split.value, self.emotion.value)
        self.lay_out(faces, found, f"faces, {faces.source}")


class Mistakes(Sheet):
    """The faces that a run's network reads wrongly."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.run = dropdown("run", layout={"width": "32em"})
        self.on_change([self.run], self.choose)
        self.box.children = (
            row(self.run, self.split, self.emotion),
            row(self.pages.before, self.pages.after),
            self.message,
            self.faces,
        )
        self.refresh()

    def refresh(self, latest: RunRecord | None = None) -> None:
        """Other runs to choose from."""
        done = [record for record in self.desk.records.values() if record.status == "done"]
        self.offer(self.run, runs.options(done))
        self.attempt(self.choose)

    def choose(self) -> None:
        """Another run: its splits, the tests first."""
        if self.run.value is not None:
            splits = self.desk.records[self.run.value].splits
            self.offer(self.split, sorted(splits, key=lambda split: split == "valid"))
        self.pages.restart()

    def show(self) -> None:
        """The faces of this page."""
        self.faces.value = ""
        if self.run.value is None:
            self.say("no finished run is in the store")
            return
        said = self.desk.store.predictions(self.run.value)[self.split.value]
        faces = self.desk.faces_of(self.desk.records[self.run.value])
        found = tiles.mistakes(said, self.emotion.value)
        self.lay_out(faces, found, "mistakes, the surest first")
