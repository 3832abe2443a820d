"""Question 5: the experiments differ in one thing, and their verdicts follow from the numbers."""

from __future__ import annotations

import math
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer
from scipy import stats

from fercore import models, study
from fercore.display import Figure, Table, Text
from fercore.experiments import hypotheses, trials, verdicts, why
from fercore.experiments.hypotheses import HYPOTHESES, NAMES, Contrast, contrasts
from fercore.experiments.verdicts import CHANGE, COSTS, MARGIN, by_size, judge, summary, verdict
from fercore.experiments.why.words import TITLES
from fercore.setting import StudyError, check
from fercore.spec import ModelSpec

SIZES = (20_000, 80_000, 300_000)
ALL = contrasts(NAMES, SIZES, (1_000_000,))
SPLIT = "PublicTest"


def about(contrast: Contrast) -> str:
    return f"{contrast.hypothesis.name} {contrast.change.words} {contrast.size}"


# What is compared


def test_the_six_hypotheses_of_the_issue_are_there() -> None:
    assert list(HYPOTHESES) == list(NAMES) == list(get_args(hypotheses.Name))
    assert len(NAMES) == len(TITLES) == 6
    assert {c.subject for c in HYPOTHESES["head"].changes} == {"mobilenet", "cnn"}
    assert {c.subject for c in HYPOTHESES["depth"].changes} == {"mobilenet", "cnn"}
    assert {c.subject for c in HYPOTHESES["reports"].changes} == {"lead"}


@pytest.mark.parametrize("contrast", ALL, ids=about)
def test_parameters_match_within_two_per_cent(contrast: Contrast) -> None:
    counts = [models.cost(arm.model).trainable for arm in contrast.arms]
    if "not the same parameters" in contrast.change.words:
        assert max(counts) > 4 * min(counts)
    else:
        assert max(abs(count / contrast.size - 1) for count in counts) <= 0.02


@pytest.mark.parametrize("contrast", ALL, ids=about)
def test_treatment_and_control_differ_in_what_is_named_alone(contrast: Contrast) -> None:
    assert contrast.treatment != contrast.control
    for ours, theirs in zip(contrast.treatment, contrast.control, strict=True):
        changed = {
            name
            for name in ModelSpec.model_fields
            if getattr(ours.model, name) != getattr(theirs.model, name)
        }
        beside = ("augment", "seen")
        changed |= {name for name in beside if getattr(ours, name) != getattr(theirs, name)}
        named = set(contrast.change.treatment) | set(contrast.change.control)
        # Widths follow from the size; a family or block is the network's name.
        renamed = {"block": "name", "family": "name"}
        expected = {renamed.get(name, name) for name in named}
        if contrast.change.words.startswith("4 blocks per stage: residual"):
            expected -= {"depth"}  # on both sides
        assert changed - {"widths"} == expected


def test_separable_blocks_in_the_same_widths() -> None:
    (contrast,) = (c for c in ALL if "same widths" in c.change.words and c.size == 80_000)
    ((plain,), (separable,)) = contrast.treatment, contrast.control
    assert (plain.model.name, separable.model.name) == ("cnn", "mobilenet")
    assert plain.model.widths == separable.model.widths


def test_a_lead_has_both_families_on_both_sides() -> None:
    for contrast in ALL:
        if contrast.change.subject == "lead":
            for side in (contrast.treatment, contrast.control):
                assert [arm.model.name for arm in side] == ["mobilenet", "cnn"]


def test_only_what_is_asked_for_and_large_at_its_own_sizes() -> None:
    assert {c.hypothesis.name for c in contrasts(["head"], SIZES, ())} == {"head"}
    assert contrasts(["large"], SIZES, ()) == []
    assert {c.size for c in ALL if c.hypothesis.name == "large"} == {1_000_000}
    assert {c.size for c in ALL if c.hypothesis.name == "width"} == set(SIZES)


# Verdicts


def made(
    differences: dict[int, list[float]], *, directed: bool = True, subject: str = "cnn"
) -> pd.DataFrame:
    """Trials with these differences, seed by seed, at each size."""
    rows = [
        {
            **dict(zip(CHANGE, ("head", "It is so.", subject, "new against old"), strict=False)),
            "directed": directed,
            "untried": "",
            "size": size,
            "seed": seed,
            **dict.fromkeys(COSTS, size),
            f"{SPLIT}_treatment": 0.5 + difference,
            f"{SPLIT}_control": 0.5,
            SPLIT: difference,
        }
        for size, values in differences.items()
        for seed, difference in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=[*trials.COLUMNS])


def judged(differences: dict[int, list[float]], **more: Any) -> dict[str, Any]:
    (row,) = judge(made(differences, **more), SPLIT).to_dict("records")
    return {str(name): value for name, value in row.items()}


def test_one_size_is_the_paired_t_interval() -> None:
    values = [0.02, 0.05, 0.01, 0.04]
    row = judged({20_000: values})
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert row["difference"] == pytest.approx(np.mean(values))
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))


def test_sizes_weigh_the_same_and_their_difference_is_no_noise() -> None:
    row = judged({20_000: [0.10, 0.11], 80_000: [0.05, 0.06], 300_000: [0.00, 0.01]})
    assert row["difference"] == pytest.approx(0.055)
    assert row["verdict"] == "supported"
    # Pooled within sizes: deviation 0.0071 with 3 degrees of freedom, six pairs.
    assert row["high"] - row["difference"] == pytest.approx(
        float(stats.t.ppf(0.975, 3)) * math.sqrt(0.00005) / math.sqrt(6)
    )


@pytest.mark.parametrize(
    ("values", "directed", "expected"),
    [
        ([0.04, 0.05, 0.05, 0.06], True, "supported"),
        ([-0.04, -0.05, -0.05, -0.06], True, "not supported"),
        ([0.001, -0.001, 0.002, -0.002], True, "not supported"),
        ([0.05, -0.04, 0.03, -0.02], True, "undecided"),
        ([0.00, 0.02, 0.01, 0.03], True, "undecided"),
        ([-0.04, -0.05, -0.05, -0.06], False, "supported"),
        ([0.001, -0.001, 0.002, -0.002], False, "not supported"),
        ([0.05, -0.04, 0.03, -0.02], False, "undecided"),
        ([0.04, 0.05, 0.05], True, "too few seeds"),
        ([0.04], True, "too few seeds"),
        ([math.nan, math.nan], True, "failed"),
        ([0.04, 0.05, 0.05, 0.06, math.nan], True, "supported"),
        ([0.0, 0.0, 0.0, 0.0], True, "undecided"),
    ],
)
def test_every_verdict(values: list[float], directed: bool, expected: str) -> None:
    row = judged({20_000: values}, directed=directed)
    assert row["verdict"] == expected
    if expected == "failed":
        assert row["failed"] == len(values)


def test_one_seed_gives_no_interval_and_two_at_two_sizes_no_verdict() -> None:
    assert math.isnan(judged({20_000: [0.04], 80_000: [0.05]})["low"])
    row = judged({20_000: [0.04, 0.05], 80_000: [0.05, 0.04]})
    assert row["low"] < row["difference"] < row["high"]
    assert row["verdict"] == "too few seeds"


def test_the_interval_covers_as_often_as_it_says() -> None:
    """A known effect, different at each size: 95 % coverage within three standard errors."""
    rng = np.random.default_rng(3)
    hits, times = 0, 200
    for _ in range(times):
        noise = rng.normal(0, 0.02, (3, 3))
        effects = np.array([0.05, 0.02, 0.0])[:, None] + noise
        row = judged(dict(zip(SIZES, effects.tolist(), strict=True)))
        hits += row["low"] <= 0.07 / 3 <= row["high"]
    assert abs(hits / times - 0.95) < 3 * math.sqrt(0.95 * 0.05 / times)


def test_more_scatter_is_less_sure() -> None:
    calm = judged({20_000: [0.03, 0.04, 0.05, 0.04]})
    wild = judged({20_000: [0.00, 0.08, 0.02, 0.06]})
    assert wild["high"] - wild["low"] > calm["high"] - calm["low"]


def test_verdict_at_its_borders() -> None:
    assert verdict(-0.05, -MARGIN, 3) == "not supported"
    assert verdict(0.001, 0.005, 3) == "supported"
    assert verdict(-0.001, MARGIN, 3) == "undecided"
    assert verdict(-0.001, MARGIN / 2, 3) == "not supported"
    assert verdict(-MARGIN, MARGIN / 2, 3, directed=False) == "undecided"
    assert verdict(-0.001, 0.3, 2) == "too few seeds"


def test_by_size_has_its_own_means_and_a_pooled_deviation() -> None:
    table = by_size(made({20_000: [0.10, 0.12], 80_000: [0.00]}), SPLIT, "head")
    assert table["difference"].to_list() == pytest.approx([0.11, 0.0])
    assert table["seeds"].to_list() == [2, 1]
    assert math.isnan(table["low"][1])
    assert not math.isnan(table["low"][0])


def test_a_hypothesis_is_what_its_changes_agree_on() -> None:
    table = pd.DataFrame(
        [
            ("a", "supported"),
            ("a", "supported"),
            ("b", "supported"),
            ("b", "undecided"),
            ("c", "not supported"),
            ("c", "undecided"),
            ("d", "not tried"),
        ],
        columns=["hypothesis", "verdict"],
    )
    assert summary(table) == {
        "a": "supported",
        "b": "supported in part",
        "c": "undecided",
        "d": "not tried",
    }


# Sentences, table and figure


@pytest.mark.parametrize(
    ("values", "more", "words"),
    [
        ([0.04, 0.05, 0.05, 0.06], {}, "+5.0 ± 1.3 points**. Supported."),
        ([-0.05, -0.05, -0.04, -0.06], {}, "Not supported: the opposite holds."),
        ([0.001, -0.001, 0.002, -0.002], {}, "an effect of 1 point is ruled out."),
        ([0.05, -0.04, 0.03, -0.02], {}, "Undecided: neither"),
        ([-0.04, -0.05, -0.05, -0.06], {"directed": False}, "Supported: it matters."),
        ([0.04, 0.05], {}, "Too few seeds to conclude."),
        ([0.04], {}, "**+4.0 points**. Too few seeds"),
        ([math.nan], {}, "no pair of runs has both figures"),
        ([0.04, 0.05, 0.05, 0.06, math.nan], {}, "older than the measurement): 1."),
        ([-0.6, -0.61, -0.6, -0.61], {"subject": "lead"}, "from +50.0 points to −10.5 points: its"),
        ([-0.6, -0.61, -0.6, -0.61], {"subject": "lead"}, "its sign changes."),
        ([0.6, 0.61, 0.6, 0.61], {"subject": "lead"}, "its sign does not change."),
    ],
)
def test_the_finding_says_every_outcome(
    values: list[float], more: dict[str, Any], words: str
) -> None:
    table = judge(made({20_000: values}, **more), SPLIT)
    text = why.finding(table, "head").markdown
    assert text.startswith("> *Claim:* It is so.")
    assert words in text
    outcome = table["verdict"][0]
    opening = why.answer(table, SPLIT).markdown
    assert f"- {outcome}: 1. dense head" in opening
    assert ("fewer than 3 degrees of freedom" in opening) == (outcome == "too few seeds")
    forest = why.forest(table, SPLIT)
    assert isinstance(forest, Figure if outcome != "failed" else Text)
    if isinstance(forest, Figure):
        (bar,) = (b for b in forest.figure.axes[0].containers if isinstance(b, ErrorbarContainer))
        full = bar.lines[0].get_markerfacecolor() == bar.lines[0].get_color()
        assert full == (outcome == "supported")
        assert bar.lines[0].get_markerfacecolor() not in ("none", "white"), "that is published"
    shown = why.verdicts(table, SPLIT)
    assert isinstance(shown, Table)
    assert outcome in str(shown.frame)


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([0.04, 0.05, 0.05, 0.06], []),
        ([0.3, -0.2], [">", "<"]),
        ([0.05], []),
        ([0.009, -0.009, 0.009, -0.009], []),
    ],
)
def test_an_interval_far_beyond_all_differences_is_cut_and_said_to_go_on(
    values: list[float], ends: list[str]
) -> None:
    shown = why.forest(judge(made({20_000: values}), SPLIT), SPLIT)
    assert isinstance(shown, Figure)
    (axes,) = shown.figure.axes
    arrows = {line.get_marker(): line.get_xdata() for line in axes.lines}
    assert sorted(arrow for arrow in arrows if arrow in ("<", ">")) == sorted(ends)
    assert ("the interval goes on" in shown.caption) == bool(ends)
    assert max(map(abs, axes.get_xlim())) < 15


@pytest.mark.parametrize("directed", [True, False])
def test_how_a_change_without_a_direction_is_judged_is_said_where_one_is(
    directed: bool,
) -> None:
    table = judge(made({20_000: [-0.04, -0.05, -0.05, -0.06]}, directed=directed), SPLIT)
    said = "new against old: no direction is claimed. Supported there: the interval holds no zero"
    for shown in (why.forest(table, SPLIT), why.verdicts(table, SPLIT)):
        assert isinstance(shown, Figure | Table)
        assert (said in shown.caption) != directed


TINY = {"TRAIN_IMAGES": 140, "SIZES": [10_000], "SEEDS": [0], "EPOCHS": 1}


def test_experiments_train_each_network_once_and_are_judged() -> None:
    this = study.begin({**TINY, "HYPOTHESES": ["block"]})
    found = this.experiments()
    assert len(this.records) == 3  # the plain CNN, separable in its widths and at its size
    assert len(found) == 2 + 5
    (plain,) = this.train([models.nearest("cnn", 10_000)])[SPLIT]
    (other,) = this.train([models.nearest("mobilenet", 10_000)])[SPLIT]
    assert len(this.records) == 3
    mine = found[found["change"].str.startswith("same parameters")].iloc[0]
    assert (mine[f"{SPLIT}_treatment"], mine[f"{SPLIT}_control"]) == (plain, other)
    assert mine[SPLIT] == plain - other
    table = judge(found, SPLIT)
    assert list(table["hypothesis"].unique()) == list(NAMES)
    assert "Not tried here: HYPOTHESES does not name it" in why.finding(table, "depth").markdown
    assert isinstance(why.sizes(by_size(found, SPLIT, "block"), "block", SPLIT), Table)
    assert not isinstance(why.sizes(by_size(found, SPLIT, "depth"), "depth", SPLIT), Table)


def test_the_reports_augmentations_are_runs_of_their_own() -> None:
    this = study.begin({**TINY, "HYPOTHESES": ["reports"]})
    specs = [
        this._spec(arm.model, 0, arm.augment)
        for contrast in this.setting.contrasts()
        for arm in contrast.arms
    ]
    rotations = {spec.train.augment.rotation for spec in specs}
    assert rotations == {10.0, 15.0, 20.0}
    assert len({spec.model_dump_json() for spec in specs}) == 16  # two families, eight settings


def test_nothing_to_try_is_said() -> None:
    this = study.begin({})
    table = judge(this.experiments(), SPLIT)
    assert set(table["verdict"]) == {"not tried"}
    assert set(table["untried"]) == {"SIZES is empty", "LARGE is empty"}
    assert "no hypothesis was tried here" in why.answer(table, SPLIT).markdown
    assert "Not tried here: SIZES is empty" in why.finding(table, "head").markdown
    assert why.forest(table, SPLIT) == why.verdicts(table, SPLIT) == Text("")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"HYPOTHESES": ["luck"]}, r"HYPOTHESES\.0: .*'head', 'depth', 'large'.* found 'luck'"),
        ({"SIZES": [10]}, r"SIZES\.0: .*1,000"),
        ({"SIZES": [20_000, 20_000]}, "SIZES: each value once"),
        ({"SIZES": [1_000], "HYPOTHESES": ["head"]}, "SIZES or LARGE: no .* has 1,000"),
    ],
)
def test_a_wrong_parameter_is_one_message(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        check(parameters).contrasts()


def test_verdicts_module_knows_the_columns_of_trials() -> None:
    assert {*verdicts.CHANGE, *verdicts.COSTS, "untried", SPLIT} <= set(trials.COLUMNS)
