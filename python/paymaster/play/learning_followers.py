"""Followers that learn, at play: what they see of a game, what they answer, and their episodes as they lived them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paymaster.algorithms.followers import FollowerActorCritic, FollowerEpisodes, FollowerInput
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.envs.vector import Observation
from paymaster.features.follower import FollowerFeatures
from paymaster.networks.follower_policy import FollowerConfig, Identities

__all__ = ["FollowerEncoder", "LearningFollowers"]


class FollowerEncoder:
    """What followers see, as tensors: :class:`paymaster.features.follower.FollowerFeatures`, and who they are.

    Args:
        env: the batch whose observations are looked at.
        device: where the features are wanted.

    Attributes:
        own_features, goal_features: numbers of features per follower, and per follower and goal type.
    """

    def __init__(self, env: TwoPhaseVectorEnv, device: torch.device) -> None:
        self._features = FollowerFeatures(env)
        self._device, self._parameters = device, env.parameters
        self._choices = int(env.single_follower_action_space.nvec[0])
        self.own_features, self.goal_features = self._features.own_features, self._features.goal_features

    def config(self, hidden: int, identities: Identities) -> FollowerConfig:
        """Sizes of the networks that look through these eyes."""
        return FollowerConfig(
            population=self._parameters["population_size"],
            num_goals=self._parameters["num_goals"],
            num_actions=self._choices,
            meta=self._parameters["followers"] == "meta",
            own_features=self.own_features,
            goal_features=self.goal_features,
            hidden=hidden,
            identities=identities,
        )

    def encode(self, observation: Observation) -> FollowerInput:
        """Of one step, from what :meth:`TwoPhaseVectorEnv.offer` returned."""
        own, goal = self._features.encode(observation)
        identity = observation["identity"].astype(np.int64)
        return FollowerInput(*(torch.from_numpy(array).to(self._device) for array in (own, goal, identity)))


class LearningFollowers:
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
        self._encoder = FollowerEncoder(env, followers.device)
        self._actor = followers.actor()
        self._seen: list[FollowerInput] = []
        self._results: list[tuple[Tensor, Tensor, Tensor]] = []  # action, acts, reward
        self._last: tuple[Tensor, Tensor] | None = None
        env.answering = self

    def answer(self, observation: Observation) -> NDArray[np.int64]:
        """Their actions, int64 [B, N]."""
        seen = self._encoder.encode(observation)
        if observation["step"].flat[0] == 0:
            self._actor = self.followers.actor()
        action = self.followers.act(
            seen, self._actor, explore=self.explore, generator=self.generator, greedy=self.greedy
        )
        if self.keep:
            self._seen.append(seen)
            self._last = action, torch.from_numpy(observation["acts"].copy()).to(action.device)
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
        action, acts, reward = (torch.stack(part) for part in zip(*self._results, strict=True))
        own, goal, identity = (torch.stack(part) for part in zip(*self._seen, strict=True))
        self._seen, self._results = [], []
        return FollowerEpisodes(own, goal, identity[0], action, reward, acts, self.explore)
