"""What can be run and read off, as data: games, arms of a comparison, readings of a run."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from paymaster.algorithms import OriginalLearning, leader_kind
from paymaster.algorithms.field import BanditLearning, BayesLearning, DesignerLearning
from paymaster.algorithms.followers import FollowerLearning
from paymaster.scripted import SCRIPTED
from paymaster.training.config import TaskParameters, TrainConfig
from paymaster.training.regimes import REGIMES
from paymaster.validation.parameters import plain_parameters

__all__ = ["ALL_GAMES", "GAMES", "Arm", "Game", "Played", "Reading", "key", "key_of", "train_config"]

Payment = Literal["completion", "advance", "advance_once"]
Followers = Literal["rule", "meta", "primitive"]

_ALWAYS_NAMED: Final = (
    "payment", "followers", "noise", "num_followers", "horizon", "abstain", "population_seed", "population_size",
    "skills_per_follower", "preference_among_skills", "num_resources", "num_targets", "num_obstacles", "reach_by",
    "map",
)  # fmt: skip
"""Parameters that the first published rows named also where they had the task's values; keys stay as they are."""

LEARNING_ADVANCE: Final = "advance_once"
"""The payment rule in place of "advance" where followers learn."""


@dataclass(frozen=True)
class Game:
    """A task under a payment rule.

    Attributes:
        task: name of the preset.
        payment: when a contract is paid for.
    """

    task: str
    payment: Payment


GAMES: Final[dict[str, Game]] = {
    "RC completion": Game("resource_collection", "completion"),
    "RC advance": Game("resource_collection", "advance"),
    "MB completion": Game("multi_bonus_resource_collection", "completion"),
    "MB advance": Game("multi_bonus_resource_collection", "advance"),
    "navigation completion": Game("navigation", "completion"),
    "navigation advance": Game("navigation", "advance"),
    "predator_prey completion": Game("predator_prey", "completion"),
    "predator_prey advance": Game("predator_prey", "advance"),
}
"""Name -> game: the paper's four tasks (RC: resource collection, MB: multi-bonus), each under both payment rules."""

ALL_GAMES: Final[dict[str, Game]] = {
    **GAMES,
    "crafting": Game("crafting", "completion"),
    "MB crafting": Game("multi_bonus_crafting", "completion"),
}
"""The same, and M3RL's second world."""


@dataclass(frozen=True)
class Arm:
    """What is compared: a run but for its seed and number of episodes.

    Attributes:
        game: of :data:`ALL_GAMES`.
        leader: its name; that of a scripted one stands for itself, which is not trained.
        regime: of :data:`~paymaster.training.regimes.REGIMES`.
        followers: "rule", or they learn: "meta", "primitive".
        num_followers: N; None is the preset's.
        noise: share of random actions while training; None is the regime's.
        changes: departures of its configuration from the regime's, such as ("learner.epochs", 4), of "learner",
            "original", "bandit", "bayes", "designer", "parameters" and "follower_learner"; of "run", its own fields.
        length: of the training, as a share of the scale's number of episodes.
        first_seed: of training; the scale's seeds count from it.
        seeds: at most so many of the scale's; None is all.
    """

    game: str
    leader: str
    regime: str = "ours"
    followers: Followers = "rule"
    num_followers: int | None = None
    noise: float | None = None
    changes: tuple[tuple[str, Any], ...] = ()
    length: float = 1.0
    first_seed: int = 0
    seeds: int | None = None

    def seeds_of(self, seeds: int) -> int:
        """Return how many of so many seeds it has."""
        return seeds if self.seeds is None else min(seeds, self.seeds)

    @property
    def scripted(self) -> bool:
        """Whether its leader needs no training."""
        return self.leader in SCRIPTED

    def changes_of(self, part: str) -> dict[str, Any]:
        """Return the changes of a part of the configuration, such as "learner", by field."""
        named = ((name.partition("."), value) for name, value in self.changes)
        return {name: value for (of, _, name), value in named if of == part}

    @property
    def trained_noise(self) -> float:
        """Share of rule-based followers' actions that are random while training; those that learn explore instead."""
        if self.noise is not None:
            return self.noise
        return REGIMES[self.regime].noise if self.followers == "rule" else 0.0

    @property
    def cost(self) -> float:
        """Of an episode in time, roughly, beside one of our regime with four followers that do not learn."""
        learning = 1.0 if self.followers == "rule" else 2.0
        alone = self.changes_of("run").get("num_envs") == 1  # an episode an update, as in the paper's regime
        regime = REGIMES["paper" if alone else self.regime]
        return regime.cost * learning * (self.num_followers or 4) / 4

    def parameters(self) -> TaskParameters:
        """Parameters in place of the task's own."""
        payment = ALL_GAMES[self.game].payment
        usual = {
            "payment": LEARNING_ADVANCE if payment == "advance" and self.followers != "rule" else payment,
            "followers": None if self.followers == "rule" else self.followers,
            "noise": self.trained_noise,
            "num_followers": self.num_followers,
        }
        return plain_parameters({**usual, **self.changes_of("parameters")})


@dataclass(frozen=True)
class Played:
    """How an evaluation is played.

    Attributes:
        noise: share of the followers' actions that are random.
        greedy: the likeliest offers instead of draws.
        condition: of :data:`~paymaster.reproduction.conditions.CONDITIONS`.
    """

    noise: float = 0.0
    greedy: bool = False
    condition: str = ""

    @property
    def name(self) -> str:
        """As rows have it."""
        condition = f", {self.condition}" if self.condition else ""
        return f"{'greedy' if self.greedy else 'sampled'}, noise {self.noise:g}{condition}"


@dataclass(frozen=True)
class Reading:
    """A number of each seed of an arm.

    Attributes:
        arm: what is read.
        measure: a mean per episode of the evaluation: gain, payments, incentive, completions, follower_reward,
            new_offers, option_length; or of the training: learning_gain (mean over all its episodes), seconds, memory
            (an episode's); or of the trained leader: a field of a probe (:mod:`paymaster.reproduction.probes`), such as
            attention_ended.
        noise: of the evaluation; None is that of training.
        greedy: evaluated with the likeliest offers.
        condition: of the evaluation.
    """

    arm: Arm
    measure: str = "gain"
    noise: float | None = None
    greedy: bool = False
    condition: str = ""

    @property
    def played(self) -> Played:
        """The evaluation it is read off."""
        return Played(self.arm.trained_noise if self.noise is None else self.noise, self.greedy, self.condition)


def train_config(arm: Arm, seed: int, episodes: int) -> TrainConfig:
    """Return the run of an arm, whose seeds and length count from and of these."""
    regime = REGIMES[arm.regime]
    follower_learner = {**regime.follower_learner, **arm.changes_of("follower_learner")}
    fields: dict[str, Any] = {"num_envs": regime.num_envs, **arm.changes_of("run")}
    return TrainConfig(
        ALL_GAMES[arm.game].task,
        leader=arm.leader,
        settings="paper" if arm.regime == "paper" else "tuned",
        episodes=round(arm.length * episodes),
        seed=arm.first_seed + seed,
        parameters=arm.parameters(),
        learner=dataclasses.replace(regime.learner_of(arm.leader), **arm.changes_of("learner")),
        original=dataclasses.replace(
            leader_kind(arm.leader).original or OriginalLearning(), **arm.changes_of("original")
        ),
        bandit=dataclasses.replace(BanditLearning(), **arm.changes_of("bandit")),
        bayes=dataclasses.replace(BayesLearning(), **arm.changes_of("bayes")),
        designer=dataclasses.replace(DesignerLearning(), **arm.changes_of("designer")),
        follower_learner=dataclasses.replace(FollowerLearning(), **follower_learner),
        **fields,
    )


def key(config: TrainConfig) -> str:
    """What a run is stored under: readable, and different where anything about the run is."""
    return key_of(config.to_json())


def key_of(config: Mapping[str, Any]) -> str:
    """The same of a configuration as it is stored.

    Raises:
        ValueError: it lacks what a key is made of.
    """
    described = dict(config)
    described.pop("settings", None)  # a name for what the other fields say in full
    try:
        described["parameters"] = {**dict.fromkeys(_ALWAYS_NAMED), **described["parameters"]}
        if described["parameters"]["followers"] is None:
            del described["follower_learner"]  # nobody reads it, and rows outlive its defaults
        digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
        return f"{described['task']}-{described['leader']}-seed{described['seed']}-{digest[:12]}"
    except (KeyError, TypeError) as error:
        raise ValueError(f"config: expected the fields of a training run, got none of the name {error}") from None
