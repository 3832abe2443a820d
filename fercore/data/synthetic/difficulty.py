"""How hard SynthFER is: every knob in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Difficulty:
    """Strength of everything that stands between an expression and its label."""

    label_noise: float = 0.08
    """Share of images that show another emotion than their label says, drawn by `CONFUSED`."""
    intensity: tuple[float, float] = (0.6, 1.0)
    """Range of an expression's overall strength; 1 is FACS level E (maximum)."""
    blend_rate: float = 0.15
    """Share of faces into which a second, confusable emotion is mixed."""
    blend: float = 0.45
    """Largest share of that second emotion."""
    idle_rate: float = 0.1
    """Probability, per action unit, of movement that has nothing to do with the emotion."""
    idle: float = 0.35
    """Largest intensity of that movement."""
    roll: float = 6.0
    """Standard deviation of in-plane rotation, degrees."""
    turn: float = 0.07
    """Standard deviation of the features' shift by yaw and pitch, half image sides."""
    shift: float = 0.04
    """Standard deviation of the face's place in the frame, half image sides."""
    zoom: float = 0.05
    """Standard deviation of the face's size, relative."""
    occlusion: float = 0.08
    """Share of faces with a hand, a strand of hair, a patch or sunglasses in front."""
    light: float = 0.7
    """Strength of uneven light: 0 frontal and even, 1 harsh."""
    blur: tuple[float, float] = (0.2, 0.9)
    """Range of the blur's standard deviation, pixels."""
    noise: tuple[float, float] = (0.0, 0.02)
    """Range of the grain's standard deviation; 1 is black to white."""
