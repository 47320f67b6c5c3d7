"""What happened in an episode, step by step: what a single state cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["EpisodeRecord", "Step"]


@dataclass(frozen=True)
class Step:
    """One step of N followers.

    Attributes:
        offer: int [N, 2], (goal, bonus), -1 for none.
        committed: bool [N], accepted.
        completed: int [N], goal type of a completed contract or -1.
        payment: float [N], bonuses paid.
        reward: the leader's.
        position: [N, 2], where the followers were after it; None in a world whose state does not say.
        attention: the leader's weights of the followers when it made the offers, float [N], or None.
    """

    offer: NDArray[np.integer]
    committed: NDArray[np.bool_]
    completed: NDArray[np.integer]
    payment: NDArray[np.floating]
    reward: float
    position: NDArray[np.generic] | None
    attention: NDArray[np.floating] | None


@dataclass
class EpisodeRecord:
    """Steps ``start``, ``start + 1``, ... of one episode, in order.

    Attributes:
        start: steps that were played before the first one recorded.
        steps: what was recorded.
    """

    start: int = 0
    steps: list[Step] = field(default_factory=list)

    @property
    def end(self) -> int:
        """Steps played after the last one recorded."""
        return self.start + len(self.steps)

    def add(
        self, state: Mapping[str, Any], payment: ArrayLike, reward: float, attention: ArrayLike | None = None
    ) -> None:
        """Records the step that led to ``state``.

        Args:
            state: of one game after the step, as ``LeaderEnv.state()`` returns it.
            payment: ``info["payment"]`` of the step, float [N].
            reward: what the step adds to the leader's gain.
            attention: the leader's weights of the followers, float [N], if it has them.

        Raises:
            ValueError: a payment or attention of another shape than [N], or not the step after the last one.
        """
        n = len(state["identity"])
        paid = np.array(payment, dtype=np.float64)
        weights = None if attention is None else np.array(attention, dtype=np.float64)
        for name, values in (("payment", paid), ("attention", weights)):
            if values is not None and values.shape != (n,):
                raise ValueError(f"{name}: expected shape ({n},), got {values.shape}")
        expected = self.end + 1
        if int(state["step"]) != expected:
            raise ValueError(f"state: expected step {expected}, got {int(state['step'])}")
        self.steps.append(
            Step(
                offer=np.array(state["offer"]),
                committed=np.array(state["committed"], dtype=np.bool_),
                completed=np.array(state["completed"]),
                payment=paid,
                reward=float(reward),
                position=np.array(state["position"]) if "position" in state else None,
                attention=weights,
            )
        )

    def gain(self) -> NDArray[np.float64]:
        """The leader's gain after each recorded step."""
        return np.cumsum([step.reward for step in self.steps])

    def paid(self) -> NDArray[np.float64]:
        """Bonuses paid up to each recorded step."""
        return np.cumsum([step.payment.sum() for step in self.steps])

    def before(self, step: int) -> list[Step]:
        """The recorded ones among the first ``step`` steps of the episode."""
        return self.steps[: max(0, step - self.start)]
