"""What a study is made of: its images, as the report's data section shows them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.data import EMOTIONS, SPLITS, TEST_SPLITS
from fercore.data.split import divide
from fercore.language import say
from fercore.study import Study

COLUMNS = 10
"""Faces shown of each expression."""


def facts(study: Study) -> dict[str, object]:
    """What is to be said of the data in one table."""
    faces, parts = study.faces, divide(study.faces, study.setting.data)
    tests = {name: len(parts.tests.get(name, ())) for name in TEST_SPLITS}
    return {
        say("source"): faces.source,
        say("photographs"): say("no: drawn by a program") if faces.synthetic else say("yes"),
        say("fingerprint"): faces.fingerprint,
        say("images used for training"): len(parts.train),
        say("images used for validation"): len(parts.valid),
        **{
            say("{split} images", split=name): count or say("none with labels")
            for name, count in tests.items()
        },
        **{
            say("{split} images that repeat a Training image", split=name): int(same.sum())
            for name, same in parts.repeated.items()
        },
    }


def counts(study: Study) -> pd.DataFrame:
    """Labelled images per class (rows) and split (columns)."""
    faces = study.faces
    rows = {
        split: np.bincount(faces.labels[faces.rows(split)], minlength=len(EMOTIONS))
        for split in SPLITS
    }
    return pd.DataFrame(rows).assign(expression=EMOTIONS).set_index("expression")


def gallery(study: Study) -> tuple[NDArray[np.uint8], list[str], list[str], str]:
    """Images to show, names of rows and columns, and a caption.

    Synthetic faces are shown as they are; of photographs only the mean of each class, in which
    nobody can be recognised. A class without Training images is left out.
    """
    rows = study.faces.rows("Training")
    labels, images = study.faces.labels[rows], study.faces.images[rows]
    groups = {name: images[labels == label] for label, name in enumerate(EMOTIONS)}
    groups = {name: group for name, group in groups.items() if len(group)}
    if study.faces.synthetic:
        chosen = np.stack([group[:COLUMNS] for group in groups.values()])
        return chosen, list(groups), [], say("The first faces of each expression, SynthFER.")
    mean = np.stack([group.mean(0) for group in groups.values()])[None].round().astype(np.uint8)
    return mean, [], list(groups), say("The mean Training image of each expression.")
