"""What a network costs to keep and to run, beside its parameters and multiply-adds."""

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
    Layer,
    Layers,
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
    """One layer that has weights, normalises or activates, with what it costs.

    step: counts the network's steps from 0. A convolution or dense layer begins one, and what
    follows it belongs to it; a depthwise convolution and its pointwise one are a single step.
    group: one of `GROUPS`; empty for activations. inputs: channels, or features, received.
    output: shape for one image. trainable: parameters. macs: multiply-adds.
    """

    step: int
    layer: str
    group: str
    inputs: int
    output: Shape
    trainable: int
    macs: int


def pieces(spec: ModelSpec) -> list[Piece]:
    """The network layer by layer; costs add up to `cost`. Pools, dropout, flattening are left out.

    The stem is the first layer that has parameters; pointwise is 1x1 over all channels; every
    dense layer belongs to the head.
    """
    found: list[Piece] = []
    step, before = -1, None
    for layer, shape in _single(layers(spec), INPUT):
        if not (name := _name(layer)):
            continue
        if isinstance(layer, Conv | Depthwise | Dense):
            joins = isinstance(before, Depthwise) and isinstance(layer, Conv) and layer.k == 1
            step, before = step + (not joins), layer
        group = _group(layer) if found else "stem"
        used = layer.cost(shape)
        row = step, name, group, shape[0], layer.out(shape), used.trainable, used.macs
        found.append(Piece(*row))
    return found


def groups(spec: ModelSpec) -> dict[str, int]:
    """Trainable parameters by kind of layer (`pieces`), in the order of `GROUPS`."""
    sums = dict.fromkeys(GROUPS, 0)
    for piece in pieces(spec):
        if piece.group:
            sums[piece.group] += piece.trainable
    return sums


def _name(layer: Layer) -> str:
    """What a drawing calls a layer; empty for layers that it leaves out."""
    match layer:
        case Conv(k=k, stride=stride) | Depthwise(k=k, stride=stride):
            plain = "pointwise" if k == 1 else "conv"
            kind = "depthwise" if isinstance(layer, Depthwise) else plain
            return f"{kind} {k}×{k}" + (f" /{stride}" if stride > 1 else "")
        case Dense():
            return "dense"
        case BatchNorm():
            return "BatchNorm"
        case ReLU(slope=slope):
            return "LeakyReLU" if slope else "ReLU"
    return ""


def _single(parts: Layers, shape: Shape) -> Iterator[tuple[Layer, Shape]]:
    """Every layer with the shape that it receives, those within residual branches too."""
    for layer, seen in walk(parts, shape):
        if isinstance(layer, Residual):
            yield from _single(layer.branch, seen)
        else:
            yield layer, seen


def _group(layer: Layer) -> str:
    match layer:
        case Depthwise():
            return "depthwise"
        case Conv(k=1):
            return "pointwise"
        case Conv():
            return "plain convolution"
        case BatchNorm():
            return "normalisation"
        case Dense():
            return "dense head"
    return ""


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
