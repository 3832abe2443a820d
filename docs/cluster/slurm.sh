#!/bin/bash
# SLURM: one Dask worker per task, one run at a time in each. From a folder all nodes share:
#   docs/cluster/scheduler.sh --scheduler-file /shared/fercore/scheduler.json --no-dashboard &
#   sbatch --array=1-8 docs/cluster/slurm.sh /shared/fercore/scheduler.json
#SBATCH --job-name=fercore
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --mem=4G
#SBATCH --time=12:00:00
#SBATCH --signal=B:TERM@60
set -euo pipefail

scheduler_file=${1:?usage: sbatch slurm.sh SCHEDULER_FILE}
threads=${SLURM_CPUS_PER_TASK:-1}
export OMP_NUM_THREADS=$threads

# For one GPU per task add: #SBATCH --gpus-per-task=1; SLURM then sets CUDA_VISIBLE_DEVICES.
exec dask worker --scheduler-file "$scheduler_file" \
  --nthreads 1 --memory-limit 0 --no-dashboard --death-timeout 300 \
  --local-directory "${TMPDIR:-/tmp}"
