"""Costs against counts made by hand."""

from __future__ import annotations

import pytest
import torch

from fercore import models
from fercore.spec import ModelSpec

EVERY = [*(ModelSpec(name=name) for name in models.REPORTED)]
EVERY += [models.nearest(family, 30_000) for family in models.FAMILIES]
EVERY += [
    models.nearest("cnn", 30_000, residual=True),
    models.nearest("cnn", 30_000, head="dense"),
]


@pytest.mark.parametrize("spec", EVERY, ids=models.label)
def test_groups_add_up_to_all_parameters(spec: ModelSpec) -> None:
    assert sum(models.groups(spec).values()) == models.cost(spec).trainable


def test_groups_of_the_smallest_mobilenet() -> None:
    spec = ModelSpec(name="mobilenet", widths=(1, 2, 3, 4), depth=1)
    assert models.groups(spec) == {
        "stem": 9,
        "depthwise": 9 * (1 + 2 + 3),
        "pointwise": 1 * 2 + 2 * 3 + 3 * 4,
        "plain convolution": 0,
        "normalisation": 2 * (1 + 1 + 2 + 2 + 3 + 3 + 4),
        "dense head": 4 * 7 + 7,
    }


def test_groups_of_a_plain_network() -> None:
    found = models.groups(ModelSpec(name="cnn", widths=(1, 2, 3, 4), depth=1))
    assert found["plain convolution"] == 9 * (1 * 2 + 2 * 3 + 3 * 4)
    assert found["pointwise"] == found["depthwise"] == 0


def test_peak_memory_is_the_largest_input_with_its_output() -> None:
    # The stem makes 1 image of 48x48 into 4; the next block's 4 of 48x48 into 4 of 24x24.
    wide = ModelSpec(name="mobilenet", widths=(4, 8, 8, 16), depth=1)
    assert models.activation_bytes(wide) == 4 * 48 * 48 * (1 + 4)
    # With a single channel the way out of the stem is no wider than the way in.
    thin = ModelSpec(name="cnn", widths=(1, 8, 8, 8), depth=1)
    assert models.activation_bytes(thin) == 4 * (48 * 48 + 8 * 24 * 24)


def test_a_residual_branch_keeps_its_input() -> None:
    # Channels 8, 8 and the sum's 8 at 24x24 are more than the way there, 1 to 8.
    spec = ModelSpec(name="cnn", widths=(1, 8, 1, 1), depth=3, residual=True)
    plain = spec.model_copy(update={"residual": False})
    assert models.activation_bytes(plain) == 4 * 24 * 24 * (8 + 8)
    assert models.activation_bytes(spec) == 4 * 24 * 24 * (8 + 8)
    separable = spec.model_copy(update={"name": "mobilenet"})
    assert models.activation_bytes(separable) == 4 * 24 * 24 * (8 + 8 + 8)


def test_bytes_follow_the_number_format() -> None:
    spec = EVERY[0]
    kept = models.cost(spec).keras_total
    assert models.weight_bytes(spec) == {"fp32": 4 * kept, "fp16": 2 * kept, "int8": kept}


def test_latency_leaves_torch_as_it_was() -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    small, large = models.latencies(
        [models.nearest("cnn", 10_000), models.nearest("cnn", 3_000_000)], passes=3
    )
    assert 0 < small < large < 1000
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
