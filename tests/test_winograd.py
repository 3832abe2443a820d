"""The twin's convolutions are convolutions: the same numbers as torch's, to rounding."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from fercore import models
from fercore.spec import ModelSpec
from fercore.training import fused, winograd
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
        (7, 64, 64, 9, 8),
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


def test_few_images_at_once_are_as_good_as_all(monkeypatch: pytest.MonkeyPatch) -> None:
    convolution = nn.Conv2d(24, 32, 3, padding=1)
    images = noise(6, 24, 12, 12)
    whole = gradients(Winograd(convolution), convolution, images)
    monkeypatch.setattr(winograd, "MEMORY", 36 * 4 * 9 * 56 * 5)  # five fit, three divide six
    parts = gradients(Winograd(convolution), convolution, images)
    for got, expected in zip(parts, whole, strict=True):
        assert (got - expected).abs().max() < 5e-5 * expected.abs().max()


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


def test_the_reports_networks_train_by_it() -> None:
    """b-cnn-1875k's five convolutions after the first; the last one's output is 8 pixels wide."""
    network = models.build(ModelSpec(name="b-cnn-1875k"))
    twins = [module for module in fused.twin(network).modules() if isinstance(module, Winograd)]
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    assert [twin.convolution for twin in twins] == convolutions[1:]
