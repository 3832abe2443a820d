"""Runs of the store: found by filters, seen together, compared by twos."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import ipywidgets as widgets
import pandas as pd

from fercore import reprs
from fercore.explore import runs
from fercore.explore.panel import Pages, Panel, drawn, dropdown, html, row
from fercore.figures import NAMES
from fercore.store.record import RunRecord

if TYPE_CHECKING:
    from fercore.explore.desk import Desk

PAGE = 25
"""Runs shown at once."""
CAPTION = "Runs, the latest first. Differs in: from the recipe of most runs."
FAMILIES = [("all", runs.ALL), *((name, family) for family, name in NAMES.items())]


class Runs(Panel):
    """All runs in a table with filters, and those that are comparable as a scatter."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.family = dropdown("family", FAMILIES)
        self.status = dropdown("status", [runs.ALL, "done", "diverged"])
        self.data = dropdown("data", [runs.ALL])
        self.reread = widgets.Button(description="Read the store again", layout={"width": "auto"})
        self.group = dropdown("scatter of", layout={"width": "40em"})
        self.axis = dropdown("x axis", runs.AXES)
        self.published = widgets.Checkbox(True, description="published", indent=False)
        self.mark, self.told = dropdown("mark", layout={"width": "32em"}), widgets.HTML()
        self.pages = Pages(self, PAGE, self.show)
        self.table, self.chart = widgets.HTML(), widgets.Output()
        filters = [self.family, self.data, self.status]
        self.on_change(filters, self.pages.restart)
        drawn_by = [self.family, self.group, self.axis, self.published, self.mark]
        self.on_change(drawn_by, self.draw)
        self.on_click(self.reread, desk.refresh)
        self.box.children = (
            row(*filters),
            row(self.pages.before, self.pages.after, self.reread),
            self.message,
            self.table,
            row(self.group, self.axis, self.published, self.mark),
            self.told,
            self.chart,
        )
        self.refresh()

    def refresh(self, latest: RunRecord | None = None) -> None:
        """Other runs: other data to filter by, other groups; that of the latest run is shown."""
        self.rows = runs.rows(self.desk.records.values())
        self.offer(self.data, [runs.ALL, *dict.fromkeys(self.rows["data"])])
        self.offer(self.group, self.rows["group"].value_counts().index)  # the largest first
        if latest:
            with self.quiet():
                self.group.value = self.rows.set_index("run_id")["group"][latest.run_id]
        self.attempt(self.pages.restart)
        self.attempt(self.draw)

    @property
    def chosen(self) -> pd.DataFrame:
        """The rows that the filters leave."""
        wanted = {"family": self.family, "data": self.data, "status": self.status}
        return runs.matching(self.rows, **{key: choice.value for key, choice in wanted.items()})

    def show(self) -> None:
        """A page of the table."""
        chosen = self.chosen
        part, words = self.pages.place(len(chosen))
        found = chosen[part]
        self.say(f"{words} runs, {len(self.rows):,} in the store")
        table = html(reprs.runs(found, CAPTION)) if len(found) else ""
        self.table.value = table

    def draw(self) -> None:
        """The scatter of the family; a ring around the mark chosen, and what the pointer says."""
        self.chart.outputs, self.told.value = (), ""
        if self.group.value is None:
            return
        found = runs.matching(self.rows, group=self.group.value)
        given = self.axis.value, self.published.value, self.family.value, self.mark.value
        chart, marks = runs.scatter(found, *given)
        self.offer(self.mark, [("none", None), *zip(marks, marks, strict=True)])
        if told := marks.get(self.mark.value):
            said = "; ".join(f"{head}: {text}" for head, text in told.items())
            self.told.value = f'<p role="status">{escape(said)}</p>'
        drawn(self.chart, chart)


class Compare(Panel):
    """Two runs side by side."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        wide = {"width": "32em"}
        self.first, self.second = (dropdown(n, layout=wide) for n in ("run", "beside"))
        self.split = dropdown("split", runs.MEASURED)
        self.figures = widgets.HTML()
        self.on_change([self.first, self.second, self.split], self.show)
        self.box.children = (
            row(self.first, self.second, self.split),
            self.message,
            self.figures,
        )
        self.refresh()

    def refresh(self, latest: RunRecord | None = None) -> None:
        """Other runs to choose from."""
        options = runs.options(self.desk.records.values())
        for place, control in enumerate((self.first, self.second)):
            self.offer(control, options, prefer=place)
        self.attempt(self.show)

    def show(self) -> None:
        """Both runs' figures; those of one run where both are the same."""
        names = dict.fromkeys([self.first.value, self.second.value])
        records = [self.desk.records[name] for name in names if name]
        if not records:
            self.figures.value = ""
            self.say("no run is in the store")
            return
        self.figures.value = "".join(
            html(figure) for figure in runs.comparison(records, self.split.value)
        )
        lacking = [runs.title(r) for r in records if self.split.value not in r.splits]
        self.say(f"no {self.split.value} in {', '.join(lacking)}" if lacking else "")
