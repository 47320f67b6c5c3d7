"""What tests of the methods of the field share: who is tested, small games, spaces, steps and episodes."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from paymaster.algorithms import FIELD
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.field import FieldLeader, OfferSpace
from paymaster.algorithms.protocol import LeaderAlgorithm, LeaderInput
from paymaster.envs.tasks import make_vec
from paymaster.play.rollout import Rollout
from paymaster.training.config import TrainConfig
from paymaster.training.setup import make_leader
from tiny_games import GAMES, TinyGame, gains

__all__ = ["HERE", "METHODS", "PRICED", "for_one", "leader_of", "played", "seen", "share_of_best", "space"]

HERE = [name for name in FIELD if name != "bayes" or find_spec("sklearn") is not None]
"""Methods that this installation has all for."""
METHODS = [name for name in HERE if FIELD[name].field is not None and name != "metagradient"]
"""Those that are no setting of our learner, and play with followers of every kind."""
EVALUATED, EVALUATION_SEED = 1000, 10**9 + 7


PRICED = replace(GAMES["hold"], parameters={**GAMES["hold"].parameters, "num_bonuses": 3, "prices": [0.0, 1.0, 2.0]})
"""The same, with a bonus of 0, which nobody works for, and one that is twice as much as it takes."""


def leader_of(name: str, env: Any, **changes: Any) -> FieldLeader:
    leader = make_leader(replace(TrainConfig(env.task, leader=name, device="cpu"), **changes), env)
    assert isinstance(leader, LeaderAlgorithm)
    assert isinstance(leader, FieldLeader)
    return leader


def share_of_best(name: str, game: TinyGame, batches: int, **changes: Any) -> float:
    """Train on so many batches of 32 episodes; return the gain on others as a share of the best leader's."""
    env = game.make(32, 0)
    leader = make_leader(replace(TrainConfig(game.task, leader=name, device="cpu"), **changes), env)
    rollout = Rollout(env, leader, torch.Generator().manual_seed(0))
    for _ in range(batches):
        episodes, _ = rollout.play(explore=leader.exploration_rate(0))
        assert episodes is not None
        leader.update(episodes)
    unseen = game.make(EVALUATED, EVALUATION_SEED)
    unseen.statistics.set(**env.statistics.arrays())
    unseen.statistics.frozen = True
    _, totals = Rollout(unseen, leader, torch.Generator().manual_seed(1)).play(keep=False)
    return float(totals.gain.mean() / gains(game.make(EVALUATED, EVALUATION_SEED), game.best).mean())


def for_one(observation: Any) -> Any:
    """Type 0 for 1, in the game with prices 0, 1 and 2."""
    return np.stack((np.zeros_like(observation["identity"]), np.ones_like(observation["identity"])), axis=-1)


def space(**changes: Any) -> OfferSpace:
    """Two goal types, three levels; four features of a follower, five of a goal type."""
    usual = OfferSpace(2, 3, 2, False, 4, 5, torch.tensor([5.0, 2.0]), torch.tensor([1.0, 2.0, 3.0]))
    return replace(usual, **changes)


def seen(games: int, followers: int, seed: int = 0) -> LeaderInput:
    """A first step of random features."""
    draw = torch.Generator().manual_seed(seed)
    return LeaderInput(
        torch.rand(games, followers, 4, generator=draw),
        torch.rand(games, followers, 2, 5, generator=draw),
        torch.full((games, followers), -1),
        torch.ones(games, followers, dtype=torch.bool),
        0,
    )


def played(abstain: bool = False) -> tuple[FieldLeader, Episodes]:
    """A leader with bonus levels to choose from, and episodes it has played."""
    env = make_vec("multi_bonus_resource_collection", 6, 1, 1, autoreset_mode="Disabled", abstain=abstain)
    leader = leader_of("thompson", env)
    episodes, _ = Rollout(env, leader, torch.Generator().manual_seed(0)).play(explore=1.0)
    assert episodes is not None
    return leader, episodes
