"""The accuracies that the two reports printed, to be drawn beside ours."""

from __future__ import annotations

from math import nan
from statistics import fmean
from typing import NamedTuple

from fercore.language import mark
from fercore.models.reported import REPORTED


class PublishedFigure(NamedTuple):
    """One accuracy as a report gives it.

    split: "public" and "private" are halves of the course's hidden test set, not FER2013's
        PublicTest and PrivateTest; only their mean, "testing", can be compared with ours.
        "validation" is not comparable between the reports: see note.
    epochs: None where the report does not say.
    accuracy: share of right answers, 0 to 1.
    parameters: as the report counts them.
    """

    network: str
    report: str
    question: str
    family: str
    parameters: int
    epochs: int | None
    split: str
    accuracy: float
    note: str


def _figure(
    network: str, question: str, epochs: int | None, split: str, accuracy: float, note: str
) -> PublishedFigure:
    of = REPORTED[network]
    return PublishedFigure(
        network, of.report, question, of.family, of.params, epochs, split, accuracy, note
    )


SPLITS = mark(("public", "private", "testing", "validation"))
MEAN_OF_BOTH = mark("mean of public and private")
_CURVE = mark("read off its curve at 150 epochs, approximate")
_SEEN = mark("measured on images that were trained on (before augmentation): optimistic")
_VOTE = mark("Kaggle; majority vote of three such networks")
_BEST = mark("on its own 10 % of the training set, best epoch there")

PASSES = {"b-cnn-1875k": 5}
"""Passes over the training images in what the report calls an epoch, where it is not one."""

PUBLISHED: tuple[PublishedFigure, ...] = tuple(
    _figure(*row)
    for row in (
        ("a-cnn-1333k", "Q1", 220, "public", 0.691, "Kaggle"),
        ("a-cnn-1333k", "Q1", 220, "private", 0.67316, "Kaggle"),
        ("a-cnn-1333k", "Q1", 220, "testing", 0.68208, MEAN_OF_BOTH),
        ("a-cnn-1333k", "Q1", 150, "validation", 0.7, _CURVE),
        ("a-mobilenet-73k", "Q1", 150, "public", 0.63666, "Kaggle"),
        ("a-mobilenet-73k", "Q1", 150, "private", 0.62552, "Kaggle"),
        ("a-mobilenet-73k", "Q1", 150, "testing", 0.63109, MEAN_OF_BOTH),
        ("a-mobilenet-73k", "Q1", 150, "validation", 0.64, _CURVE),
        ("a-mobilenet-29k", "Q2", 50, "validation", 0.5707, _SEEN),
        ("a-mobilenet-213k", "Q2", 50, "validation", 0.5947, _SEEN),
        ("a-mobilenet-1685k", "Q2", 50, "validation", 0.6503, _SEEN),
        ("a-cnn-29k", "Q3", 50, "validation", 0.5518, _SEEN),
        ("a-cnn-219k", "Q3", 50, "validation", 0.6315, _SEEN),
        ("a-cnn-1193k", "Q3", 50, "validation", 0.6737, _SEEN),
        ("a-cnn-4098k", "Q3", 50, "validation", 0.7043, _SEEN),
        ("b-mobilenet-46k", "Q1", 150, "public", 0.63109, "Kaggle"),
        ("b-mobilenet-46k", "Q1", 150, "private", 0.62803, "Kaggle"),
        ("b-cnn-1875k", "Q1", 20, "public", 0.68487, _VOTE),
        ("b-cnn-1875k", "Q1", 20, "private", 0.68208, _VOTE),
        ("b-mobilenet-46k", "Q2", None, "validation", 0.636364, _BEST),
        ("b-mobilenet-112k", "Q2", None, "validation", 0.64333, _BEST),
        ("b-mobilenet-158k", "Q2", None, "validation", 0.654824, _BEST),
        ("b-cnn-48k", "Q3", None, "validation", 0.449321, _BEST),
        ("b-cnn-103k", "Q3", None, "validation", 0.576106, _BEST),
        ("b-cnn-150k", "Q3", None, "validation", 0.612679, _BEST),
        ("b-cnn-852k", "Q3", None, "validation", 0.655869, _BEST),
    )
)
"""Every accuracy of both reports; `pandas.DataFrame(PUBLISHED)` is a tidy table of them."""


def claimed(network: str) -> float:
    """What a network's report says that it reaches, 0 to 1; NaN for a network of no report.

    The mean of its public and private figures where it has both, else its validation accuracy.
    """
    found = {
        split: [f.accuracy for f in PUBLISHED if f.network == network and f.split == split]
        for split in ("public", "private", "validation")
    }
    both = found["public"] and found["private"]
    return fmean(found["public"] + found["private"] if both else found["validation"] or [nan])
