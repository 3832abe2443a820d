"""How long FER2013 takes to load: `python benchmarks/data_loading.py [fer2013.csv]`.

Without a file, one of drawn faces is made up.

Each way is timed in processes of its own, imports aside, and the best of three is printed:

naive        csv.DictReader, and numpy.fromstring for each row
fercore      fercore's reader
first load   fercore.data.load with an empty cache: find, hash, read, write the cache
cached load  fercore.data.load again
"""

import csv
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from fercore import data
from fercore.data import synthetic

REPEATS = 3
ROWS = 12_000
"""Rows of the file that is made up where none is given."""


def naive(path: Path) -> np.ndarray:
    packed = path.suffix == ".gz"
    with gzip.open(path, "rt") if packed else path.open() as file:
        rows = [
            (np.fromstring(row["pixels"], np.uint8, sep=" "), int(row["emotion"]), row["Usage"])
            for row in csv.DictReader(file)
        ]
    return np.stack([image for image, _, _ in rows])


def fercore(path: Path) -> np.ndarray:
    return data.recognise(path).read().images


def load(path: Path) -> np.ndarray:
    return data.load(path).images


def measure(way: str, path: Path) -> None:
    start = time.perf_counter()
    images = {"naive": naive, "fercore": fercore}.get(way, load)(path)
    seconds = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    total = int(images.sum(dtype=np.int64))
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "rows": len(images), "sum": total}))


def apart(way: str, path: Path, cache: str) -> dict[str, float]:
    """`measure` in a process of its own."""
    command = [sys.executable, __file__, str(path), way]
    environment = os.environ | {"FERCORE_CACHE": cache}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def rounds(path: Path) -> dict[str, list[dict[str, float]]]:
    """All ways in turn, several times, so that a noisy moment is shared."""
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as cache:
            for way in ("naive", "fercore", "first load", "cached load"):
                found.setdefault(way, []).append(apart(way, path, cache))
    return found


def drawn(folder: Path) -> Path:
    """Where no file is given: drawn faces in the form of fer2013.csv."""
    faces = synthetic.load()
    path = folder / "fer2013.csv"
    with path.open("w") as file:
        file.write("emotion,pixels,Usage\n")
        for place in range(ROWS):
            row = place % len(faces)
            pixels = " ".join(map(str, faces.images[row].ravel().tolist()))
            file.write(f"{faces.labels[row]},{pixels},Training\n")
    return path


def main(path: Path) -> None:
    found = rounds(path)
    same = {(run["rows"], run["sum"]) for runs in found.values() for run in runs}
    if len(same) > 1:
        sys.exit(f"the ways disagree: {same}")
    best = {way: min(runs, key=lambda run: run["seconds"]) for way, runs in found.items()}
    print(f"{path.name}, best of {REPEATS}, {os.cpu_count()} cores")
    print(f"{'':12}{'seconds':>9}{'naive is':>12}{'peak MB':>9}")
    for way, run in best.items():
        ratio = best["naive"]["seconds"] / run["seconds"]
        print(f"{way:12}{run['seconds']:9.2f}{ratio:6.1f} times{run['peak_mb']:9.0f}")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure(sys.argv[2], Path(sys.argv[1]))
    elif len(sys.argv) == 2:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(drawn(Path(folder)))
