"""Who is seen, and what the muscles do to that face: sizes, places and shapes of the features.

Lengths are in half image sides (24 pixels), y points down, the face's own middle is the origin:
eyes near y = -0.2, mouth near 0.5, chin near 1. `ax` is |x|: most of a face is drawn once.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fercore.data.faces import SIDE
from fercore.data.synthetic.actions import Activation
from fercore.data.synthetic.dice import PIXEL, Dice, fill
from fercore.data.synthetic.difficulty import Difficulty


@dataclass(frozen=True)
class Person:
    """What stays when the expression goes; every field (CHUNK, 1, 1)."""

    skin: Tensor
    hair: Tensor
    iris: Tensor
    lips: Tensor
    width: Tensor
    jaw: Tensor
    chin: Tensor
    eye_x: Tensor
    eye_y: Tensor
    eye_width: Tensor
    eye_open: Tensor
    slant: Tensor
    brow_y: Tensor
    brow_thick: Tensor
    brow_arch: Tensor
    nose_y: Tensor
    nose_width: Tensor
    nose_height: Tensor
    mouth_y: Tensor
    mouth_width: Tensor
    mouth_lift: Tensor
    lip_upper: Tensor
    lip_lower: Tensor
    age: Tensor
    female: Tensor


def meet(dice: Dice) -> Person:
    """A person at random."""
    age, female = dice.uniform(0, 1) ** 1.5, dice.chance(0.45)
    skin = dice.normal(0.66, 0.11).clamp(0.32, 0.9)
    dark_hair = dice.uniform(0.05, 0.22)
    light_hair = dice.uniform(0.3, 0.75)
    fair = dice.chance(0.3) * (skin > 0.58)
    return Person(
        skin=skin,
        hair=dark_hair + (light_hair - dark_hair) * fair,
        iris=dice.uniform(0.08, 0.38),
        lips=dice.uniform(0.68, 0.9) - 0.1 * female,
        width=dice.normal(0.80, 0.04),
        jaw=dice.uniform(0.08, 0.3),
        chin=dice.normal(0.98, 0.04),
        eye_x=dice.normal(0.37, 0.02),
        eye_y=dice.normal(-0.20, 0.025),
        eye_width=dice.normal(0.185, 0.013),
        eye_open=dice.normal(0.085, 0.011),
        slant=dice.normal(0.0, 0.12),
        brow_y=dice.normal(-0.43, 0.025),
        brow_thick=dice.normal(0.046, 0.009) - 0.010 * female,
        brow_arch=dice.uniform(0.02, 0.09) + 0.02 * female,
        nose_y=dice.normal(0.2, 0.025),
        nose_width=dice.normal(0.155, 0.02),
        nose_height=dice.normal(0.9, 0.15),
        mouth_y=dice.normal(0.52, 0.025),
        mouth_width=dice.normal(0.29, 0.02),
        mouth_lift=dice.normal(0.0, 0.012),
        lip_upper=dice.normal(0.048, 0.011) + 0.008 * female,
        lip_lower=dice.normal(0.068, 0.013) + 0.010 * female,
        age=age,
        female=female,
    )


@dataclass(frozen=True)
class View:
    """The face's own coordinates of every pixel, all (CHUNK, SIDE, SIDE)."""

    x: Tensor
    y: Tensor
    ax: Tensor
    side: Tensor
    """-1 on the image's left half of the face, 1 on the right."""
    rim: Tensor
    """Squared radius: 0 in the middle of the face, 1 at its outline."""
    out_x: Tensor
    out_y: Tensor
    """Coordinates that tilt with the head but not with yaw and pitch: outline, hair, neck."""


def pose(person: Person, dice: Dice, knobs: Difficulty) -> View:
    """Look at the head: roll, zoom and shift of the frame, yaw and pitch by depth."""
    axis = torch.linspace(-1 + PIXEL / 2, 1 - PIXEL / 2, SIDE)
    column, row = axis[None, None, :], axis[None, :, None]
    angle = torch.deg2rad(dice.normal(0, knobs.roll))
    # Faces fill the frame, as FER2013's do; the chin may end below it.
    size = 1.25 * torch.exp(dice.normal(0, knobs.zoom))
    u = (column - dice.normal(0, knobs.shift)) / size
    v = (row - dice.normal(-0.06, knobs.shift)) / size
    x, y = u * angle.cos() + v * angle.sin(), v * angle.cos() - u * angle.sin()
    rim = (x / person.width) ** 2 + (y / 1.15) ** 2
    depth = (1 - rim).clamp(min=0.0).sqrt()
    fx = x - dice.normal(0, knobs.turn) * 1.5 * depth
    fy = y - dice.normal(0, knobs.turn) * depth
    fy = fy - dice.normal(0, 0.02) * fx
    return View(fx, fy, fx.abs(), torch.sign(fx), rim, x, y)


@dataclass(frozen=True)
class Eye:
    """One folded eye: `across` -1 at the inner, 1 at the outer corner; signed distances."""

    across: Tensor
    upper: Tensor
    lower: Tensor
    white: Tensor
    squeeze: Tensor


def eye(p: Person, au: Activation, at: View) -> Eye:
    """Lids: AU5 raises the upper one, AU7 and AU6 the lower one, AU43 and AU9 narrow both."""
    width = p.eye_width
    e = (at.ax - p.eye_x) / width
    arc = (1 - e * e).clamp(min=0)
    up = p.eye_open * (1 + 0.85 * au[5] - 0.35 * au[7] - 0.25 * au[6] - 0.3 * au[9])
    up = up * (1 - 0.8 * au[43]) - 0.02 * au[4]
    low = (
        0.6
        * p.eye_open
        * (1 + 0.15 * au[5] - 0.5 * au[7] - 0.55 * au[6] - 0.3 * au[9] - 0.1 * au[43])
    )
    tilt = p.slant + 0.35 * au[4] * (1 - au[1]) - 0.35 * au[1] * (1 - au[2])
    centre = p.eye_y - 0.12 * p.slant * e * width
    upper = centre - up * arc * (1 + tilt * e)
    lower = centre + low * arc.sqrt() * (1 - 0.2 * e)
    white = fill(upper - at.y) * fill(at.y - lower) * fill((e.abs() - 1) * width)
    return Eye(e, upper, lower, white, 0.6 * au[6] + 0.5 * au[7] + 0.4 * au[9])


def brow(p: Person, au: Activation, at: View) -> Tensor:
    """Coverage of one folded eyebrow.

    AU1 lifts the inner end, AU2 the outer, AU4 lowers the brow and draws it inward.
    """
    start = p.eye_x - 0.215 - 0.05 * au[4] - 0.02 * au[9]
    t = (at.ax - start) / (0.47 - 0.03 * au[4])
    flat = t.clamp(0, 1)
    arch = (p.brow_arch + 0.05 * au[2]) * 4 * flat * (1 - flat)
    inner, outer = (1 - flat) ** 1.5, flat * (1.6 - 0.9 * flat)
    line = (
        p.brow_y + 0.05 * flat - arch
        - (0.15 * au[1] * (1 - 0.25 * au[4])) * inner
        - 0.13 * au[2] * outer
        + 0.135 * au[4] * (1 - 0.6 * au[1]) * (1 - 0.55 * flat)
        + 0.05 * au[9] * inner - 0.02 * au[5] * flat
    )  # fmt: skip
    thick = p.brow_thick * (1.1 - 0.7 * flat**2)
    along = fill((t - 0.5).abs() * 0.47 - 0.235)
    return fill((at.y - line).abs() - thick, 1.6 * PIXEL) * along


@dataclass(frozen=True)
class Mouth:
    """Four curves, from the upper lip's rim down to the lower lip's, and what lies between."""

    across: Tensor
    half: Tensor
    middle: Tensor
    upper_rim: Tensor
    upper: Tensor
    lower: Tensor
    lower_rim: Tensor
    hole: Tensor
    lips: Tensor
    drop: Tensor
    """How far the jaw has come down."""


def mouth(p: Person, au: Activation, at: View) -> Mouth:
    """Lips: corners by AU12/15/20, opening by AU25/26/27 and 10/16, thickness by AU23/17."""
    drop = 0.10 * au[26] + 0.26 * au[27]
    half = p.mouth_width * (
        1 + 0.32 * au[12] + 0.28 * au[20] + 0.06 * au[10] - 0.10 * au[23] - 0.10 * au[17]
        - 0.12 * au[26] * (1 - au[12]) - 0.28 * au[27]
    )  # fmt: skip
    s = at.x / half
    flat = s.clamp(-1, 1)
    q = 1 - flat * flat
    round_ = q.sqrt()
    lift = p.mouth_lift + 0.155 * au[12] - 0.13 * au[15] - 0.02 * au[20] - 0.03 * au[17]
    centre = p.mouth_y - 0.03 * au[10] - 0.035 * au[17] - 0.01 * au[9]
    bend = 0.35 - flat * flat + 0.08 * au[12]
    middle = centre + lift * bend - 0.05 * au[17] * q * q
    square = (au[20] + au[10] + au[16]).clamp(0, 1)
    bow = q + (round_ - q) * (0.4 + 0.6 * square)
    upward = (0.035 * au[25] + 0.055 * au[10] + 0.03 * au[27]) * (1 - 0.4 * au[17])
    down = (0.05 + 0.06 * au[12]) * au[25] + 0.06 * au[16] + drop
    upper = middle - upward * bow
    lower = middle + down * (q + (round_ - q) * (0.3 + 0.7 * square + 0.4 * au[27]).clamp(0, 1))
    thin = 1 - 0.6 * au[23] - 0.25 * au[12] - 0.2 * au[20]
    dip = 1 - 0.22 * torch.exp(-((s / 0.2) ** 2))
    upper_rim = upper - p.lip_upper * thin * bow * dip * (1 - 0.2 * au[10])
    lower_rim = lower + p.lip_lower * (thin - 0.2 * au[17] - 0.2 * au[16]).clamp(min=0.15) * bow
    ends = fill(at.x.abs() - half)
    hole = fill(upper - at.y) * fill(at.y - lower) * ends
    hole = hole * ((lower - upper) / PIXEL).clamp(0, 1)
    lips = fill(upper_rim - at.y) * fill(at.y - lower_rim) * ends
    return Mouth(s, half, middle, upper_rim, upper, lower, lower_rim, hole, lips, drop)
