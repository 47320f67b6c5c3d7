"""Worlds of your own: `python bench/own_worlds.py`.

The taxi world of the documentation in Python and in C++, and what the package adds to a step; many followers (`--part
room`); learning among the goal types within reach only (`--part near`).

The C++ world has to be installed: `pip install --no-build-isolation --no-deps docs/examples/cpp_world`.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tyro

import paymaster
from paymaster.algorithms.process_group import SINGLE_PROCESS
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.play.rollout import Rollout
from paymaster.terminal.markdown import markdown_table
from paymaster.training.config import TrainConfig
from paymaster.training.train import make_parts

sys.path.append(str(Path(__file__).resolve().parents[1] / "docs" / "examples"))
from taxi_world import Taxi

METHODS = ("reset", "distance", "available", "exhausted", "plan", "move")
spent = 0.0  # in methods of the world


def timed(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return the method with its time added to what was spent."""

    def call(*arguments: Any) -> Any:
        global spent
        start = time.process_time()
        came = method(*arguments)
        spent += time.process_time() - start
        return came

    return call


class TimedTaxi(Taxi):
    """The taxi world by a clock."""


for name in METHODS:
    setattr(TimedTaxi, name, timed(getattr(Taxi, name)))


def make(task: str, games: int, **parameters: Any) -> tuple[LeaderVectorEnv, np.ndarray]:
    """Return games that have begun, and offers for them."""
    env = paymaster.make_vec(task, games, seed=0, num_threads=1, copy=False, **parameters)
    env.reset()
    random = np.random.default_rng(0)
    highest = (env.parameters["num_goals"], env.parameters["num_bonuses"])
    return env, random.integers(0, highest, (games, env.num_followers, 2))


def seconds(env: LeaderVectorEnv, offers: np.ndarray, steps: int) -> float:
    """Return CPU seconds of a step of all games."""
    start = time.process_time()
    for _ in range(steps):
        env.step(offers)
    return (time.process_time() - start) / steps


def shown(values: list[float], digits: int) -> str:
    """Return the median, and the lowest to the highest."""
    low, middle, high = (f"{value:,.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return f"{middle} ({low} to {high})"


def times(first: float, found: list[float]) -> str:
    """Return how many times as fast as the first."""
    return f"{first / statistics.median(found):.1f}"


def rates(games: int, rounds: int) -> None:
    """Print the worlds in turn, with the grid beside them."""
    global spent
    paymaster.register("timed_taxi", TimedTaxi)
    tasks = {"taxi world in Python": "taxi_world:Taxi", "taxi world in C++": "cpp_taxi", "grid": "resource_collection"}
    played = {title: make(task, games) for title, task in tasks.items()}
    by_clock = make("timed_taxi", games)
    whole: dict[str, list[float]] = {title: [] for title in tasks}
    ours: list[float] = []
    for _ in range(rounds):
        for title, (env, offers) in played.items():
            whole[title].append(seconds(env, offers, 50))
        spent = 0.0
        ours.append(seconds(*by_clock, 50) - spent / 50)
    first = statistics.median(whole["taxi world in Python"])
    rows = [
        (
            title,
            shown([games / s for s in found], 0),
            shown([1e3 * s for s in found], 3),
            f"{first / statistics.median(found):.1f}",
        )
        for title, found in whole.items()
    ]
    rows.insert(1, ("of which the package's part", "", shown([1e3 * s for s in ours], 3), ""))
    headings = ("world", "steps per CPU second", f"milliseconds a step of {games:,} games", "times the first")
    print(markdown_table(headings, rows))


def room() -> None:
    """Print what many followers, goal types, bonus levels and members of a population cost."""
    rows = []
    for task, n, goals, bonuses, population in (
        ("corridor", 4, 4, 2, 40),
        ("corridor", 64, 8, 2, 400),
        ("corridor", 256, 16, 2, 1024),
        ("corridor", 1024, 64, 2, 2048),
        ("corridor", 1024, 64, 64, 2048),
        ("corridor", 1024, 64, 2, 65535),
        ("taxi_world:Taxi", 1024, 64, 2, 2048),
    ):
        own = {"cells": 1000} if task == "corridor" else {}
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        env, offers = make(
            task, 1, num_followers=n, num_goals=goals, num_bonuses=bonuses, population_size=population, **own
        )
        step = seconds(env, offers, 20)
        step = seconds(env, offers, max(20, int(0.3 / step)))
        memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        sizes = (f"{size:,}" for size in (n, goals, bonuses, population, env._core.bytes_per_game))
        rows.append((f"`{task}`", *sizes, f"{memory:,.0f}", f"{1e6 * step:,.0f}", f"{1 / step:,.0f}"))
    headings = (
        "task", "followers", "goal types", "bonus levels", "population", "bytes of core state a game", "MiB more",
        "microseconds a step", "steps per CPU second of one game",
    )  # fmt: skip
    print(markdown_table(headings, rows))


def near(rounds: int) -> None:
    """Print what an update of 32 games costs with 61 zones, of which the networks see all, 16 or 8."""
    runs = {}
    for seen in (0, 16, 8):
        parameters = {"num_followers": 16, "num_goals": 61, "near_goals": seen, "demand": 1.0}
        config = TrainConfig("taxi_world:Taxi", num_envs=32, parameters=parameters)
        parts = make_parts(config, SINGLE_PROCESS)
        runs[seen] = parts, Rollout(parts.env, parts.leader, parts.generator)
    found: dict[int, list[tuple[float, float]]] = {seen: [] for seen in runs}
    size = {}
    for _ in range(rounds):
        for seen, (parts, rollout) in runs.items():
            start = time.process_time()
            episodes, _ = rollout.play()
            played = time.process_time()
            assert episodes is not None
            parts.leader.update(episodes)
            found[seen].append((played - start, time.process_time() - played))
            size[seen] = episodes.goal.nbytes / 2**20
    rows = [
        (str(seen or 61), f"{size[seen]:.1f}", *(shown([1e3 * s for s in part], 0) for part in zip(*took, strict=True)))
        for seen, took in found.items()
    ]
    headings = ("goal types seen", "MiB of their features", "milliseconds of play", "milliseconds of the update")
    print(markdown_table(headings, rows))


def main(part: str = "rates", games: int = 1024, rounds: int = 9) -> None:
    """Measure and print.

    Args:
        part: "rates", "room" or "near".
        games: B.
        rounds: in which the worlds take turns.
    """
    if part == "rates":
        rates(games, rounds)
    elif part == "near":
        near(rounds)
    else:
        room()


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
