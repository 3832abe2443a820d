"""Which facial muscles move: FACS action units and the emotions' prototypes.

Sources: P. Ekman, W. V. Friesen, J. C. Hager, Facial Action Coding System (2002), and its
emotion prototypes (EMFACS; FACS Investigator's Guide, table 10-1).
"""

from __future__ import annotations

import torch
from torch import Tensor

from fercore.data.faces import EMOTIONS
from fercore.data.synthetic.dice import CHUNK, Dice
from fercore.data.synthetic.difficulty import Difficulty

ACTIONS = {
    1: "inner brow raiser",
    2: "outer brow raiser",
    4: "brow lowerer",
    5: "upper lid raiser",
    6: "cheek raiser",
    7: "lid tightener",
    9: "nose wrinkler",
    10: "upper lip raiser",
    12: "lip corner puller",
    15: "lip corner depressor",
    16: "lower lip depressor",
    17: "chin raiser",
    20: "lip stretcher",
    23: "lip tightener",
    25: "lips part",
    26: "jaw drop",
    27: "mouth stretch",
    43: "eyes closing",
}
"""FACS number and name of each action unit that the renderer knows."""

Activation = dict[int, Tensor]
"""Intensity 0 (rest) .. 1 (FACS level E) of every action unit, each (CHUNK, 1, 1)."""

Prototype = dict[int, tuple[float, float, float]]
"""Action unit -> probability that it shows, lowest and highest relative intensity."""

PROTOTYPES: dict[str, tuple[Prototype, ...]] = {
    "angry": (
        {
            4: (1, 0.7, 1), 5: (0.5, 0.2, 0.6), 7: (0.9, 0.4, 1), 23: (0.9, 0.5, 1),
            17: (0.4, 0.2, 0.7),
        },
        {
            4: (1, 0.7, 1), 5: (0.5, 0.2, 0.6), 7: (0.8, 0.4, 1), 9: (0.3, 0.2, 0.5),
            10: (0.8, 0.4, 1), 16: (0.8, 0.4, 1), 25: (1, 0.5, 1), 26: (0.6, 0.3, 1),
        },
    ),
    "disgust": (
        {
            9: (1, 0.7, 1), 4: (0.7, 0.3, 0.7), 7: (0.7, 0.3, 0.8), 10: (0.7, 0.3, 0.8),
            15: (0.5, 0.2, 0.6), 17: (0.6, 0.3, 0.9),
        },
        {
            10: (1, 0.7, 1), 9: (0.7, 0.3, 0.8), 6: (0.3, 0.2, 0.5), 7: (0.5, 0.3, 0.8),
            16: (0.8, 0.3, 0.9), 25: (1, 0.3, 0.8), 15: (0.4, 0.2, 0.6),
        },
    ),
    "fear": (
        {
            1: (1, 0.6, 1), 2: (0.7, 0.3, 0.8), 4: (0.8, 0.3, 0.8), 5: (0.95, 0.6, 1),
            7: (0.3, 0.1, 0.4), 20: (0.9, 0.5, 1), 25: (0.8, 0.3, 0.9), 26: (0.4, 0.2, 0.6),
        },
        {
            1: (1, 0.5, 1), 2: (0.8, 0.3, 0.8), 4: (0.6, 0.2, 0.6), 5: (1, 0.7, 1),
            20: (0.6, 0.3, 0.8), 25: (1, 0.5, 1), 26: (0.9, 0.4, 0.9),
        },
    ),
    "happy": (
        {6: (0.9, 0.4, 1), 12: (1, 0.6, 1), 25: (0.2, 0.1, 0.4)},
        {6: (0.9, 0.5, 1), 12: (1, 0.7, 1), 25: (1, 0.5, 1), 10: (0.2, 0.1, 0.3)},
        {6: (0.9, 0.5, 1), 12: (1, 0.7, 1), 25: (1, 0.6, 1), 26: (1, 0.4, 0.9)},
    ),
    "sad": (
        {
            1: (0.9, 0.5, 1), 4: (0.7, 0.2, 0.7), 15: (1, 0.5, 1), 17: (0.5, 0.3, 0.8),
            43: (0.5, 0.2, 0.6),
        },
        {
            1: (0.7, 0.4, 1), 4: (0.6, 0.2, 0.7), 6: (0.5, 0.2, 0.6), 15: (0.9, 0.5, 1),
            20: (0.3, 0.2, 0.5), 25: (0.6, 0.2, 0.6), 43: (0.4, 0.3, 0.9),
        },
    ),
    "surprise": (
        {1: (1, 0.7, 1), 2: (1, 0.7, 1), 5: (0.9, 0.4, 0.9), 25: (1, 0.5, 1), 26: (1, 0.5, 1)},
        {1: (1, 0.6, 1), 2: (1, 0.6, 1), 5: (0.9, 0.5, 1), 25: (1, 0.8, 1), 27: (1, 0.6, 1)},
    ),
    "neutral": ({25: (0.15, 0.1, 0.4), 43: (0.1, 0.1, 0.3)},),
}  # fmt: skip
"""Per emotion the variants, equally likely; neutral is rest with parted lips or tired lids."""

CONFUSED: dict[str, dict[str, float]] = {
    "angry": {"disgust": 3, "sad": 3, "neutral": 2, "fear": 2},
    "disgust": {"angry": 7, "sad": 2, "fear": 1},
    "fear": {"surprise": 4, "sad": 4, "angry": 1, "neutral": 1},
    "happy": {"neutral": 6, "surprise": 3, "angry": 1},
    "sad": {"neutral": 5, "fear": 3, "angry": 2},
    "surprise": {"fear": 7, "happy": 2, "neutral": 1},
    "neutral": {"sad": 5, "angry": 2, "happy": 2, "fear": 1},
}
"""Relative odds of what else a face with this label may show: FER2013's usual confusions."""


def confusions() -> Tensor:
    """`CONFUSED` as a (7, 7) matrix of probabilities; rows sum to 1, the diagonal is 0."""
    odds = torch.tensor([[CONFUSED[a].get(b, 0.0) for b in EMOTIONS] for a in EMOTIONS])
    return odds / odds.sum(1, keepdim=True)


def activate(labels: Tensor, dice: Dice, knobs: Difficulty) -> Activation:
    """Action units of one chunk of faces that show `labels`, int64 (CHUNK,)."""
    confusable = torch.multinomial(confusions()[labels], 1, generator=dice.generator)[:, 0]
    mislabelled = dice.chance(knobs.label_noise).flatten().bool()
    shown = _perform(torch.where(mislabelled, confusable, labels), dice)
    other = _perform(confusable, dice)
    blend = dice.chance(knobs.blend_rate) * dice.uniform(0, knobs.blend)
    strength = dice.uniform(*knobs.intensity)
    mixed = {au: ((1 - blend) * shown[au] + blend * other[au]) * strength for au in ACTIONS}
    return {au: (mixed[au] + _idle(dice, knobs)).clamp(0, 1) for au in ACTIONS}


def _idle(dice: Dice, knobs: Difficulty) -> Tensor:
    """Movement that means nothing: speech, habit, a face at rest that is not quite at rest."""
    return dice.chance(knobs.idle_rate) * dice.uniform(0, knobs.idle)


def _perform(labels: Tensor, dice: Dice) -> Activation:
    """Full-strength prototypes with random variant and random intensity per action unit."""
    every = {(e, v): p for e, name in enumerate(EMOTIONS) for v, p in enumerate(PROTOTYPES[name])}
    row = {key: i for i, key in enumerate(every)}
    table = torch.tensor([[p.get(au, (0, 0, 0)) for au in ACTIONS] for p in every.values()])
    counts = torch.tensor([len(PROTOTYPES[name]) for name in EMOTIONS])
    first = torch.tensor([row[e, 0] for e in range(len(EMOTIONS))])
    variant = (dice.uniform(0, 1).flatten() * counts[labels]).long()
    chosen = table[first[labels] + variant]
    draw = torch.rand(CHUNK, len(ACTIONS), 2, generator=dice.generator)
    level = chosen[..., 1] + draw[..., 0] * (chosen[..., 2] - chosen[..., 1])
    level = level * (draw[..., 1] < chosen[..., 0])
    return {au: level[:, i, None, None] for i, au in enumerate(ACTIONS)}
