"""What the peers' measuring scripts share: time it, print a line of JSON. Runs in the peer's own environment."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence

SECONDS, REPEATS, THREADS = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])


def measure(step: Callable[[], None], steps: int) -> float:
    """Environment steps per second, median over repetitions; ``step`` makes ``steps`` of them."""
    step()
    rates = []
    for _ in range(REPEATS):
        done, start = 0, time.perf_counter()
        while (passed := time.perf_counter() - start) < SECONDS:
            step()
            done += steps
        rates.append(done / passed)
    return statistics.median(rates)


def report(rates: Callable[[str, int], dict[str, float]], batches: Sequence[int] = (1024, 16384)) -> None:
    """To peers.py: of each world and number of games, what was measured and its steps per second."""
    rows = [
        {"world": world, "games": games, "what": what, "steps_per_second": rate}
        for world in ("simple_spread", "simple_tag")
        for games in batches
        for what, rate in rates(world, games).items()
    ]
    print(json.dumps(rows))
