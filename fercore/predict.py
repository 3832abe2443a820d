"""What a trained network says of faces: seven probabilities for each.

    from fercore import predict, weights

    network = weights.load()               # the best that comes with fercore
    faces = predict.read("photo.jpg")      # or a folder, a .zip, fer2013.csv, "synthetic"
    predict.predict(network, faces.images)

docs/predict.md shows it from the command line.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fercore.data.crops import Crops, read
from fercore.data.faces import EMOTIONS, SIDE, SPLITS, UNLABELLED, DataError
from fercore.training.evaluate import scores

__all__ = ["Crops", "Hits", "accuracy", "predict", "read"]


class Hits(NamedTuple):
    """How many of n labelled faces were read correctly, and their share."""

    n: int
    right: int
    accuracy: float


def predict(
    network: nn.Module, images: NDArray[np.uint8], *, mirror: bool = True
) -> NDArray[np.float32]:
    """Probabilities float32 (N, 7) of grey faces uint8 (N, 48, 48); each row sums to 1.

    Columns are in the order of `fercore.data.EMOTIONS`. mirror: the mean over each image and its
    mirror image (test-time augmentation), in twice the time; docs/predict.md says what it gains.
    False: the image alone, as a run's record measures it, and for a network that was trained
    without flips. Raises `DataError` for images of another type or shape.
    """
    if images.dtype != np.uint8 or images.shape[1:] != (SIDE, SIDE):
        found = f"{images.dtype} {images.shape}"
        raise DataError(f"expected images uint8 (N, {SIDE}, {SIDE}), found {found}")
    if not len(images):
        return np.empty((0, len(EMOTIONS)), np.float32)
    views = [images, images[:, :, ::-1]] if mirror else [images]
    shares = [scores(network, torch.from_numpy(view.copy())).softmax(1).numpy() for view in views]
    mean: NDArray[np.float32] = np.mean(shares, axis=0)
    return mean


def accuracy(probabilities: NDArray[np.float32], faces: Crops) -> dict[str, Hits]:
    """By split ("" where the source names none): the labelled faces read correctly.

    A Training split may hold the very images that the network was trained on.
    """
    found = {}
    right = probabilities.argmax(1) == faces.labels
    for split in (*SPLITS, ""):
        rows = (faces.splits == split) & (faces.labels != UNLABELLED)
        if n := int(rows.sum()):
            found[split] = Hits(n, int(right[rows].sum()), float(right[rows].mean()))
    return found
