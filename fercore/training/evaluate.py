"""What a network makes of images that it was not trained on."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fercore.store.record import Score, bits
from fercore.training.augment import normalise

CLASSES = 7
BATCH = {"cpu": 64}
"""Images at a time, by kind of device, elsewhere 2048; on a CPU more gain nothing."""


class DivergenceError(ArithmeticError):
    """Training went wrong: the message says which loss is not finite."""


@torch.inference_mode()
def scores(network: nn.Module, images: Tensor) -> Tensor:
    """Class scores (logits), float32 (N, 7) on the CPU, of uint8 images (N, 48, 48), unchanged.

    Always computed in float32, so that the weights alone decide what comes out.
    """
    network.eval()
    size = BATCH.get(images.device.type, 2048)
    return torch.cat([network(normalise(part)) for part in torch.split(images, size)]).cpu()


def probabilities(logits: Tensor) -> NDArray[np.float16]:
    """Softmax of class scores, float16 (N, 7): what the run store keeps."""
    return logits.softmax(1).numpy().astype(np.float16)


def loss_and_accuracy(logits: Tensor, labels: Tensor) -> tuple[float, float]:
    """Mean cross-entropy in nats, and the share of rows whose largest score is the label's."""
    hits = (logits.argmax(1) == labels).double().mean()
    return functional.cross_entropy(logits, labels).item(), hits.item()


def finite(loss: float, what: str) -> float:
    """The loss itself. Raises `DivergenceError` if it is infinite or NaN."""
    if not math.isfinite(loss):
        raise DivergenceError(f"the {what} is not finite ({loss})")
    return loss


def score(logits: Tensor, labels: Tensor, repeated: NDArray[np.bool_]) -> Score:
    """All that a record keeps of one split.

    logits: (N, 7); labels: (N,); repeated: (N,), True where the image is in Training too.
    Raises `DivergenceError`.
    """
    loss, accuracy = loss_and_accuracy(logits, labels)
    said = logits.argmax(1).numpy()
    truth = labels.numpy()
    confusion = np.zeros((CLASSES, CLASSES), np.int64)
    np.add.at(confusion, (truth, said), 1)
    right = said == truth
    unseen = right[~repeated]
    return Score(
        n=len(truth),
        accuracy=accuracy,
        loss=finite(loss, "loss after the last epoch"),
        repeated=int(repeated.sum()),
        accuracy_unseen=float(unseen.mean()) if len(unseen) else None,
        confusion=tuple(map(tuple, confusion.tolist())),
        right=bits(right),
    )
