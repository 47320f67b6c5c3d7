"""What a training run consists of, as data: everything that `config.json` holds and nothing else.

Longer than other files: a third of it says what each field means.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeAlias

import tyro
from annotated_types import Interval

from paymaster import _core
from paymaster.algorithms import DEFAULT_LEADER, EBPGConfig, OriginalLearning, leader_kind
from paymaster.algorithms.field import BanditLearning, BayesLearning, DesignerLearning
from paymaster.algorithms.followers import FollowerLearning
from paymaster.algorithms.leaders import leader_name
from paymaster.algorithms.q_learning import QLearning
from paymaster.envs.replacement import Change, Replacement
from paymaster.envs.tasks import tasks
from paymaster.training.followers import LEARNERS, check_run_parameters, in_games
from paymaster.training.plain_config import leaves, merged, of_today
from paymaster.training.regimes import SETTINGS, SettingsName
from paymaster.training.seeds import TRAINING_SEEDS
from paymaster.validation.imports import is_import_path
from paymaster.validation.parameters import ParameterValue, check_together, has_own_objective, in_json, plain_parameters
from paymaster.validation.quantities import Width
from paymaster.validation.ranges import check_fields, check_value, from_json
from paymaster.worlds.registration import Definition, definition_of, find, find_defined, population_of, rules_of

__all__ = ["A_BATCH", "MAY_CHANGE", "Count", "TaskParameters", "TrainConfig"]

TaskParameters: TypeAlias = dict[str, ParameterValue]
"""A task's parameters by name; those that are not there have the task's own values."""
Count: TypeAlias = Annotated[int, Interval(ge=1, le=10**9)]

_AS_THE_SETTINGS: Any = None  # a field's default that depends on the leader and the settings
MAY_CHANGE = ("episodes", "device")  # when a run is resumed
A_BATCH = "a batch"  # in place of an import path: games that nobody but their owner can make again


@dataclass(frozen=True)
class TrainConfig:
    """A training run.

    Attributes:
        task: its name; also ``module:Class`` of a world of your own, or a TOML or JSON file that defines a task.
        leader: its name: one of ``paymaster.algorithms.LEADERS``; of ``paymaster.algorithms.FIELD``, a method of the
            field; of ``paymaster.algorithms.ORIGINALS``, as the original had it; fixed-interval(m), a new offer every m
            steps; or ``module:Class`` of one of your own.
        settings: "tuned", what the leader does best with, 32 games an update; or "paper", the paper's regime as a
            whole: one game an update, the team's return, its learning rates and exploration, 30 % random actions of
            followers that decide by rule. What is given beside wins. A leader as the original had it has the
            original's settings under "tuned", one game an update, and refuses "paper".
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
        performance_history: of earlier episodes the leader sees M3RL's performance history, as it was when the episode
            began, in place of history statistics.
        shared_goal_weights: the same weights of the leader's networks read every goal type's features. Else each goal
            type has inputs and logits of its own, as in M3RL, and the leader learns by torch, more slowly.
        parameters: in place of the task's own, by name (``paymaster tasks`` lists them); ``observe_routes`` among them
            sets the field.
        learner: how the leader learns; by default as its name and the settings say.
        original: the rest of it, of the leaders as the original had them, those of ``paymaster.algorithms.ORIGINALS``;
            no other leader reads it.
        bandit: how the field's leaders learn that are bandits: linear-contract, ucb, thompson.
        bayes: how the field's leader bayes searches.
        designer: how the field's incentive designers learn: dual-rl, metagradient.
        follower_learner: how followers learn, "meta" and "primitive".
        q_learner: how followers learn by Q-learning, "q".
        env: ``module:function`` that makes the games in place of ``paymaster.make_vec``; it takes that one's arguments
            but the task.
        replace: share of the population's members that is replaced as training goes on, drawn anew each time, with
            replace_every.
        replace_every: episodes of training from one replacement to the next, a multiple of num_envs.
        replace_what: "people" (by default), other followers come, with other traits and empty history statistics; or
            "statistics", the followers stay, and only their statistics are cleared.
        evaluate_every: episodes between evaluations while training, on games that training does not see; the measures
            ``evaluation_gain``, ... stand in `metrics.jsonl`. It changes no other number; by default there is none.
        evaluate_episodes: of each such evaluation; the same games each time.
        defined_as: of a task of your own, what it was registered with; filled in by itself, so that another process
            finds the task.
        rules: a digest of the source of that task's world, filled in by itself, so that a change of its rules is
            noticed.
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
    performance_history: bool = False
    shared_goal_weights: bool = True
    parameters: Annotated[TaskParameters, tyro.conf.arg(name="")] = field(default_factory=dict, hash=False)
    learner: EBPGConfig = _AS_THE_SETTINGS
    original: OriginalLearning = _AS_THE_SETTINGS
    bandit: BanditLearning = field(default_factory=BanditLearning)
    bayes: BayesLearning = field(default_factory=BayesLearning)
    designer: DesignerLearning = field(default_factory=DesignerLearning)
    follower_learner: FollowerLearning = field(default_factory=FollowerLearning)
    q_learner: QLearning = field(default_factory=QLearning)
    env: str | None = None
    replace: Annotated[float, Interval(gt=0, le=1)] | None = None
    replace_every: Count | None = None
    replace_what: Change | None = None
    evaluate_every: Count | None = None
    evaluate_episodes: Annotated[int, Interval(ge=1, le=100_000)] = 100
    defined_as: Annotated[Definition | None, tyro.conf.Suppress] = None
    rules: Annotated[str, tyro.conf.Suppress] = ""

    def __post_init__(self) -> None:
        """Fill in what depends on the task, the leader and the settings. Raises ValueError for one that is unknown."""
        find_defined(self.task, self.defined_as)
        object.__setattr__(self, "task", find(self.task))
        self._set_definition()
        if isinstance(self.rules, str) and not self.rules:
            object.__setattr__(self, "rules", rules_of(self.task))
        object.__setattr__(self, "leader", leader_name(self.leader))
        if not isinstance(self.parameters, Mapping):
            raise TypeError(f"parameters: expected a dict by name, got {type(self.parameters).__name__}")
        parameters = plain_parameters(self.parameters)
        if "observe_routes" in parameters:
            object.__setattr__(self, "observe_routes", parameters.pop("observe_routes"))
        object.__setattr__(self, "parameters", parameters)
        if self.settings not in tuple(SETTINGS):
            raise ValueError(f"settings: expected one of {', '.join(SETTINGS)}, got {self.settings!r:.80}")
        regime = SETTINGS[self.settings]
        learner = regime.learner_of(self.leader)
        if self.learner is _AS_THE_SETTINGS:
            object.__setattr__(self, "learner", learner)
        world = _core.world(self.task) if _core.has_task(self.task) else ""
        original = leader_kind(self.leader).original_in(world)
        if self.original is _AS_THE_SETTINGS:
            object.__setattr__(self, "original", original or OriginalLearning())
        if self.num_envs is _AS_THE_SETTINGS:
            object.__setattr__(self, "num_envs", regime.num_envs if original is None else 1)
        if "noise" not in self.parameters and regime.noise > 0 and not self.followers_learn:
            object.__setattr__(self, "parameters", {**self.parameters, "noise": regime.noise})

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Come from another process, in which the task may have been registered."""
        find_defined(state["task"], state["defined_as"])
        self.__dict__.update(state)

    def validate(self) -> None:
        """Raise ValueError naming the first field that makes no sense, what was expected and what came."""
        self._check_task()
        check_fields(self)
        given = {**in_games(self.parameters), "observe_routes": self.observe_routes}
        people = population_of(self.task, given)
        check_together(self.task, given if people is None else {"population_size": len(people["skill"]), **given})
        self.learner.validate()
        self.original.validate()
        self.bandit.validate()
        self.bayes.validate()
        self.designer.validate()
        if leader_kind(self.leader).inputs == "planes" and self.settings != "tuned":
            raise ValueError(
                f"settings: expected none beside {self.leader}, which has the original's, got {self.settings!r}"
            )
        self._check_replacement()
        self._check_foreseen()
        if self.env is not None and self.env != A_BATCH and not is_import_path(self.env):
            raise ValueError(f"env: expected 'module:function', got {self.env!r:.80}")

    def _check_foreseen(self) -> None:
        if leader_kind(self.leader).field != "metagradient":
            return
        if self.followers != "meta":
            raise ValueError(
                f"leader: expected followers that learn goal types by gradient (--followers meta) with {self.leader}, "
                f"which differentiates through their learning step, got {self.followers}"
            )
        if self.num_envs < 2:
            raise ValueError(
                f"num_envs: expected at least 2 with {self.leader}, whose followers learn from one half of the games "
                f"and are judged on the other, got {self.num_envs}"
            )

    def _check_replacement(self) -> None:
        if (replacement := self.replacement) is None:
            return
        if self.followers_learn:
            raise ValueError(
                f"replace: expected it only with followers that decide by rule, got followers {self.followers}"
            )
        if replacement.every % self.num_envs != 0:
            raise ValueError(
                f"replace_every: expected a multiple of num_envs = {self.num_envs}, since an update takes all episodes "
                f"that are played at once, got {replacement.every}"
            )
        if "population_size" in (parameters := self.task_parameters()):
            replacement.check(int(parameters["population_size"]))  # type: ignore[arg-type]  # a number by name

    @property
    def replacement(self) -> Replacement | None:
        """How the population changes while training; None: it stays. Raises ValueError for what makes no sense."""
        return Replacement.of(self.replace, self.replace_every, self.replace_what)

    def task_parameters(self) -> TaskParameters:
        """Return all parameters of the games: the given ones, and the task's own for the others."""
        own: TaskParameters = _core.task(self.task)["parameters"] if _core.has_task(self.task) else {}
        return {**own, "observe_routes": self.observe_routes, **self.parameters}

    @property
    def followers(self) -> str:
        """Who decides for the followers: one of :data:`.FOLLOWERS`, or the import path of a rule of your own."""
        return str(self.task_parameters().get("followers", "rule"))

    @property
    def original_leader(self) -> bool:
        """Whether the leader is one as the original had it."""
        return leader_kind(self.leader).original is not None

    @property
    def followers_learn(self) -> bool:
        """Whether somebody has to be trained beside the leader."""
        return self.followers in LEARNERS

    @property
    def own_objective(self) -> bool:
        """Whether the leader is rewarded for anything but its gain."""
        return has_own_objective(self.task_parameters())

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
        changes = {name: value for name, value in self._in_full().items() if value != usual.get(name)}
        others = ("episodes", "seed", "device", "checkpoint_every", "evaluate_every", "evaluate_episodes", "rules")
        return {name.removeprefix("parameters."): value for name, value in changes.items() if name not in others}

    def to_json(self) -> dict[str, Any]:
        """Return it as `config.json` holds it: `defined_as` is there with a task of your own alone."""
        stored = dataclasses.asdict(self)
        stored["parameters"] = in_json(stored["parameters"])
        if self.defined_as is not None:
            stored["defined_as"]["parameters"] = in_json(stored["defined_as"]["parameters"])
        for name, default in _absent().items():
            if stored[name] == default:
                del stored[name]
        return stored

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], where: str = "config.json", field: str = "") -> TrainConfig:
        """Make the configuration of which :meth:`to_json` gave ``stored``.

        Raises:
            ValueError: a field that is missing, unknown, of another type or out of its range.
        """
        made = from_json(cls, {**_absent(), **of_today(stored)}, where, field)
        at = f"{where}: " if where else ""
        made._check_task(f"{at}{field}." if field else at, "parameters.")
        return made

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain dicts, for :meth:`from_dict`."""
        return self.to_json()

    @classmethod
    def from_dict(cls, given: Mapping[str, Any], where: str = "") -> TrainConfig:
        """Make a configuration of plain dicts, such as Hydra's or those of a TOML file; fields may be left out.

        ``TrainConfig.from_dict({"task": "navigation", "learner": {"gamma": 0.99}})`` has the leader's tuned settings
        but for gamma.

        Args:
            given: fields by name, at least the task; those of ``learner`` and ``follower_learner`` as dicts in it.
            where: what they come from, for messages.

        Raises:
            ValueError: a field that is unknown, of another type or out of its range; names its path, such as
                "learner.gamma".
        """
        at = f"{where}: " if where else ""
        if not isinstance(given, Mapping):
            raise ValueError(f"{at or 'given: '}expected fields by name, got {type(given).__name__}")
        decisive: dict[str, Any] = dict.fromkeys(("task", "leader", "settings"), str)
        decisive |= {"parameters": dict[str, Any], "defined_as": Definition | None}
        said = {
            name: check_value(kind, given.get(name), f"{at}{name}")
            for name, kind in decisive.items()
            if name in given or name == "task"
        }
        try:  # what these say decides what the others are by default
            usual = cls(**said)
        except ValueError as error:
            raise ValueError(f"{at}{error}") from None
        rest = {name: value for name, value in given.items() if name not in decisive}
        made = cls.from_json(merged({**_absent(), **usual.to_json()}, rest), where)
        made.validate()
        return made

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
            given = [name for name, value in now.items() if value != usual.get(name) or name == "task"]
        for name in now:  # in order, the task first
            if name in given and name not in MAY_CHANGE and now[name] != was.get(name):
                raise ValueError(
                    f"{name.removeprefix('parameters.')}: expected {was.get(name)!r} as in the run to resume, got "
                    f"{now[name]!r}; leave it out, or start a new run with another --out"
                )
        return dataclasses.replace(stored, **{name: now[name] for name in MAY_CHANGE if name in given})

    def _usual(self) -> dict[str, Any]:
        """The fields of a run of this task, leader and settings of which nothing else was said."""
        followers = {name: self.parameters[name] for name in ("followers",) if name in self.parameters}
        plain = TrainConfig(self.task, leader=self.leader, settings=self.settings, parameters=followers)
        preset = TrainConfig(self.task)._in_full()
        return {**plain._in_full(), "parameters.followers": preset.get("parameters.followers")}

    def differences(self, other: TrainConfig) -> list[str]:
        """Return names of the fields in which the two differ, such as "learner.gamma"."""
        theirs = other._in_full()
        return [name for name, value in self._in_full().items() if value != theirs.get(name)]

    def _in_full(self) -> dict[str, Any]:
        """All fields by name, such as "learner.gamma", with all of the games' parameters."""
        fields = leaves(self)
        del fields["parameters"]
        parameters = {f"parameters.{name}": value for name, value in self.task_parameters().items()}
        del parameters["parameters.observe_routes"]  # a field of its own
        return fields | parameters

    def _set_definition(self) -> None:
        """Take up how the task is defined here. Raises ValueError where that is not as given."""
        definition = definition_of(self.task) if isinstance(self.task, str) else None
        if self.defined_as is not None and self.defined_as != definition:
            raise ValueError(
                f"task: expected {self.task!r} as this configuration defines it, got another task of that name in this "
                "process; give one of them another name"
            )
        object.__setattr__(self, "defined_as", definition)

    def _check_task(self, prefix: str = "", inside: str = "") -> None:
        """Raise ValueError for an unknown task, and for parameters that it does not have or that are out of range."""
        if not (isinstance(self.task, str) and _core.has_task(self.task)):  # else no installed package need be read
            names = [task.name for task in tasks()]
            if self.task not in names:
                raise ValueError(f"{prefix}task: expected one of {', '.join(names)}, got {self.task!r:.80}")
        check_run_parameters(self.task, self.parameters, prefix + inside)


def _absent() -> dict[str, Any]:
    """Fields that `config.json` has only where they are not as here: earlier versions did not have them."""
    return {
        "q_learner": dataclasses.asdict(QLearning()),
        "original": dataclasses.asdict(OriginalLearning()),
        "bandit": dataclasses.asdict(BanditLearning()),
        "bayes": dataclasses.asdict(BayesLearning()),
        "designer": dataclasses.asdict(DesignerLearning()),
        "performance_history": False,
        "shared_goal_weights": True,
        "env": None,
        "replace": None,
        "replace_every": None,
        "replace_what": None,
        "evaluate_every": None,
        "evaluate_episodes": 100,
        "defined_as": None,
        "rules": "",
    }
