"""What a `TrainSpec` asks for, made: learning rate, optimizer, dropout, averaged weights."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fercore.spec import TrainSpec
from fercore.training.muon import Muon

WARM_UP, START = 0.3, 1 / 25
"""One-cycle: share of the steps in which the rate rises, from this share of its peak."""

ADAM_SHARE = 0.25
"""With Muon: rate of what Adam updates, as a share of the rate of the matrices."""


def rate_at(spec: TrainSpec, progress: float) -> float:
    """Learning rate after a share of all steps, 0 <= progress < 1.

    cosine: half a cosine from the peak to 0 (Loshchilov & Hutter 2017, arXiv:1608.03983).
    onecycle: half a cosine up from 1/25 of the peak in the first 30 %, then half a cosine down to
    0 (Smith & Topin 2018, arXiv:1708.07120, in fastai's form; momentum stays as it is).
    """
    if spec.schedule == "constant":
        return spec.rate
    if spec.schedule == "onecycle" and progress < WARM_UP:
        return spec.rate * (START + (1 - START) * _rise(progress / WARM_UP))
    start = WARM_UP if spec.schedule == "onecycle" else 0.0
    return spec.rate * (1 - _rise((progress - start) / (1 - start)))


def _rise(x: float) -> float:
    return (1 - math.cos(math.pi * x)) / 2


def optimizer(
    network: nn.Sequential, recipe: TrainSpec, dtype: torch.dtype = torch.float32
) -> torch.optim.Optimizer:
    """The recipe's optimizer. Each group's "share" multiplies the rate of `rate_at`.

    muon: for every weight that mixes channels, AdamW for the others: biases, BatchNorm, depthwise
    filters, the stem and the class scores. dtype: of Muon's matrix products.
    """
    if recipe.optimizer == "muon":
        return _muon(network, recipe, dtype)
    parameters = list(network.parameters())
    matrices, vectors = ([p for p in parameters if (p.ndim > 1) == many] for many in (True, False))
    groups = [_group(matrices, recipe), _group(vectors, recipe)]
    # One kernel for all parameters instead of a dozen for each.
    fused = parameters[0].device.type in ("cpu", "cuda")
    if recipe.optimizer == "sgd":
        nesterov = recipe.momentum > 0
        return torch.optim.SGD(
            groups, recipe.rate, momentum=recipe.momentum, nesterov=nesterov, fused=fused
        )
    kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
    return kind(groups, recipe.rate, fused=fused)


def _group(
    parameters: list[nn.Parameter], recipe: TrainSpec, share: float = 1.0, **more: Any
) -> dict[str, Any]:
    """Weight decay spares vectors (biases, BatchNorm's scale and shift) unless `decay_all`."""
    decays = recipe.decay_all or any(parameter.ndim > 1 for parameter in parameters)
    decay = recipe.weight_decay if decays else 0.0
    return {"params": parameters, "share": share, "weight_decay": decay, **more}


def _muon(network: nn.Sequential, recipe: TrainSpec, dtype: torch.dtype) -> Muon:
    *_, last = network
    matrices, filters, vectors = [], [], []
    for parameter in network.parameters():
        if parameter.ndim < 2:
            vectors.append(parameter)
        elif parameter is last.weight or parameter.shape[1] == 1:
            filters.append(parameter)
        else:
            matrices.append(parameter)
    groups = [
        _group(matrices, recipe, use_muon=True),
        _group(filters, recipe, ADAM_SHARE, use_muon=False),
        _group(vectors, recipe, ADAM_SHARE, use_muon=False),
    ]
    return Muon([group for group in groups if group["params"]], recipe.rate, dtype)


def initialise(network: nn.Module, recipe: TrainSpec) -> None:
    """Draw the weights anew by torch's own rule (uniform, variance 1 / (3 inputs)) if asked."""
    if recipe.initial == "torch":
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.reset_parameters()


def scale_dropout(network: nn.Module, factor: float) -> None:
    """Multiply the probability of every dropout layer."""
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p *= factor


def average(network: nn.Module, decay: float) -> AveragedModel | None:
    """A copy that follows the weights and BatchNorm's statistics: decay * old + (1 - decay) * new.

    None for a decay of 0.
    """
    if not decay:
        return None
    rule = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(network, multi_avg_fn=rule, use_buffers=True)
