"""A network's twin for training steps on one CPU thread: same weights, less time.

BatchNorm and the activation after it are one module there, and most 3x3 convolutions take fewer
multiplications (`fercore.training.winograd`).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from fercore.training.kernels import batchnorm
from fercore.training.winograd import CHANNELS, SIDE, Winograd, suits

LOCK = Path(tempfile.gettempdir()) / f"fercore-kernels-{os.getuid()}.lock"
"""Held while numba compiles: it chooses a name on disk before it writes there, so that of two
processes that compile for two number formats one would find the other's code, and go without."""


def twin(network: nn.Module) -> nn.Module:
    """A module that trains the network's own weights and running statistics.

    It always normalises by the batch, as the network does while it trains.
    """
    if isinstance(network, nn.Sequential):
        return nn.Sequential(*_fused(list(network)))
    if type(network) is nn.Conv2d and suits(network):
        return Winograd(network)
    if not network._modules:
        return network
    other = copy(network)
    other._modules = {name: part and twin(part) for name, part in network._modules.items()}
    return other


def compiled(dtype: torch.dtype) -> None:
    """Have numba compile, or find on disk, what steps in this number format need.

    Raises whatever numba or LLVM do where they cannot, or can keep it nowhere.
    """
    with FileLock(LOCK):
        images = torch.zeros(2, CHANNELS, SIDE, SIDE, dtype=dtype, requires_grad=True)
        NormAct(nn.BatchNorm2d(CHANNELS), 0.0)(images).sum().backward()
        if dtype == torch.float32:
            Winograd(nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1))(images).sum().backward()


def _fused(modules: list[nn.Module]) -> Iterator[nn.Module]:
    waiting = iter(modules)
    for module in waiting:
        if not isinstance(module, nn.BatchNorm2d):
            yield twin(module)
            continue
        following = next(waiting, None)
        slope = _slope(following)
        yield NormAct(module, 1.0 if slope is None else slope)
        if following is not None and slope is None:
            yield from _fused([following, *waiting])


def _slope(module: nn.Module | None) -> float | None:
    """Of an activation below 0; None for what is no activation."""
    if isinstance(module, nn.LeakyReLU):
        return module.negative_slope
    return 0.0 if isinstance(module, nn.ReLU) else None


class NormAct(nn.Module):
    """A BatchNorm of images in training, then an activation: what is below 0 times the slope."""

    def __init__(self, norm: nn.BatchNorm2d, slope: float) -> None:
        super().__init__()
        self.norm, self.slope = norm, slope

    def forward(self, images: Tensor) -> Tensor:
        """(N, channels, H, W), float32 or bfloat16, to the same."""
        out: Tensor = _NormAct.apply(  # type: ignore[no-untyped-call]
            images, self.norm.weight, self.norm.bias, self.norm, self.slope
        )
        return out


class _NormAct(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, images: Tensor, weight: Tensor, bias: Tensor, norm: nn.BatchNorm2d, slope: float
    ) -> Tensor:
        images = images.contiguous(memory_format=torch.channels_last)
        out = torch.empty_like(images)
        assert norm.momentum is not None  # None would be torch's other kind of running mean
        mean, variance, batches = norm.buffers()
        batches += 1
        ctx.save_for_backward(images)
        ctx.eps, ctx.slope = norm.eps, slope
        ctx.numbers = batchnorm.forward(
            _pixels(images),
            _pixels(out),
            weight.detach().numpy(),
            bias.detach().numpy(),
            (mean.numpy(), variance.numpy()),
            norm.momentum,
            norm.eps,
            slope,
        )
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upper: Tensor) -> tuple[Tensor | None, ...]:
        (images,) = ctx.saved_tensors
        upper = upper.contiguous(memory_format=torch.channels_last)
        lower = torch.empty_like(images)
        by_weight, by_bias = batchnorm.backward(
            _pixels(images), _pixels(upper), _pixels(lower), ctx.numbers, ctx.eps, ctx.slope
        )
        return lower, torch.from_numpy(by_weight), torch.from_numpy(by_bias), None, None


def _pixels(images: Tensor) -> batchnorm.Pixels:
    """The images' own memory in channels-last layout, as `batchnorm` takes it."""
    flat = images.detach().as_strided((images.numel(),), (1,))
    return (flat.view(torch.uint16) if flat.dtype == torch.bfloat16 else flat).numpy()
