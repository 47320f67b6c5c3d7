"""Jobs in processes of their own, some at a time. One that is killed takes no other with it."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import threading
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Generic, Protocol, TypeVar

__all__ = ["PRELOADED", "Finished", "J", "Job", "run_jobs"]

PRELOADED = ("paymaster.reproduction.runs", "torch.utils.tensorboard", "torch._dynamo")
"""Imported before a job begins: the last two by the first summary and the first optimiser, two seconds a process."""


class Job(Protocol):
    """Something to be done into a directory."""

    def perform(self, out: Path) -> None:
        """Does it."""


J = TypeVar("J", bound=Job)


@dataclass(frozen=True)
class Finished(Generic[J]):
    """A job that has ended.

    Attributes:
        job: which.
        error: what went wrong; None where nothing did.
    """

    job: J
    error: str | None


def run_jobs(jobs: Sequence[J], out: Path, at_a_time: int, tick: float = 1.0) -> Iterator[Finished[J] | list[J]]:
    """Does the jobs in that order; yields each as it ends, and between, every ``tick`` seconds, those that run.

    Every job has a fresh process, forked from one that has only imported what is needed: quick, free of threads, and
    its peak of memory is its own. Leaving the iterator ends those that run; so does the end of this process, even by
    ``kill -9``.
    """
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        context.set_forkserver_preload(list(PRELOADED))
    waiting, running = list(reversed(jobs)), dict[BaseProcess, tuple[J, Connection]]()
    try:
        while waiting or running:
            while waiting and len(running) < at_a_time:
                job = waiting.pop()
                here, there = context.Pipe(duplex=False)
                process = context.Process(target=_work, args=(job, out, there), daemon=True)  # type: ignore[attr-defined]
                process.start()
                there.close()
                running[process] = job, here
            wait([process.sentinel for process in running], timeout=tick)
            for process in [one for one in running if not one.is_alive()]:
                job, connection = running.pop(process)
                yield Finished(job, _error(process, connection))
            yield [job for job, _ in running.values()]
    finally:
        for process in running:
            process.kill()
        for process in running:
            process.join()


def _error(process: BaseProcess, connection: Connection) -> str | None:
    process.join()
    with connection:
        try:
            message: str | None = connection.recv()
        except EOFError:  # it did not get so far as to tell
            return f"its process ended with exit code {process.exitcode}"
    return message


def _work(job: Job, out: Path, connection: Connection) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # the training's own progress
            job.perform(out)
    except KeyboardInterrupt:
        os._exit(1)
    except Exception:
        connection.send(traceback.format_exc())
    else:
        connection.send(None)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
