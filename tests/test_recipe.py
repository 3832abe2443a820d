"""What a recipe asks for is what is made."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from fercore import models
from fercore.data.split import divide
from fercore.spec import ModelSpec, TrainSpec
from fercore.training.evaluate import scores
from fercore.training.fit import Examples, Fit
from fercore.training.muon import Muon, orthogonal
from fercore.training.recipe import (
    ADAM_SHARE,
    average,
    initialise,
    optimizer,
    rate_at,
    scale_dropout,
)
from tests.toy import TINY, bars, spec


def test_decay_spares_biases_and_batchnorm() -> None:
    network = models.build(TINY)
    for kind in ("sgd", "adamw"):
        recipe = TrainSpec(optimizer=kind, weight_decay=0.1)
        decayed, spared = optimizer(network, recipe).param_groups
        assert (decayed["weight_decay"], spared["weight_decay"]) == (0.1, 0.0)
        layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        assert {id(p) for p in decayed["params"]} == {id(layer.weight) for layer in layers}
        assert len(decayed["params"]) + len(spared["params"]) == len(list(network.parameters()))


@pytest.mark.parametrize("kind", ["sgd", "adamw", "muon"])
def test_decay_reaches_everything_if_asked(kind: str) -> None:
    recipe = TrainSpec(optimizer=kind, weight_decay=0.1, decay_all=True)
    groups = optimizer(models.build(TINY), recipe).param_groups
    assert {group["weight_decay"] for group in groups} == {0.1}


def test_torchs_own_initial_weights_are_smaller() -> None:
    network = models.build(TINY)
    weight = network.get_parameter("conv2.weight")
    drawn = weight.clone()
    initialise(network, TrainSpec())
    assert torch.equal(weight, drawn)
    initialise(network, TrainSpec(initial="torch"))
    assert weight.abs().max() <= weight[0].numel() ** -0.5 < drawn.abs().max()


def test_schedules_begin_peak_and_end_where_they_should() -> None:
    steps = np.arange(1000) / 1000
    rates = {
        name: np.array([rate_at(TrainSpec(rate=2.0, schedule=name), x) for x in steps])
        for name in ("constant", "cosine", "onecycle")
    }
    assert set(rates["constant"]) == {2.0}
    cosine, onecycle = rates["cosine"], rates["onecycle"]
    assert cosine[[0, 500]] == pytest.approx([2.0, 1.0])
    assert (np.diff(cosine) < 0).all()
    assert onecycle[[0, 300]] == pytest.approx([2.0 / 25, 2.0])
    assert (np.diff(onecycle[:301]) > 0).all()
    assert (np.diff(onecycle[300:]) < 0).all()
    assert 0 < cosine[-1] < 1e-4
    assert 0 < onecycle[-1] < 1e-4


def test_muon_takes_the_weights_that_mix_channels_and_adam_the_rest() -> None:
    network = models.build(TINY)
    matrices, filters, vectors = optimizer(network, TrainSpec(weight_decay=0.1)).param_groups
    pointwise = [m.weight for m in network if isinstance(m, nn.Conv2d) and m.in_channels > 1]
    pointwise = [weight for weight in pointwise if weight.shape[1] > 1]
    assert {id(p) for p in matrices["params"]} == {id(weight) for weight in pointwise}
    assert id(network[-1].weight) in {id(p) for p in filters["params"]}
    assert all(p.ndim == 1 for p in vectors["params"])
    assert (matrices["share"], filters["share"], vectors["share"]) == (1, ADAM_SHARE, ADAM_SHARE)
    assert (matrices["weight_decay"], vectors["weight_decay"]) == (0.1, 0.0)
    groups = (matrices, filters, vectors)
    assert sum(len(g["params"]) for g in groups) == len(list(network.parameters()))


def test_muons_step_has_the_same_length_in_every_direction() -> None:
    network = models.build(TINY)
    made = optimizer(network, TrainSpec(rate=0.1))
    weight = made.param_groups[0]["params"][-1]
    before = weight.detach().clone()
    network(torch.randn(4, 1, 48, 48)).square().sum().backward()
    made.step()
    lengths = torch.linalg.svdvals((weight - before).detach().flatten(1))
    assert lengths.min() > 0.05
    assert lengths.max() < 0.2


@pytest.mark.parametrize("shape", [(4, 6), (4, 36), (36, 4), (6, 6)])
def test_muon_keeps_directions_and_evens_out_lengths(shape: tuple[int, int]) -> None:
    """Against the singular value decomposition, which says what Newton-Schulz approximates."""
    matrices = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    along = torch.diagonal(left.mT @ orthogonal(matrices) @ right.mT, dim1=1, dim2=2)
    assert along.min() > 0.6
    assert along.max() < 1.3
    crosswise = left.mT @ orthogonal(matrices) @ right.mT - torch.diag_embed(along)
    assert crosswise.abs().max() < 1e-4


def test_muon_updates_weights_of_one_shape_as_it_would_each_alone() -> None:
    start, steps = torch.randn(2, 5, 3), torch.randn(4, 2, 5, 3)
    groups = [[0, 1]], [[0], [1]]
    ended = []
    for indices in groups:
        weights = [nn.Parameter(matrix.clone()) for matrix in start]
        made = [
            Muon([{"params": [weights[i] for i in part], "use_muon": True}], 0.1, torch.float32)
            for part in indices
        ]
        for gradients in steps:
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.grad = gradient.clone()
            for each in made:
                each.step()
        ended.append(torch.stack([weight.detach() for weight in weights]))
    assert torch.allclose(ended[0], ended[1], atol=1e-6)
    assert not torch.allclose(ended[0], start)


@pytest.mark.parametrize("shape", [(4, 6), (4, 36)])
def test_muon_in_bfloat16_is_near_to_muon_in_float32(shape: tuple[int, int]) -> None:
    matrices = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    exact, near = orthogonal(matrices), orthogonal(matrices.bfloat16())
    assert near.dtype == torch.bfloat16
    assert 0 < (near.float() - exact).abs().max() < 0.1


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_run_gives_its_number_format_to_muon(dtype: str) -> None:
    faces, task = bars(), spec(dtype=dtype)
    some = Examples(faces, np.arange(40), torch.device("cpu"))
    made = Fit(task, some, some).optimizer
    assert isinstance(made, Muon)
    assert str(made.products) == f"torch.{dtype}"


def test_muons_state_goes_on_after_it_was_loaded() -> None:
    networks = [models.build(TINY) for _ in range(2)]
    networks[1].load_state_dict(networks[0].state_dict())
    recipe = TrainSpec(rate=0.1, weight_decay=0.01)
    made = [optimizer(network, recipe) for network in networks]
    images = torch.randn(4, 1, 48, 48)

    def step(index: int) -> None:
        made[index].zero_grad()
        networks[index](images).square().sum().backward()
        made[index].step()

    step(0)
    networks[1].load_state_dict(networks[0].state_dict())
    made[1].load_state_dict(deepcopy(made[0].state_dict()))
    # By this torch moves a loaded state's counts to the weights' device.
    assert all(group["fused"] for group in made[1].param_groups)
    for index in (0, 1):
        step(index)
    ended = [torch.nn.utils.parameters_to_vector(n.parameters()) for n in networks]
    assert torch.equal(ended[0], ended[1])


def test_muon_leaves_the_other_groups_to_adamw() -> None:
    weights = [nn.Parameter(torch.randn(3)) for _ in range(2)]
    weights[1].data.copy_(weights[0].data)
    ours = Muon([{"params": [weights[0]], "use_muon": False}], 0.1, torch.float32)
    adamw = torch.optim.AdamW([weights[1]], 0.1, betas=(0.9, 0.95), eps=1e-10, weight_decay=0)
    for _ in range(3):
        gradient = torch.randn(3)
        for weight, each in zip(weights, (ours, adamw), strict=True):
            weight.grad = gradient.clone()
            each.step()
    assert torch.allclose(weights[0], weights[1])


def test_dropout_is_scaled_and_zero_removes_it() -> None:
    network = models.build(ModelSpec(name="b-mobilenet-46k"))
    kept = [m.p for m in network if isinstance(m, nn.Dropout)]
    scale_dropout(network, 0.5)
    assert [m.p for m in network if isinstance(m, nn.Dropout)] == [p / 2 for p in kept]
    scale_dropout(network, 0)
    assert not any(m.p for m in network if isinstance(m, nn.Dropout))


def test_averaged_weights_follow_by_their_decay() -> None:
    network = nn.BatchNorm1d(1)
    averaged = average(network, 0.75)
    assert averaged is not None
    averaged.update_parameters(network)  # the first time it copies
    for tensor in (network.weight.data, network.running_mean):
        assert tensor is not None
        tensor += 4.0
    averaged.update_parameters(network)
    followed = averaged.module.state_dict()
    assert (followed["weight"].item(), followed["running_mean"].item()) == (2.0, 1.0)
    assert average(network, 0) is None


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_run_that_averages_measures_the_average(dtype: str) -> None:
    faces, task = bars(), spec(average=0.9, dtype=dtype)
    parts = divide(faces, task.data)
    cpu = torch.device("cpu")
    fit = Fit(task, Examples(faces, parts.train, cpu), Examples(faces, parts.valid, cpu))
    fit.epoch(lambda: None)
    plain, measured = (scores(n, fit.valid.images) for n in (fit.network, fit.measured))
    assert not torch.allclose(plain, measured)
    fresh = models.build(task.model)
    fresh.load_state_dict({k: torch.tensor(v) for k, v in fit.weights().items()})
    assert torch.allclose(scores(fresh, fit.valid.images), measured, atol=1e-5)
    resumed = Fit(task, fit.train, fit.valid)
    resumed.resume(fit.state())
    assert torch.equal(scores(resumed.measured, fit.valid.images), measured)
