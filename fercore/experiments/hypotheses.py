"""Question 5's explanations, each as experiments that could contradict it.

A hypothesis holds changes. A change sets a treatment against a control that differ in one thing, at
equal trainable parameters and with the same seeds; the claim expects the treatment to do better.
What is ordinary is a family's member of depth 2 with the mean over the image
(`fercore.models.families`), trained by the study's own recipe.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from fercore import models
from fercore.models.families import Variant
from fercore.spec import AugmentSpec, ModelSpec

Name: TypeAlias = Literal["head", "depth", "large", "width", "block", "reports"]
NAMES: tuple[Name, ...] = get_args(Name)

AUGMENT_A = AugmentSpec(flip=True, shift=0.1, rotation=20, zoom=0.1, shear=0.1)
"""Report A's random changes, from its author's public code; its channel shift is left out."""
AUGMENT_B = AugmentSpec(flip=True, shift=0, rotation=15, zoom=0, shear=0)
"""Report B's, likewise."""


class Side(Variant, total=False):
    """What one side of a change has otherwise than the ordinary member.

    depth: blocks per stage. family: another family at the same parameters. block: the block of
    another family in the same widths, whatever parameters that gives. augment: instead of the
    study's own. seen: measured on images that were trained on (`RunRecord.seen`).
    """

    depth: int
    family: Literal["mobilenet", "cnn"]
    block: Literal["mobilenet", "cnn"]
    augment: AugmentSpec
    seen: bool


@dataclass(frozen=True)
class Change:
    """Two sides that differ in one thing.

    subject: the family whose accuracy is compared, or "lead": MobileNet's accuracy minus that of
    the plain CNN of equal size. words: both sides in words, treatment first.
    directed: the claim expects the treatment to do better; else only that it matters.
    """

    subject: Literal["mobilenet", "cnn", "lead"]
    words: str
    treatment: Side
    control: Side
    directed: bool = True


@dataclass(frozen=True)
class Hypothesis:
    """A claim, and what would show it. large: it speaks of the sizes of LARGE, not of SIZES."""

    name: Name
    claim: str
    changes: tuple[Change, ...]
    large: bool = False


@dataclass(frozen=True)
class Arm:
    """One network, its random changes of images (None: the study's own), and how it is measured.

    seen: on images that were trained on, whatever the split.
    """

    model: ModelSpec
    augment: AugmentSpec | None = None
    seen: bool = False


@dataclass(frozen=True)
class Contrast:
    """A change at one size. Each side is one arm, or for a lead MobileNet and plain CNN."""

    hypothesis: Hypothesis
    change: Change
    size: int
    treatment: tuple[Arm, ...]
    control: tuple[Arm, ...]

    @property
    def arms(self) -> tuple[Arm, ...]:
        """All networks that are to be trained for it."""
        return self.treatment + self.control


def _both(words: str, treatment: Side, control: Side) -> tuple[Change, ...]:
    return (
        Change("cnn", words, treatment, control),
        Change("mobilenet", words, treatment, control),
    )


_B_AGAINST_A = (
    Change("lead", "head: mean over the image (B) against dense (A)", {}, {"head": "dense"}),
    Change("lead", "image halved before the blocks (B) against by them (A)", {"early": True}, {}),
    Change(
        "lead",
        "augmentation: B's (rotation, flip) against A's (also shift, zoom)",
        {"augment": AUGMENT_B},
        {"augment": AUGMENT_A},
    ),
    Change(
        "lead",
        "measured on images not trained on (B) against some that were (A)",
        {},
        {"seen": True},
    ),
    Change(
        "lead",
        "all four: B's choices against A's",
        {"early": True, "augment": AUGMENT_B},
        {"head": "dense", "augment": AUGMENT_A, "seen": True},
    ),
    Change(
        "lead",
        "BatchNorm after the activation against before it",
        {"norm": "after"},
        {},
        directed=False,
    ),
)

HYPOTHESES: dict[str, Hypothesis] = {
    hypothesis.name: hypothesis
    for hypothesis in (
        Hypothesis(
            "head",
            "A dense head eats a small network's parameters: with the mean over the image in its "
            "place, a network of equal size does better.",
            _both("mean over the image against dense head", {}, {"head": "dense"}),
        ),
        Hypothesis(
            "depth",
            "Depth helps when parameters are few: of two networks of equal size, the one with more "
            "blocks, each narrower, does better.",
            _both("2 blocks per stage against 1", {}, {"depth": 1})
            + _both("4 blocks per stage against 2", {"depth": 4}, {}),
        ),
        Hypothesis(
            "large",
            "A large MobileNet is too deep to train: with as many parameters in fewer blocks it "
            "does better, and so it does with residual connections.",
            (
                Change("mobilenet", "1 block per stage against 2", {"depth": 1}, {}),
                Change("mobilenet", "2 blocks per stage against 4", {}, {"depth": 4}),
                Change(
                    "mobilenet",
                    "4 blocks per stage: residual against plain",
                    {"depth": 4, "residual": True},
                    {"depth": 4},
                ),
            ),
            large=True,
        ),
        Hypothesis(
            "width",
            "A small CNN has too few filters: with as many parameters in fewer blocks, and so more "
            "filters in each, it does better. For the CNN this is the opposite of depth.",
            (
                Change("cnn", "1 block per stage, wider, against 2", {"depth": 1}, {}),
                Change("cnn", "2 blocks per stage, wider, against 4", {}, {"depth": 4}),
            ),
        ),
        Hypothesis(
            "block",
            "Plain convolutions express more per layer than separable ones: in layers of the same "
            "widths, which gives them many more parameters, and also at equal parameters.",
            (
                Change(
                    "cnn",
                    "same widths, not the same parameters: plain against separable",
                    {},
                    {"block": "mobilenet"},
                ),
                Change(
                    "cnn",
                    "same parameters: plain against separable, wider",
                    {},
                    {"family": "mobilenet"},
                ),
            ),
        ),
        Hypothesis(
            "reports",
            "What reports A and B did differently turns one finding into the other: MobileNet's "
            "lead over the plain CNN of equal size is larger with B's choice than with A's. (Both "
            "put BatchNorm before the activation; whether that matters is tried as well.)",
            _B_AGAINST_A,
        ),
    )
}
"""The six explanations, in the order of the notebook."""


def arm(family: str, size: int, side: Side) -> Arm:
    """The network of a family, nearest to a size, on a side of a change. Raises `ModelError`."""
    variant: dict[str, Any] = dict(side)
    augment, block = variant.pop("augment", None), variant.pop("block", None)
    seen = variant.pop("seen", False)
    model = models.nearest(variant.pop("family", family), size, **variant)
    return Arm(model.model_copy(update={"name": block}) if block else model, augment, seen)


def contrasts(
    names: Collection[str], sizes: Collection[int], large: Collection[int]
) -> list[Contrast]:
    """Each change of the named hypotheses at each of its sizes (trainable parameters).

    Raises `ModelError` where a family has no member of such a size.
    """
    return [
        Contrast(
            hypothesis,
            change,
            size,
            _arms(change, size, change.treatment),
            _arms(change, size, change.control),
        )
        for name, hypothesis in HYPOTHESES.items()
        if name in names
        for change in hypothesis.changes
        for size in (large if hypothesis.large else sizes)
    ]


def _arms(change: Change, size: int, side: Side) -> tuple[Arm, ...]:
    lead = change.subject == "lead"
    families = ("mobilenet", "cnn") if lead else (change.subject,)
    return tuple(arm(family, size, side) for family in families)
