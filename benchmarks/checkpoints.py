"""What checkpoints cost: `python benchmarks/checkpoints.py`, on the disk where the runs are kept.

save      seconds to have the state of a run on disk, median over the epochs trained here
epoch     seconds of training and validating one, and of one of the preset's size at that speed
cost      of a save after each epoch (`make report`, on FER2013), as a share of the epoch
5 min     of a save each five minutes within long epochs, as a share of them
2 %       seconds of the shortest epoch whose save costs no more than that
"""

from __future__ import annotations

import statistics
import time
import uuid
from pathlib import Path

import torch

from fercore import data
from fercore.data.split import divide
from fercore.models import label, nearest
from fercore.spec import DataSpec, ModelSpec, RunSpec, TrainSpec
from fercore.store.runs import RunStore
from fercore.training import checkpoint, device
from fercore.training.fit import Examples, Fit

CPU = torch.device("cpu")
NETWORKS = (
    *(nearest(family, 10_000) for family in ("mobilenet", "cnn")),
    *(ModelSpec(name=name) for name in ("a-cnn-1333k", "b-cnn-1875k")),
)
IMAGES, EPOCHS = 500, 5
PRESETS = {"quick": 7_200, "fer2013": 25_838}
"""Images that each preset trains on."""


def measure(network: ModelSpec, path: Path) -> tuple[float, float]:
    """Seconds of an epoch's training for one image, and of a save."""
    recipe = TrainSpec(epochs=EPOCHS, batch=64, optimizer="muon", rate=0.1)
    spec = RunSpec(data=DataSpec(train_images=IMAGES), model=network, train=recipe)
    faces = data.load("synthetic")
    rows = divide(faces, spec.data)
    fit = Fit(spec, Examples(faces, rows.train, CPU), Examples(faces, rows.valid, CPU))
    spent = []
    for _ in range(EPOCHS):
        fit.epoch(lambda: None)
        began = time.perf_counter()
        checkpoint.save(path, {"about": {}, **fit.state()})
        spent.append(time.perf_counter() - began)
    return fit.seconds / EPOCHS / (fit.steps * fit.batch), statistics.median(spent)


def main() -> None:
    """A line for each network, smallest first."""
    device.keep_memory()
    path = RunStore().checkpoint(f"benchmark-{uuid.uuid4().hex[:8]}")
    heads = "".join(f"{name:>10} epoch{'cost':>9}" for name in PRESETS)
    print(f"{'network':16}{'bytes':>12}{'save':>9}{heads}{'5 min':>10}{'2 %':>8}")
    try:
        for network in NETWORKS:
            with device.repeatable(CPU, threads=1):
                each, save = measure(network, path)
            epochs = "".join(
                f"{each * n:14.1f} s{save / (each * n):9.2%}" for n in PRESETS.values()
            )
            line = f"{label(network):16}{path.stat().st_size:12,}{1000 * save:6.0f} ms{epochs}"
            print(f"{line}{save / 300:10.3%}{save / 0.02:6.1f} s", flush=True)
    finally:
        for left in (path, checkpoint.before(path)):
            left.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
