"""A leader, followers and games of one's own, as a user's module has them: tests name them by import path."""

from typing import Any

import numpy as np

import paymaster

__all__ = [
    "LEADER",
    "OBEDIENT",
    "PICKY",
    "WELL_PAID",
    "LearnsNothing",
    "Picky",
    "greedy_for_more",
    "obedient",
    "well_paid",
]

PICKY, OBEDIENT, WELL_PAID = "own_parts:Picky", "own_parts:obedient", "own_parts:well_paid"
LEADER = "own_leader:OwnLeader"  # docs/examples/own_leader.py


class Picky:
    """Offer a random half of the followers what they prefer, at each step; the others the first type."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def start(self, env: Any) -> None:
        self.preference = env.state("preference")["preference"].astype(np.int64)

    def offers(self, env: Any, observation: Any) -> Any:
        goal = np.where(self.rng.random(self.preference.shape) < 0.5, self.preference, 0)
        return np.stack((goal, np.zeros_like(goal)), axis=-1)


def obedient(observation: Any) -> Any:
    """Followers that take whatever they are offered."""
    return np.maximum(observation["offered"][..., 0], 0)


def greedy_for_more(observation: Any) -> Any:
    """Followers that ask for something that there is not."""
    return obedient(observation) + 9


def well_paid(num_envs: int, seed: int, num_threads: int = 0, **arguments: Any) -> paymaster.LeaderVectorEnv:
    """Games in which all followers like the first type and have all skills."""
    population = {
        "skill": np.ones((40, 4), dtype=bool),
        "preference": np.zeros(40, dtype=np.int64),
        "reservation": np.full(40, 1.5, dtype=np.float32),
    }
    return paymaster.make_vec("resource_collection", num_envs, seed, num_threads, population=population, **arguments)


class LearnsNothing:
    """No leader: it lacks most of what a leader needs."""

    def __init__(self, config: Any, env: Any) -> None:
        """Take no note."""

    def update(self, episodes: Any, progress: float = 0.0) -> dict[str, float]:
        return {}
