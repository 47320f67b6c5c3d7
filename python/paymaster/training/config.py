"""What a training run consists of, as data: everything that `config.json` holds and nothing else."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

import tyro
from annotated_types import Interval

from paymaster.algorithms import DEFAULT_LEADER, EBPGConfig
from paymaster.algorithms.followers import FollowerLearning
from paymaster.algorithms.leaders import leader_name
from paymaster.algorithms.q_learning import QLearning
from paymaster.envs.tasks import tasks
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.training.followers import LEARNERS, check_followers
from paymaster.training.regimes import SETTINGS, SettingsName
from paymaster.training.seeds import TRAINING_SEEDS
from paymaster.validation.imports import import_path, is_import_path
from paymaster.validation.quantities import Share, Width
from paymaster.validation.ranges import check_fields, from_json
from paymaster.worlds.registration import definition_of, find_defined, rules_of

__all__ = ["A_BATCH", "MAY_CHANGE", "Count", "Followers", "Payment", "ReachBy", "TaskConfig", "TrainConfig"]

Payment: TypeAlias = Literal["completion", "advance", "advance_once"]
Followers: TypeAlias = Literal["rule", "meta", "primitive", "q"]
ReachBy: TypeAlias = Literal["any", "chosen"]
Count: TypeAlias = Annotated[int, Interval(ge=1, le=10**9)]

_AS_THE_SETTINGS: Any = None  # a field's default that depends on the leader and the settings
MAY_CHANGE = ("episodes", "device")  # when a run is resumed
A_BATCH = "a batch"  # in place of an import path: games that nobody but their owner can make again


@dataclass(frozen=True)
class TaskConfig:
    """Departures from a task's preset; None keeps the preset's value (``paymaster tasks`` lists them).

    Attributes:
        payment: when a contract is paid for.
        followers: "rule" (they decide by rule), or they learn: "meta", choosing goal types, "primitive", choosing
            actions, or "q", choosing goal types by Q-learning; or a rule of your own, ``module:function``.
        noise: probability that a follower's action is replaced by a random one.
        num_followers: N; on the grid at most 16.
        horizon: T.
        abstain: the leader may offer "none".
        population_seed: seed of the followers' traits.
        population_size: P, followers an episode is drawn from.
        skills_per_follower: goal types each can complete.
        preference_among_skills: the preferred goal is one of these; else any.
        num_resources: M, resources; on the grid.
        num_targets: M, landmarks or preys; in the plane.
        num_obstacles: round obstacles; in the plane.
        reach_by: "any" follower near a goal takes it, or only one that has "chosen" its type (in the plane).
        map: text of a map ('#' wall, '.' free, closed by wall), or on the command line a file that holds it; on the
            grid.
        world: parameters of a world of your own, by name.
    """

    payment: Payment | None = None
    followers: str | None = None
    noise: Share | None = None
    num_followers: Annotated[int, Interval(ge=1, le=64)] | None = None
    horizon: Annotated[int, Interval(ge=1, le=10_000)] | None = None
    abstain: bool | None = None
    population_seed: Annotated[int, Interval(ge=0, lt=2**63)] | None = None
    population_size: Annotated[int, Interval(ge=1, le=65_535)] | None = None
    skills_per_follower: Annotated[int, Interval(ge=1, le=8)] | None = None
    preference_among_skills: bool | None = None
    num_resources: Annotated[int, Interval(ge=1, le=64)] | None = None
    num_targets: Annotated[int, Interval(ge=1, le=64)] | None = None
    num_obstacles: Annotated[int, Interval(ge=0, le=64)] | None = None
    reach_by: ReachBy | None = None
    map: str | None = None
    world: dict[str, bool | int | float | str] = field(default_factory=dict, hash=False)

    def given(self) -> dict[str, Any]:
        """Return the parameters that are given, for ``make_vec``."""
        given = {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
        own: dict[str, Any] = given.pop("world")
        return given | own


@dataclass(frozen=True)
class TrainConfig:
    """A training run.

    Attributes:
        task: name of a preset, or ``module:Class`` of a world of your own.
        leader: its name: ``paymaster.algorithms.LEADERS``, or fixed-interval(m), a new offer every m steps; or
            ``module:Class`` of one of your own.
        settings: "tuned", what the leader does best with, 32 games an update; or "paper", the paper's regime as a
            whole: one game an update, the team's return, its learning rates and exploration, 30 % random actions of
            followers that decide by rule. What is given beside wins.
        episodes: to train on in all, rounded up to a multiple of num_envs. What falls over training, like the default
            leader's entropy bonus, falls over these; over the new number from there on, where a run is resumed with
            another.
        num_envs: B, games played at once, and episodes per update; by all ranks together, where there are several.
        seed: of games, initial weights and the leader's draws; below 10^9, so that no evaluation plays these games.
        device: "auto" (CUDA where there is one), "cpu", "cuda", "cuda:1", ...
        checkpoint_every: episodes between checkpoints, of which the two newest are kept.
        torch_threads: threads of torch in an update, on the CPU: of followers that learn, and of a leader that does not
            learn by the core. Sums are then rounded otherwise. Playing has one.
        hidden: width of the leader's networks.
        observe_routes: the leader sees the planners' first actions, without which it cannot predict the followers'.
        parameters: departures from the task's preset.
        learner: how the leader learns; by default as its name and the settings say.
        follower_learner: how followers learn, "meta" and "primitive".
        q_learner: how followers learn by Q-learning, "q".
        env: ``module:function`` that makes the games in place of ``paymaster.make_vec``; it takes that one's arguments
            but the task.
        evaluate_every: episodes between evaluations while training, on games that training does not see; the measures
            ``evaluation_gain``, ... stand in `metrics.jsonl`. It changes no other number; by default there is none.
        evaluate_episodes: of each such evaluation; the same games each time.
        defined_as: the import path of a world of your own and the parameters that its task was registered with; filled
            in by itself, so that another process finds the task.
        rules: a digest of that world's source, filled in by itself, so that a change of its rules is noticed.
    """

    task: tyro.conf.Positional[str]
    leader: str = DEFAULT_LEADER
    settings: SettingsName = "tuned"
    episodes: Count = 10_000
    num_envs: Annotated[int, Interval(ge=1, le=65_536)] = _AS_THE_SETTINGS
    seed: Annotated[int, Interval(ge=0, lt=TRAINING_SEEDS)] = 0
    device: str = "auto"
    checkpoint_every: Count = 2_000
    torch_threads: Annotated[int, Interval(ge=1, le=256)] = 1
    hidden: Width = 32
    observe_routes: bool = True
    parameters: Annotated[TaskConfig, tyro.conf.arg(name="")] = field(default_factory=TaskConfig)
    learner: EBPGConfig = _AS_THE_SETTINGS
    follower_learner: FollowerLearning = field(default_factory=FollowerLearning)
    q_learner: QLearning = field(default_factory=QLearning)
    env: str | None = None
    evaluate_every: Count | None = None
    evaluate_episodes: Annotated[int, Interval(ge=1, le=100_000)] = 100
    defined_as: Annotated[tuple[str, dict[str, Any]] | None, tyro.conf.Suppress] = field(default=None, hash=False)
    rules: Annotated[str, tyro.conf.Suppress] = ""

    def __post_init__(self) -> None:
        """Fill in what depends on the task, the leader and the settings. Raises ValueError for one that is unknown."""
        find_defined(self.task, self.defined_as)
        definition = definition_of(self.task)
        object.__setattr__(self, "defined_as", None if definition is None else (definition.path, definition.preset))
        if not self.rules:
            object.__setattr__(self, "rules", rules_of(self.task))
        object.__setattr__(self, "leader", leader_name(self.leader))
        if not isinstance(self.parameters, TaskConfig):
            raise TypeError(f"parameters: expected a TaskConfig, got {type(self.parameters).__name__}")
        if self.settings not in tuple(SETTINGS):
            raise ValueError(f"settings: expected one of {', '.join(SETTINGS)}, got {self.settings!r:.80}")
        regime = SETTINGS[self.settings]
        learner = regime.learner_of(self.leader)
        if self.learner is _AS_THE_SETTINGS:
            object.__setattr__(self, "learner", learner)
        if self.num_envs is _AS_THE_SETTINGS:
            object.__setattr__(self, "num_envs", regime.num_envs)
        if self.parameters.noise is None and regime.noise > 0 and not self.followers_learn:
            object.__setattr__(self, "parameters", dataclasses.replace(self.parameters, noise=regime.noise))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Come from another process, in which the task may have been registered."""
        find_defined(state["task"], state["defined_as"])
        self.__dict__.update(state)

    def validate(self) -> None:
        """Raises ValueError naming the first field that makes no sense, what was expected and what came.

        What the task's parameters must be together is checked by the environment.
        """
        names = [task.name for task in tasks()]
        if self.task not in names:
            raise ValueError(f"task: expected one of {', '.join(names)}, got {self.task!r:.80}")
        check_fields(self.parameters)  # by the names that the command line has for them
        check_fields(self)
        self.learner.validate()
        if self.parameters.followers is not None:
            check_followers(self.parameters.followers)
        if self.env is not None and self.env != A_BATCH and not is_import_path(self.env):
            raise ValueError(f"env: expected 'module:function', got {self.env!r:.80}")

    @property
    def followers_learn(self) -> bool:
        """Whether somebody has to be trained beside the leader."""
        return self.parameters.followers in LEARNERS

    @property
    def updates(self) -> int:
        """Batches of episodes in the whole run."""
        return math.ceil(self.episodes / self.num_envs)

    @property
    def departures(self) -> dict[str, Any]:
        """What differs from the task's preset and from the leader's settings, by name: what a run is about.

        Not what only says how long or where it is trained, nor its seed.
        """
        usual = self._usual()
        changes = {name: value for name, value in self._in_full().items() if value != usual[name]}
        others = ("episodes", "seed", "device", "checkpoint_every", "evaluate_every", "evaluate_episodes", "rules")
        return {name.removeprefix("parameters."): value for name, value in changes.items() if name not in others}

    @property
    def games(self) -> dict[str, Any]:
        """Parameters of the games by name, with the preset's values of those that are not given."""
        prefix = "parameters."
        return {name.removeprefix(prefix): value for name, value in self._in_full().items() if name.startswith(prefix)}

    def to_json(self) -> dict[str, Any]:
        """Return it as `config.json` holds it: what only worlds of one's own have is there with them alone."""
        stored = dataclasses.asdict(self)
        for name, default in _absent().items():
            if stored[name] == default:
                del stored[name]
        if not self.parameters.world:
            del stored["parameters"]["world"]
        return stored

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], where: str = "config.json", field: str = "") -> TrainConfig:
        """Make the configuration of which :meth:`to_json` gave ``stored``.

        Raises:
            ValueError: a field that is missing, unknown, of another type or out of its range.
        """
        parameters = stored.get("parameters")
        if isinstance(parameters, Mapping):
            stored = {**stored, "parameters": {"world": {}, **parameters}}
        return from_json(cls, {**_absent(), **stored}, where, field)

    def naming(self, leader: Any = None, followers: Any = None, env: Any = None) -> TrainConfig:
        """Return the configuration with a leader, followers or games of your own in it, by their import paths.

        Args:
            leader, followers, env: a name, a class or a function; None leaves what is there. For ``env`` also a batch,
                which has no path: :data:`A_BATCH` stands for it.

        Raises:
            TypeError: something else.
        """
        changes: dict[str, Any] = {}
        if leader is not None:
            changes["leader"] = import_path("leader", leader)
            if self.learner == SETTINGS[self.settings].learner_of(self.leader):
                changes["learner"] = _AS_THE_SETTINGS  # the new one's own
        if followers is not None:
            changes["parameters"] = dataclasses.replace(self.parameters, followers=import_path("followers", followers))
        if env is not None:
            changes["env"] = A_BATCH if isinstance(env, LeaderVectorEnv) else import_path("env", env)
        return dataclasses.replace(self, **changes) if changes else self

    def resumed_from(self, stored: TrainConfig, given: Collection[str] | None = None) -> TrainConfig:
        """Return the stored run's configuration, continued with what may change: episodes and device.

        Args:
            stored: of the run to resume.
            given: names of the fields that count, such as "learner.gamma"; by default those that differ from a run's of
                the same leader and settings in which nothing else was said.

        Raises:
            ValueError: a field that counts is not as stored and may not change; names it, the stored value and the
                given one.
        """
        was, now = stored._in_full(), self._in_full()
        if given is None:
            usual = {**self._usual(), "leader": DEFAULT_LEADER, "settings": "tuned"}
            given = [name for name, value in now.items() if value != usual[name] or name == "task"]
        for name in now:  # in order, the task first
            if name in given and name not in MAY_CHANGE and now[name] != was[name]:
                raise ValueError(
                    f"{name.removeprefix('parameters.')}: expected {was[name]!r} as in the run to resume, got "
                    f"{now[name]!r}; leave it out, or start a new run with another --out"
                )
        return dataclasses.replace(stored, **{name: now[name] for name in MAY_CHANGE if name in given})

    def _usual(self) -> dict[str, Any]:
        """The fields of a run of this task, leader and settings of which nothing else was said."""
        followers = self.parameters.followers  # decides about noise
        plain = TrainConfig(
            self.task, leader=self.leader, settings=self.settings, parameters=TaskConfig(followers=followers)
        )
        preset = TrainConfig(self.task)._in_full()
        return {**plain._in_full(), "parameters.followers": preset["parameters.followers"]}

    def differences(self, other: TrainConfig) -> list[str]:
        """Return names of the fields in which the two differ, such as "learner.gamma"."""
        theirs = other._in_full()
        return [name for name, value in self._in_full().items() if value != theirs[name]]

    def _in_full(self) -> dict[str, Any]:
        """All fields by name, such as "learner.gamma", with the preset's values of the options that are not given."""
        fields = _leaves(self)
        preset = next((task.parameters for task in tasks() if task.name == self.task), {})
        for name, value in preset.items():
            if fields.get(f"parameters.{name}", self) is None:
                fields[f"parameters.{name}"] = value
        return fields


def _absent() -> dict[str, Any]:
    """Fields that `config.json` has only where they are not as here: earlier versions did not have them."""
    return {
        "q_learner": dataclasses.asdict(QLearning()),
        "env": None,
        "evaluate_every": None,
        "evaluate_episodes": 100,
        "defined_as": None,
        "rules": "",
    }


def _leaves(settings: Any, prefix: str = "") -> dict[str, Any]:
    """Fields by name, those of a dataclass within as OUTER.INNER."""
    leaves: dict[str, Any] = {}
    for part in dataclasses.fields(settings):
        value, name = getattr(settings, part.name), f"{prefix}{part.name}"
        leaves |= _leaves(value, f"{name}.") if dataclasses.is_dataclass(value) else {name: value}
    return leaves
