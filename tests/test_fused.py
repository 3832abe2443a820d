"""The faster twin computes what torch computes, and trains the very same network."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from filelock import FileLock, Timeout
from numba.core.errors import TypingError
from torch import Tensor, nn

from fercore import models
from fercore.spec import ModelSpec
from fercore.training import fused
from fercore.training.fit import Examples, Fit
from tests.toy import TINY, bars, spec

CPU = torch.device("cpu")


class Passed(NamedTuple):
    out: Tensor
    lower: Tensor
    by_weight: Tensor
    by_bias: Tensor
    mean: Tensor
    variance: Tensor


def norm(channels: int) -> nn.BatchNorm2d:
    module = nn.BatchNorm2d(channels)
    with torch.no_grad():
        module.weight.copy_(torch.linspace(-0.5, 2, channels))
        module.bias.copy_(torch.linspace(-1, 1, channels))
    return module


def passed(module: nn.Module, scaled: nn.BatchNorm2d, images: Tensor, upper: Tensor) -> Passed:
    images = images.clone().requires_grad_()
    out = module(images)
    lower, by_weight, by_bias = torch.autograd.grad(
        out, [images, scaled.weight, scaled.bias], upper
    )
    _, _, mean, variance, batches = scaled.state_dict().values()
    assert batches == 1
    return Passed(out.detach(), lower, by_weight, by_bias, mean, variance)


def both(images: Tensor, activation: list[nn.Module]) -> tuple[Passed, Passed]:
    """The twin's numbers, and torch's in float64 from the same images."""
    upper = torch.randn(images.shape, generator=torch.Generator().manual_seed(1))
    scaled = norm(images.shape[1])
    exact = deepcopy(scaled).double()
    ours = passed(fused.twin(nn.Sequential(scaled, *activation)), scaled, images, upper)
    truth = passed(nn.Sequential(exact, *activation), exact, images.double(), upper.double())
    return ours, truth


def noise(*shape: int, mean: float = 0.0) -> Tensor:
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(0)) + mean
    return drawn.contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("shape", [(4, 14, 24, 24), (3, 113, 5, 5), (2, 1, 3, 3), (16, 600, 2, 2)])
@pytest.mark.parametrize("activation", [[], [nn.ReLU()], [nn.LeakyReLU(0.3)]])
def test_norm_and_activation_agree_with_torch_in_float64(
    shape: tuple[int, ...], activation: list[nn.Module]
) -> None:
    ours, truth = both(noise(*shape), activation)
    for got, expected in zip(ours, truth, strict=True):
        scale = expected.abs().max().item()
        wrong = (got - expected).abs() > 2e-5 * scale
        assert wrong.float().mean() < 1e-3  # a value within rounding of the corner may fall aside
    assert torch.allclose(ours.out.double(), truth.out, atol=1e-5)


def test_a_mean_far_from_zero_costs_no_digits() -> None:
    ours, truth = both(noise(4, 8, 12, 12, mean=1000.0), [])
    assert torch.allclose(ours.variance.double(), truth.variance, rtol=1e-4)
    assert torch.allclose(ours.out.double(), truth.out, atol=2e-3)


def test_bfloat16_is_rounded_once() -> None:
    images = noise(4, 14, 24, 24).bfloat16()
    upper = noise(4, 14, 24, 24).flip(0, 2).bfloat16()
    scaled = norm(14)
    exact = deepcopy(scaled)
    got, truth = images.clone().requires_grad_(), images.float().requires_grad_()
    out, expected = fused.twin(nn.Sequential(scaled))(got), exact(truth)
    assert out.dtype == torch.bfloat16
    assert (out == expected.bfloat16()).float().mean() > 0.999
    out.backward(upper)
    expected.backward(upper.float())
    assert got.grad is not None
    assert truth.grad is not None
    assert got.grad.dtype == torch.bfloat16
    assert (got.grad == truth.grad.bfloat16()).float().mean() > 0.99
    for ours, theirs in zip(scaled.parameters(), exact.parameters(), strict=True):
        assert ours.grad is not None
        assert theirs.grad is not None
        assert torch.allclose(ours.grad, theirs.grad, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_stays_so(bad: float) -> None:
    images = noise(2, 3, 4, 4)
    images[0, 1, 2, 2] = bad
    out = fused.twin(nn.Sequential(norm(3), nn.ReLU()))(images)
    assert not out[:, 1].isfinite().all()
    assert out[:, [0, 2]].isfinite().all()


@pytest.mark.parametrize(
    "model",
    [
        ModelSpec(name="b-mobilenet-46k"),
        ModelSpec(name="a-cnn-29k"),
        ModelSpec(name="mobilenet", widths=(4, 8, 8, 16), depth=2, residual=True),
        ModelSpec(name="cnn", widths=(4, 8, 8, 16), depth=1, norm="after"),
        ModelSpec(name="cnn", widths=(4, 8, 8, 16), depth=1, norm="none"),
    ],
    ids=lambda model: f"{model.name}-{model.norm}",
)
def test_a_twin_is_the_network_as_it_trains(model: ModelSpec) -> None:
    """Same scores, same gradients, same statistics, to rounding; no module is left out."""
    torch.manual_seed(0)
    network = models.build(model).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    other = deepcopy(network)
    twin = fused.twin(other)
    kinds = [type(module) for module in twin.modules()]
    norms = [module for module in other.modules() if isinstance(module, nn.BatchNorm2d)]
    assert kinds.count(fused.NormAct) == kinds.count(nn.BatchNorm2d) == len(norms)
    images = noise(8, 1, 48, 48)
    for each in (network, twin):
        each(images).square().sum().backward()
    for (name, ours), theirs in zip(other.named_parameters(), network.parameters(), strict=True):
        assert ours.grad is not None, name
        assert theirs.grad is not None
        off = (ours.grad - theirs.grad).norm() / theirs.grad.norm().clamp_min(1e-2)
        assert off < 5e-2, name  # values within rounding of an activation's corner fall aside
    for (name, ours), theirs in zip(other.named_buffers(), network.buffers(), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-4), name


def test_one_thread_of_a_cpu_trains_by_the_twin_and_learns_the_same() -> None:
    losses = {}
    for threads in (1, 2):
        fit = begun(threads)
        assert (fit.trained is fit.network) == (threads == 2)
        losses[threads] = fit.epoch(lambda: None).train_loss
    assert losses[1] == pytest.approx(losses[2], rel=1e-3)


def test_dropout_drops_in_every_epoch() -> None:
    """Validation between two epochs sets the layers that network and twin share to rest."""
    fit = begun(1, ModelSpec(name="a-mobilenet-29k"), dropout=1.0)
    layers = [module for module in fit.network.modules() if isinstance(module, nn.Dropout)]
    seen: list[bool] = []
    for layer in layers:
        layer.register_forward_hook(lambda module, *_: seen.append(module.training))
    for _ in range(2):
        fit.epoch(lambda: None)
    half = len(seen) // 2
    per_pass = len(layers) * fit.steps
    assert layers
    assert all(seen[:per_pass])
    assert not any(seen[per_pass:half])  # validation
    assert all(seen[half : half + per_pass])


@pytest.mark.parametrize(
    "error", [OSError("no space left"), RuntimeError("no locator"), TypingError("no such type")]
)
def test_where_nothing_can_be_compiled_training_goes_on_and_says_so(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(dtype: torch.dtype) -> None:
        raise error

    monkeypatch.setattr(fused, "compiled", fail)
    fit = begun(1)
    assert fit.trained is fit.network
    assert f"without compiled kernels, and takes longer: {error}" in caplog.text
    assert fit.epoch(lambda: None).train_loss > 0


def begun(threads: int, model: ModelSpec = TINY, **recipe: Any) -> Fit:
    faces, rows, before = bars(), np.arange(140), torch.get_num_threads()
    torch.set_num_threads(threads)
    task = spec(**recipe).model_copy(update={"model": model})
    try:
        return Fit(task, Examples(faces, rows, CPU), Examples(faces, rows, CPU))
    finally:
        torch.set_num_threads(before)


def test_one_process_compiles_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """numba's files on disk are not made for several at once."""
    held = []

    class Probe(nn.Module):
        def __init__(self, *_: object) -> None:
            super().__init__()
            with pytest.raises(Timeout):
                FileLock(fused.LOCK, timeout=0).acquire()
            held.append(True)

        def forward(self, images: Tensor) -> Tensor:
            return images

    monkeypatch.setattr(fused, "NormAct", Probe)
    fused.compiled(torch.bfloat16)
    assert held
    with FileLock(fused.LOCK, timeout=0):  # given back
        pass
