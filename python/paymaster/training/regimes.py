"""Regimes of training, by name: what all leaders of a comparison have in common."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from paymaster.algorithms import EBPGConfig, leader_kind

__all__ = ["REGIMES", "SETTINGS", "Regime", "SettingsName"]

SettingsName = Literal["tuned", "paper"]


@dataclass(frozen=True)
class Regime:
    """How a leader is trained.

    Attributes:
        meaning: in a line, for the report.
        num_envs: episodes an update.
        tuned: with the settings the leader does best with in our regime.
        learner: settings that are the same for all leaders; they come last.
        follower_learner: the same for followers that learn.
        noise: share of rule-based followers' actions that are random while training.
        cost: of an episode in time, beside one of ours; for the time left.
    """

    meaning: str
    num_envs: int = 32
    tuned: bool = True
    learner: dict[str, Any] = field(default_factory=dict, hash=False)
    follower_learner: dict[str, Any] = field(default_factory=dict, hash=False)
    noise: float = 0.0
    cost: float = 1.0

    def learner_of(self, leader: str) -> EBPGConfig:
        """Return how a leader of that name learns. Raises ValueError for an unknown one."""
        kind = leader_kind(leader)
        return replace(kind.learner if self.tuned else kind.untuned, **self.learner)


_CONSTANT: Final[dict[str, Any]] = {"learning_rate_end": 1.0, "entropy_end": 1.0}

REGIMES: Final[dict[str, Regime]] = {
    "ours": Regime("32 episodes an update, each leader with its tuned settings, each follower's own return"),
    # Sec. 5.1. What its text leaves open is as plain as can be: the return to go without lambda or scaling, one step.
    "paper": Regime(
        "the paper's: one episode an update, the team's return, its learning rates (0.0003, critic 0.001), entropy "
        "0.01, 10 % random offers falling to none over 5,000 episodes, 30 % random actions of the followers",
        num_envs=1,
        tuned=False,
        learner={
            **_CONSTANT,
            "learning_rate": 3e-4,
            "critic_learning_rate": 1e-3,
            "credit": "team",
            "explore": 0.1,
            "explore_episodes": 5_000,
            "lambda_entropy": 0.01,
            "lambda_termination": 0.001,
            "normalise_advantage": False,
            "gamma": 1.0,
            "gae_lambda": 1.0,
            "epochs": 1,
        },
        noise=0.3,
        cost=10.0,
    ),
    # What a leader is there says (paymaster.algorithms.ORIGINALS); there is nothing that all have in common beside.
    "original": Regime(
        "as the original had it: M3RL's planes, networks, statistics, first offers and learning, one episode an "
        "update, exploration for as large a share of the training, no random actions",
        num_envs=1,
        tuned=False,
        cost=30.0,
    ),
    "two time scales": Regime(
        "ours, but for learning rates: 0.0003 for the leader's policy, 0.001 for its critic and the followers",
        learner={"learning_rate": 3e-4, "critic_learning_rate": 1e-3, "learning_rate_end": 1.0},
        follower_learner={"learning_rate": 1e-3},
    ),
    "one time scale": Regime(
        "ours, but for learning rates: 0.001 for everybody",
        learner={"learning_rate": 1e-3, "critic_learning_rate": 1e-3, "learning_rate_end": 1.0},
        follower_learner={"learning_rate": 1e-3},
    ),
}
"""Name -> regime."""

SETTINGS: Final[dict[SettingsName, Regime]] = {"tuned": REGIMES["ours"], "paper": REGIMES["paper"]}
"""What ``paymaster train --settings`` knows -> regime."""
