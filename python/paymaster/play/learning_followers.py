"""Followers that learn, at play: what they see of a game, what they answer, and their episodes as they lived them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from paymaster.algorithms.followers import FollowerAlgorithm, FollowerEpisodes, FollowerInput
from paymaster.algorithms.q_learning import QFollowers, QSizes
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.envs.vector import Observation
from paymaster.features.follower import FollowerFeatures
from paymaster.features.follower_table import FollowerStates
from paymaster.networks.follower_policy import FollowerConfig, Identities

__all__ = ["FollowerEncoder", "LearningFollowers", "TableEncoder"]


class FollowerEncoder:
    """What followers see, as tensors: :class:`paymaster.features.follower.FollowerFeatures`, and who they are.

    Args:
        env: the batch whose observations are looked at.
        device: where the features are wanted.

    Attributes:
        own_features, goal_features: numbers of features per follower, and per follower and goal type.
        whole, candidates: of :class:`.FollowerFeatures`.
    """

    def __init__(self, env: TwoPhaseVectorEnv, device: torch.device) -> None:
        self._features = FollowerFeatures(env)
        self._device, self._parameters = device, env.parameters
        self._meta = env.parameters["followers"] == "meta"
        self._choices = self._features.candidates + 1 if self._meta else env.num_actions
        self.own_features, self.goal_features = self._features.own_features, self._features.goal_features
        self.whole, self.candidates = self._features.whole, self._features.candidates

    def config(self, hidden: int, identities: Identities) -> FollowerConfig:
        """Sizes of the networks that look through these eyes."""
        return FollowerConfig(
            population=self._parameters["population_size"],
            num_goals=self.candidates,
            num_actions=self._choices,
            meta=self._meta,
            own_features=self.own_features,
            goal_features=self.goal_features,
            hidden=hidden,
            identities=identities,
        )

    def encode_into(self, observation: Observation, *arrays: NDArray[Any]) -> FollowerInput:
        """Write the features of one step, and who the followers are, into arrays of the caller's
        (:meth:`.FollowerFeatures.encode_into`), and return them as tensors, views of them on the CPU."""
        self._features.encode_into(observation, *arrays)
        return FollowerInput(*(torch.from_numpy(array).to(self._device) for array in arrays))

    def actions(self, answered: NDArray[np.int64], observation: Observation) -> NDArray[np.int64]:
        """Return what followers have chosen among the actions of their networks as the environment takes it, [B, N]."""
        if not (self._meta and self._features.near_goals):
            return answered
        return np.where(observation["acts"], self._features.goals(answered, observation), 0)


class TableEncoder:
    """What followers with a table see: the number of their state (:class:`.FollowerStates`) in place of features.

    Args:
        env: the batch whose observations are looked at.
    """

    own_features, goal_features, whole = 1, 0, None

    def __init__(self, env: TwoPhaseVectorEnv) -> None:
        self._states, self._population = FollowerStates(env), int(env.parameters["population_size"])
        self.candidates: int = env.parameters["num_goals"]
        self._choices = int(env.single_follower_action_space.nvec[0])

    def sizes(self) -> QSizes:
        """Sizes of the table."""
        return QSizes(self._population, self._states.count, self._choices)

    def encode_into(self, observation: Observation, *arrays: NDArray[Any]) -> FollowerInput:
        """As of :class:`FollowerEncoder`; a state is exact as a float32."""
        own, _, identity = arrays
        own[..., 0], identity[...] = self._states.encode(observation), observation["identity"]
        return FollowerInput(*map(torch.from_numpy, arrays))

    def actions(self, answered: NDArray[np.int64], observation: Observation) -> NDArray[np.int64]:
        """Return what followers have chosen, which the environment takes as it is."""
        return answered


class _Recording:
    """Arrays [T, B, N, ...] of what followers live through, filled a step at a time while they play.

    Args:
        env: the batch that is played.
        encoder: of what they see.
        keep: with room for all steps of an episode; else for one, which each step overwrites.

    Attributes:
        played: steps that are complete.
    """

    def __init__(self, env: TwoPhaseVectorEnv, encoder: FollowerEncoder | TableEncoder, *, keep: bool) -> None:
        # A batch that resets games by itself may take one step more than they have, in which it does that.
        steps = env.parameters["horizon"] + 1 if keep else 1
        shape = (steps, env.num_envs, env.num_followers)
        self.keep, self.played = keep, 0
        self._own = np.empty((*shape, encoder.own_features), np.float32)
        self._goal = np.empty((*shape, encoder.candidates, encoder.goal_features), np.float32)
        self._identity = np.empty(shape[1:], np.int64)
        self._action, self._acts = np.empty(shape, np.int64), np.empty(shape, np.bool_)
        self._reward = np.empty(shape, np.float32)

    def see(self, observation: Observation) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
        """Record who acts in a step; return where features and identities are to be written."""
        row = self.played
        self._acts[row] = observation["acts"]
        return self._own[row], self._goal[row], self._identity

    def decide(self, action: NDArray[np.int64]) -> None:
        """Record their actions, [B, N]."""
        self._action[self.played] = action

    def result(self, reward: NDArray[np.float32]) -> None:
        """Record what these earned them, [B, N]; the step is complete."""
        self._reward[self.played] = reward
        self.played += self.keep

    def episodes(self, explore: float) -> FollowerEpisodes:
        """All of it. The recording's own memory, which belongs to the episodes from now on."""
        own, goal, action, reward, acts = (
            torch.from_numpy(array[: self.played])
            for array in (self._own, self._goal, self._action, self._reward, self._acts)
        )
        return FollowerEpisodes(own, goal, torch.from_numpy(self._identity), action, reward, acts, explore)


class LearningFollowers:
    """A population that answers in a batch's steps (:class:`paymaster.envs.two_phase.Answering`), with its own draws.

    Args:
        env: the batch; they take their seats in it (``env.answering``).
        followers: their networks, or their table.
        generator: of their draws, on their device.

    Attributes:
        explore: iota or epsilon, in training.
        greedy: their likeliest answers instead of draws.
        keep: write down what they live through, for :meth:`lived`.
    """

    def __init__(self, env: TwoPhaseVectorEnv, followers: FollowerAlgorithm, generator: torch.Generator) -> None:
        self.followers, self.generator = followers, generator
        self.explore, self.greedy, self.keep = 0.0, False, False
        table = isinstance(followers, QFollowers)
        self._env, self._encoder = env, TableEncoder(env) if table else FollowerEncoder(env, followers.device)
        self._actor = followers.actor()
        self._recording: _Recording | None = None
        env.answering = self

    def answer(self, observation: Observation) -> NDArray[np.int64]:
        """Their actions, int64 [B, N], 0 where nobody acts."""
        first = observation["step"].flat[0] == 0
        if first:
            self._actor = self.followers.actor()
        if first or self._recording is None or self._recording.keep != self.keep:
            self._recording = _Recording(self._env, self._encoder, keep=self.keep)
        arrays, encoder, answered = self._recording.see(observation), self._encoder, None
        how: dict[str, Any] = {"explore": self.explore, "generator": self.generator, "greedy": self.greedy}
        if encoder.whole is not None:
            answered = self._actor.answer(encoder.whole, observation, *arrays, **how)
        if answered is None:
            seen = encoder.encode_into(observation, *arrays)
            answered = np.where(observation["acts"], self.followers.act(seen, self._actor, **how).cpu().numpy(), 0)
        self._recording.decide(answered)
        return encoder.actions(answered, observation)

    def earned(self, reward: NDArray[np.float32]) -> None:
        """What that earned them."""
        if self._recording is not None:
            self._recording.result(reward)

    def lived(self) -> FollowerEpisodes:
        """Return the episode that the batch has played last, of those that were not returned.

        Raises:
            ValueError: none was kept.
        """
        recording, self._recording = self._recording, None
        if recording is None or recording.played == 0:
            raise ValueError("lived: expected an episode played with keep = True, got none")
        return recording.episodes(self.explore)
