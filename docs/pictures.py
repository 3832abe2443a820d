"""Draws README's two figures from the records that come with fercore: python docs/pictures.py.

Each PNG carries a fingerprint of what it was drawn from; tests/test_readme.py compares it with that
of the records.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from fercore import analysis, archive, figures
from fercore.display import Figure
from fercore.experiments import verdicts, why

IMAGES = Path(__file__).parent / "images"
SPLIT = "PublicTest"
SHOWN = ["network", "family", "report", "params_trainable", "seed", SPLIT]
COMPARED = ["hypothesis", "subject", "change", "size", "seed", SPLIT]
KEY = "Drawn from"
"""Where the fingerprint stands in a PNG's text."""


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


def main() -> None:
    """Draw both as question 6 does."""
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


if __name__ == "__main__":
    main()
