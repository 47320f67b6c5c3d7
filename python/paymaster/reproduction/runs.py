"""What has to be run for figures, and one piece of it done: a training run with its evaluations, or a scripted leader.

```
OUT/runs/KEY/       run directory of a leader (storage/run_directory.py)
OUT/rows/KEY.json   what was measured of it (rows.py), written after training and again after each evaluation
```
A row that is there and whole is not made again; a run that was killed goes on from its last checkpoint. Of a row that
came without its run directory, something new can only be measured by training again: then all of it is measured anew.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from paymaster.analysis.evaluate import evaluate_run
from paymaster.reproduction.commit import commit
from paymaster.reproduction.conditions import CONDITIONS
from paymaster.reproduction.plan import Figure
from paymaster.reproduction.probes import PROBES, probe_of
from paymaster.reproduction.rows import means_of, read_row, row_path, write_row
from paymaster.reproduction.scales import Scale
from paymaster.reproduction.scripted_job import (
    EVALUATED,
    REFERENCES,
    START,
    ScriptedJob,
    reference_job,
    scripted_job,
    scripted_of,
)
from paymaster.reproduction.specs import Arm, Played, Reading, key, train_config
from paymaster.storage.checkpoint import episode_of, list_checkpoints
from paymaster.storage.metrics_file import METRICS, read_metrics
from paymaster.storage.run_directory import holds_run
from paymaster.training.config import TrainConfig
from paymaster.training.train import train
from paymaster.validation.ranges import parse_json

__all__ = ["AnyJob", "RunJob", "jobs_of", "readings_of", "same_games"]

WINDOWS = 50


@dataclass(frozen=True)
class RunJob:
    """A training run and what is wanted of it.

    Attributes:
        arm: what it belongs to, for people.
        config: of the run.
        played: the evaluations wanted.
        evaluated: episodes of each.
        probes: names of those wanted.
    """

    arm: Arm
    config: TrainConfig
    played: frozenset[Played]
    evaluated: int
    probes: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.subject}, seed {self.config.seed}"

    @property
    def subject(self) -> str:
        """The same but for its seed."""
        arm = self.arm
        regime = "" if arm.regime == "ours" else arm.regime
        noise = "" if arm.noise is None else f"noise {arm.noise:.0%}"
        number = "" if arm.num_followers is None else f"{arm.num_followers} "
        followers = f"{number}{arm.followers} followers" if number or arm.followers != "rule" else ""
        length = "" if arm.length == 1 else f"{self.config.episodes:,} episodes"
        changes = (f"{name.partition('.')[2]}={value}" for name, value in arm.changes)
        return ", ".join(filter(None, (arm.game, arm.leader, regime, noise, followers, length, *changes)))

    @property
    def cost(self) -> float:
        """Time it takes, roughly, in the time of an episode of training."""
        return START + self.arm.cost * self.config.episodes + EVALUATED * self.evaluated * len(self.played)

    @property
    def key(self) -> str:
        """Of its row and its run directory."""
        return key(self.config)

    def run(self, out: Path) -> Path:
        """Its run directory."""
        return out / "runs" / self.key

    def done(self, out: Path) -> bool:
        """Whether all that is wanted is there."""
        row = read_row(out, self.key)
        return bool(row) and not self._wanted(row) and not self._probes(row)

    def untrained(self, out: Path) -> bool:
        """Whether it has to be trained before the rest can be measured."""
        return not read_row(out, self.key) or not (self.done(out) or holds_run(self.run(out)))

    def trained(self, out: Path) -> float:
        """Share of the training that is done, from the metrics it has logged so far."""
        try:
            with (self.run(out) / METRICS).open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - 4_096))
                lines = file.read().split(b"\n")
            return float(parse_json(lines[-2], METRICS)["episode"]) / self.config.episodes if len(lines) > 1 else 0.0
        except (OSError, ValueError, KeyError, TypeError):
            return 0.0

    def perform(self, out: Path) -> None:
        """Does what is still missing; each part is written when it is done."""
        name, run = self.key, self.run(out)
        if self.untrained(out):
            row_path(out, name).unlink(missing_ok=True)  # it must not stand beside a training that goes on
            begun = {"evaluations": {}, "attention": None, "name": self.name, "config": self.config.to_json()}
            write_row(out, name, {**begun, "commit": commit(), "training": _train(self.config, run)})
        row = read_row(out, name)
        for played in self._wanted(row):
            condition = CONDITIONS[played.condition]
            evaluation = evaluate_run(
                run,
                self.evaluated,
                greedy=played.greedy,
                parameters={"noise": played.noise, **condition.parameters_of(self.config.seed)},
                strangers=condition.strangers,
                replacement=condition.replacement,
            )
            row["evaluations"] = {**row["evaluations"], played.name: means_of(evaluation)}
            write_row(out, name, row)
        for probe in self._probes(row):
            row[probe] = PROBES[probe](run, self.evaluated)
            write_row(out, name, row)

    def _wanted(self, row: dict[str, Any]) -> list[Played]:
        there = row["evaluations"]
        missing = {one for one in self.played if there.get(one.name, {}).get("episodes") != self.evaluated}
        return sorted(missing, key=lambda one: one.name)

    def _probes(self, row: dict[str, Any]) -> list[str]:
        return sorted(probe for probe in self.probes if row.get(probe) is None)


AnyJob: TypeAlias = RunJob | ScriptedJob


def readings_of(figure: Figure) -> set[Reading]:
    """All that a figure shows or claims."""
    shown = {reading for panel in figure.panels for series in panel.series for _, reading in series.points}
    return shown | _averaged(figure) | {reading for claim in figure.claims for _, reading in claim.terms}


def same_games(readings: Sequence[Reading]) -> bool:
    """Tell whether readings are gains in the same games, which a scripted leader and the bound can stand beside."""
    games = {
        (
            of.arm.game,
            of.arm.num_followers,
            of.played.noise,
            of.condition,
            tuple(of.arm.changes_of("parameters").items()),
        )
        for of in readings
    }
    return len(games) == 1 and {of.measure for of in readings} == {"gain"}


def _averaged(figure: Figure) -> set[Reading]:
    return {reading for average in figure.averages for some in average.readings.values() for reading in some}


def jobs_of(figures: Iterable[Figure], scale: Scale, seeds: int) -> list[AnyJob]:
    """Everything that the figures need, each run once; the first seed of all runs comes first."""
    every = list(figures)
    readings = set().union(*map(readings_of, every))
    of_seeds = [(reading, seed) for reading in readings for seed in range(reading.arm.seeds_of(seeds))]
    averaged = set().union(*map(_averaged, every))
    scripted = [scripted_job(reading, scale, seed) for reading, seed in of_seeds if reading.arm.scripted]
    scripted += [scripted_of(reading, scale, seed) for reading, seed in of_seeds if reading in averaged]
    beside = {
        readings[0] for of in every for panel in of.panels for _, readings in panel.rows() if same_games(readings)
    }
    scripted += [
        reference_job(reading, name, scale, seed)
        for reading in beside
        for seed in range(reading.arm.seeds_of(seeds))
        for name in REFERENCES
    ]
    references = {job.key: job for job in scripted}
    runs: dict[str, RunJob] = {}
    trained = sorted((reading for reading in readings if not reading.arm.scripted), key=repr)
    for arm, group in groupby(trained, key=attrgetter("arm")):
        of_arm = list(group)
        played = frozenset(reading.played for reading in of_arm if probe_of(reading.measure) is None)
        probes = frozenset(filter(None, (probe_of(reading.measure) for reading in of_arm)))
        for seed in range(arm.seeds_of(seeds)):
            config = train_config(arm, seed, scale.episodes)
            name = key(config)
            if (same := runs.get(name)) is not None:  # two arms may be the same run
                played, probes = played | same.played, probes | same.probes
            runs[name] = RunJob(arm, config, played, scale.evaluated, probes)
    in_order = sorted(runs.values(), key=lambda job: job.config.seed)
    return [*in_order, *(references[name] for name in sorted(references))]


def _train(config: TrainConfig, run: Path) -> dict[str, Any]:
    """Trains, or goes on; the learning curve, and what an episode cost in this process."""
    resume = holds_run(run)
    checkpoints = list_checkpoints(run) if resume else []
    before = episode_of(checkpoints[-1]) if checkpoints else 0
    start, resident = time.process_time(), _memory("VmRSS")
    train(config, run, resume=resume)
    seconds, peak = time.process_time() - start, _memory("VmHWM")
    played = config.updates * config.num_envs - before
    return {
        **_curve(run),
        "seconds": seconds / played if played > 0 else None,
        "memory": (peak - resident) / config.num_envs if peak and resident and played > 0 else None,
    }


def _curve(run: Path) -> dict[str, Any]:
    """The learning curve, and its mean."""
    rows = read_metrics(run / METRICS)
    windows = np.array_split(np.arange(len(rows)), min(WINDOWS, len(rows)))
    gains = np.array([row["gain"] for row in rows])
    return {
        "curve": {
            "episode": [rows[window[-1]]["episode"] for window in windows],
            "gain": [float(gains[window].mean()) for window in windows],
        },
        "learning_gain": float(gains.mean()),
    }


def _memory(what: str) -> float | None:
    """MiB that this process has now, VmRSS, or had at most, VmHWM, where the system tells."""
    try:
        found = re.search(rf"{what}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        return None
    return int(found[1]) / 1_024 if found else None
