"""The same as :mod:`paymaster.reproduction.pool` on Ray: on this machine's cores, or on those of a running cluster.

Rows and runs are written by the workers, so on several nodes ``out`` must be a directory that all of them see under one
path, and paymaster must be installed on each of them. Workers look for modules, such as those of worlds of one's own,
where this process does as well.
"""

from __future__ import annotations

import importlib
import logging
import os
import socket
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from paymaster.reproduction.pool import PRELOADED, Finished, J, Job

try:
    import ray
    from ray import cloudpickle
except ImportError as error:
    raise ImportError(
        f"Ray could not be loaded ({error}), and --engine ray needs it: pip install 'paymaster[ray]'"
    ) from error

__all__ = ["run_jobs"]

_RETRIES = 3  # of a job whose worker was killed or whose node was lost
# Bytes of Ray's own store: nothing but a job and its error goes through it, and the default is a third of the memory.
_OBJECTS = 128 * 2**20


def run_jobs(
    jobs: Sequence[J], out: Path, at_a_time: int | None, address: str | None, tick: float = 1.0
) -> Iterator[Finished[J] | list[J]]:
    """Does the jobs in that order; yields each as it ends, and between, every ``tick`` seconds, those that run.

    Every job is a task of one CPU in a worker process of its own, so that its peak of memory is its own. One whose
    worker is killed is taken up again and goes on from what it has written; what a job raises is its error. Leaving the
    iterator ends those that run; so does the end of this process.

    Args:
        jobs: what to do.
        out: where to; see above.
        at_a_time: how many beside each other; None is as many as there are CPUs, also when nodes join later.
        address: None starts Ray on this machine for these jobs alone; "auto", or HOST:PORT, joins one that runs.
        tick: seconds.

    Raises:
        ConnectionError: no Ray answers at that address.
    """
    waiting, path = list(reversed(jobs)), [os.path.abspath(entry) for entry in sys.path]
    running: dict[ray.ObjectRef[str | None], J] = {}
    with _joined(address, at_a_time):
        try:
            while waiting or running:
                room = (at_a_time or _cpus()) - len(running)
                for _ in range(min(room, len(waiting))):
                    job = waiting.pop()
                    running[_perform.remote(_bytes_of(job), out.absolute(), path, PRELOADED)] = job
                ended, _ = ray.wait(list(running), timeout=tick)
                yield from [Finished(running.pop(one), _error(one)) for one in ended]
                yield list(running.values())
        finally:
            for one in running:
                ray.cancel(one, force=True)
            if running:  # until they have let go of their run directories
                ray.wait(list(running), num_returns=len(running), timeout=10)


@ray.remote(num_cpus=1, max_calls=1, max_retries=_RETRIES)
def _perform(stored: bytes, out: Path, path: Sequence[str], preloaded: Sequence[str]) -> str | None:
    """In the worker: what went wrong, None where nothing did."""
    sys.path.extend(entry for entry in path if entry not in sys.path)  # before the job, which may need a module there
    for name in preloaded:  # as in the local pool's processes, so that a run's time and memory are measured alike
        importlib.import_module(name)
    torch.set_num_threads(1)
    try:
        job: Job = cloudpickle.loads(stored)
        job.perform(out)
    except Exception:
        return traceback.format_exc()
    return None


def _bytes_of(job: Job) -> bytes:
    stored: bytes = cloudpickle.dumps(job)  # type: ignore[no-untyped-call]
    return stored


def _error(task: ray.ObjectRef[str | None]) -> str | None:
    try:
        return ray.get(task)
    except ray.exceptions.RayError as error:  # no worker came to an end with it
        return f"{type(error).__name__}: {error}"


@contextmanager
def _joined(address: str | None, at_a_time: int | None) -> Iterator[None]:
    """Ray, without its dashboard, its statistics, and its workers' output on our screen."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Workers as urgent as this process, like the local pool's. At Ray's default, 15, they get 3 % of a core in use.
    os.environ.setdefault("RAY_worker_niceness", "0")
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address is None:
        ray.init("local", num_cpus=at_a_time, object_store_memory=_OBJECTS, include_dashboard=False, **quiet)
    else:
        _answers(address)
        ray.init(address, **quiet)
    try:
        yield
    finally:
        ray.shutdown()


def _answers(address: str) -> None:
    """Raises ConnectionError where nothing listens at HOST:PORT, which Ray itself goes on to ask for minutes."""
    host, _, port = address.rpartition(":")
    if not port.isdecimal() or "/" in host:
        return  # "auto", or another of Ray's own names
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise ConnectionError(f"address: expected HOST:PORT of a Ray that runs, got {address!r} ({error})") from error


def _cpus() -> int:
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return max(1, int(resources.get("CPU", 0)))
