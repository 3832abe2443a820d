"""One network in training, from its initial weights to its last epoch.

Everything that is random derives from (seed, epoch), so an interrupted run goes on after its last
finished epoch as if nothing had happened, without replaying what came before.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fercore import augment, device, models
from fercore.data.faces import Faces
from fercore.evaluate import finite, loss_and_accuracy, scores
from fercore.recipe import average, optimizer, rate_at, scale_dropout
from fercore.record import Epoch
from fercore.spec import RunSpec


class Examples:
    """Images uint8 (N, 48, 48) on a device, labels int64 (N,) there too."""

    def __init__(self, faces: Faces, rows: NDArray[np.int64], where: torch.device) -> None:
        self.images = torch.tensor(faces.images[rows], device=where)
        self.labels = torch.tensor(faces.labels[rows], device=where)

    def __len__(self) -> int:
        return len(self.labels)


def seeds(seed: int, epoch: int) -> tuple[int, int]:
    """Two independent seeds for one epoch of a run; epoch 0 is for the initial weights."""
    first, second = np.random.SeedSequence((seed, epoch)).generate_state(2, np.uint64)
    return int(first), int(second)


class Fit:
    """A network, its optimizer and what it is trained on; `epoch` makes one pass."""

    def __init__(self, spec: RunSpec, train: Examples, valid: Examples) -> None:
        self.recipe, self.seed = spec.train, spec.seed
        self.train, self.valid = train, valid
        self.where = train.images.device
        self.dtype = device.training_dtype(self.recipe.dtype, self.where)
        self.batch = min(self.recipe.batch, len(train))
        # What does not fill a batch sits out, other images in each epoch: all steps are alike.
        self.steps = len(train) // self.batch
        torch.manual_seed(seeds(self.seed, 0)[0])
        self.network = models.build(spec.model).to(self.where)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        scale_dropout(self.network, self.recipe.dropout)
        # Copied before `spare_bfloat16` ties forward functions to this very network.
        self.averaged = average(self.network, self.recipe.average)
        if self.where.type == "cpu" and self.dtype == torch.bfloat16:
            device.spare_bfloat16(self.network)
        self.optimizer = optimizer(self.network, self.recipe)
        self.history: list[Epoch] = []
        self.seconds = 0.0
        """Spent in `epoch`, validation included."""

    @property
    def measured(self) -> nn.Module:
        """The network whose accuracy counts: the averaged one if the recipe averages."""
        return self.averaged.module if self.averaged else self.network

    def epoch(self, step_done: Callable[[], None]) -> Epoch:
        """Train for one epoch and validate. Raises `fercore.evaluate.DivergenceError`."""
        number = len(self.history) + 1
        began = time.perf_counter()
        loss, accuracy = self._pass(number, step_done)
        seconds = time.perf_counter() - began
        logits = scores(self.measured, self.valid.images)
        valid_loss, valid_accuracy = loss_and_accuracy(logits, self.valid.labels.cpu())
        self.seconds += time.perf_counter() - began
        finite(loss, f"training loss of epoch {number}")
        finite(valid_loss, f"validation loss of epoch {number}")
        self.history.append(
            Epoch(
                epoch=number,
                rate=self.optimizer.param_groups[0]["lr"],
                train_loss=loss,
                train_accuracy=accuracy,
                valid_loss=valid_loss,
                valid_accuracy=valid_accuracy,
                seconds=seconds,
            )
        )
        return self.history[-1]

    def _pass(self, number: int, step_done: Callable[[], None]) -> tuple[float, float]:
        """One pass over the training images: mean loss and accuracy.

        Nothing in the loop waits for the device: sums stay on it until the end.
        """
        order, theta = self._plan(number)
        loss_sum = torch.zeros((), device=self.where)
        hits = torch.zeros((), device=self.where, dtype=torch.int64)
        self.network.train()
        for step, rows in enumerate(order):
            images = augment.normalise(self.train.images[rows])
            if theta is not None:
                images = augment.warp(images, theta[step])
            labels = self.train.labels[rows]
            self._set_rate((number - 1 + step / self.steps) / self.recipe.epochs)
            loss, right = self._step(images, labels)
            loss_sum += loss
            hits += right
            step_done()
        return loss_sum.item() / self.steps, hits.item() / order.numel()

    def _plan(self, number: int) -> tuple[Tensor, Tensor | None]:
        """Rows (steps, batch) in random order, and how each image is moved; seeds dropout too."""
        first, second = seeds(self.seed, number)
        dice = torch.Generator().manual_seed(first)
        torch.manual_seed(second)
        used = self.steps * self.batch
        order = torch.randperm(len(self.train), generator=dice)[:used]
        theta = augment.draw(self.recipe.augment, used, dice)
        if theta is not None:
            theta = theta.view(self.steps, self.batch, 2, 3).to(self.where)
        return order.view(self.steps, self.batch).to(self.where), theta

    def _set_rate(self, progress: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = group["share"] * rate_at(self.recipe, progress)

    def _step(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and number of right answers of one batch, before the weights change."""
        with torch.autocast(self.where.type, torch.bfloat16, enabled=self.dtype == torch.bfloat16):
            logits = self.network(images)
        logits = logits.float()
        loss = functional.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()
        if self.averaged:
            self.averaged.update_parameters(self.network)
        return loss.detach(), (logits.argmax(1) == labels).sum()

    def state(self) -> dict[str, Any]:
        """All that is needed to go on."""
        return {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict() if self.averaged else None,
            "optimizer": self.optimizer.state_dict(),
            "history": [epoch.model_dump() for epoch in self.history],
            "seconds": self.seconds,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.network.load_state_dict(state["network"])
        if self.averaged:
            self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.history = [Epoch(**epoch) for epoch in state["history"]]
        self.seconds = state["seconds"]

    def weights(self) -> dict[str, NDArray[Any]]:
        """Weights and BatchNorm's statistics by name, as arrays of the usual layout."""
        state = self.measured.state_dict()
        return {name: tensor.cpu().contiguous().numpy() for name, tensor in state.items()}
