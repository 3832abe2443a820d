"""Every setting of Dask that matters to a sweep, with its reason. Others keep Dask's defaults."""

from __future__ import annotations

import logging
from typing import Any

ALLOWED_FAILURES = 2
"""How often a run whose worker died is tried again; it goes on from its last epoch."""


def config(threads: int) -> dict[str, Any]:
    """For `dask.config.set` while a local cluster lives; docs/cluster/scheduler.sh has a part."""
    return {
        "distributed.scheduler.allowed-failures": ALLOWED_FAILURES,
        # Code that holds Python's lock for minutes is slow, not dead; a dead process is noticed
        # by its closed connection.
        "distributed.scheduler.worker-ttl": None,
        # A dead worker's process is started anew; had that not been done after 15 s, as on a busy
        # machine, Dask would give it up, and in the end all of them.
        "distributed.deploy.lost-worker-timeout": "1 day",
        # No run is sent to a worker that is not free; Dask's own choice sends a few ahead.
        "distributed.scheduler.worker-saturation": 1.0,
        # Dask's own choice has glibc give freed memory back at once, which made training 1.6
        # times slower; `device.keep_memory` sets the opposite. Threads: as in `repeatable`.
        "distributed.nanny.pre-spawn-environ": {
            "OMP_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
        },
        # Looks at the stack a hundred times a second, for a dashboard that is off.
        "distributed.worker.profile.enabled": False,
    }


def local(workers: int) -> dict[str, Any]:
    """For `LocalCluster`."""
    return {
        "n_workers": workers,
        "threads_per_worker": 1,  # one run at a time in a process: torch's settings are global
        "processes": True,
        "host": "127.0.0.1",  # Dask asks for no password: nobody but this machine may ask
        "dashboard_address": None,
        # Off, it listens all the same: on port 8787, which another study may have.
        "scheduler_kwargs": {"dashboard_address": "127.0.0.1:0"},
        "memory_limit": 0,  # else a run that needs more is killed, again and again
        "silence_logs": logging.CRITICAL,  # what matters comes back as an exception
    }
