"""Draws README's two figures from the records that come with fercore, or shows a finished report.

    python docs/pictures.py                             # answer.png and verdicts.png
    python docs/pictures.py reports/quick/report.html   # report.png, with the system's Chromium

Each figure carries a fingerprint of what it was drawn from; tests/test_readme.py compares it with
that of the records.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from fercore import analysis, archive, figures
from fercore.display import Figure
from fercore.experiments import verdicts, why

IMAGES = Path(__file__).parent / "images"
SPLIT = "PublicTest"
SHOWN = ["network", "family", "report", "params_trainable", "seed", SPLIT]
COMPARED = ["hypothesis", "subject", "change", "size", "seed", SPLIT]
KEY = "Drawn from"
"""Where the fingerprint stands in a PNG's text."""

EDGE = 16
"""Pixels between two screens."""


class Numbers(NamedTuple):
    """What is drawn: runs of both families, published figures, trials of the explanations."""

    runs: pd.DataFrame
    published: pd.DataFrame
    trials: pd.DataFrame

    def fingerprints(self) -> dict[str, str]:
        """By picture; the same for the same numbers and names."""
        answer = self.runs[SHOWN].to_csv(index=False) + self.published.to_csv(index=False)
        tried = self.trials.dropna(subset=SPLIT)[COMPARED]
        texts = {"answer": answer, "verdicts": tried.to_csv(index=False)}
        return {name: hashlib.sha256(t.encode()).hexdigest()[:16] for name, t in texts.items()}


def numbers(this: archive.Archive) -> Numbers:
    """Those of the records."""
    runs = this.runs(this.family("mobilenet") + this.family("cnn"))
    return Numbers(runs, this.published("Q2", "Q3"), this.experiments())


def draw() -> None:
    """Draw both figures as question 6 does."""
    this = archive.begin({})
    found = numbers(this)
    means = analysis.bootstrap(found.runs, SPLIT, this.random())
    summary = analysis.summarise(found.runs, SPLIT, means)
    answer = figures.size_against_accuracy(
        found.runs,
        summary,
        SPLIT,
        analysis.compare(summary, means),
        published=found.published,
    )
    forest = why.forest(verdicts.judge(found.trials, SPLIT), SPLIT)
    marks = found.fingerprints()
    for name, drawn in (("answer", answer), ("verdicts", forest)):
        assert isinstance(drawn, Figure)
        drawn.figure.savefig(
            IMAGES / f"{name}.png",
            dpi=200,
            bbox_inches="tight",
            pad_inches=0.05,
            metadata={"Software": None, KEY: marks[name]},
        )


def show(report: Path) -> None:
    """A report's first screen, and beside it the chart to explore with its tip."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1320, "height": 900}, reduced_motion="reduce")
        page.goto(report.resolve().as_uri())
        screens = [_screen(page)]
        chart = page.locator("#chart-q4-explore .vega")
        chart.evaluate("chart => chart.scrollIntoView()")
        chart.locator("svg .mark-symbol path[aria-label*='±']").last.hover(force=True)
        page.locator("#vg-tooltip-element").wait_for()
        screens.append(_screen(page))
        browser.close()
    width, height = screens[0].size
    both = Image.new("RGB", (2 * width + EDGE, height), "grey")
    for place, screen in enumerate(screens):
        both.paste(screen, (place * (width + EDGE), 0))
    both.quantize(256).save(IMAGES / "report.png", optimize=True)


def _screen(page: Page) -> Image.Image:
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    return shot.resize((2 * shot.width // 3, 2 * shot.height // 3), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    show(Path(sys.argv[1])) if len(sys.argv) > 1 else draw()
