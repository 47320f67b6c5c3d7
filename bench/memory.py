"""Memory: the core's state of a game, and whether anything grows: `python bench/memory.py`.

First bytes of core state per game and task. Then games are stepped, observed and reset, a million steps at a time,
through the calls a user makes, and the process's resident memory is read in between.
"""

from __future__ import annotations

import resource
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

from paymaster import make_vec, tasks


@dataclass(frozen=True)
class Arguments:
    """What to measure.

    Attributes:
        task: whose steps are played.
        games: B.
        million_steps: of games, in all.
    """

    task: str = "resource_collection"
    games: int = 1_000
    million_steps: int = 10


def resident() -> float:
    """MiB of memory this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    arguments = tyro.cli(Arguments, description=__doc__)
    print("| task | bytes of core state a game |\n| --- | --- |")
    for task in tasks():
        print(f"| `{task.name}` | {make_vec(task.name, seed=0)._core.bytes_per_game:,} |")
    env = make_vec(arguments.task, arguments.games, seed=0)
    env.reset()
    random = np.random.default_rng(0)
    highest = [env.parameters["num_goals"], env.parameters["num_bonuses"]]
    print("\n| million steps | resident MiB |\n| --- | --- |")
    for million in range(arguments.million_steps + 1):
        print(f"| {million} | {resident():.1f} |", flush=True)
        if million == arguments.million_steps:
            break
        for _ in range(1_000_000 // arguments.games):
            env.step(random.integers(0, highest, (arguments.games, env.num_followers, 2)))


if __name__ == "__main__":
    main()
