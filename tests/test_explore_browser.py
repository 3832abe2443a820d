"""The notebook to explore in a real JupyterLab, by the keyboard alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from fercore.report.notebooks import read
from fercore.store.runs import RunStore
from tests.face_files import csv_text
from tests.test_report_browser import AXE, CHROMIUM, PATIENCE, SHOTS
from tests.toy import bars

ROOT = Path(__file__).parents[1]
TOKEN = "explore"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine (apt install chromium)"),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder with the notebook on a few faces, and the address of JupyterLab on it."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "fer2013.csv").write_text(csv_text(bars()), "utf-8")
    notebook = read(ROOT / "notebooks" / "explore.ipynb")
    values = {"DATA": "fer2013.csv", "TRAIN_IMAGES": None, "EPOCHS": 3, "DEVICE": "cpu"}
    notebook.cells[1].source += "".join(f"\n{name} = {value!r}" for name, value in values.items())
    nbformat.write(notebook, folder / "explore.ipynb")  # type: ignore[no-untyped-call]
    own = {f"JUPYTER_{name}_DIR": str(folder / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    own |= {"IPYTHONDIR": str(folder / "ipython"), "FERCORE_RUNS": str(folder / "runs")}
    options = [
        "--no-browser",
        "--allow-root",
        "--ServerApp.port=0",
        f"--ServerApp.root_dir={folder}",
    ]
    command = [sys.executable, "-m", "jupyter", "lab", f"--IdentityProvider.token={TOKEN}"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, *options], env={**os.environ, **own}, stdout=log, stderr=log
        )
        try:
            yield folder, address(folder / "RUNTIME", server)
        finally:
            server.terminate()
            server.wait()


def address(folder: Path, server: subprocess.Popen[bytes]) -> str:
    """Where the server says that it listens."""
    until = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < until and server.poll() is None:
        for file in folder.glob("jpserver-*.json"):
            if text := file.read_text():
                return str(json.loads(text)["url"])
        time.sleep(0.1)
    raise AssertionError((folder.parent / "log").read_text())


@pytest.fixture(scope="module")
def page(lab: tuple[Path, str]) -> Iterator[Page]:
    """The notebook, all cells run, for all tests; so high that all of it is drawn."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_context(viewport={"width": 1440, "height": 4500}).new_page()
        opened.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        opened.goto(f"{lab[1]}lab/tree/explore.ipynb?token={TOKEN}")
        expect(opened.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
        opened.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
        opened.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        expect(opened.get_by_role("status").filter(has_text="fer2013.csv")).to_be_visible()
        yield opened
        browser.close()


def to(page: Page, name: str) -> None:
    """Press Tab until the focus is on what has this name."""
    for _ in range(30):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if name in (focused.get_attribute("title"), focused.inner_text().strip()):
            return
        if focused.evaluate("e => e.labels?.[0]?.innerText") == name:
            return
    raise AssertionError(f"Tab does not lead to {name}")


def press(page: Page, name: str) -> None:
    to(page, name)
    page.keyboard.press("Space")


def browse(page: Page) -> None:
    """All panels but the first, in the order in which Tab leads through them."""
    press(page, "next family")
    expect(page.get_by_text("0 runs, 1 in the store")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_text("1 to 1 of 1 runs, 1 in the store")).to_be_visible()
    chart = page.locator(".vega-embed", has_text="accuracy on PublicTest (%)")
    open_marks = chart.locator("svg .mark-symbol.role-mark path[fill=transparent]")
    expect(open_marks).not_to_have_count(0)
    press(page, "next x axis")
    expect(chart.locator("svg")).to_contain_text("Keras total parameters (log scale)")
    press(page, "published")
    expect(open_marks).to_have_count(0)
    press(page, "next mark")
    expect(page.get_by_role("status").filter(has_text="network: ")).to_contain_text("runs: ")
    expect(chart.locator("svg .mark-symbol path[stroke-width='3']")).to_have_count(1)
    expect(page.locator("figure#fig-confusions figcaption")).to_contain_text("on valid")
    for name in ("next run", "next beside", "next split"):
        press(page, name)
    expect(page.locator("figure#fig-confusions figcaption")).to_contain_text("on PublicTest")
    mistakes = page.get_by_text(re.compile("mistakes, the surest first"))
    before = mistakes.inner_text()
    for name in ("next run", "next split", "next class"):
        press(page, name)
    expect(mistakes).not_to_have_text(before)
    press(page, "next class")  # the gallery's
    expect(page.get_by_text("1 to 20 of 20 faces")).to_be_visible()


def test_a_network_is_chosen_trained_and_seen_by_the_keyboard_alone(
    page: Page, lab: tuple[Path, str]
) -> None:
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.get_by_label("data", exact=True).first.focus()
    to(page, "next network")
    page.keyboard.press("Space")
    expect(page.get_by_text("cnn-30k", exact=True)).to_be_visible()
    drawing = page.get_by_role("img", name=re.compile("^From input to scores: conv 3×3, "))
    expect(drawing).to_be_visible()
    assert "depthwise" not in str(drawing.get_attribute("aria-label"))
    to(page, "next parameters")
    page.keyboard.press("Space")
    expect(page.get_by_text("cnn-40k", exact=True)).to_be_visible()
    to(page, "channels")
    page.keyboard.press("Control+A")
    page.keyboard.type("4, 4, 8, 8")
    to(page, "Train")
    page.keyboard.press("Space")
    expect(page.get_by_text(re.compile(r"^finished, \w{12}: done"))).to_be_visible()
    (record,) = RunStore(lab[0] / "runs").records()
    assert record.spec.model.widths == (4, 4, 8, 8)
    expect(page.locator(".vega-embed svg.marks")).to_have_count(2)
    for name in ("tab-nearest", "tab-runs", "fig-learning-curves", "fig-confusions"):
        expect(page.locator(f"figure#{name}")).to_be_visible()
    expect(page.get_by_text(re.compile("mistakes, the surest first"))).to_be_visible()
    browse(page)
    assert said == []
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / "explore-trained.png")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    broken = page.evaluate("axe.run('.jp-OutputArea-output').then(found => found.violations)")
    found = [(rule["id"], node["html"][:200]) for rule in broken for node in rule["nodes"]]
    assert found == []


def test_a_run_is_stopped_by_the_keyboard(page: Page) -> None:
    page.get_by_label("blocks per stage").focus()
    to(page, "epochs")
    page.keyboard.press("Control+A")
    page.keyboard.type("5000")
    to(page, "Train")
    page.keyboard.press("Space")
    expect(page.get_by_text(re.compile("epoch [0-9]+ of 5000"))).to_be_visible()
    to(page, "Stop")
    page.keyboard.press("Space")
    expect(page.get_by_text(re.compile("^stopped; Train goes on after epoch"))).to_be_visible()
