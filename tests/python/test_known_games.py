"""The games with known answers: their rules against slow references, and leaders who play the known answers in them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import paymaster
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.exact import all_offers
from paymaster.testing import check_world
from paymaster.training.setup import make_games
from paymaster.worlds import register
from paymaster.worlds.games import GAMES
from paymaster.worlds.games.escape_room import DOOR, LEVER, START

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
    from paymaster.worlds.games.escape_room import equilibrium

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
    assert 50 < over.sum() and env.state()["escaped"].any() and not env.state()["escaped"].all()


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
