"""Batches to play, random offers for them, and what comes back, compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

import paymaster

RC, MB = "resource_collection", "multi_bonus_resource_collection"
INFO = ("committed", "completed", "payment", "follower_reward", "follower_action")
MODES = tuple(AutoresetMode)

# Few goals close together: most games end before the horizon, at different steps.
SMALL = {"map": "######\n#....#\n#....#\n#....#\n######", "num_resources": 2, "num_followers": 2, "horizon": 11}


def make(task: str = RC, num_envs: int = 3, seed: int = 0, num_threads: int = 1, **parameters: Any) -> Any:
    """One thread unless said otherwise; finished games stay unless said otherwise."""
    return paymaster.make_vec(task, num_envs, seed, num_threads, **{"autoreset_mode": "Disabled", **parameters})


def offer_stream(env: Any, steps: int, seed: int = 0, keep: float = 0.85) -> Iterator[NDArray[np.int64]]:
    """Random offers int[B, N, 2], each kept from step to step with probability ``keep``."""
    rng = np.random.default_rng(seed)
    goals, bonuses = env.parameters["num_goals"] + env.parameters["abstain"], env.parameters["num_bonuses"]
    shape = (env.num_envs, env.num_followers)

    def fresh() -> NDArray[np.int64]:
        return np.stack((rng.integers(goals, size=shape), rng.integers(bonuses, size=shape)), axis=-1)

    offers = fresh()
    for _ in range(steps):
        yield offers
        offers = np.where(rng.random((*shape, 1)) < keep, offers, fresh())


def trace(env: Any, steps: int, seed: int = 0) -> list[Any]:
    """Everything that random play from here on gives."""
    return [env.step(offers) for offers in offer_stream(env, steps, seed)]


def leaves(value: Any) -> Iterator[NDArray[Any]]:
    """The arrays in nested dicts, lists, tuples and object arrays."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, np.ndarray) and value.dtype == object:
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from leaves(part)
    elif isinstance(value, np.ndarray):
        yield value


def same(actual: Any, expected: Any) -> None:
    """Equal numbers in equal nesting."""
    np.testing.assert_equal(actual, expected)


def row(value: Any, i: int) -> Any:
    """Game i's part of nested arrays."""
    return {name: row(part, i) for name, part in value.items()} if isinstance(value, dict) else value[i]


def everything(env: Any) -> tuple[Any, ...]:
    return env.state(), env.statistics.arrays(), env.observe()


def rule(seen: dict[str, NDArray[Any]]) -> NDArray[Any]:
    """A rule-based follower's goal type from what a follower sees, G for none: tasks.md, written once more."""
    goals = seen["skill"].shape[-1]
    reachable = seen["distance"] >= 0
    kinds = np.arange(goals)
    utility = np.where(kinds == seen["preference"][..., None], seen["reservation"][..., None], 0.0)
    offered = kinds == seen["offered"][..., :1]
    utility = (utility + np.where(offered, seen["offered"][..., 1:] + 1, 0)) * reachable
    best = utility.max(-1, keepdims=True)
    winners = (utility == best) & (best > 0)
    tied = winners.sum(-1, keepdims=True) > 1
    winners &= ~(tied & offered)
    return np.where(winners.any(-1), winners.argmax(-1), goals)
