"""Muon: momentum made orthogonal, for weights that mix channels; AdamW for all others."""

from __future__ import annotations

import math
from itertools import groupby
from typing import Any

import torch
from torch import Tensor
from torch.optim.adamw import adamw

NESTEROV = 0.95
BETAS, EPS = (0.9, 0.95), 1e-10
"""AdamW's, as in Jordan's code."""
STEPS, COEFFICIENTS = 5, (3.4445, -4.7750, 2.0315)
"""Newton-Schulz: chosen by its author so that singular values end between 0.7 and 1.2."""


class Muon(torch.optim.Optimizer):
    """Groups with "use_muon" are updated by Muon, the others by AdamW.

    Jordan et al. 2024, kellerjordan.github.io/posts/muon, its rate adjusted by shape as there.
    dtype: of the matrix products, which libraries fix at bfloat16: where the hardware has no
    instructions for that, a step took up to 127 times as long (docs/performance.md).
    """

    def __init__(self, groups: list[dict[str, Any]], rate: float, dtype: torch.dtype) -> None:
        # torch moves the counts of a loaded state to the weights' device where "fused" says so.
        fused = groups[0]["params"][0].device.type in ("cpu", "cuda")
        super().__init__(groups, {"lr": rate, "weight_decay": 0.0, "fused": fused})
        self.products = dtype

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update every weight that has a gradient."""
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if group["use_muon"]:
                for _, alike in groupby(sorted(weights, key=_shape), _shape):
                    self._update(list(alike), group)
            elif weights:
                self._adamw(weights, group)

    def _update(self, weights: list[Tensor], group: dict[str, Any]) -> None:
        """Weights of one shape, in one product each."""
        moved = torch.stack([self._momentum(weight) for weight in weights])
        rows, columns = moved.shape[1:]
        rate = group["lr"] * math.sqrt(max(1.0, rows / columns))
        updates = orthogonal(moved.to(self.products)).to(weights[0].dtype)
        for weight, update in zip(weights, updates, strict=True):
            weight.mul_(1 - group["lr"] * group["weight_decay"])
            weight.add_(update.view_as(weight), alpha=-rate)

    def _momentum(self, weight: Tensor) -> Tensor:
        """The gradient after Nesterov's momentum, as a matrix (outputs, inputs)."""
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        assert weight.grad is not None
        momentum = state["momentum"].lerp_(weight.grad, 1 - NESTEROV)
        return weight.grad.lerp(momentum, NESTEROV).flatten(1)

    def _adamw(self, weights: list[Tensor], group: dict[str, Any]) -> None:
        """All of a group in one kernel where the device has it."""
        for weight in weights:
            if not self.state[weight]:
                self.state[weight] = {
                    "step": torch.zeros((), device=weight.device if group["fused"] else "cpu"),
                    "mean": torch.zeros_like(weight),
                    "square": torch.zeros_like(weight),
                }
        states = [self.state[weight] for weight in weights]
        adamw(
            weights,
            [weight.grad for weight in weights if weight.grad is not None],
            [state["mean"] for state in states],
            [state["square"] for state in states],
            [],
            [state["step"] for state in states],
            fused=group["fused"],
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=EPS,
            maximize=False,
        )


def _shape(weight: Tensor) -> tuple[int, ...]:
    return tuple(weight.shape)


def orthogonal(matrices: Tensor) -> Tensor:
    """Matrices (N, rows, columns), each with its singular values brought near 1."""
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp_min(1e-7)
    # bfloat16 has not the digits for products of products.
    short = x.dtype == torch.float32 and x.shape[2] > 2 * x.shape[1]
    x = _by_gram(x) if short else _one_by_one(x)
    return x.mT if tall else x


def _one_by_one(x: Tensor) -> Tensor:
    for _ in range(STEPS):
        x = torch.bmm(_polynomial(x @ x.mT), x)
    return x


def _by_gram(x: Tensor) -> Tensor:
    """The same on the small side alone: all steps' factors commute, x comes last.

    A third of the work for a 3x3 convolution, whose matrix is nine times as wide as high.
    """
    gram = x @ x.mT
    factors = factor = _polynomial(gram)
    for _ in range(STEPS - 1):
        gram = factor @ gram @ factor
        factor = _polynomial(gram)
        factors = factor @ factors
    return torch.bmm(factors, x)


def _polynomial(gram: Tensor) -> Tensor:
    """What a step multiplies with: a + b * gram + c * gram^2."""
    a, b, c = COEFFICIENTS
    factor = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
    factor.diagonal(dim1=1, dim2=2).add_(a)
    return factor
