"""3x3 convolutions on one CPU thread, in a quarter of the multiplications.

Winograd's F(4x4, 3x3) (Lavin and Gray, arXiv:1509.09308): input and kernel are transformed, become
36 products of matrices, and these the output; `fercore.training.kernels.tiles` has the transforms.
Gradients go the same way back. In float32 results differ from the convolution's own by some 1e-5
of the largest.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from fercore.training.kernels.tiles import (
    OUT,
    input_adjoint,
    input_transform,
    output_adjoint,
    output_transform,
)

CHANNELS, SIDE = 16, 8
"""With fewer channels in or out, or fewer rows or columns of output, the transforms cost more than
they save."""

MEMORY = 2 << 20
"""Bytes of tiles at once, input's and output's together: about what a nearby cache holds."""

# The kernel's transform (Lavin and Gray's G) in one dimension, and in two on 9 numbers in a row.
_G = torch.tensor([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
_KERNEL = torch.kron(_G, _G)


def suits(convolution: nn.Conv2d) -> bool:
    """Whether the transforms are for such a convolution, and worth it."""
    return (
        convolution.kernel_size == (3, 3)
        and convolution.stride == convolution.dilation == (1, 1)
        and convolution.padding in ((0, 0), (1, 1))
        and convolution.padding_mode == "zeros"
        and convolution.groups == 1
        and min(convolution.in_channels, convolution.out_channels) >= CHANNELS
    )


class Winograd(nn.Module):
    """A convolution's twin: its own weights, another way."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution
        self.pad = int(convolution.padding[0])

    def forward(self, images: Tensor) -> Tensor:
        """(N, channels, H, W), float32, to (N, channels, H, W)."""
        small = min(images.shape[2:]) + 2 * self.pad - 2 < SIDE
        if small or torch.is_autocast_enabled("cpu"):  # bfloat16 goes through torch
            return self.convolution(images)  # type: ignore[no-any-return]
        weight, bias = self.convolution.weight, self.convolution.bias
        if bias is None:
            bias = weight.new_zeros(len(weight))
        out: Tensor = _Winograd.apply(images, weight, bias, self.pad)  # type: ignore[no-untyped-call]
        return out


class _Winograd(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, bias: Tensor, pad: int) -> Tensor:
        images = images.contiguous(memory_format=torch.channels_last)
        nine = weight.permute(2, 3, 1, 0)
        kernel = (_KERNEL @ nine.reshape(9, -1)).view(36, *nine.shape[2:])
        size = [side + 2 * pad - 2 for side in images.shape[2:]]
        shape, layout = (len(images), len(weight), *size), torch.channels_last
        out = torch.empty(shape, dtype=images.dtype, memory_format=layout)
        few, inputs, outputs = _tiles(images, out)
        for below, above in zip(torch.split(images, few), torch.split(out, few), strict=True):
            input_transform(_pixels(below), inputs.numpy(), pad)
            torch.bmm(inputs, kernel, out=outputs)
            output_transform(outputs.numpy(), _pixels(above), bias.detach().numpy())
        ctx.save_for_backward(images, kernel)
        ctx.pad = pad
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upper: Tensor) -> tuple[Tensor | None, ...]:
        images, kernel = ctx.saved_tensors
        upper = upper.contiguous(memory_format=torch.channels_last)
        lower, by_kernel = torch.zeros_like(images), torch.zeros_like(kernel)
        by_bias = upper.new_zeros(upper.shape[1])
        few, inputs, outputs = _tiles(images, upper)
        parts = (torch.split(whole, few) for whole in (images, upper, lower))
        for some, above, below in zip(*parts, strict=True):
            input_transform(_pixels(some), inputs.numpy(), ctx.pad)
            output_adjoint(_pixels(above), outputs.numpy())
            by_kernel.baddbmm_(inputs.mT, outputs)
            by_bias += outputs[7].sum(0)
            torch.bmm(outputs, kernel.mT, out=inputs)
            input_adjoint(inputs.numpy(), _pixels(below), ctx.pad)
        by_weight = (_KERNEL.T @ by_kernel.view(36, -1)).view(3, 3, *kernel.shape[1:])
        return lower, by_weight.permute(3, 2, 0, 1), by_bias, None


def _tiles(images: Tensor, out: Tensor) -> tuple[int, Tensor, Tensor]:
    """How many images at once, and room for their tiles of input and output.

    So many that all parts are alike: a smaller one would leave another's tiles where products are
    summed. An odd number of rows: else the 36 numbers of a tile lie where they drive each other out
    of the cache. A row more than needed stays 0.
    """
    tiles = -(-out.shape[2] // OUT) * -(-out.shape[3] // OUT)
    channels = images.shape[1], out.shape[1]
    fit = MEMORY // (36 * 4 * tiles * sum(channels))
    few = next(n for n in range(max(1, min(fit, len(images))), 0, -1) if len(images) % n == 0)
    inputs, outputs = (images.new_zeros(36, few * tiles | 1, each) for each in channels)
    return few, inputs, outputs


def _pixels(images: Tensor) -> Any:
    """(N, H, W, channels): the images' own memory in channels-last layout."""
    return images.detach().permute(0, 2, 3, 1).numpy()
