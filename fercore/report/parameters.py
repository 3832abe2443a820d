"""A notebook's parameters: what it declares, what a preset sets, what the command line changes.

The parameters cell is read by `ast` and `tokenize`. Papermill's own inspection goes line by line by
regular expression and drops a parameter whose comment has an equals sign.
"""

from __future__ import annotations

import ast
import difflib
import io
import math
import re
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fercore.report.notebooks import ReportError, read

PATHS = {
    "DATA": "Give DATA=path/to/fer2013.csv, or fetch FER2013 into data/ by: make data",
    "FERPLUS": "Give FERPLUS=path/to/fer2013new.csv, from github.com/microsoft/FERPlus",
}
"""Parameters that name a file: made absolute, since a notebook runs in its own folder; and what
to do where there is none."""

NOTHING = ("None", "none", "null")
"""How None is spelled on the command line."""

_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class ParameterError(ReportError):
    """A parameter, its value or a preset that does not fit the notebooks."""


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


def find_preset(preset: str, notebooks: Path) -> Path:
    """The preset's file: a name in `notebooks`/presets, or a path that ends in .yaml or .yml."""
    if Path(preset).suffix in (".yaml", ".yml"):
        path = Path(preset)
    else:
        path = notebooks / "presets" / f"{preset}.yaml"
    if path.is_file():
        return path
    known = ", ".join(sorted(file.stem for file in (notebooks / "presets").glob("*.yaml")))
    raise ParameterError(f"no preset {preset!r} ({path}); there are: {known or 'none'}")


def read_preset(path: Path) -> dict[str, Any]:
    """A preset: one flat mapping of UPPERCASE names to values; an empty file changes nothing."""
    try:
        text = path.read_text(encoding="utf-8")
        content = yaml.safe_load(text) or {}
    except (OSError, UnicodeDecodeError, RecursionError, yaml.YAMLError) as error:
        raise ParameterError(f"{path}: no valid YAML: {error}") from None
    if not isinstance(content, dict) or not all(str(name).isupper() for name in content):
        raise ParameterError(f"{path}: expected lines NAME: value with names in upper case")
    for name in content:  # YAML lets the last one win, without a word
        if len(re.findall(rf"^{re.escape(str(name))}\s*:", text, re.MULTILINE)) > 1:
            raise ParameterError(f"{path}: {name}: expected once, found more than once")
    return content


def resolve(
    asked: Sequence[Path],
    available: Sequence[Path],
    preset: Path,
    overrides: Mapping[str, str],
    base: Path | None = None,
) -> dict[Path, dict[str, Any]]:
    """What to pass to each of the `asked` notebooks, parsed by the type of its own default.

    A name in `overrides` must belong to at least one of the asked notebooks, a name in the preset
    to at least one of the available ones. Paths in overrides are taken from `base` (default: the
    current folder), those in a preset from the folder above the notebooks.
    """
    known = {notebook: declared(notebook) for notebook in {*asked, *available}}
    settings = read_preset(preset)
    _refuse_unknown(settings, known, f"preset {preset.name}: ")
    _refuse_unknown(overrides, {notebook: known[notebook] for notebook in asked}, "")
    preset_only = {name: value for name, value in settings.items() if name not in overrides}
    settings = _absolute(preset_only, asked[0].parent.parent)
    settings |= _absolute(overrides, base or Path.cwd())
    return {
        notebook: {
            name: convert(name, value, known[notebook][name].default)
            for name, value in settings.items()
            if name in known[notebook]
        }
        for notebook in asked
    }


def convert(name: str, value: Any, default: Any) -> Any:
    """A text as it was typed, or a value as YAML gave it, in the type of `default`."""
    if value is None or (isinstance(value, str) and value.strip() in NOTHING):
        return None  # whether a parameter may be None is for the study to say
    try:
        result = _parse(value, default) if isinstance(value, str) else _cast(value, default)
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        raise ParameterError(
            f"{name}={_short(value)}: expected {_expected(default)}, as the default {default!r}"
        ) from None
    return result


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


def _absolute(settings: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """Paths made absolute against `base`; one that does not exist ends it before anything runs."""
    result = dict(settings)
    for name, advice in PATHS.items():
        value = result.get(name)
        if not isinstance(value, str) or value.lower() in ("synthetic", "none", ""):
            continue
        path = _existing(base, value)
        if path is None:
            raise ParameterError(
                f"{name}={_short(value)[1:-1]}: no such file or folder "
                f"({_short(str(base / value))[1:-1]}). {advice}"
            )
        result[name] = str(path)
    return result


def _short(value: object) -> str:
    """As Python writes it: on one line, without control characters, and not without end."""
    text = repr(value)
    return text if len(text) < 300 else f"{text[:150]} ... {text[-150:]}"


def _existing(base: Path, value: str) -> Path | None:
    try:
        path = (base / Path(value).expanduser()).resolve()
        return path if path.exists() else None
    except (OSError, RuntimeError, ValueError):  # too long, a loop, ~somebody unknown, a NUL
        return None


def _parse(text: str, default: Any) -> Any:
    if isinstance(default, str):
        return text
    if default is None:
        return None if text.strip().lower() in ("", "none") else _literal(text)
    if isinstance(default, bool):
        return _TRUTH[text.strip().lower()]
    if isinstance(default, list | tuple):
        return _parse_list(text, default)
    if isinstance(default, int | float):
        return _finite(type(default)(text))
    return _cast(ast.literal_eval(text), default)


def _parse_list(text: str, default: Sequence[Any]) -> list[Any]:
    """Items between commas, brackets optional, each in the type of the default's first."""
    if default and isinstance(default[0], list | tuple | dict):
        return _cast_list(ast.literal_eval(text), default)
    items = [item.strip(" '\"") for item in text.strip("[]() ").split(",")]
    given = [item for item in items if item]
    return [_parse(item, default[0]) if default else _literal(item) for item in given]


def _cast(value: Any, default: Any) -> Any:
    if default is None:
        return value
    if isinstance(default, list | tuple):
        return _cast_list(value, default)
    if isinstance(default, float) and type(value) is int:
        return float(value)
    if type(value) is not type(default):
        raise TypeError
    return _finite(value)


def _cast_list(values: Any, default: Sequence[Any]) -> list[Any]:
    if not isinstance(values, list | tuple):
        raise TypeError
    return [convert("item", value, default[0]) if default else value for value in values]


def _literal(text: str) -> Any:
    """Where the default tells no type: a literal if it reads as one, else the text itself."""
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError
    return value


def _expected(default: Any) -> str:
    kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
    if isinstance(default, list | tuple):
        return "a list between commas"
    return kinds.get(type(default), f"a {type(default).__name__}")
