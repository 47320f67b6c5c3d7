"""A leader network as a leader like any other: it starts an episode and makes offers for observations."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paymaster.algorithms.original import OriginalLeader
from paymaster.algorithms.protocol import LeaderStep, Player
from paymaster.features.leader import FeatureEncoder, flatten_offers
from paymaster.features.performance import PerformanceFeatureEncoder
from paymaster.features.planes import PlaneEncoder
from paymaster.play.recording import Recording
from paymaster.play.scripted_player import ScriptedPlayer

__all__ = ["NetworkLeader"]


class NetworkLeader:
    """Makes offers with a leader algorithm, from observations that it encodes (:class:`.Leader`).

    Args:
        player: decides.
        generator: of its random draws, on its device.
        explore: the exploration rate.
        greedy: its most likely offers instead of draws.
        keep: record the episodes to learn from.

    Attributes:
        recording: of the current episodes.
        attention: its weights of the followers in its last decision, float [B, N]; None if it has none.
    """

    def __init__(
        self,
        player: Player,
        generator: torch.Generator,
        *,
        explore: float = 0.0,
        greedy: bool = False,
        keep: bool = False,
    ) -> None:
        self.player, self.keep, self._generator = player, keep, generator
        self._how: dict[str, Any] = {"explore": explore, "generator": generator, "greedy": greedy}
        self._attention: Tensor | None = None

    @property
    def opening_steps(self) -> int:
        """Steps at the start of an episode whose offers are not its own, and which do not count."""
        return self.player.opening_steps if isinstance(self.player, OriginalLeader) else 0

    @property
    def attention(self) -> NDArray[np.float32] | None:
        return None if self._attention is None else self._attention.cpu().numpy()

    def start(self, env: Any) -> None:
        """Begin new episodes of a batch: nothing offered yet, nothing remembered."""
        games, n, device = env.num_envs, env.num_followers, self.player.device
        self._encoder = self._encoder_of(env)
        self.recording = Recording(env, self._encoder, device, keep=self.keep)
        self._previous = torch.full((games, n), -1, dtype=torch.int64, device=device)
        self._state = self.player.initial_state(games, n)
        self._step, self._attention = 0, None
        if isinstance(self.player, ScriptedPlayer):
            self.player.begin(env, self._generator)

    def _encoder_of(self, env: Any) -> FeatureEncoder | PlaneEncoder:
        if isinstance(self.player, OriginalLeader):
            return PlaneEncoder(env, see_others=self.player.see_others)
        if getattr(self.player, "performance_history", False):
            return PerformanceFeatureEncoder(env)
        # A scripted leader offers any goal type, and so do some of the field's.
        every = isinstance(self.player, ScriptedPlayer) or getattr(self.player, "all_goals", False)
        return FeatureEncoder(env, all_goals=every)

    def offers(self, env: Any, observation: Any) -> NDArray[np.int64]:
        """Return actions int64 [B, N, 2] for the observed step."""
        seen = self.recording.see(observation, self._previous, self._step)
        if isinstance(self.player, ScriptedPlayer):
            actions, parameters = self.player.offers(env, observation), env.parameters
            flat = flatten_offers(actions, parameters["num_goals"], parameters["num_bonuses"])
            step = LeaderStep(torch.from_numpy(flat), None)
        else:
            step = self.player.act(seen, self._state, **self._how)
            actions = self._encoder.actions(step.offer.cpu().numpy(), observation)
        self.recording.decide(self._step, step, actions)
        self._previous, self._state = self.recording.carried(step.offer), step.state
        self._attention = step.attention
        self._step += 1
        return actions
