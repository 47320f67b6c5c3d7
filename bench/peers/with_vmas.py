"""VMAS: simple_spread with 4 agents, simple_tag with 4 predators and 1 prey; batches of games on the CPU."""

from __future__ import annotations

from typing import Any

import torch
from common import THREADS, measure, report
from vmas import make_env

WORLDS: dict[str, dict[str, Any]] = {
    "simple_spread": {"n_agents": 4},
    "simple_tag": {"num_good_agents": 1, "num_adversaries": 4, "num_landmarks": 2},
}


def rates(world: str, games: int) -> dict[str, float]:
    """Of random actions."""
    env = make_env(world, num_envs=games, device="cpu", continuous_actions=False, **WORLDS[world])

    def step() -> None:
        env.step([torch.randint(5, (games, 1)) for _ in env.agents])

    return {"": measure(step, games)}


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    report(rates)
