#!/bin/bash
# A Dask scheduler with fercore's settings, which are not Dask's own. Options are those of dask:
#   docs/cluster/scheduler.sh --scheduler-file /shared/fercore/scheduler.json --no-dashboard
set -euo pipefail

: "${1:?usage: scheduler.sh OPTION...}"
# The reasons are in fercore/executors/settings.py; a test holds these lines to it.
export DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=2
export DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL=None
export DASK_DISTRIBUTED__SCHEDULER__WORKER_SATURATION=1.0
exec dask scheduler "$@"
