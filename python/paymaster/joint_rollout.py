"""Whole episodes of a batch, played by a leader and by followers that learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paymaster.algorithms.followers import FollowerActorCritic, FollowerEpisodes, FollowersSeen
from paymaster.algorithms.protocol import LeaderAlgorithm, Seen
from paymaster.envs.features import NOW, FeatureEncoder
from paymaster.envs.spaces import NUM_ACTIONS
from paymaster.envs.surroundings import Surroundings
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.envs.vector import Observation, Step
from paymaster.episodes import Episodes
from paymaster.networks.follower_policy import FollowerConfig
from paymaster.rollout import EpisodeTotals, Rollout

__all__ = ["FollowerEyes", "JointRollout"]


class FollowerEyes:
    """What followers see, as numbers: the augmented state (s, omega^k) and their own traits (paper, Sec. 4.3).

    Of what the leader sees, all that is of this step; beside it their reservation, and for each goal type whether it is
    preferred (times the reservation), whether they have the skill, whether it is offered now and for how much. Meta
    followers see their planner's first actions where the game shows them; primitive ones, whom that would tell what to
    do, see the ground around them in its place.

    Args:
        env: the batch whose observations are looked at.
        device: where the features are wanted.
    """

    def __init__(self, env: TwoPhaseVectorEnv, device: torch.device) -> None:
        encoder = FeatureEncoder(env)
        options = env.options
        self.meta: bool = options["followers"] == "meta"
        self._device, self._goals, self._bonuses = device, options["num_goals"], options["num_bonuses"]
        self._routes: int = NUM_ACTIONS if self.meta and options["observe_routes"] else 0
        self._ground = None if self.meta else Surroundings(env)
        extra = (0, 0) if self._ground is None else (self._ground.follower_features, self._ground.goal_features)
        self.own_features: int = encoder.follower_features + 1 + extra[0]
        self.goal_features: int = NOW + self._routes + 4 + extra[1]
        self._population: int = options["population_size"]

    def config(self, hidden: int, **kinds: Any) -> FollowerConfig:
        """Sizes of the networks that look through these eyes."""
        return FollowerConfig(
            population=self._population,
            num_goals=self._goals,
            num_actions=self._goals + 1 if self.meta else NUM_ACTIONS,
            meta=self.meta,
            own_features=self.own_features,
            goal_features=self.goal_features,
            hidden=hidden,
            **kinds,
        )

    def look(self, observation: Observation, seen: Seen) -> FollowersSeen:
        """Of one step.

        Args:
            observation: from :meth:`TwoPhaseVectorEnv.offer`.
            seen: what the leader saw of the same step.
        """
        kinds = torch.arange(self._goals, device=self._device)
        offered, preference, reservation, skill = (
            self._tensor(observation[name]) for name in ("offered", "preference", "reservation", "skill")
        )
        reservation = reservation / self._bonuses
        offered_here = (offered[..., :1] == kinds).float()
        price = (offered[..., 1:] + 1) / self._bonuses
        preferred = (preference.unsqueeze(-1) == kinds) * reservation.unsqueeze(-1)
        own = [seen.follower, reservation.unsqueeze(-1)]
        traits = torch.stack((preferred, skill.float(), offered_here, offered_here * price), dim=-1)
        goal = [seen.goal[..., :NOW], traits]
        if self._routes:
            goal.append(seen.goal[..., -self._routes :])
        if self._ground is not None:
            around, ways = self._ground.encode(observation)
            own.append(self._tensor(around))
            goal.append(self._tensor(ways))
        identity = self._tensor(observation["identity"]).long()
        return FollowersSeen(torch.cat(own, dim=-1), torch.cat(goal, dim=-1), identity)

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device)


class JointRollout(Rollout):
    """As :class:`~paymaster.rollout.Rollout`, with followers that are asked.

    Args:
        env: a two-phase batch with ``autoreset_mode=DISABLED``.
        leader: who offers.
        followers: who answer.
        generator: of the leader's and the followers' random draws, on their device.

    Attributes:
        lived: the last episodes as the followers lived through them; None before any was kept.
    """

    env: TwoPhaseVectorEnv

    def __init__(
        self,
        env: TwoPhaseVectorEnv,
        leader: LeaderAlgorithm,
        followers: FollowerActorCritic,
        generator: torch.Generator,
    ) -> None:
        super().__init__(env, leader, generator)
        self.followers, self.eyes = followers, FollowerEyes(env, followers.device)
        self.lived: FollowerEpisodes | None = None
        self._explore, self._greedy = 0.0, False
        self._steps: list[tuple[FollowersSeen, Tensor, Tensor, Tensor]] | None = None

    def play(
        self,
        *,
        explore: float = 0.0,
        greedy: bool = False,
        keep: bool = True,
        follower_explore: float = 0.0,
        follower_greedy: bool | None = None,
    ) -> tuple[Episodes | None, EpisodeTotals]:
        """The next episode of every game; with ``keep`` also as the followers lived it, in :attr:`lived`.

        Args:
            explore, greedy, keep: as of :meth:`Rollout.play`.
            follower_explore: iota of the followers.
            follower_greedy: their likeliest actions instead of draws; by default as the leader.
        """
        self._explore, self._greedy = follower_explore, greedy if follower_greedy is None else follower_greedy
        self._steps = [] if keep else None
        result = super().play(explore=explore, greedy=greedy, keep=keep)
        if self._steps is not None:
            seen, action, asked, reward = (list(part) for part in zip(*self._steps, strict=True))
            self.lived = FollowerEpisodes(
                own=torch.stack([one.own for one in seen]),
                goal=torch.stack([one.goal for one in seen]),
                identity=seen[0].identity,
                action=torch.stack(action),
                asked=torch.stack(asked),
                reward=torch.stack(reward),
                explore=follower_explore,
            )
            self._steps = None
        return result

    def _advance(self, actions: NDArray[np.int64], seen: Seen) -> Step:
        observation = self.env.offer(actions)
        looked = self.eyes.look(observation, seen)
        asked = torch.from_numpy(observation["asked"].copy()).to(self.followers.device)
        answer = self.followers.act(looked, explore=self._explore, generator=self.generator, greedy=self._greedy)
        result = self.env.act(answer.cpu().numpy())
        if self._steps is not None:
            reward = torch.from_numpy(result[4]["follower_reward"].copy()).to(self.followers.device)
            self._steps.append((looked, answer, asked, reward))
        return result
