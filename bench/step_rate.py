"""Measure steps per second, as Markdown beside `paymaster bench`: `python bench/step_rate.py WHAT [--seconds S]`.

"tasks" puts the tasks beside each other, "followers" numbers of followers, "observations" kinds of observation. "cores"
asks what a second core is worth on this machine: one process, two processes that share nothing, and two threads of one
batch, beside two processes that only compute hashes.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import statistics
import time
from typing import Any, Literal

import tyro

from paymaster.analysis.step_rate import OBSERVATIONS, step_rate
from paymaster.terminal.markdown import markdown_table

TASKS = ("resource_collection", "multi_bonus_resource_collection", "crafting", "navigation", "predator_prey")
ROUNDS = 5


def beside(cells: dict[str, dict[str, Any]], seconds: float) -> None:
    """A row a task, a column a cell (its changes to step_rate's arguments): 1,024 games on one thread, all in turn."""
    rates: dict[str, dict[str, list[float]]] = {task: {name: [] for name in cells} for task in TASKS}
    for _ in range(ROUNDS):
        for task, of_task in rates.items():
            for name, changes in cells.items():
                of_task[name].append(step_rate(task, 1024, 1, seconds, 1, **changes).steps_per_cpu_second)
    rows = ((f"`{task}`", *(spread(some, ",.0f") for some in of_task.values())) for task, of_task in rates.items())
    print(markdown_table(("task", *cells), rows), end="")


def spread(values: list[float], spec: str) -> str:
    """Median (lowest to highest)."""
    median, low, high = (format(value, spec) for value in (statistics.median(values), min(values), max(values)))
    return f"{median} ({low} to {high})"


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
                    threads = pool.apply(steps, (2, games, seconds))
                    kinds.setdefault("steps, two threads of one batch", []).append(threads / alone)
    # What others take of a machine they take from two threads first: the upper quartile is nearer to a quiet machine.
    headings = ("what", "over one process with one thread, median (lowest to highest)", "upper quartile")
    rows = ((name, spread(of, ".2f"), f"{statistics.quantiles(of, n=4)[2]:.2f}") for name, of in kinds.items())
    print(markdown_table(headings, rows), end="")


def main(
    what: tyro.conf.Positional[Literal["tasks", "followers", "observations", "cores"]],
    seconds: float = 1.0,
    rounds: int = ROUNDS,
    games: int = 1024,
) -> None:
    """Measure and print.

    Args:
        what: see above.
        seconds: least time of one measurement.
        rounds, games: of "cores".
    """
    cells: dict[str, dict[str, dict[str, Any]]] = {
        "tasks": {"steps per CPU second": {}},
        "followers": {f"N = {n}": {"num_followers": n} for n in (1, 2, 4, 8, 16)},
        "observations": {kind: {"observation": kind} for kind in OBSERVATIONS},
    }
    if what == "cores":
        cores(seconds, rounds, games)
    else:
        beside(cells[what], seconds)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
