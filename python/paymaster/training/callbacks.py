"""Callbacks: code of one's own that a training calls, to log, to draw, or to stop it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paymaster.training.config import TrainConfig
from paymaster.training.measures import measures_of
from paymaster.validation.arguments import check_int

__all__ = ["Callback", "Callbacks", "EarlyStopping", "TrainingStart"]

Row = Mapping[str, Any]


@dataclass(frozen=True)
class TrainingStart:
    """What a training begins with.

    Attributes:
        config: what is trained.
        out: the run directory.
        done: episodes that it has been trained on; more than 0 when a run is resumed.
        rows: of `metrics.jsonl` so far, as the callbacks were given them, with ``episode``.
    """

    config: TrainConfig
    out: Path
    done: int
    rows: Sequence[Row]


class Callback:
    """Do nothing at each of a training's events; override what you need.

    Callbacks are called in the order in which they were given, on rank 0 alone. They must not change the leader, the
    games or torch's generators: then a training has the same numbers with and without them. What a method raises ends
    the training and comes out of :func:`~paymaster.training.train.train`; the run can be resumed from its last
    checkpoint.
    """

    def on_start(self, start: TrainingStart) -> bool | None:
        """Begin; return True to make no step. To refuse the run, raise a ValueError: then no directory is left."""

    def on_update(self, done: int, row: Row) -> bool | None:
        """Take the metrics of an update; return True to stop after a checkpoint.

        Args:
            done: episodes trained on so far.
            row: the line of `metrics.jsonl` without ``episode``.
        """

    def on_evaluation(self, done: int, row: Row) -> bool | None:
        """Take an evaluation's measures, ``evaluation_gain`` and so on; arguments and result as of :meth:`on_update`.

        It is called after :meth:`on_update` of the same row, every ``config.evaluate_every`` episodes.
        """

    def on_checkpoint(self, done: int, path: Path) -> None:
        """Take note that a checkpoint of ``done`` episodes has been written."""

    def on_end(self, done: int) -> None:
        """End, also where the training was stopped or failed after :meth:`on_start`."""


class Callbacks:
    """Several callbacks as one.

    Args:
        callbacks: in order.

    Raises:
        TypeError: one is no :class:`Callback`, or no sequence of them.
    """

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        given: object = callbacks
        if not isinstance(given, Iterable):
            kind = type(given).__name__
            alone = f"{kind} alone; write callbacks=[...]" if isinstance(given, Callback) else kind
            raise TypeError(f"callbacks: expected a list of paymaster.Callback, got {alone}")
        callbacks = list(callbacks)
        for callback in callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"callbacks: expected paymaster.Callback, got {_kind_of(callback)}")
        self._callbacks = tuple(callbacks)

    def __len__(self) -> int:
        return len(self._callbacks)

    def on_start(self, start: TrainingStart) -> bool:
        """Let all of them begin; return whether one of them stops the training."""
        stops = [callback.on_start(start) for callback in self._callbacks]
        return any(stop is True for stop in stops)

    def on_row(self, done: int, row: Row, *, evaluated: bool) -> bool:
        """Give all of them a row; return whether one of them stops the training."""
        stops = [callback.on_update(done, row) for callback in self._callbacks]
        if evaluated:
            stops += [callback.on_evaluation(done, row) for callback in self._callbacks]
        return any(stop is True for stop in stops)

    def on_checkpoint(self, done: int, path: Path) -> None:
        for callback in self._callbacks:
            callback.on_checkpoint(done, path)

    def on_end(self, done: int) -> None:
        for callback in self._callbacks:
            callback.on_end(done)


def _kind_of(given: object) -> str:
    return f"the class {given.__name__}; make one of it" if isinstance(given, type) else type(given).__name__


class EarlyStopping(Callback):
    """Stop a training whose evaluations no longer get better (``--evaluate-every``).

    A run that is resumed is stopped where it would have been stopped without a break: the rows before count as well.

    Args:
        patience: evaluations in a row that may bring no new best.
        measure: which must grow; by default ``evaluation_objective`` where the leader is rewarded for more than its
            gain, else ``evaluation_gain``.
        by: how much above the best counts as better.

    Attributes:
        measure: which must grow, once the training has begun.
        best: the best value so far; -inf before the first.
        best_episode: when it was reached.

    Raises:
        ValueError: a patience below 1, or a negative ``by``.
        TypeError: one of another type.
    """

    def __init__(self, patience: int = 10, measure: str | None = None, by: float = 0.0) -> None:
        if not isinstance(by, int | float):
            raise TypeError(f"by: expected a number, got {type(by).__name__}")
        if not by >= 0:
            raise ValueError(f"by: expected a number of at least 0, got {by}")
        if measure is not None and not isinstance(measure, str):
            raise TypeError(f"measure: expected a name, got {type(measure).__name__}")
        self.patience, self.by = check_int("patience", patience, 1, 10**9), by
        self._named = measure
        self._forget()

    def on_start(self, start: TrainingStart) -> bool:
        """Count the evaluations of the run so far; stop where it was stopped before.

        Raises:
            ValueError: the run is not evaluated while it is trained, or not by that measure.
        """
        if start.config.evaluate_every is None:
            raise ValueError("evaluate_every: expected a number of episodes with EarlyStopping, got None")
        known = [f"evaluation_{name}" for name in measures_of(start.config)]
        self._forget()
        self.measure = self._named or known[0]
        if self.measure.startswith("evaluation_") and self.measure not in known:
            raise ValueError(f"measure: expected one of {', '.join(known)}, got {self.measure!r:.80}")
        for row in start.rows:
            if self.measure in row:
                self._take(row["episode"], row[self.measure])
        return self._without >= self.patience

    def on_evaluation(self, done: int, row: Row) -> bool:
        """Stop after ``patience`` evaluations without a new best.

        Raises:
            ValueError: the row has no such measure.
        """
        if self.measure not in row:
            raise ValueError(f"measure: expected one of {', '.join(row)}, got {self.measure!r:.80}")
        self._take(done, row[self.measure])
        return self._without >= self.patience

    def _forget(self) -> None:
        self.measure = self._named or "evaluation_gain"
        self.best, self.best_episode, self._without = -math.inf, 0, 0

    def _take(self, episode: int, value: float | None) -> None:
        if value is not None and value > self.best + self.by:
            self.best, self.best_episode, self._without = value, episode, 0
        else:
            self._without += 1
