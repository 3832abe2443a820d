"""SynthFER: the embedded default, faces drawn by a program. docs/synthfer.md shows and explains it.

An expression is a set of facial action units (`actions`), a face is a person's features moved by
them (`face`), drawn with relief, light and occlusion (`render`) and taken by a camera (`camera`).
`difficulty` holds all that stands between an expression and its label.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from fercore.data import cache
from fercore.data.faces import EMOTIONS, SPLITS, Faces
from fercore.data.synthetic.actions import activate
from fercore.data.synthetic.camera import develop, occlude
from fercore.data.synthetic.dice import CHUNK, Dice
from fercore.data.synthetic.difficulty import Difficulty
from fercore.data.synthetic.render import draw

VERSION = 3
"""Raised whenever the same seed draws another image; part of the cache's file name."""

FREQUENCIES = (3995, 436, 4097, 7215, 4830, 3171, 4965)
"""Images per emotion among FER2013's 28,709 Training rows, in the order of `EMOTIONS`."""

V1 = Difficulty()


def load(*, train: int = 8000, test: int = 2000, seed: int = 0) -> Faces:
    """Draw the data set, or read it from the cache: the same arguments give the same bytes.

    train: Training rows; test: rows of PublicTest and of PrivateTest each. Classes are as
    frequent as in FER2013. No image stands in two splits.
    """
    source = f"SynthFER v{VERSION} (synthetic faces, seed {seed})"
    file = cache.folder() / f"synthfer-{VERSION}-{seed}-{train}-{test}.npz"
    faces = cache.stored(file, source)
    if faces is None:
        sizes = dict(zip(SPLITS, (train, test, test), strict=True))
        labels = np.concatenate([_labels(n, seed, i) for i, n in enumerate(sizes.values())])
        splits = np.repeat(list(sizes), list(sizes.values()))
        faces = Faces(generate(labels, seed), labels, splits, source)
        cache.store(file, faces)
    return replace(faces, synthetic=True)


@torch.no_grad()
def generate(labels: NDArray[np.int64], seed: int = 0, knobs: Difficulty = V1) -> NDArray[np.uint8]:
    """Draw one face per label: uint8 (N, 48, 48).

    Image i depends on seed, i and its label alone, not on the other labels or their number.
    """
    padded = np.zeros(-(-len(labels) // CHUNK) * CHUNK, np.int64)
    padded[: len(labels)] = labels
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a chunk is too small for more: they would only wait for each other
    try:
        chunks = torch.split(torch.from_numpy(padded), CHUNK)
        drawn = [_chunk(part, Dice(seed, place), knobs) for place, part in enumerate(chunks)]
    finally:
        torch.set_num_threads(threads)
    return torch.cat(drawn)[: len(labels)].numpy()


def _chunk(labels: torch.Tensor, dice: Dice, knobs: Difficulty) -> torch.Tensor:
    actions = activate(labels, dice, knobs)
    image, view, person = draw(actions, dice, knobs)
    return develop(occlude(image, person, view, dice, knobs), dice, knobs)


def _labels(n: int, seed: int, split: int) -> NDArray[np.int64]:
    """Labels in FER2013's proportions (largest remainders), shuffled."""
    quotas = np.array(FREQUENCIES) * n / sum(FREQUENCIES)
    counts = np.floor(quotas).astype(np.int64)
    counts[np.argsort(counts - quotas)[: n - counts.sum()]] += 1
    generator = np.random.default_rng([seed, split])
    return generator.permutation(np.repeat(np.arange(len(EMOTIONS)), counts))
