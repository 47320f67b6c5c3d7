"""What the peers' measuring scripts share: time it, print a line of JSON. Runs in the peer's own environment."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable


def measure(step: Callable[[], None], steps: int, seconds: float, repeats: int) -> float:
    """Environment steps per second, median over repetitions; ``step`` makes ``steps`` of them."""
    step()
    rates = []
    for _ in range(repeats):
        done, start = 0, time.perf_counter()
        while (passed := time.perf_counter() - start) < seconds:
            step()
            done += steps
        rates.append(done / passed)
    return statistics.median(rates)


def report(rows: list[dict[str, object]]) -> None:
    """To peers.py."""
    json.dump(rows, sys.stdout)
    print()
