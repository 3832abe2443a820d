"""What all panels share: a box of widgets that a cell shows, and a line that says what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from fercore.display import CHART_MIME, Chart, Figure, Table
from fercore.store.record import RunRecord

if TYPE_CHECKING:
    from fercore.explore.desk import Desk

WIDE = {"description_width": "initial"}
STYLE = """<style>
.fercore .widget-hbox { column-gap: 6px }
.fercore .widget-html-content { line-height: 1.4 }
.fercore figure { margin: 4px 0 8px }
.fercore figure > img { max-width: 100%; height: auto }
.fercore table { border-collapse: collapse; margin: 4px 1.5em 4px 0 }
.fercore th, .fercore td { padding: 2px 8px; white-space: nowrap; vertical-align: baseline }
.fercore thead { border-bottom: 1px solid var(--jp-border-color1, #bdbdbd) }
.fercore td[style*="gradient"] { min-width: 7em }
.fercore tbody tr:nth-child(even) { background: var(--jp-rendermime-table-row-background) }
</style>"""
"""JupyterLab gives widgets the line height of a button, and their tables no space at all."""


class Panel:
    """Controls above what they show; a cell that ends with a panel shows it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.message = widgets.HTML()
        self.box = widgets.VBox()
        self.whole = widgets.VBox([widgets.HTML(STYLE, layout={"display": "none"}), self.box])
        self.whole.add_class("fercore")
        self._quiet = False

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Any:
        return self.whole._repr_mimebundle_(include=include, exclude=exclude)

    def refresh(self, latest: RunRecord | None = None) -> None:
        """The store changed; latest: the run that was just finished."""

    def close(self) -> None:
        """Widgets are kept by ipywidgets until they are closed, and keep what they call."""
        rest = [self.whole]
        while rest:
            widget = rest.pop()
            rest += getattr(widget, "children", ())
            widget.close()

    def say(self, text: str, role: str = "status") -> None:
        """Show a line; role: "alert" for what is wrong."""
        colour = "; color: var(--jp-error-color1, #b00020)" if role == "alert" else ""
        self.message.value = f'<p role="{role}" style="margin: 4px 0{colour}">{escape(text)}</p>'

    def on_change(self, controls: Iterable[Any], action: Callable[[], None]) -> None:
        """Do it whenever one of them has another value; what goes wrong is said."""

        def changed(_: object) -> None:
            if not self._quiet:
                self.attempt(action)

        for control in controls:
            control.observe(changed, "value")

    def on_click(self, button: Any, action: Callable[[], None]) -> None:
        """Do it when the button is pressed; what goes wrong is said."""
        button.on_click(lambda _: self.attempt(action))

    def attempt(self, action: Callable[[], None]) -> None:
        """Do it; all errors of the project are `ValueError`.

        One at a time: the thread of a run that ended refreshes the panels that a hand may be at.
        """
        try:
            with self.desk.lock:
                action()
        except (ValueError, OSError) as error:
            self.say(str(error), "alert")

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Within it, a change of values does nothing."""
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    def offer(self, control: Any, options: Iterable[Any], prefer: int = 0) -> None:
        """Give a dropdown other options; it keeps its value if that is among them."""
        found = list(options)
        values = [option[1] if isinstance(option, tuple) else option for option in found]
        with self.quiet():
            kept = control.value
            control.options = found
            if kept in values:
                control.value = kept
            elif found:
                control.index = min(prefer, len(found) - 1)


class Pages:
    """Buttons that turn the pages of something long; `show` shows the page."""

    def __init__(self, panel: Panel, size: int, show: Callable[[], None]) -> None:
        self.size, self.first, self._show = size, 0, show
        self.before, self.after = (widgets.Button(description=n) for n in ("Previous", "Next"))
        panel.on_click(self.before, lambda: self.turn(-size))
        panel.on_click(self.after, lambda: self.turn(size))

    def turn(self, by: int) -> None:
        """Show what is so much later."""
        self.first = max(0, self.first + by)
        self._show()

    def restart(self) -> None:
        """Show the first page, of something else."""
        self.first = 0
        self._show()

    def place(self, count: int) -> tuple[slice, str]:
        """Of so many: where the page is, and the same in words, as "22 to 42 of 140"."""
        stop = min(self.first + self.size, count)
        self.before.disabled, self.after.disabled = self.first == 0, stop == count
        words = f"{self.first + 1:,} to {stop:,} of {count:,}" if count else "0"
        return slice(self.first, stop), words


def dropdown(description: str, options: Iterable[Any] = (), **more: Any) -> Any:
    """A list to choose one of, for the mouse; `row` puts buttons for the keyboard beside it.

    JupyterLab keeps arrows and letters for itself wherever no text is typed: on a list that has
    the focus an arrow goes to another cell, and x cuts the cell. So Tab passes it by.
    """
    return widgets.Dropdown(
        description=description, options=list(options), style=WIDE, tabbable=False, **more
    )


def _stepped(control: Any) -> Any:
    """A dropdown between buttons that go to the option before and after."""
    buttons = [_step(control, by) for by in (-1, 1)]
    return widgets.HBox([control, *buttons], layout={"margin": "0 1em 0 0"})


def _step(control: Any, by: int) -> Any:
    icon, word = ("chevron-left", "previous") if by < 0 else ("chevron-right", "next")
    tip = f"{word} {control.description}"
    button = widgets.Button(icon=icon, tooltip=tip, layout={"width": "2.5em"})

    def step(_: object) -> None:
        if control.options and not control.disabled:
            control.index = ((control.index or 0) + by) % len(control.options)

    button.on_click(step)
    return button


def number(description: str, value: int, low: int, high: int) -> Any:
    """A whole number to type."""
    layout = {"width": "12em"}
    return widgets.BoundedIntText(
        value, description=description, min=low, max=high, style=WIDE, layout=layout
    )


def row(*controls: Any) -> Any:
    """Controls side by side, on several lines where there is no room."""
    shown = [_stepped(c) if isinstance(c, widgets.Dropdown) else c for c in controls]
    return widgets.HBox(shown, layout={"flex_flow": "row wrap"})


def html(shown: Figure | Table) -> str:
    """A figure or table as HTML, which scrolls where it is wider than the page."""
    return region(shown.name, shown._repr_mimebundle_()[0]["text/html"])


def region(name: str, text: str) -> str:
    """HTML that scrolls where it is wider than the page, by the keyboard too."""
    named = f'tabindex="0" role="region" aria-label="{escape(name)}"'
    return f'<div {named} style="overflow-x: auto">{text}</div>'


def drawn(output: Any, chart: Chart) -> None:
    """Have an `Output` show a chart; unlike `display` this may be done from any thread.

    As SVG, in the colours of the page; without Vega's menu, which has no name for screen readers.
    """
    data, metadata = chart._repr_mimebundle_()
    data[CHART_MIME]["usermeta"] = {"embedOptions": {"renderer": "svg", "actions": False}}
    output.outputs = ({"output_type": "display_data", "data": data, "metadata": metadata},)
