"""Measures steps per second, as Markdown for docs/performance.md.

`python bench/step_rate.py [TASK] [SECONDS]` is the table of `paymaster bench`: games and threads. `python
bench/step_rate.py tasks [SECONDS]` puts the tasks beside each other, `followers` numbers of followers, `observations`
kinds of observation. `python bench/step_rate.py cores [SECONDS] [ROUNDS] [GAMES]` asks what a second core is worth on
this machine: one process, two processes that share nothing, and two threads of one batch, beside two processes that
only compute hashes.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import statistics
import sys
import time
from typing import Any

from paymaster.analysis.step_rate import OBSERVATIONS, step_rate, step_rates

TASKS = ("resource_collection", "multi_bonus_resource_collection", "navigation", "predator_prey")
ROUNDS = 5


def batches(task: str, seconds: float) -> None:
    """Batch sizes and threads, of one task."""
    cells = step_rates(task, seconds)
    base = next(c.steps_per_second for c in cells if (c.num_envs, c.num_threads) == (1024, 1))
    print("| games | threads | steps/s, median (lowest to highest) | per CPU second | against 1,024 games, 1 thread |")
    print("| --- | --- | --- | --- | --- |")
    for c in cells:
        print(
            f"| {c.num_envs:,} | {c.num_threads} | {c.steps_per_second:,.0f} ({c.lowest:,.0f} to {c.highest:,.0f}) "
            f"| {c.steps_per_cpu_second:,.0f} | {c.steps_per_second / base:.2f} |"
        )


def tasks(seconds: float) -> None:
    """All tasks, 1,024 games on one thread, in turn, so that a busy machine treats them alike."""
    rates: dict[str, list[float]] = {task: [] for task in TASKS}
    for _ in range(ROUNDS):
        for task in TASKS:
            rates[task].append(step_rate(task, 1024, 1, seconds, 3).steps_per_cpu_second)
    base = statistics.median(rates[TASKS[0]])
    print("| task | steps per CPU second, median (lowest to highest) | against the first |")
    print("| --- | --- | --- |")
    for task, of_task in rates.items():
        median = statistics.median(of_task)
        print(f"| `{task}` | {median:,.0f} ({min(of_task):,.0f} to {max(of_task):,.0f}) | {median / base:.2f} |")


def beside(cells: dict[str, dict[str, Any]], seconds: float) -> None:
    """A row a task, a column a cell (its changes to step_rate's arguments): 1,024 games on one thread, all in turn."""
    rates: dict[tuple[str, str], list[float]] = {}
    for _ in range(ROUNDS):
        for task in TASKS:
            for name, changes in cells.items():
                rate = step_rate(task, 1024, 1, seconds, 1, **changes).steps_per_cpu_second
                rates.setdefault((task, name), []).append(rate)
    print("| task |", *(f"{name} |" for name in cells))
    print("| --- |", *("--- |" for _ in cells))
    for task in TASKS:
        print(f"| `{task}` |", *(f"{statistics.median(rates[task, name]):,.0f} |" for name in cells))


def hashes(seconds: float) -> float:
    """Hashes a second of a few bytes, which stay in the registers and the nearest cache."""
    done, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < seconds:
        for _ in range(200):
            hashlib.sha256(b"x" * 4096)
        done += 200
    return done / passed


def steps(threads: int, games: int, seconds: float) -> float:
    """Steps a second of the first task."""
    return step_rate(TASKS[0], games, threads, seconds, 1).steps_per_second


def cores(seconds: float, rounds: int, games: int) -> None:
    """What a second core is worth, rounds in turn."""
    kinds: dict[str, list[float]] = {}
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.map(hashes, [0.1] * 2)  # both are awake
        for _ in range(rounds):
            for name, work, arguments in (("hashes", hashes, (seconds,)), ("steps", steps, (1, games, seconds))):
                alone = pool.apply(work, arguments)
                both = sum(pool.starmap(work, [arguments] * 2, chunksize=1))
                kinds.setdefault(f"{name}, two processes", []).append(both / alone)
                if name == "steps":
                    kinds.setdefault("steps, two threads of one batch", []).append(
                        pool.apply(steps, (2, games, seconds)) / alone
                    )
    # What others take of a machine they take from two threads first: the upper quartile is nearer to a quiet machine.
    print("| what | over one process with one thread, median (lowest to highest) | upper quartile |")
    print("| --- | --- | --- |")
    for name, ratios in kinds.items():
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"| {name} | {spread} | {statistics.quantiles(ratios, n=4)[2]:.2f} |")


def main() -> None:
    """Measures and prints."""
    what = sys.argv[1] if len(sys.argv) > 1 else "resource_collection"
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    if what == "tasks":
        tasks(seconds)
    elif what == "followers":
        numbers = {f"N = {n}": {"num_followers": n} for n in (1, 2, 4, 8, 16)}
        beside(numbers, seconds)
    elif what == "observations":
        beside({kind: {"observation": kind} for kind in OBSERVATIONS}, seconds)
    elif what == "cores":
        cores(
            seconds, int(sys.argv[3]) if len(sys.argv) > 3 else ROUNDS, int(sys.argv[4]) if len(sys.argv) > 4 else 1024
        )
    else:
        batches(what, seconds)


if __name__ == "__main__":
    main()
