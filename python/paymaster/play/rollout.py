"""Whole episodes of a batch, played by a leader: where environments and algorithms meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.protocol import Player, Seen
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.features.leader import FeatureEncoder, offers_from_flat, run_out
from paymaster.networks.draws import Draws
from paymaster.networks.torch_defaults import usual_torch
from paymaster.play.recording import Recording
from paymaster.play.seed_games import SeedEncoder, SeedGames

__all__ = ["EpisodeTotals", "Rollout", "look"]


@dataclass(frozen=True)
class EpisodeTotals:
    """Sums over each of B finished episodes, as ``info["totals"]`` of the environment names them."""

    gain: NDArray[np.float32]
    payments: NDArray[np.float32]
    incentive: NDArray[np.float32]
    follower_reward: NDArray[np.float32]
    events: NDArray[np.int32]
    length: NDArray[np.int32]
    completions: NDArray[np.int32]  # [B, G]


def look(encoder: FeatureEncoder, observation: Mapping[str, NDArray[Any]], previous: Tensor, step: int) -> Seen:
    """What a leader sees of an observation, on the device of ``previous``, omega_{t-1} int64 [B, N]."""
    arrays = (*encoder.encode(observation), run_out(observation))
    follower, goal, ended = (torch.from_numpy(array).to(previous.device) for array in arrays)
    return Seen(follower, goal, previous, ended, step)


class Rollout:
    """Plays one episode of every game of ``env`` at a time, all games in step, until the last has ended.

    Args:
        env: a batch with ``autoreset_mode=DISABLED``: games that end early wait for the others. Or batches of several
            seeds, with a leader and draws for as many.
        leader: who decides.
        generator: of the leader's random draws, on the leader's device.

    Raises:
        ValueError: another autoreset mode.
    """

    def __init__(self, env: LeaderVectorEnv | SeedGames, leader: Player, generator: Draws) -> None:
        if env.autoreset_mode.value != "Disabled":
            raise ValueError(f"env: expected autoreset_mode 'Disabled', got {env.autoreset_mode.value!r:.80}")
        self.env, self.leader, self.generator = env, leader, generator
        self.encoder = SeedEncoder(env) if isinstance(env, SeedGames) else FeatureEncoder(env)

    @usual_torch()
    def play(
        self, *, explore: float = 0.0, greedy: bool = False, keep: bool = True
    ) -> tuple[Episodes | None, EpisodeTotals]:
        """The next episode of every game.

        Args:
            explore: the exploration rate, for training.
            greedy: the leader's most likely offers instead of a draw.
            keep: collect the episodes to learn from; else the first result is None.
        """
        env, leader, bonuses = self.env, self.leader, self.env.options["num_bonuses"]
        observation, _ = env.reset()
        games, n = env.num_envs, env.num_followers
        recording = Recording(env, self.encoder, leader.device, keep=keep)
        previous = torch.full((games, n), -1, dtype=torch.int64, device=leader.device)
        state = leader.initial_state(games, n)
        ended = np.zeros(games, dtype=np.bool_)
        while not ended.all():
            seen = recording.see(observation, previous)
            step = leader.act(seen, state, explore=explore, generator=self.generator, greedy=greedy)
            actions = offers_from_flat(step.offer.cpu().numpy(), bonuses)
            recording.decide(step, actions, ~ended)
            observation, _, terminated, _, info = env.step(actions)
            recording.result(info)
            previous, state, ended = step.offer, step.state, terminated.copy()
        totals = EpisodeTotals(**{name: values.copy() for name, values in info["totals"].items()})
        return recording.episodes(totals.length, explore) if keep else None, totals
