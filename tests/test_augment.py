from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from fercore.spec import AugmentSpec
from fercore.training.augment import draw, matrices, normalise, still, warp
from tests.toy import STILL


def moved(image: Tensor, **change: Any) -> Tensor:
    """One image (H, W) moved by one known change."""
    none: dict[str, Any] = {"mirror": False, "angle": 0.0, "shear": 0.0, "scale": 1.0}
    values = {name: torch.tensor([value]) for name, value in (none | change).items()}
    values["shift"] = torch.tensor([change.get("shift", (0.0, 0.0))])
    return warp(image[None, None], matrices(**values), 48)[0, 0]


@pytest.fixture
def image() -> Tensor:
    return torch.rand(48, 48, generator=torch.Generator().manual_seed(1))


def close(a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(a, b, atol=1e-4, rtol=0)


def test_nothing_asked_is_nothing_done(image: Tensor) -> None:
    assert draw(STILL, 5, torch.Generator()) is None
    close(moved(image), image)


def test_a_mirror_is_a_mirror(image: Tensor) -> None:
    close(moved(image, mirror=True), image.flip(1))


def test_a_quarter_turn_is_a_quarter_turn(image: Tensor) -> None:
    close(moved(image, angle=math.pi / 2), image.rot90())
    close(moved(image, angle=math.pi / 2, mirror=True), image.flip(1).rot90())


def test_a_shift_by_pixels_repeats_the_edge(image: Tensor) -> None:
    left = moved(image, shift=(5 / 48, 0.0))
    close(left[:, :-5], image[:, 5:])
    close(left[:, -5:], image[:, -1:].expand(48, 5))
    up = moved(image, shift=(0.0, 3 / 48))
    close(up[:-3], image[3:])


def test_a_scale_above_one_enlarges() -> None:
    square = torch.zeros(48, 48)
    square[20:28, 20:28] = 1
    assert moved(square, scale=2.0).sum().item() == pytest.approx(4 * 64, rel=0.02)
    assert moved(square, scale=0.5).sum().item() == pytest.approx(64 / 4, rel=0.02)


def test_a_shear_slants_columns_and_keeps_rows(image: Tensor) -> None:
    column = torch.zeros(48, 48)
    column[:, 24] = 1
    peaks = moved(column, shear=math.radians(30)).argmax(1)
    assert (peaks[0] - peaks[-1]).abs().item() == pytest.approx(47 * math.tan(math.pi / 6), abs=1.5)
    row = torch.zeros(48, 48)
    row[10] = 1
    close(moved(row, shear=math.radians(30)), row)


def test_the_edge_is_continued_as_torch_does_by_border_padding() -> None:
    dice = torch.Generator().manual_seed(0)
    images = torch.rand(32, 1, 48, 48, generator=dice)
    theta = draw(AugmentSpec(shift=0.4, rotation=90, zoom=0.5, shear=30), 32, dice)
    assert theta is not None
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    border = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    close(warp(images, theta, 48), border)


def test_half_the_side_is_the_mean_of_four(image: Tensor) -> None:
    pooled = functional.avg_pool2d(image[None, None], 2)
    close(warp(image[None, None], still(1), 24), pooled)


def test_a_small_image_is_moved_as_the_large_one() -> None:
    smooth = torch.linspace(0, 1, 48).expand(1, 1, 48, 48)
    values = {"angle": 0.3, "shear": 0.1, "scale": 1.1}
    by = {name: torch.tensor([value]) for name, value in values.items()}
    theta = matrices(**by, mirror=torch.tensor([True]), shift=torch.tensor([[0.1, 0.0]]))
    large, small = (warp(smooth, theta, side) for side in (48, 24))
    torch.testing.assert_close(functional.avg_pool2d(large, 2), small, atol=0.02, rtol=0)


def test_draws_stay_within_the_specification() -> None:
    spec = AugmentSpec(flip=True, shift=0.1, rotation=0, zoom=0.2)
    theta = draw(spec, 4000, torch.Generator().manual_seed(0))
    assert theta is not None
    shift, scale = theta[:, :, 2] / 2, 1 / theta[:, 1, 1]
    assert 0.099 < shift.abs().max() <= 0.1
    assert 0.8 - 1e-6 <= scale.min() < 0.801
    assert 1.199 < scale.max() <= 1.2 + 1e-6
    assert (theta[:, 0, 0] < 0).float().mean().item() == pytest.approx(0.5, abs=0.04)
    unmirrored = draw(spec.model_copy(update={"flip": False}), 4000, torch.Generator())
    assert unmirrored is not None
    assert (unmirrored[:, 0, 0] > 0).all()


def test_rotation_is_in_degrees_both_ways() -> None:
    turned = AugmentSpec(flip=False, shift=0, rotation=30, zoom=0)
    theta = draw(turned, 4000, torch.Generator().manual_seed(0))
    assert theta is not None
    angle = torch.atan2(theta[:, 1, 0], theta[:, 0, 0]).rad2deg()
    assert -30.01 < angle.min() < -29.5
    assert 29.5 < angle.max() < 30.01


def test_equal_seeds_draw_equally_and_others_do_not() -> None:
    first, same, other = (
        draw(AugmentSpec(), 8, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4)
    )
    assert first is not None
    assert same is not None
    assert other is not None
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_normalise_maps_bytes_to_minus_two_to_two() -> None:
    images = torch.tensor([0, 255, 51], dtype=torch.uint8).view(3, 1, 1).expand(3, 48, 48)
    out = normalise(images)
    assert out.shape == (3, 1, 48, 48)
    assert out.dtype == torch.float32
    assert out[:, 0, 0, 0].tolist() == pytest.approx([-2.0, 2.0, -1.2])
    assert images[0, 0, 0] == 0
