#!/bin/bash
# One machine with GPUs: SLOTS workers on each, one run at a time in each worker.
# The scheduler is docs/cluster/scheduler.sh's.
#   docs/cluster/gpus.sh tcp://127.0.0.1:8786 2
set -euo pipefail

address=${1:?usage: gpus.sh SCHEDULER_ADDRESS [SLOTS_PER_GPU]}
slots=${2:-1}

trap 'kill 0' EXIT
gpus=${CUDA_VISIBLE_DEVICES:-$(nvidia-smi --query-gpu=index --format=csv,noheader)}
for gpu in ${gpus//,/ }; do
  CUDA_VISIBLE_DEVICES=$gpu OMP_NUM_THREADS=1 dask worker "$address" \
    --nworkers "$slots" --nthreads 1 --memory-limit 0 --no-dashboard &
done
wait
