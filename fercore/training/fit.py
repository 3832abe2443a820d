"""One network in training, from its initial weights to its last epoch.

Everything that is random derives from (seed, epoch), so an interrupted run goes on after its last
finished epoch as if nothing had happened, without replaying what came before. Within an epoch it
goes on after the step at which `Fit.state` was last kept.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fercore import models
from fercore.data.faces import SIDE, Faces
from fercore.spec import RunSpec
from fercore.store.record import Epoch
from fercore.training import augment, device
from fercore.training.evaluate import finite, loss_and_accuracy, scores
from fercore.training.recipe import average, initialise, optimizer, rate_at, scale_dropout

log = logging.getLogger(__name__)


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


def _in_training(network: nn.Sequential, dtype: torch.dtype) -> nn.Module:
    """What training steps go through: the network itself or, on one CPU thread, its faster twin.

    torch's own BatchNorm can use several threads.
    """
    on_cpu = next(network.parameters()).device.type == "cpu"
    if not on_cpu or torch.get_num_threads() > 1:
        return network
    try:
        from fercore.training import fused  # here, since numba takes a while, and few need it

        fused.compiled(dtype)
    except Exception as error:  # compilers fail in many ways, and training can do without them
        log.warning("training goes on without compiled kernels, and takes longer: %s", error)
        return network
    return fused.twin(network)


class Pass:
    """An epoch under way: its plan, how many steps are done, and what is summed over them.

    order: rows (steps, batch) in random order. theta: how each image is moved, float
    (steps, batch, 2, 3), or None. side: of the images that the network is to see.
    """

    def __init__(self, order: Tensor, theta: Tensor | None, side: int, began: float) -> None:
        self.order, self.theta, self.side, self.began = order, theta, side, began
        self.step = 0
        self.loss = torch.zeros((), device=order.device)
        self.hits = torch.zeros((), device=order.device, dtype=torch.int64)

    def state(self) -> dict[str, Any]:
        """What is needed to go on and does not derive from (seed, epoch)."""
        return {
            "step": self.step,
            "loss": self.loss,
            "hits": self.hits,
            "seconds": time.perf_counter() - self.began,
            "dice": device.dice(self.order.device),  # dropout throws them
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave; nothing else may draw random numbers from now on."""
        self.step = state["step"]
        self.loss.copy_(state["loss"])
        self.hits.copy_(state["hits"])
        self.began -= state["seconds"]
        device.set_dice(self.order.device, state["dice"])


class Fit:
    """A network, its optimizer and what it is trained on; `epoch` makes one pass.

    teachers: networks whose answers it learns in place of labels, in evaluation mode.
    """

    def __init__(
        self, spec: RunSpec, train: Examples, valid: Examples, teachers: Sequence[nn.Module] = ()
    ) -> None:
        self.recipe, self.seed, self.teachers = spec.train, spec.seed, teachers
        self.train, self.valid = train, valid
        self.where = train.images.device
        self.dtype = device.training_dtype(self.recipe.dtype, self.where)
        self.batch = min(self.recipe.batch, len(train))
        # What does not fill a batch sits out, other images in each epoch: all steps are alike.
        self.steps = len(train) // self.batch
        torch.manual_seed(seeds(self.seed, 0)[0])
        self.network = models.build(spec.model).to(self.where)
        initialise(self.network, self.recipe)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        scale_dropout(self.network, self.recipe.dropout)
        # Copied before `spare_bfloat16` ties forward functions to this very network.
        self.averaged = average(self.network, self.recipe.average)
        if self.where.type == "cpu" and self.dtype == torch.bfloat16:
            device.spare_bfloat16(self.network)
        self.trained = _in_training(self.network, self.dtype)
        self.optimizer = optimizer(self.network, self.recipe, self.dtype)
        self.history: list[Epoch] = []
        self.under_way: Pass | None = None
        self.seconds = 0.0
        """Spent in finished epochs, validation included."""

    @property
    def measured(self) -> nn.Module:
        """The network whose accuracy counts: the averaged one if the recipe averages."""
        return self.averaged.module if self.averaged else self.network

    @property
    def done(self) -> int:
        """Steps done in all epochs."""
        return len(self.history) * self.steps + (self.under_way.step if self.under_way else 0)

    def epoch(self, step_done: Callable[[], None]) -> Epoch:
        """Train for one epoch, or for what is left of it, and validate.

        step_done: called after each step; what `state` gives then is enough to go on. Raises
        `fercore.training.evaluate.DivergenceError`.
        """
        number = len(self.history) + 1
        under_way = self.under_way = self.under_way or self._plan(number)
        loss, accuracy = self._pass(under_way, step_done)
        seconds = time.perf_counter() - under_way.began
        logits = scores(self.measured, self.valid.images)
        valid_loss, valid_accuracy = loss_and_accuracy(logits, self.valid.labels.cpu())
        self.seconds += time.perf_counter() - under_way.began
        self.under_way = None
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

    def _pass(self, done: Pass, step_done: Callable[[], None]) -> tuple[float, float]:
        """One pass over the training images: mean loss and accuracy.

        Nothing in the loop waits for the device: sums stay on it until the end.
        """
        for each in (self.network, self.trained):
            each.train()
        for step in range(done.step, self.steps):
            rows = done.order[step]
            images = augment.normalise(self.train.images[rows])
            if done.theta is not None:
                images = augment.warp(images, done.theta[step], done.side)
            self._set_rate((len(self.history) + step / self.steps) / self.recipe.epochs)
            loss, right = self._step(images, self.train.labels[rows])
            done.loss += loss
            done.hits += right
            done.step += 1
            step_done()
        return done.loss.item() / self.steps, done.hits.item() / done.order.numel()

    def _plan(self, number: int) -> Pass:
        """An epoch that is to begin; seeds dropout too."""
        began = time.perf_counter()
        first, second = seeds(self.seed, number)
        dice = torch.Generator().manual_seed(first)
        torch.manual_seed(second)
        used = self.steps * self.batch
        order = torch.randperm(len(self.train), generator=dice)[:used]
        side = self.recipe.first_side if number <= self.recipe.epochs // 2 else SIDE
        theta = augment.draw(self.recipe.augment, used, dice)
        if theta is None and side != SIDE:
            theta = augment.still(used)
        if theta is not None:
            theta = theta.view(self.steps, self.batch, 2, 3).to(self.where)
        return Pass(order.view(self.steps, self.batch).to(self.where), theta, side, began)

    def _set_rate(self, progress: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = group["share"] * rate_at(self.recipe, progress)

    def _step(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and number of right answers of one batch, before the weights change."""
        with torch.autocast(self.where.type, torch.bfloat16, enabled=self.dtype == torch.bfloat16):
            logits = self.trained(images)
        logits = logits.float()
        target = self._taught(images) if self.teachers else labels
        loss = functional.cross_entropy(logits, target, label_smoothing=self.recipe.label_smoothing)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()
        if self.averaged:
            self.averaged.update_parameters(self.network)
        return loss.detach(), (logits.argmax(1) == labels).sum()

    @torch.no_grad()
    def _taught(self, images: Tensor) -> Tensor:
        """What the teachers say on average: probabilities (N, 7)."""
        return torch.stack([teacher(images).softmax(1) for teacher in self.teachers]).mean(0)

    def state(self) -> dict[str, Any]:
        """All that is needed to go on."""
        return {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict() if self.averaged else None,
            "optimizer": self.optimizer.state_dict(),
            "history": [epoch.model_dump() for epoch in self.history],
            "seconds": self.seconds,
            "under_way": self.under_way.state() if self.under_way else None,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.network.load_state_dict(state["network"])
        if self.averaged:
            self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.history = [Epoch(**epoch) for epoch in state["history"]]
        self.seconds = state["seconds"]
        if under_way := state["under_way"]:
            self.under_way = self._plan(len(self.history) + 1)
            self.under_way.resume(under_way)

    def weights(self) -> dict[str, NDArray[Any]]:
        """Weights and BatchNorm's statistics by name, as arrays of the usual layout."""
        state = self.measured.state_dict()
        return {name: tensor.cpu().contiguous().numpy() for name, tensor in state.items()}
