"""LeaderVectorEnv.replace_followers: who goes, what stays, and when it may happen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hostile import refused
from play import MB, MODES, RC, make, same, trace
from worlds import TASKS

LEAVING = [3, 39, 0, 17]
STAYING = [i for i in range(40) if i not in LEAVING]


def ended(task: str = MB, **parameters: Any) -> Any:
    """A batch all of whose games have been played to their end."""
    env = make(task, horizon=12, **parameters)
    env.reset()
    trace(env, 12)
    assert env.state("done")["done"].all()
    return env


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("frozen", [False, True])
def test_new_traits_and_an_empty_row_for_those_who_come_nothing_new_for_the_others(task: str, frozen: bool) -> None:
    env = ended(task, num_envs=100)
    before, table = env.population, env.statistics.arrays()
    assert all(table["acceptance_count"].sum(axis=(1, 2))[LEAVING] > 0)
    env.statistics.frozen = frozen
    games = env.state()
    env.replace_followers(LEAVING, seed=5)
    drawn = make(task, population_seed=5).population
    for name, traits in env.population.items():
        same(traits[STAYING], before[name][STAYING])
        same(traits[LEAVING], drawn[name][LEAVING])
    assert any((drawn[name][LEAVING] != before[name][LEAVING]).any() for name in drawn)
    for name, entries in env.statistics.arrays().items():
        same(entries[STAYING], table[name][STAYING])
        assert not entries[LEAVING].any()
    same(env.state(), games)
    assert env.statistics.frozen is frozen


def test_next_episodes_are_those_of_the_new_population() -> None:
    """Everything that follows is what follows in games made with this population, whatever the number of threads."""
    env = ended(num_threads=1)
    env.replace_followers(LEAVING, 5)
    snapshot = env.snapshot()
    for threads in (1, 3):
        twin = make(MB, seed=99, num_threads=threads, population=env.population, **env.parameters)
        twin.restore(snapshot)
        same(twin.reset(), env.reset())
        same(trace(twin, 12), trace(env, 12))
        assert twin.snapshot() == env.snapshot()
        env.restore(snapshot)
    everybody = env.population
    observation, _ = env.reset()
    for name, traits in env.state("skill", "preference", "reservation").items():
        same(traits, everybody[name][observation["identity"]])


def test_threads_do_not_matter() -> None:
    def snapshots(threads: int) -> list[bytes]:
        env, out = make(MB, 30, num_threads=threads, horizon=7), []
        for number in range(4):
            env.reset()
            trace(env, 7, seed=number)
            env.replace_followers([number, 20 + number], seed=number)
            out.append(env.snapshot())
        return out

    assert snapshots(1) == snapshots(2) == snapshots(5)


@pytest.mark.parametrize("mode", MODES)
def test_games_never_reset_are_those_made_with_the_new_population(mode: str) -> None:
    env = make(MB, autoreset_mode=mode)
    env.replace_followers(LEAVING, 5)
    twin = make(MB, autoreset_mode=mode, population=env.population)
    assert env.snapshot() == twin.snapshot()
    for each in (env, twin):
        each.reset()
        trace(each, 35)
    assert env.snapshot() == twin.snapshot()


def test_a_population_that_was_given_gets_members_as_the_task_draws_them() -> None:
    given_skill = np.ones((6, 4), dtype=bool)
    env = make(RC, population={"skill": given_skill, "preference": [0] * 6, "reservation": [7.5] * 6})
    env.replace_followers([2, 5], 3)
    assert env.population["skill"].sum(axis=1).tolist() == [4, 4, 3, 4, 4, 3]
    assert env.population["reservation"].tolist() == [7.5, 7.5, 1, 7.5, 7.5, 1]


def test_all_or_none_may_leave() -> None:
    env = ended()
    before, snapshot = env.population, env.snapshot()
    env.replace_followers([], 5)
    assert env.snapshot() == snapshot
    env.replace_followers(np.arange(40, dtype=np.uint8), 5)
    same(env.population, make(MB, population_seed=5).population)
    assert not any(array.any() for array in env.statistics.arrays().values())
    env.replace_followers(range(40), 0)
    same(env.population, before)


def test_a_snapshot_belongs_to_its_population() -> None:
    env = ended()
    snapshot = env.snapshot()
    env.replace_followers([1], 5)
    now = env.snapshot()
    with refused(ValueError, "snapshot"):
        env.restore(snapshot)
    assert env.snapshot() == now
    env.restore(now)


@pytest.mark.parametrize(
    ("identities", "seed", "error", "name", "came"),
    [
        ([40], 0, ValueError, "identities", "40"),
        ([1, -1], 0, ValueError, "identities", "-1"),
        (np.array([2**63], dtype=np.uint64), 0, ValueError, "identities", str(2**63)),
        ([3, 4, 3], 0, ValueError, "identities", "3 twice"),
        ([[1, 2]], 0, ValueError, "identities", "(1, 2)"),
        (3, 0, ValueError, "identities", "()"),
        ([[1], [2, 3]], 0, ValueError, "identities", "different lengths"),
        ([1.0], 0, TypeError, "identities", "float64"),
        ([True], 0, TypeError, "identities", "bool"),
        (["1"], 0, TypeError, "identities", "<U1"),
        (None, 0, ValueError, "identities", "()"),
        ([1, None], 0, TypeError, "identities", "object"),
        ([1], -1, ValueError, "seed", "-1"),
        ([1], 2**63, ValueError, "seed", str(2**63)),
        ([1], 1.0, TypeError, "seed", "float"),
        ([1], True, TypeError, "seed", "bool"),
        ([1], None, TypeError, "seed", "NoneType"),
    ],
)
def test_impossible_replacements(identities: Any, seed: Any, error: Any, name: str, came: str) -> None:
    env = ended()
    people, before = env.population, env.snapshot()
    with refused(error, name, came):
        env.replace_followers(identities, seed)
    same(env.population, people)
    assert env.snapshot() == before


def test_nobody_leaves_in_the_middle_of_an_episode() -> None:
    env = make(RC, 2, autoreset_mode="Disabled", horizon=3)
    env.reset()
    for step in range(3):
        before = env.snapshot()
        with refused(ValueError, "replace_followers", f"game 0 at step {step} of episode 0"):
            env.replace_followers([1], 0)
        assert env.snapshot() == before
        trace(env, 1)
    env.reset(options={"reset_mask": np.array([False, True])})
    with refused(ValueError, "replace_followers", "game 1 at step 0 of episode 1"):
        env.replace_followers([1], 0)
    trace(env, 3)
    env.replace_followers([1], 0)
