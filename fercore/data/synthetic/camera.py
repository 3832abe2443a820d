"""What the world and the camera do to a picture: things in front, light, blur, grain."""

from __future__ import annotations

import torch
from torch import Tensor

from fercore.data.faces import SIDE
from fercore.data.synthetic.dice import Dice
from fercore.data.synthetic.difficulty import Difficulty
from fercore.data.synthetic.face import Person, View


def occlude(image: Tensor, p: Person, at: View, dice: Dice, knobs: Difficulty) -> Tensor:
    """A hand at mouth or cheek, a strand of hair, or a flat patch."""
    return image


def develop(image: Tensor, dice: Dice, knobs: Difficulty) -> Tensor:
    """Exposure, contrast, gamma, blur, grain and JPEG blocks; uint8 (CHUNK, SIDE, SIDE)."""
    image = image.clamp(0, 1.3) * dice.normal(1.0, 0.12).clamp(0.6, 1.4)
    image = image.clamp(1e-4, 1) ** torch.exp(dice.normal(0, 0.2))
    image = (image - 0.5) * dice.uniform(0.75, 1.15) + 0.5
    image = blur(image, dice.uniform(*knobs.blur))
    image = image + dice.uniform(*knobs.noise) * dice.grain()
    return (image * 255).round().clamp(0, 255).to(torch.uint8)


def blur(image: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian of this standard deviation in pixels (CHUNK, 1, 1), 5 taps, edges repeated."""
    taps = torch.arange(3) ** 2
    weight = torch.exp(-taps / (2 * sigma**2))
    weight = weight / (weight[..., :1] + 2 * weight[..., 1:].sum(-1, keepdim=True))
    for axis in (1, 2):
        index = torch.arange(SIDE)
        total = image * weight[..., 0:1]
        for tap in (1, 2):
            ahead = image.index_select(axis, (index + tap).clamp(max=SIDE - 1))
            behind = image.index_select(axis, (index - tap).clamp(min=0))
            total = total + (ahead + behind) * weight[..., tap : tap + 1]
        image = total
    return image
