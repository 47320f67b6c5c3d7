"""Followers that learn against a leader that does not: `python bench/followers.py --seeds 0 1 2`, resumable.

All 40 followers start knowing nothing and learn, each from its own reward, in games whose leader is the reference
leader `preference`: it offers every follower what that prefers, for the lowest bonus. What they then earn, sampled and
without exploring, in 1,000 episodes that they did not learn from, is held against what rule-based followers earn in the
same games. Meta followers choose goal types, primitive ones actions. Rows go to a file, a line of JSON a run.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from rows import EVALUATED, GAMES, append, stored

from paymaster import make_vec
from paymaster.algorithms.followers import FollowerActorCritic, FollowerLearning
from paymaster.analysis.intervals import mean_ci95
from paymaster.envs import LeaderVectorEnv, TwoPhaseVectorEnv
from paymaster.play.learning_followers import FollowerEyes, FollowersAtPlay
from paymaster.scripted import make_reference
from paymaster.training.seeds import EVALUATION_SEED

LEADER = "preference"
BATCH = 32


@dataclass(frozen=True)
class Arguments:
    """What to run.

    Attributes:
        games: of the table in rows.py.
        payment: instead of the game's own.
        kinds: of followers.
        identities: "separate" weights or "embedded" ones.
        seeds: of training.
        marks: after so many episodes they are evaluated; the last is where training ends.
        jobs: runs at a time.
        out: file of results.
        table: print the table of what is there and run nothing.
    """

    games: tuple[str, ...] = ("RC completion", "MB completion", "navigation", "predator_prey")
    payment: str | None = None
    kinds: tuple[str, ...] = ("meta", "primitive")
    identities: tuple[str, ...] = ("separate", "embedded")
    seeds: tuple[int, ...] = (0, 1, 2)
    marks: tuple[int, ...] = (500, 1_000, 2_000, 5_000)
    jobs: int = 1
    out: Path = Path(__file__).parent / "followers" / "frozen_leader.jsonl"
    table: bool = False


def play(env: LeaderVectorEnv, seed: int) -> float:
    """An episode of every game under the leader; what a follower earned, on average."""
    leader = make_reference(LEADER, seed)
    observation, _ = env.reset()
    leader.start(env)
    ended = np.zeros(env.num_envs, dtype=np.bool_)
    while not ended.all():
        observation, _, ended, _, info = env.step(leader.offers(env, observation))
    return float(info["totals"]["follower_reward"].mean()) / env.num_followers


def games_of(game: str, payment: str, kind: str, count: int, seed: int) -> TwoPhaseVectorEnv:
    env = make_vec(GAMES[game][0], count, seed, 1, followers=kind, **options_of(payment))
    assert isinstance(env, TwoPhaseVectorEnv)
    return env


def options_of(payment: str) -> dict[str, Any]:
    return {"payment": payment, "autoreset_mode": "Disabled", "copy": False}


@cache
def by_rule(game: str, payment: str) -> float:
    """What rule-based followers earn in the games of the evaluation."""
    return play(make_vec(GAMES[game][0], EVALUATED, EVALUATION_SEED, 1, **options_of(payment)), 0)


def run(game: str, payment: str, kind: str, identities: str, seed: int, marks: Iterable[int]) -> dict[str, Any]:
    """Trains and evaluates; the row."""
    torch.set_num_threads(1)
    start = time.process_time()
    env = games_of(game, payment, kind, BATCH, seed)
    config = FollowerLearning(identities=identities)  # type: ignore[arg-type]
    network = FollowerEyes(env, torch.device("cpu")).config(config.hidden, config.identities)
    followers = FollowerActorCritic(network, config, seed=seed)
    learning = FollowersAtPlay(env, followers, torch.Generator().manual_seed(seed))
    learning.explore, learning.keep = config.explore, True
    earned, done = {}, 0
    for mark in sorted(marks):
        while done < mark:
            play(env, seed)
            followers.update(learning.lived())
            done += BATCH
        unseen = games_of(game, payment, kind, EVALUATED, EVALUATION_SEED)
        FollowersAtPlay(unseen, followers, torch.Generator().manual_seed(seed))
        earned[str(mark)] = round(play(unseen, 0), 4)
    return {
        "game": game,
        "payment": payment,
        "kind": kind,
        "identities": identities,
        "seed": seed,
        "earned": earned,
        "by_rule": round(by_rule(game, payment), 4),
        "cpu_seconds": round(time.process_time() - start),
    }


def print_table(rows: list[dict[str, Any]]) -> None:
    """A line a game, kind and way of telling followers apart; shares of what rule-based followers earn."""
    marks = sorted({int(mark) for row in rows for mark in row["earned"]})
    print("| game | payments | followers | weights | seeds | by rule |", *(f"{mark:,} |" for mark in marks), "CPU s |")
    print("| --- | --- | --- | --- | --- | --- |", *("--- |" for _ in marks), "--- |")
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["game"], row["payment"], row["kind"], row["identities"]), []).append(row)
    for names, same in sorted(groups.items(), key=lambda group: list(GAMES).index(group[0][0])):
        shares = []
        for mark in marks:
            values = [row["earned"][str(mark)] / row["by_rule"] for row in same if str(mark) in row["earned"]]
            shares.append(f"{mean_ci95(values):.2f} |" if values else "- |")
        seconds = sum(row["cpu_seconds"] for row in same) / len(same)
        print(f"| {' | '.join(names)} | {len(same)} | {same[0]['by_rule']:.2f} |", *shares, f"{seconds:.0f} |")


def main() -> None:
    arguments = tyro.cli(Arguments, description=__doc__)
    names = ("game", "payment", "kind", "identities", "seed")
    done = {tuple(row[name] for name in names) for row in stored(arguments.out)}
    every = itertools.product(arguments.seeds, arguments.games, arguments.kinds, arguments.identities)
    wanted = [
        (game, arguments.payment or GAMES[game][1], kind, identities, seed) for seed, game, kind, identities in every
    ]
    wanted = [] if arguments.table else [job for job in wanted if job not in done]
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for finished in [pool.submit(run, *job, arguments.marks) for job in wanted]:
            row = finished.result()
            append(arguments.out, row)
            print(*(row[name] for name in names), row["earned"], flush=True)
    print_table(stored(arguments.out))


if __name__ == "__main__":
    main()
