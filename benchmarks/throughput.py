"""Images per second, fercore against the textbook pipeline: `python benchmarks/throughput.py`.

textbook  benchmarks/textbook.py on all cores, with 0 and with 2 loader workers
one run   fercore's training loop, one thread
machine   as many such runs at once as there are cores: what a study does
ratio     machine / the better textbook
epoch     seconds for 25,838 images (FER2013's Training less validation), one run
flops     share of this core's matrix-product peak in the run's number format (3 x 2 x MACs, of
          which fercore.training.winograd leaves a quarter: it can pass 100 %)
bytes     share of its copy bandwidth: each activation read and written once, forward and twice
          back (a lower bound of the traffic; what depthwise networks are limited by)

All ways in turn, two rounds, the best of each, batches as in the preset fer2013. Networks as
arguments, or the eight by default.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import textbook
import torch
from rich.console import Console
from rich.table import Table
from scipy.stats import gmean

from fercore import models
from fercore.data import Faces
from fercore.models.families import INPUT
from fercore.models.layers import walk
from fercore.spec import ModelSpec, RunSpec, TrainSpec
from fercore.training import device
from fercore.training.evaluate import scores
from fercore.training.fit import Examples, Fit

NETWORKS = (
    *("a-mobilenet-73k", "b-mobilenet-46k", "a-cnn-1333k", "b-cnn-852k"),
    *("mobilenet-30k", "mobilenet-200k", "cnn-30k", "cnn-200k"),
)
EPOCH = 25_838
SECONDS, ROUNDS, BATCH = 1.5, 2, 64
CPU = torch.device("cpu")
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def network(name: str) -> ModelSpec:
    """A reported network, or a family's member by its size, as cnn-30k."""
    family, _, size = name.partition("-")
    if family in models.FAMILIES:
        return models.nearest(family, round(1000 * float(size.removesuffix("k"))))
    return ModelSpec(name=name)


def noise(n: int) -> Faces:
    images = np.random.default_rng(0).integers(0, 256, (n, 48, 48)).astype(np.uint8)
    return Faces(images, np.arange(n) % 7, np.full(n, "Training"), "noise")


def per_second(work: Callable[[], int], seconds: float = SECONDS) -> float:
    """Images per second of a piece of work that returns how many it did; once to warm up."""
    work()
    began, done = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < seconds:
        done += work()
    return done / spent


def fit(run: RunSpec, batches: int = 2) -> Fit:
    faces = noise(batches * run.train.batch)
    rows = np.arange(len(faces.labels))
    return Fit(run, Examples(faces, rows, CPU), Examples(faces, rows[:7], CPU))


def one_run(run: RunSpec) -> float:
    """Train in this process on one thread."""
    device.keep_memory()
    with device.repeatable(CPU, threads=1):
        one = fit(run)
        return per_second(partial(_epoch, one))


def _epoch(one: Fit) -> int:
    one._pass(one._plan(1), lambda: None)
    return one.steps * one.batch


def machine(pool: ProcessPoolExecutor, run: RunSpec) -> float:
    """As many runs at once as there are cores, summed."""
    return sum(pool.map(one_run, [run] * CORES))


def by_the_book(run: RunSpec, workers: int) -> float:
    """The textbook pipeline on all cores, with the run's network and batch."""
    torch.set_num_threads(CORES)
    faces, batch = noise(640), run.train.batch
    source = textbook.batches(faces.images, faces.labels, batch, workers, train=True)
    trainer = textbook.Trainer(run.model)

    def work() -> int:
        images, labels = next(source)
        trainer.step(images, labels)
        return len(labels)

    return per_second(work)


def inference(spec: ModelSpec) -> tuple[float, float, float]:
    """Images/s of the textbook's evaluation and of fercore's, and milliseconds for one image."""
    faces, net = noise(128), models.build(spec).eval()
    source = textbook.batches(faces.images, faces.labels, 32, 0, train=False)
    images = torch.tensor(faces.images)
    with torch.inference_mode():
        torch.set_num_threads(CORES)
        book = per_second(lambda: len(net(next(source)[0])), 1)
        torch.set_num_threads(1)
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        ours = per_second(lambda: len(scores(net, images)), 1)
        one = torch.zeros(1, *INPUT)
        latency = 1000 / per_second(lambda: len(net(one)), 1)
    return book, ours, latency


def limits(dtype: torch.dtype) -> tuple[dict[torch.dtype, float], float]:
    """Matrix products (FLOP/s by number format) and copying (bytes/s) on one core.

    bfloat16 only where it is trained in: without instructions for it one product takes seconds.
    """
    torch.set_num_threads(1)
    flops = {each: products(each) for each in dict.fromkeys((torch.float32, dtype))}
    source = torch.zeros(64 << 20)
    target = torch.empty_like(source)
    copies = max(per_second(lambda: target.copy_(source).shape[0]) for _ in range(ROUNDS))
    return flops, copies * 2 * source.element_size()


def products(dtype: torch.dtype, side: int = 1024) -> float:
    """FLOP/s of the product of two square matrices."""
    a, b = torch.randn(2, side, side).to(dtype)
    return 2 * side**2 * max(per_second(lambda: len(a @ b)) for _ in range(ROUNDS))


def traffic(spec: ModelSpec, width: int) -> float:
    """Bytes per training image: every layer's input and output, forward and twice back."""
    seen = [
        (np.prod(shape), np.prod(layer.out(shape)))
        for layer, shape in walk(models.layers(spec), INPUT)
    ]
    return 3.0 * width * float(sum(a + b for a, b in seen))


def main() -> None:
    names = sys.argv[1:] or NETWORKS
    dtype = device.training_dtype("auto", CPU)
    device.keep_memory()
    flops, copying = limits(dtype)
    peaks = ", ".join(f"{f / 1e9:.0f} GFLOP/s {str(d)[6:]}" for d, f in flops.items())
    print(f"{device.describe(CPU)}, {CORES} cores, torch {torch.__version__}, {str(dtype)[6:]}")
    print(f"one core: {peaks}, copies {copying / 1e9:.1f} GB/s")
    heads = "network,textbook 0,textbook 2,one run,machine,ratio,epoch s,flops,bytes"
    training, evaluation = (
        Table(*heads.split(",")),
        Table("network", "textbook", "fercore", "ratio", "batch 1, ms"),
    )
    ratios = []
    with ProcessPoolExecutor(CORES, multiprocessing.get_context("spawn")) as pool:
        for name in names:
            spec = network(name)
            run = RunSpec(model=spec, train=TrainSpec(batch=BATCH))
            ways = (
                partial(by_the_book, run, 0), partial(by_the_book, run, 2),
                partial(one_run, run), partial(machine, pool, run),
            )  # fmt: skip
            zero, two, one, whole = map(
                max, zip(*[[way() for way in ways] for _ in range(ROUNDS)], strict=True)
            )
            ratios.append(whole / max(zero, two))
            share = 6 * models.cost(spec).macs * one / flops[dtype]
            moved = traffic(spec, dtype.itemsize) * one / copying
            cells = (
                f"{zero:,.0f}",
                f"{two:,.0f}",
                f"{one:,.0f}",
                f"{whole:,.0f}",
                f"{ratios[-1]:.1f}",
            )
            training.add_row(name, *cells, f"{EPOCH / one:.1f}", f"{share:.0%}", f"{moved:.0%}")
            book, ours, latency = inference(spec)
            evaluation.add_row(
                name, f"{book:,.0f}", f"{ours:,.0f}", f"{ours / book:.1f}", f"{latency:.2f}"
            )
    console = Console(width=110)
    console.print("Training, images/s", training)
    console.print(f"geometric mean of the ratios: {gmean(ratios):.1f}\n")
    console.print("Evaluation, images/s (fercore: one thread)", evaluation)


if __name__ == "__main__":
    main()
