"""What tables call a verdict and an outcome."""

from __future__ import annotations

from fercore.language import mark

VERDICTS = mark(
    {
        "ahead": "MobileNet ahead",
        "behind": "plain CNN ahead",
        "undecided": "undecided",
        "one seed": "one seed: no interval",
        "nothing learned": "neither learned anything",
        "not recorded": "not recorded: an older run",
    }
)

GAINS = mark(
    {
        "ahead": "better",
        "behind": "worse",
        "undecided": "undecided",
        "one seed": "one seed: no interval",
    }
)

OUTCOMES = mark(
    {
        "mobilenet": "MobileNet ahead throughout",
        "cnn": "plain CNN ahead throughout",
        "mobilenet first": "MobileNet ahead, then the plain CNN",
        "cnn first": "plain CNN ahead, then MobileNet",
        "several": "the curves cross more than once",
        "level": "no difference",
        "apart": "no common budgets",
    }
)
"""What a `Comparison`'s outcome is called."""
