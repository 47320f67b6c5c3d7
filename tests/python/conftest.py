"""What test files share: how many processes run them, one thread for torch, a trained leader."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

MOST_WORKERS = 8  # each imports all libraries that tests use: seconds, and half a gigabyte of memory


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return the workers of `-n auto`: one a core for folders; none where only files are asked for.

    A worker takes seconds to import what tests import, longer than most files take.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if cores == 1 or not any(Path(argument).is_dir() for argument in config.args):
        return 0
    return min(cores, MOST_WORKERS)


def pytest_configure() -> None:
    """Give torch one thread, here and in processes that tests start, unless the user says otherwise.

    Tensors in tests are small: a second thread only waits, and takes a core from another worker while it does.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")


# Of the slow tests' files, those that take minutes: begun first, so that no worker is left alone with one at the end.
LONGEST = ("test_reproduction_runs", "test_kills", "test_reproduction_ray", "test_torchrun")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the slow tests that take minutes first."""
    if config.getoption("markexpr") == "slow":
        order = {name: place for place, name in enumerate(LONGEST)}
        items.sort(key=lambda item: order.get(item.path.stem, len(LONGEST)))


def pytest_collection_finish() -> None:
    """Leave what all tests share, a million objects of libraries, to no more garbage collection: it took a tenth."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _forget_tasks() -> Iterator[None]:
    """Leave no task of one's own known to the tests that follow in this process."""
    from paymaster.worlds import registration

    yield
    for name in list(registration._definitions):
        registration.forget(name)


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run directory of a small leader, trained once for all files and workers: to be read, or copied."""
    from filelock import FileLock

    from small_runs import SMALL, train_whole  # here, since the simulator's tests run where there is no torch

    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # that of all workers
    run = folder / "small" / "run"
    with FileLock(folder / "small.lock"):
        if not run.exists():
            train_whole(SMALL, folder / "small" / "begun").rename(run)
    return run
