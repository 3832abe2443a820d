"""What the world and the camera do to a picture: things in front, light, blur, grain."""

from __future__ import annotations

import torch
from torch import Tensor

from fercore.data.faces import SIDE
from fercore.data.synthetic.dice import Dice, fill, over
from fercore.data.synthetic.difficulty import Difficulty
from fercore.data.synthetic.face import Person, View


def occlude(image: Tensor, p: Person, at: View, dice: Dice, knobs: Difficulty) -> Tensor:
    """A hand at mouth or cheek, a strand of hair, or a flat patch, in a share of the pictures."""
    kind = dice.uniform(0, 3).floor()
    there = dice.chance(knobs.occlusion)
    for number, paint in enumerate((_hand, _strand, _patch)):
        cover, tone = paint(p, at, dice)
        image = over(image, tone, cover * there * (kind == number))
    return image


def _hand(p: Person, at: View, dice: Dice) -> tuple[Tensor, Tensor]:
    """Four fingers side by side, pointing up and somewhat aslant, from below."""
    x, top = dice.normal(0, 0.35), dice.uniform(0.35, 0.75)
    lean = dice.normal(0, 0.5)
    across = at.x - x - lean * (at.y - top)
    middle = ((across / 0.13).floor() + 0.5).clamp(-1.5, 1.5) * 0.13
    tips = top + 0.25 * middle.abs()
    finger = fill((across - middle).abs() - 0.062) * fill(tips - at.y, 0.08)
    return finger, p.skin * (0.95 - 30 * (across - middle) ** 2)


def _strand(p: Person, at: View, dice: Dice) -> tuple[Tensor, Tensor]:
    """Hair that falls over one side of the face, down to the cheek."""
    x, bend = dice.normal(0, 0.35), dice.normal(0, 0.25)
    line = x + bend * (at.y + 0.8) ** 2
    cover = fill((at.x - line).abs() - dice.uniform(0.06, 0.16)) * fill(at.y - 0.25, 0.2)
    return cover, p.hair * (1 + 0.3 * dice.mottle(16))


def _patch(p: Person, at: View, dice: Dice) -> tuple[Tensor, Tensor]:
    """A flat rectangle: a cup, a microphone, a caption."""
    x, y = dice.normal(0, 0.45), dice.normal(0.2, 0.45)
    cover = fill((at.x - x).abs() - dice.uniform(0.1, 0.28))
    return cover * fill((at.y - y).abs() - dice.uniform(0.1, 0.28)), dice.uniform(0, 1) * p.skin


def develop(image: Tensor, dice: Dice, knobs: Difficulty) -> Tensor:
    """Exposure, gamma, contrast, blur and grain; uint8 (CHUNK, SIDE, SIDE)."""
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
