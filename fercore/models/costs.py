"""What a network costs, layer by layer, to keep and to run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch

from fercore.models.catalogue import build, cost, layers
from fercore.models.families import INPUT
from fercore.models.layers import (
    BatchNorm,
    Conv,
    Dense,
    Depthwise,
    GlobalPool,
    Layer,
    Layers,
    MaxPool,
    ReLU,
    Residual,
    Shape,
    walk,
)
from fercore.spec import ModelSpec

GROUPS = ("stem", "depthwise", "pointwise", "plain convolution", "normalisation", "dense head")

BYTES = {"fp32": 4, "fp16": 2, "int8": 1}
"""Bytes of one number, by format."""

PASSES, WARM_UP, ROUNDS = 20, 5, 5
"""Timed passes of one image, those before that warm up, and how often that is done."""


class Piece(NamedTuple):
    """One layer with what it costs.

    step: counts the network's steps from 0. A convolution or dense layer begins one, and what
    follows it (pools, too) belongs to it; a depthwise convolution and its pointwise one are a
    single step.
    group: one of `GROUPS`, "pool", or empty for activations. inputs: channels, or features,
    received. output: shape for one image. trainable: parameters. macs: multiply-adds.
    remark: what a table adds to the layer: ", no padding", or ", plus input" in residual branches.
    """

    step: int
    layer: str
    group: str
    inputs: int
    output: Shape
    trainable: int
    macs: int
    remark: str


def pieces(spec: ModelSpec) -> list[Piece]:
    """The network layer by layer; costs add up to `cost`. Dropout and flattening are left out.

    The stem is the first layer that has parameters; pointwise is 1x1 over all channels; every
    dense layer belongs to the head.
    """
    found: list[Piece] = []
    step, before = -1, None
    for layer, shape, remark in _single(layers(spec), INPUT):
        name, group = _kind(layer)
        if not name:
            continue
        if isinstance(layer, Conv | Depthwise | Dense):
            joins = isinstance(before, Depthwise) and group == "pointwise"
            step, before = step + (not joins), layer
        used = layer.cost(shape)
        cells = shape[0], layer.out(shape), used.trainable, used.macs, remark
        found.append(Piece(step, name, group if found else "stem", *cells))
    return found


def groups(spec: ModelSpec) -> dict[str, int]:
    """Trainable parameters by kind of layer (`pieces`), in the order of `GROUPS`."""
    sums = dict.fromkeys(GROUPS, 0)
    for piece in pieces(spec):
        if piece.group in sums:
            sums[piece.group] += piece.trainable
    return sums


def _single(parts: Layers, shape: Shape, remark: str = "") -> Iterator[tuple[Layer, Shape, str]]:
    """Every layer, those of residual branches too, with the shape it receives and its remark."""
    for layer, seen in walk(parts, shape):
        if isinstance(layer, Residual):
            yield from _single(layer.branch, seen, ", plus input")
        else:
            trimmed = isinstance(layer, Conv | Depthwise) and layer.k > 1 and not layer.pad
            yield layer, seen, ", no padding" * trimmed + remark


def _kind(layer: Layer) -> tuple[str, str]:
    """What a drawing calls a layer, and its group; no name for layers that are left out."""
    match layer:
        case Depthwise():
            return f"depthwise {_window(layer)}", "depthwise"
        case Conv(k=1):
            return f"pointwise {_window(layer)}", "pointwise"
        case Conv():
            return f"conv {_window(layer)}", "plain convolution"
        case MaxPool(k=k):
            return f"max pool {k}×{k}", "pool"
        case ReLU(slope=slope):
            return "LeakyReLU" if slope else "ReLU", ""
    return _KINDS.get(type(layer), ("", ""))


_KINDS: dict[type[Layer], tuple[str, str]] = {
    Dense: ("dense", "dense head"),
    BatchNorm: ("BatchNorm", "normalisation"),
    GlobalPool: ("mean over image", "pool"),
}


def _window(layer: Conv | Depthwise) -> str:
    return f"{layer.k}×{layer.k}" + (f" /{layer.stride}" if layer.stride > 1 else "")


class Part(NamedTuple):
    """One row of an architecture table: a convolution, dense layer or pool with what follows it.

    output: channels x height x width, or features. trainable: parameters. macs: multiply-adds.
    """

    layer: str
    output: str
    trainable: int
    macs: int


def describe(spec: ModelSpec) -> list[Part]:
    """The network in a few rows: its steps (`pieces`) and its pools."""
    rows: list[list[Piece]] = []
    for piece in pieces(spec):
        if not rows or piece.group == "pool" or piece.step != rows[-1][-1].step:
            rows.append([])
        rows[-1].append(piece)
    return list(map(_part, rows))


def _part(row: list[Piece]) -> Part:
    layer = row[0].layer.replace("×", "x").replace("pointwise", "conv")
    if any(piece.group == "pointwise" for piece in row):
        layer = layer.replace("depthwise", "separable")
    return Part(
        layer + row[0].remark,
        "x".join(map(str, row[-1].output)),
        sum(piece.trainable for piece in row),
        sum(piece.macs for piece in row),
    )


def activation_bytes(spec: ModelSpec) -> int:
    """Peak memory of activations for one image in float32, weights not counted.

    The rule: layers run one after another, and while one runs its input and its output are held;
    normalisation, activation, dropout and flattening work in place. The peak over layers.
    """
    alive = max(layer.alive(shape) for layer, shape in walk(layers(spec), INPUT))
    return alive * BYTES["fp32"]


def weight_bytes(spec: ModelSpec) -> dict[str, int]:
    """Bytes of all that must be stored, by number format: parameters and running statistics.

    Without a file's header, and for int8 without the few scales that go with it.
    """
    numbers = cost(spec).keras_total
    return {name: numbers * size for name, size in BYTES.items()}


@torch.inference_mode()
def latencies(specs: Sequence[ModelSpec], passes: int = PASSES) -> list[float]:
    """Milliseconds of each network for one image in float32 on one CPU thread.

    The median of `passes`, of the quickest of `ROUNDS`; the networks take turns, so that a busy
    moment neither counts nor falls on one of them alone. The weights are fresh ones: time does not
    depend on them. Python's part in calling each layer is in it, so that many small layers cost
    more than their multiply-adds say. Torch's random numbers and thread count are as before.
    """
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        networks = [build(spec).eval() for spec in specs]
        image = torch.rand(1, *INPUT)
    torch.set_num_threads(1)
    try:
        rounds = [[_median(each, image, passes) for each in networks] for _ in range(ROUNDS)]
    finally:
        torch.set_num_threads(threads)
    return [1000 * min(times) for times in zip(*rounds, strict=True)]


def _median(network: torch.nn.Module, image: torch.Tensor, passes: int) -> float:
    """Seconds of one pass; the first ones, which warm up, are left out."""
    return float(np.median([_timed(network, image) for _ in range(WARM_UP + passes)][WARM_UP:]))


def _timed(network: torch.nn.Module, image: torch.Tensor) -> float:
    start = time.perf_counter()
    network(image)
    return time.perf_counter() - start
