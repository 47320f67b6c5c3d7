"""Memory: the core's state of a game, and whether anything grows: `python bench/memory.py`.

First bytes of core state per game and task. Then games are stepped, observed and reset, a million steps at a time,
through the calls a user makes, and the process's resident memory is read in between.
"""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import tyro

from paymaster import make_vec, tasks
from paymaster.terminal.markdown import markdown_table


def resident() -> float:
    """MiB of memory this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main(task: str = "resource_collection", games: int = 1_000, million_steps: int = 10) -> None:
    """Measure and print.

    Args:
        task: whose steps are played.
        games: B.
        million_steps: of games, in all.
    """
    sizes = ((f"`{one.name}`", f"{make_vec(one.name, seed=0)._core.bytes_per_game:,}") for one in tasks())
    print(markdown_table(("task", "bytes of core state a game"), sizes))
    env = make_vec(task, games, seed=0)
    env.reset()
    random = np.random.default_rng(0)
    highest = [env.parameters["num_goals"], env.parameters["num_bonuses"]]
    print("| million steps | resident MiB |\n| --- | --- |")
    for million in range(million_steps + 1):
        print(f"| {million} | {resident():.1f} |", flush=True)
        for _ in range(1_000_000 // games if million < million_steps else 0):
            env.step(random.integers(0, highest, (games, env.num_followers, 2)))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
