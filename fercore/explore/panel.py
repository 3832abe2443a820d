"""What all panels share: a box of widgets that a cell shows, and a line that says what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from fercore.display import Chart, Figure, Table
from fercore.record import RunRecord

if TYPE_CHECKING:
    from fercore.explore.desk import Desk

WIDE = {"description_width": "initial"}


class Panel:
    """Controls above what they show; a cell that ends with a panel shows it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.message = widgets.HTML()
        self.box = widgets.VBox()
        self._quiet = False

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Any:
        return self.box._repr_mimebundle_(include=include, exclude=exclude)

    def refresh(self, latest: RunRecord | None = None) -> None:
        """The store changed; latest: the run that was just finished."""

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
        """Do it; all errors of the project are `ValueError`."""
        try:
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


def dropdown(description: str, options: Iterable[Any] = (), **more: Any) -> Any:
    """A list to choose one of."""
    return widgets.Dropdown(description=description, options=list(options), style=WIDE, **more)


def number(description: str, value: int, low: int, high: int) -> Any:
    """A whole number to type."""
    layout = {"width": "12em"}
    return widgets.BoundedIntText(
        value, description=description, min=low, max=high, style=WIDE, layout=layout
    )


def row(*controls: Any) -> Any:
    """Controls side by side, on several lines where there is no room."""
    return widgets.HBox(controls, layout=widgets.Layout(flex_flow="row wrap"))


def html(shown: Figure | Table) -> str:
    """A figure or table as HTML, which scrolls by keyboard where it is wider than the page."""
    text = shown._repr_mimebundle_()[0]["text/html"]
    return f'<div tabindex="0" role="region" aria-label="{escape(shown.name)}" ' + (
        f'style="overflow: auto; max-height: 40em">{text}</div>'
    )


def drawn(output: Any, chart: Chart) -> None:
    """Have an `Output` show a chart; unlike `display` this may be done from any thread."""
    data, metadata = chart._repr_mimebundle_()
    output.outputs = ({"output_type": "display_data", "data": data, "metadata": metadata},)
