"""Runs of one arm that differ only in their seed, trained at once in one process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from paymaster.reproduction.runs import RunJob
from paymaster.reproduction.scripted_job import ScriptedJob
from paymaster.storage.run_directory import holds_run
from paymaster.training.train_seeds import common_episode, train_seeds

__all__ = ["AnyJob", "SeedsJob", "at_once"]

# What a seed's training takes in a stack of five beside what it takes alone, on the CPU (docs/performance.md).
_OF_ONE_GAME, _OF_MANY_GAMES = 0.3, 0.7


@dataclass(frozen=True)
class SeedsJob:
    """Runs alike but for their seed.

    Attributes:
        jobs: of the seeds.
    """

    jobs: tuple[RunJob, ...]

    @property
    def runs(self) -> int:
        """How many they are."""
        return len(self.jobs)

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.jobs[0].subject}, seeds {', '.join(str(job.config.seed) for job in self.jobs)}"

    @property
    def cost(self) -> float:
        """Time it takes, roughly, in the time of an episode of training."""
        share = _OF_ONE_GAME if self.jobs[0].config.num_envs == 1 else _OF_MANY_GAMES
        return share * sum(job.cost for job in self.jobs)

    def trained(self, out: Path) -> float:
        """Share of their training that is done."""
        return sum(job.trained(out) for job in self.jobs) / len(self.jobs)

    def perform(self, out: Path) -> None:
        """Trains those that are not trained yet, at once if all stand at the same episode; then does the rest."""
        left = [job for job in self.jobs if job.untrained(out)]
        runs = [job.run(out) for job in left]
        begun = [run for run in runs if holds_run(run)]
        if len(left) > 1 and _together(runs, begun):
            for job in left:
                job.forget(out)
            train_seeds([job.config for job in left], runs, resume=bool(begun))
            for job in left:
                job.write_trained(out)
        for job in self.jobs:
            job.perform(out)


AnyJob: TypeAlias = RunJob | ScriptedJob | SeedsJob


def at_once(jobs: Iterable[RunJob | ScriptedJob]) -> list[AnyJob]:
    """The same jobs, where those that can are joined, in the order of the first of each.

    It pays in all regimes: 5 seeds of 1, 8 and 32 games an update took 0.28, 0.42 and 0.7 times the CPU seconds an
    episode. Not for followers that learn, nor where the cost of an episode is wanted.
    """
    joined: dict[object, list[RunJob | ScriptedJob]] = {}
    for job in jobs:
        if isinstance(job, RunJob) and not job.config.followers_learn and not job.measured:
            joined.setdefault(replace(job.config, seed=0), []).append(job)
        else:
            joined[job] = [job]
    together: list[AnyJob] = []
    for same in joined.values():
        runs = tuple(job for job in same if isinstance(job, RunJob))
        together.append(SeedsJob(runs) if len(runs) > 1 else same[0])
    return together


def _together(runs: list[Path], begun: list[Path]) -> bool:
    """Whether they can be trained at once: none of them is further than the others."""
    if not begun:
        return True
    try:
        common_episode(runs)
    except ValueError:
        return False
    return True
