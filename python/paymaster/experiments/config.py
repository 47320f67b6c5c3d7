"""What a training run consists of, as data: everything that `config.json` holds and nothing else."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import tyro

from paymaster.algorithms import DEFAULT_LEADER, EBPGConfig, leader_kind
from paymaster.algorithms.followers import FollowerLearning
from paymaster.envs.registry import tasks
from paymaster.experiments.seeds import TRAINING_SEEDS
from paymaster.ranges import from_json

__all__ = ["TaskConfig", "TrainConfig"]

_LEADERS_OWN = EBPGConfig()  # stands, as this very object, for "as leaders of this name do"


@dataclass(frozen=True)
class TaskConfig:
    """Departures from a task's preset; None keeps the preset's value (``paymaster tasks`` lists them).

    Attributes:
        payment: "completion", "advance" or "advance_once".
        followers: "rule" (they decide by rule), or they learn: "meta", choosing goal types, or "primitive", choosing
            actions.
        noise: probability that a follower's action is replaced by a random one.
        num_followers: N.
        horizon: T.
        abstain: the leader may offer "none".
        population_seed: seed of the followers' traits.
        population_size: P, followers an episode is drawn from (40).
        skills_per_follower: goal types each can complete.
        preference_among_skills: the preferred goal is one of these; else any.
        num_resources: M, resources on the grid.
        num_targets: M, landmarks or preys in the plane.
        num_obstacles: round obstacles in the plane.
        reach_by: "any" follower near a goal takes it, or only one that has "chosen" its type (in the plane).
        map: text of a map ('#' wall, '.' free, closed by wall), or on the command line a file that holds it.
    """

    payment: str | None = None
    followers: str | None = None
    noise: float | None = None
    num_followers: int | None = None
    horizon: int | None = None
    abstain: bool | None = None
    population_seed: int | None = None
    population_size: int | None = None
    skills_per_follower: int | None = None
    preference_among_skills: bool | None = None
    num_resources: int | None = None
    num_targets: int | None = None
    num_obstacles: int | None = None
    reach_by: str | None = None
    map: str | None = None

    def options(self) -> dict[str, Any]:
        """The options given, for ``make_vec``."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value is not None}


@dataclass(frozen=True)
class TrainConfig:
    """A training run.

    Attributes:
        task: name of a preset.
        leader: ebpg, ebpg-sparse, no-ebpg, no-attention, fixed-interval(m), independent-heads, no-prediction, m3rl,
            natural-ends, natural-ends-only (:mod:`paymaster.algorithms.leaders`).
        episodes: to train on in all; a batch more at most. What falls over training, like the default leader's entropy
            bonus, falls over these; over the new number from there on, where a run is resumed with another.
        num_envs: B, games played at once, and episodes per update; by all ranks together, where there are several.
        seed: of games, initial weights and the leader's draws; below 10^9, so that no evaluation plays these games.
        device: "auto" (CUDA where there is one), "cpu", "cuda", "cuda:1", ...
        checkpoint_every: episodes between checkpoints.
        torch_threads: threads of torch in an update, on the CPU; playing has one. A second takes a seventh off an
            update, and sums are then rounded otherwise.
        hidden: width of the leader's networks.
        observe_routes: the leader sees the planners' first actions, without which it cannot predict the followers'.
        options: departures from the task's preset.
        learner: how the leader learns; by default as leaders of this name do.
        follower_learner: how followers learn, where they do.
    """

    task: tyro.conf.Positional[str]
    leader: str = DEFAULT_LEADER
    episodes: int = 10_000
    num_envs: int = 32
    seed: int = 0
    device: str = "auto"
    checkpoint_every: int = 2_000
    torch_threads: int = 1
    hidden: int = 32
    observe_routes: bool = True
    options: Annotated[TaskConfig, tyro.conf.arg(name="")] = field(default_factory=TaskConfig)
    learner: EBPGConfig = _LEADERS_OWN
    follower_learner: FollowerLearning = field(default_factory=FollowerLearning)

    def __post_init__(self) -> None:
        """Fills in the leader's own learner. Raises ValueError for an unknown leader."""
        kind = leader_kind(self.leader)
        if self.learner is _LEADERS_OWN:
            object.__setattr__(self, "learner", kind.learner)

    def validate(self) -> None:
        """Raises ValueError naming the first field that makes no sense, what was expected and what came.

        The task's options are checked by the environment, which knows their ranges.
        """
        names = [task.name for task in tasks()]
        if self.task not in names:
            raise ValueError(f"task: expected one of {', '.join(names)}, got {self.task!r}")
        for name in ("episodes", "num_envs", "checkpoint_every", "torch_threads", "hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")
        if not 0 <= self.seed < TRAINING_SEEDS:
            raise ValueError(f"seed: expected a whole number in [0, {TRAINING_SEEDS:,}), got {self.seed}")
        self.learner.validate()
        self.follower_learner.validate()

    @property
    def followers_learn(self) -> bool:
        """Whether somebody has to be trained beside the leader."""
        return self.options.followers in ("meta", "primitive")

    @property
    def updates(self) -> int:
        """Batches of episodes in the whole run."""
        return math.ceil(self.episodes / self.num_envs)

    def to_json(self) -> dict[str, Any]:
        """As `config.json` holds it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], where: str = "config.json") -> TrainConfig:
        """The inverse of :meth:`to_json`.

        Raises:
            ValueError: a field is missing, unknown or of another type; named after ``where``, the file.
        """
        return from_json(cls, stored, where)

    def resumed_from(self, stored: TrainConfig) -> TrainConfig:
        """The stored run's configuration, continued with the fields that may change: episodes and device.

        Raises:
            ValueError: another field was given that is neither its default nor the stored value.
        """
        usual_learner = (leader_kind(self.leader).learner, leader_kind(stored.leader).learner)
        default = TrainConfig(self.task)
        changes: dict[str, Any] = {}
        for part in dataclasses.fields(self):
            given, was, usual = (getattr(config, part.name) for config in (self, stored, default))
            if part.name in ("episodes", "device"):
                changes[part.name] = was if given == usual else given
            elif part.name == "learner" and given in usual_learner:
                continue
            elif given not in (usual, was) or (part.name == "task" and given != was):
                raise ValueError(
                    f"{part.name}: expected {was!r} as in the run to resume, got {given!r}; leave it out, or start "
                    "a new run with another --out"
                )
        return dataclasses.replace(stored, **changes)
