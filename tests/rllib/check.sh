#!/usr/bin/env bash
# RLlib plays the games. Not part of the tests: RLlib pins a Gymnasium of its own, so it gets an environment of its own.
# Run it with a Python that has paymaster and torch, which come from there: `tests/rllib/check.sh`. Downloads 200 MB, then
# takes a minute of computing, and ends with "all passed".
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check 'ray[rllib]>=2.50' 'pettingzoo>=1.27'
# After the installation, so that pip does not take the other Python's Gymnasium for one it may keep.
site=$("$work/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
python3 -c 'import pathlib, paymaster, torch
for module in (paymaster, torch):
    print(pathlib.Path(module.__file__).parents[1])' >"$site/paymaster_and_torch.pth"
cd "$work"
export OMP_NUM_THREADS=1 RAY_USAGE_STATS_ENABLED=0  # a second thread only waits
"$work/venv/bin/python" "$here/check.py"
