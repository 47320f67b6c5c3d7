"""Training episodes per second: `python bench/train_rate.py`, one run, several seeds side by side, several at once.

The leader, and followers that learn, play and learn as in `paymaster train`, without writing anything; a few updates
first do not count. "Side by side" is as many processes as seeds, one torch thread each, all measured over the same
seconds: their rates add up. "At once" is in one process, as `paymaster train --seeds`. Rounds alternate between the
settings, so that a busy machine treats them alike; on one, trust the CPU seconds.
"""

from __future__ import annotations

import itertools
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import torch
import tyro

from paymaster.algorithms import DEFAULT_LEADER
from paymaster.algorithms.leader_stack import LeaderStack
from paymaster.algorithms.process_group import SINGLE_PROCESS
from paymaster.networks.draws import SeedDraws
from paymaster.networks.torch_defaults import threads_of_torch
from paymaster.play.rollout import Rollout
from paymaster.play.seed_games import SeedGames
from paymaster.reproduction.specs import Arm, train_config
from paymaster.terminal.markdown import markdown_table
from paymaster.training.allocator import keep_freed_memory
from paymaster.training.config import Followers, TrainConfig
from paymaster.training.setup import make_leader
from paymaster.training.train import make_parts


class Rate(NamedTuple):
    """Episodes per second; share of the time that is play; CPU seconds an episode."""

    episodes: float
    play: float
    cpu: float


def rate(config: TrainConfig, seeds: int, seconds: float) -> Rate:
    """Of one process, with so many seeds in it."""
    torch.set_num_threads(1)
    keep_freed_memory()
    configs = [replace(config, seed=config.seed + number) for number in range(seeds)]
    parts = [make_parts(one, make_leader, SINGLE_PROCESS) for one in configs]
    learner, learning = parts[0].leader, parts[0].followers
    rollout = Rollout(parts[0].env, learner, parts[0].generator)
    if learning is not None:
        learning.explore, learning.keep = config.follower_learner.explore, True
    if seeds > 1:
        games, learner = SeedGames([part.env for part in parts]), LeaderStack([part.leader for part in parts])
        rollout = Rollout(games, learner, SeedDraws([part.generator for part in parts], games.playing))

    def update() -> float:
        start = time.perf_counter()
        episodes, _ = rollout.play(explore=learner.exploration_rate(0))
        assert episodes is not None
        played = time.perf_counter() - start
        with threads_of_torch(config.torch_threads):
            learner.update(episodes, 0.0)
            if learning is not None:
                learning.followers.update(learning.lived())
        return played

    for _ in range(5):
        update()
    updates, play, start, spent = 0, 0.0, time.perf_counter(), time.process_time()
    while (passed := time.perf_counter() - start) < seconds:
        play += update()
        updates += 1
    episodes = updates * config.num_envs * seeds
    return Rate(episodes / passed, play / passed, (time.process_time() - spent) / episodes)


def main(
    games: tuple[str, ...] = ("RC completion", "MB advance", "navigation advance", "predator_prey advance"),
    leader: str = DEFAULT_LEADER,
    followers: tuple[Followers, ...] = ("rule",),
    num_envs: int = 32,
    side_by_side: tuple[int, ...] = (1, 2),
    at_once: tuple[int, ...] = (),
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
        at_once: numbers of seeds in one process, beside those.
        seconds: of one measurement.
        rounds: measurements of each.
    """
    settings = [*((count, 1) for count in side_by_side), *((1, count) for count in at_once)]
    rates: dict[tuple[str, Followers, tuple[int, int]], list[Rate]] = {
        cell: [] for cell in itertools.product(games, followers, settings)
    }
    with ProcessPoolExecutor(max(side_by_side)) as pool:
        for _ in range(rounds):
            for (game, kind, (processes, seeds)), measured in rates.items():
                config = train_config(Arm(game, leader, followers=kind), 0, 1)
                configs = [replace(config, seed=seed, num_envs=num_envs) for seed in range(processes)]
                each = list(pool.map(rate, configs, [seeds] * processes, [seconds] * processes))
                total, means = sum(one.episodes for one in each), map(statistics.mean, zip(*each, strict=True))
                measured.append(Rate(*means)._replace(episodes=total))
    headings = ("game", "followers", "processes", "seeds in each", "episodes/s, median (lowest to highest)")
    headings += ("share of play", "CPU ms an episode", "episodes/s against the first")
    rows = []
    for (game, kind, setting), measured in rates.items():
        alone = statistics.median(one.episodes for one in rates[game, followers[0], settings[0]])
        totals, *_ = zip(*measured, strict=True)
        median, play, cpu = map(statistics.median, zip(*measured, strict=True))
        spread = f"{median:.0f} ({min(totals):.0f} to {max(totals):.0f})"
        rows.append((game, kind, *setting, spread, f"{play:.0%}", f"{1e3 * cpu:.2f}", f"{median / alone:.2f}"))
    print(markdown_table(headings, rows), end="")


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
