"""Leaders beside each other: `python bench/leaders.py --seeds 0 1 2`, resumable, results in bench/leaders/.

Every run is `paymaster train TASK --payment P --leader L --seed S --episodes E` (with --set NAME=VALUE as
`--learner.NAME VALUE`), followed by 1,000 evaluation episodes, sampled and greedy, that training did not see. A run
whose row is there is not run again; a row is written when its run is done. At the end, or alone with --table, a table
of means over seeds with 95 % intervals (Student's t).
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import itertools
import json
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from rows import EVALUATED, GAMES, append, stored

from paymaster.algorithms import DEFAULT_LEADER
from paymaster.experiments.config import TaskConfig, TrainConfig
from paymaster.experiments.evaluate import evaluate_reference, evaluate_run
from paymaster.experiments.intervals import mean_ci95
from paymaster.experiments.metrics_file import read_metrics
from paymaster.experiments.train import train


@dataclass(frozen=True)
class Arguments:
    """What to run.

    Attributes:
        leaders: names.
        games: of the table in rows.py.
        seeds: of training.
        episodes: of training.
        set: NAME=VALUE, departures from the leader's own learner.
        jobs: runs at a time.
        out: file of results, a line of JSON a run.
        table: print the table of what is there and run nothing.
    """

    leaders: tuple[str, ...] = (DEFAULT_LEADER,)
    games: tuple[str, ...] = tuple(GAMES)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    episodes: int = 10_000
    set: tuple[str, ...] = ()
    jobs: int = 1
    out: Path = Path(__file__).parent / "leaders" / "results.jsonl"
    table: bool = False


def run(game: str, leader: str, seed: int, episodes: int, changes: tuple[str, ...]) -> dict[str, Any]:
    """Trains and evaluates; the row."""
    task, payment = GAMES[game]
    config = TrainConfig(task, leader=leader, seed=seed, episodes=episodes, options=TaskConfig(payment=payment))
    values = {name: json.loads(value) for name, _, value in (change.partition("=") for change in changes)}
    config = dataclasses.replace(config, learner=dataclasses.replace(config.learner, **values))
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as directory, contextlib.redirect_stdout(io.StringIO()):
        train(config, Path(directory) / "run")
        seconds = time.perf_counter() - start
        sampled, greedy = (evaluate_run(Path(directory) / "run", EVALUATED, greedy=greedy) for greedy in (False, True))
        last = list(read_metrics(Path(directory) / "run" / "metrics.jsonl"))[-1]
    measures = {name: interval.mean for name, interval in sampled.intervals().items()}
    kept = ("gain", "payments", "incentive", "completions", "events", "option_length")
    return {
        "game": game,
        "leader": leader,
        "seed": seed,
        "episodes": episodes,
        "set": list(changes),
        **{name: round(measures[name], 4) for name in kept},
        "greedy_gain": round(float(greedy.gain.mean()), 4),
        **{name: last.get(name) for name in ("entropy", "termination", "prediction_accuracy", "explained_variance")},
        "seconds": round(seconds),
    }


def key(row: dict[str, Any]) -> tuple[Any, ...]:
    return (row["game"], row["leader"], row["seed"], row["episodes"], tuple(row["set"]))


def print_table(rows: list[dict[str, Any]]) -> None:
    """Mean gain over seeds, sampled, and as a share of full_information's; the greedy mean."""
    print("| game | leader | episodes | seeds | gain, sampled | of full information | greedy | events | beta |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    told: dict[str, float] = {}
    group = lambda row: (list(GAMES).index(row["game"]), row["leader"], row["set"], row["episodes"])  # noqa: E731
    for _, some in itertools.groupby(sorted(rows, key=group), group):
        same = list(some)
        game, name = same[0]["game"], " ".join((same[0]["leader"], *same[0]["set"]))
        if game not in told:
            task, payment = GAMES[game]
            told[game] = float(
                evaluate_reference("full_information", task, EVALUATED, 0, {"payment": payment}).gain.mean()
            )
        gains = [row["gain"] for row in same]
        mean = sum(gains) / len(gains)
        half = f" ± {mean - mean_ci95(gains).low:.2f}" if len(gains) > 1 else ""
        betas = [row["termination"] for row in same if row["termination"] is not None]
        print(
            f"| {game} | {name} | {same[0]['episodes']:,} | {len(same)} | {mean:.2f}{half} | {mean / told[game]:.0%} "
            f"| {sum(row['greedy_gain'] for row in same) / len(same):.2f} "
            f"| {sum(row['events'] for row in same) / len(same):.1f} "
            f"| {f'{sum(betas) / len(betas):.3f}' if betas else '-'} |"
        )


def main() -> None:
    arguments = tyro.cli(Arguments, description=__doc__)
    done = {key(row) for row in stored(arguments.out)}
    wanted = [
        (game, leader, seed, arguments.episodes, arguments.set)
        for seed, leader, game in itertools.product(arguments.seeds, arguments.leaders, arguments.games)
        if (game, leader, seed, arguments.episodes, arguments.set) not in done and not arguments.table
    ]
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for finished in as_completed([pool.submit(run, *job) for job in wanted]):
            row = finished.result()
            append(arguments.out, row)
            print(
                f"{row['game']}, {row['leader']}, seed {row['seed']}: {row['gain']:.2f} in {row['seconds']} s",
                flush=True,
            )
    print_table(stored(arguments.out))


if __name__ == "__main__":
    main()
