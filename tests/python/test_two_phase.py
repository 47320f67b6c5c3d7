"""Followers that act from outside: a step in two phases.

One long file, because both kinds of followers are held against the rule-based game.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from paymaster import LeaderVectorEnv, TwoPhaseVectorEnv, make, make_vec
from play import rule
from worlds import CRAFTING, TASKS, by_utility

KINDS = ("meta", "primitive")


def offers_of(env: LeaderVectorEnv, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    highest = [env.parameters["num_goals"] + env.parameters["abstain"], env.parameters["num_bonuses"]]
    return rng.integers(0, highest, size=(env.num_envs, env.num_followers, 2))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_meta_followers_told_what_the_rule_says_play_the_same_game(task: str, noise: float) -> None:
    """The two-phase step is the single-phase step where followers answer by the rule: everything is equal."""
    free = {"effort_cost": 0.0}  # play.rule does not know what a step costs
    parameters: dict[str, Any] = {"noise": noise, "abstain": True, "num_envs": 6, "seed": 3, **free, **by_utility(task)}
    one, two = make_vec(task, **parameters), make_vec(task, followers="meta", **parameters)
    assert isinstance(two, TwoPhaseVectorEnv)
    rng = np.random.default_rng(0)
    one.reset(), two.reset()
    for _ in range(130):
        offers = offers_of(one, rng)
        expected = one.step(offers)
        seen = two.offer(offers)
        came = two.act(rule(seen))
        for name, values in expected[0].items():
            np.testing.assert_array_equal(came[0][name], values, err_msg=name)
        for a, b in zip(came[1:4], expected[1:4], strict=True):
            np.testing.assert_array_equal(a, b)
        for name in ("committed", "completed", "payment", "follower_reward", "follower_action"):
            np.testing.assert_array_equal(came[4][name], expected[4][name], err_msg=name)
    for name, values in one.statistics.arrays().items():
        np.testing.assert_array_equal(two.statistics.arrays()[name], values, err_msg=name)
    assert one.statistics.arrays()["acceptance_count"].sum() > 0


@pytest.mark.parametrize("task", TASKS)
def test_primitive_followers_who_play_the_planners_moves_complete_contracts(task: str) -> None:
    """Without a say, those who follow the route to what they are offered earn what obedient meta followers earn."""
    obedient = make_vec(task, 8, 1, followers="meta", observe_routes=True)
    primitive = make_vec(task, 8, 1, followers="primitive", observe_routes=True)
    rng = np.random.default_rng(0)
    obedient.reset(), primitive.reset()
    completed = 0
    for t in range(obedient.parameters["horizon"]):
        if t % 10 == 0:
            offers = offers_of(obedient, rng)
        chosen, moved = obedient.offer(offers), primitive.offer(offers)
        goal = offers[..., 0]
        route = np.take_along_axis(moved["route"], goal[..., None], -1)[..., 0]
        a, b = obedient.act(goal), primitive.act(route)
        np.testing.assert_array_equal(chosen["distance"], moved["distance"])
        for name in ("committed", "completed", "payment", "follower_reward", "follower_action"):
            np.testing.assert_array_equal(a[4][name], b[4][name], err_msg=name)
        completed += int((b[4]["completed"] >= 0).sum())
    assert completed > 0


@pytest.mark.parametrize("task", TASKS)
def test_meta_follower_is_committed_iff_it_takes_what_it_was_offered(task: str) -> None:
    env = make_vec(task, 16, 0, followers="meta", abstain=True, **by_utility(task))
    rng = np.random.default_rng(1)
    env.reset()
    met = {True: 0, False: 0}
    for _ in range(60):
        offers = offers_of(env, rng)
        seen = env.offer(offers)
        answer = rng.integers(0, env.parameters["num_goals"] + 1, size=offers.shape[:2])
        goal = np.minimum(answer, env.parameters["num_goals"] - 1)
        reachable = np.take_along_axis(seen["distance"], goal[..., None], -1)[..., 0] >= 0
        expected = (answer == seen["offered"][..., 0]) & reachable & seen["acts"]
        *_, info = env.act(answer)
        np.testing.assert_array_equal(info["committed"], expected)
        for kind in met:
            met[kind] += int((expected == kind).sum())
    assert min(met.values()) > 0


@pytest.mark.parametrize("task", CRAFTING)
@pytest.mark.parametrize("kind", KINDS)
def test_nobody_takes_an_offer_at_a_price_of_0_where_that_is_no_employment(task: str, kind: str) -> None:
    """Whoever decides: also followers that cannot decline."""
    env = make_vec(task, 16, 0, followers=kind)
    rng = np.random.default_rng(1)
    env.reset()
    committed = np.zeros(env.parameters["num_bonuses"], dtype=int)
    for _ in range(40):
        offers = offers_of(env, rng)
        env.offer(offers)
        *_, info = env.act(offers[..., 0] if kind == "meta" else rng.integers(0, 6, size=offers.shape[:2]))
        np.add.at(committed, offers[..., 1], info["committed"])
    assert committed[0] == 0 and (committed[1:] > 0).all()


@pytest.mark.parametrize(
    ("payment", "expected"),
    [("advance", [8, 0, 8, 0]), ("advance_once", [8, 0, 0, 0]), ("completion", [0, 0, 0, 0])],
)
def test_taking_and_dropping_an_offer_in_turn(payment: str, expected: list[float]) -> None:
    """A contract that starts is paid for, whatever comes of it: with `advance` also when its follower dropped the last
    one itself, with `advance_once` only the first time. What is due is seen before it is taken."""
    env = made(payment=payment)
    paid, due = [], []
    for t in range(4):
        due.append(env.offer(OFFERS)["due"].sum())
        paid.append(env.act(ANSWERS if t % 2 == 0 else np.full_like(ANSWERS, 4))[4]["payment"].sum())
    reachable = env.observe()["distance"][..., 0] >= 0
    assert reachable.all()
    assert paid == expected
    assert due[::2] == expected[::2]
    assert due[1::2] == [0, 0]  # of a contract that runs


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("payment", ["completion", "advance", "advance_once"])
def test_what_is_due_is_what_is_paid(task: str, payment: str) -> None:
    env = make_vec(task, 16, 0, followers="meta", payment=payment, autoreset_mode="Disabled")
    rng = np.random.default_rng(2)
    env.reset()
    offers, met = offers_of(env, rng), 0.0
    for _ in range(30):
        offers = np.where(rng.random((*offers.shape[:2], 1)) < 0.3, offers_of(env, rng), offers)
        seen = env.offer(offers)
        answer = np.where(rng.random(offers.shape[:2]) < 0.3, 4, offers[..., 0])
        *_, info = env.act(answer)
        if payment != "completion":
            np.testing.assert_array_equal(info["payment"], np.where(info["committed"], seen["due"], 0))
        met += seen["due"].sum()
    assert (met > 0) == (payment != "completion")


@pytest.mark.parametrize("task", TASKS)
def test_primitive_follower_cannot_decline_and_moves_as_told(task: str) -> None:
    env = make_vec(task, 16, 0, followers="primitive", abstain=True, **by_utility(task))
    rng = np.random.default_rng(1)
    env.reset()
    for _ in range(60):
        offers = offers_of(env, rng)
        seen = env.offer(offers)
        goal = seen["offered"][..., 0]
        reachable = np.take_along_axis(seen["distance"], np.maximum(goal, 0)[..., None], -1)[..., 0] >= 0
        answer = rng.integers(0, 5, size=goal.shape)
        *_, info = env.act(answer)
        played = seen["acts"]
        np.testing.assert_array_equal(info["committed"], (goal >= 0) & reachable & played)
        np.testing.assert_array_equal(info["follower_action"][played], answer[played])


@pytest.mark.parametrize("kind", KINDS)
def test_those_who_do_not_learn_decide_by_rule(kind: str) -> None:
    """Where nobody learns, actions of followers are ignored, and the game is the rule-based one."""
    one = make_vec("resource_collection", 5, 2)
    people = {**one.population, "learns": np.zeros(40, dtype=bool)}
    two = make_vec("resource_collection", 5, 2, followers=kind, population=people)
    rng = np.random.default_rng(0)
    one.reset(), two.reset()
    for _ in range(70):
        offers = offers_of(one, rng)
        expected = one.step(offers)
        assert not two.offer(offers)["acts"].any()
        came = two.act(rng.integers(0, 5, size=(5, 4)))
        np.testing.assert_array_equal(came[1], expected[1])
        np.testing.assert_array_equal(came[4]["follower_action"], expected[4]["follower_action"])


def test_half_of_a_population_learns() -> None:
    people = {**make_vec("navigation").population, "learns": np.arange(40) % 2 == 0}
    env = make_vec("navigation", 32, 0, followers="primitive", population=people)
    observation, _ = env.reset()
    seen = env.offer(np.zeros((32, 4, 2), dtype=np.int64))
    np.testing.assert_array_equal(seen["acts"], observation["identity"] % 2 == 0)
    *_, info = env.act(np.full((32, 4), 3))
    assert (info["follower_action"][seen["acts"]] == 3).all()
    assert (info["follower_action"][~seen["acts"]] != 3).any()
    np.testing.assert_array_equal(env.population["learns"], people["learns"])
    np.testing.assert_array_equal(env.state("learns")["learns"], seen["acts"])


@pytest.mark.parametrize("kind", KINDS)
def test_what_followers_see(kind: str) -> None:
    env = make_vec("predator_prey", 3, 0, followers=kind, abstain=True)
    observation, _ = env.reset()
    offers = np.array([[[4, 1], [0, 0], [1, 1], [3, 0]]] * 3)
    seen = env.offer(offers)
    assert env.follower_observation_space.contains(seen)
    state = env.state("skill", "preference", "reservation")
    for name, values in state.items():
        np.testing.assert_array_equal(seen[name], values)
    np.testing.assert_array_equal(seen["offered"], np.where(offers[..., :1] == 4, -1, offers))
    for name, values in observation.items():
        np.testing.assert_array_equal(seen[name], values)
    assert (env.follower_action_space.sample() < 5).all() and env.follower_action_space.shape == (3, 4)


def test_results_do_not_depend_on_threads_and_snapshots_hold_the_kind_of_followers() -> None:
    envs = [make_vec("resource_collection", 9, 4, threads, followers="primitive", noise=0.2) for threads in (1, 3)]
    rng = np.random.default_rng(0)
    for env in envs:
        env.reset()
    for _ in range(40):
        offers, answers = offers_of(envs[0], rng), rng.integers(0, 5, size=(9, 4))
        steps = []
        for env in envs:
            env.offer(offers)
            steps.append(env.act(answers))
        np.testing.assert_array_equal(steps[0][1], steps[1][1])
    assert envs[0].snapshot() == envs[1].snapshot()
    with pytest.raises(ValueError, match="same parameters"):
        make_vec("resource_collection", 9, 4, followers="meta", noise=0.2).restore(envs[0].snapshot())


# ---- the order of the two phases, and bad input


def made(kind: str = "meta", **parameters: Any) -> TwoPhaseVectorEnv:
    env = make_vec("resource_collection", 2, 0, followers=kind, **parameters)
    assert isinstance(env, TwoPhaseVectorEnv)
    env.reset()
    return env


OFFERS = np.zeros((2, 4, 2), dtype=np.int64)
ANSWERS = np.zeros((2, 4), dtype=np.int64)


def test_act_needs_an_offer_of_the_same_state() -> None:
    env = made()
    with pytest.raises(ValueError, match=r"act: expected offer\(\) before it"):
        env.act(ANSWERS)
    snapshot = env.snapshot()
    for between in (env.reset, lambda: env.restore(snapshot), lambda: env.set_state(**env.state())):
        env.offer(OFFERS)
        between()
        with pytest.raises(ValueError, match="act: expected"):
            env.act(ANSWERS)
    env.offer(OFFERS)
    env.act(ANSWERS)
    with pytest.raises(ValueError, match="act: expected"):
        env.act(ANSWERS)


def test_followers_see_the_state_that_was_set() -> None:
    env = made()
    step = np.full(2, 7)
    env.set_state(step=step)
    np.testing.assert_array_equal(env.offer(OFFERS)["step"], step)


def test_a_second_offer_replaces_the_first() -> None:
    env = made()
    env.offer(OFFERS)
    env.offer(OFFERS + 1)
    observation, *_ = env.act(ANSWERS)
    assert (observation["offer"] == 1).all()


def test_a_bad_answer_moves_nothing_and_leaves_the_offer() -> None:
    env = made()
    env.offer(OFFERS)
    before = env.snapshot()
    bad = ANSWERS.copy()
    bad[1, 2] = 5
    with pytest.raises(ValueError, match=r"actions \(game 1, follower 2\): expected a value in \[0, 4\], got 5"):
        env.act(bad)
    with pytest.raises(ValueError, match=r"actions: expected shape \(2, 4\)"):
        env.act(ANSWERS[:1])
    with pytest.raises(TypeError, match="actions: expected an integer dtype"):
        env.act(ANSWERS.astype(float))
    with pytest.raises(ValueError, match="actions"):
        env.act(np.full((2, 4), 2**40))
    assert env.snapshot() == before
    env.act(ANSWERS)
    assert env.snapshot() != before


def test_a_bad_offer_is_refused_and_leaves_the_one_before() -> None:
    env, twin = made(), made()
    for each in (env, twin):
        each.offer(OFFERS)
    for bad in (OFFERS + 9, OFFERS + 2**40, OFFERS[:1], OFFERS * 0.5):
        with pytest.raises((ValueError, TypeError), match=r"actions|goal"):
            env.offer(bad)
    np.testing.assert_equal(env.act(ANSWERS), twin.act(ANSWERS))


@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_of_followers_decides_the_class(kind: str) -> None:
    with pytest.raises(ValueError, match=r"step: expected offer\(\) and act\(\)"):
        made(kind).step(OFFERS)
    with pytest.raises(ValueError, match=f"followers: expected 'rule', got '{kind}'"):
        LeaderVectorEnv("resource_collection", followers=kind)
    with pytest.raises(ValueError, match=f"followers: expected 'rule', got '{kind}'"):
        make("resource_collection", followers=kind)
    with pytest.raises(ValueError, match="followers: expected 'meta' or 'primitive', got 'rule'"):
        TwoPhaseVectorEnv("resource_collection")
    with pytest.raises(ValueError, match="followers: expected 'meta' or 'primitive', got 'rule'"):
        TwoPhaseVectorEnv("resource_collection", followers="rule")
    with pytest.raises(ValueError, match="followers: expected 'rule', 'meta' or 'primitive', got 'wild'"):
        make_vec("resource_collection", followers="wild")


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_finished_games_ask_nobody(mode: str) -> None:
    env = made(horizon=3, autoreset_mode=mode)
    for t in range(3):
        assert env.offer(OFFERS)["acts"].all()
        _, _, terminated, _, _ = env.act(ANSWERS)
        assert terminated.all() == (t == 2)
    seen = env.offer(OFFERS)
    assert seen["acts"].all() == (mode == "SameStep")
    observation, reward, *_ = env.act(ANSWERS)
    assert observation["step"].tolist() == [{"NextStep": 0, "SameStep": 1, "Disabled": 3}[mode]] * 2
    assert mode == "SameStep" or not reward.any()
