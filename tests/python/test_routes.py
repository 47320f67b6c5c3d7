"""The observation's field "route": the planner's moves, for leaders who ask for it (option ``observe_routes``)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import paymaster
from play import make, offer_stream, same
from reference.rules import DIG, MOVE, STOP, TURN_LEFT
from worlds import CRAFTING, GRIDS, TASKS, by_utility, fitting


def obedient(task: str, **parameters: Any) -> Any:
    """Games whose followers earn nothing by themselves, so that they take any goal they can reach."""
    env = make(task, **parameters)
    if env.parameters["effort_cost"] > 0:
        parameters["effort_cost"] = 0.0
    people = env.parameters["population_size"]
    goals = env.parameters["num_goals"]
    traits = {
        "skill": np.ones((people, goals), dtype=bool),
        "preference": np.zeros(people, dtype=int),
        "reservation": np.zeros(people),
    }
    return make(task, population=traits, **parameters)


def played_towards(route: NDArray[Any], offers: NDArray[Any]) -> NDArray[Any]:
    moves: NDArray[Any] = np.take_along_axis(route, offers[..., :1], -1)[..., 0]
    return moves


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("parameters", [{}, {"num_followers": 9, "num_goals": 7}, {"num_followers": 1}])
def test_a_route_is_what_a_follower_who_takes_the_goal_plays(task: str, parameters: dict[str, Any]) -> None:
    env = obedient(task, num_envs=20, observe_routes=True, **fitting(task, parameters), **by_utility(task))
    seen, _ = env.reset(seed=3)
    actions, unreachable = set(), 0
    for offers in offer_stream(env, env.parameters["horizon"], keep=0.5):
        route = seen["route"]
        assert env.observation_space.contains(seen)
        assert route.shape == seen["distance"].shape
        out_of_reach = played_towards(seen["distance"], offers) < 0
        before = seen["step"]
        seen, *_, info = env.step(offers)
        playing = seen["step"] > before
        assert np.array_equal(info["follower_action"][playing], played_towards(route, offers)[playing])
        unreachable += int(out_of_reach[playing].sum())
        actions |= set(route[playing].flat)
    assert unreachable > 10 or (task in CRAFTING and env.num_followers == 1)  # a station is always there
    assert actions == set(range(env.num_actions))


@pytest.mark.parametrize("task", TASKS)
def test_routes_are_shown_to_those_who_ask_and_change_nothing_else(task: str) -> None:
    plain, asking = (make(task, num_envs=5, noise=0.2, **more) for more in ({}, {"observe_routes": True}))
    assert plain.parameters["observe_routes"] is False
    assert "route" not in plain.observation_meanings
    assert "how it stops" in asking.observation_meanings["route"]
    same(asking.state_meanings, plain.state_meanings)
    plain_seen, asking_seen = plain.reset(seed=1)[0], asking.reset(seed=1)[0]
    for offers in offer_stream(plain, plain.parameters["horizon"]):
        assert set(asking_seen) - set(plain_seen) == {"route"}
        same({name: asking_seen[name] for name in plain_seen}, plain_seen)
        (plain_seen, *plain_results), (asking_seen, *asking_results) = plain.step(offers), asking.step(offers)
        same(asking_results, plain_results)


def test_a_route_by_hand() -> None:
    """Follower 0 faces right: type 0 behind a turn, type 1 two cells ahead, type 2 nowhere; follower 1 is in place."""
    text = "#######\n#.....#\n#.....#\n#.....#\n#######"
    env = make(map=text, num_envs=1, num_followers=2, num_resources=2, num_goals=3, observe_routes=True)
    env.reset()
    env.set_state(
        position=[[[2, 1], [1, 5]]],
        heading=[[3, 2]],
        resource_type=[[0, 1]],
        resource_position=[[[1, 1], [2, 5]]],
        resource_present=[[True, True]],
        resource_claimant=[[-1, -1]],
    )
    assert env.observe()["route"][0].tolist() == [[TURN_LEFT, MOVE, STOP], [TURN_LEFT + 1, DIG, STOP]]


@pytest.mark.parametrize("task", TASKS)
def test_a_single_game_shows_the_same_routes(task: str) -> None:
    batch = make(task, num_envs=3, seed=8, observe_routes=True)
    single = paymaster.make(task, seed=8, index=2, observe_routes=True)
    seen, alone = batch.reset()[0], single.reset()[0]
    assert np.array_equal(seen["route"][2], alone["route"])
    assert single.observation_space["route"].high.max() == batch.num_actions - 1


def test_routes_are_known_where_a_map_needs_more_than_two_words() -> None:
    wide = "#" * 40 + "\n" + ("#" + "." * 38 + "#\n") * 6 + "#" * 40
    for task in GRIDS:
        env = obedient(task, num_envs=10, map=wide, observe_routes=True)
        seen, _ = env.reset()
        for offers in offer_stream(env, 20):
            route, before = seen["route"], seen["step"]
            seen, *_, info = env.step(offers)
            playing = seen["step"] > before
            assert np.array_equal(info["follower_action"][playing], played_towards(route, offers)[playing])
