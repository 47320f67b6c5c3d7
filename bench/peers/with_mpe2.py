"""mpe2: simple_spread with 4 agents, simple_tag with 4 predators and 1 prey; random actions, parallel API."""

from __future__ import annotations

import numpy as np
from common import measure, report
from mpe2 import simple_spread_v3, simple_tag_v3

WORLDS = {
    "simple_spread": simple_spread_v3.parallel_env(N=4, max_cycles=51),
    "simple_tag": simple_tag_v3.parallel_env(num_good=1, num_adversaries=4, num_obstacles=2, max_cycles=51),
}


def rates(world: str, _: int) -> dict[str, float]:
    """Of an episode of random actions after the other; 50 steps a call."""
    env, random = WORLDS[world], np.random.default_rng(0)

    def step() -> None:
        env.reset(seed=0)
        for _ in range(50):
            env.step({agent: random.integers(5) for agent in env.agents})

    return {"": measure(step, 50)}


if __name__ == "__main__":
    report(rates, batches=(1,))
