"""The learned lines: leaders trained in games with known answers, five seeds each, a row a run."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from paymaster.analysis.evaluate import evaluate_run
from paymaster.reproduction.commit import commit
from paymaster.reproduction.specs import key
from paymaster.storage.run_directory import holds_run
from paymaster.training.config import TrainConfig
from paymaster.training.train import train
from paymaster.verification.exact_lines import ROOMS, room_optimum
from paymaster.verification.line import Line, learned_line
from paymaster.verification.names import AnswerName, VerifyScale
from paymaster.verification.rows import LearnedRow, read_row, write_row

__all__ = ["FOLLOWERS", "SCALES", "LearnedJob", "Scale", "jobs_of", "learned_lines"]

_EVALUATED = 1_000
FOLLOWERS: Final = {
    "reasoning": "paymaster.worlds.games.escape_room:equilibrium",
    "short-sighted q": "q",
    "q": "q",
}
"""What a line calls followers -> their name in a run. The short-sighted learn with a discount of 0."""


@dataclass(frozen=True)
class Scale:
    """How much is trained.

    Attributes:
        episodes: of each run.
        rooms: (N, M) of the escape rooms.
        seeds: of each.
    """

    episodes: int
    rooms: tuple[tuple[int, int], ...]
    seeds: int = 5


SCALES: Final[dict[VerifyScale, Scale]] = {"small": Scale(10_000, ROOMS[:2]), "full": Scale(50_000, ROOMS)}
"""LIO trained for 50,000 episodes."""


@dataclass(frozen=True)
class LearnedJob:
    """A run of the default leader in an escape room.

    The leader has the team's credit: what it pays one follower for, another one brings. With each follower's own it
    learns to pay nobody.

    Attributes:
        answer: the game.
        room: (N, M).
        followers: one of :data:`FOLLOWERS`.
        episodes: to train on.
        seed: of the run.
    """

    answer: AnswerName
    room: tuple[int, int]
    followers: str
    episodes: int
    seed: int

    @functools.cached_property
    def config(self) -> TrainConfig:
        """Of the run."""
        followers, levers = self.room
        parameters = {"followers": FOLLOWERS[self.followers], "num_followers": followers, "levers": levers}
        run = TrainConfig("escape_room", episodes=self.episodes, seed=self.seed, parameters=parameters, device="cpu")
        gamma = 0.0 if self.followers.startswith("short-sighted") else run.q_learner.gamma
        return dataclasses.replace(
            run,
            learner=dataclasses.replace(run.learner, credit="team"),
            q_learner=dataclasses.replace(run.q_learner, gamma=gamma),
        )

    @property
    def key(self) -> str:
        """Of its row and its run directory."""
        return key(self.config)

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.answer} {self.subject}, seed {self.seed}"

    @property
    def subject(self) -> str:
        """The same for all seeds of a line."""
        leader = f"{self.config.leader}, team's credit"
        return f"{self.room}: {leader}, {self.followers} followers, {self.episodes:,} episodes"

    def row(self, out: Path) -> LearnedRow | None:
        """Return what was measured; None where it was not.

        Raises:
            ValueError: the row is damaged or another's. RunDirectoryError: it cannot be read.
        """
        return read_row(out, self.key)

    def perform(self, out: Path) -> None:
        """Train, or go on, evaluate without exploration, and write the row."""
        run = out / "runs" / self.key
        train(self.config, run, resume=holds_run(run))
        evaluation = evaluate_run(run, _EVALUATED, greedy=True)
        measured = float(evaluation.returns.mean())
        welfare, payments = float(evaluation.objectives["welfare"].mean()), float(evaluation.payments.mean())
        config = self.config.to_json()
        write_row(out, LearnedRow(self.key, self.name, commit(), config, measured, welfare, payments, _EVALUATED))


def jobs_of(names: tuple[AnswerName, ...], scale: Scale) -> list[LearnedJob]:
    """Return all runs that these answers' learned lines need, the first seeds first."""
    rooms = scale.rooms if "escape_room" in names else ()
    arms = list(itertools.product(rooms, FOLLOWERS))
    return [
        LearnedJob("escape_room", room, followers, scale.episodes, seed)
        for seed in range(scale.seeds)
        for room, followers in arms
    ]


def learned_lines(jobs: list[LearnedJob], out: Path) -> Iterator[Line]:
    """Yield a line for each room and kind of followers whose runs have all been measured."""
    for subject in dict.fromkeys(job.subject for job in jobs):
        of_line = [job for job in jobs if job.subject == subject]
        rows = [row for job in of_line if (row := job.row(out)) is not None]
        if len(rows) != len(of_line):
            continue
        room = of_line[0].room
        published = "0 by plain policy gradient (LIO)" if room in ROOMS[:2] else ""
        net = [row.net for row in rows]
        yield learned_line(of_line[0].answer, f"{subject}, net", net, room_optimum(*room), published)
