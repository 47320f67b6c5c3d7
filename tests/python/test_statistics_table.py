"""The table of history statistics: what a hand-worked sequence leaves in it, and how it is read, set and frozen.

One long file, because the hand-worked sequence is long.
"""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

import paymaster
from reference.scenes import offers, stage

RC = "resource_collection"
SHAPES = {
    "acceptance": ("float32", (40, 4, 2)),
    "acceptance_count": ("int64", (40, 4, 2)),
    "completion": ("float32", (40, 4, 30)),
    "outcome": ("float32", (40, 4)),
    "outcome_count": ("int64", (40, 4)),
}


def make(num_envs: int = 4, **parameters: Any) -> Any:
    return paymaster.make_vec(RC, num_envs, 0, 1, **{"autoreset_mode": "Disabled", **parameters})


def play(env: Any, steps: int = 30, seed: int = 0) -> None:
    """Random offers, each for five steps."""
    rng = np.random.default_rng(seed)
    for t in range(steps):
        if t % 5 == 0:
            actions = rng.integers([4, 2], size=(env.num_envs, env.num_followers, 2))
        env.step(actions)


def same(left: dict[str, Any], right: dict[str, Any]) -> bool:
    return left.keys() == right.keys() and all(np.array_equal(left[name], right[name]) for name in left)


# ---- what a sequence leaves


def known_table(env: Any) -> dict[str, Any]:
    """Every rate a half, every count ten."""
    env.statistics.set(
        **{
            name: np.full(array.shape, 10 if name.endswith("count") else 0.5, dtype=array.dtype)
            for name, array in env.statistics.arrays().items()
        }
    )
    table: dict[str, Any] = env.statistics.arrays()
    return table


def test_hand_worked_sequence() -> None:
    """Follower 0 completes a, then has b changed under it; follower 1 refuses d twice, accepts it, and loses it."""
    a, b, d = 0, 1, 3
    drawing = """
        #########
        #0..a.b.#
        #########
        #c..1..d#
        #########"""
    env = stage(paymaster.make_vec, drawing, ">^", preference="dc", horizon=6)
    expected = known_table(env)

    def same_table() -> None:
        table = env.statistics.arrays()
        for name, array in expected.items():
            np.testing.assert_allclose(table[name], array, rtol=1e-6, err_msg=name)

    env.step(offers("a1", "d0"))  # 0 accepts and comes nearer; 1 has a tie with what it prefers, and refuses
    expected["acceptance"][0, a, 1], expected["acceptance_count"][0, a, 1] = 0.55, 11
    expected["completion"][0, a, 0] = 0.45
    expected["acceptance"][1, d, 0], expected["acceptance_count"][1, d, 0] = 0.45, 11
    same_table()

    env.step(offers("a1", "d0"))  # 0's contract runs on: no trial; 1 refuses again: another trial
    expected["completion"][0, a, 1] = 0.45
    expected["acceptance"][1, d, 0], expected["acceptance_count"][1, d, 0] = 0.405, 12
    same_table()

    env.step(offers("a1", "d1"))  # 0 digs: completed at age 2, within 3 steps and so within 4, 5, 6; 1 accepts
    expected["completion"][0, a, 2:] = 0.55
    expected["outcome"][0, a], expected["outcome_count"][0, a] = 0.55, 11
    expected["acceptance"][1, d, 1], expected["acceptance_count"][1, d, 1] = 0.55, 11
    expected["completion"][1, d, 0] = 0.45
    same_table()

    env.step(offers("a1", "d1"))  # no a is left for 0 to accept: no trial
    expected["completion"][1, d, 1] = 0.45
    same_table()

    claimant = env.state("resource_claimant")["resource_claimant"]
    claimant[env.state("resource_type")["resource_type"] == d] = 0
    env.set_state(resource_claimant=claimant)
    env.step(offers("b0", "d1"))  # 0 has a new contract; 1 gives its own up, for what it prefers: not completed
    expected["acceptance"][0, b, 0], expected["acceptance_count"][0, b, 0] = 0.55, 11
    expected["completion"][0, b, 0] = 0.45
    expected["outcome"][1, d], expected["outcome_count"][1, d] = 0.45, 11
    same_table()

    *_, terminated, _, _ = env.step(offers("b1", "d1"))  # the leader's change of b0 counts for nothing; b1 is cut off
    assert terminated[0]
    expected["acceptance"][0, b, 1], expected["acceptance_count"][0, b, 1] = 0.55, 11
    expected["completion"][0, b, 0] = 0.405
    expected["outcome"][0, b], expected["outcome_count"][0, b] = 0.45, 11
    same_table()

    env.step(offers("b0", "c0"))  # over: nothing more
    same_table()


def test_a_contract_that_a_worse_offer_replaces_is_no_failure() -> None:
    """The leader ended it, though the follower refuses what came instead."""
    env = stage(paymaster.make_vec, "#########\n#a..0..b#\n#########", "^", preference="a")
    assert env.step(offers("b1"))[4]["committed"].tolist() == [[True]]
    assert env.step(offers("b0"))[4]["committed"].tolist() == [[False]]
    assert not env.statistics.outcome_count.any()
    assert env.statistics.acceptance_count[0, 1].tolist() == [1, 1]
    assert env.statistics.acceptance[0, 1].tolist() == [0, np.float32(0.1)]


@pytest.mark.parametrize("swap", [False, True])
def test_games_write_in_their_order(swap: bool) -> None:
    """Both games have the same follower; one accepts and one refuses the same offer in the same step."""
    drawing = "#########\n#.......#\n#########"
    env = paymaster.make_vec(RC, 2, seed=0, map=drawing, num_followers=1, num_resources=2, population_size=1)
    env.reset()
    prefers_a = [swap, not swap]  # and a is there: then b at the lowest bonus is refused
    env.set_state(
        preference=[[0 if first else 3] for first in prefers_a],
        position=[[(1, 4)]] * 2,
        resource_type=[[0, 1]] * 2,
        resource_position=[[(1, 1), (1, 7)]] * 2,
    )
    env.statistics.set(acceptance=np.full((1, 4, 2), 0.5))
    *_, info = env.step(np.full((2, 1, 2), [1, 0]))
    assert info["committed"][:, 0].tolist() == [not first for first in prefers_a]
    accepted_last, refused_last = 0.5 * 0.9 + 0.1 * (1 - 0.5 * 0.9), (0.5 + 0.1 * 0.5) * 0.9
    got = env.statistics.acceptance[0, 1, 0]
    assert got == pytest.approx(accepted_last if swap else refused_last, rel=1e-6)
    assert env.statistics.acceptance_count[0, 1, 0] == 2


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_one_table_for_all_games_and_episodes(mode: str) -> None:
    env = make(autoreset_mode=mode, horizon=7, population_size=6, noise=0.2)
    env.reset()
    counts = [0]
    for episode in range(4):
        play(env, 9, episode)
        table = env.statistics.arrays()
        for name in ("acceptance", "completion", "outcome"):
            assert table[name].min() >= 0
            assert table[name].max() <= 1
        counts.append(int(table["outcome_count"].sum()))
        env.reset()
        assert same(env.statistics.arrays(), table), "a reset says nothing about a follower"
    assert (np.diff(counts) > 0).all()
    assert table["acceptance"][table["acceptance_count"] == 0].any() == np.False_
    assert table["outcome"][table["outcome_count"] == 0].any() == np.False_
    env.reset(seed=5)
    assert same(env.statistics.arrays(), table)
    env.set_state(**env.state())
    assert same(env.statistics.arrays(), table)


# ---- reading, setting, freezing


def test_a_new_table_is_empty() -> None:
    env = make()
    table = env.statistics.arrays()
    assert {name: (array.dtype.name, array.shape) for name, array in table.items()} == SHAPES
    assert not any(array.any() for array in table.values())
    assert env.statistics.frozen is False
    small = make(population_size=5, num_goals=3, num_bonuses=6, horizon=11).statistics
    assert (small.acceptance.shape, small.completion.shape, small.outcome.shape) == ((5, 3, 6), (5, 3, 11), (5, 3))


def test_frozen_leaves_it_as_it_is() -> None:
    env = make()
    env.reset()
    play(env)
    table = env.statistics.arrays()
    env.statistics.frozen = True
    assert env.statistics.frozen is True
    env.reset()
    play(env, seed=1)
    assert same(env.statistics.arrays(), table)
    env.statistics.frozen = np.False_
    assert env.statistics.frozen is False
    env.reset()
    play(env, seed=1)
    assert not same(env.statistics.arrays(), table)


def test_freezing_does_not_change_the_games() -> None:
    frozen, live = make(noise=0.3), make(noise=0.3)
    frozen.statistics.frozen = True
    for env in (frozen, live):
        env.reset()
        play(env)
    np.testing.assert_equal(frozen.state(), live.state())
    assert live.statistics.outcome_count.any()


def test_set_clear_and_copies() -> None:
    env = make()
    env.reset()
    play(env)
    table = env.statistics.arrays()
    other = make()
    other.statistics.frozen = True  # also a frozen table can be set and cleared
    other.statistics.set(**table)
    assert same(other.statistics.arrays(), table)
    outcome = np.full((40, 4), 0.25)
    other.statistics.set(outcome=outcome, outcome_count=np.full((40, 4), 7, dtype=np.uint8))
    assert same(other.statistics.arrays(), {**table, "outcome": outcome, "outcome_count": np.full((40, 4), 7)})
    outcome[:] = 0.75
    assert other.statistics.outcome[0, 0] == 0.25
    other.statistics.set(outcome=np.ones((40, 4), dtype=int), completion=np.ones((40, 4, 60))[..., ::2])
    assert (other.statistics.outcome == 1).all()
    assert (other.statistics.completion == 1).all()
    copied = other.statistics.arrays()
    for array in copied.values():
        array[:] = 0
    assert (other.statistics.outcome == 1).all()
    other.statistics.clear()
    assert not any(array.any() for array in other.statistics.arrays().values())
    assert other.statistics.frozen
    other.statistics.set()
    assert not other.statistics.acceptance.any()


def test_attributes_are_live_and_read_only() -> None:
    env = make()
    views = {name: getattr(env.statistics, name) for name in SHAPES}
    env.reset()
    play(env)
    assert views["acceptance_count"].any()
    assert same(views, env.statistics.arrays())
    for view in views.values():
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 0
        with pytest.raises(ValueError, match="WRITEABLE"):
            view.setflags(write=True)
    table = env.statistics.arrays()
    env.restore(env.snapshot())
    assert same({name: getattr(env.statistics, name) for name in SHAPES}, table)
    env.statistics.clear()
    assert not any(view.any() for view in views.values())
    env.statistics.set(**table)
    del env
    gc.collect()
    make(64).reset()
    assert same(views, table), "a view keeps its memory alive"


@pytest.mark.parametrize(
    ("arrays", "error", "name", "came"),
    [
        ({"rejection": np.zeros((40, 4, 2))}, ValueError, "statistics", "'rejection'"),
        ({"acceptance": np.zeros((40, 4))}, ValueError, "acceptance", "(40, 4)"),
        ({"acceptance": np.zeros((39, 4, 2))}, ValueError, "acceptance", "(39, 4, 2)"),
        ({"acceptance": 0.5}, ValueError, "acceptance", "()"),
        ({"acceptance": np.full((40, 4, 2), np.nan)}, ValueError, "acceptance", "nan"),
        ({"acceptance": np.full((40, 4, 2), 1.001)}, ValueError, "acceptance", "1.001"),
        ({"completion": np.full((40, 4, 30), -0.001)}, ValueError, "completion", "-0.001"),
        ({"completion": np.full((40, 4, 30), np.inf)}, ValueError, "completion", "inf"),
        ({"completion": np.zeros((40, 4, 30), dtype=bool)}, TypeError, "completion", "bool"),
        ({"outcome": np.zeros((40, 4), dtype=complex)}, TypeError, "outcome", "complex128"),
        ({"outcome": np.zeros((40, 4), dtype=str)}, TypeError, "outcome", "<U1"),
        ({"outcome": np.zeros((40, 4), dtype=object)}, TypeError, "outcome", "object"),
        ({"outcome": None}, TypeError, "outcome", "object"),
        ({"outcome_count": np.zeros((40, 4))}, TypeError, "outcome_count", "float64"),
        ({"outcome_count": np.full((40, 4), -1)}, ValueError, "outcome_count", "-1"),
        ({"outcome_count": np.full((40, 4), 2**64 - 1, dtype=np.uint64)}, ValueError, "outcome_count", str(2**64 - 1)),
        ({"acceptance_count": np.zeros((40, 4, 3), dtype=int)}, ValueError, "acceptance_count", "(40, 4, 3)"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_impossible_entries(arrays: dict[str, Any], error: type[Exception], name: str, came: str) -> None:
    env = make()
    env.reset()
    play(env)
    before = env.snapshot()
    legal = {"acceptance_count": np.full((40, 4, 2), 3)} if "acceptance_count" not in arrays else {}
    for given in (arrays, {**legal, **arrays}):  # what is legal beside it is not taken either
        with pytest.raises(error, match=f"{name}: expected .*, got ") as caught:
            env.statistics.set(**given)
        assert came in str(caught.value)
        assert env.snapshot() == before


def test_ragged_entries() -> None:
    with pytest.raises((TypeError, ValueError), match=r"outcome: expected .*, got "):
        make().statistics.set(outcome=[[0.5], [0.5, 0.5]])


@pytest.mark.parametrize("wrong", [1, 0, "yes", None, 1.0])
def test_frozen_is_a_bool(wrong: Any) -> None:
    env = make()
    with pytest.raises(TypeError, match=f"frozen: expected a bool, got {type(wrong).__name__}"):
        env.statistics.frozen = wrong
    assert env.statistics.frozen is False
