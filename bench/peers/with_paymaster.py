"""Ours: the whole game, with primitive followers, and planned; the physics with observations, and alone; random
actions."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import numpy as np
from common import REPEATS, SECONDS, THREADS, measure, report

from paymaster import TwoPhaseVectorEnv, _core, make_vec
from paymaster.analysis.step_rate import step_rate

TASKS = {"simple_spread": "navigation", "simple_tag": "predator_prey"}


def whole(task: str, games: int) -> Any:
    """One step of all games: offers that are kept for ten steps, random primitive actions; planners, contracts,
    observations, rewards and resets included."""
    env = make_vec(task, games, 0, THREADS, followers="primitive", copy=False)
    assert isinstance(env, TwoPhaseVectorEnv)
    env.reset()
    random = np.random.default_rng(0)
    highest = [env.parameters["num_goals"], env.parameters["num_bonuses"]]
    drawn = [random.integers(0, highest, (games, 4, 2)) for _ in range(8)]
    offers = cycle([offer for offer in drawn for _ in range(10)])
    actions = cycle([random.integers(0, 5, (games, 4)) for _ in range(16)])

    def step() -> None:
        env.offer(next(offers))
        env.act(next(actions))

    return step


def physics(task: str, games: int, observed: bool) -> Any:
    """One step of the bodies that the peers have, on one thread: 4 of simple_spread, 5 and two obstacles of simple_tag.

    Observed: written as the games' observations have it, all bodies' positions and velocities in float32 (the peers
    write the same from the point of view of each agent); without that the core hands out its own arrays.
    """
    spread = task == "navigation"
    movable = np.array([True] * 4 if spread else [True] * 5 + [False] * 2)
    bodies = len(movable)
    size = [0.15] * 4 if spread else [0.075] * 4 + [0.05] + [0.2] * 2
    world = _core.ParticleWorld(
        num_worlds=games,
        size=np.array(size),
        acceleration=np.full(bodies, 5.0 if spread else 3.0) * movable,
        max_speed=np.full(bodies, np.inf if spread else 1.0),
        movable=movable,
        collides=np.full(bodies, True),
    )
    random = np.random.default_rng(0)
    world.set(random.uniform(-1, 1, (games, bodies, 2)), np.zeros((games, bodies, 2)))
    actions = cycle([random.integers(0, 5, (games, bodies)) for _ in range(16)])
    observation = np.zeros((2, games, bodies, 2), dtype=np.float32)

    def step() -> None:
        world.step(next(actions))
        position, velocity = world.pos, world.vel  # views
        if observed:
            observation[0], observation[1] = position, velocity

    return step


def rates(world: str, games: int) -> dict[str, float]:
    """Of random actions."""
    task = TASKS[world]
    return {
        "primitive followers": measure(whole(task, games), games),
        "rule-based followers, planned": step_rate(task, games, THREADS, SECONDS, REPEATS).steps_per_second,
        "physics and observations, one thread": measure(physics(task, games, True), games),
        "physics alone, one thread": measure(physics(task, games, False), games),
    }


if __name__ == "__main__":
    report(rates)
