"""The fuzz campaign: hostile calls by the thousand, each repeatable by its number.

    python tests/fuzz/campaign.py --calls 20000 --seed 0
    python tests/fuzz/campaign.py --kind api --seed 0 --only 1234       # that call again, in this process

A call must end within seconds, by a result or by a clear refusal that changes nothing: no crash, no hang, no
exception of another kind. Calls run in a process of their own that writes down which one is next, so that one that
kills it is named and the campaign goes on behind it. Ends with a line of counts, and status 1 if any call failed.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

SHARES = {"api": 0.72, "snapshots": 0.23, "files": 0.03, "commands": 0.02}
"""Kind -> its share of all calls."""
_SECONDS = 120  # for one call; most take milliseconds, but a busy machine may take its time
_MOST_CRASHES = 20


def _calls(kind: str) -> Callable[[Random], None]:
    if kind == "api":
        from fuzz.api import call
    elif kind == "snapshots":
        from fuzz.snapshots import call
    elif kind == "files":
        from fuzz.files import call
    else:
        from fuzz.commands import call
    return call


def work(kind: str, seed: int, first: int, last: int, progress: Path) -> int:
    """Makes the calls first..last-1 of a kind; returns how many failed. ``progress`` gets the number of each before."""
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", module="(?!paymaster|fuzz)")
    call, failed = _calls(kind), 0
    if kind == "files":
        from fuzz.files import prepare

        prepare()
    elif kind == "commands":
        from fuzz.commands import prepare

        prepare()
    with open(progress, "r+b", buffering=0) as at:
        for number in range(first, last):
            at.seek(0)
            at.write(b"%12d" % number)
            faulthandler.dump_traceback_later(_SECONDS, exit=True)
            try:
                call(Random(f"{seed}:{kind}:{number}"))
            except (Exception, SystemExit):
                failed += 1
                print(f"FAILED {kind} {number} (seed {seed})\n{traceback.format_exc(limit=-6)}", flush=True)
        faulthandler.cancel_dump_traceback_later()
    return failed


def campaign(kind: str, seed: int, calls: int) -> tuple[int, float]:
    """Makes all calls of a kind; returns how many failed, and the seconds it took."""
    begun, failed, number, crashes = time.monotonic(), 0, 0, 0
    with tempfile.TemporaryDirectory() as scratch:
        progress = Path(scratch) / "progress"
        progress.write_bytes(b"%12d" % 0)
        while number < calls and crashes < _MOST_CRASHES:
            command = [sys.executable, __file__, "--kind", kind, "--seed", str(seed), "--work", str(number), str(calls)]
            environment = {**os.environ, "OMP_NUM_THREADS": "1", "PAYMASTER_FUZZ_PROGRESS": str(progress)}
            status = subprocess.run(command, env=environment, cwd=scratch, check=False).returncode
            if status == 0:
                break
            if status == _FAILED:
                failed += int(progress.with_suffix(".failed").read_text())
                break
            number = int(progress.read_bytes()) + 1
            crashes += 1
            failed += 1 + _failed_before(progress)
            print(f"FAILED {kind} {number - 1} (seed {seed}): the process ended with {status}", flush=True)
    return failed, time.monotonic() - begun


_FAILED = 3


def _failed_before(progress: Path) -> int:
    counted = progress.with_suffix(".failed")
    return int(counted.read_text()) if counted.exists() else 0


def main() -> int:
    """Runs the campaign, or a part of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20_000, help="in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=list(SHARES), help="only these; --calls is then their number")
    parser.add_argument("--only", type=int, help="this call of --kind alone, in this process")
    parser.add_argument("--work", type=int, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only is not None:
        _calls(given.kind)(Random(f"{given.seed}:{given.kind}:{given.only}"))
        return 0
    if given.work is not None:
        progress = Path(os.environ["PAYMASTER_FUZZ_PROGRESS"])
        failed = work(given.kind, given.seed, *given.work, progress)
        progress.with_suffix(".failed").write_text(str(failed))
        return _FAILED if failed else 0
    total = 0
    for kind in [given.kind] if given.kind else SHARES:
        calls = given.calls if given.kind else round(SHARES[kind] * given.calls)
        failed, seconds = campaign(kind, given.seed, calls)
        print(f"{kind}: {calls} calls, {failed} failed, {seconds:.0f} s", flush=True)
        total += failed
    return int(total > 0)


if __name__ == "__main__":
    sys.exit(main())
