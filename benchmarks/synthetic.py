"""How fast SynthFER is drawn: images per second of CPU time, on one core."""

from __future__ import annotations

import time

import numpy as np

from fercore.data.synthetic import generate

IMAGES, ROUNDS = 640, 5


def main() -> None:
    labels = np.arange(IMAGES) % 7
    generate(labels[:64])
    rates = []
    for seed in range(ROUNDS):
        began = time.process_time()
        generate(labels, seed)
        rates.append(IMAGES / (time.process_time() - began))
    print(
        f"SynthFER: {np.median(rates):.0f} images/s on one core "
        f"({min(rates):.0f} to {max(rates):.0f} in {ROUNDS} rounds of {IMAGES})"
    )


if __name__ == "__main__":
    main()
