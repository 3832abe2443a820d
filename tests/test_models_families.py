import time
import warnings
from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from fercore.models import (
    FAMILIES,
    ModelError,
    build,
    cost,
    describe,
    fingerprint,
    label,
    layers,
    listing,
    nearest,
    regular,
)
from fercore.models.families import Variant
from fercore.models.layers import Conv, Depthwise, MaxPool, Residual, walk
from fercore.spec import ModelSpec

BUDGETS = [int(budget) for budget in np.geomspace(10_000, 5_000_000, 400)]
INPUT = (1, 48, 48)
small_members = st.builds(
    ModelSpec,
    name=st.sampled_from(sorted(FAMILIES)),
    widths=st.tuples(*[st.integers(1, 12)] * 4),
    depth=st.integers(2, 3),
    head=st.sampled_from(["pool", "dense"]),
    residual=st.booleans(),
    early=st.booleans(),
    norm=st.sampled_from(["before", "after", "none"]),
)


@given(small_members)
@settings(max_examples=25, deadline=None)
def test_torch_counts_any_member_the_same(spec: ModelSpec) -> None:
    network, found = build(spec), cost(spec)
    assert sum(p.numel() for p in network.parameters()) == found.trainable
    statistics = sum(b.numel() for n, b in network.named_buffers() if "running" in n)
    assert found.keras_total == found.trainable + statistics
    assert network(torch.zeros(2, *INPUT)).shape == (2, 7)
    assert sum(row.macs for row in describe(spec)) == found.macs


@pytest.mark.parametrize("family", FAMILIES)
def test_parameters_by_hand(family: str) -> None:
    spec = ModelSpec(name=family, widths=(2, 3, 4, 5), depth=1)
    norm = [2 * 3, 2 * 4, 2 * 5]
    blocks = {
        "cnn": [9 * 2 * 3, 9 * 3 * 4, 9 * 4 * 5],
        "mobilenet": [9 * 2 + 2 * 2 + 2 * 3, 9 * 3 + 2 * 3 + 3 * 4, 9 * 4 + 2 * 4 + 4 * 5],
    }
    stem, head = 9 * 2 + 2 * 2, 5 * 7 + 7
    assert cost(spec).trainable == stem + sum(norm) + sum(blocks[family]) + head


def test_the_families_differ_in_the_block_alone() -> None:
    widths, depth = (4, 8, 16, 32), 2
    shapes = {}
    for family in FAMILIES:
        steps = list(walk(layers(ModelSpec(name=family, widths=widths, depth=depth)), INPUT))
        outs = [layer.out(seen) for layer, seen in steps if isinstance(layer, Conv)]
        shapes[family] = outs  # a separable block ends in a pointwise Conv
    assert shapes["mobilenet"] == shapes["cnn"]
    assert [side for *_, side in shapes["cnn"]] == [48, 24, 24, 12, 12, 6, 6]


@pytest.mark.parametrize("depth", [None, 1, 2, 3, 4])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_budget_is_met_within_two_per_cent(family: str, depth: int | None) -> None:
    for budget in BUDGETS[:: 1 if depth is None else 4]:
        spec = nearest(family, budget, depth)
        assert abs(cost(spec).trainable - budget) <= 0.02 * budget
        assert spec.widths is not None
        assert list(spec.widths) == sorted(spec.widths)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_ordinary_member_is_met_from_a_thousand_on(family: str) -> None:
    for budget in map(int, np.geomspace(1_000, 10_000, 60)):
        assert abs(cost(nearest(family, budget)).trainable - budget) <= 0.02 * budget


def test_a_member_is_its_own_nearest() -> None:
    for family in FAMILIES:
        spec = ModelSpec(name=family, widths=regular(16), depth=2)
        assert nearest(family, cost(spec).trainable, 2) == spec


def test_the_solver_builds_nothing_and_is_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a torch module was built")

    monkeypatch.setattr(nn.Module, "__init__", refuse)
    nearest.cache_clear()
    seconds = []
    for budget in BUDGETS[::20]:
        start = time.perf_counter()
        nearest("cnn", budget)
        seconds.append(time.perf_counter() - start)
    assert np.median(seconds) < 0.05


@pytest.mark.parametrize("budget", [1, 100, 10**12])
def test_an_impossible_budget_names_the_range(budget: int) -> None:
    with pytest.raises(ModelError, match=r"from 10,000 to 5,000,000 .*the nearest here has [\d,]+"):
        nearest("cnn", budget)


def test_an_impossible_variant_is_named() -> None:
    with pytest.raises(ModelError, match="no mobilenet of depth 1, head dense has 20,000"):
        nearest("mobilenet", 20_000, 1, head="dense")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (ModelSpec(name="mobilnet"), "did you mean mobilenet"),
        (ModelSpec(name="b-mobilenet-45k"), "did you mean b-mobilenet-46k"),
        (ModelSpec(name="xyz"), "no network is called 'xyz': allowed are mobilenet, cnn, a-cnn"),
        (ModelSpec(name="cnn"), "cnn is a family: give the widths"),
        (ModelSpec(name="cnn", widths=(8, 16)), "expected 4 widths .* found 2"),
        (ModelSpec(name="b-cnn-48k", widths=(1, 2, 3, 4)), "neither widths nor depth"),
        (ModelSpec(name="b-cnn-48k", depth=2), "neither widths nor depth"),
        (ModelSpec(name="b-cnn-48k", early=True), "nor any variant, found early"),
        (ModelSpec(name="cnn", widths=(1, 2, 3, 4), depth=1, residual=True), "needs depth 2"),
    ],
)
def test_bad_specifications(spec: ModelSpec, message: str) -> None:
    for ask in (layers, cost, build, fingerprint):
        with pytest.raises(ModelError, match=message):
            ask(spec)


def test_unknown_family() -> None:
    with pytest.raises(ModelError, match=r"family \(mobilenet, cnn\), found 'resnet'"):
        nearest("resnet", 10_000)


@pytest.mark.parametrize("budget", [0, -5])
def test_a_budget_must_be_positive(budget: int) -> None:
    with pytest.raises(ModelError, match=f"at least 1 parameter, found {budget}"):
        nearest("cnn", budget)


def test_a_window_larger_than_the_image_is_an_error() -> None:
    with pytest.raises(ModelError, match="5x5 window does not fit a 4x4 image"):
        Conv(5, 8).out((1, 4, 4))
    with pytest.raises(ModelError, match="window"):
        MaxPool(2).out((8, 1, 1))


def test_weights_follow_torch_seed() -> None:
    spec = ModelSpec(name="mobilenet", widths=(4, 8, 16, 32), depth=1)

    def weights(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return nn.utils.parameters_to_vector(build(spec).parameters())

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_initial_weights() -> None:
    torch.manual_seed(0)
    spec = ModelSpec(name="mobilenet", widths=(64, 128, 128, 256), depth=1)
    network = build(spec)
    *body, last = (m for m in network if isinstance(m, nn.Conv2d | nn.Linear))
    for module in body:
        inputs = module.weight[0].numel()  # of one output: 9 in a depthwise filter
        assert module.weight.std().item() == pytest.approx((2 / inputs) ** 0.5, rel=0.12)
    assert last.weight.std().item() == pytest.approx(0.01, rel=0.1)
    loss = nn.functional.cross_entropy(network(torch.rand(8, *INPUT)), torch.arange(8) % 7)
    assert loss.item() == pytest.approx(np.log(7), abs=0.3)


def test_submodules_have_readable_names() -> None:
    network = build(ModelSpec(name="mobilenet", widths=(1, 2, 3, 4), depth=1))
    assert list(network._modules)[:7] == [
        "conv1",
        "batchnorm1",
        "relu1",
        "depthwise1",
        "batchnorm2",
        "relu2",
        "conv2",
    ]


def test_labels_and_listing_of_members() -> None:
    specs = [nearest(family, 30_000) for family in FAMILIES]
    rows = listing(specs)
    assert [row["family"] for row in rows] == list(FAMILIES)
    assert all(row["exact"] is None and row["report"] is None for row in rows)
    assert label(ModelSpec(name="cnn", widths=(4, 8, 16, 32), depth=2)) == "cnn-19k"
    assert label(ModelSpec(name="cnn", widths=(4, 8, 16, 32))) == "cnn-19k"
    assert label(ModelSpec(name="cnn", widths=(4, 8, 16, 32), depth=3)) == "cnn-31k-depth3"
    assert label(nearest("cnn", 2_500)) == "cnn-2.5k"
    assert label(nearest("cnn", 5_000)) == "cnn-5k"
    assert label(nearest("cnn", 30_000, head="dense")) == "cnn-30k-dense"
    every = nearest("mobilenet", 80_000, 4, residual=True, early=True, norm="none")
    assert label(every) == "mobilenet-80k-depth4-residual-early-norm-none"


def test_default_depth_is_the_same_network() -> None:
    given_depth = ModelSpec(name="cnn", widths=(4, 8, 16, 32), depth=2)
    assert fingerprint(ModelSpec(name="cnn", widths=(4, 8, 16, 32))) == fingerprint(given_depth)


def test_families_hold_depthwise_layers_only_where_named() -> None:
    for family, expected in {"mobilenet": 6, "cnn": 0}.items():
        found = layers(nearest(family, 50_000, 2))
        assert sum(isinstance(layer, Depthwise) for layer in found) == expected


def test_building_gives_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build(nearest("mobilenet", 10_000))(torch.zeros(2, *INPUT))


VARIANTS: list[Variant] = [
    {"head": "dense"},
    {"residual": True},
    {"early": True},
    {"norm": "after"},
    {"norm": "none"},
    {"head": "dense", "early": True, "norm": "none"},
]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("family", FAMILIES)
def test_variants_meet_their_budgets_too(family: str, variant: Variant) -> None:
    plain = [nearest(family, budget, 2) for budget in (20_000, 80_000, 300_000, 1_000_000)]
    for budget, ordinary in zip((20_000, 80_000, 300_000, 1_000_000), plain, strict=True):
        spec = nearest(family, budget, 2, **variant)
        assert abs(cost(spec).trainable / budget - 1) <= 0.02
        assert fingerprint(spec) != fingerprint(ordinary)
        assert spec == ModelSpec(name=family, widths=spec.widths, depth=2, **variant)


def test_the_dense_head_by_hand() -> None:
    pool = ModelSpec(name="cnn", widths=(2, 3, 4, 5), depth=1)
    dense = ModelSpec(name="cnn", widths=(2, 3, 4, 5), depth=1, head="dense")
    hidden, scores = 36 * 5 * 64 + 64 + 2 * 64, 64 * 7 + 7
    assert cost(dense).trainable - cost(pool).trainable == hidden + scores - (5 * 7 + 7)


def test_without_norm_a_bias_takes_its_place() -> None:
    usual = ModelSpec(name="mobilenet", widths=(2, 3, 4, 5), depth=2)
    bare = ModelSpec(name="mobilenet", widths=(2, 3, 4, 5), depth=2, norm="none")
    channels = 2 + (2 + 3 + 3 + 3) + (3 + 4 + 4 + 4) + (4 + 5 + 5 + 5)
    assert cost(usual).trainable - cost(bare).trainable == channels
    assert cost(bare).running == 0
    kinds = [type(layer).__name__ for layer in layers(bare)]
    assert kinds[:4] == ["Conv", "ReLU", "Depthwise", "ReLU"]


def test_norm_after_swaps_and_costs_nothing() -> None:
    spec = ModelSpec(name="cnn", widths=(2, 3, 4, 5), depth=1)
    after = ModelSpec(name="cnn", widths=(2, 3, 4, 5), depth=1, norm="after")
    assert cost(after) == cost(spec)
    kinds = [type(layer).__name__ for layer in layers(after)]
    assert kinds[:6] == ["Conv", "ReLU", "BatchNorm"] * 2


def test_early_halves_once_more() -> None:
    early = ModelSpec(name="cnn", widths=(2, 3, 4, 5), depth=1, early=True)
    shapes = [row.output for row in describe(early)]
    assert shapes == ["2x24x24", "3x12x12", "4x6x6", "5x3x3", "5x1x1", "7"]


@pytest.mark.parametrize("norm", ["before", "after", "none"])
@pytest.mark.parametrize("family", FAMILIES)
def test_residual_adds_the_input(family: str, norm: Literal["before", "after", "none"]) -> None:
    widths = (2, 3, 4, 5)
    plain = ModelSpec(name=family, widths=widths, depth=2, norm=norm)
    added = ModelSpec(name=family, widths=widths, depth=2, norm=norm, residual=True)
    assert cost(added) == cost(plain)
    assert sum(isinstance(layer, Residual) for layer in layers(added)) == 3
    network = build(added).eval()
    module = next(m for name, m in network.named_children() if name == "residual1")
    images = torch.rand(2, 3, 24, 24)
    branch = next(iter(module.children()))
    assert torch.equal(module(images), images + branch(images))
    rows = describe(added)
    assert [row.layer.endswith(", plus input") for row in rows[1:7]] == [False, True] * 3
    assert sum(row.trainable for row in rows) == cost(added).trainable


def test_a_branch_that_changes_the_shape_is_an_error() -> None:
    with pytest.raises(ModelError, match=r"turns \(4, 8, 8\) into \(5, 8, 8\)"):
        Residual((Conv(3, 5, pad=1),)).out((4, 8, 8))


def test_weights_begin_inside_branches_as_outside() -> None:
    torch.manual_seed(0)
    spec = ModelSpec(name="cnn", widths=(16, 32, 64, 128), depth=2, residual=True)
    weights = {n: p for n, p in build(spec).named_parameters() if n.endswith("conv1.weight")}
    inner = weights["residual3.branch.conv1.weight"]
    assert float(inner.detach().std()) == pytest.approx((2 / (9 * 128)) ** 0.5, rel=0.05)
