"""What an episode of a leader as the original had it costs: `python bench/original_rate.py [--task crafting]`, one
process, one thread.

In milliseconds of CPU time, which a busy machine changes less than the time that passes; the least of several rounds.
"Arithmetic" is what the plain networks' products alone would take at 40 billion multiplications and additions a second:
each weight once forward and twice backward for every follower and step.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import tyro

from paymaster.algorithms import ORIGINALS
from paymaster.algorithms.original_update import OriginalUpdate
from paymaster.algorithms.process_group import SINGLE_PROCESS
from paymaster.features.planes import PlaneEncoder
from paymaster.networks.torch_defaults import threads_of_torch, usual_torch
from paymaster.play.rollout import Rollout
from paymaster.terminal.markdown import markdown_table
from paymaster.training.allocator import keep_freed_memory
from paymaster.training.config import TrainConfig
from paymaster.training.train import make_parts

_OPERATIONS = 40e9  # multiplications and additions a second, of one core with AVX-512
_DECISIONS = 29


@contextmanager
def timed(owner: Any, name: str, spent: dict[str, float], what: str) -> Iterator[None]:
    """Add up the CPU time of a method while this lasts."""
    original = getattr(owner, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        start = time.process_time()
        try:
            return original(*args, **kwargs)
        finally:
            spent[what] += time.process_time() - start

    setattr(owner, name, call)
    try:
        yield
    finally:
        setattr(owner, name, original)


def costs(leader: str, task: str, episodes: int, rounds: int) -> dict[str, float]:
    """Milliseconds an episode, by part."""
    parts = make_parts(TrainConfig(task, leader=leader, device="cpu"), SINGLE_PROCESS)
    rollout = Rollout(parts.env, parts.leader, parts.generator)
    best: dict[str, float] = {}
    for number in range(rounds + 1):
        spent: dict[str, float] = defaultdict(float)
        with (
            timed(Rollout, "play", spent, "play"),
            timed(PlaneEncoder, "encode_into", spent, "of it planes"),
            timed(type(parts.leader), "update", spent, "update"),
            timed(OriginalUpdate, "take", spent, "of it forward"),
            timed(OriginalUpdate, "learn", spent, "backward"),
            timed(OriginalUpdate, "step", spent, "optimiser"),
        ):
            for _ in range(episodes):
                played, _ = rollout.play(explore=0.1)
                assert played is not None
                parts.leader.update(played)
        if number > 0:  # the first warms up
            each = {name: 1e3 * value / episodes for name, value in spent.items()}
            each["episode"] = each["play"] + each["update"]
            best = each if not best or each["episode"] < best["episode"] else best
    weights = sum(parameter.numel() for parameter in parts.leader.modules()["leader"].parameters())
    products = 3 * weights * _DECISIONS * parts.env.num_followers
    return {"arithmetic": 1e3 * 2 * products / _OPERATIONS, **best}


def main(task: str = "resource_collection", episodes: int = 30, rounds: int = 5) -> None:
    """Print a table.

    Args:
        task: with a grid world, such as crafting.
        episodes: of each round.
        rounds: after one that warms up.
    """
    keep_freed_memory()
    columns = ("episode", "play", "of it planes", "update", "of it forward", "backward", "optimiser", "arithmetic")
    rows = []
    with usual_torch(), threads_of_torch(1):
        for leader in ORIGINALS:
            found = costs(leader, task, episodes, rounds)
            rows.append((f"`{leader}`", *(f"{found[column]:.1f}" for column in columns)))
            assert np.isfinite(found["episode"])
    print(f"ms of CPU time of an episode of {task}, one thread\n")
    print(markdown_table(("leader", *columns), rows))


if __name__ == "__main__":
    tyro.cli(main)
