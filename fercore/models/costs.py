"""What a network costs to keep and to run, beside its parameters and multiply-adds."""

from __future__ import annotations

import time
from collections.abc import Iterator

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
    Residual,
    Shape,
    walk,
)
from fercore.spec import ModelSpec

GROUPS = ("stem", "depthwise", "pointwise", "plain convolution", "normalisation", "dense head")

BYTES = {"fp32": 4, "fp16": 2, "int8": 1}
"""Bytes of one number, by format."""

PASSES = 50
"""Timed passes of one image; the median counts, so that a busy moment does not."""


def groups(spec: ModelSpec) -> dict[str, int]:
    """Trainable parameters by kind of layer, in the order of `GROUPS`; they add up to all.

    The stem is the first layer that has any; pointwise is 1x1 over all channels; every
    dense layer belongs to the head.
    """
    sums = dict.fromkeys(GROUPS, 0)
    stem = True
    for layer, shape in _single(layers(spec), INPUT):
        if trainable := layer.cost(shape).trainable:
            sums["stem" if stem else _group(layer)] += trainable
            stem = False
    return sums


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
    raise TypeError(f"no group for {layer!r}")


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
def latency(spec: ModelSpec, passes: int = PASSES) -> float:
    """Milliseconds for one image in float32 on one CPU thread, median of `passes` after ten more.

    The weights are fresh ones: time does not depend on them. Python's part in calling each layer
    is in it, so that many small layers cost more than their multiply-adds say. Torch's random
    numbers and thread count are as before.
    """
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        network = build(spec).eval()
        image = torch.rand(1, *INPUT)
    torch.set_num_threads(1)
    try:
        times = [_timed(network, image) for _ in range(passes + 10)]
    finally:
        torch.set_num_threads(threads)
    return float(1000 * np.median(times[10:]))


def _timed(network: torch.nn.Module, image: torch.Tensor) -> float:
    start = time.perf_counter()
    network(image)
    return time.perf_counter() - start
