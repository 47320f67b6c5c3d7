"""The games with known answers: their rules against slow references, and leaders who play the known answers in them."""

from __future__ import annotations

import itertools
from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray

import paymaster
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.exact import BestPlay, all_offers, best_commitment, coin_plan, draw_trees, tree_equilibrium
from paymaster.testing import check_world
from paymaster.training.setup import make_games
from paymaster.worlds import register
from paymaster.worlds.games import GAMES
from paymaster.worlds.games.coin_game import OTHERS, WAIT, moves_on_a_torus, torus_distance
from paymaster.worlds.games.escape_room import DOOR, LEVER, START, EscapeRoom, equilibrium
from paymaster.worlds.games.matrix_game import payoffs_of

ROOMS = {(2, 1): 7.9, (3, 2): 5.8, (5, 2): 25.8, (10, 5): 39.5}
ESCAPE = "paymaster.worlds.games.escape_room"


def played(task: str, games: int, offers: Any, followers: str, **parameters: Any) -> dict[str, NDArray[Any]]:
    """Return the totals of games in which the same offers [T, B, N, 2] are made, whatever happens."""
    env = make_games(task, games, seed=0, followers=followers, **parameters)
    env.reset()
    for step in offers:
        *_, info = env.step(step)
    return {name: np.asarray(values) for name, values in info["totals"].items()}


@pytest.mark.parametrize("task", GAMES)
def test_games_keep_the_rules_of_worlds(task: str) -> None:
    check_world(task, steps=25)
    assert task in [one.name for one in paymaster.tasks()]
    with pytest.raises(ValueError, match=f"name: expected one that is none of the package's own, got '{task}'"):
        register(task, "navigation")


# ---- escape room


@pytest.mark.parametrize(("followers", "levers"), ROOMS)
def test_the_escape_room_pays_what_was_published(followers: int, levers: int) -> None:
    """Pulling M levers for 1.1 each nets 10 (N - M) - M - 1.1 M; nobody pulls for nothing."""
    offers = np.zeros((5, 1, followers, 2), np.int64)
    offers[:, :, :levers] = LEVER, 1
    offers[:, :, levers:] = DOOR, 0
    size = {"num_followers": followers, "levers": levers}
    totals = played("escape_room", 1, offers, f"{ESCAPE}:equilibrium", **size)
    assert totals["objective"] == pytest.approx(ROOMS[followers, levers])
    assert totals["welfare"] == pytest.approx(10 * (followers - levers) - levers) and totals["length"] == 1
    offers[..., 1] = 0
    totals = played("escape_room", 1, offers, f"{ESCAPE}:equilibrium", **size)
    assert totals["objective"] == 0 and totals["length"] == 5


@pytest.mark.parametrize(("followers", "levers", "horizon"), [(2, 1, 3), (3, 2, 2)])
def test_no_sequence_of_offers_does_better_in_an_escape_room(followers: int, levers: int, horizon: int) -> None:
    size = {"num_followers": followers, "levers": levers, "horizon": horizon}
    joint = all_offers(paymaster.make_vec("escape_room", seed=0, **size))
    total = len(joint) ** horizon
    choice = np.stack(np.unravel_index(np.arange(total), (len(joint),) * horizon))
    totals = played("escape_room", total, joint[choice], f"{ESCAPE}:equilibrium", **size)
    assert totals["objective"].max() == pytest.approx(ROOMS[followers, levers])


def test_nobody_in_an_escape_room_gains_by_another_place() -> None:
    """What ``equilibrium`` chooses is a Nash equilibrium of the step, whatever is offered and wherever they are."""
    n, levers = 3, 2
    env = paymaster.make_vec("escape_room", 4_000, seed=1, followers="meta", num_followers=n, levers=levers)
    assert isinstance(env, TwoPhaseVectorEnv)
    random = np.random.default_rng(2)
    env.reset()
    start = env.state()
    start["at"] = np.arange(3) == random.integers(3, size=(4_000, n))[..., None]
    offers = np.stack([random.integers(size, size=(4_000, n)) for size in (3, 2)], -1)
    state = {name: values for name, values in start.items() if name != "done"}

    def rewards(choose: Any) -> NDArray[Any]:
        env.set_state(**state)
        chosen = choose(env.offer(offers))
        return np.array(env.act(chosen)[4]["follower_reward"])

    usual = rewards(equilibrium)
    for k, place in itertools.product(range(n), range(3)):

        def other(seen: Any, k: int = k, place: int = place) -> NDArray[np.int64]:
            chosen = equilibrium(seen)
            chosen[:, k] = place
            return chosen

        assert (rewards(other)[:, k] <= usual[:, k] + 1e-5).all()


def by_hand(at: list[int], chosen: list[int], levers: int) -> tuple[list[float], bool]:
    """Return own rewards of a step in the room, and whether somebody left."""
    is_open = chosen.count(LEVER) >= levers
    own = [10.0 if is_open and go == DOOR else 0.0 if go == was else -1.0 for was, go in zip(at, chosen, strict=True)]
    return own, is_open and DOOR in chosen


def test_steps_in_the_escape_room_by_hand() -> None:
    env = paymaster.make_vec(
        "escape_room", 500, seed=3, followers="meta", autoreset_mode="Disabled", num_followers=4, levers=2
    )
    assert isinstance(env, TwoPhaseVectorEnv)
    env.reset()
    at, over = np.full((500, 4), START), np.zeros(500, bool)
    random = np.random.default_rng(4)
    for _ in range(5):
        offers = np.stack([random.integers(size, size=(500, 4)) for size in (3, 2)], -1)
        answers = random.choice(4, size=(500, 4), p=[0.2, 0.4, 0.2, 0.2])  # 3: stays
        env.offer(offers)
        _, reward, terminated, _, info = env.act(answers)
        chosen = np.where(answers == 3, at, answers)
        for game in np.flatnonzero(~over):
            own, left = by_hand(at[game].tolist(), chosen[game].tolist(), 2)
            paid = 1.1 * ((answers[game] == offers[game, :, 0]) & (offers[game, :, 1] == 1))
            assert info["follower_reward"][game] == pytest.approx(own + paid)
            assert reward[game] == pytest.approx(sum(own) - paid.sum(), abs=1e-5)
            assert terminated[game] == (left or env.state()["step"][game] == 5)
        at = np.where(over[:, None], at, chosen)
        over = env.state()["done"].copy()
    assert over.sum() > 50 and env.state()["escaped"].any() and not env.state()["escaped"].all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"levers": 2}, "levers: expected fewer than the 2 followers, so that somebody can leave, got 2"),
        ({"num_goals": 2, "goal_reward": [0.0, 0.0], "skills_per_follower": 2}, "num_goals: expected 3 in escape_room"),
        ({"levers": 0}, "levers: expected a value in"),
        ({"population_seed": 3}, "population_seed: expected none for escape_room, which has a population of its own"),
    ],
)
def test_rooms_that_cannot_be_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paymaster.make_vec("escape_room", **parameters)


# ---- iterated dilemma


@pytest.mark.parametrize(("weight", "best", "welfare"), [(2.0, -31.0, -10.0), (1.0, -20.0, -20.0)])
def test_the_dilemma_pays_for_cooperation_where_welfare_counts_twice(
    weight: float, best: float, welfare: float
) -> None:
    """A step of mutual defection is worth -4, of cooperation -2 less 2.2: worth it at weight 2 alone."""
    parameters = {"weight_welfare": weight}
    env = paymaster.make_vec("iterated_dilemma", 1, seed=0, **parameters)
    env.reset()
    exact = BestPlay("iterated_dilemma", {**parameters}, env.state())
    assert exact.values(env.state()) == pytest.approx(best, abs=1e-5)
    for level, expected in ((0, -20.0), (1, -10.0)):
        offers = np.full((5, 1, 2, 2), (0, level))
        totals = played("iterated_dilemma", 1, offers, "rule", **parameters)
        assert totals["welfare"] == pytest.approx(expected) and totals["payments"] == pytest.approx(11 * level)
        if expected == welfare:
            assert totals["objective"] == pytest.approx(best, abs=1e-5)


def test_paid_cooperation_is_dominant_and_unpaid_is_not() -> None:
    """A follower's reward by its move and the other's, as the game pays it."""
    for level, dominant in ((0, 1), (1, 0)):
        env = paymaster.make_vec("iterated_dilemma", 4, seed=0, followers="meta")
        assert isinstance(env, TwoPhaseVectorEnv)
        env.reset()
        env.offer(np.full((4, 2, 2), (0, level)))
        both = np.array(list(itertools.product((0, 1), repeat=2)))
        reward = env.act(both)[4]["follower_reward"]
        table = reward[:, 0].reshape(2, 2)
        assert (table[dominant] > table[1 - dominant]).all()
        np.testing.assert_allclose(table, np.array([[1.1 * level - 1, 1.1 * level - 3], [0, -2]]), atol=1e-6)
        np.testing.assert_allclose(reward[:, 1].reshape(2, 2), table.T)
        assert env.state()["last"].argmax(-1).tolist() == both.tolist()


# ---- matrix game

MATRICES = {
    "escape": ("15 10 0; 10 10 0; 0 0 30", "15 10 0; 10 10 0; 0 0 30"),
    "maintain": ("20 0 0; 30 10 0; 0 0 5", "15 0 0; 0 5 0; 0 0 10"),
    "left": ("1 3; 0 2", "1 0; 0 1"),
    "right": ("2 4; 1 3", "1 0; 0 1"),
    "three answers": ("2 0 0; 1 0 0", "0 2 5; 0 -1 -4"),
}


@pytest.mark.parametrize(("leader", "follower"), MATRICES.values(), ids=MATRICES)
def test_committing_to_the_best_row_gains_the_value_of_pure_commitment(leader: str, follower: str) -> None:
    """Of all rows, each answered by the follower's best column, as the exact solver has it."""
    texts = {"leader_payoffs": leader, "follower_payoffs": follower}
    ours, theirs = (payoffs_of(name, text) for name, text in texts.items())
    env = paymaster.make_vec("matrix_game", 9, seed=0, followers="meta", **texts)
    assert isinstance(env, TwoPhaseVectorEnv)
    env.reset()
    rows, columns = map(np.ravel, np.indices((3, 3)))
    env.offer(np.stack((rows, np.zeros(9, int)), -1)[:, None])
    _, reward, terminated, _, info = env.act(columns[:, None])
    clipped = np.minimum(rows, len(ours) - 1), np.minimum(columns, ours.shape[1] - 1)
    np.testing.assert_allclose(reward, ours[clipped])
    np.testing.assert_allclose(info["follower_reward"][:, 0], theirs[clipped])
    assert terminated.all() and not info["payment"].any()
    gained, own = reward.reshape(3, 3), info["follower_reward"].reshape(3, 3)
    answered = np.where(own == own.max(1, keepdims=True), gained, -np.inf).max(1)  # an indifferent one obliges
    assert answered.max() == pytest.approx(best_commitment(ours, theirs, mixed=False).value)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"leader_payoffs": "1 2; 3"}, "leader_payoffs: expected rows of as many numbers, like '1 3; 0 2'"),
        ({"leader_payoffs": "1 nan; 3 4"}, "leader_payoffs: expected rows"),
        ({"leader_payoffs": ""}, "leader_payoffs: expected rows"),
        ({"leader_payoffs": "1 2; 3 4"}, r"follower_payoffs: expected 2 x 2 as leader_payoffs, got \(3, 3\)"),
        (dict.fromkeys(("leader_payoffs", "follower_payoffs"), "1 2 3 4"), "num_goals: expected at least 4"),
    ],
)
def test_matrices_that_are_none_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paymaster.make_vec("matrix_game", **parameters)


# ---- contract tree


@pytest.mark.parametrize("tree_seed", [0, 1, 2])
def test_the_equilibrium_of_a_contract_tree_gains_its_value(tree_seed: int) -> None:
    """The exact policy on the prices of the task, before a follower that obeys; chance alone is between them."""
    games = 20_000
    env = paymaster.make_vec(
        "contract_tree", games, 1, followers="meta", tree_seed=tree_seed, autoreset_mode="Disabled"
    )
    assert isinstance(env, TwoPhaseVectorEnv)
    observation, _ = env.reset()
    trees = draw_trees(1, 10, tree_seed)
    found = tree_equilibrium(trees, env.parameters["prices"])
    level = np.searchsorted(env.parameters["prices"], found.payment[0])
    np.testing.assert_allclose(np.array(env.parameters["prices"])[level], found.payment[0])
    own = np.zeros(games)
    for _ in range(10):
        node = observation["node"]
        np.testing.assert_allclose(observation["effort"][:, 0], trees.effort[0][node], rtol=1e-6)
        np.testing.assert_allclose(observation["prize"][:, 0], trees.prize[0][node], rtol=1e-6)
        env.offer(np.stack((found.action[0][node], level[node]), -1)[:, None])
        observation, *_, info = env.act(found.action[0][node][:, None])
        own += info["follower_reward"][:, 0]
    gain = info["totals"]["gain"]
    for values, exact in ((gain, found.leader_value), (own, found.follower_value)):
        error = values.std() / np.sqrt(games)
        assert 0 < error < 0.02 and abs(values.mean() - exact[0, 0]) < 4 * error


def test_a_deep_tree_is_refused() -> None:
    with pytest.raises(ValueError, match="horizon: expected at most 14, the depth of a tree, got 15"):
        paymaster.make_vec("contract_tree", horizon=15)


# ---- coin game


def test_the_coin_game_can_have_as_much_welfare_as_the_exact_answer_says() -> None:
    """For one step against every joint move; ``paymaster verify`` plays the plan of whole episodes."""
    for size in (2, 3):
        assert coin_plan(size, 1).welfare == pytest.approx(best_of_one_step(size))
    values = [coin_plan(2, horizon).welfare for horizon in (1, 2, 3)]
    assert 0 < values[0] < values[1] - values[0] + 1e-9  # later steps are better: both choose where to stand
    for call, message in ((lambda: coin_plan(1), "size: expected 2 to 5"), (lambda: coin_plan(3, 0), "horizon")):
        with pytest.raises(ValueError, match=message):
            call()


def best_of_one_step(size: int) -> float:
    """Return the mean over starts of the best joint move's worth, by trying all of them."""
    there, cells, worths = moves_on_a_torus(size), size * size, []
    for first, second in itertools.product(range(cells), repeat=2):
        free = [coin for coin in range(cells) if coin not in (first, second)]
        own = [
            max((a == coin) * worth[0] + (b == coin) * worth[1] for a in there[first] for b in there[second])
            for coin in free
            for worth in ((1.0, OTHERS), (OTHERS, 1.0))
        ]
        worths.append(np.mean(own))
    return float(np.mean(worths))


def test_welfare_of_the_coin_game_never_exceeds_the_exact_answer() -> None:
    """Nor by rule, where both run for every coin, nor where the one whose colour it is not is paid for waiting."""
    games, most = 4_000, coin_plan().welfare
    env = paymaster.make_vec("coin_game", games, 0, autoreset_mode="Disabled")
    means = {}
    for paying in (False, True):
        env.reset(seed=0)
        for _ in range(20):
            before, offers = env.state(), np.zeros((games, 2, 2), np.int64)
            own = before["preference"] == before["colour"][:, None]
            away = torus_distance(3)[before["cell"], before["coin"][:, None]]
            waits = ~own & (away >= away[:, ::-1])
            offers[..., 0] = np.where(waits, WAIT, before["colour"][:, None])
            offers[..., 1] = waits & paying
            _, _, _, _, info = env.step(offers)
            after = env.state()
            takes = after["cell"] == before["coin"][:, None]
            expected = takes * np.where(own, 1.0, OTHERS) + info["payment"]
            np.testing.assert_allclose(info["follower_reward"], expected, atol=1e-6)
            np.testing.assert_allclose(info["payment"], 0.3 * (waits & paying), atol=1e-6)
            moved = takes.any(1)
            assert (after["coin"][moved][:, None] != after["cell"][moved]).all()
            assert (after["coin"][~moved] == before["coin"][~moved]).all()
            near = moves_on_a_torus(3)[before["cell"]]
            assert (near == after["cell"][..., None]).any(-1).all()
        means[paying] = info["totals"]["welfare"].mean(), info["totals"]["welfare"].std() / np.sqrt(games)
        objective = 10 * info["totals"]["welfare"] - info["totals"]["payments"]
        np.testing.assert_allclose(info["totals"]["objective"], objective, rtol=1e-4)
    for mean, error in means.values():
        assert 12 < mean < most + 3 * error


# ---- defaults and followers of a world


def test_a_worlds_defaults_and_followers_are_those_of_its_tasks() -> None:
    register("large_room", EscapeRoom, num_followers=5, levers=2, population_size=5)
    register("long_room", "escape_room", horizon=9)
    large, long = paymaster.make_vec("large_room", 2, 0), paymaster.make_vec("long_room", 2, 0, num_followers=3)
    assert large.parameters["population_size"] == 5 and long.parameters["population_size"] == 3
    assert (large.parameters["horizon"], long.parameters["horizon"]) == (5, 9)
    assert large.parameters["prices"] == long.parameters["prices"] == [0.0, 1.1]
    given = {"skill": np.ones((7, 3), bool), "preference": np.full(7, DOOR), "reservation": np.full(7, 2.0)}
    others = paymaster.make_vec("escape_room", 2, 0, population=given)  # by rule they go to the door by themselves
    others.reset()
    assert (others.step(np.zeros((2, 2, 2), int))[4]["follower_action"] == DOOR).all()
    paymaster.TrainConfig("escape_room", parameters={"num_followers": 3, "levers": 2, "followers": "q"}).validate()
    named = paymaster.TrainConfig("large_room")
    named.validate()
    assert paymaster.TrainConfig.from_json(named.to_json()) == named


@pytest.mark.parametrize(
    ("defaults", "message"),
    [
        ({"no_such": 1}, "no_such: expected one of levers, .*, got another name"),
        ({"num_followers": -1}, "num_followers: expected a value in"),
        ({"prices": [1.0]}, "prices: expected"),
    ],
)
def test_defaults_that_make_no_sense_are_refused(defaults: dict[str, Any], message: str) -> None:
    room = type("Room", (EscapeRoom,), {"defaults": {**EscapeRoom.defaults, **defaults}})
    before = [task.name for task in paymaster.tasks()]
    with pytest.raises(ValueError, match=message):
        register("room", room)
    assert [task.name for task in paymaster.tasks()] == before


def test_games_are_drawn_and_known_to_gymnasium() -> None:
    env = gymnasium.make("paymaster/EscapeRoom-v0", seed=0, render_mode="rgb_array", num_followers=3, levers=2)
    env.reset()
    env.step(np.full((3, 2), (LEVER, 1)))
    assert env.render().ndim == 3  # type: ignore[union-attr]
