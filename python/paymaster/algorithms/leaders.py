"""Leaders by name: the paper's method, its ablations, M3RL, our own, and other methods of the field.

Those of :data:`LEADERS` see the same features, play and learn in the same loop, and share credit, discount, batch and
normalisation, unless a run says otherwise. Each has learning rates, epochs and annealing of its own, tuned with the
same choice for all (tuned.json). Those of :data:`ORIGINALS` see, play and learn as M3RL's released code does; nothing
of them is tuned.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeVar

from paymaster.algorithms.ebpg_config import EBPGConfig
from paymaster.algorithms.original_config import OriginalLearning
from paymaster.algorithms.process import OptionRules
from paymaster.algorithms.tuned import tuned_settings
from paymaster.networks.leader import LeaderConfig
from paymaster.networks.plane_leader import PlaneLeaderConfig
from paymaster.validation.imports import is_import_path

__all__ = [
    "DEFAULT_LEADER",
    "FIELD",
    "LEADERS",
    "ORIGINALS",
    "FieldName",
    "LeaderKind",
    "RenamedWarning",
    "leader_kind",
    "leader_name",
]

FieldName = Literal["linear-contract", "ucb", "thompson", "bayes", "dual-rl", "metagradient"]
"""Of a method of the field that is no setting of our learner."""

Sizes = TypeVar("Sizes", LeaderConfig, PlaneLeaderConfig)


@dataclass(frozen=True)
class LeaderKind:
    """What sets a leader apart.

    Attributes:
        meaning: in a line.
        network: fields of :class:`~paymaster.networks.leader.LeaderConfig` that it sets; or, with ``original``, of
            :class:`~paymaster.networks.plane_leader.PlaneLeaderConfig`.
        untuned: how it learns before its settings were tuned: what defines it, and else :class:`EBPGConfig`'s defaults.
        learner: how it learns unless a run says otherwise, with its tuned settings.
        original: the rest of how it plays and learns, where that is as the original had it; its inputs are then planes,
            and it has one episode an update. :meth:`original_in` has the settings that depend on the world.
        field: the method of the field that it is, where that is no setting of our learner; ``network`` and ``learner``
            then mean nothing.
    """

    meaning: str
    network: dict[str, Any]
    untuned: EBPGConfig
    learner: EBPGConfig
    original: OriginalLearning | None = None
    field: FieldName | None = None

    def original_in(self, world: str) -> OriginalLearning | None:
        """Return ``original`` as it is in a world of that name, where the original has settings for it."""
        return self.original and replace(self.original, **_IN_WORLD.get(world, {}))

    @property
    def inputs(self) -> Literal["features", "planes"]:
        """What its networks see."""
        return "features" if self.original is None else "planes"

    def sized(self, sizes: Sizes) -> Sizes:
        """The network's configuration for a task's sizes."""
        return replace(sizes, **self.network)


# M3RL's commands; its warm-up, 80,000 of 200,000 episodes in Crafting, is a part of a run's length, and so left to it.
_IN_WORLD: Final[dict[str, dict[str, Any]]] = {"crafting": {"explore_goals_episodes": 10_000}}

_NO_TERMINATION = {"termination": "none"}
_PAPERS = EBPGConfig()
_EVERY_STEP = EBPGConfig(gradient="sparse", options=OptionRules(interval=1))
_OURS = EBPGConfig(
    gradient="sparse",
    options=OptionRules(expiring=True),
    learning_rate=6e-3,
    critic_learning_rate=6e-3,
    learning_rate_end=0.1,
    epochs=4,
    entropy_of_decisions=True,
    entropy_end=0.0,
)

_UNTUNED: Final[dict[str, tuple[str, dict[str, Any], EBPGConfig]]] = {
    "ebpg": ("the paper's: dense event-based policy gradient", {}, _PAPERS),
    "ebpg-sparse": ("the same, sparse: only new offers teach the policy", {}, EBPGConfig(gradient="sparse")),
    "no-ebpg": (
        'a new offer at every step, plain policy gradient (the paper\'s "w/o EBPG")',
        _NO_TERMINATION,
        _EVERY_STEP,
    ),
    "no-attention": (
        "the paper's with the mean over followers in place of attention",
        {"attention": "mean"},
        _PAPERS,
    ),
    "fixed-interval": (
        "a new offer every m steps, plain policy gradient; fixed-interval(m), m = 5 unless said",
        _NO_TERMINATION,
        EBPGConfig(gradient="sparse", options=OptionRules(interval=5)),
    ),
    "independent-heads": ("the paper's with goal and bonus drawn independently", {"heads": "independent"}, _PAPERS),
    "no-prediction": ("the paper's without the follower-aware module", {"prediction": False}, _PAPERS),
    "m3rl": (
        "M3RL (Shu & Tian 2019): a new offer at every step, mean, independent heads, agent-wise exploration",
        {**_NO_TERMINATION, "attention": "mean", "heads": "independent"},
        replace(_EVERY_STEP, exploration="agents", explore=0.1),
    ),
    "ebpg-expiring": (
        "ours: options also end when their offer has run its course; sparse gradient, clipped reuse, annealed entropy",
        {},
        # Beta starts shut (0.0025): an option that ends by rule need not be cut short before that is worth something,
        # and where it is, among strangers, beta opens as far as from any other start (docs/results.md).
        replace(_OURS, termination_start=-6.0),
    ),
    "expiring-only": ("ours without a learned termination", _NO_TERMINATION, _OURS),
}

LEADERS: Final[dict[str, LeaderKind]] = {
    name: LeaderKind(meaning, network, untuned, replace(untuned, **tuned_settings(name)))
    for name, (meaning, network, untuned) in _UNTUNED.items()
}
"""Name -> leader."""

_M3RL = EBPGConfig(
    gradient="sparse",
    options=OptionRules(interval=1),
    learning_rate=3e-4,
    critic_learning_rate=3e-4,
    gamma=0.95,
    gae_lambda=1.0,
    credit="team",
    normalise_advantage=False,
    lambda_entropy=0.01,
    critic_weight=1.0,
)
# The paper's Sec. 5.1: Adam at 0.0003, its critic at 0.001; gamma 1; 10 % random offers falling to none.
_PAPERS_ORIGINAL = replace(
    _M3RL, gradient="dense", options=OptionRules(), critic_learning_rate=1e-3, gamma=1.0, explore=0.1
)
_BY_OFFERS = OriginalLearning(optimizer="adam", exploration="offers")
_PAPERS_NETWORK = {"attention": "follower-specific", "termination": "learned", "heads": "sequential"}

ORIGINALS: Final[dict[str, LeaderKind]] = {
    name: LeaderKind(meaning, network, learner, learner, original)
    for name, meaning, network, learner, original in (
        (
            "m3rl-original",
            "M3RL as its released code has it: planes, networks, exploration, learning",
            {},
            _M3RL,
            OriginalLearning(),
        ),
        (
            "ebpg-original",
            "the paper's method on that: attention, beta, goal then bonus, dense gradient, gamma 1, Adam",
            _PAPERS_NETWORK,
            _PAPERS_ORIGINAL,
            _BY_OFFERS,
        ),
        (
            "no-ebpg-original",
            "ebpg-original with a new offer at every step, plain policy gradient",
            {**_PAPERS_NETWORK, **_NO_TERMINATION},
            replace(_PAPERS_ORIGINAL, gradient="sparse", options=OptionRules(interval=1)),
            _BY_OFFERS,
        ),
        (
            "no-attention-original",
            "ebpg-original with the mean over followers in place of attention",
            {**_PAPERS_NETWORK, "attention": "mean"},
            _PAPERS_ORIGINAL,
            _BY_OFFERS,
        ),
    )
}
"""Name -> leader as the original had it."""

_FIELDS: Final[dict[FieldName, str]] = {
    "linear-contract": "the nearest goal for a share of its worth, which a bandit chooses (Duetting et al. 2019)",
    "ucb": "LinUCB (Li et al. 2010) on goal and bonus of each follower: the highest upper confidence bound",
    "thompson": "linear Thompson sampling (Agrawal & Goyal 2013) on goal and bonus of each follower",
    "bayes": "Bayesian optimisation of an offer rule with four parameters; needs scikit-learn",
    "dual-rl": "a designer that learns a level for each goal type, the same for all followers (Yang et al. 2022)",
    "metagradient": "the same, through the learning step of followers (Yang et al. 2020, 2022); needs --followers meta",
}

# Schulman et al. 2017, Table 3, but for whole batches in place of minibatches of 64; entropy and norm are CleanRL's.
_PPO = EBPGConfig(
    gradient="sparse",
    options=OptionRules(interval=1),
    learning_rate=3e-4,
    critic_learning_rate=3e-4,
    gamma=0.99,
    gae_lambda=0.95,
    credit="team",
    lambda_entropy=0.01,
    max_gradient_norm=0.5,
    epochs=10,
    clip=0.2,
)

FIELD: Final[dict[str, LeaderKind]] = {
    **{name: LeaderKind(meaning, {}, EBPGConfig(), EBPGConfig(), field=name) for name, meaning in _FIELDS.items()},
    "ppo": LeaderKind(
        "plain PPO (Schulman et al. 2017): a new offer to everybody at every step, one return, one learning rate",
        {**_NO_TERMINATION, "attention": "mean", "heads": "independent", "prediction": False},
        _PPO,
        _PPO,
    ),
}
"""Name -> what others of the field would try first; none of them tuned."""

DEFAULT_LEADER: Final = "ebpg-expiring"

_RENAMED: Final = {"natural-ends": "ebpg-expiring", "natural-ends-only": "expiring-only"}
"""Old name -> name of a leader."""


class RenamedWarning(FutureWarning):
    """An old name was given, which will not be found for ever."""


def leader_name(name: str) -> str:
    """Return the present name of a leader, with a :class:`RenamedWarning` if the one given is an old one."""
    if not isinstance(name, str) or name not in _RENAMED:
        return name
    warnings.warn(f"leader: {name!r} is called {_RENAMED[name]!r} now", RenamedWarning, stacklevel=3)
    return _RENAMED[name]


def leader_kind(name: str) -> LeaderKind:
    """Return the leader of that name, old names included; ``fixed-interval(m)`` has an interval of m steps, 1 to
    999,999. One of your own, ``module:Class``, takes what it likes of the settings, which are the default leader's.

    Raises:
        ValueError: an unknown name.
    """
    name = leader_name(name)
    if is_import_path(name):
        return replace(LEADERS[DEFAULT_LEADER], meaning="one of your own")
    if interval := re.fullmatch(r"fixed-interval\(([1-9][0-9]{0,5})\)", name):
        kind, rules = LEADERS["fixed-interval"], OptionRules(interval=int(interval[1]))
        return replace(kind, untuned=replace(kind.untuned, options=rules), learner=replace(kind.learner, options=rules))
    every = {**LEADERS, **FIELD, **ORIGINALS}
    if name not in every:
        raise ValueError(
            f"leader: expected one of {', '.join(every)}, fixed-interval(m), module:Class, got {name!r:.80}"
        )
    return every[name]
