"""The economy as parameters: prices, w by goal type, limits, outcomes, tastes, objectives.

That the numbers are right is for the slow reference to say; here are also the rules that hold in every game: limits are
never broken, and what leaders pay is what followers get.

Longer than other files: half of it is lists of cases.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for `reference`, which is not installed

import torch

import paymaster
from paymaster import integrations
from paymaster.algorithms.advantages import head_prices, reward_counts
from paymaster.features.leader import FeatureEncoder
from paymaster.play.episode import play_to_end
from paymaster.play.recorded_episode import record_episode
from paymaster.play.rollout import Rollout
from paymaster.scripted import make_scripted
from paymaster.training.config import TrainConfig
from paymaster.training.setup import make_leader
from play import MB, RC, make, offer_stream, same
from reference.cases import Case, economy_cases, limited_cases, people_with_tastes
from reference.lockstep import Lockstep
from reference.random_states import OfferSource
from rest_slow import rest_slow
from worlds import TASKS

PAYMENTS = ("completion", "advance", "advance_once", "outcome")


# ---- against the reference


@pytest.mark.parametrize("share", [0.1, pytest.param(10.0, marks=pytest.mark.slow)], ids=["in part", "longer"])
@pytest.mark.parametrize("case", economy_cases(), ids=lambda case: case.name)
def test_the_slow_reference_plays_the_same_economy(case: Case, share: float) -> None:
    both = Lockstep(make_vec, case.task, case.num_envs, case.num_threads, **case.parameters)
    rules = both.reference.rules
    source = OfferSource(np.random.default_rng(case.seed), rules, case.num_envs, keep=0.85)
    both.reset(seed=case.seed)
    while both.steps < share * case.steps:
        both.play_episode(source, rules.horizon)
        both.reset()


@pytest.mark.parametrize("share", [0.1, pytest.param(10.0, marks=pytest.mark.slow)], ids=["in part", "longer"])
@pytest.mark.parametrize("case", limited_cases(), ids=lambda case: case.name)
def test_with_followers_that_learn_too(case: Case, share: float) -> None:
    """What they are shown, what is refused when their turn comes, and all that follows; their answers are random."""
    test_the_slow_reference_plays_the_same_economy(case, share)


def make_vec(task: str, **parameters: Any) -> Any:
    return paymaster.make_vec(task, autoreset_mode="Disabled", **parameters)


# ---- limits and conservation, in every world, with every kind of followers

LIMITS: tuple[dict[str, Any], ...] = (
    {"budget": 1.3, "prices": [0.1, 0.7]},
    {"max_share": 0.3, "goal_reward": [1.0, 2.0, 3.0, 0.0]},
    {"budget": 5.0, "max_share": 0.9, "effort_cost": 0.05},
)
FOLLOWERS = ("rule", "meta", "primitive")
FIRST = (RC, "crafting", "navigation", "predator_prey")
"""Of each world one task."""


def diagonal(play: tuple[str, str, str, int]) -> bool:
    """A third of all plays, in which every pair of payment, followers and limits occurs."""
    _, payment, followers, i = play
    return (PAYMENTS.index(payment) + FOLLOWERS.index(followers)) % len(LIMITS) == i


# Other tasks of a world differ from its first in a few defaults: of theirs the diagonal.
PLAYS = [play for play in product(TASKS, PAYMENTS, FOLLOWERS, range(len(LIMITS))) if play[0] in FIRST or diagonal(play)]


def covering(play: tuple[str, str, str, int]) -> bool:
    """The diagonal of three worlds; the crafting world's plays are all slow."""
    return play[0] in FIRST and play[0] != "crafting" and diagonal(play)


@pytest.mark.parametrize(("task", "payment", "followers", "limit"), rest_slow(PLAYS, covering))
def test_limits_hold_and_money_is_conserved(
    task: str, payment: str, followers: str, limit: int, request: pytest.FixtureRequest
) -> None:
    """Fast: 60 steps of 16 games a case. Slow: 7,680 steps of each other case, 10^6 with learning followers."""
    slow = request.node.get_closest_marker("slow") is not None
    games, steps = (64, 120) if slow else (16, 60)
    goals = paymaster._core.task(task)["parameters"]["num_goals"]
    limits = {"num_bonuses": 2, "prices": [], "abstain": True, **LIMITS[limit]}
    if "effort_cost" in limits:
        limits["decision"] = "utility"
    if isinstance(limits.get("goal_reward"), list):
        limits["goal_reward"] = np.resize(limits["goal_reward"], goals).tolist()
    if "max_share" in limits and payment.startswith("advance"):
        limits["opening_sum"] = 4.4
    env = make(task, games, payment=payment, followers=followers, autoreset_mode="NextStep", **limits)
    env.reset(seed=limit)
    rng = np.random.default_rng(limit)
    prices = np.asarray(limits["prices"] or [1.0, 2.0])
    worth = np.broadcast_to(np.asarray(limits.get("goal_reward", env.goal_reward)), (goals,))
    paid, revenue, refusals, before = np.zeros(games), np.zeros(games), 0, env.state()
    for offers in offer_stream(env, steps, limit):
        shown = None
        if followers != "rule":
            seen = env.offer(offers)
            shown = (seen["offered"][..., 0] < 0) & (offers[..., 0] < goals)
            assert (seen["due"][shown] == 0).all()
            assert (seen["offered"][~shown & (offers[..., 0] < goals)] >= 0).all()
            action = rng.integers(env._core.choices, size=(games, env.num_followers))
            follow = rng.random(action.shape) < 0.7
            if followers == "meta":
                action = np.where(follow & (offers[..., 0] < goals), offers[..., 0], action)
            observation, reward, _, _, info = env.act(action)
        else:
            observation, reward, _, _, info = env.step(offers)
        after = env.state()
        played = ~before["done"]
        refused = info["refused"]
        refusals += int(refused.sum())
        assert not (refused & (info["committed"] | (info["payment"] > 0))).any()
        assert (after["offer"][refused] == -1).all()
        same(observation["refused"], after["refused"].astype(np.int16))
        if shown is not None:
            assert refused[shown & played[:, None]].all(), "what is shown as refused stays so"
        level = np.where(after["offer"][..., 1] >= 0, after["offer"][..., 1], 0)
        pays = info["payment"] > 0
        same(info["payment"][pays], prices[level][pays].astype(np.float32))
        paid = np.where(played, paid, 0) + (prices[level] * pays).sum(-1)
        done = info["completed"] >= 0
        revenue = np.where(played, revenue, 0) + (worth[info["completed"]] * done).sum(-1)
        check_limits(paid, revenue, limits)
        # What is paid is what followers get, beside what they earn and what their way costs them.
        gain = (worth[info["completed"]] * done).sum(-1) - info["payment"].sum(-1, dtype=np.float64)
        np.testing.assert_allclose(reward, gain, rtol=1e-6, atol=1e-6)
        own = info["follower_reward"] - info["payment"]
        allowed = [0.0, *np.unique(after["reservation"]).tolist()]
        cost = np.float32(env.parameters["effort_cost"])
        earned = np.min([np.abs(own - value + way) for value in allowed for way in (0, cost)], axis=0)
        assert (earned < 1e-5).all()
        assert_allows(after["paid"], np.where(after["done"] | played, paid, 0))
        before = after
    assert refusals > 0


def check_limits(paid: NDArray[Any], revenue: NDArray[Any], limits: dict[str, Any]) -> None:
    """To the tolerance that is documented: a part in 10^9."""
    if "budget" in limits:
        assert (paid <= limits["budget"] + 1e-9 * (limits["budget"] + 2)).all()
    if "max_share" in limits:
        allowed = limits["max_share"] * revenue + limits.get("opening_sum", 0.0)
        assert (paid <= allowed + 1e-9 * (allowed + 2)).all()


def assert_allows(ledger: NDArray[np.float64], paid: NDArray[np.float64]) -> None:
    np.testing.assert_allclose(ledger, paid, rtol=1e-12, atol=1e-12)


def test_a_budget_is_spent_to_the_last_cent() -> None:
    """0.1 + 0.1 + 0.1 is more than 0.3 in doubles, but three payments of 0.1 fit in 0.3."""
    env = make(RC, 64, payment="advance", budget=0.3, prices=[0.1, 5.0], num_followers=4)
    env.reset(seed=0)
    for offers in offer_stream(env, 30, keep=0.0):
        *_, info = env.step(np.stack((offers[..., 0], np.zeros_like(offers[..., 0])), axis=-1))
    np.testing.assert_allclose(info["totals"]["payments"].max(), 0.3, rtol=1e-6)


# ---- outcomes


@pytest.mark.parametrize("task", ["navigation", "predator_prey"])
def test_outcomes_are_paid_for_whether_or_not_the_follower_took_the_offer(task: str) -> None:
    rng = np.random.default_rng(0)
    people = {
        "skill": np.ones((8, 4), dtype=bool),
        "preference": np.arange(8, dtype=np.int32) % 4,
        "reservation": np.zeros(8, dtype=np.float32),
        "utility": np.tile(np.float32([64, 128, 256, 512]), (8, 1)),  # a reward tells which types were reached
        "cost": np.float32(rng.integers(0, 2, size=8)) * 2,
    }
    env = make(task, 64, payment="outcome", population=people, prices=[0.5, 1.0], goal_reward=[1, 2, 3, 4])
    env.reset(seed=1)
    uncommitted = 0
    for offers in offer_stream(env, 50, keep=0.9):
        _, reward, _, _, info = env.step(offers)
        own = info["follower_reward"] - info["payment"]
        reached = (np.ceil(own / 64).astype(int)[..., None] >> np.arange(4)) & 1 > 0
        hit = np.take_along_axis(reached, offers[..., :1], -1)[..., 0]
        same(info["completed"], np.where(hit, offers[..., 0], -1).astype(np.int16))
        same(info["payment"], np.where(hit, env.prices[offers[..., 1]], 0).astype(np.float32))
        same(reward, (env.goal_reward[offers[..., 0]] * hit).sum(-1) - info["payment"].sum(-1).astype(np.float64))
        uncommitted += int((hit & ~info["committed"]).sum())
    assert uncommitted > 5


# ---- objectives


@pytest.mark.parametrize("kind", ["gini", "poorest"])
def test_objectives_add_up(kind: str) -> None:
    weights = {"weight_gain": 0.5, "weight_welfare": 0.25, "weight_equality": 3.0, "equality": kind}
    env, plain = make(MB, 8, **weights), make(MB, 8)
    env.reset(seed=2)
    plain.reset(seed=2)
    total, welfare, earned = np.zeros(8), np.zeros(8), np.zeros((8, 4))
    for offers in offer_stream(env, 30):
        _, reward, _, _, info = env.step(offers)
        _, gain, _, _, plain_info = plain.step(offers)
        total += reward
        welfare += gain + plain_info["follower_reward"].sum(-1)
        earned += plain_info["follower_reward"]
        same(info["totals"]["gain"], plain_info["totals"]["gain"])
    differences = np.abs(earned[:, :, None] - earned[:, None]).sum((1, 2)) / (2 * 4 * earned.sum(-1))
    equality = 1 - differences if kind == "gini" else earned.min(-1)
    np.testing.assert_allclose(info["totals"]["equality"], equality, rtol=1e-6)
    np.testing.assert_allclose(info["totals"]["welfare"], welfare, rtol=1e-6)
    np.testing.assert_allclose(info["totals"]["objective"], total, rtol=1e-5)
    np.testing.assert_allclose(total, 0.5 * info["totals"]["gain"] + 0.25 * welfare + 3 * equality, rtol=1e-6)


# ---- state, snapshots


def test_limits_and_earnings_are_part_of_the_state() -> None:
    parameters = {"budget": 9.0, "max_share": 1.5, "weight_equality": 1.0, "payment": "outcome"}
    env, other = make(RC, 4, **parameters), make(RC, 4, **parameters)
    env.reset(seed=0)
    for offers in offer_stream(env, 12):
        env.step(offers)
    other.reset(seed=5)
    other.set_state(**env.state())
    same(other.state(), env.state())
    same(other.observe(), env.observe())
    again = make(RC, 4, **parameters)
    again.restore(env.snapshot())
    ahead = [[e.step(offers)[1:3] for offers in offer_stream(e, 12, seed=7)] for e in (env, other, again)]
    for play in ahead[1:]:
        for (reward, done), (expected, over) in zip(play, ahead[0], strict=True):
            same((reward, done), (expected, over))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("paid", 100.0, "paid"),
        ("paid", -1.0, "paid"),
        ("paid", np.nan, "paid"),
        ("revenue", -1.0, "revenue"),
        ("revenue", np.inf, "revenue"),
        ("refused", True, "refused"),
        ("earned", np.nan, "earned"),
    ],
)
def test_states_that_break_a_limit_are_refused(field: str, value: Any, said: str) -> None:
    env = make(RC, 2, budget=9.0, weight_equality=1.0)
    env.reset(seed=0)
    env.step(np.zeros((2, 4, 2), dtype=np.int64))
    before = env.state()
    with pytest.raises(ValueError, match=f"{said}.*expected"):
        env.set_state(**{field: np.full_like(before[field], value)})
    same(env.state(), before)


@pytest.mark.parametrize(
    ("parameters", "error", "said"),
    [
        ({"prices": [1.0]}, ValueError, "prices: expected num_bonuses = 2 numbers, or none, got 1 number"),
        ({"prices": [2, 1]}, ValueError, r"prices\[1\]: expected more than prices\[0\] = 2"),
        ({"prices": [-1, 1]}, ValueError, r"prices\[0\]: expected a value in \[0"),
        ({"prices": [0, np.nan]}, ValueError, r"prices\[1\]: expected a value in"),
        ({"prices": ["1", "2"]}, TypeError, r"prices\[0\]: expected a number, got str"),
        ({"prices": "12"}, TypeError, "prices: expected a number, or a sequence of numbers, got str"),
        ({"prices": {1, 2}}, TypeError, "prices: expected a number, or a sequence of numbers, got set"),
        (
            {"goal_reward": [1, 2]},
            ValueError,
            "goal_reward: expected a number, or num_goals = 4 numbers, got 2 numbers",
        ),
        ({"goal_reward": [[1, 2], [3, 4]]}, TypeError, r"goal_reward\[0\]: expected a number, got list"),
        ({"goal_reward": True}, TypeError, "goal_reward: expected a number, or a sequence"),
        ({"budget": -1}, ValueError, "budget: expected a value in"),
        ({"budget": np.nan}, ValueError, "budget: expected a value in"),
        ({"max_share": "half"}, TypeError, "max_share: expected a number"),
        ({"opening_sum": 3}, ValueError, "opening_sum: expected it only with max_share and payment 'advance' or"),
        ({"opening_sum": 3, "max_share": 0.5}, ValueError, "opening_sum: expected it only with max_share and payment"),
        (
            {"opening_sum": 0.9, "max_share": 0.5, "payment": "advance"},
            ValueError,
            "opening_sum: expected at least the lowest price, 1, with max_share and payment in advance: .*, got 0.9",
        ),
        ({"weight_gain": 0}, ValueError, "weight_gain: expected a value above 0, unless weight_welfare or"),
        ({"equality": "poorest"}, ValueError, "equality: expected it only with weight_equality above 0, got 'poorest'"),
        (
            {"population_seed": 1, "population": people_with_tastes()},
            ValueError,
            "population_seed: expected none beside",
        ),
        ({"weight_welfare": -1}, ValueError, "weight_welfare: expected a value in"),
        ({"equality": "some"}, ValueError, "equality: expected 'gini' or 'poorest', got 'some'"),
        ({"payment": "effort"}, ValueError, "payment: expected 'completion', 'advance', 'advance_once' or 'outcome'"),
        ({"effort_cost": 1.0, "population": people_with_tastes()}, ValueError, "effort_cost: expected 0"),
    ],
)
def test_hostile_economies(parameters: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        make(RC, 2, **parameters)


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("utility", np.zeros((12, 3)), ValueError),
        ("utility", np.full((12, 4), np.nan), ValueError),
        ("utility", np.full((12, 4), 2e6), ValueError),
        ("cost", np.full(12, -1.0), ValueError),
        ("cost", np.zeros((4, 12)), ValueError),
        ("cost", np.array(["dear"] * 12), TypeError),
        ("weight", np.zeros(12), ValueError),
        ("weight", np.array([1.0] * 3 + [0.0] * 9), ValueError),
        ("weight", np.full((12, 4), 1.0), ValueError),
        ("weight", np.full(12, np.inf), ValueError),
    ],
)
def test_hostile_tastes(field: str, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=f"population {field}: expected"):
        make(RC, 2, population={**people_with_tastes(), field: value})


# ---- population


def test_members_are_drawn_by_weight() -> None:
    people = people_with_tastes()
    env = make(RC, 4000, population=people, num_followers=1)
    env.reset(seed=0)
    drawn = np.bincount(env.state("identity")["identity"][:, 0], minlength=12) / 4000
    expected = people["weight"] / people["weight"].sum()
    assert (drawn[people["weight"] == 0] == 0).all()
    assert np.abs(drawn - expected).max() < 4 * np.sqrt(0.25 / 4000)


def test_tastes_belong_to_members_and_leave_with_them() -> None:
    people = people_with_tastes()
    env = make(RC, 3, population=people)
    for name in ("utility", "cost", "weight"):
        same(env.population[name], people[name])
    env.replace_followers([4], seed=9)
    now = env.population
    assert (now["utility"][4] == 0).all()
    assert (now["cost"][4] == 0).all()
    same(now["weight"], people["weight"])
    same(np.delete(now["utility"], 4, axis=0), np.delete(people["utility"], 4, axis=0))
    assert set(make(RC, 2).population) == {"skill", "preference", "reservation", "learns"}
    same(make(RC, 2, effort_cost=0.5).population["cost"], np.full((40, 4), 0.5, dtype=np.float32))


def test_followers_see_their_tastes() -> None:
    people = people_with_tastes()
    env = make(RC, 3, population=people, followers="meta")
    env.reset(seed=0)
    seen = env.offer(np.zeros((3, 4, 2), dtype=np.int64))
    who = env.state("identity")["identity"]
    same(seen["utility"], people["utility"][who])
    same(seen["cost"], people["cost"][who])
    assert "utility" not in env.observe()


# ---- leaders


def payments_of(leader_name: str, steps: int = 30, **parameters: Any) -> Iterator[tuple[Any, Any]]:
    env = make(num_envs=16, **parameters)
    observation, _ = env.reset(seed=3)
    leader = make_scripted(leader_name)
    leader.start(env)
    for _ in range(steps):
        offers = leader.offers(env, observation)
        observation, *_, info = env.step(offers)
        yield offers, info


@pytest.mark.parametrize("payment", PAYMENTS)
@pytest.mark.parametrize("limit", [{"budget": 6.0}, {"max_share": 0.5}], ids=["budget", "share"])
def test_full_information_never_offers_what_does_not_fit(payment: str, limit: dict[str, float]) -> None:
    opening = {"opening_sum": 4.0} if "max_share" in limit and payment.startswith("advance") else {}
    paid = 0.0
    for _, info in payments_of("full_information", payment=payment, abstain=True, **limit, **opening):
        assert not info["refused"].any()
        paid += float(info["payment"].sum())
    assert paid > 0


def test_full_information_knows_prices_and_tastes() -> None:
    """It offers the lowest level that wins, so whoever it offers a real bonus takes it."""
    people = people_with_tastes()
    declined = offered = 0
    for offers, info in payments_of(
        "full_information", task=MB, payment="completion", population=people, prices=[0.0, 0.6, 1.7, 3.3], abstain=True
    ):
        made = (offers[..., 0] < 4) & (offers[..., 1] > 0)
        offered += int(made.sum())
        declined += int((made & ~info["committed"]).sum())
    assert offered > 100
    assert declined == 0


@pytest.mark.parametrize(
    "economy",
    [
        {},
        {"prices": [0.0, 1.5], "goal_reward": [1.0, 2.0, 3.0, 4.0], "payment": "outcome", "budget": 5.0},
        {"weight_welfare": 0.5, "weight_equality": 2.0, "effort_cost": 0.1},
        {"weight_gain": 0.0, "weight_welfare": 1.0, "payment": "advance"},
    ],
    ids=["gain", "prices", "mixed", "welfare"],
)
def test_what_a_leader_learns_from_adds_up_to_its_objective(economy: dict[str, Any]) -> None:
    env = make(RC, 8, **economy)
    leader = make_leader(TrainConfig(RC, device="cpu"), env)
    episodes, totals = Rollout(env, leader, torch.Generator().manual_seed(0)).play(explore=0.2)
    assert episodes is not None
    earned = (reward_counts(episodes, "team") @ head_prices(episodes))[:, :, 0].sum(0)
    objective = totals.gain if totals.objective is None else totals.objective
    np.testing.assert_allclose(earned.numpy(), objective, rtol=1e-5, atol=1e-5)
    own = (reward_counts(episodes, "own") @ head_prices(episodes)).sum((0, 2))  # what all share counts for each
    common = 0 if episodes.common is None else 3 * (episodes.common * episodes.valid).sum(0)
    np.testing.assert_allclose(own - common, objective, rtol=1e-5, atol=1e-5)
    before = [parameter.detach().clone() for parameter in leader.network.parameters()]
    assert np.isfinite(list(leader.update(episodes, 0.0).values())).all()
    assert any(not torch.equal(a, b) for a, b in zip(before, leader.network.parameters(), strict=True))
    assert leader.network.config.other_rewards == (totals.objective is not None)


def test_pictures_and_sb3_tell_gain_and_objective_apart() -> None:
    game: dict[str, Any] = {"weight_welfare": 0.5, "goal_reward": [3, 3, 3, 8]}
    env = make(RC, 1, autoreset_mode="Disabled", **game)
    played = record_episode(env, make_scripted("preference"))
    again = play_to_end(make(RC, 1, autoreset_mode="Disabled", **game), make_scripted("preference"))
    assert again.objective is not None
    assert played.record.gain()[-1] == again.gain[0] != again.objective[0]
    games = integrations.sb3_vec_env(RC, 2, seed=0, **game)
    games.reset()
    earned = np.zeros(2)
    for _ in range(30):
        _, reward, over, infos = games.step(np.zeros((2, 8), dtype=int))
        earned += reward
        if over.all():
            break
    assert [info["episode"]["r"] for info in infos] == pytest.approx(earned.tolist(), rel=1e-5)


def test_the_leader_sees_what_is_left_as_features() -> None:
    plain, env = FeatureEncoder(make(RC)), make(RC, payment="advance", budget=4.0, max_share=5.0, opening_sum=1.0)
    encoder = FeatureEncoder(env)
    assert encoder.follower_features == plain.follower_features + 3
    assert encoder.goal_features == plain.goal_features + 2  # K
    observation, _ = env.reset(seed=0)
    follower, goal = encoder.encode(observation)
    same(follower[..., -3:], np.broadcast_to(np.float32([0, 1, 0.125]), (3, 4, 3)))
    same(goal[..., -2:], np.broadcast_to(np.float32([1, 0]), (3, 4, 4, 2)))  # before there is revenue
    env = make(RC, payment="advance", budget=4.0)
    observation, _ = env.reset(seed=0)
    encoder = FeatureEncoder(env)
    for offers in offer_stream(env, 8):
        observation, *_ = env.step(offers)
        fits = encoder.encode(observation)[1][..., -2:]
        signed = observation["contract_running"] > 0
        running = signed[..., None] & (np.arange(4) == observation["offer"][..., :1])
        expected = observation["budget_left"][:, None, None, None] >= np.float32([1, 2])
        kept = running[..., None] & (np.arange(2) == observation["offer"][..., 1, None, None])
        same(fits, np.broadcast_to(expected, fits.shape).astype(np.float32).clip(kept, None))
