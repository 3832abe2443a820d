"""The pipeline that most FER2013 repositories have, as the measure that fercore is compared with.

A Dataset of PIL images, transforms drawn and done image by image, torch's DataLoader, float32,
channels first, eager, Adam. Only Pillow and torch: torchvision's transforms call the same Pillow
functions.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from fercore import models
from fercore.spec import ModelSpec


class PilFaces(Dataset[tuple[Tensor, int]]):
    """images uint8 (N, 48, 48), labels (N,); flip, shift, rotation and zoom as fercore's recipe."""

    def __init__(self, images: NDArray[np.uint8], labels: NDArray[np.int64], train: bool) -> None:
        self.images = [Image.fromarray(image) for image in images]
        self.labels, self.train = labels.tolist(), train

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = self.images[index]
        if self.train:
            image = moved(image)
        pixels = torch.from_numpy(np.array(image)).float().div_(255).unsqueeze(0)
        return (pixels - 0.5) / 0.25, self.labels[index]


def moved(image: Image.Image) -> Image.Image:
    """Mirrored or not, rotated by 10 degrees, scaled and shifted by 10 % at most."""
    if random.random() < 0.5:
        image = ImageOps.mirror(image)
    angle = np.radians(random.uniform(-10, 10))
    scale = 1 / random.uniform(0.9, 1.1)
    x, y = (random.uniform(-4.8, 4.8) for _ in range(2))
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    mid = 23.5
    matrix = (
        *(cos, sin, mid - cos * (mid + x) - sin * (mid + y)),
        *(-sin, cos, mid + sin * (mid + x) - cos * (mid + y)),
    )
    return image.transform(
        image.size, Image.Transform.AFFINE, matrix, resample=Image.Resampling.BILINEAR
    )


def batches(
    images: NDArray[np.uint8], labels: NDArray[np.int64], batch: int, workers: int, train: bool
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches without end."""
    loader = DataLoader(
        PilFaces(images, labels, train),
        batch,
        shuffle=train,
        num_workers=workers,
        persistent_workers=workers > 0,
        drop_last=True,
    )
    while True:
        yield from loader


class Trainer:
    """Network, Adam and the loop's body."""

    def __init__(self, spec: ModelSpec) -> None:
        self.network = models.build(spec)
        self.optimizer = torch.optim.Adam(self.network.parameters(), 1e-3)
        self.loss = nn.CrossEntropyLoss()

    def step(self, images: Tensor, labels: Tensor) -> float:
        """One step; the loss is read each time, as tutorials do for their progress bars."""
        self.network.train()
        self.optimizer.zero_grad()
        loss = self.loss(self.network(images), labels)
        loss.backward()
        self.optimizer.step()
        return float(loss.item())
