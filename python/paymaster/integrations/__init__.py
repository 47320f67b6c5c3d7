"""A game seen from three sides, for other libraries; every view steps the core that the batch steps.

- the whole game, leader and followers: :func:`parallel_env` and :func:`aec_env` (PettingZoo);
- the leader's side: :func:`paymaster.make` and :func:`paymaster.make_vec` (Gymnasium), with :class:`LeaderVectors`
  and :class:`BatchedLeaderVectors` over them for libraries that want vectors, and :func:`sb3_vec_env` for
  Stable-Baselines3;
- the followers' side, with a leader inside: :func:`followers_env` (PettingZoo), and :class:`FollowerEnv` (Gymnasium)
  for a single one.

Games of one batch share a history of followers, single copies have one each
(``docs/integrations.md``, "What copies share").

PettingZoo and Stable-Baselines3 are extras, ``pip install 'paymaster[pettingzoo,sb3]'``; without them what is written
for them raises ImportError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paymaster.integrations.fixed_leader import LeaderLike
from paymaster.integrations.follower import FollowerEnv
from paymaster.integrations.leader_vectors import BatchedLeaderVectors, LeaderVectors

if TYPE_CHECKING:
    from paymaster.integrations.aec import GameAECEnv
    from paymaster.integrations.followers import FollowersParallelEnv
    from paymaster.integrations.parallel import GameParallelEnv
    from paymaster.integrations.sb3 import LeaderVecEnv

__all__ = [
    "BatchedLeaderVectors",
    "FollowerEnv",
    "LeaderLike",
    "LeaderVectors",
    "aec_env",
    "followers_env",
    "parallel_env",
    "sb3_vec_env",
]


def parallel_env(task: str, **arguments: Any) -> GameParallelEnv:
    """The whole game as a ``pettingzoo.ParallelEnv``; see :class:`paymaster.integrations.parallel.GameParallelEnv`."""
    from paymaster.integrations.parallel import GameParallelEnv

    return GameParallelEnv(task, **arguments)


def aec_env(task: str, **arguments: Any) -> GameAECEnv:
    """The whole game as a ``pettingzoo.AECEnv``; see :class:`paymaster.integrations.aec.GameAECEnv`."""
    from paymaster.integrations.aec import GameAECEnv

    return GameAECEnv(task, **arguments)


def followers_env(task: str, leader: LeaderLike = "full_information", **arguments: Any) -> FollowersParallelEnv:
    """The followers as a ``pettingzoo.ParallelEnv``; see :class:`~.followers.FollowersParallelEnv`."""
    from paymaster.integrations.followers import FollowersParallelEnv

    return FollowersParallelEnv(task, leader, **arguments)


def sb3_vec_env(task: str, num_envs: int = 16, *arguments: Any, **named: Any) -> LeaderVecEnv:
    """The leader's side of a batch as a ``VecEnv`` of Stable-Baselines3; see
    :class:`paymaster.integrations.sb3.LeaderVecEnv`."""
    from paymaster.integrations.sb3 import LeaderVecEnv

    return LeaderVecEnv(task, num_envs, *arguments, **named)
