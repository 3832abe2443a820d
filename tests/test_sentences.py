"""Each outcome is fed to each template, and the sentence is read."""

from __future__ import annotations

import math

import pytest

from fercore import analysis, sentences
from tests.tables_of_runs import LARGEST, Network, compared, means, pairs, runs, summary

TIGHT = 0.001


def seeds(mean: float, count: int = 2) -> list[float]:
    """Accuracies around a mean, close together."""
    return [mean + TIGHT * (-1) ** k for k in range(count)]


def comparison(*networks: Network) -> str:
    table = runs(*networks)
    return sentences.comparison(
        summary(table), pairs(table), compared(table), "PublicTest", "Synthetic."
    ).markdown


def test_mobilenet_ahead() -> None:
    text = comparison(("m", "mobilenet", 10_000, seeds(0.6)), ("c", "cnn", 10_000, seeds(0.5)))
    assert "With 10k parameters, the smallest size compared, MobileNet reads 60.0 % of the " in text
    assert "faces rightly and the plain CNN 50.0 %: MobileNet is 10.0 points ahead" in text
    assert "Synthetic." in text


def test_cnn_ahead() -> None:
    text = comparison(("m", "mobilenet", 10_000, seeds(0.5)), ("c", "cnn", 10_000, seeds(0.6)))
    assert "the plain CNN is 10.0 points ahead of MobileNet (±" in text


def test_no_difference_shown() -> None:
    text = comparison(("m", "mobilenet", 10_000, [0.5, 0.6]), ("c", "cnn", 10_000, [0.51, 0.6]))
    assert "MobileNet reads 55.0 % of the faces rightly and the plain CNN 55.5 %: no dif" in text
    assert "no difference is shown (the means are 0 points apart, ± " in text
    assert "ahead of" not in text


def test_one_seed_claims_nothing() -> None:
    text = comparison(("m", "mobilenet", 10_000, [0.6]), ("c", "cnn", 10_000, [0.5]))
    assert "from a single seed: nothing says how sure that is" in text


def test_nothing_matches() -> None:
    text = comparison(("m", "mobilenet", 10_000, seeds(0.6)), ("c", "cnn", 90_000, seeds(0.5)))
    assert "nothing to compare" in text


def crossing(small_lead: float, large_lead: float, *spread: float) -> str:
    values = {"m1": 0.5 + small_lead, "m2": 0.6 + large_lead, "c1": 0.5, "c2": 0.6}
    return comparison(
        *[
            (name, "mobilenet" if name[0] == "m" else "cnn", 10 ** (3 + int(name[1])), both)
            for name, mean in values.items()
            for both in [[mean + off for off in spread or (-TIGHT, TIGHT)]]
        ]
    )


def test_a_crossing_between_shown_leads_is_shown() -> None:
    text = crossing(0.1, -0.1)
    assert "cross at 31.6k parameters: with fewer, MobileNet's lies above; with more, the p" in text
    assert "That is shown: with other seeds it would be so in over 99 % of cases, and in 95" in text
    assert "the crossing would lie between 2" in text
    assert "shown to be ahead at 1 (10k), the plain CNN at 1 (100k); 0 remain undecided" in text


def test_a_crossing_the_other_way_round() -> None:
    text = crossing(-0.1, 0.1)
    assert "with fewer, the plain CNN's lies above; with more, MobileNet's. That is shown" in text


def test_a_crossing_within_noise_is_not_shown() -> None:
    text = crossing(0.1, -0.1, -0.2, 0.2)
    assert "That is not shown: with other seeds it would be so in only" in text
    assert "the curves would not cross at all" in text


@pytest.mark.parametrize(("lead", "leader"), [(0.1, "MobileNet"), (-0.1, "the plain CNN")])
def test_no_crossing_is_said_to_be_none(lead: float, leader: str) -> None:
    text = crossing(lead, lead)
    assert f"From 10k parameters to 100k parameters, the curve through {leader}'s means" in text
    assert "the two do not cross. That is shown: with other seeds" in text
    assert "the crossing would lie" not in text


def test_that_curves_do_not_cross_may_not_be_shown() -> None:
    text = crossing(0.1, 0.1, -0.2, 0.2)
    assert "the two do not cross. That is not shown: with other seeds it would be so in on" in text
    assert text.endswith("% the curves would cross.")


def test_one_seed_says_nothing_of_a_crossing() -> None:
    text = crossing(0.1, -0.1, 0.0)
    assert "cross at 31.6k parameters" in text
    assert "How sure that is cannot be said: some network has a single seed." in text


def test_no_common_sizes() -> None:
    text = comparison(("m", "mobilenet", 10_000, seeds(0.6)), ("c", "cnn", 10_000, seeds(0.5)))
    assert "there are no curves to cross" in text


def test_more_than_one_crossing() -> None:
    text = comparison(
        *[
            (f"{family}{k}", family, 10 ** (4 + k), seeds(mean))
            for family, values in (("mobilenet", (0.5, 0.5, 0.7)), ("cnn", (0.4, 0.6, 0.61)))
            for k, mean in enumerate(values)
        ]
    )
    assert "The curves through the means cross more than once, at" in text
    assert "That is" in text


def test_equal_curves_do_not_differ() -> None:
    text = crossing(0, 0)
    assert "From 10k parameters to 100k parameters, the curves through the means are the sa" in text
    assert "would cross." in text


STUCK = [LARGEST, LARGEST]
"""Runs that give every image the same answer."""


def test_where_neither_family_learned_nobody_is_ahead() -> None:
    text = comparison(("m", "mobilenet", 10_000, seeds(0.255)), ("c", "cnn", 10_000, STUCK))
    assert "At no matched size did either family learn to tell expressions apart." in text
    assert "c (25.0 %), m (25.5 %) did not get more than 1 point past the share" in text
    assert "the largest class of PublicTest, 25.0 %, which the same answer for every im" in text
    assert "ahead" not in text
    assert "cross" not in text


def test_no_crossing_is_read_from_networks_that_learned_nothing() -> None:
    text = comparison(
        ("m1", "mobilenet", 10_000, seeds(0.5)),
        ("m2", "mobilenet", 100_000, seeds(0.6)),
        ("m3", "mobilenet", 1_000_000, STUCK),
        ("c1", "cnn", 10_000, STUCK),
        ("c2", "cnn", 100_000, seeds(0.61)),
        ("c3", "cnn", 1_000_000, STUCK),
    )
    assert "With 10k parameters, the smallest size compared at which either family learned" in text
    assert "With 100k, the largest, " in text
    assert "sizes MobileNet is shown to be ahead at 1 (10k), the plain CNN at 1 (100k); 1 " in text
    assert "A curve passes through networks that learned nothing: no crossover is read." in text
    assert "c1 (25.0 %), c3 (25.0 %), m3 (25.0 %) did not get more than 1 point past" in text
    assert "lies above" not in text


def test_networks_that_learned_nothing_decide_no_claim() -> None:
    found = pairs(runs(("m", "mobilenet", 120_000, [0.25] * 2), ("c", "cnn", 120_000, [0.24] * 2)))
    assert set(found["verdict"]) == {"nothing learned"}
    assert sentences.claims(found)["found here"].str.startswith("decides nothing").all()


def test_test_images_are_kept_apart_from_seeds() -> None:
    table = runs(("m", "mobilenet", 10_000, [0.6]), ("c", "cnn", 10_000, [0.5]))
    both = pairs(table).assign(image_verdict="ahead")
    text = sentences.comparison(summary(table), both, compared(table), "PublicTest").markdown
    assert "as it is at 1 of the 1 sizes that can be tested for it (at 95 %)" in text


def by_unit(*leads: tuple[str, str]) -> str:
    ends = [
        analysis.Comparison("macs", {}, 1e6, 1e7, {"verdict": a}, {"verdict": b}) for a, b in leads
    ]
    return sentences.budgets(ends).markdown


def test_budgets_say_who_wins_where() -> None:
    text = by_unit(("ahead", "undecided"), ("behind", "behind"))
    assert "Each of the two is shown to be ahead somewhere" in text
    assert "MobileNet is ahead at 1M multiply-adds, no lead is shown at 10M multiply-adds" in text
    assert "the plain CNN has every lead that is shown" in by_unit(
        ("behind", "behind"), ("undecided", "behind")
    )
    assert "No lead is shown at either end" in by_unit(("one seed", "one seed"))
    nothing = sentences.budgets([analysis.Comparison("macs", {})]).markdown
    assert "the families share no budgets" in nothing


def family(*networks: Network) -> str:
    return sentences.size_against_accuracy(
        summary(runs(*networks)), "mobilenet", "PublicTest"
    ).markdown


def test_trend_names_ends_slope_and_knee() -> None:
    text = family(
        ("s", "mobilenet", 10_000, seeds(0.5)),
        ("m", "mobilenet", 100_000, seeds(0.69)),
        ("l", "mobilenet", 1_000_000, seeds(0.7)),
    )
    assert "a gain of 10.0 points for every tenfold" in text
    assert "The smallest within 2 points of the best is m (100k parameters)" in text
    assert "No step up in size lowered the mean." in text
    assert "mean of 2 seeds" in text


def test_the_best_may_be_alone() -> None:
    steep = [("s", "mobilenet", 10_000, seeds(0.5)), ("l", "mobilenet", 100_000, seeds(0.7))]
    assert "None smaller comes within 2 points of the best, l (100k param" in family(*steep)
    falling = [("s", "mobilenet", 10_000, seeds(0.7)), ("l", "mobilenet", 100_000, seeds(0.5))]
    assert "The smallest within 2 points of the best is s (10k param" in family(*falling)


def test_a_drop_is_named() -> None:
    text = family(("s", "mobilenet", 10_000, [0.6]), ("l", "mobilenet", 100_000, [0.5]))
    assert "The mean did not rise with every step up in size: l is below s." in text
    assert "a loss of 10.0 points" in text
    assert "(PublicTest, 1 seed)" in text


def test_one_size_shows_no_trend() -> None:
    assert "one size shows no trend" in family(("s", "mobilenet", 10_000, seeds(0.5)))


def test_no_trend_is_read_from_networks_that_learned_nothing() -> None:
    text = family(
        ("s", "mobilenet", 10_000, STUCK),
        ("m", "mobilenet", 100_000, seeds(0.5)),
        ("l", "mobilenet", 1_000_000, seeds(0.6)),
    )
    assert "The smallest MobileNet reaches **50.0" in text
    assert "a gain of 10.0 points" in text
    assert "s (25.0 %) did not get more than 1 point past the share of the largest class" in text
    one = family(("s", "mobilenet", 10_000, STUCK), ("m", "mobilenet", 100_000, seeds(0.5)))
    assert "The one MobileNet that learned reaches **50.0" in one
    none = family(("s", "mobilenet", 10_000, STUCK), ("m", "mobilenet", 100_000, STUCK))
    assert (
        "No MobileNet learned to tell expressions apart.\n\ns (25.0 %), m (25.0 %) did no" in none
    )
    assert "gain" not in none


def test_failed_runs_are_named_not_filled_in() -> None:
    text = family(
        ("s", "mobilenet", 10_000, seeds(0.5)), ("l", "mobilenet", 90_000, [math.nan, math.nan])
    )
    assert "did not stay finite, and no result is shown, for: l (2)" in text
    assert "No MobileNet has a finished run" in family(("s", "mobilenet", 10_000, [math.nan]))


def question_one(large: list[float], compact: list[float]) -> str:
    table = runs(
        ("big", "cnn", 1_000_000, large), ("small", "mobilenet", 50_000, compact), report="A"
    )
    return sentences.large_against_compact(
        table, summary(table), means(table), "PublicTest"
    ).markdown


def test_large_ahead_of_compact() -> None:
    text = question_one(seeds(0.7), seeds(0.6))
    assert "20 times fewer" in text
    assert "the large CNN is 10.0 points ahead of the compact MobileNet" in text


def test_compact_ahead_of_large() -> None:
    text = question_one(seeds(0.6), seeds(0.7))
    assert "the compact MobileNet is 10.0 points ahead of the large CNN" in text


def test_a_failed_network_is_not_compared() -> None:
    text = question_one([math.nan, math.nan], seeds(0.7))
    assert "cannot be compared.\n\nTraining did not stay finite" in text  # below the list


def test_a_network_that_learned_nothing_is_named() -> None:
    assert "big (25.0 %) did not get more than 1 point past" in question_one(STUCK, seeds(0.7))


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], "not tested"),
        (["behind", "behind"], "supports it at every size"),
        (["behind", "undecided"], "supports it at 1 of 2 sizes, else undecided"),
        (["behind", "ahead"], "contradicts it at 1 of 2"),
        (["undecided", "one seed"], "decides nothing"),
    ],
)
def test_claim_of_report_a(verdicts: list[str], expected: str) -> None:
    networks = [
        (f"{name}{k}", family, size, seeds(0.6))
        for k, size in enumerate([200_000, 900_000][: len(verdicts)])
        for name, family in (("m", "mobilenet"), ("c", "cnn"))
    ]
    if networks:
        found = pairs(runs(*networks)).assign(verdict=verdicts)
    else:
        small = runs(("m", "mobilenet", 5_000, [0.5]), ("c", "cnn", 5_000, [0.5]))
        found = pairs(small)
    judged = sentences.claims(found).set_index("report")["found here"]
    assert expected in judged["A"]


def test_the_network_nearest_to_the_budget_is_in_the_range() -> None:
    table = runs(("m", "mobilenet", 99_790, seeds(0.6)), ("c", "cnn", 100_191, seeds(0.5)))
    tested = sentences.claims(pairs(table)).set_index("report")["sizes tested"]
    assert tested["A"] != "none"


def test_claims_are_opposite() -> None:
    table = runs(("m", "mobilenet", 120_000, seeds(0.6)), ("c", "cnn", 120_000, seeds(0.5)))
    judged = sentences.claims(pairs(table)).set_index("report")["found here"]
    assert "contradicts" in judged["A"]
    assert "supports" in judged["B"]
