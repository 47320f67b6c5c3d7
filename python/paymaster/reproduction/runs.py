"""What has to be run for figures, and one piece of it done: a training run with its evaluations, or a scripted leader.

```
OUT/runs/KEY/       run directory of a leader (storage/run_directory.py)
OUT/rows/KEY.json   what was measured of it (rows.py), written after training and again after each evaluation
```
A row that is there and whole is not made again; a run that was killed goes on from its last checkpoint. Of a row that
came without its run directory, something new can only be measured by training again: then all of it is measured anew.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from paymaster.analysis.evaluate import evaluate_run
from paymaster.reproduction.conditions import CONDITIONS
from paymaster.reproduction.plan import Figure
from paymaster.reproduction.probes import PROBES, probe_of
from paymaster.reproduction.rows import means_of, read_row, row_path, write_row
from paymaster.reproduction.scales import Scale
from paymaster.reproduction.scripted_job import EVALUATED, START, ScriptedJob, scripted_job, scripted_of
from paymaster.reproduction.specs import Arm, Played, Reading, key, train_config
from paymaster.storage.checkpoint import episode_of, list_checkpoints
from paymaster.storage.metrics_file import METRICS, read_metrics
from paymaster.storage.run_directory import holds_run
from paymaster.training.config import TrainConfig
from paymaster.training.train import train
from paymaster.validation.ranges import parse_json

__all__ = ["RunJob", "jobs_of", "readings_of"]

WINDOWS = 50
_MEBIBYTE = 2**20


@dataclass(frozen=True)
class RunJob:
    """A training run and what is wanted of it.

    Attributes:
        arm: what it belongs to, for people.
        config: of the run.
        played: the evaluations wanted.
        evaluated: episodes of each.
        probes: names of those wanted.
        measured: what an episode costs is wanted, so that nothing else may be trained in its process.
    """

    arm: Arm
    config: TrainConfig
    played: frozenset[Played]
    evaluated: int
    probes: frozenset[str] = frozenset()
    measured: bool = False
    runs: ClassVar[int] = 1

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

    def done(self, out: Path) -> bool:
        """Whether all that is wanted is there."""
        row = read_row(out, key(self.config))
        return bool(row) and not self._wanted(row) and not self._probes(row)

    def untrained(self, out: Path) -> bool:
        """Whether it has to be trained before the rest can be measured."""
        name = key(self.config)
        return not read_row(out, name) or not (self.done(out) or holds_run(out / "runs" / name))

    def trained(self, out: Path) -> float:
        """Share of the training that is done, from the metrics it has logged so far."""
        path = out / "runs" / key(self.config) / METRICS
        try:
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - 4_096))
                lines = file.read().split(b"\n")
            return float(parse_json(lines[-2], METRICS)["episode"]) / self.config.episodes if len(lines) > 1 else 0.0
        except (OSError, ValueError, KeyError, TypeError):
            return 0.0

    def forget(self, out: Path) -> None:
        """Remove its row, which must not stand beside a training that goes on."""
        row_path(out, key(self.config)).unlink(missing_ok=True)

    def perform(self, out: Path) -> None:
        """Does what is still missing; each part is written when it is done."""
        name = key(self.config)
        run = out / "runs" / name
        if self.untrained(out):
            self.forget(out)
            self.write_trained(out, **_train(self.config, run))
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

    def write_trained(self, out: Path, seconds: float | None = None, memory: float | None = None) -> None:
        """Write the row of a run whose training is done, of which all else is to be measured anew.

        Args:
            out: the directory.
            seconds, memory: an episode's; None where it was not trained alone.
        """
        name = key(self.config)
        costs = {"seconds": seconds, "memory": memory}
        training = {**_curve(out / "runs" / name), **costs}
        row = {"name": self.name, "config": self.config.to_json(), "training": training}
        write_row(out, name, {"evaluations": {}, "attention": None, **row})

    def _wanted(self, row: dict[str, Any]) -> list[Played]:
        there = row["evaluations"]
        missing = {one for one in self.played if there.get(one.name, {}).get("episodes") != self.evaluated}
        return sorted(missing, key=lambda one: one.name)

    def _probes(self, row: dict[str, Any]) -> list[str]:
        return sorted(probe for probe in self.probes if row.get(probe) is None)


def readings_of(figure: Figure) -> set[Reading]:
    """All that a figure shows or claims."""
    shown = {reading for panel in figure.panels for series in panel.series for _, reading in series.points}
    averaged = {reading for average in figure.averages for some in average.readings.values() for reading in some}
    claimed = {reading for claim in figure.claims for _, reading in claim.terms}
    return shown | averaged | claimed


def jobs_of(figures: Iterable[Figure], scale: Scale, seeds: int) -> list[RunJob | ScriptedJob]:
    """Everything that the figures need, each run once; the first seed of all runs comes first."""
    every = list(figures)
    readings = set().union(*(readings_of(figure) for figure in every))
    wanted: dict[Arm, set[Reading]] = {}
    for reading in readings:
        if not reading.arm.scripted:
            wanted.setdefault(reading.arm, set()).add(reading)
    averaged = {r for f in every for average in f.averages for some in average.readings.values() for r in some}
    scripted = [scripted_job(r, scale, seed) for r in readings if r.arm.scripted for seed in range(seeds)]
    scripted += [scripted_of(r, scale, seed) for r in averaged for seed in range(seeds)]
    references = {job.key: job for job in scripted}
    runs: dict[str, RunJob] = {}
    for arm in sorted(wanted, key=repr):
        played = frozenset(reading.played for reading in wanted[arm] if probe_of(reading.measure) is None)
        probes = frozenset(filter(None, (probe_of(reading.measure) for reading in wanted[arm])))
        measured = any(reading.measure in ("seconds", "memory") for reading in wanted[arm])
        for seed in range(seeds):
            config = train_config(arm, seed, scale.episodes)
            same = runs.get(key(config))  # two arms may be the same run
            if same is not None:
                played, probes = played | same.played, probes | same.probes
                measured = measured or same.measured
            runs[key(config)] = RunJob(arm, config, played, scale.evaluated, probes, measured)
    in_order = sorted(runs.values(), key=lambda job: job.config.seed)
    return [*in_order, *(references[name] for name in sorted(references))]


def _train(config: TrainConfig, run: Path) -> dict[str, float | None]:
    """Trains, or goes on; what an episode cost in this process."""
    resume = holds_run(run)
    checkpoints = list_checkpoints(run) if resume else []
    before = episode_of(checkpoints[-1]) if checkpoints else 0
    start, resident = time.process_time(), _resident()
    train(config, run, resume=resume)
    seconds, peak = time.process_time() - start, _peak()
    played = config.updates * config.num_envs - before
    return {
        "seconds": seconds / played if played > 0 else None,
        "memory": (peak - resident) / _MEBIBYTE / config.num_envs if peak and resident and played > 0 else None,
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


def _resident() -> int | None:
    """Bytes of memory this process has now, where the system tells."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return None
    import resource

    return pages * resource.getpagesize()


def _peak() -> int | None:
    """Bytes it had at most."""
    try:
        import resource
    except ImportError:  # no POSIX
        return None
    unit = 1 if sys.platform == "darwin" else 1_024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
