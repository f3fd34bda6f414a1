#!/bin/sh
# Trains on every GPU of this machine: training/launch.sh RECIPE.yaml [key=value …]
# optim.batch_size counts per GPU. Two machines: set NNODES=2, NODE_RANK and MASTER_ADDR on each.
set -eu
exec torchrun \
  --nproc-per-node "${NPROC:-gpu}" \
  --nnodes "${NNODES:-1}" \
  --node-rank "${NODE_RANK:-0}" \
  --master-addr "${MASTER_ADDR:-127.0.0.1}" \
  --master-port "${MASTER_PORT:-29500}" \
  --module tacitus.cli.main train "$@"
