"""The twin's convolutions are convolutions: the same numbers as torch's, to rounding."""

from __future__ import annotations

import hashlib
from copy import deepcopy
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from numba.core.errors import TypingError
from torch import Tensor, nn

from fercore import models
from fercore.spec import ModelSpec
from fercore.training import fused, kernels, winograd
from fercore.training.kernels import batchnorm, simd, tiles
from fercore.training.winograd import Winograd, suits


def noise(*shape: int) -> Tensor:
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    return drawn.contiguous(memory_format=torch.channels_last) if len(shape) == 4 else drawn


def gradients(module: nn.Module, own: nn.Conv2d, images: Tensor) -> list[Tensor]:
    images = images.clone().requires_grad_()
    out = module(images)
    upper = noise(*out.shape).to(out.dtype)
    return [out.detach(), *torch.autograd.grad(out, [images, *own.parameters()], upper)]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("pad", [0, 1])
@pytest.mark.parametrize(
    "shape",  # images, channels in and out, height, width
    [
        (4, 24, 24, 12, 12),
        (3, 32, 40, 13, 10),
        (2, 17, 30, 11, 23),  # channels that do not fill the last eight
        (1, 47, 24, 48, 48),
        (7, 64, 64, 10, 11),
        (5, 16, 16, 10, 10),
    ],
)
def test_numbers_and_gradients_agree_with_torch_in_float64(
    shape: tuple[int, ...], pad: int, bias: bool
) -> None:
    count, inputs, outputs, *sides = shape
    torch.manual_seed(0)
    convolution = nn.Conv2d(inputs, outputs, 3, padding=pad, bias=bias)
    assert suits(convolution)
    exact = deepcopy(convolution).double()
    images = noise(count, inputs, *sides)
    ours = gradients(Winograd(convolution), convolution, images)
    truth = gradients(exact, exact, images.double())
    assert len(ours) == len(truth) == 3 + bias
    for got, expected in zip(ours, truth, strict=True):
        assert got.dtype == torch.float32
        assert (got - expected).abs().max() < 5e-5 * expected.abs().max()


@pytest.mark.parametrize("fit", [2, 5])  # with an even and an odd number of tiles
def test_few_images_at_once_are_as_good_as_all(fit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    convolution = nn.Conv2d(24, 32, 3, padding=1)
    images = noise(6, 24, 12, 12)
    whole = gradients(Winograd(convolution), convolution, images)
    monkeypatch.setattr(winograd, "MEMORY", 36 * 4 * 9 * 56 * fit)
    few, inputs, outputs = winograd._tiles(images, noise(6, 32, 12, 12))
    assert few == {2: 2, 5: 3}[fit]  # the parts are alike
    assert inputs.shape == (36, {2: 19, 5: 27}[fit], 24)
    assert outputs.shape[1] == inputs.shape[1]
    parts = gradients(Winograd(convolution), convolution, images)
    for got, expected in zip(parts, whole, strict=True):
        assert (got - expected).abs().max() < 5e-5 * expected.abs().max()


def test_no_layout_changes_a_bit() -> None:
    """Images in torch's usual layout; a gradient that is one number in memory."""
    convolution = nn.Conv2d(24, 32, 3, padding=1)
    found = []
    for layout in (torch.channels_last, torch.contiguous_format, torch.channels_last):
        images = noise(3, 24, 12, 12).contiguous(memory_format=layout).requires_grad_()
        out = Winograd(convolution)(images)
        found.append([out, *torch.autograd.grad(out.sum(), [images, convolution.weight])])
    for others in found[1:]:
        for got, expected in zip(others, found[0], strict=True):
            assert torch.equal(got, expected)


def test_kernels_refuse_what_they_would_read_wrongly() -> None:
    images, room = np.zeros((1, 12, 16, 12), np.float32), np.zeros((36, 9, 16), np.float32)
    with pytest.raises(TypingError, match="memory"):
        tiles.input_transform(images.transpose(0, 1, 3, 2), room, 1)
    with pytest.raises(TypingError, match="memory"):
        tiles.input_transform(np.zeros((1, 12, 12, 16)), room, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize("module", [batchnorm, tiles])
def test_what_numba_keeps_ends_with_the_files_it_was_built_on(
    module: ModuleType,
) -> None:
    """Otherwise an upgrade would go on with the old loops: numba looks at one file alone."""
    files = (Path(str(each.__file__)).read_bytes() for each in (kernels, simd))
    digest = hashlib.sha256(b"".join(files)).hexdigest()[:12]
    assert digest == module.BUILT_ON, f"set BUILT_ON in {module.__file__}"


@pytest.mark.parametrize(
    "other",
    [
        nn.Conv2d(24, 24, 2),
        nn.Conv2d(24, 24, (3, 1)),
        nn.Conv2d(24, 24, 3, stride=2),
        nn.Conv2d(24, 24, 3, dilation=2),
        nn.Conv2d(24, 24, 3, padding=2),
        nn.Conv2d(24, 24, 3, padding=(0, 1)),
        nn.Conv2d(24, 24, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(24, 24, 3, groups=24),
        nn.Conv2d(1, 24, 3),
        nn.Conv2d(24, 8, 3),
    ],
)
def test_other_convolutions_stay_as_they_are(other: nn.Conv2d) -> None:
    assert not suits(other)
    assert fused.twin(other) is other


def test_small_images_and_bfloat16_go_through_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(winograd, "_Winograd", None)
    convolution = nn.Conv2d(24, 24, 3)
    twin = Winograd(convolution)
    small = noise(2, 24, 9, 20)
    assert torch.equal(twin(small), convolution(small))
    with torch.autocast("cpu", torch.bfloat16):
        assert twin(noise(2, 24, 12, 12)).dtype == torch.bfloat16


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_shows(bad: float) -> None:
    images = noise(2, 24, 12, 12)
    images[0, 3, 5, 5] = bad
    out = Winograd(nn.Conv2d(24, 24, 3))(images)
    assert not out[0].isfinite().all()
    assert out[1].isfinite().all()


def test_a_reports_large_network_trains_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """b-cnn-1875k's convolutions after the first; the last one's output is 8 pixels wide."""
    sides: list[int] = []
    forward = winograd._Winograd.forward

    def counted(ctx: object, images: Tensor, *others: object) -> Tensor:
        out: Tensor = forward(ctx, images, *others)  # type: ignore[arg-type]
        sides.append(out.shape[2])
        return out

    monkeypatch.setattr(winograd._Winograd, "forward", staticmethod(counted))
    network = models.build(ModelSpec(name="b-cnn-1875k"))
    fused.twin(network)(noise(2, 1, 48, 48))
    assert sides == [46, 23, 21, 10, 8]
