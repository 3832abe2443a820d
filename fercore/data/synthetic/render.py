"""Painting a face: relief lit from one side, then features from back to front.

Skin is a height field (an ellipsoid with hills for nose, cheeks and chin and furrows for folds
and wrinkles); its slope against the light gives the shade, so that a fold looks as it would.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from fercore.data.synthetic.actions import Activation
from fercore.data.synthetic.dice import PIXEL, Dice, fill, hill, over
from fercore.data.synthetic.difficulty import Difficulty
from fercore.data.synthetic.face import (
    Eye,
    Mouth,
    Person,
    View,
    brow,
    eye,
    meet,
    mouth,
    pose,
)


def furrow(distance: Tensor, width: float) -> Tensor:
    """A crease: 1 on the line, 0 some widths away."""
    return torch.exp(-((distance / width) ** 2))


def window(value: Tensor, low: float | Tensor, high: float | Tensor, soft: float = 0.1) -> Tensor:
    """1 between low and high, fading over `soft`."""
    return fill(low - value, soft) * fill(value - high, soft)


def relief(p: Person, au: Activation, at: View, m: Mouth) -> Tensor:
    """Height of the features over the ellipsoid of the head."""
    nose = p.nose_height * _nose(p, au, at)
    cheek_y = 0.14 - 0.07 * au[6] - 0.03 * au[12]
    cheeks = (0.07 + 0.05 * au[6] + 0.05 * au[12]) * hill(
        (at.ax - 0.46) / 0.22, (at.y - cheek_y) / 0.16
    )
    sockets = -0.09 * hill((at.ax - p.eye_x) / 0.24, (at.y - p.eye_y) / 0.15)
    ridge = 0.04 * hill((at.ax - 0.25) / 0.35, (at.y - p.brow_y) / 0.1)
    muzzle = 0.05 * hill(at.x / 0.35, (at.y - p.mouth_y) / 0.22)
    chin_y = p.chin - 0.16 + m.drop - 0.05 * au[17]
    chin = (0.06 + 0.05 * au[17]) * hill(at.x / 0.2, (at.y - chin_y) / 0.12)
    lips = 0.035 * m.lips
    return nose + cheeks + sockets + ridge + muzzle + chin + lips


def _nose(p: Person, au: Activation, at: View) -> Tensor:
    """Bridge, tip and wings; AU9 and AU10 lift and widen the wings."""
    tip = p.nose_y - 0.03 * au[9]
    along = ((at.y - p.eye_y) / (tip - p.eye_y)).clamp(0, 1)
    bridge = (0.05 + 0.12 * along) * torch.exp(-((at.x / (0.07 + 0.04 * along)) ** 2))
    bridge = bridge * window(at.y, p.eye_y - 0.1, tip + 0.05, 0.12)
    ball = 0.10 * hill(at.x / 0.11, (at.y - tip) / 0.09)
    wide = p.nose_width * (1 + 0.15 * au[9] + 0.12 * au[12] + 0.1 * au[10])
    wings = 0.07 * hill((at.ax - wide) / 0.06, (at.y - tip - 0.03 + 0.03 * au[9]) / 0.07)
    return bridge + ball + wings


def creases(p: Person, au: Activation, at: View, e: Eye, m: Mouth) -> Tensor:
    """Depth of folds and wrinkles, 0..1 and somewhat more where they meet."""
    return _brow_lines(p, au, at) + _eye_lines(p, au, at, e) + _mouth_lines(p, au, at, m)


def _brow_lines(p: Person, au: Activation, at: View) -> Tensor:
    """Forehead lines (AU1, AU2), frown lines (AU4), the wrinkled bridge of the nose (AU9)."""
    raised = (0.25 * p.age + 0.9 * au[1] * (0.4 + 0.6 * au[2]) + 0.3 * au[2]).clamp(0, 1)
    ripple = 0.5 + 0.5 * torch.cos((at.y + 0.06 * at.x**2) * (2 * math.pi / 0.13))
    forehead = raised * ripple**2 * window(at.y, -0.86, p.brow_y - 0.1) * fill(at.ax - 0.45, 0.3)
    frown = (0.15 * p.age + 1.1 * au[4]).clamp(0, 1.1)
    lines = frown * furrow(at.ax - 0.055, 0.028) * window(at.y, p.brow_y - 0.1, p.brow_y + 0.14)
    bridge = au[9] * (0.5 + 0.5 * torch.cos((at.y - 0.5 * at.ax) * (2 * math.pi / 0.1)))
    bridge = bridge * hill(at.x / 0.14, (at.y - p.eye_y - 0.02) / 0.11)
    return 0.55 * forehead + lines + 0.9 * bridge


def _eye_lines(p: Person, au: Activation, at: View, e: Eye) -> Tensor:
    """The lid's crease, the bag below the eye and crow's feet (AU6)."""
    near = fill((e.across.abs() - 1.0) * p.eye_width, 0.08)
    fold = (0.5 - 0.2 * au[5]) * furrow(at.y - e.upper + 0.055, 0.022) * near
    bag = (0.2 + 0.25 * p.age + 0.7 * e.squeeze).clamp(0, 1)
    bag = bag * furrow(at.y - p.eye_y - 0.115 - 0.03 * (1 - e.across**2), 0.028) * near
    feet = (0.15 * p.age + 0.8 * au[6]) * (
        0.5 + 0.5 * torch.cos((at.y - p.eye_y) * (2 * math.pi / 0.085))
    )
    feet = feet * hill((at.ax - p.eye_x - p.eye_width - 0.07) / 0.055, (at.y - p.eye_y) / 0.1)
    return fold + 0.6 * bag + 0.7 * feet


def _mouth_lines(p: Person, au: Activation, at: View, m: Mouth) -> Tensor:
    """Nasolabial fold (AU12, 10, 9), lines below the corners (AU15), chin (AU17)."""
    t = (at.y - p.nose_y) / (m.middle - p.nose_y + 0.1)
    fold_x = p.nose_width + 0.03 + (m.half + 0.09 - p.nose_width) * t.clamp(0, 1) ** (0.8)
    deep = (0.2 + 0.35 * p.age + 0.8 * au[12] + 0.6 * au[10] + 0.6 * au[9] + 0.25 * au[15]).clamp(
        0, 1.1
    )
    fold = deep * furrow(at.ax - fold_x, 0.035) * window(t, 0.0, 1.0, 0.25)
    corner = (0.8 * au[15] + 0.2 * p.age) * furrow(
        at.ax - m.half - 0.02 - 0.1 * (at.y - m.middle), 0.032
    )
    corner = corner * window(at.y, m.middle - 0.0, m.middle + 0.18)
    pit = 0.6 * furrow(at.y - m.lower_rim - 0.045 - 0.05 * au[17] * (at.x / 0.2) ** 2, 0.03)
    pit = pit * (0.35 + 0.65 * au[17]) * fill(at.ax - 0.17, 0.1)
    stretch = 0.7 * au[20] * furrow(at.ax - m.half - 0.05, 0.03) * furrow(at.y - m.middle, 0.1)
    return fold + corner + pit + stretch


def lit(height: Tensor, p: Person, at: View, dice: Dice, knobs: Difficulty) -> Tensor:
    """Brightness of the relief under one light and an even sky, about 0.3 .. 1.1."""
    side, above = dice.normal(0, 0.30 * knobs.light), dice.normal(-0.35, 0.18 * knobs.light)
    depth = (1 - 0.85 * at.rim).clamp(min=0.12).sqrt()
    slope_x = 0.55 * at.out_x / p.width / depth - _slope(height, 2)
    slope_y = 0.40 * at.out_y / 1.15 / depth - _slope(height, 1)
    facing = (1 + side * slope_x + above * slope_y) * torch.rsqrt(1 + slope_x**2 + slope_y**2)
    facing = facing * torch.rsqrt(1 + side**2 + above**2)
    ambient = dice.uniform(0.3, 0.5)
    return ambient + (1.08 - ambient) * facing.clamp(min=0)


def _slope(height: Tensor, axis: int) -> Tensor:
    """Central difference along an axis, per half image side; 0 at the frame."""
    slope = torch.zeros_like(height)
    inner = (
        height.narrow(axis, 2, height.shape[axis] - 2)
        - height.narrow(axis, 0, height.shape[axis] - 2)
    ) / (2 * PIXEL)
    slope.narrow(axis, 1, height.shape[axis] - 2).copy_(inner)
    return slope


def paint_eyes(image: Tensor, p: Person, at: View, e: Eye, gaze: Tensor, light: Tensor) -> Tensor:
    """White, iris, pupil, glint, the lid's shadow and the lashes."""
    image = over(image, (0.93 * light).clamp(max=1) * (0.75 + 0.25 * p.skin), e.white)
    dx = at.ax - p.eye_x - gaze * at.side
    dy = at.y - p.eye_y + 0.015
    radius = (dx * dx + dy * dy).sqrt()
    image = over(image, p.iris, e.white * fill(radius - 0.078))
    image = over(image, 0.03 + 0 * p.iris, e.white * fill(radius - 0.036))
    glint = hill((dx * at.side + 0.025) / 0.022, (dy + 0.03) / 0.022)
    image = over(image, 0.95 + 0 * p.iris, 0.8 * glint * e.white)
    shadow = e.white * torch.exp(-((at.y - e.upper).clamp(min=0) / 0.05))
    image = image * (1 - 0.45 * shadow)
    ends = fill((e.across.abs() - 1.06) * p.eye_width, 1.5 * PIXEL)
    lash = fill((at.y - e.upper + 0.012).abs() - 0.020 - 0.010 * p.female, 1.3 * PIXEL) * ends
    image = image * (1 - (0.75 + 0.1 * p.female) * lash)
    rim = fill((at.y - e.lower).abs() - 0.008, PIXEL) * ends
    return image * (1 - 0.3 * rim)


def paint_mouth(
    image: Tensor, p: Person, au: Activation, at: View, m: Mouth, light: Tensor
) -> Tensor:
    """Lips, the dark of the open mouth, teeth, tongue, and the line where lips meet."""
    upper = fill(at.y - m.middle, 2 * PIXEL)
    tone = p.skin * p.lips * light * (1 - 0.14 * upper + 0.05 * (1 - upper))
    image = over(image, tone, 0.9 * m.lips)
    image = over(image, 0.06 + 0 * p.skin, m.hole)
    bite = (0.055 + 0.035 * au[12] + 0.05 * au[10]) * (1 - 0.5 * au[27])
    top = fill(at.y - m.upper - bite, PIXEL) * (0.45 + 0.55 * au[12] + 0.4 * au[10]).clamp(max=1)
    bottom = fill(m.lower - 0.05 - at.y, PIXEL) * (au[16] + 0.3 * au[20]).clamp(max=1)
    teeth = torch.maximum(top, bottom) * fill(m.across.abs() - 0.85, 0.3) * m.hole
    image = over(image, 0.86 * light.clamp(max=1), teeth)
    tongue = hill(at.x / (0.6 * m.half), (at.y - m.lower) / (0.02 + 0.45 * m.drop)) * (
        m.drop * 4
    ).clamp(max=0.6)
    image = over(image, 0.42 * p.skin, tongue * m.hole * (1 - teeth))
    closed = 1 - ((m.lower - m.upper) / (2 * PIXEL)).clamp(0, 1)
    line = furrow(at.y - m.middle, 0.026) * fill(at.x.abs() - m.half - 0.01, 1.5 * PIXEL)
    image = image * (1 - 0.62 * closed * line)
    corner = hill((at.ax - m.half) / 0.045, (at.y - m.middle) / 0.04)
    return image * (1 - 0.4 * corner)


def paint_nose(image: Tensor, p: Person, au: Activation, at: View) -> Tensor:
    """Nostrils and the shadow under the tip."""
    y = p.nose_y + 0.075 - 0.035 * au[9] - 0.015 * au[10]
    nostril = hill(
        (at.ax - 0.5 * p.nose_width) / 0.042, (at.y - y - 0.02 * (at.ax / 0.1 - 1)) / 0.026
    )
    under = hill(at.x / (0.8 * p.nose_width), (at.y - y - 0.02) / 0.045)
    return image * (1 - 0.7 * nostril) * (1 - 0.18 * under)


def head(p: Person, at: View, m: Mouth) -> Tensor:
    """Coverage of face and ears."""
    y = at.out_y
    bottom = p.chin + 0.75 * m.drop
    below = y.clamp(min=0) / bottom
    narrow = p.width * (1 - p.jaw * below**1.5)
    far = (at.out_x / narrow).abs() ** 2.3 + below**2.6 + ((-y).clamp(min=0) / 1.15) ** 2.3
    face = fill((far ** (1 / 2.3) - 1) * 0.8, 1.5 * PIXEL)
    ear = ((at.out_x.abs() - p.width) / 0.09) ** 2 + ((y + 0.05) / 0.2) ** 2
    return torch.maximum(face, fill((ear.sqrt() - 1) * 0.1, 1.5 * PIXEL))


def backdrop(p: Person, at: View, dice: Dice) -> Tensor:
    """Whatever is behind: wall or room, then neck and clothes."""
    tone = dice.uniform(0.05, 0.95)
    image = tone + dice.normal(0, 0.15) * at.out_x + dice.normal(0, 0.15) * at.out_y
    image = image + dice.uniform(0, 0.3) * dice.mottle(5)
    y = at.out_y
    clothes = fill(0.75 + 0.35 * at.out_x.abs() ** 2 - y + 0.2, 2 * PIXEL)
    neck = fill(at.out_x.abs() - 0.5 * p.width, 2 * PIXEL) * fill(0.3 - y, 0.2)
    image = over(image, dice.uniform(0.05, 0.9), clothes)
    return over(image, 0.55 * p.skin, neck)


def hair_behind(image: Tensor, p: Person, at: View, dice: Dice) -> Tensor:
    """Long hair beside the face, or a short crop around the skull."""
    long = p.female * dice.chance(0.75) + (1 - p.female) * dice.chance(0.06)
    wide = p.width + 0.06 + 0.12 * long * dice.uniform(0.3, 1)
    far = ((at.out_x / wide) ** 2 + ((at.out_y.clamp(max=0)) / 1.3) ** 2).sqrt()
    cover = fill((far - 1) * 0.8, 2 * PIXEL) * torch.maximum(long, fill(at.out_y + 0.1, 0.2))
    return over(image, p.hair * (1 + 0.35 * dice.mottle(12)), cover)


def hair_front(image: Tensor, p: Person, at: View, light: Tensor, dice: Dice) -> Tensor:
    """The hairline: receding, straight or a fringe; bald now and then."""
    bald = dice.chance(0.12) * (1 - p.female)
    fringe = dice.chance(0.25) * dice.uniform(0.05, 0.25)
    parting = dice.normal(0, 0.3)
    line = -0.86 + fringe + 0.10 * p.age * (1 - p.female)
    line = line + (0.9 - fringe) * ((at.out_x - parting * 0.3) / p.width) ** 2 * dice.uniform(
        0.05, 0.6
    )
    line = line + 0.25 * fill(0.9 * p.width - at.out_x.abs(), 0.2)
    cover = fill(at.out_y - line - 0.05 * dice.mottle(10), 2.5 * PIXEL) * (1 - bald)
    strands = 1 + 0.3 * torch.sin(at.out_x * dice.uniform(15, 40) + 6 * dice.mottle(4))
    return over(image, p.hair * strands * (0.5 + 0.6 * light), cover)


def beard(image: Tensor, p: Person, at: View, m: Mouth, dice: Dice) -> Tensor:
    """Stubble, full beard or moustache, on some men."""
    man = 1 - p.female
    full, lip = dice.chance(0.2) * man, dice.chance(0.2) * man
    stubble = 0.25 * man * dice.uniform(0, 1) ** 2
    edge = 0.25 + 0.35 * (1 - (at.ax / p.width).clamp(0, 1)) ** 0.5 * (at.ax < 0.9)
    lower = fill(edge - at.y + 0.08 * dice.mottle(12), 0.12)
    above = hill(
        at.x / (0.95 * m.half),
        (at.y - (0.45 * p.nose_y + 0.55 * m.upper_rim) - 0.03 - 0.12 * at.x**2) / 0.05,
    )
    cover = torch.maximum(
        lower * torch.maximum(full * 0.85, stubble), above * torch.maximum(lip, full) * 0.9
    )
    skin = 1 - fill(m.upper_rim - at.y) * fill(at.y - m.lower_rim) * fill(at.ax - m.half)
    return over(image, image * (0.3 + 0.5 * p.hair) * (1 + 0.3 * dice.mottle(24)), cover * skin)


def glasses(image: Tensor, p: Person, at: View, dice: Dice, knobs: Difficulty) -> Tensor:
    """Round to square frames; dark lenses count as occlusion."""
    worn = dice.chance(0.12)
    dark = dice.chance(0.15 * knobs.occlusion)
    power = dice.uniform(2, 4)
    u, v = (at.ax - p.eye_x) / 0.27, (at.y - p.eye_y - 0.02) / 0.19
    far = (u.abs() ** power + v.abs() ** power + 1e-6) ** (1 / power) - 1
    ring = fill((far * 0.22).abs() - 0.014, PIXEL)
    bridge = fill((at.y - p.eye_y + 0.03).abs() - 0.014, PIXEL) * fill(at.ax - (p.eye_x - 0.25))
    temple = fill((at.y - p.eye_y + 0.05).abs() - 0.014, PIXEL) * fill(p.eye_x + 0.26 - at.ax)
    frame = torch.maximum(ring, torch.maximum(bridge, temple))
    lens = fill(far * 0.22)
    glare = (
        0.15
        * worn
        * lens
        * hill((at.ax - p.eye_x - at.side * 0.1) / 0.12, (at.y - p.eye_y + 0.05) / 0.08)
    )
    image = over(image, 0.08 + 0 * p.skin, lens * dark * 0.93)
    image = image + glare
    return over(image, dice.uniform(0.03, 0.4), frame * torch.maximum(worn, dark))


def draw(au: Activation, dice: Dice, knobs: Difficulty) -> tuple[Tensor, View, Person]:
    """Faces (CHUNK, SIDE, SIDE), about 0..1, before the camera spoils them."""
    p = meet(dice)
    at = pose(p, dice, knobs)
    e, b, m = eye(p, au, at), brow(p, au, at), mouth(p, au, at)
    folds = creases(p, au, at, e, m)
    light = lit(relief(p, au, at, m) - 0.035 * folds, p, at, dice, knobs)
    skin = p.skin * light * (1 - 0.24 * folds).clamp(min=0.3) * (1 + 0.05 * dice.mottle(14))
    skin = paint_nose(skin, p, au, at)
    skin = beard(skin, p, at, m, dice)
    skin = paint_mouth(skin, p, au, at, m, light)
    skin = paint_eyes(skin, p, at, e, dice.normal(0, 0.03), light)
    skin = over(skin, (p.hair * 0.8 + 0.04) * light, 0.88 * b)
    image = hair_behind(backdrop(p, at, dice), p, at, dice)
    image = over(image, skin, head(p, at, m))
    image = hair_front(image, p, at, light, dice)
    return glasses(image, p, at, dice, knobs), at, p
