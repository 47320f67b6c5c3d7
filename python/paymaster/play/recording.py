"""Episodes as they are written down, step by step, while they are played."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.protocol import LeaderInput, LeaderStep
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.events import extract
from paymaster.features.leader import FeatureEncoder
from paymaster.features.planes import PlaneEncoder
from paymaster.play.episode import PlayedStep

__all__ = ["Recording"]


class Recording:
    """Arrays [T, B, N, ...] that are filled a step at a time, so that nothing is allocated or copied on the way.

    What a leader sees lies on its device. On CUDA every step passes through page-locked memory of its own, from where
    it is copied while the games go on.

    Args:
        env: the batch that is played.
        encoder: of its observations.
        device: the leader's.
        keep: with room for all T steps; else for one, which each step overwrites.
    """

    def __init__(
        self,
        env: LeaderVectorEnv,
        encoder: FeatureEncoder | PlaneEncoder,
        device: torch.device,
        *,
        keep: bool,
    ) -> None:
        self._env, self._encoder, self._device, self._keep = env, encoder, device, keep
        games, n = env.num_envs, env.num_followers
        steps = env.parameters["horizon"] if keep else 1
        shape = (steps, games, n)
        pinned = device.type == "cuda"
        self._host = [
            torch.empty(*shape, encoder.follower_features, pin_memory=pinned),
            torch.empty(*shape, encoder.candidates, encoder.goal_features, pin_memory=pinned),
            torch.empty(*shape, dtype=torch.bool, pin_memory=pinned),
        ]
        self._arrays = [tensor.numpy() for tensor in self._host]
        there = device.type == "cpu"
        self._seen = self._host if there else [torch.empty_like(tensor, device=device) for tensor in self._host]
        self._offer = torch.empty(*shape, dtype=torch.int64, device=device)
        self._explored = torch.zeros(*shape, dtype=torch.bool, device=device)
        self._actions = np.zeros((*shape, 2), dtype=np.int64)
        self._results = {
            "follower_action": np.zeros(shape, dtype=np.int64),
            "committed": np.zeros(shape, dtype=np.bool_),
            "completed": np.zeros(shape, dtype=np.int64),
            "payment": np.zeros(shape, dtype=np.float32),
        }
        self._rewards: dict[str, NDArray[np.float32]] = {}  # other than w and payments
        if env.own_objective:
            self._rewards = {"other": np.zeros(shape, np.float32), "common": np.zeros(shape[:2], np.float32)}
        self._valid = np.zeros((steps, games), dtype=np.bool_)
        self._played = 0

    def see(self, observation: Any, previous: Tensor, step: int) -> LeaderInput:
        """Encode what the leader sees of step t; ``previous`` is omega_{t-1}, int64 [B, N] on its device."""
        row = self._row(step)
        self._encoder.encode_into(observation, *(array[row] for array in self._arrays))
        if self._seen is not self._host:
            for there, here in zip(self._seen, self._host, strict=True):
                there[row].copy_(here[row], non_blocking=self._keep)  # a row that is used again must have been read
        follower, goal, expired = (part[row] for part in self._seen)
        return LeaderInput(follower, goal, previous, expired, step)

    def decide(self, step: int, decision: LeaderStep, actions: NDArray[np.int64]) -> None:
        """Record the decision of step t, and the same as the environment takes it, [B, N, 2]."""
        row = self._row(step)
        self._offer[row] = decision.offer
        if decision.explored is not None:
            self._explored[row] = decision.explored
        self._actions[row] = actions

    def carried(self, offer: Tensor) -> Tensor:
        """Return a step's offers, int64 [..., N], as they are numbered in the next: the goal type that a follower was
        offered is the first of its candidates."""
        if not self._encoder.near_goals:
            return offer
        bonuses = self._env.parameters["num_bonuses"]
        return torch.where(offer < self._encoder.candidates * bonuses, offer % bonuses, offer)

    def result(self, played: PlayedStep) -> None:
        """Record the results of a step, which is then complete."""
        row = self._row(self._played)
        self._valid[row] = played.playing
        for name, array in self._results.items():
            array[row] = played.info[name]
        if self._rewards:
            self._rewards["other"][row], self._rewards["common"][row] = self._other_rewards(played)
        self._played += 1

    def episodes(self, lengths: NDArray[np.int32], explore: float) -> Episodes:
        """All of it. The recording's own memory, which belongs to the episodes from now on."""
        played, device, parameters = self._played, self._device, self._env.parameters
        follower, goal, expired = (part[:played] for part in self._seen)
        results = {name: torch.from_numpy(array[:played]).to(device) for name, array in self._results.items()}
        events = extract(self._actions[:played], lengths, num_goals=parameters["num_goals"])
        offer = self._offer[:played]
        # A finished game reports action -1; its steps are not valid and any index will do.
        results["follower_action"].clamp_(min=0)
        return Episodes(
            follower=follower,
            goal=goal,
            previous=torch.cat((torch.full_like(offer[:1], -1), self.carried(offer[:-1]))),
            offer=offer,
            new_offer=torch.tensor(events.is_new, device=device),
            expired=expired,
            explored=self._explored[:played],
            valid=torch.from_numpy(self._valid[:played]).to(device),
            goal_reward=torch.tensor(self._env.goal_reward, device=device),
            price=torch.tensor(self._env.prices, device=device),
            explore=explore,
            **results,
            **{name: torch.from_numpy(array[:played]).to(device) for name, array in self._rewards.items()},
        )

    def _other_rewards(self, played: PlayedStep) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """What a step's reward holds beside w and payments: for each follower [B, N], and for all of them together [B].

        With weights a, b of gain and welfare a follower brings a (w - payment) + b (w - payment + its reward); what is
        left, of the change in equality and of the world's own reward, is everybody's.
        """
        info, parameters = played.info, self._env.parameters
        completed = info["completed"]
        gained = np.where(completed >= 0, self._env.goal_reward[completed], 0.0) - info["payment"].astype(np.float64)
        welfare = parameters["weight_welfare"]
        other = welfare * info["follower_reward"] + (parameters["weight_gain"] + welfare - 1.0) * gained
        return other, played.reward - (gained + other).sum(-1)

    def _row(self, step: int) -> int:
        return step if self._keep else 0
