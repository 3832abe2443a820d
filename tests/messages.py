"""What the report can say, collected from the code; `python -m tests.messages` updates catalogues.

A message is the literal in `say("...")` or in a template's `say('...')`, every text in `mark(...)`,
and of the notebooks: Markdown cells, captions and the comments of parameters.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from fercore.experiments.hypotheses import HYPOTHESES
from fercore.language import CATALOGUES, LANGUAGES
from fercore.report.notebooks import find, read
from fercore.report.parameters import declared
from fercore.spec import AugmentSpec, TrainSpec

ROOT = Path(__file__).parents[1]
HEADER = """\
# What the report says, in {language}; CONTRIBUTING.md says how it is kept.
msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""
_IN_TEMPLATE = re.compile(r"""\bsay\(\s*(?:"([^"]+)"|'([^']+)')""")


def messages() -> dict[str, str]:
    """Every message, with the file that it comes from, in order of files."""
    found: dict[str, str] = {}
    for path in [*sorted((ROOT / "fercore").rglob("*")), *find(ROOT / "notebooks")]:
        for text in _of_file(path):
            found.setdefault(text, str(path.relative_to(ROOT)))
    for text in [*TrainSpec.model_fields, *AugmentSpec.model_fields]:
        if text != "augment":  # of which the table shows the parts
            found.setdefault(text, "fercore/spec.py")
    for hypothesis in HYPOTHESES.values():
        for text in [hypothesis.claim, *(c.words for c in hypothesis.changes)]:
            found.setdefault(text, "fercore/experiments/hypotheses.py")
    return found


def _of_file(path: Path) -> Iterator[str]:
    match path.suffix:
        case ".py":
            yield from _of_code(ast.parse(path.read_text(encoding="utf-8")))
        case ".j2" | ".js":
            found = _IN_TEMPLATE.findall(path.read_text(encoding="utf-8"))
            yield from (double or single for double, single in found)
        case ".ipynb":
            yield from _of_notebook(path)


def _of_code(tree: ast.Module) -> Iterator[str]:
    """From what the module calls by the names of `fercore.language`: others have a `say`, too."""
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    known = {name.name for i in imports if i.module == "fercore.language" for name in i.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in known & {"say", "mark"}:
            yield from _texts(node.args[0])


def _texts(node: ast.expr) -> Iterator[str]:
    """The texts of a literal; of a mapping its values."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.Dict):
        for value in node.values:
            yield from _texts(value)
    elif isinstance(node, ast.List | ast.Tuple):
        for value in node.elts:
            yield from _texts(value)
    elif isinstance(node, ast.Starred):
        yield from _texts(node.value)


def _of_notebook(path: Path) -> Iterator[str]:
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            yield cell.source
        elif "caption" in cell.source:
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.keyword | ast.Assign) and _is_caption(node):
                    yield from _texts(node.value)
    for parameter in declared(path).values():
        yield parameter.comment


def _is_caption(node: ast.keyword | ast.Assign) -> bool:
    name = node.arg if isinstance(node, ast.keyword) else ast.unparse(node.targets[0])
    return name == "caption"


def path_of(language: str) -> Path:
    """The catalogue of a language."""
    return CATALOGUES / f"{language.replace('-', '_')}.po"


def update(language: str, more: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """Bring the catalogue in line with the code; returns the messages without a translation.

    Translations are kept, those of messages that are gone are dropped, new ones stand empty.
    more: translations to enter.
    """
    path, kept = path_of(language), {}
    if path.exists():
        with path.open("rb") as file:
            kept = {str(message.id): str(message.string) for message in read_po(file)}
    kept |= more
    catalog = Catalog(locale=language.replace("-", "_"))
    found = messages()
    for text, where in found.items():
        catalog.add(text, kept.get(text, ""), locations=[(where, 0)])
    with path.open("wb") as file:
        file.write(HEADER.format(language=language).encode())
        write_po(file, catalog, width=100, include_lineno=False, omit_header=True)
    return [text for text in found if not kept.get(text)]


if __name__ == "__main__":
    for name in LANGUAGES[1:]:
        missing = update(name)
        print(f"{path_of(name).relative_to(ROOT)}: {len(missing)} messages without a translation")
        for text in missing:
            print(f"  {text[:90]!r}")
