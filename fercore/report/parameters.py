"""A notebook's parameters: what it declares, what a preset sets, what the command line changes.

The parameters cell is read by `ast` and `tokenize`. Papermill's own inspection goes line by line by
regular expression and drops a parameter whose comment has an equals sign.
"""

from __future__ import annotations

import ast
import difflib
import io
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fercore import presets
from fercore.report.notebooks import ParameterError, read
from fercore.report.paths import absolute


@dataclass(frozen=True)
class Parameter:
    """One literal of a notebook's parameters cell, with the comment beside or above it."""

    name: str
    default: Any
    comment: str

    def __str__(self) -> str:
        return f"{self.name} = {self.default!r}" + (f"  # {self.comment}" if self.comment else "")


def declared(notebook: Path) -> dict[str, Parameter]:
    """What the cell tagged "parameters" assigns, in order; none without such a cell."""
    cells = read(notebook).cells
    tagged = (cell for cell in cells if "parameters" in cell.metadata.get("tags", []))
    source = next((cell.source for cell in tagged), "")
    comments = _comments(source)
    return {
        parameter.name: parameter
        for statement in ast.parse(source).body
        for parameter in _parameters(statement, comments, notebook.name)
    }


def listing(parameters: Mapping[str, Parameter]) -> str:
    """One line per parameter, comments below one another."""
    starts = [f"  {name} = {found.default!r}" for name, found in parameters.items()]
    width = min(max(map(len, starts), default=0), 44)
    return "\n".join(
        f"{start:<{width}}  # {found.comment}".rstrip(" #")
        for start, found in zip(starts, parameters.values(), strict=True)
    )


def assignments(texts: Iterable[str]) -> dict[str, str]:
    """The command line's NAME=VALUE texts as a mapping; the last one of a name counts."""
    pairs = [text.partition("=") for text in texts]
    for name, equals, value in pairs:
        if not equals or not name.isidentifier():
            raise ParameterError(f"{name + equals + value!r}: expected NAME=VALUE, as EPOCHS=3")
    return {name: value for name, _, value in pairs}


def resolve(
    asked: Sequence[Path],
    available: Sequence[Path],
    preset: Path,
    overrides: Mapping[str, str],
    base: Path | None = None,
) -> dict[Path, dict[str, Any]]:
    """What to pass to each of the `asked` notebooks: numbers, texts, lists and None.

    A name in `overrides` must belong to at least one of the asked notebooks, a name in the preset
    to at least one of the available ones. Paths in overrides are taken from `base` (default: the
    current folder), those in a preset from the folder above the notebooks.
    Raises `ParameterError`, `fercore.presets.PresetError`, `fercore.setting.StudyError`.
    """
    from fercore.setting import typed  # here: it needs torch, which takes a second

    known = {notebook: declared(notebook) for notebook in {*asked, *available}}
    settings = presets.read(preset)
    _refuse_unknown(settings, known, f"preset {preset.name}: ")
    _refuse_unknown(overrides, {notebook: known[notebook] for notebook in asked}, "")
    preset_only = {name: value for name, value in settings.items() if name not in overrides}
    settings = absolute(preset_only, asked[0].resolve().parent.parent)
    settings = typed(settings | absolute(overrides, base or Path.cwd()))
    return {
        notebook: {name: value for name, value in settings.items() if name in known[notebook]}
        for notebook in asked
    }


def _parameters(
    statement: ast.stmt, comments: Mapping[int, str], notebook: str
) -> Iterable[Parameter]:
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    else:
        return
    for target in targets:
        name = ast.unparse(target)
        try:
            default = ast.literal_eval(statement.value or ast.Constant(None))
        except ValueError:
            raise ParameterError(f"{notebook}: parameter {name} is not a plain literal") from None
        yield Parameter(name, default, _comment(statement, comments))


def _comments(source: str) -> dict[int, str]:
    """Comments by line; those alone on their line are marked by a leading hash."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]: token.line.strip()
        if token.line.lstrip().startswith("#")
        else token.string.lstrip("# ")
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def _comment(statement: ast.stmt, comments: Mapping[int, str]) -> str:
    """The comment at the end of the statement, else the lines of comment directly above it."""
    beside = comments.get(statement.end_lineno or 0) or comments.get(statement.lineno)
    if beside and not beside.startswith("#"):
        return beside
    above: list[str] = []
    line = statement.lineno - 1
    while comments.get(line, "").startswith("#"):
        above.insert(0, comments[line].lstrip("# "))
        line -= 1
    return " ".join(above)


def _refuse_unknown(
    names: Iterable[str], known: Mapping[Path, Mapping[str, Parameter]], where: str
) -> None:
    union = {name: found for parameters in known.values() for name, found in parameters.items()}
    for name in names:
        if name not in union:
            close = difflib.get_close_matches(name.upper(), union, n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            owners = ", ".join(sorted(notebook.stem for notebook in known))
            raise ParameterError(
                f"{where}{name} is no parameter of {owners}{hint}. There are:\n{listing(union)}"
            )
