"""Followers that decide by a rule of one's own, a function of what they observe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.envs.vector import Observation
from paymaster.validation.arguments import as_array

__all__ = ["OwnFollowers"]


class OwnFollowers:
    """Answer in a batch's steps by a function (:class:`paymaster.envs.two_phase.Answering`).

    Args:
        env: the batch; they take their seats in it (``env.answering``).
        decide: ``decide(observation) -> int[B, N]``, from what :meth:`.TwoPhaseVectorEnv.offer` returns to goal types,
            or G for "stop". It must depend on the observation alone: what it remembers is in no checkpoint.
        name: its import path, for messages.

    Raises:
        TypeError: it cannot be called.
    """

    def __init__(self, env: TwoPhaseVectorEnv, decide: Callable[[Observation], ArrayLike], name: str) -> None:
        if not callable(decide):
            raise TypeError(
                f"followers: expected a function decide(observation) -> int[B, N], got {type(decide).__name__} by "
                f"{name!r:.80}"
            )
        self._decide, self._name, self._choices = decide, name, int(env.single_follower_action_space.nvec[0])
        env.answering = self

    def answer(self, observation: Observation) -> NDArray[np.int64]:
        """Return their answers, int64 [B, N], 0 where nobody acts.

        Raises:
            ValueError, TypeError: the function returned something else than integers [B, N] in 0..G.
        """
        given = as_array("followers", self._decide(observation))
        acts = observation["acts"]
        said = f"from {self._name!r:.80}"
        if given.dtype.kind not in "iu":
            raise TypeError(f"followers: expected integers {said}, got dtype {given.dtype}")
        if given.shape != acts.shape:
            raise ValueError(f"followers: expected shape {acts.shape} {said}, got {given.shape}")
        answers = np.where(acts, given, 0).astype(np.int64)
        if ((answers < 0) | (answers >= self._choices)).any():
            wrong: Any = answers[(answers < 0) | (answers >= self._choices)][0]
            raise ValueError(f"followers: expected answers in [0, {self._choices - 1}] {said}, got {wrong}")
        return answers

    def earned(self, reward: NDArray[np.float32]) -> None:
        """Do not learn."""
