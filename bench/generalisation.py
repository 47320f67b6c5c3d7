"""Trained leaders where they were not trained: `python bench/generalisation.py --seeds 0 1 2`, resumable.

M3RL's tests (Shu & Tian 2019): another number of followers, obstacles, a population the leader has not met, and one
whose members are partly replaced as the episodes go. Leaders come from --runs, or the default leader is trained on each
of --games. Every leader plays 1,000 episodes a condition, sampled; `full_information` plays the same ones beside it.
A row that is there is not measured again. At the end, or alone with --table, tables of means with 95 % intervals:
over seeds (Student's t), or over the episodes of a single seed.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tyro
from leaders import Job, configuration
from rows import EVALUATED, GAMES, append, stored

from paymaster.algorithms import DEFAULT_LEADER
from paymaster.analysis.evaluate import evaluate_reference, evaluate_run
from paymaster.analysis.intervals import mean_ci95
from paymaster.analysis.replacement import Replacement
from paymaster.training.config import TrainConfig
from paymaster.training.setup import stored_config
from paymaster.training.train import train

HERE = Path(__file__).parent
FIRST_STRANGERS = 1_000  # population_seed of a leader's strangers: this and its training seed


@dataclass(frozen=True)
class Arguments:
    """What to measure.

    Attributes:
        runs: directories of trained leaders, instead of training some; told apart by name and configuration.
        games: of the table in rows.py, to train on.
        seeds: of training.
        episodes: of training.
        evaluated: episodes a condition.
        jobs: processes.
        trained: where the leaders trained here are kept; one that was interrupted goes on.
        out: file of results, a line of JSON a leader and condition.
        table: print the tables of what is there and measure nothing.
    """

    runs: tuple[Path, ...] = ()
    games: tuple[str, ...] = tuple(GAMES)
    seeds: tuple[int, ...] = (0, 1, 2)
    episodes: int = 10_000
    evaluated: int = EVALUATED
    jobs: int = 1
    trained: Path = Path("runs") / "generalisation"
    out: Path = HERE / "leaders" / "generalisation.jsonl"
    table: bool = False


@dataclass(frozen=True)
class Condition:
    """How the games differ from those of training."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    strangers: bool = False
    replacement: Replacement | None = None


def conditions(config: TrainConfig) -> list[Condition]:
    """Of one trained leader."""
    strangers = {"population_seed": FIRST_STRANGERS + config.seed}
    on_grid = config.task not in ("navigation", "predator_prey")
    return [
        Condition("as trained"),
        *(Condition(f"N = {n}", {"num_followers": n}) for n in (2, 3, 6, 8)),
        *(Condition(f"map: {m.stem}", {"map": m.read_text()}) for m in sorted(HERE.glob("maps/*.txt")) if on_grid),
        Condition("strangers", strangers, strangers=True),
        *(
            Condition(f"strangers, 25 % replaced every {every}", strangers, True, Replacement(0.25, every))
            for every in (200, 50)
        ),
    ]


def trained(run: Path, config: TrainConfig) -> Path:
    """The run, begun, continued or found complete."""
    with contextlib.redirect_stdout(io.StringIO()):
        train(config, run, resume=(run / "config.json").exists())
    return run


def wanted_runs(arguments: Arguments) -> dict[Path, TrainConfig]:
    """Run directories to be trained."""
    runs = {}
    for seed, game in itertools.product(arguments.seeds, arguments.games):
        name = f"{game.replace(' ', '-')}-{DEFAULT_LEADER}-{arguments.episodes}-seed{seed}"
        runs[arguments.trained / name] = configuration(Job(game, DEFAULT_LEADER, seed, arguments.episodes, ()))
    return runs


def measure(run: Path, config: TrainConfig, condition: Condition, evaluated: int) -> dict[str, Any]:
    """The row of one leader in one condition."""
    start = time.perf_counter()
    result = evaluate_run(
        run,
        evaluated,
        options=condition.options,
        strangers=condition.strangers,
        replacement=condition.replacement,
    )
    options = {**config.options.options(), **condition.options}
    told = evaluate_reference(
        "full_information", config.task, evaluated, options=options, replacement=condition.replacement
    )
    return {
        **key(run, config, condition.name, evaluated),
        **{name: rounded(result, name) for name in ("gain", "payments", "completions", "events")},
        "full_information": rounded(told, "gain"),
        "seconds": round(time.perf_counter() - start),
    }


def key(run: Path, config: TrainConfig, condition: str, evaluated: int) -> dict[str, Any]:
    """What tells rows apart."""
    return {
        "run": run.name,
        "task": config.task,
        "options": config.options.options(),
        "leader": config.leader,
        "seed": config.seed,
        "episodes": config.episodes,
        "condition": condition,
        "evaluated": evaluated,
    }


def rounded(result: Any, name: str) -> dict[str, Any]:
    """Mean and 95 % interval over episodes."""
    interval = result.intervals()[name]
    return {"mean": round(interval.mean, 4), "ci95": round(interval.half_width, 4)}


def print_tables(rows: list[dict[str, Any]]) -> None:
    """A table for each group of runs that differ in the seed only."""

    def group(row: dict[str, Any]) -> tuple[Any, ...]:
        return row["task"], str(row["options"]), row["leader"], row["episodes"], row["evaluated"]

    for (task, options, leader, episodes, evaluated), some in itertools.groupby(sorted(rows, key=group), group):
        print(f"\n{leader} on {task} {options}, {episodes:,} episodes; evaluated on {evaluated:,} a condition\n")
        print("| condition | seeds | gain | full information | share |")
        print("| --- | --- | --- | --- | --- |")
        by_condition: dict[str, list[dict[str, Any]]] = {c.name: [] for c in conditions(TrainConfig(task))}
        for row in some:
            by_condition.setdefault(row["condition"], []).append(row)
        for condition, same in by_condition.items():
            if not same:
                continue
            (gain, half), (told, told_half) = (over_seeds(same, name) for name in ("gain", "full_information"))
            print(
                f"| {condition} | {len(same)} | {gain:.2f} ± {half:.2f} | {told:.2f} ± {told_half:.2f} "
                f"| {gain / told:.0%} |"
            )


def over_seeds(rows: list[dict[str, Any]], name: str) -> tuple[float, float]:
    """Mean and half its 95 % interval: over seeds, or over the episodes of the only one."""
    if len(rows) == 1:
        return rows[0][name]["mean"], rows[0][name]["ci95"]
    interval = mean_ci95([row[name]["mean"] for row in rows])
    return interval.mean, interval.half_width


def main() -> None:
    arguments = tyro.cli(Arguments, description=__doc__)
    if not arguments.table:
        with ProcessPoolExecutor(arguments.jobs) as pool:
            fill(arguments, pool)
    print_tables(stored(arguments.out))


def fill(arguments: Arguments, pool: ProcessPoolExecutor) -> None:
    """Trains what is missing and measures what is missing."""
    there = stored(arguments.out)

    def missing(run: Path, config: TrainConfig) -> list[Condition]:
        identities = [(c, key(run, config, c.name, arguments.evaluated)) for c in conditions(config)]
        return [c for c, identity in identities if not any(identity.items() <= row.items() for row in there)]

    if arguments.runs:
        runs = {run: stored_config(run) for run in arguments.runs}
    else:
        runs = {run: config for run, config in wanted_runs(arguments).items() if missing(run, config)}
        for done in as_completed([pool.submit(trained, *item) for item in runs.items()]):
            print(f"trained {done.result()}", flush=True)
    jobs = [(run, config, condition) for run, config in runs.items() for condition in missing(run, config)]
    for finished in as_completed([pool.submit(measure, *job, arguments.evaluated) for job in jobs]):
        row = finished.result()
        append(arguments.out, row)
        print(f"{row['run']}, {row['condition']}: {row['gain']['mean']:.2f} in {row['seconds']} s", flush=True)


if __name__ == "__main__":
    main()
