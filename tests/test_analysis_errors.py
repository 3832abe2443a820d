"""Classes and confidence."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fercore import analysis


def test_per_class_against_hand_counts() -> None:
    confusion = np.zeros((7, 7), int)
    confusion[0, :2] = 3, 1  # of 4 angry ones, 3 are found and 1 is called disgust
    confusion[1, 1] = 2
    confusion[2, 1] = 1  # the only fear is called disgust
    table = analysis.per_class(confusion)
    assert table["recall"][:3].tolist() == pytest.approx([3 / 4, 1, 0])
    assert table["precision"][:2].tolist() == pytest.approx([1, 2 / 4])
    assert table["f1"][:3].tolist() == pytest.approx([6 / 7, 4 / 6, 0])
    assert math.isnan(table["precision"][2])  # fear is never said
    assert table.loc[3].isna().all()  # there is no happy one


def test_two_networks_are_held_against_each_other_by_class() -> None:
    good, bad = np.diag([4] * 7), np.diag([2] * 7)
    bad[0, 1] = 2
    bad[1:, 0] = 2
    table = analysis.class_table({"m": good, "c": bad}, list("abcdefg"))
    assert table["recall lead"].tolist() == [50] * 7
    assert table["images"].tolist() == [4] * 7
    more_seeds = analysis.class_table({"m": 2 * good, "c": bad}, list("abcdefg"))
    assert "images" not in more_seeds  # it would be the second network's
    assert more_seeds["recall lead"].tolist() == [50] * 7


def said(confidence: float, right: float, images: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities with one confidence, and labels that make so many of them right."""
    probabilities = np.full((images, 7), (1 - confidence) / 6)
    probabilities[:, 2] = confidence
    return probabilities, np.where(np.arange(images) < right * images, 2, 3)


def test_overconfidence_is_what_the_calibration_error_counts() -> None:
    table = analysis.reliability(*said(0.9, 0.6, 100))
    assert table.to_numpy().tolist() == [pytest.approx([0.9, 0.6, 100])]
    assert analysis.calibration_error(table) == pytest.approx(0.3)


def test_bins_are_weighted_by_their_images() -> None:
    sure, unsure = said(0.9, 0.6, 30), said(0.5, 0.5, 60)
    probabilities, labels = (np.concatenate(parts) for parts in zip(sure, unsure, strict=True))
    table = analysis.reliability(probabilities, labels)
    assert table["images"].tolist() == [60, 30]
    assert analysis.calibration_error(table) == pytest.approx(0.1)


def test_who_means_what_he_says_has_little_error() -> None:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet([0.5] * 7, 20_000)
    labels = (random.random((20_000, 1)) > probabilities.cumsum(1)).sum(1).clip(0, 6)
    assert analysis.calibration_error(analysis.reliability(probabilities, labels)) < 0.02
    flipped = analysis.reliability(probabilities, (labels + 1) % 7)
    assert analysis.calibration_error(flipped) > 0.3


def test_certainty_falls_into_the_last_bin() -> None:
    assert analysis.reliability(*said(1.0, 1.0, 3))["images"].tolist() == [3]
