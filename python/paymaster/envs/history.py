"""The history statistics of a batch: what the leader has learned of each follower in earlier episodes (M3RL)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paymaster.envs.performance import PerformanceHistory
from paymaster.validation.arguments import check_array, identities_of

__all__ = ["Statistics"]

_COUNT_MAX = 2**62


class Statistics:
    """One table for the whole batch, updated at the end of each step in the order of games (rate 0.1).

    Entries, for each of P followers:

    - ``acceptance`` float32[P, G, K]: share of offers accepted. A trial is a step in which the follower has no
      running contract for the offer and can reach its goal.
    - ``acceptance_count`` int64[P, G, K]: trials; tells "never tried" from "always refused".
    - ``completion`` float32[P, G, T]: share of contracts completed within age + 1 steps of their start.
    - ``outcome`` float32[P, G]: share of contracts completed, of those the leader did not cut short.
    - ``outcome_count`` int64[P, G].

    After :meth:`keep_performance` also ``performance_acceptance`` float32[P, G, K] and ``performance_success``
    float32[P, G, T], as M3RL keeps them (:class:`~paymaster.envs.performance.PerformanceHistory`).

    Attributes are live read-only views of the core's memory: every later step changes what an array that was read
    before shows, also a step in another thread. :meth:`arrays` returns copies, which do not change.
    """

    def __init__(self, core: Any, games: int, performance: PerformanceHistory | None = None) -> None:
        self._core, self._games = core, games
        self.performance = performance
        views: dict[str, NDArray[Any]] = core.statistics
        self._views = views
        self.acceptance: NDArray[np.float32] = views["acceptance"]
        self.acceptance_count: NDArray[np.int64] = views["acceptance_count"]
        self.completion: NDArray[np.float32] = views["completion"]
        self.outcome: NDArray[np.float32] = views["outcome"]
        self.outcome_count: NDArray[np.int64] = views["outcome_count"]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._core, self._games, self.performance)  # of the copied batch

    @property
    def frozen(self) -> bool:
        """While true, games leave the table as it is."""
        return bool(self._core.frozen)

    @frozen.setter
    def frozen(self, frozen: bool) -> None:
        if not isinstance(frozen, (bool, np.bool_)):
            raise TypeError(f"frozen: expected a bool, got {type(frozen).__name__}")
        self._core.frozen = bool(frozen)

    def keep_performance(self) -> PerformanceHistory:
        """Let the batch keep M3RL's performance history from now on, and return it."""
        if self.performance is None:
            self.performance = PerformanceHistory(self._core, self._games)
        return self.performance

    def arrays(self) -> dict[str, NDArray[Any]]:
        """A copy of all entries."""
        with self._core.guard("statistics"):
            return {name: values.copy() for name, values in self._entries().items()}

    def set(self, **arrays: ArrayLike) -> None:
        """Sets any of the entries.

        Raises:
            ValueError: an unknown entry, a wrong shape, a rate outside [0, 1], a negative count.
            TypeError: a wrong dtype. In either case nothing changes.
        """
        checked, entries = {}, self._entries()
        for name, value in arrays.items():
            if name not in entries:
                raise ValueError(f"statistics: expected names among {', '.join(entries)}, got {name!r:.80}")
            view = entries[name]
            high = _COUNT_MAX if view.dtype.kind == "i" else 1
            checked[name] = check_array(name, value, view.dtype.name, view.shape, 0, high)
        own = {} if self.performance is None else self.performance.entries
        self._core.set_statistics({name: values for name, values in checked.items() if name not in own})
        for name, values in own.items():
            values[:] = checked.get(name, values)

    def clear(self, identities: ArrayLike | None = None) -> None:
        """Forgets everything, or what is known of some members of the population.

        Args:
            identities: members, int[R], in 0..P-1; by default all.

        Raises:
            ValueError: a member out of range. TypeError: not integers. In either case nothing changes.
        """
        if identities is None:
            self._core.clear_statistics()
            if self.performance is not None:
                self.performance.clear()
            return
        members = identities_of(identities, len(self.acceptance))
        entries = self.arrays()
        for values in entries.values():
            values[members] = 0
        self.set(**entries)

    def _entries(self) -> dict[str, NDArray[Any]]:
        return self._views if self.performance is None else {**self._views, **self.performance.entries}
