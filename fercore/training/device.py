"""Where a run computes, in which number format, and how it is made repeatable."""

from __future__ import annotations

import ctypes
import os
import platform
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # glibc's malloc.h

ALONE = threading.RLock()
"""Torch's random numbers and settings belong to the whole process: one run at a time has them."""


class DeviceError(ValueError):
    """A device was asked for that torch does not find here: the message says what there is."""


def choose(name: str = "auto") -> torch.device:
    """The device of that name ("cuda:1" too); auto: CUDA, else Apple's MPS, else the CPU."""
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    here = [*(kind for kind, there in found.items() if there), "cpu"]
    if name == "auto":
        return torch.device(here[0])
    kind, _, index = name.partition(":")
    many = torch.cuda.device_count() if kind == "cuda" else 1
    if kind not in here or (":" in name and not (index.isdigit() and int(index) < many)):
        numbered = [f"{kind}:{each}" for each in range(many)] if kind in here else []
        listed = ", ".join([*here, *numbered])
        raise DeviceError(
            f"DEVICE: expected auto or what torch finds here ({listed}), found {name!r}"
        )
    return torch.device(name)


def several(name: str = "auto") -> tuple[str, ...]:
    """All devices of that name, for processes to share: every GPU for auto or cuda, if it is CUDA.

    Raises `DeviceError` as `choose` does.
    """
    chosen = choose(name)
    if chosen.type == "cuda" and chosen.index is None:
        return tuple(f"cuda:{index}" for index in range(torch.cuda.device_count()))
    return (str(chosen),)


def describe(device: torch.device) -> str:
    """The device's name for people, such as "AMD EPYC" or "NVIDIA H200"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return f"Apple GPU (MPS, {platform.machine()})"
    return _cpu()


@cache
def _cpu() -> str:
    # platform.processor() is empty or a mere "x86_64" on most Linux systems.
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def training_dtype(
    wanted: Literal["auto", "float32", "bfloat16"], device: torch.device
) -> torch.dtype:
    """The number format of training's products, Muon's included; weights are always float32.

    auto goes by what the hardware says it can, never by a timing, so that the same machine always
    chooses the same: bfloat16 on CUDA from compute capability 8.0 (Ampere) and on CPUs with
    AVX512-BF16 or AMX, float32 elsewhere.
    """
    if wanted != "auto":
        return torch.bfloat16 if wanted == "bfloat16" else torch.float32
    return torch.bfloat16 if _fast_bfloat16(device) else torch.float32


def _fast_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return False


@contextmanager
def repeatable(device: torch.device, threads: int | None = None) -> Iterator[None]:
    """Within it the same computation gives the same bits each time; torch's settings come back.

    threads: CPU threads; None leaves them. Random numbers drawn within leave no trace outside on
    the CPU and on CUDA, but do on MPS. On both GPUs an operation without a repeatable form is named
    in a warning, not refused.
    """
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    memory: Any = torch.utils.deterministic
    fill, thread_count = (
        memory.fill_uninitialized_memory,
        torch.get_num_threads(),
    )
    gpus = [device] if device.type == "cuda" else []
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when cuBLAS starts
    with (
        torch.random.fork_rng(gpus, device_type="cuda"),
        torch.backends.cudnn.flags(
            enabled=True, benchmark=False, deterministic=True, allow_tf32=False
        ),
    ):
        try:
            torch.use_deterministic_algorithms(True, warn_only=device.type != "cpu")
            # Filling fresh memory finds bugs in other people's kernels, at a cost.
            memory.fill_uninitialized_memory = False
            torch.set_num_threads(threads or thread_count)
            yield
        finally:
            torch.use_deterministic_algorithms(before[0], warn_only=before[1])
            memory.fill_uninitialized_memory = fill
            torch.set_num_threads(thread_count)


def dice(device: torch.device) -> torch.Tensor:
    """The state of the random numbers that are drawn on a device, uint8 (N,)."""
    if device.type == "cuda":
        return torch.cuda.get_rng_state(device)
    return torch.mps.get_rng_state() if device.type == "mps" else torch.get_rng_state()


def set_dice(device: torch.device, state: torch.Tensor) -> None:
    """Draw there from now on what was drawn after `dice` gave this."""
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    elif device.type == "mps":
        torch.mps.set_rng_state(state)
    else:
        torch.set_rng_state(state)


@cache
def keep_memory() -> None:
    """Have glibc keep freed memory instead of giving it back to the system and asking again.

    Each step frees and takes the same large buffers; asking the system for each anew made float32
    training up to twice as slow. The process keeps up to 1 GiB that it does not use. Does nothing
    where the C library is another one.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, 1 << 30)


def spare_bfloat16(network: nn.Module) -> None:
    """Have strided depthwise convolutions compute in float32 under the CPU's bfloat16 autocast.

    oneDNN (of torch 2.13, on AVX512-BF16) has no fast bfloat16 backward pass for them: three such
    layers took 70 % of a MobileNet's step. Everything else gains from bfloat16.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.groups > 1 and module.stride != (1, 1):
            module.forward = _in_float32(module)  # type: ignore[assignment]


def _in_float32(module: nn.Conv2d) -> Callable[[torch.Tensor], torch.Tensor]:
    ordinary = module.forward

    def forward(images: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", enabled=False):
            return ordinary(images.float())

    return forward
