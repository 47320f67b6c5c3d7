"""Games of several seeds, played as one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster.envs.vector import LeaderVectorEnv, Observation
from paymaster.features.leader import FeatureEncoder

__all__ = ["SeedEncoder", "SeedGames"]


class SeedGames:
    """S batches of B games, one a seed, as one batch of S B games, those of one seed after those of the other.

    Each goes on as if played alone: once all games of a seed have ended its batch is not stepped any more.

    Args:
        envs: of the seeds, alike but for their seed, with rule-based followers.

    Attributes:
        envs: those given.
        playing: of each seed, whether any of its games goes on; always this list.
        num_envs: S B.
        num_followers, parameters, goal_reward, autoreset_mode: of each of them.
    """

    def __init__(self, envs: Sequence[LeaderVectorEnv]) -> None:
        self.envs = tuple(envs)
        self.playing = [True] * len(envs)
        self.num_envs = sum(env.num_envs for env in envs)
        self.num_followers, self.parameters = envs[0].num_followers, envs[0].parameters
        self.goal_reward, self.autoreset_mode = envs[0].goal_reward, envs[0].autoreset_mode
        self._observations: list[Observation] = []
        self._results: dict[int, tuple[NDArray[np.bool_], dict[str, Any]]] = {}  # of each seed's last step

    def reset(self) -> tuple[list[Observation], dict[str, Any]]:
        """Starts the next episode of every game; observations of each seed."""
        self.playing[:] = [True] * len(self.envs)
        self._observations = [env.reset()[0] for env in self.envs]
        self._results = {}
        return self._observations, {}

    def step(
        self, actions: NDArray[np.int64]
    ) -> tuple[list[Observation], None, NDArray[np.bool_], None, dict[str, Any]]:
        """One step of all games, by actions int64 [S B, N, 2]; observations of each seed, the rest joined.

        No rewards: ``info`` says more exactly where they come from.
        """
        for seed, (env, own) in enumerate(zip(self.envs, np.split(actions, len(self.envs)), strict=True)):
            if self.playing[seed]:
                self._observations[seed], _, ended, _, info = env.step(own)
                self._results[seed] = ended, info
                self.playing[seed] = not ended.all()
        every_end, infos = zip(*self._results.values(), strict=True)
        return self._observations, None, np.concatenate(every_end), None, _joined(infos)


class SeedEncoder:
    """:class:`~paymaster.features.leader.FeatureEncoder` of such games.

    Args:
        games: whose observations are encoded.

    Attributes:
        follower_features, goal_features: F and D.
    """

    def __init__(self, games: SeedGames) -> None:
        self._encoders = [FeatureEncoder(env) for env in games.envs]
        self.follower_features = self._encoders[0].follower_features
        self.goal_features = self._encoders[0].goal_features

    def encode_into(
        self,
        observation: Sequence[Observation],
        follower: NDArray[np.float32],
        goal: NDArray[np.float32],
        ended: NDArray[np.bool_],
    ) -> None:
        """Writes the features of one step into arrays [S B, ...]."""
        games = len(follower) // len(self._encoders)
        for seed, (encoder, own) in enumerate(zip(self._encoders, observation, strict=True)):
            here = slice(seed * games, (seed + 1) * games)
            encoder.encode_into(own, follower[here], goal[here], ended[here])


def _joined(infos: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        name: _joined([info[name] for info in infos])
        if isinstance(part, dict)
        else np.concatenate([info[name] for info in infos])
        for name, part in infos[0].items()
    }
