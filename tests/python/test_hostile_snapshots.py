"""Snapshots that are damaged, or of other games: refused; nothing changes."""

from __future__ import annotations

import re
from typing import Any

import pytest

import paymaster
from hostile import LEGAL, RC, ROOM, make, refused, unharmed


def test_shortened_and_lengthened_snapshots() -> None:
    env = make()
    snapshot = env.snapshot()
    other = make()
    other.step(LEGAL)
    for length in (0, 1, 7, 8, 16, 55, 56, 57, len(snapshot) // 2, len(snapshot) - 1):
        with unharmed(other), refused(ValueError, "snapshot"):
            other.restore(snapshot[:length])
    for wrong in (snapshot + b"\0", snapshot + snapshot, snapshot[1:], b"\0" * len(snapshot)):
        with unharmed(other), refused(ValueError, "snapshot"):
            other.restore(wrong)


def flipped(snapshot: bytes, at: int, bit: int = 0) -> bytes:
    damaged = bytearray(snapshot)
    damaged[at] ^= 1 << bit
    return bytes(damaged)


def test_damaged_snapshots() -> None:
    env = make()
    snapshot = env.snapshot()
    env.step(LEGAL)
    before = env.snapshot()

    def accepts(damaged: bytes) -> bool:
        try:
            env.restore(damaged)
        except ValueError as error:
            assert re.match("snapshot: expected .*, got ", str(error))  # noqa: PT017
            return False
        return True

    places = (*range(64), *range(64, len(snapshot), 97), len(snapshot) - 1)
    accepted = [at for at in places if accepts(flipped(snapshot, at, at % 8))]
    assert accepted == [], "bytes whose damage goes unnoticed"
    assert env.snapshot() == before


@pytest.mark.parametrize(
    "parameters",
    [
        {"num_followers": 2}, {"num_goals": 5}, {"num_bonuses": 3}, {"horizon": 31}, {"payment": "advance"},
        {"noise": 0.2}, {"abstain": True}, {"goal_reward": 2.0}, {"population_size": 41}, {"population_seed": 1},
        {"skills_per_follower": 2}, {"preference_among_skills": False}, {"max_reservation": 2},
        {"num_resources": 6}, {"map": ROOM.replace("#.#...#", "#..#..#")},
    ],
    ids=str,
)  # fmt: skip
def test_snapshots_of_games_with_other_options(parameters: dict[str, Any]) -> None:
    env, other = make(), make(**parameters)
    with unharmed(env), refused(ValueError, "snapshot"):
        env.restore(other.snapshot())


def test_snapshots_of_another_world() -> None:
    """Also where all parameters are the same."""
    parameters = make("navigation").parameters
    worlds = [make(), make("navigation"), make("predator_prey", **parameters)]
    assert worlds[2].parameters == parameters
    for env in worlds:
        for other in worlds:
            if env is not other:
                with refused(ValueError, "snapshot"):
                    env.restore(other.snapshot())


def test_snapshots_of_other_populations_and_batches() -> None:
    env = make()
    people = env.population
    same = make(population=people)
    same.restore(env.snapshot())  # given or drawn: the same people
    assert same.snapshot() == env.snapshot()
    for name, array in people.items():
        changed = array.copy()
        changed[7] = ~array[7] if array.dtype == bool else (array[7] + 1) % 4
        with unharmed(env), refused(ValueError, "snapshot"):
            env.restore(make(population={**people, name: changed}).snapshot())
    for num_envs in (1, 3):
        with unharmed(env), refused(ValueError, "snapshot", str(num_envs)):
            env.restore(paymaster.make_vec(RC, num_envs, **env.parameters).snapshot())


@pytest.mark.parametrize(
    "wrong", [None, "text", 3, [1], bytearray(100), memoryview(b"1")], ids=lambda w: type(w).__name__
)
def test_snapshots_are_bytes(wrong: Any) -> None:
    env = make()
    with unharmed(env), refused(TypeError, "snapshot", type(wrong).__name__):
        env.restore(wrong)
