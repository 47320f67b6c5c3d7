"""A batch to be mistreated, and what a refusal has to be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import paymaster
from worlds import PARTICLES

RC = "resource_collection"
B, N, M, P = 2, 3, 5, 40
ROOM = "#######\n#.....#\n#.....#\n#.#...#\n#.....#\n#######"


def make(task: str = RC, **parameters: Any) -> Any:
    """A batch in mid-episode: some offers accepted, contracts running."""
    world: dict[str, Any] = {"num_resources": M, "map": ROOM}
    if task in PARTICLES:
        world = {"num_targets": M, "num_obstacles": 2}
    env = paymaster.make_vec(task, B, 0, 1, **{"num_followers": N, "horizon": 30, "noise": 0.1, **world, **parameters})
    env.reset(seed=2)
    for _ in range(3):
        env.step(np.array([[(0, 1), (1, 1), (2, 1)]] * env.num_envs)[:, : env.num_followers])
    return env


@contextmanager
def refused(error: type[Exception], name: str, came: str = "") -> Iterator[None]:
    """The block raises just this error, and its text names the argument, what was expected and what came."""
    with pytest.raises((TypeError, ValueError)) as caught:  # the subclasses come out below
        yield
    text = str(caught.value)
    assert type(caught.value) is error, f"{type(caught.value).__name__}: {text}"
    argument, expected, rest = text.partition(": expected ")
    _, got, value = rest.rpartition(", got ")
    assert expected, text
    assert got, text
    assert name in argument, text
    assert came in value, text


@contextmanager
def unharmed(env: Any) -> Iterator[None]:
    """After the block the environment is as before it, and plays on."""
    before, table = env.snapshot(), env.statistics.arrays()
    twin = make(env.task)
    twin.restore(before)
    yield
    assert env.snapshot() == before
    np.testing.assert_equal(env.statistics.arrays(), table)
    offers = np.array([[(1, 0), (1, 1), (0, 1)]] * B)
    np.testing.assert_equal(env.step(offers), twin.step(offers))
    env.restore(before)


LEGAL = np.array([[(0, 1), (3, 0), (2, 1)]] * B)
