"""A parameter's value: from the text that was typed, or from YAML, to the type of its default."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from typing import Any

from fercore.report.notebooks import ParameterError

NOTHING = ("None", "none", "null")
"""How None is spelled on the command line."""

_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def convert(name: str, value: Any, default: Any) -> Any:
    """A text as it was typed, or a value as YAML gave it, in the type of `default`."""
    if value is None or (isinstance(value, str) and value.strip() in NOTHING):
        return None  # whether a parameter may be None is for the study to say
    try:
        result = _parse(value, default) if isinstance(value, str) else _cast(value, default)
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        raise ParameterError(
            f"{name}={short(value)}: expected {_expected(default)}, as the default {default!r}"
        ) from None
    return result


def short(value: object) -> str:
    """As Python writes it: on one line, without control characters, and not without end."""
    text = repr(value)
    return text if len(text) < 300 else f"{text[:150]} ... {text[-150:]}"


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
