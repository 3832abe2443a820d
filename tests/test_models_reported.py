import json
import math
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from fercore.models import (
    PUBLISHED,
    REPORTED,
    build,
    claimed,
    cost,
    describe,
    fingerprint,
    layers,
    listing,
)
from fercore.models.layers import (
    BatchNorm,
    Conv,
    Dense,
    Depthwise,
    Dropout,
    Flatten,
    GlobalPool,
    Layer,
    MaxPool,
    ReLU,
    Shape,
    walk,
)
from fercore.spec import ModelSpec

# Made from the notes on the reports, not from the code under test.
GOLDEN = json.loads((Path(__file__).parent / "golden" / "models.json").read_text())
INPUT = (1, 48, 48)


WRITTEN = {
    Conv: "conv{k} {out_channels} stride {stride} pad {pad}",
    Depthwise: "depthwise{k} stride {stride} pad {pad}",
    BatchNorm: "bn",
    ReLU: "relu {slope}",
    MaxPool: "maxpool {k}",
    GlobalPool: "avgpool {side}",
    Dropout: "dropout {p}",
    Flatten: "flatten",
    Dense: "dense {features}",
}


def notation(layer: Layer, shape: Shape) -> str:
    """A layer as the golden file writes it."""
    fields = asdict(layer)
    bias = " bias" if fields.get("bias") else ""
    return WRITTEN[type(layer)].format(side=shape[-1], **fields) + bias


def counted_by_hooks(network: nn.Module) -> int:
    """Multiply-adds of one image, from the shapes that flow through the real modules."""
    macs = 0

    def hook(module: nn.Module, _: object, out: torch.Tensor) -> None:
        nonlocal macs
        assert isinstance(module, nn.Conv2d | nn.Linear)
        pixels = out[0, 0].numel() if out.ndim == 4 else 1
        macs += module.weight.numel() * pixels

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(hook)
    with torch.no_grad():
        network.eval()(torch.zeros(1, *INPUT))
    return macs


def test_the_golden_file_and_the_registry_name_the_same_networks() -> None:
    assert list(REPORTED) == list(GOLDEN)
    assert len(REPORTED) == 17


@pytest.mark.parametrize("name", GOLDEN)
def test_agrees_with_the_golden_file(name: str) -> None:
    spec, golden, entry = ModelSpec(name=name), GOLDEN[name], REPORTED[name]
    found = cost(spec)
    assert (found.trainable, found.keras_total, found.macs) == (
        golden["trainable"],
        golden["keras_total"],
        golden["macs"],
    )
    assert getattr(found, entry.convention) == entry.params == golden["reported"]
    for key in ("report", "question", "family", "convention"):
        assert getattr(entry, key) == golden[key]
    assert entry.sure == golden["confidence"]
    written = [notation(layer, shape) for layer, shape in walk(layers(spec), INPUT)]
    assert written == golden["layers"].split(", ")


@pytest.mark.parametrize("name", GOLDEN)
def test_torch_counts_the_same(name: str) -> None:
    spec = ModelSpec(name=name)
    network, found = build(spec), cost(spec)
    statistics = sum(b.numel() for n, b in network.named_buffers() if "running" in n)
    assert sum(p.numel() for p in network.parameters()) == found.trainable
    assert statistics == found.running
    assert counted_by_hooks(network) == found.macs
    assert network(torch.zeros(2, *INPUT)).shape == (2, 7)


@pytest.mark.parametrize("name", GOLDEN)
def test_the_architecture_table_adds_up(name: str) -> None:
    spec = ModelSpec(name=name)
    rows, found = describe(spec), cost(spec)
    assert sum(row.trainable for row in rows) == found.trainable
    assert sum(row.macs for row in rows) == found.macs
    assert rows[-1].layer == "dense"
    assert rows[-1].output == "7"
    assert len(rows) <= 20


def test_the_architecture_table_of_a_published_network() -> None:
    assert [tuple(row) for row in describe(ModelSpec(name="b-mobilenet-46k"))] == [
        ("conv 3x3", "32x48x48", 352, 663_552),
        ("conv 3x3", "32x48x48", 9_280, 21_233_664),
        ("max pool 2x2", "32x24x24", 0, 0),
        ("separable 3x3", "64x24x24", 2_528, 1_345_536),
        ("separable 3x3", "64x24x24", 4_928, 2_691_072),
        ("separable 3x3 /2", "80x12x12", 5_984, 820_224),
        ("separable 3x3", "80x12x12", 7_440, 1_025_280),
        ("separable 3x3 /2", "80x6x6", 7_440, 256_320),
        ("separable 3x3", "80x6x6", 7_440, 256_320),
        ("mean over image", "80x1x1", 0, 0),
        ("dense", "7", 567, 560),
    ]


def test_the_architecture_table_names_what_is_not_padded_and_keeps_pools_apart() -> None:
    trimmed = [row.layer for row in describe(ModelSpec(name="a-mobilenet-73k"))]
    assert trimmed[-5:-3] == ["separable 3x3 /2, no padding", "separable 2x2, no padding"]
    pools = [row[:2] for row in describe(ModelSpec(name="b-cnn-48k"))]
    assert pools[-3:] == [
        ("max pool 2x2", "80x12x12"),
        ("mean over image", "80x1x1"),
        ("dense", "7"),
    ]


def test_fingerprints_are_stable_and_distinct() -> None:
    prints = {name: fingerprint(ModelSpec(name=name)) for name in REPORTED}
    assert len(set(prints.values())) == 17
    # Run ids rest on them: a change here orphans every finished run.
    assert prints["a-mobilenet-73k"] == "446f6911e449"
    assert prints["b-mobilenet-46k"] == "58ace266acaa"


def test_listing_is_exact_for_every_reported_network() -> None:
    rows = listing()
    assert [row["name"] for row in rows] == list(REPORTED)
    assert all(row["exact"] is True for row in rows)
    assert {row["layers"] for row in rows} == {"published", "high", "medium", "low"}


def test_published_figures() -> None:
    frame = pd.DataFrame(PUBLISHED)
    assert len(frame) == 26
    assert set(frame.network) == set(REPORTED)
    assert frame.accuracy.between(0.4, 0.75).all()
    assert (frame.parameters == [REPORTED[name].params for name in frame.network]).all()
    split = {name: rows.set_index("network")["accuracy"] for name, rows in frame.groupby("split")}
    mean = ((split["public"] + split["private"]) / 2)[split["testing"].index]
    assert list(mean.index) == ["a-cnn-1333k", "a-mobilenet-73k"]
    assert split["testing"].to_list() == pytest.approx(mean.to_list())


def test_what_a_report_claims_is_its_halves_mean_else_its_validation() -> None:
    assert claimed("b-mobilenet-46k") == pytest.approx((0.63109 + 0.62803) / 2)
    assert claimed("b-cnn-48k") == pytest.approx(0.449321)
    assert math.isnan(claimed("cnn"))
