"""Ranks that are threads of one process: the sums of :mod:`paymaster.algorithms.process_group` without processes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import torch

from paymaster.algorithms.process_group import Ranks, _Joined

T = TypeVar("T")


class ThreadRanks(_Joined):
    """One of them. All that the real ones do is theirs, but for the transport."""

    def __init__(self, rank: int, size: int, barrier: threading.Barrier, table: list[Any]) -> None:
        self.rank, self.size, self.local_size = rank, size, size
        self._barrier, self._table = barrier, table

    def gather(self, value: T) -> list[T] | None:
        values = self._exchange(value)
        return values if self.rank == 0 else None

    def _all_reduce(self, tensor: torch.Tensor) -> None:
        tensor.copy_(torch.stack(self._exchange(tensor.clone())).sum(0))

    def _exchange(self, value: T) -> list[T]:
        self._table[self.rank] = value
        self._barrier.wait(60)
        values = list(self._table)
        self._barrier.wait(60)
        return values


def together(size: int, work: Callable[[Ranks], T]) -> list[T]:
    """What ``work`` gives on each of ``size`` ranks at once."""
    barrier, table = threading.Barrier(size), [None] * size

    def one(rank: int) -> T:
        try:
            return work(ThreadRanks(rank, size, barrier, table))
        except BaseException:
            barrier.abort()  # the others need not wait
            raise

    with ThreadPoolExecutor(size) as pool:
        futures = [pool.submit(one, rank) for rank in range(size)]
        errors = [future.exception() for future in futures]
        for error in errors:
            if error is not None and not isinstance(error, threading.BrokenBarrierError):
                raise error
        return [future.result() for future in futures]
