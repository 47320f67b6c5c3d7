"""Callbacks: code of one's own that a training calls, to log, to draw, or to stop it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paymaster.training.config import TrainConfig

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
        """Begin: nothing can be refused any more, and no step has been made; return True to make none."""

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
        TypeError: one is no :class:`Callback`.
    """

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        for callback in callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"callbacks: expected paymaster.Callback, got {type(callback).__name__}")
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


class EarlyStopping(Callback):
    """Stop a training whose evaluations no longer get better (``--evaluate-every``).

    A run that is resumed is stopped where it would have been stopped without a break: the rows before count as well.

    Args:
        patience: evaluations in a row that may bring no new best.
        measure: which must grow.
        by: how much above the best counts as better.

    Attributes:
        best: the best value so far; -inf before the first.
        best_episode: when it was reached.

    Raises:
        ValueError: a patience below 1, or a negative ``by``.
    """

    def __init__(self, patience: int = 10, measure: str = "evaluation_gain", by: float = 0.0) -> None:
        if patience < 1:
            raise ValueError(f"patience: expected at least 1, got {patience}")
        if not by >= 0:
            raise ValueError(f"by: expected a number of at least 0, got {by}")
        self.patience, self.measure, self.by = patience, measure, by
        self._forget()

    def on_start(self, start: TrainingStart) -> bool:
        """Count the evaluations of the run so far; stop where it was stopped before.

        Raises:
            ValueError: the run is not evaluated while it is trained.
        """
        if start.config.evaluate_every is None:
            raise ValueError("evaluate_every: expected a number of episodes with EarlyStopping, got None")
        self._forget()
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
        self.best, self.best_episode, self._without = -math.inf, 0, 0

    def _take(self, episode: int, value: float | None) -> None:
        if value is not None and value > self.best + self.by:
            self.best, self.best_episode, self._without = value, episode, 0
        else:
            self._without += 1
