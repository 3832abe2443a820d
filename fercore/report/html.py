"""Executed notebooks as one self-contained page: no request to anywhere."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from nbconvert.exporters.html import HTMLExporter
from nbformat import NotebookNode

from fercore.display import CHART_MIME
from fercore.language import current, fill, mark, say
from fercore.plain import tied
from fercore.report.appendix import appendix
from fercore.report.assets import TEMPLATES, css, policy, scripts
from fercore.report.front import MAIN_FIGURE, PHOTOGRAPHS, Front, count_runs, provenance
from fercore.report.offline import make_offline

_HEADINGS = re.compile(r"h[1-6]")


@dataclass(frozen=True)
class Entry:
    """A line of the contents: where it leads, its text and the sections below it."""

    anchor: str
    text: str
    sections: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Lead:
    """The main figure for the first screen; what is not known is empty."""

    figure: str = ""
    """The main figure's <img>."""
    number: str = ""
    """As "Figure 7"."""
    anchor: str = ""
    """Of the main figure in its chapter."""
    chart: str = ""
    """Anchor of the chart that stands beside it."""


def page(notebooks: Mapping[str, NotebookNode], folder: Path, front: Front) -> str:
    """The whole page. `notebooks` are executed, by key; `folder` holds what their text embeds."""
    body = BeautifulSoup("", "html.parser")
    end = BeautifulSoup(render("appendix.html.j2", **appendix(front)), "html.parser")
    taken = {str(tag["id"]) for tag in end.find_all(id=True)}
    for key, notebook in notebooks.items():
        body.append(chapter(key, notebook, folder, taken))
    if len(notebooks) == 1:
        _drop_title(body)
    body.append(end)
    _number(body)
    _tie(body)
    _scroll(body)
    _link(body)
    used = scripts(charts=bool(body.select(".vega")))
    return render(
        "page.html.j2",
        front=front,
        lead=lead(body) if len(notebooks) > 1 else Lead(),
        photographs=PHOTOGRAPHS,
        css=css(current()),
        scripts=used,
        words=_script_words(used[0]),
        policy=policy(used, fonts=current() != "en"),
        contents=contents(body),
        body=str(body),
    )


def chapter(key: str, notebook: NotebookNode, folder: Path, taken: set[str] | None = None) -> Tag:
    """One notebook as a section: code folded, headings one level down, ids begin with `key`.

    taken: ids that the page has already; those of this section are added.
    """
    with_charts = _charts(notebook)
    text, _ = _exporter().from_notebook_node(with_charts, {"metadata": {"path": str(folder)}})
    soup = BeautifulSoup(f'<section class="chapter" id="{key}">{text}</section>', "html.parser")
    section = soup.section
    assert section is not None
    make_offline(section)
    for tag in section.find_all("a", class_="anchor-link"):
        tag.decompose()
    _join_code(section)
    _cite_runs(section, provenance(notebook))
    _lower_headings(section)
    _prefix_ids(section, key, set() if taken is None else taken)
    return section.extract()


@cache
def _exporter() -> HTMLExporter:
    """One for all chapters: each of its own would compile all of nbconvert's templates again."""
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="notebook",
        extra_template_basedirs=[str(TEMPLATES)],
        embed_images=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    exporter.environment.globals["say"] = words
    return exporter


def _charts(notebook: NotebookNode) -> NotebookNode:
    """Charts as the HTML that the page's script looks for; the notebook itself is left as it is."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            about = output.get("metadata", {}).get("fercore", {})
            if CHART_MIME in output.get("data", {}) and about.get("kind") == "chart":
                html = render("chart.html.j2", spec=output.data[CHART_MIME], **about)
                output.data = {"text/html": html}
    return notebook


def _tie(body: Tag) -> None:
    """No line of text ends between a number and its percent sign or its interval."""
    for text in body.find_all(string=re.compile("[%±]")):
        hidden = type(text) is not NavigableString  # a comment
        if not hidden and not text.find_parent(["pre", "code", "script", "style", "svg"]):
            text.replace_with(tied(text))


def lead(body: Tag) -> Lead:
    """The main figure, if the report has it."""
    figure = body.find("figure", id=MAIN_FIGURE)
    if figure is None or figure.img is None:
        return Lead()
    chart = figure.find_next("figure", class_="fercore-chart")
    return Lead(
        figure=str(figure.img),
        number=str(figure.get("data-number", "")),
        anchor=MAIN_FIGURE,
        chart=str(chart["id"]) if chart else "",
    )


def contents(body: Tag) -> list[Entry]:
    """Chapters with their sections, from the headings."""
    entries: list[Entry] = []
    for head in body.select("section.chapter :is(h2, h3)"):
        entry = Entry(str(head["id"]), head.get_text())
        if head.name == "h2" or not entries:
            entries.append(entry)
        else:
            entries[-1] = replace(entries[-1], sections=(*entries[-1].sections, entry))
    return entries


def render(template: str, **values: object) -> str:
    """One of our templates, all values escaped unless the template says otherwise."""
    found = _environment().get_template(template)
    return str(found.render(say=words, language=current(), **values))


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(TEMPLATES)
    found = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    found.filters["tied"] = tied
    return found


def words(template: str, /, **fields: object) -> Markup:
    """`say` for our HTML templates: markup in the template is meant, in a field it is escaped."""
    return Markup(fill(Markup(say(template)), fields))


def _script_words(script: str) -> dict[str, str]:
    """What the page's script says, as it is to say it; nothing where that is the same."""
    said = {text: say(text) for text in re.findall(r'\bsay\("([^"]+)"\)', script)}
    return {text: other for text, other in said.items() if text != other}


def _cite_runs(section: Tag, source: Mapping[str, Any] | None) -> None:
    """The notebook's provenance becomes one paragraph of links: the appendix has the rest."""
    for details in section.find_all("details", class_="fercore-provenance"):
        runs = source["runs"] if source else []
        html = render("rests.html.j2", runs=runs, count=count_runs(len(runs)))
        details.replace_with(BeautifulSoup(html, "html.parser"))


def _join_code(section: Tag) -> None:
    """Cells that show nothing fold together with the next one, under all their words, each once."""
    for details in section.select("details.code"):
        before = details.find_previous_sibling()
        if before is None or "code" not in before.get_attribute_list("class"):
            continue
        assert details.summary is not None
        word = details.summary.extract().get_text().lower()
        if before.summary and word not in before.summary.get_text().lower().split(", "):
            before.summary.append(f", {word}")
        before.extend(list(details.contents))
        details.decompose()


def _lower_headings(section: Tag) -> None:
    for head in section.find_all(_HEADINGS):
        head.name = f"h{min(int(head.name[1]) + 1, 6)}"
        found = re.findall(r"[a-z0-9\u4e00-\u9fff]+", head.get_text().lower())
        head["id"] = "-".join(found[:8]) or "section"


def _prefix_ids(section: Tag, key: str, taken: set[str]) -> None:
    """Make ids unique in the report; links within the chapter follow."""
    renamed: dict[str, str] = {}
    section["id"] = _free(key, taken)
    for tag in section.find_all(id=True):
        old = str(tag["id"])
        new = _free(_prefixed(old, key), taken)
        renamed.setdefault(old, new)
        tag["id"] = new
    for link in section.find_all("a", href=re.compile("^#")):
        target = str(link["href"])[1:]
        link["href"] = f"#{renamed.get(target, target)}"


def _prefixed(anchor: str, key: str) -> str:
    """fig-curve of q2 becomes fig-q2-curve, a heading q2-...; a name that begins so is kept."""
    kind, dash, name = anchor.partition("-")
    if kind not in ("fig", "tab", "chart") or not dash:
        kind, dash, name = "", "", anchor
    return f"{kind}{dash}{name}" if name.startswith(f"{key}-") else f"{kind}{dash}{key}-{name}"


def _free(anchor: str, taken: set[str]) -> str:
    numbered = [anchor, *(f"{anchor}-{count}" for count in range(2, len(taken) + 3))]
    free = next(name for name in numbered if name not in taken)
    taken.add(free)
    return free


def _drop_title(body: Tag) -> None:
    """A single notebook's title stands on the title page already; its sections take its place."""
    title = body.find("h2")
    if title is not None:
        title.decompose()
        for head in body.find_all(_HEADINGS):
            head.name = f"h{int(head.name[1]) - 1}"


def _number(body: Tag) -> None:
    """Figure 1, 2, ... and Table 1, 2, ... through the whole report, in each caption."""
    kinds = mark({"fercore-figure": "Figure {count}", "fercore-table": "Table {count}"})
    for kind, word in kinds.items():
        for count, figure in enumerate(body.find_all("figure", class_=kind), start=1):
            figure["data-number"] = number = say(word, count=count)
            caption = figure.find("figcaption")
            if caption is not None:
                label = say("{number}.", number=number)
                html = f'<span class="label">{label}</span> '
                caption.insert(0, BeautifulSoup(html, "html.parser"))


def _scroll(body: Tag) -> None:
    """A table or a text wider than the screen scrolls by itself, by keyboard too."""
    for text in body.find_all("pre"):
        text["tabindex"] = "0"
    for table in body.find_all("table"):
        figure = table.find_parent("figure")
        label = str(figure["data-number"]) if figure and figure.get("data-number") else say("Table")
        attributes = {"class": "scroll", "tabindex": "0", "role": "group", "aria-label": label}
        table.wrap(BeautifulSoup("", "html.parser").new_tag("div", attrs=attributes))


def _link(body: Tag) -> None:
    """A link to a figure or table shows its number; one that leads nowhere becomes plain text."""
    anchors = {str(tag["id"]): tag for tag in body.find_all(id=True)}
    for link in body.find_all("a", href=re.compile("^#")):
        target = _target(str(link["href"])[1:], anchors)
        if target is None:
            link.unwrap()
            continue
        link["href"] = f"#{target['id']}"
        if target.get("data-number"):
            link.string = str(target["data-number"])


def _target(anchor: str, anchors: Mapping[str, Tag]) -> Tag | None:
    """The very anchor, or that of the one chapter that has it (fig-curve for fig-q2-curve)."""
    if anchor in anchors:
        return anchors[anchor]
    kind, _, name = anchor.partition("-")
    pattern = re.compile(rf"{kind}-[a-z0-9]+-{re.escape(name)}")
    return next((tag for key, tag in anchors.items() if pattern.fullmatch(key)), None)
