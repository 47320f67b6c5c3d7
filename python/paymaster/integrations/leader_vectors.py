"""The leader's side for libraries that want vectors, of one game and of a batch."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from paymaster.envs.ownership import View, one_at_a_time
from paymaster.envs.single import LeaderEnv
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.integrations.vectors import LeaderSight, flat_actions, vector_space
from paymaster.validation.arguments import as_array

__all__ = ["BatchedLeaderVectors", "LeaderVectors"]

Floats = NDArray[np.float32]


class LeaderVectors(View, gymnasium.Wrapper[NDArray[Any], NDArray[np.integer[Any]], Any, Any]):
    """One game: observations float32[N (F + G D)], actions int[2 N].

    The features are those that this package's leaders see (``cpp/features/features.hpp``), follower by
    follower; an action is goal and bonus of follower 0, of follower 1, ... A reset with a seed empties the history
    statistics, too, unless they are frozen. Each environment has a history of its own
    (``docs/integrations.md``, "What copies share").

    Args:
        env: a :class:`LeaderEnv`, in wrappers that leave observations and actions as they are, or in none.

    Raises:
        TypeError: another environment.
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        game = env.unwrapped
        if not isinstance(game, LeaderEnv):
            raise TypeError(f"env: expected a LeaderEnv, got {type(game).__name__}")
        super().__init__(env)
        self._batch = game.batch
        self._sight, self._shape = LeaderSight(game.batch), game.action_space.shape
        self.observation_space = vector_space(self._sight.width)
        self.action_space = flat_actions(game.action_space)

    @one_at_a_time
    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """As of :class:`LeaderEnv`."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._sight.reset(seed)
        return _encode_one(self._sight, observation), info

    @one_at_a_time
    def step(self, action: ArrayLike) -> tuple[Floats, Any, bool, bool, dict[str, Any]]:
        """As of :class:`LeaderEnv`; action int[2 N]. Raises ValueError for another shape or a value out of range."""
        offers = _offers("action", action, self.action_space.shape, self._shape)
        observation, reward, terminated, truncated, info = self.env.step(offers)
        return _encode_one(self._sight, observation), reward, terminated, truncated, info


class BatchedLeaderVectors(View, VectorWrapper):
    """B games: observations float32[B, N (F + G D)], actions int[B, 2 N]; else as :class:`LeaderVectors`.

    All games share one history (``docs/integrations.md``, "What copies share"). TorchRL's ``GymWrapper`` takes it, over
    a batch with ``autoreset_mode="Disabled"``, as a batched environment.

    Args:
        env: a :class:`LeaderVectorEnv`, in wrappers that leave observations and actions as they are, or in none.

    Raises:
        TypeError: another environment.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        batch = env.unwrapped
        if not isinstance(batch, LeaderVectorEnv):
            raise TypeError(f"env: expected a LeaderVectorEnv, got {type(batch).__name__}")
        super().__init__(env)
        self._batch = batch
        self._sight, self._shape = LeaderSight(batch), batch.action_space.shape
        self.autoreset_mode: AutoresetMode = batch.autoreset_mode  # TorchRL asks for it
        self.single_observation_space = vector_space(self._sight.width)
        self.single_action_space = flat_actions(batch.single_action_space)
        self.observation_space = batch_space(self.single_observation_space, batch.num_envs)
        self.action_space = batch_space(self.single_action_space, batch.num_envs)

    @one_at_a_time
    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """As of :class:`LeaderVectorEnv`."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._sight.reset(seed)
        return self._sight.encode(observation), info

    @one_at_a_time
    def step(self, actions: ArrayLike) -> tuple[Floats, Any, Any, Any, dict[str, Any]]:
        """As of :class:`LeaderVectorEnv`; actions int[B, 2 N]. Raises ValueError for another shape or range."""
        offers = _offers("actions", actions, self.action_space.shape, self._shape)
        observation, reward, terminated, truncated, info = self.env.step(offers)
        if "final_obs" in info:
            info["final_obs"] = self._encode_final(info["final_obs"], np.flatnonzero(info["_final_obs"]))
        return self._sight.encode(observation), reward, terminated, truncated, info

    def _encode_final(self, observations: NDArray[Any], ended: NDArray[np.intp]) -> NDArray[Any]:
        """The last observations of the games that ended, object[B], as vectors in place of dicts."""
        fields = {name: np.stack([observations[i][name] for i in ended]) for name in observations[ended[0]]}
        final = np.full(self.num_envs, None, dtype=object)
        for i, vector in zip(ended, self._sight.encode(fields), strict=True):
            final[i] = vector
        return final


def _encode_one(sight: LeaderSight, observation: Any) -> Floats:
    """A single game's observation."""
    return sight.encode({name: np.asarray(value)[None] for name, value in observation.items()}).reshape(-1)


def _offers(name: str, value: ArrayLike, flat: Any, shape: Any) -> NDArray[Any]:
    """Flat actions in the shape that the game takes. Raises ValueError for another shape."""
    array = as_array(name, value)
    if array.shape != flat:
        raise ValueError(f"{name}: expected shape {flat}, got {array.shape}")
    return array.reshape(shape)
