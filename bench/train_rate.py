"""Training episodes per second: `python bench/train_rate.py`, one run, and several seeds side by side.

The leader, and followers that learn, play and learn as in `paymaster train`, without writing anything; a few updates
first do not count. "Side by side" is as many processes as seeds, one torch thread each, all measured over the same
seconds: their rates add up. With `--device cuda` they share one GPU. Rounds alternate between the settings, so that a
busy machine treats them alike; on one, trust the CPU seconds.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from threading import Barrier
from typing import NamedTuple

import torch
import tyro

from paymaster.algorithms import DEFAULT_LEADER
from paymaster.algorithms.process_group import SINGLE_PROCESS
from paymaster.play.rollout import Rollout
from paymaster.reproduction.specs import GAMES, Arm, Followers, train_config
from paymaster.terminal.markdown import markdown_table
from paymaster.training.allocator import keep_freed_memory
from paymaster.training.config import TrainConfig
from paymaster.training.train import make_parts
from paymaster.training.updates import Updates


class Rate(NamedTuple):
    """Episodes per second; share of the time that is play; CPU seconds an episode."""

    episodes: float
    play: float
    cpu: float


def rate(config: TrainConfig, seconds: float, cores: int = 1, first: int = 5) -> Rate:
    """Of one process on so many cores, after so many first updates."""
    torch.set_num_threads(1)
    keep_freed_memory()
    parts = make_parts(config, SINGLE_PROCESS)
    learner, learning = parts.leader, parts.followers
    rollout = Rollout(parts.env, learner, parts.generator)
    if learning is not None:
        learning.explore, learning.keep = learning.followers.config.explore, True

    with Updates.of(parts, config.torch_threads, cores) as both:

        def update() -> float:
            start = time.perf_counter()
            episodes, _ = rollout.play(explore=learner.exploration_rate(0))
            assert episodes is not None
            played = time.perf_counter() - start
            both.learn(episodes, 0.0)
            return played

        for _ in range(first):
            update()
        updates, play, start, spent = 0, 0.0, time.perf_counter(), time.process_time()
        while (passed := time.perf_counter() - start) < seconds:
            play += update()
            updates += 1
        episodes = updates * config.num_envs
        return Rate(episodes / passed, play / passed, (time.process_time() - spent) / episodes)


def rates_side_by_side(
    pool: ProcessPoolExecutor, config: TrainConfig, processes: int, seconds: float, cores: int = 1
) -> Rate:
    """Of so many seeds together; share of play and CPU time are means."""
    configs = [replace(config, seed=seed) for seed in range(processes)]
    each = list(pool.map(rate, configs, [seconds] * processes, [cores] * processes))
    means = Rate(*map(statistics.mean, zip(*each, strict=True)))
    return means._replace(episodes=sum(one.episodes for one in each))


@contextmanager
def processes_for(most: int) -> Iterator[ProcessPoolExecutor]:
    """So many processes that have all started; fresh ones, since a fork of a process that used a GPU cannot."""
    context = get_context("spawn")
    with ProcessPoolExecutor(most, context, initializer=_keep, initargs=(context.Barrier(most),)) as pool:
        list(pool.map(_meet, range(most)))
        yield pool


def _keep(barrier: Barrier) -> None:
    global _barrier
    _barrier = barrier


def _meet(_: int) -> None:
    _barrier.wait()


def main(
    games: tuple[str, ...] = ("RC completion", "MB advance", "navigation advance", "predator_prey advance"),
    leader: str = DEFAULT_LEADER,
    followers: tuple[Followers, ...] = ("rule",),
    num_envs: int = 32,
    side_by_side: tuple[int, ...] = (1, 2),
    cores: tuple[int, ...] = (1,),
    device: str = "cpu",
    seconds: float = 5.0,
    rounds: int = 3,
) -> None:
    """Measure and print.

    Args:
        games: names (paymaster.reproduction.specs.GAMES).
        leader: name.
        followers: rule, meta or primitive.
        num_envs: episodes an update.
        side_by_side: numbers of seeds in processes beside each other.
        cores: that each process may use: on a second one, followers that learn do so beside the leader.
        device: cpu, cuda, cuda:1, ...
        seconds: of one measurement.
        rounds: measurements of each.
    """
    if unknown := sorted(set(games) - GAMES.keys()):
        raise SystemExit(f"games: expected names among {', '.join(GAMES)}, got {', '.join(unknown)}")
    cells = list(itertools.product(games, followers, side_by_side, cores))
    rates: dict[tuple[str, Followers, int, int], list[Rate]] = {cell: [] for cell in cells}
    with processes_for(max(side_by_side)) as pool:
        for _ in range(rounds):
            for (game, kind, processes, own), measured in rates.items():
                config = train_config(Arm(game, leader, followers=kind), 0, 1)
                config = replace(config, num_envs=num_envs, device=device)
                measured.append(rates_side_by_side(pool, config, processes, seconds, own))
    headings = ("game", "followers", "processes", "cores of each", "episodes/s, median (lowest to highest)")
    headings += ("share of play", "CPU ms an episode", "episodes/s against the first")
    rows = []
    for (game, kind, processes, own), measured in rates.items():
        alone = statistics.median(one.episodes for one in rates[game, followers[0], side_by_side[0], cores[0]])
        totals, *_ = zip(*measured, strict=True)
        median, play, cpu = map(statistics.median, zip(*measured, strict=True))
        spread = f"{median:.0f} ({min(totals):.0f} to {max(totals):.0f})"
        rows.append((game, kind, processes, own, spread, f"{play:.0%}", f"{1e3 * cpu:.2f}", f"{median / alone:.2f}"))
    print(markdown_table(headings, rows), end="")


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
