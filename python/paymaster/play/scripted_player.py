"""A scripted leader in the place of one that learns: it makes offers in a training while its followers learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.process_group import SINGLE_PROCESS, Ranks
from paymaster.algorithms.protocol import Insight, LeaderInput, LeaderStep
from paymaster.scripted import Leader
from paymaster.validation.arguments import as_array

__all__ = ["ScriptedPlayer"]


class ScriptedPlayer:
    """Satisfy :class:`~paymaster.algorithms.protocol.LeaderAlgorithm` with a scripted leader, which learns nothing.

    It sees the games as scripted leaders do, so :class:`.NetworkLeader` calls :meth:`offers`, not :meth:`act`. It is
    made anew, with a seed from the run's generator, whenever a batch of episodes begins: so it has nothing that a
    checkpoint would have to hold.

    Args:
        make: makes the scripted leader for a seed.
        name: its import path, for messages.
    """

    device = torch.device("cpu")

    def __init__(self, make: Callable[[int], Leader], name: str) -> None:
        self._make, self._name = make, name
        self.ranks: Ranks = SINGLE_PROCESS
        self._leader: Leader | None = None

    def begin(self, env: Any, generator: torch.Generator | None) -> None:
        """Make the leader for the episodes that have just begun."""
        self._leader = self._make(int(torch.randint(2**62, (), generator=generator)))
        self._leader.start(env)

    def offers(self, env: Any, observation: Any) -> NDArray[np.int64]:
        """Return actions int64 [B, N, 2] for the observed step, as a copy: the leader may go on writing to its own.

        Raises:
            ValueError, TypeError: it offers something else than integers of that shape.
        """
        assert self._leader is not None  # begin() was called
        offers = as_array("the leader's offers", self._leader.offers(env, observation))
        shape = (env.num_envs, env.num_followers, 2)
        if offers.shape != shape:
            raise ValueError(f"the leader's offers: expected shape {shape} from {self._name!r:.80}, got {offers.shape}")
        return offers.astype(np.int64)

    def initial_state(self, num_games: int, num_followers: int) -> None:
        """Remember nothing."""

    def act(self, seen: LeaderInput, state: Any, **how: Any) -> LeaderStep:
        """Refuse: features are not what a scripted leader sees.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"leader: expected one that decides by features, got the scripted leader {self._name!r:.80}")

    def update(self, episodes: Episodes, progress: float = 0.0) -> dict[str, float]:
        """Learn nothing."""
        return {}

    def inspect(self, episodes: Episodes) -> Insight:
        """Return that there is nothing inside."""
        return Insight(None, None, None, None)

    def exploration_rate(self, episodes_done: int) -> float:
        """Return 0: it does not explore."""
        return 0.0

    def modules(self) -> dict[str, nn.Module]:
        """Return that it has no networks."""
        return {}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Return that it has no optimisers."""
        return {}
