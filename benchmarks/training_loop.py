"""How fast networks train: `python benchmarks/training_loop.py [network ...]`, on one CPU core.

bare  forward, backward and optimizer step, again and again on one batch
loop  what fercore.train does beside that: shuffle, pick, normalise, move about, count

CPU time of whole passes, the best of five, so that other programs disturb little.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from fercore import augment, device
from fercore.data import Faces
from fercore.fit import Examples, Fit
from fercore.models import nearest
from fercore.spec import ModelSpec, RunSpec, TrainSpec

NETWORKS = ["a-mobilenet-73k", "b-mobilenet-46k", "a-cnn-1333k", "mobilenet", "cnn"]
SMALL = 20_000
"""Parameters of the families' members."""
STEPS, REPEATS = 10, 5
CPU = torch.device("cpu")


def fit(name: str, dtype: str) -> Fit:
    model = nearest(name, SMALL) if name in ("mobilenet", "cnn") else ModelSpec(name=name)
    recipe = TrainSpec.model_validate({"dtype": dtype})
    n = STEPS * recipe.batch
    images = np.random.default_rng(0).integers(0, 256, (n, 48, 48)).astype(np.uint8)
    faces = Faces(images, np.arange(n) % 7, np.full(n, "Training"), "noise")
    rows = np.arange(n)
    spec = RunSpec(model=model, train=recipe)
    return Fit(spec, Examples(faces, rows, CPU), Examples(faces, rows[:7], CPU))


def bare(one: Fit) -> None:
    images = augment.normalise(one.train.images[: one.batch])
    labels = one.train.labels[: one.batch]
    one.network.train()
    for _ in range(STEPS):
        one._step(images, labels)


def loop(one: Fit) -> None:
    one._pass(1, lambda: None)


def best(ways: list[Callable[[Fit], None]], one: Fit) -> list[float]:
    """Seconds of each; taken in turn, so that all see the same machine."""
    seconds = [[_timed(way, one) for way in ways] for _ in range(REPEATS + 1)]
    return [min(each) for each in zip(*seconds[1:], strict=True)]


def _timed(way: Callable[[Fit], None], one: Fit) -> float:
    start = time.process_time()
    way(one)
    return time.process_time() - start


def main() -> None:
    device.keep_memory()
    print(f"{device.describe(CPU)}, torch {torch.__version__}")
    print(f"{'network':18}{'dtype':>10}{'bare ms/step':>14}{'loop ms/step':>14}{'images/s':>10}")
    for name in sys.argv[1:] or NETWORKS:
        for dtype in ("float32", "bfloat16"):
            with device.repeatable(CPU, threads=1):
                one = fit(name, dtype)
                without, whole = best([bare, loop], one)
            each = 1000 / STEPS
            rate = STEPS * one.batch / whole
            print(f"{name:18}{dtype:>10}{without * each:14.1f}{whole * each:14.1f}{rate:10,.0f}")


if __name__ == "__main__":
    main()
