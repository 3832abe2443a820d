"""The documentation site: `make docs` builds it into build/site, every warning an error.

Sphinx reads docs/*.md (MyST) and the docstrings of fercore. Nothing on a page is fetched from
another host: Furo uses the system's fonts, and search is a script beside the pages.
"""

from __future__ import annotations

import inspect
import re
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "reports" / "quick" / "report.html"

project = "fercore"
html_title = "fercore"
author = "the fercore authors"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["cluster", "examples"]

html_theme = "furo"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_show_search_summary = False  # it would be fetched, which a page opened as a file may not

myst_heading_anchors = 3

default_role = "py:obj"  # `name` in a docstring is a link where the site knows the name
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True


def setup(app: Sphinx) -> None:
    """What Sphinx calls first."""
    app.add_config_value("report", str(REPORT), "html", str)
    app.connect("config-inited", know_the_report)
    app.connect("autodoc-skip-member", without_aliases)
    app.connect("autodoc-process-signature", arrays_in_short)
    app.connect("autodoc-process-docstring", parameters_apart)
    app.connect("include-read", without_folders)
    app.connect("html-page-context", level_of_captions, priority=900)  # after Furo
    app.connect("build-finished", copy_report)


def know_the_report(app: Sphinx, config: Config) -> None:
    """Pages may ask `only report`: has `make report` made one?"""
    if Path(config.report).exists():
        app.tags.add("report")


def without_aliases(
    app: Sphinx, what: str, name: str, subject: Any, skip: bool, options: Any
) -> bool | None:
    """Fields of a named tuple stand in its signature and its text."""
    return True if (inspect.getdoc(subject) or "").startswith("Alias for field") else None


def arrays_in_short(
    app: Sphinx, what: str, name: str, subject: Any, options: Any, given: str, returned: str
) -> tuple[str, str] | None:
    """NDArray[uint8], as the source has it, for what numpy makes of that."""
    if not given:
        return None
    long = r"ndarray\[tuple\[Any, \.\.\.\], dtype\[(\w+)\]\]"
    return re.sub(long, r"NDArray[\1]", given), re.sub(long, r"NDArray[\1]", returned or "")


def parameters_apart(
    app: Sphinx, what: str, name: str, subject: Any, options: Any, lines: list[str]
) -> None:
    """A docstring's line "name: meaning" begins a paragraph if it is a parameter or a field."""
    names = {*getattr(subject, "__annotations__", {}), *_parameters(subject)}
    apart: list[str] = []
    inside = False
    for line in lines:
        found = re.match(r"(\w+): (.+)", line)
        if found and found[1] in names:
            apart += ["", f"**{found[1]}**: {found[2]}"]
            inside = True
        else:
            inside = inside and line.startswith(" ")
            apart.append(line.strip() if inside else line)
    lines[:] = apart


def _parameters(subject: Any) -> set[str]:
    try:
        return set(inspect.signature(subject).parameters)
    except (TypeError, ValueError):
        return set()


def without_folders(app: Sphinx, path: Path, document: str, content: list[str]) -> None:
    """Folders that README links to have no page here: the words stay."""
    content[0] = re.sub(r"\[([^]]+)\]\((?:reports|notebooks)/[^)]*\)", r"\1", content[0])


def level_of_captions(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Furo's captions of the contents are headings; screen readers need their level."""
    tree = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = tree.replace(
        'role="heading"', 'role="heading" aria-level="2"'
    )


def copy_report(app: Sphinx, error: Exception | None) -> None:
    """Lay the report beside the pages."""
    if error is None and "report" in app.tags:
        shutil.copyfile(app.config.report, Path(app.outdir) / "quick.html")
