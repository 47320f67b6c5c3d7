"""VMAS: simple_spread with 4 agents, simple_tag with 4 predators and 1 prey; batches of games on the CPU."""

from __future__ import annotations

import sys
from typing import Any

import torch
from common import measure, report
from vmas import make_env

WORLDS: dict[str, dict[str, Any]] = {
    "simple_spread": {"n_agents": 4},
    "simple_tag": {"num_good_agents": 1, "num_adversaries": 4, "num_landmarks": 2},
}


def stepper(env: Any, games: int) -> Any:
    """One step of random actions, of all games."""

    def step() -> None:
        env.step([torch.randint(5, (games, 1)) for _ in env.agents])

    return step


def main() -> None:
    seconds, repeats = float(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(int(sys.argv[3]))
    rows: list[dict[str, object]] = []
    for name, options in WORLDS.items():
        for games in (1024, 16384):
            env = make_env(name, num_envs=games, device="cpu", continuous_actions=False, **options)
            rate = measure(stepper(env, games), games, seconds, repeats)
            rows.append({"world": name, "games": games, "steps_per_second": rate})
    report(rows)


if __name__ == "__main__":
    main()
