"""Followers that learn, at play: what they see of a game, what they answer, and their episodes as they lived them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paymaster.algorithms.followers import FollowerActorCritic, FollowerEpisodes, FollowersSeen
from paymaster.envs.features import NOW, FeatureEncoder
from paymaster.envs.spaces import NUM_ACTIONS
from paymaster.envs.surroundings import Surroundings
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.envs.vector import Observation
from paymaster.networks.follower_policy import FollowerConfig, Identities

__all__ = ["FollowerEyes", "FollowersAtPlay"]


class FollowerEyes:
    """What followers see, as numbers: the augmented state (s, omega^k) and their own traits (paper, Sec. 4.3).

    Of what a leader sees, all that is of this step; beside it their reservation, what taking the offer pays at once,
    and for each goal type whether it is preferred (times the reservation), whether they have the skill, whether it is
    offered now and for how much. Primitive followers also see the ground around them (:class:`Surroundings`); a
    planner's moves they do not see, for that would tell them what to do.

    Args:
        env: the batch whose observations are looked at.
        device: where the features are wanted.

    Attributes:
        own_features, goal_features: numbers of features per follower, and per follower and goal type.
    """

    def __init__(self, env: TwoPhaseVectorEnv, device: torch.device) -> None:
        options = env.options
        self._encoder = FeatureEncoder(env)
        self._device, self._goals, self._bonuses = device, options["num_goals"], options["num_bonuses"]
        self._meta: bool = options["followers"] == "meta"
        self._ground = None if self._meta else Surroundings(env)
        extra = (0, 0) if self._ground is None else (self._ground.follower_features, self._ground.goal_features)
        self.own_features: int = self._encoder.follower_features + 2 + extra[0]
        self.goal_features: int = NOW + 4 + extra[1]
        self._population: int = options["population_size"]

    def config(self, hidden: int, identities: Identities) -> FollowerConfig:
        """Sizes of the networks that look through these eyes."""
        return FollowerConfig(
            population=self._population,
            num_goals=self._goals,
            num_actions=self._goals + 1 if self._meta else NUM_ACTIONS,
            meta=self._meta,
            own_features=self.own_features,
            goal_features=self.goal_features,
            hidden=hidden,
            identities=identities,
        )

    def look(self, observation: Observation) -> FollowersSeen:
        """Of one step, from what :meth:`TwoPhaseVectorEnv.offer` returned."""
        follower, goals = (self._tensor(array) for array in self._encoder.encode(observation))
        kinds = torch.arange(self._goals, device=self._device)
        offered, preference, skill = (self._tensor(observation[name]) for name in ("offered", "preference", "skill"))
        reservation, due = (self._tensor(observation[name]) / self._bonuses for name in ("reservation", "due"))
        offered_here = (offered[..., :1] == kinds).float()
        price = (offered[..., 1:] + 1) / self._bonuses
        preferred = (preference.unsqueeze(-1) == kinds) * reservation.unsqueeze(-1)
        own = [follower, torch.stack((reservation, due), dim=-1)]
        goal = [goals[..., :NOW], torch.stack((preferred, skill.float(), offered_here, offered_here * price), dim=-1)]
        if self._ground is not None:
            around, ways = self._ground.encode(observation)
            own.append(self._tensor(around))
            goal.append(self._tensor(ways))
        identity = self._tensor(observation["identity"]).long()
        return FollowersSeen(torch.cat(own, dim=-1), torch.cat(goal, dim=-1), identity)

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device)


class FollowersAtPlay:
    """A population that answers in a batch's steps (:class:`paymaster.envs.two_phase.Answering`), with its own draws.

    Args:
        env: the batch; they take their seats in it (``env.answering``).
        followers: their networks.
        generator: of their draws, on their device.

    Attributes:
        explore: iota, in training.
        greedy: their likeliest answers instead of draws.
        keep: write down what they live through, for :meth:`lived`.
    """

    def __init__(self, env: TwoPhaseVectorEnv, followers: FollowerActorCritic, generator: torch.Generator) -> None:
        self.followers, self.generator = followers, generator
        self.explore, self.greedy, self.keep = 0.0, False, False
        self._eyes = FollowerEyes(env, followers.device)
        self._seen: list[FollowersSeen] = []
        self._results: list[tuple[Tensor, Tensor, Tensor]] = []  # action, asked, reward
        self._last: tuple[Tensor, Tensor] | None = None
        env.answering = self

    def answer(self, observation: Observation) -> NDArray[np.int64]:
        """Their actions, int64 [B, N]."""
        seen = self._eyes.look(observation)
        action = self.followers.act(seen, explore=self.explore, generator=self.generator, greedy=self.greedy)
        if self.keep:
            self._seen.append(seen)
            self._last = action, torch.from_numpy(observation["asked"].copy()).to(action.device)
        answered: NDArray[np.int64] = action.cpu().numpy()
        return answered

    def earned(self, reward: NDArray[np.float32]) -> None:
        """What that earned them."""
        if self._last is not None:
            self._results.append((*self._last, torch.from_numpy(reward.copy()).to(self.followers.device)))
            self._last = None

    def lived(self) -> FollowerEpisodes:
        """All steps since the last call, in which the batch has played one episode.

        Raises:
            ValueError: none was kept.
        """
        if not self._results:
            raise ValueError("lived: expected an episode played with keep = True, got none")
        action, asked, reward = (torch.stack(part) for part in zip(*self._results, strict=True))
        episodes = FollowerEpisodes(
            own=torch.stack([seen.own for seen in self._seen]),
            goal=torch.stack([seen.goal for seen in self._seen]),
            identity=self._seen[0].identity,
            action=action,
            reward=reward,
            asked=asked,
            explore=self.explore,
        )
        self._seen, self._results = [], []
        return episodes
