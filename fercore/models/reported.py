"""The 17 networks of two course reports (NTU Machine Learning, spring 2019, homework 8).

Report A counts as Keras does (BatchNorm's running statistics included) and is built of biased
convolutions with LeakyReLU 0.3, Keras' default slope; report B uses ReLU and counts trainable
parameters, save for its large network, which was made in Keras. The layers of four networks were
published. Of the other thirteen only the parameter count was: their layers are reconstructed, and
each says how sure that is (`Reported.sure`) and on what it rests (`Reported.basis`). The count
always agrees to the last digit; it alone does not prove the layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Literal

from fercore.models.blocks import CLASSES, conv_bn, pooled, separable
from fercore.models.layers import (
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    Layers,
    MaxPool,
    ReLU,
)

Family = Literal["mobilenet", "cnn"]
Convention = Literal["keras_total", "trainable"]


@dataclass(frozen=True)
class Reported:
    """One network of a report.

    report: "A" or "B"; question: the first of the report's questions that shows it.
    params: the count as the report printed it, by the convention of the tool it was read from.
    sure: "published" if the report listed the layers, else how sure the reconstruction is.
    """

    name: str
    report: Literal["A", "B"]
    question: Literal["Q1", "Q2", "Q3"]
    family: Family
    params: int
    convention: Convention
    sure: Literal["published", "high", "medium", "low"]
    basis: str
    layers: Layers


# Report A: biases everywhere, LeakyReLU; "trim" is a 2x2 window without padding.

_LEAKY = ReLU(0.3)
_a_conv = partial(conv_bn, bias=True, act=_LEAKY)
_a_trim = partial(_a_conv, k=2, pad=0)
_a_sep = partial(separable, bias=True, act=_LEAKY)
_a_half = partial(_a_sep, stride=2, pad=0)
_a_sep_trim = partial(_a_sep, k=2, pad=0)


def _a_head(dense: int, drop: float) -> Layers:
    hidden = (Dense(dense), BatchNorm(), Dropout(drop), _LEAKY)
    return Flatten(), *hidden, Dense(CLASSES)


def _a_cnn(*groups: Layers, dense: int) -> Layers:
    """Groups of convolutions, a pool and dropout after each."""
    body = chain(*((*group, MaxPool(2), Dropout(0.3)) for group in groups))
    return *body, *_a_head(dense, 0.3)


def _a_even_cnn(*widths: int) -> Layers:
    """Two convolutions per group, the last group unpadded, Dense 64."""
    *padded, last = widths
    groups = [_a_conv(width) * 2 for width in padded]
    return _a_cnn(*groups, _a_conv(last, pad=0) * 2, dense=64)


def _a_mobilenet(stem: int, *blocks: Layers, dense: int, pool: bool = True) -> Layers:
    pools = (MaxPool(2),) if pool else ()
    return *chain(_a_conv(stem), *blocks), *pools, Dropout(0.2), *_a_head(dense, 0.2)


def _a_pairs(first: int) -> Layers:
    """Two blocks at full size, then twice: halve the image, double the channels, two blocks."""
    halves = (_a_half(width) + _a_sep(width) for width in (2 * first, 4 * first))
    return *_a_sep(first) * 2, *chain(*halves)


_REPORT_A = (
    Reported(
        "a-cnn-1333k", "A", "Q1", "cnn", 1_332_807, "keras_total",
        "published", "listed in the report",
        _a_cnn(_a_conv(32) * 3, _a_conv(64) * 3, _a_trim(128) * 3, dense=512),
    ),
    Reported(
        "a-mobilenet-73k", "A", "Q1", "mobilenet", 73_095, "keras_total",
        "published", "listed in the report",
        _a_mobilenet(8, _a_pairs(16), _a_half(128), _a_sep_trim(128), dense=64),
    ),
    Reported(
        "a-mobilenet-29k", "A", "Q2", "mobilenet", 28_775, "keras_total",
        "high",
        "a-mobilenet-73k with every convolution half as wide, the dense layer kept",
        _a_mobilenet(4, _a_pairs(8), _a_half(64), _a_sep_trim(64), dense=64),
    ),
    Reported(
        "a-mobilenet-213k", "A", "Q2", "mobilenet", 213_127, "keras_total",
        "medium",
        "a-mobilenet-73k with one more doubling: two unpadded 2x2 blocks of 256, Dense 256",
        _a_mobilenet(
            8, _a_pairs(16), _a_half(128), _a_sep(128), _a_sep_trim(256) * 2, dense=256
        ),
    ),
    Reported(
        "a-mobilenet-1685k", "A", "Q2", "mobilenet", 1_684_535, "keras_total",
        "medium",
        "the stages of a-mobilenet-73k with a wider stem and no 2x2 tail or pool, so that almost "
        "all parameters lie in Dense 512",
        _a_mobilenet(
            16, _a_sep(16), _a_half(32), _a_sep(32), _a_half(64), _a_sep(64),
            _a_half(128), _a_sep(128), dense=512, pool=False,
        ),
    ),
    Reported(
        "a-cnn-29k", "A", "Q3", "cnn", 28_911, "keras_total",
        "medium",
        "a-cnn-1333k with all widths an eighth, and one convolution instead of three at the end",
        _a_cnn(_a_conv(4) * 3, _a_conv(8) * 3, _a_trim(16), dense=64),
    ),
    Reported(
        "a-cnn-219k", "A", "Q3", "cnn", 218_807, "keras_total",
        "high",
        "the plan of a-cnn-1193k; the only such network with widths in steps of 8 and this count",
        _a_even_cnn(16, 32, 64, 96),
    ),
    Reported(
        "a-cnn-1193k", "A", "Q3", "cnn", 1_192_679, "keras_total",
        "high",
        "widths double, two convolutions per group, the Dense 64 of a-mobilenet-73k; the only "
        "such network with this count",
        _a_even_cnn(32, 64, 128, 256),
    ),
    Reported(
        "a-cnn-4098k", "A", "Q3", "cnn", 4_098_087, "keras_total",
        "low",
        "a-cnn-1193k with a stem of 16, one more 128 and a pair of 512; at least one other "
        "network as regular has this count",
        _a_cnn(
            _a_conv(16) + _a_conv(32) * 2, _a_conv(64) * 2, _a_conv(128) * 3, _a_conv(256) * 2,
            _a_conv(512) + _a_trim(512), dense=1024,
        ),
    ),
)  # fmt: skip


# Report B: no biases before BatchNorm, ReLU, a mean over the image before the class scores.


def _b_mobilenet(stem: int, *widths: int) -> Layers:
    """Two plain convolutions and a pool, then six blocks: 24, 12 and 6 pixels."""
    strides = (1, 1, 2, 1, 2, 1)
    blocks = (separable(width, stride=s) for width, s in zip(widths, strides, strict=True))
    stems = *conv_bn(stem) * 2, MaxPool(2), Dropout(0.25)
    return *stems, *chain(*blocks), *pooled(0.5)


def _b_cnn(*groups: Layers) -> Layers:
    """Groups of convolutions, a pool after each, dropout after the first pool."""
    first, *rest = ((*group, MaxPool(2)) for group in groups)
    return *first, Dropout(0.25), *chain(*rest), *pooled(0.5)


def _b_vgg() -> Layers:
    """Three groups of a padded, then an unpadded convolution; the middle one has no BatchNorm."""
    first = conv_bn(64, bias=True) + conv_bn(64, pad=0, bias=True)
    plain = (Conv(3, 128, pad=1, bias=True), ReLU(), Conv(3, 128, bias=True), ReLU())
    last = conv_bn(128, bias=True) + conv_bn(128, pad=0, bias=True)
    body = chain(*((*group, MaxPool(2), Dropout(0.25)) for group in (first, plain, last)))
    hidden = (Dense(512), BatchNorm(), ReLU(), Dropout(0.35))
    return *body, Flatten(), *hidden * 2, Dense(CLASSES)


_REPORT_B = (
    Reported(
        "b-mobilenet-46k", "B", "Q1", "mobilenet", 45_959, "trainable",
        "published", "listed in the report",
        _b_mobilenet(32, 64, 64, 80, 80, 80, 80),
    ),
    Reported(
        "b-cnn-1875k", "B", "Q1", "cnn", 1_875_143, "keras_total",
        "published",
        "the order of layers is that of the author's public code; the report lists it jumbled",
        _b_vgg(),
    ),
    Reported(
        "b-mobilenet-112k", "B", "Q2", "mobilenet", 111_751, "trainable",
        "high",
        "b-mobilenet-46k with 64 for its 32 and 128 for its 80 channels",
        _b_mobilenet(64, 64, 64, 128, 128, 128, 128),
    ),
    Reported(
        "b-mobilenet-158k", "B", "Q2", "mobilenet", 157_831, "trainable",
        "low",
        "stem, number of blocks and strides of b-mobilenet-46k; widths of the last four blocks "
        "fitted to the count",
        _b_mobilenet(32, 64, 64, 64, 192, 256, 256),
    ),
    Reported(
        "b-cnn-48k", "B", "Q3", "cnn", 47_511, "trainable",
        "high",
        "the report's convolution block and its pooled head; one plan fits all four counts",
        _b_cnn(conv_bn(64), conv_bn(80)),
    ),
    Reported(
        "b-cnn-103k", "B", "Q3", "cnn", 103_079, "trainable",
        "high",
        "the report's stem of two convolutions of 32, then doubled twice",
        _b_cnn(conv_bn(32) * 2, conv_bn(64), conv_bn(128)),
    ),
    Reported(
        "b-cnn-150k", "B", "Q3", "cnn", 149_575, "trainable",
        "high",
        "b-cnn-103k with a stem of 64",
        _b_cnn(conv_bn(64) * 2, conv_bn(64), conv_bn(128)),
    ),
    Reported(
        "b-cnn-852k", "B", "Q3", "cnn", 851_911, "trainable",
        "medium",
        "continues b-cnn-103k and b-cnn-150k; the shortest plan with this count, a longer one "
        "of seven convolutions also fits",
        _b_cnn(conv_bn(128) * 2, conv_bn(128), conv_bn(192) * 2),
    ),
)  # fmt: skip

REPORTED: dict[str, Reported] = {network.name: network for network in _REPORT_A + _REPORT_B}
"""The 17 networks by name, as the reports show them."""
