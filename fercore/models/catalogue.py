"""From a `ModelSpec` to its layers, and from those to its cost, its identity and the module."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from torch import nn

from fercore.models.families import DEPTH, FAMILIES, INPUT, members
from fercore.models.layers import Cost, Layers, ModelError, sequential, total
from fercore.models.reported import REPORTED
from fercore.spec import ModelSpec


def layers(spec: ModelSpec) -> Layers:
    """The layers that a specification names, first to last.

    Raises `ModelError` for an unknown name, for a reported network with widths, depth or a variant,
    and for a family without widths.
    """
    if spec.name in FAMILIES:
        if spec.widths is None:
            raise ModelError(
                f"{spec.name} is a family: give the widths of one member, "
                f"or take one by fercore.models.nearest({spec.name!r}, parameters)"
            )
        return members(spec)
    if spec.name not in REPORTED:
        raise ModelError(_unknown(spec.name))
    plain = ModelSpec(name=spec.name)
    if given := [name for name, value in spec if value != getattr(plain, name)]:
        raise ModelError(
            f"{spec.name} is one fixed network: it takes neither widths nor depth nor any variant, "
            f"found {', '.join(given)}"
        )
    return REPORTED[spec.name].layers


def _unknown(name: str) -> str:
    known, name = [*FAMILIES, *REPORTED], name[:100]  # whatever a file may say
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"no network is called {name!r}: {hint}allowed are {', '.join(known)}"


def cost(spec: ModelSpec) -> Cost:
    """Parameters and multiply-adds per image (1, 48, 48), without building the network."""
    return total(layers(spec), INPUT)


def fingerprint(spec: ModelSpec) -> str:
    """12 hexadecimal digits of SHA-256 over the layer list: two equal networks share it."""
    text = "\n".join(map(repr, layers(spec)))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def label(spec: ModelSpec) -> str:
    """A short name for people: a family member is called by its size, as mobilenet-30k or cnn-2.5k.

    What departs from the family's ordinary member is said: mobilenet-30k-depth4, cnn-30k-dense.
    """
    if spec.widths is None:
        return spec.name
    depth = spec.depth or DEPTH
    departures = {
        f"depth{depth}": depth != DEPTH,
        spec.head: spec.head != "pool",
        "residual": spec.residual,
        "early": spec.early,
        f"norm-{spec.norm}": spec.norm != "before",
    }
    thousands = cost(spec).trainable / 1000
    size = f"{thousands:.0f}" if thousands >= 9.95 else f"{thousands:.1f}".removesuffix(".0")
    said = (word for word, departs in departures.items() if departs)
    return "-".join([spec.name, f"{size}k", *said])


def takes(spec: ModelSpec, side: int) -> bool:
    """Whether the network reads images of another side with the same weights.

    It does not if a dense layer sees every pixel's place, or a window no longer fits. Raises
    `ModelError` for a network that there is not.
    """
    own = cost(spec).trainable
    try:
        return total(layers(spec), (1, side, side)).trainable == own
    except ModelError:
        return False


class Network(nn.Sequential):
    """What `build` makes: the layers in order, under names as conv1, batchnorm1, relu1.

    spec: what it was built from; None for a part of it, as network[:3].
    """

    spec: ModelSpec | None = None

    def _repr_html_(self) -> str | None:
        return self.spec._repr_html_() if self.spec else None


def build(spec: ModelSpec) -> Network:
    """The network as a torch module: float (N, 1, 48, 48) to class scores (N, 7).

    Initial weights are drawn from torch's global generator, by one rule for all networks:
    convolutions and dense layers normal with variance 2 / inputs (He et al. 2015,
    arXiv:1502.01852, equation 10; a depthwise filter has k*k inputs), the last dense layer
    normal with deviation 0.01, so that all classes begin equally likely; biases 0;
    BatchNorm 1 and 0.
    """
    network = Network(OrderedDict(sequential(layers(spec), INPUT).named_children()))
    network.spec = spec
    _initialise(network)
    return network


def _initialise(network: nn.Sequential) -> None:
    *_, last = network
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear) and module is not last:
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    assert isinstance(last, nn.Linear)
    nn.init.normal_(last.weight, std=0.01)
    nn.init.zeros_(last.bias)


def listing(specs: Iterable[ModelSpec] | None = None) -> list[dict[str, Any]]:
    """One row per network, the 17 reported ones unless others are given.

    Keys: name, family, report, question, params_trainable, params_keras_total, reported_params,
    convention, macs, exact (is the count in the report's convention the reported one?), layers
    ("published", or how sure their reconstruction is: high, medium, low). None where it does not
    apply.
    """
    if specs is None:
        specs = (ModelSpec(name=name) for name in REPORTED)
    return [_row(spec) for spec in specs]


def _row(spec: ModelSpec) -> dict[str, Any]:
    found, of = cost(spec), REPORTED.get(spec.name)
    return {
        "name": label(spec),
        "family": of.family if of else spec.name,
        "report": of and of.report,
        "question": of and of.question,
        "params_trainable": found.trainable,
        "params_keras_total": found.keras_total,
        "reported_params": of and of.params,
        "convention": of and of.convention,
        "macs": found.macs,
        "exact": of and getattr(found, of.convention) == of.params,
        "layers": of and of.sure,
    }
