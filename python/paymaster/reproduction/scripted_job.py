"""A scripted leader in an arm's games: what others are held against, and followers that learn from it alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from paymaster.algorithms import DEFAULT_LEADER
from paymaster.algorithms.followers import FollowerAlgorithm
from paymaster.analysis.evaluate import evaluate_bound, evaluate_scripted
from paymaster.networks.torch_defaults import threads_of_torch, usual_torch
from paymaster.play.episode import play_to_end
from paymaster.reproduction.conditions import CONDITIONS
from paymaster.reproduction.rows import BOUND, means_of, read_row, scripted_key, write_row
from paymaster.reproduction.scales import Scale
from paymaster.reproduction.specs import ALL_GAMES, Arm, Played, Reading, train_config
from paymaster.scripted import make_scripted
from paymaster.training.config import TrainConfig
from paymaster.training.setup import make_env, make_followers

__all__ = [
    "EVALUATED",
    "REFERENCES",
    "START",
    "ScriptedJob",
    "learn_against",
    "reference_job",
    "scripted_job",
    "scripted_of",
]

REFERENCES: Final = ("nearest", "told_best", BOUND)
"""Beside which gains are shown: what needs no knowledge, the best that is told the traits, and what nobody exceeds."""
START: Final = 40.0
"""Time of a process before it begins, in that of a trained episode."""
EVALUATED: Final = 0.2
"""Time of an evaluated episode, likewise."""


@dataclass(frozen=True)
class ScriptedJob:
    """A scripted leader, who needs no training, in an arm's games.

    Attributes:
        arm: whose games; its regime does not matter.
        leader: who plays them; :data:`BOUND` is none, and has the bound of the gain.
        played: how.
        evaluated: episodes.
        seed: of the training of whoever is evaluated: of a leader beside which this one plays, or of its followers.
        episodes: that these have learned for, from this leader alone.
    """

    arm: Arm
    leader: str
    played: Played
    evaluated: int
    seed: int = 0
    episodes: int = 0

    @property
    def name(self) -> str:
        """For people."""
        learned = f"{self.arm.followers} followers after {self.episodes:,} episodes" if self.episodes else ""
        number = "" if self.arm.num_followers is None or learned else f"{self.arm.num_followers} followers"
        changes = (f"{name.partition('.')[2]}={value}" for name, value in self.arm.changes)
        parts = (self.arm.game, self.leader, self.played.name, number, learned, *changes, f"seed {self.seed}")
        return ", ".join(filter(None, parts))

    @property
    def cost(self) -> float:
        """Time it takes, roughly, in the time of an episode of training."""
        return START + self.arm.cost * self.episodes / 2 + EVALUATED * self.evaluated

    @property
    def key(self) -> str:
        """Of its row."""
        return scripted_key(ALL_GAMES[self.arm.game].task, self.leader, self.parameters(), self.evaluated)

    def done(self, out: Path) -> bool:
        """Whether it is there."""
        return bool(read_row(out, self.key))

    def trained(self, out: Path) -> float:
        """Nothing is known before it is done."""
        return 0.0

    def perform(self, out: Path) -> None:
        """Plays and writes the row."""
        task, replacement = ALL_GAMES[self.arm.game].task, CONDITIONS[self.played.condition].replacement
        if self.leader == BOUND:
            bounds = evaluate_bound(task, self.evaluated, parameters=self._games(), replacement=replacement)
            measured = {"gain": float(bounds.mean()), "episodes": len(bounds)}
            write_row(out, self.key, {"name": self.name, "parameters": self.parameters(), **measured})
            return
        evaluation = evaluate_scripted(
            self.leader,
            task,
            self.evaluated,
            parameters=self._games(),
            replacement=replacement,
            learned=learn_against(self.leader, self._training()) if self.episodes else None,
        )
        write_row(out, self.key, {"name": self.name, "parameters": self.parameters(), **means_of(evaluation)})

    def parameters(self) -> dict[str, Any]:
        """Departures from the task's preset, and what else tells its row from others."""
        described, replacement = self._games(), CONDITIONS[self.played.condition].replacement
        if replacement is not None:
            described["replacement"] = asdict(replacement)
        if self.episodes:
            learning = asdict(self._training().follower_learner)
            described["learning"] = {**learning, "seed": self.seed, "episodes": self.episodes}
        return described

    def _games(self) -> dict[str, Any]:
        condition = CONDITIONS[self.played.condition]
        return {**self.arm.parameters(), "noise": self.played.noise, **condition.parameters_of(self.seed)}

    def _training(self) -> TrainConfig:
        """Of the followers; the leader that it names does not take part."""
        arm = replace(self.arm, leader=DEFAULT_LEADER, length=1.0, first_seed=0)
        return train_config(arm, self.seed, self.episodes)


def scripted_job(reading: Reading, scale: Scale, seed: int) -> ScriptedJob:
    """Return what a reading of a scripted leader needs; a seed matters to followers that learn."""
    arm = reading.arm
    if arm.followers == "rule":
        return ScriptedJob(arm, arm.leader, reading.played, scale.evaluated)
    episodes = round(arm.length * scale.episodes)
    return ScriptedJob(arm, arm.leader, reading.played, scale.evaluated, arm.first_seed + seed, episodes)


def scripted_of(reading: Reading, scale: Scale, seed: int = 0) -> ScriptedJob:
    """Return against whom a reading is held where games are averaged: ``full_information``, or the scripted leader
    itself, with rule-based followers in the same games. The seed matters where they have strangers."""
    return reference_job(reading, reading.arm.leader if reading.arm.scripted else "full_information", scale, seed)


def reference_job(reading: Reading, leader: str, scale: Scale, seed: int = 0) -> ScriptedJob:
    """Return what a scripted leader, or :data:`BOUND`, has in a reading's games with rule-based followers."""
    arm = reading.arm
    changes = tuple(change for change in arm.changes if change[0].startswith("parameters."))
    games = Arm(arm.game, arm.leader, num_followers=arm.num_followers, changes=changes)
    strangers = CONDITIONS[reading.condition].strangers
    return ScriptedJob(games, leader, replace(reading.played, greedy=False), scale.evaluated, seed * strangers)


@usual_torch()
@threads_of_torch(1)
def learn_against(leader: str, config: TrainConfig) -> FollowerAlgorithm:
    """Return followers that have learned, from nothing, in a run's games but under a scripted leader.

    Args:
        leader: its name.
        config: of a run whose followers learn; its leader does not take part.
    """
    env, scripted = make_env(config, config.num_envs, config.seed), make_scripted(leader, config.seed)
    followers = make_followers(config, env)
    assert followers is not None
    followers.explore, followers.keep = followers.followers.config.explore, True
    for _ in range(config.updates):
        play_to_end(env, scripted)
        followers.followers.update(followers.lived())
    return followers.followers
