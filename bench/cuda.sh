#!/usr/bin/env bash
# Everything of ours on a GPU, in one go of less than eight minutes: `bench/cuda.sh [--dry-run] [--out TABLE]`.
#
# Builds the package unless this Python (PYTHON, else python3) has it, then runs bench/cuda_table.py: it checks the GPU
# against the CPU, trains, measures, and writes TABLE row by row (cuda.md in $OUT, else in build/). Without CUDA, or with
# --dry-run, the same runs on the CPU with tiny sizes, in two minutes.
#
# A machine without a network needs CMake, a C++20 compiler, torch, scikit-build-core and pybind11, and beside the package
# the wheels that it lacks in .whl/, made here before, with the versions of its Python:
#   pip download --no-deps -d .whl gymnasium farama-notifications tyro docstring-parser typeguard annotated-types
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
if ! "$python" -c 'import paymaster._core' 2>/dev/null; then
  site=$(mktemp -d)
  trap 'rm -rf "$site"' EXIT
  install=("$python" -m pip install -q --no-deps --no-index --no-build-isolation --disable-pip-version-check --target "$site")
  if compgen -G '.whl/*.whl' >/dev/null; then "${install[@]}" .whl/*.whl; fi
  time "${install[@]}" .
  export PYTHONPATH="$site${PYTHONPATH:+:$PYTHONPATH}"
fi
left=$((450 - SECONDS))
"$python" bench/cuda_table.py --seconds "$((left > 120 ? left : 120))" --out "${OUT:-build}/cuda.md" "$@"
