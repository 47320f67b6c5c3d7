"""Training episodes per second: `python bench/train_rate.py`, one run, and several seeds side by side.

The leader, and followers that learn, play and learn as in `paymaster train`, without writing anything; a few updates
first do not count. "Side by side" is as many processes as seeds, one torch thread each, all measured over the same
seconds: their rates add up. Rounds alternate between the settings, so that a busy machine treats them alike.
"""

from __future__ import annotations

import itertools
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import torch
import tyro
from leaders import Job, configuration
from rows import GAMES

from paymaster.algorithms import DEFAULT_LEADER
from paymaster.experiments.memory import keep_freed_memory
from paymaster.experiments.setup import make_env, make_followers, make_leader
from paymaster.rollout import Rollout


@dataclass(frozen=True)
class Arguments:
    """What to measure.

    Attributes:
        games: of the table in rows.py.
        leader: name.
        followers: rule, meta or primitive.
        set: NAME=VALUE, departures from the leader's own configuration, as in leaders.py.
        side_by_side: numbers of seeds at once.
        seconds: of one measurement.
        rounds: measurements of each.
    """

    games: tuple[str, ...] = ("RC completion", "MB advance", "navigation", "predator_prey")
    leader: str = DEFAULT_LEADER
    followers: tuple[str, ...] = ("rule",)
    set: tuple[str, ...] = ()
    side_by_side: tuple[int, ...] = (1, 2)
    seconds: float = 5.0
    rounds: int = 3


def rate(job: Job, seconds: float) -> tuple[float, float]:
    """Episodes per second; share of the time that is play."""
    config = configuration(job)
    torch.set_num_threads(config.torch_threads)
    keep_freed_memory()
    env = make_env(config, config.num_envs, config.seed)
    leader, learning = make_leader(config, env), make_followers(config, env)
    if learning is not None:
        learning.explore, learning.keep = config.follower_learner.explore, True
    rollout = Rollout(env, leader, torch.Generator(leader.device).manual_seed(config.seed))

    def update() -> float:
        start = time.perf_counter()
        episodes, _ = rollout.play(explore=leader.exploration_rate(0))
        assert episodes is not None
        played = time.perf_counter() - start
        leader.update(episodes, 0.0)
        if learning is not None:
            learning.followers.update(learning.lived())
        return played

    for _ in range(5):
        update()
    updates, play, start = 0, 0.0, time.perf_counter()
    while (passed := time.perf_counter() - start) < seconds:
        play += update()
        updates += 1
    return updates * config.num_envs / passed, play / passed


def main() -> None:
    arguments = tyro.cli(Arguments, description=__doc__)
    rates: dict[tuple[str, str, int], list[tuple[float, float]]] = {}
    every = list(itertools.product(arguments.games, arguments.followers, arguments.side_by_side))
    with ProcessPoolExecutor(max(arguments.side_by_side)) as pool:
        for _ in range(arguments.rounds):
            for game, kind, seeds in every:
                changes = (*arguments.set, *((f"options.followers={kind}",) if kind != "rule" else ()))
                jobs = [Job(game, arguments.leader, seed, 1, changes) for seed in range(seeds)]
                each = list(pool.map(rate, jobs, [arguments.seconds] * seeds))
                together = (sum(one for one, _ in each), statistics.mean(play for _, play in each))
                rates.setdefault((game, kind, seeds), []).append(together)
    columns = ("game", "followers", "seeds side by side", "episodes/s, median (lowest to highest)", "share of play")
    print("|", " | ".join((*columns, "against the first")), "|")
    print("|", " | ".join(["---"] * (len(columns) + 1)), "|")
    for (game, kind, seeds), rounds in rates.items():
        totals = [total for total, _ in rounds]
        alone = statistics.median(total for total, _ in rates[game, arguments.followers[0], arguments.side_by_side[0]])
        median, play = statistics.median(totals), statistics.median(play for _, play in rounds)
        print(
            f"| {' '.join((game, *arguments.set))} | {kind} | {seeds} | {median:.0f} ({min(totals):.0f} to "
            f"{max(totals):.0f}) | {play:.0%} | {median / alone:.2f} |"
        )


if __name__ == "__main__":
    assert set(Arguments.games) <= set(GAMES)
    main()
