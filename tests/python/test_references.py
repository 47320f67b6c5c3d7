"""Scripted leaders: what they offer, what they gain, and the assignment behind the last of them."""

from __future__ import annotations

import itertools
import json
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import paymaster
from paymaster import _core
from paymaster.scripted import SCRIPTED, make_scripted
from paymaster.scripted.told_best import RULES, STORED, best_rule
from rest_slow import rest_slow
from worlds import CRAFTING, TASKS

RC, MB = "resource_collection", "multi_bonus_resource_collection"
EPISODES = 2000


def make(task: str = RC, num_envs: int = 8, seed: int = 0, **parameters: Any) -> Any:
    env = paymaster.make_vec(task, num_envs, seed, 1, autoreset_mode="Disabled", **parameters)
    env.statistics.frozen = True
    return env


def play(name: str, env: Any, seed: int = 0) -> tuple[list[Any], list[Any]]:
    """The next episode of every game: observations, and (offers, info) of every step."""
    leader = make_scripted(name, seed)
    seen, _ = env.reset()
    leader.start(env)
    observations, steps = [seen], []
    ended = np.zeros(env.num_envs, dtype=np.bool_)
    while not ended.all():
        offers = leader.offers(env, seen)
        seen, _, ended, _, info = env.step(offers)
        observations.append(seen)
        steps.append((offers, info))
    return observations, steps


@cache
def gain(name: str, task: str, payment: str, population_seed: int = 0) -> tuple[float, float]:
    """Mean gain over EPISODES episodes, and half of its 95% interval."""
    env = make(task, EPISODES, seed=11, payment=payment, population_seed=population_seed)
    gains = play(name, env)[1][-1][1]["totals"]["gain"].astype(np.float64)
    return float(gains.mean()), float(1.96 * gains.std(ddof=1) / np.sqrt(EPISODES))


# ---- gains


@pytest.mark.parametrize("population_seed", rest_slow([0, 1], {0}.__contains__))
@pytest.mark.parametrize(
    ("name", "mean", "half"),
    [("random", 4.7, 0.6), ("fixed", 5.4, 0.6), ("preference", 14.2, 1.0), ("full_information", 18.3, 0.4)],
)
def test_gains_agree_with_m3rl(name: str, mean: float, half: float, population_seed: int) -> None:
    """M3RL's environment: 60 episodes, 3 skills, 2 bonus levels, paid on completion, mean and 95% interval."""
    ours, our_half = gain(name, RC, "completion", population_seed)
    assert our_half < half / 2
    assert abs(ours - mean) <= half + our_half, f"{ours:.2f} ± {our_half:.2f}"


@pytest.mark.parametrize(("task", "payment"), [(RC, "completion"), (RC, "advance"), (MB, "advance")])
def test_knowing_more_gains_more(task: str, payment: str) -> None:
    """Intervals do not even touch."""
    order = [gain(name, task, payment) for name in ("random", "fixed", "preference", "full_information")]
    for (worse, half), (better, other_half) in itertools.pairwise(order):
        assert worse + half < better - other_half


def test_advance_payments_punish_changes_of_offer_only() -> None:
    for task in (RC, MB):
        assert gain("random", task, "advance")[0] < -50
        assert gain("preference", task, "advance")[0] > 0.9 * gain("preference", task, "completion")[0]
        assert gain("full_information", task, "advance")[0] > 0.85 * gain("full_information", task, "completion")[0]


# ---- offers


@pytest.mark.parametrize("name", SCRIPTED)
@pytest.mark.parametrize(
    ("task", "parameters"),
    [
        (RC, {}),
        (MB, {"abstain": True, "noise": 0.2}),
        (RC, {"num_followers": 1, "payment": "advance"}),
        (RC, {"num_followers": 16, "num_resources": 3}),
        ("resource_collection_one_skill", {"num_goals": 1, "num_bonuses": 1}),
    ],
    ids=["default", "abstain", "one follower", "many followers", "one goal"],
)
def test_offers_are_actions(name: str, task: str, parameters: dict[str, Any]) -> None:
    env = make(task, **parameters)
    _, steps = play(name, env)
    for offers, _ in steps:
        assert env.action_space.contains(offers)
        assert offers.dtype == np.int64


@pytest.mark.parametrize("name", SCRIPTED)
def test_same_seed_same_offers(name: str) -> None:
    first, again, other = ([offers for offers, _ in play(name, make(), seed)[1]] for seed in (3, 3, 4))
    np.testing.assert_equal(first, again)
    drawn = name in ("random", "fixed")
    assert (not np.array_equal(first[0], other[0])) == drawn


def test_random_is_uniform() -> None:
    env = make(MB, 500)
    seen, _ = env.reset()
    leader = make_scripted("random", 5)
    offers = np.concatenate([leader.offers(env, seen) for _ in range(20)])
    counts = np.bincount((offers[..., 0] * 4 + offers[..., 1]).ravel(), minlength=16)
    expected = offers.size / 2 / 16
    assert ((counts - expected) ** 2 / expected).sum() < 45  # chi-square with 15 degrees of freedom, p < 1e-4


def test_fixed_is_one_goal_an_episode_at_the_highest_bonus() -> None:
    env = make(MB)
    leader = make_scripted("fixed", 1)
    seen, _ = env.reset()
    leader.start(env)
    first = leader.offers(env, seen).copy()
    seen, *_ = env.step(first)
    np.testing.assert_array_equal(leader.offers(env, seen), first)
    assert (first[..., 1] == 3).all()
    assert set(first[..., 0].ravel()) == {0, 1, 2, 3}
    env.reset()
    leader.start(env)
    assert not np.array_equal(leader.offers(env, seen), first)


def test_preference_is_accepted_while_it_can_be_reached() -> None:
    env = make(MB)
    observations, steps = play("preference", env)
    preference = env.state("preference")["preference"]
    for seen, (offers, info) in zip(observations, steps, strict=False):
        np.testing.assert_array_equal(offers[..., 0], preference)
        assert not offers[..., 1].any()
        reach = np.take_along_axis(seen["distance"], preference[..., None], -1)[..., 0] >= 0
        going = (seen["step"] < 30) & (seen["resource_type"] >= 0).any(-1)
        np.testing.assert_array_equal(info["committed"], reach & going[:, None])


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("payment", ["completion", "advance"])
def test_full_information_never_sets_anyone_to_what_it_cannot_do(task: str, payment: str) -> None:
    env = make(task, 64, payment=payment)
    _, steps = play("full_information", env)
    skill = env.state("skill")["skill"]
    wins = 0
    for offers, info in steps:
        able = np.take_along_axis(skill, offers[..., :1], -1)[..., 0]
        assert not (info["committed"] & ~able).any()
        wins += int(info["committed"].sum())
    assert wins > 64 * (20 if task in CRAFTING else 25)


def test_full_information_pays_no_more_than_it_takes() -> None:
    """The cheapest bonus that wins: one level less is refused, in the game as it was when the offer was made."""
    env = make(MB, 64, payment="completion")
    leader = make_scripted("full_information")
    seen, _ = env.reset()
    leader.start(env)
    tried = 0
    for _ in range(12):
        offers = leader.offers(env, seen)
        snapshot = env.snapshot()
        *_, info = env.step(offers)
        dear = info["committed"] & (offers[..., 1] > 0)
        env.restore(snapshot)
        *_, cheaper = env.step(offers - np.where(dear[..., None], [0, 1], 0))
        assert not cheaper["committed"][dear].any()
        tried += int(dear.sum())
        env.restore(snapshot)
        seen, *_ = env.step(offers)
    assert tried > 100


@pytest.mark.parametrize("task", [MB, "navigation", "crafting"])
def test_the_nearest_type_for_the_lowest_pay_and_held_while_the_contract_runs(task: str) -> None:
    env = make(task, 64)
    lowest = int(np.flatnonzero(env.prices > 0)[0])
    assert lowest == (task == "crafting")  # there level 0 is no employment
    held = 0
    for name in ("nearest", "nearest_hold"):
        observations, steps = play(name, env)
        for seen, (offers, _) in zip(observations, steps, strict=False):
            for b, k in itertools.product(range(env.num_envs), range(env.num_followers)):
                if name == "nearest_hold" and seen["contract_running"][b, k]:
                    expected = list(seen["offer"][b, k])
                    held += 1
                else:
                    ways = [(way, g) for g, way in enumerate(seen["distance"][b, k]) if way >= 0]
                    expected = [min(ways)[1] if ways else 0, lowest]
                assert list(offers[b, k]) == expected
    assert held > 100


@pytest.mark.parametrize("task", [MB, "navigation"])
def test_told_leaders_send_each_follower_where_it_alone_brings_most(task: str) -> None:
    """Both offer by net profit per step, no follower looks at another; the lowest at level 0 alone."""
    env = make(task, 32, payment="completion")
    for name in ("told_lowest", "told_alone"):
        observations, steps = play(name, env)
        state = env.state("skill", "preference", "reservation")
        on_the_grid, sent = "heading" in observations[0], 0
        for seen, (offers, _) in zip(observations, steps, strict=False):
            left = env.parameters["horizon"] - seen["step"]
            for b, k in itertools.product(range(env.num_envs), range(env.num_followers)):
                ways = seen["distance"][b, k]
                best, choice = 0.0, None
                for g, way in enumerate(ways):
                    likes, other = state["preference"][b, k] == g, ways[state["preference"][b, k]] >= 0
                    needed = state["reservation"][b, k] if other and not likes else 0.0
                    level = int(np.searchsorted(env.prices, needed, side="right"))
                    if not (state["skill"][b, k, g] and 0 <= way < left[b] and level < len(env.prices)):
                        continue
                    profit = (env.goal_reward[g] - env.prices[level]) / (way + (2 if on_the_grid else 1) or 1)
                    if (name == "told_alone" or level == 0) and profit > best + 1e-9:
                        best, choice = profit, [g, level]
                if choice is not None:
                    sent += 1
                    assert list(offers[b, k]) == choice
        assert sent > 500
    assert gain("told_lowest", MB, "completion")[0] > gain("told_alone", MB, "completion")[0]


def test_full_information_keeps_running_contracts_under_advance() -> None:
    env = make(RC, 64, payment="advance")
    observations, steps = play("full_information", env)
    skill = env.state("skill")["skill"]
    kept = 0
    for seen, (offers, _) in zip(observations, steps, strict=False):
        goal = np.maximum(seen["offer"][..., :1], 0)
        can = np.take_along_axis(skill, goal, -1)[..., 0] & (
            np.take_along_axis(seen["distance"], goal, -1)[..., 0] >= 0
        )
        worth = (seen["contract_running"] > 0) & can
        np.testing.assert_array_equal(offers[worth], seen["offer"][worth])
        kept += int(worth.sum())
    assert kept > 500


@pytest.mark.parametrize("name", ["", "best", "Random", "full-information"])
def test_unknown_names_come_with_the_known_ones(name: str) -> None:
    with pytest.raises(ValueError, match=r"reference: expected one of random, .*, told_best, module:Class, got"):
        make_scripted(name)


def test_impossible_seeds() -> None:
    for seed, error in ((-1, ValueError), (2**64, ValueError), (1.0, TypeError), (True, TypeError)):
        with pytest.raises(error, match="seed: expected"):
            make_scripted("random", seed)


# ---- the assignment


def total(value: NDArray[np.float64], chosen: Any) -> float:
    return float(sum(value[k, g] for k, g in enumerate(chosen) if g >= 0))


def best_total(value: NDArray[np.float64], capacity: NDArray[np.int32]) -> float:
    """By trying everything."""
    followers, goals = value.shape
    return max(
        total(value, chosen)
        for chosen in itertools.product(range(-1, goals), repeat=followers)
        if all(chosen.count(g) <= max(capacity[g], 0) for g in range(goals))
    )


VALUES = st.sampled_from([-1e6, -3.0, -0.0, 0.0, 1e-7, 0.5, 0.5, 1.0, 1.0, 1.5, 3.0, 1 / 3, 5e5]) | st.floats(-2, 2)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), followers=st.integers(0, 4), goals=st.integers(1, 3))
def test_assignment_against_trying_everything(data: st.DataObject, followers: int, goals: int) -> None:
    games = 3
    sizes = games * followers * goals
    value = np.array(data.draw(st.lists(VALUES, min_size=sizes, max_size=sizes))).reshape(games, followers, goals)
    room = data.draw(st.lists(st.integers(0, 3), min_size=games * goals, max_size=games * goals))
    capacity = np.array(room, dtype=np.int32).reshape(games, goals)
    chosen = _core.assign(value, capacity)
    assert chosen.shape == (games, followers)
    assert chosen.dtype == np.int32
    for b in range(games):
        taken = chosen[b].tolist()
        assert all(-1 <= g < goals for g in taken)
        assert all(taken.count(g) <= capacity[b, g] for g in range(goals)), "more followers than there is room for"
        assert all(value[b, k, g] > 0 for k, g in enumerate(taken) if g >= 0), "a worthless type was taken"
        assert total(value[b], taken) == pytest.approx(best_total(value[b], capacity[b]), rel=1e-12, abs=1e-9)


def test_assignment_by_hand() -> None:
    value = np.array([[[5.0, 4.0], [5.0, 1.0], [3.0, 0.0]]])
    for capacity, expected in (
        ([2, 1], [1, 0, 0]),
        ([1, 1], [1, 0, -1]),
        ([0, 1], [1, -1, -1]),
        ([3, 0], [0, 0, 0]),
        ([0, 0], [-1, -1, -1]),
        ([2**31 - 1, 2**31 - 1], [0, 0, 0]),
        ([-1, 1], [1, -1, -1]),
    ):
        assert _core.assign(value, np.array([capacity], dtype=np.int32))[0].tolist() == expected
    nobody = _core.assign(-np.ones((2, 3, 4)), np.full((2, 4), 3, dtype=np.int32))
    assert (nobody == -1).all()
    assert _core.assign(np.ones((1, 1, 1)), np.ones((1, 1), dtype=np.int32)).tolist() == [[0]]


def test_assignment_of_many_is_stable_under_relabelling() -> None:
    """Sixteen followers, four types: the best total does not depend on who comes first."""
    rng = np.random.default_rng(0)
    value = rng.normal(size=(40, 16, 4)).round(1)
    capacity = rng.integers(0, 6, size=(40, 4)).astype(np.int32)
    order = rng.permutation(16)
    first, again = _core.assign(value, capacity), _core.assign(value[:, order], capacity)
    for b in range(40):
        assert total(value[b], first[b]) == pytest.approx(total(value[b, order], again[b]))


@pytest.mark.parametrize(
    ("value", "capacity"),
    [
        (np.ones((2, 3)), np.ones((2, 3), dtype=np.int32)),
        (np.ones((2, 3, 4)), np.ones((2, 3), dtype=np.int32)),
        (np.ones((2, 3, 4)), np.ones((1, 4), dtype=np.int32)),
        (np.ones((2, 3, 4)), np.ones(4, dtype=np.int32)),
        (np.ones((1, 65, 4)), np.ones((1, 4), dtype=np.int32)),
        (np.ones((1, 3, 65)), np.ones((1, 65), dtype=np.int32)),
    ],
)
def test_assignment_refuses_other_shapes(value: Any, capacity: Any) -> None:
    with pytest.raises(ValueError, match=r"(value|capacity): expected .*, got "):
        _core.assign(value, capacity)


# ---- the best told rule


@pytest.mark.parametrize("payment", ["completion", "advance", "advance_once", "outcome"])
def test_every_task_has_a_best_rule_that_was_measured(payment: str) -> None:
    stored = json.loads(STORED.read_text())
    assert set(stored) == set(TASKS)
    for task in TASKS:
        gains = stored[task][payment]
        assert set(gains) == set(RULES)
        assert gains[best_rule(task, payment)] == max(gains.values())
    assert len({best_rule(task, payment) for task in TASKS}) > 1


def test_the_best_told_rule_plays_as_that_rule() -> None:
    for task, payment, rule in ((RC, "completion", "told_lowest"), (RC, "advance", "full_information")):
        assert best_rule(task, payment) == rule
        best = play("told_best", make(task, 20, payment=payment))[1]
        alone = play(rule, make(task, 20, payment=payment))[1]
        for (offers, _), (expected, _) in zip(best, alone, strict=True):
            np.testing.assert_array_equal(offers, expected)


def test_a_game_that_was_not_measured_has_full_information() -> None:
    assert best_rule("couriers", "advance") == "full_information"
