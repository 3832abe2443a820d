"""Where the runs of a sweep are made: in this process, on this machine's cores, or on a cluster.

`place` reads what a user wrote, `cluster` hands runs to Dask's workers, `worker` is what these do,
`settings` holds every setting of Dask that differs from its default, each with its reason.
"""

from __future__ import annotations

from fercore.executors.place import ExecutorError, Place, Task, parse, settle

__all__ = ["ExecutorError", "Place", "Task", "parse", "settle"]
