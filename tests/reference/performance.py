"""M3RL's performance history once more, slowly, contract by contract: what `cpp/features/performance.cpp` is compared
with. Written from the prose of `docs/original.md`, and fed with the results of steps, not with observations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PerformanceReference"]


@dataclass
class _Contract:
    goal: int
    steps: int = 0


@dataclass
class PerformanceReference:
    """Averages of B games of one population, from steps with these sizes."""

    people: int
    goals: int
    bonuses: int
    horizon: int
    running: dict[tuple[int, int], _Contract] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.acceptance = np.zeros((self.people, self.goals, self.bonuses))
        self.success = np.zeros((self.people, self.goals, self.horizon))

    def begin(self) -> None:
        """New episodes of all games."""
        self.running = {}
        self.step = 0

    def add(
        self, playing: NDArray[np.bool_], identity: NDArray[Any], actions: NDArray[Any], info: dict[str, Any]
    ) -> None:
        """A step of all games that were playing."""
        self.step += 1
        for game in np.flatnonzero(playing):
            for k, who in enumerate(identity[game]):
                goal, bonus = (int(part) for part in actions[game, k])
                committed, completed = bool(info["committed"][game, k]), int(info["completed"][game, k]) >= 0
                self._move(self.acceptance, (who, goal, bonus), committed)
                contract = self.running.get((game, k))
                if not committed:
                    if contract is not None:
                        self._move(self.success, (who, contract.goal, contract.steps - 1), False)
                        del self.running[game, k]
                    continue
                if contract is None or contract.goal != goal:
                    contract = self.running[game, k] = _Contract(goal)
                contract.steps += 1
                if completed:
                    self._move(self.success, (who, goal, contract.steps - 1), True)
                    del self.running[game, k]
                elif self.step == self.horizon:
                    self._move(self.success, (who, goal, contract.steps - 1), False)

    @staticmethod
    def _move(averages: NDArray[np.float64], entry: tuple[int, ...], sample: bool) -> None:
        averages[entry] = 0.9 * averages[entry] + 0.1 * sample
