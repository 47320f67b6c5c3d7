"""Leaders beside each other: `python bench/leaders.py --seeds 0 1 2`, resumable, results in bench/leaders/.

Every run is that of `paymaster train TASK --payment P --leader L --seed S --episodes E`, but for a learner that is not
tuned, with the --set given: NAME=VALUE stands for `--learner.NAME VALUE`, options.NAME=VALUE for `--NAME VALUE` of the
task, followers.NAME=VALUE for `--follower-learner.NAME VALUE`, num_envs, hidden, observe_routes and torch_threads for
themselves. With --tuned each leader has its own settings (paymaster.algorithms.tuned). 1,000 evaluation episodes
follow, which training did not see: sampled, greedy, and sampled with 30 % follower noise. A run whose row is there is
not run again; a row is written when it is done. At the end, or alone with --table, a table of means over seeds with
95 % intervals (Student's t), and of each leader's difference to --against, paired by seed.
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
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import tyro
from rows import EVALUATED, GAMES, append, stored

from paymaster.algorithms import DEFAULT_LEADER, leader_kind
from paymaster.algorithms.tuned import tuned_settings
from paymaster.analysis.evaluate import evaluate_reference, evaluate_run
from paymaster.analysis.intervals import mean_ci95
from paymaster.storage.metrics_file import read_metrics
from paymaster.training.config import TaskConfig, TrainConfig
from paymaster.training.train import train

HERE = Path(__file__).parent
NOISE = 0.3
LAST = ("entropy", "termination", "prediction_accuracy", "explained_variance")  # metrics of the last updates
LAST_UPDATES = 20
OF_THE_RUN = ("num_envs", "hidden", "observe_routes", "torch_threads")


@dataclass(frozen=True)
class Arguments:
    """What to run.

    Attributes:
        leaders: names.
        games: of the table in rows.py.
        seeds: of training.
        episodes: of training.
        set: NAME=VALUE, departures from the leader's own configuration.
        tuned: take each leader's --set from the package's tuned settings (tuned.py).
        jobs: runs at a time.
        out: file of results, a line of JSON a run.
        keep: where run directories are kept, for generalisation.py and prediction.py; without it they go.
        against: the leader whose difference to the others is shown.
        table: print the table of what is there and run nothing.
    """

    leaders: tuple[str, ...] = (DEFAULT_LEADER,)
    games: tuple[str, ...] = tuple(GAMES)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    episodes: int = 10_000
    set: tuple[str, ...] = ()
    tuned: bool = False
    jobs: int = 1
    out: Path = HERE / "leaders" / "results.jsonl"
    keep: Path | None = None
    against: str = DEFAULT_LEADER
    table: bool = False


class Job(NamedTuple):
    """A run; what tells its row from others."""

    game: str
    leader: str
    seed: int
    episodes: int
    settings: tuple[str, ...]

    @classmethod
    def of(cls, row: dict[str, Any]) -> Job:
        return cls(row["game"], row["leader"], row["seed"], row["episodes"], tuple(row["set"]))


def configuration(job: Job) -> TrainConfig:
    """What the job trains."""
    task, payment = GAMES[job.game]
    config = TrainConfig(
        task,
        leader=job.leader,
        seed=job.seed,
        episodes=job.episodes,
        options=TaskConfig(payment=payment),
        learner=leader_kind(job.leader).untuned,
    )
    parts: dict[str, dict[str, Any]] = {"options": {}, "followers": {}, "learner": {}, "": {}}
    for name, _, value in (setting.partition("=") for setting in job.settings):
        part, _, field = name.rpartition(".")
        part = part or ("" if name in OF_THE_RUN else "learner")
        given = value if value.isidentifier() and value not in ("true", "false", "null") else json.loads(value)
        parts[part][field] = given
    return dataclasses.replace(
        config,
        learner=dataclasses.replace(config.learner, **parts["learner"]),
        options=dataclasses.replace(config.options, **parts["options"]),
        follower_learner=dataclasses.replace(config.follower_learner, **parts["followers"]),
        **parts[""],
    )


def tuned_of(leader: str) -> tuple[str, ...]:
    """The leader's tuned settings, as --set."""
    return tuple(f"{name}={json.dumps(value)}" for name, value in tuned_settings(leader).items())


def said_shortly(job: Job) -> Job:
    """The same job without settings that the leader has anyhow, in alphabetical order."""
    usual = configuration(job._replace(settings=()))
    changes = tuple(some for some in job.settings if configuration(job._replace(settings=(some,))) != usual)
    return job._replace(settings=tuple(sorted(changes)))


def name_of(job: Job) -> str:
    """Of its run directory."""
    return "-".join((job.game, job.leader, str(job.episodes), *job.settings, f"seed{job.seed}")).replace(" ", "-")


def run(job: Job, keep: Path | None = None) -> dict[str, Any]:
    """Trains and evaluates; the row."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as directory, contextlib.redirect_stdout(io.StringIO()):
        path = (keep or Path(directory)) / name_of(job)
        train(configuration(job), path, resume=(path / "config.json").exists())
        seconds = time.perf_counter() - start
        sampled, greedy = (evaluate_run(path, EVALUATED, greedy=greedy) for greedy in (False, True))
        noisy = evaluate_run(path, EVALUATED, options={"noise": NOISE})
        last = list(read_metrics(path / "metrics.jsonl"))[-LAST_UPDATES:]
    measures = {name: interval.mean for name, interval in sampled.intervals().items()}
    kept = ("gain", "payments", "incentive", "completions", "events", "option_length")
    return {
        **dict(zip(("game", "leader", "seed", "episodes", "set"), job, strict=True)),
        **{name: round(measures[name], 4) for name in kept},
        "greedy_gain": round(float(greedy.gain.mean()), 4),
        "noisy_gain": round(float(noisy.gain.mean()), 4),
        "noisy_incentive": round(float(noisy.incentive.mean()), 4),
        **{name: round(sum(row[name] for row in last) / len(last), 5) for name in LAST if name in last[-1]},
        "seconds": round(seconds),
    }


@cache
def told(job: Job, noise: float | None = None) -> float:
    """The gain of full_information in the job's games, under other noise where one is given; with rule-based followers
    also where the job's learn."""
    config = configuration(job)
    options = {**config.options.options(), **({} if noise is None else {"noise": noise})}
    options.pop("followers", None)
    return float(evaluate_reference("full_information", config.task, EVALUATED, 0, options).gain.mean())


def of_games(job: Job) -> Job:
    """The job with nothing but what tells its games from others."""
    return Job(job.game, DEFAULT_LEADER, 0, 1, tuple(some for some in job.settings if some.startswith("options.")))


def mean_of(rows: list[dict[str, Any]], name: str, digits: int = 2) -> str:
    """Mean over seeds, with its interval where there is one."""
    values = [row[name] for row in rows if row.get(name) is not None]
    return f"{mean_ci95(values):.{digits}f}" if values else "-"


def difference(rows: list[dict[str, Any]], others: list[dict[str, Any]]) -> str:
    """Gain of ``rows`` less that of ``others``, over the seeds both have."""
    gains = [{row["seed"]: row["gain"] for row in some} for some in (rows, others)]
    both = sorted(gains[0].keys() & gains[1].keys())
    if not both or rows is others:
        return "-"
    return f"{mean_ci95([gains[0][seed] - gains[1][seed] for seed in both]):.2f}"


def print_table(rows: list[dict[str, Any]], against: str) -> None:
    """A line a game, leader, number of episodes and settings."""
    columns = (
        "game",
        "leader",
        "episodes",
        "seeds",
        "gain, sampled",
        "of full information",
        f"less {against}",
        "greedy",
        f"noise {NOISE}",
        "of full information",
        "events",
        "beta",
        "prediction",
    )
    print("|", " | ".join(columns), "|")
    print("|", " | ".join("---" for _ in columns), "|")
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in sorted(
        rows, key=lambda row: (list(GAMES).index(row["game"]), row["episodes"], row["leader"], row["set"])
    ):
        groups.setdefault((row["game"], row["episodes"], row["leader"], tuple(row["set"])), []).append(row)
    for (game, episodes, leader, settings), same in groups.items():
        usual = {of: some for (g, e, name, of), some in groups.items() if (g, e, name) == (game, episodes, against)}
        beside = usual.get(settings) or (next(iter(usual.values())) if len(usual) == 1 else None)
        games, noise = of_games(Job.of(same[0])), [row["noisy_gain"] for row in same]
        cells = (
            game,
            " ".join((leader, *settings)),
            f"{episodes:,}",
            len(same),
            mean_of(same, "gain"),
            f"{sum(row['gain'] for row in same) / len(same) / told(games):.0%}",
            difference(same, beside) if beside else "-",
            mean_of(same, "greedy_gain"),
            mean_of(same, "noisy_gain"),
            f"{sum(noise) / len(noise) / told(games, NOISE):.0%}",
            mean_of(same, "events", 1),
            mean_of(same, "termination", 3),
            mean_of(same, "prediction_accuracy"),
        )
        print("|", " | ".join(map(str, cells)), "|")


def main() -> None:
    arguments = tyro.cli(Arguments, description=__doc__)
    tuned = {leader: tuned_of(leader) for leader in arguments.leaders} if arguments.tuned else {}
    done = {Job.of(row) for row in stored(arguments.out)}
    every = itertools.product(arguments.seeds, arguments.leaders, arguments.games)
    jobs = [
        said_shortly(Job(game, leader, seed, arguments.episodes, (*tuned.get(leader, ()), *arguments.set)))
        for seed, leader, game in every
    ]
    wanted = [] if arguments.table else [job for job in jobs if job not in done]
    for job in wanted:
        configuration(job).validate()
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for finished in as_completed([pool.submit(run, job, arguments.keep) for job in wanted]):
            row = finished.result()
            append(arguments.out, row)
            print(
                f"{row['game']}, {row['leader']}, seed {row['seed']}: {row['gain']:.2f} in {row['seconds']} s",
                flush=True,
            )
    print_table(stored(arguments.out), arguments.against)


if __name__ == "__main__":
    main()
