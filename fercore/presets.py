"""A preset: a file of parameters by name, the same for all notebooks that have them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from fercore.provenance import root


class PresetError(ValueError):
    """A preset that is not there, or is no list of names and values."""


def find(preset: str, notebooks: Path | None = None) -> Path:
    """The preset's file: a name in `notebooks`/presets, or a path that ends in .yaml or .yml.

    notebooks: default the project's own. Raises `PresetError`, which names those there are.
    """
    folder = (notebooks or root() / "notebooks") / "presets"
    path = Path(preset)
    if path.suffix not in (".yaml", ".yml"):
        path = folder / f"{preset}.yaml"
    if path.is_file():
        return path
    known = ", ".join(sorted(file.stem for file in folder.glob("*.yaml")))
    raise PresetError(f"no preset {preset!r} ({path}); there are: {known or 'none'}")


def read(path: Path) -> dict[str, Any]:
    """One flat mapping of UPPERCASE names to values; an empty file changes nothing.

    Raises `PresetError` for any other form; whether a value fits is for `fercore.setting` to say.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = yaml.safe_load(text) or {}
    except Exception as error:  # yaml raises what it likes: `!!timestamp x` an AttributeError
        raise PresetError(f"{path}: no valid YAML: {error}") from None
    if not isinstance(content, dict) or not all(str(name).isupper() for name in content):
        raise PresetError(f"{path}: expected lines NAME: value with names in upper case")
    for name in content:  # YAML lets the last one win, without a word
        if len(re.findall(rf"^{re.escape(str(name))}\s*:", text, re.MULTILINE)) > 1:
            raise PresetError(f"{path}: {name}: expected once, found more than once")
    return content
