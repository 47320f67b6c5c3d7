"""Impossible parameters, maps and populations are refused: the error says argument, what was expected, what came."""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest

import paymaster
from hostile import RC, ROOM, refused
from paymaster import integrations


@pytest.mark.parametrize(
    ("arguments", "error", "name", "came"),
    [
        ({"task": "collect"}, ValueError, "task", "'collect'"),
        ({"task": ""}, ValueError, "task", "''"),
        ({"task": 3}, TypeError, "task", "int"),
        ({"task": None}, TypeError, "task", "NoneType"),
        ({"num_envs": 0}, ValueError, "num_envs", "0"),
        ({"num_envs": -1}, ValueError, "num_envs", "-1"),
        ({"num_envs": 2**24 + 1}, ValueError, "num_envs", str(2**24 + 1)),
        ({"num_envs": 2**70}, ValueError, "num_envs", str(2**70)),
        ({"num_envs": 1.5}, TypeError, "num_envs", "float"),
        ({"num_envs": 2.0}, TypeError, "num_envs", "float"),
        ({"num_envs": True}, TypeError, "num_envs", "bool"),
        ({"num_envs": "2"}, TypeError, "num_envs", "str"),
        ({"num_envs": None}, TypeError, "num_envs", "NoneType"),
        ({"seed": -1}, ValueError, "seed", "-1"),
        ({"seed": 2**64}, ValueError, "seed", str(2**64)),
        ({"seed": 0.0}, TypeError, "seed", "float"),
        ({"seed": np.bool_(True)}, TypeError, "seed", "bool"),
        ({"num_threads": -1}, ValueError, "num_threads", "-1"),
        ({"num_threads": 1025}, ValueError, "num_threads", "1025"),
        ({"num_threads": 1.0}, TypeError, "num_threads", "float"),
        ({"first_index": -1}, ValueError, "first_index", "-1"),
        ({"first_index": 2**63}, ValueError, "first_index", str(2**63)),
        ({"first_index": "a"}, TypeError, "first_index", "str"),
        ({"autoreset_mode": "nextstep"}, ValueError, "autoreset_mode", "nextstep"),
        ({"autoreset_mode": None}, (TypeError, ValueError), "autoreset_mode", "None"),
        ({"autoreset_mode": 1}, (TypeError, ValueError), "autoreset_mode", ""),
        ({"copy": "no"}, TypeError, "copy", "str"),
        ({"bonus": 3}, TypeError, "bonus", "'bonus'"),
        ({"bonus": None}, TypeError, "bonus", "'bonus'"),
        ({"NUM_GOALS": 4}, TypeError, "NUM_GOALS", "'NUM_GOALS'"),
        ({"num_followers": 0}, ValueError, "num_followers", "0"),
        ({"num_followers": 17}, ValueError, "num_followers", "17"),
        ({"num_followers": 3.0}, TypeError, "num_followers", "float"),
        ({"num_followers": "3"}, TypeError, "num_followers", "str"),
        ({"num_followers": True}, TypeError, "num_followers", "bool"),
        ({"num_followers": [3]}, TypeError, "num_followers", "list"),
        ({"num_followers": 10, "population_size": 9}, ValueError, "num_followers", "10"),
        ({"num_goals": 0}, ValueError, "num_goals", "0"),
        ({"num_goals": 9}, ValueError, "num_goals", "9"),
        ({"num_goals": 2}, ValueError, "skills_per_follower", "3"),
        ({"num_bonuses": 0}, ValueError, "num_bonuses", "0"),
        ({"num_bonuses": 65}, ValueError, "num_bonuses", "65"),
        ({"horizon": 0}, ValueError, "horizon", "0"),
        ({"horizon": 10001}, ValueError, "horizon", "10001"),
        ({"horizon": 2**40}, ValueError, "horizon", str(2**40)),
        ({"horizon": -(2**70)}, ValueError, "horizon", str(-(2**70))),
        ({"payment": "later"}, ValueError, "payment", "'later'"),
        ({"payment": 1}, TypeError, "payment", "int"),
        ({"payment": b"advance"}, TypeError, "payment", "bytes"),
        ({"noise": float("nan")}, ValueError, "noise", "nan"),
        ({"noise": -0.1}, ValueError, "noise", "-0.1"),
        ({"noise": 1.0000001}, ValueError, "noise", "1"),
        ({"noise": float("inf")}, ValueError, "noise", "inf"),
        ({"noise": "0.5"}, TypeError, "noise", "str"),
        ({"noise": True}, TypeError, "noise", "bool"),
        ({"noise": 10**400}, ValueError, "noise", ""),
        ({"noise": 0.5j}, TypeError, "noise", "complex"),
        ({"noise": np.array([0.1, 0.2])}, TypeError, "noise", ""),
        ({"goal_reward": float("inf")}, ValueError, "goal_reward", "inf"),
        ({"goal_reward": float("nan")}, ValueError, "goal_reward", "nan"),
        ({"goal_reward": -1}, ValueError, "goal_reward", "-1"),
        ({"goal_reward": 1e7}, ValueError, "goal_reward", "1e+07"),
        ({"goal_reward": [3, 3]}, ValueError, "goal_reward", "2 numbers"),
        ({"abstain": 1}, TypeError, "abstain", "int"),
        ({"abstain": "yes"}, TypeError, "abstain", "str"),
        ({"population_size": 0}, ValueError, "population_size", "0"),
        ({"population_size": 65536}, ValueError, "population_size", "65536"),
        ({"population_seed": -1}, ValueError, "population_seed", "-1"),
        ({"population_seed": 2**63}, ValueError, "population_seed", str(2**63)),
        ({"skills_per_follower": 0}, ValueError, "skills_per_follower", "0"),
        ({"skills_per_follower": 5}, ValueError, "skills_per_follower", "5"),
        ({"preference_among_skills": 0}, TypeError, "preference_among_skills", "int"),
        ({"max_reservation": 0}, ValueError, "max_reservation", "0"),
        ({"max_reservation": 1001}, ValueError, "max_reservation", "1001"),
        ({"max_reservation": 1.5}, TypeError, "max_reservation", "float"),
        ({"num_resources": 0}, ValueError, "num_resources", "0"),
        ({"num_resources": 65}, ValueError, "num_resources", "65"),
        ({"num_resources": 64, "num_followers": 16, "population_size": 16, "map": ROOM}, ValueError, "map", "19"),
        ({"map": 5}, TypeError, "map", "int"),
        ({"map": ["###", "#.#", "###"]}, TypeError, "map", "list"),
        ({"map": b"###"}, TypeError, "map", "bytes"),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, dict) else None,
)
def test_impossible_options(arguments: dict[str, Any], error: Any, name: str, came: str) -> None:
    if isinstance(error, tuple):
        with pytest.raises(error, match=f"{name}: expected .*, got .*{came}"):
            paymaster.make_vec(**{"task": RC, **arguments})
        return
    with refused(error, name, came):
        paymaster.make_vec(**{"task": RC, **arguments})


def test_unknown_names_come_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="multi_bonus_resource_collection_one_skill"):
        paymaster.make_vec("grid")
    with pytest.raises(TypeError, match="num_followers, num_goals, num_bonuses, horizon"):
        paymaster.make_vec(RC, workers=3)


@pytest.mark.parametrize(
    ("make", "wrong", "like"),
    [
        (paymaster.make_vec, "num_follower", "num_followers"),
        (paymaster.make_vec, "num-envs", "num_envs"),
        (paymaster.make_vec, "Autoreset", "autoreset_mode"),
        (partial(paymaster.make_vec, followers="meta"), "populaton", "population"),
        (paymaster.make, "indx", "index"),
        (paymaster.make, "num_bonuse", "num_bonuses"),
        (integrations.FollowerEnv, "membr", "member"),
        (integrations.FollowerEnv, "rendermode", "render_mode"),
        (integrations.parallel_env, "sed", "seed"),
        (integrations.aec_env, "payments", "payment"),
        (integrations.followers_env, "horizons", "horizon"),
        (partial(gymnasium.make, "paymaster/ResourceCollection-v0"), "num_goal", "num_goals"),
        (partial(gymnasium.make_vec, "paymaster/ResourceCollection-v0"), "num_thread", "num_threads"),
    ],
)
def test_an_unknown_keyword_is_named_first_with_the_nearest(make: Any, wrong: str, like: str) -> None:
    task = () if isinstance(make, partial) and make.args else (RC,)
    came = f"an unexpected keyword argument '{wrong}'"
    said = rf"^{wrong}: expected an argument of \w+ \(did you mean {like}\?\), got {came}"
    with pytest.raises(TypeError, match=said):
        make(*task, **{wrong: 2})


@pytest.mark.parametrize(
    ("text", "expected", "came"),
    [
        ("\n", "line", "none"),
        ("\n\n\n", "line", "none"),
        ("########\n#......#\n#.....#\n########", "8", "row 2"),
        ("########\n#......#\n\n########", "8", "row 2"),
        ("########\n#.......\n#......#\n########", "border", "row 1, column 7"),
        ("####.###\n#......#\n#......#\n########", "border", "row 0, column 4"),
        ("########\n.......#\n#......#\n########", "border", "row 1, column 0"),
        ("........", "border", "row 0, column 0"),
        ("########\n#......#\n#..a...#\n########", "'#'", "'a' at row 2, column 3"),
        ("########\n#\t.....#\n########", "'#'", "row 1, column 1"),
        ("########\n#\0.....#\n########", "'#'", "row 1, column 1"),
        ("########\n#é.....#\n########", "'#'", "row 1, column 1"),
        ("é", "'#'", "row 0, column 0"),
        ("########\n#......#\n########", "14", "6"),
        ("##########", "14", "0"),
        ("#" * 256 + "\n#" + "." * 254 + "#\n" + "#" * 256, "255", "256"),
        ("\n".join(["#" * 65, *["#" + "." * 63 + "#"] * 63, "#" * 65]), "4096", "65"),
    ],
    ids=[
        "empty", "only blank", "ragged", "blank inside", "open right", "open top", "open left", "no wall", "letter",
        "tab", "null", "not ascii", "not ascii at all", "too small", "no floor",
        "too wide", "too many cells",
    ],
)  # fmt: skip
def test_impossible_maps(text: str, expected: str, came: str) -> None:
    with pytest.raises(ValueError, match="map: expected") as caught:
        paymaster.make_vec(RC, map=text)
    assert type(caught.value) is ValueError
    assert expected in str(caught.value)
    assert came in str(caught.value).split(", got ")[-1]


def test_map_that_is_not_text_at_all() -> None:
    with pytest.raises((ValueError, TypeError), match="map: expected"):
        paymaster.make_vec(RC, map="####\n#\ud800.#\n####")


def test_largest_maps_work() -> None:
    for rows, columns in ((64, 64), (16, 255)):
        text = "\n".join(["#" * columns, *["#" + "." * (columns - 2) + "#"] * (rows - 2), "#" * columns])
        env = paymaster.make_vec(RC, 2, seed=0, map=text)
        seen, _ = env.reset()
        assert env.observation_space.contains(seen)
        assert env.observation_space.contains(env.step(env.action_space.sample())[0])


def traits(size: int = 4, **changes: Any) -> dict[str, Any]:
    return {
        "skill": np.ones((size, 4), dtype=bool),
        "preference": np.arange(size) % 4,
        "reservation": np.ones(size),
        **changes,
    }


@pytest.mark.parametrize(
    ("population", "parameters", "error", "name", "came"),
    [
        (3, {}, TypeError, "population", "int"),
        ([1, 2], {}, TypeError, "population", "list"),
        ({}, {}, ValueError, "population", ""),
        ({"skill": np.ones((4, 4), dtype=bool)}, {}, ValueError, "population", "skill"),
        (traits(ability=1), {}, ValueError, "population", "ability"),
        (traits(skill=np.ones((4, 4))), {}, TypeError, "skill", "float64"),
        (traits(skill=np.ones((4, 4), dtype=int)), {}, TypeError, "skill", "int64"),
        (traits(skill=np.ones((4, 3), dtype=bool)), {}, ValueError, "skill", "(4, 3)"),
        (traits(skill=np.ones((0, 4), dtype=bool)), {}, ValueError, "skill", "(0, 4)"),
        (traits(skill=np.ones(4, dtype=bool)), {}, ValueError, "skill", "(4,)"),
        (traits(skill=np.ones((4, 4), dtype=bool)), {"num_goals": 3}, ValueError, "skill", "(4, 4)"),
        (traits(skill=np.ones((4, 4), dtype=bool)), {"num_goals": "4"}, TypeError, "num_goals", "str"),
        (traits(skill=[[True] * 4, [True] * 3]), {}, (TypeError, ValueError), "skill", ""),
        (traits(preference=[0, 1, 2, 4]), {}, ValueError, "preference", "4"),
        (traits(preference=[0, 1, 2, -1]), {}, ValueError, "preference", "-1"),
        (traits(preference=[0.0, 1, 2, 3]), {}, TypeError, "preference", "float64"),
        (traits(preference=[0, 1, 2]), {}, ValueError, "preference", "(3,)"),
        (traits(reservation=[0, 1, 2, float("nan")]), {}, ValueError, "reservation", "nan"),
        (traits(reservation=[0, 1, 2, float("inf")]), {}, ValueError, "reservation", "inf"),
        (traits(reservation=[0, 1, 2, -0.5]), {}, ValueError, "reservation", "-0.5"),
        (traits(reservation=[0, 1, 2, 1e300]), {}, ValueError, "reservation", "1e+300"),
        (traits(reservation=["1"] * 4), {}, TypeError, "reservation", "U1"),
        (traits(reservation=[True] * 4), {}, TypeError, "reservation", "bool"),
        (traits(reservation=np.ones((4, 1))), {}, ValueError, "reservation", "(4, 1)"),
        (traits(3), {}, ValueError, "num_followers", "4"),
        (traits(), {"population_size": 5}, ValueError, "population_size", "5"),
        (traits(65536), {}, ValueError, "population_size", "65536"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else value if isinstance(value, str) else None,
)
def test_impossible_populations(population: Any, parameters: Any, error: Any, name: str, came: str) -> None:
    errors = error if isinstance(error, tuple) else (error,)
    with pytest.raises(errors, match=f"{name}: expected .*, got ") as caught:
        paymaster.make_vec(RC, population=population, **parameters)
    assert came in str(caught.value).split(", got ")[-1]


def test_given_population_is_taken_as_it_is() -> None:
    given_traits = traits(6, reservation=np.array([0, 1, 2.5, 3, 0.25, 1e6]))
    given_traits["skill"][2] = False
    env = paymaster.make_vec(RC, 3, seed=0, population=given_traits)
    assert env.parameters["population_size"] == 6
    for name, array in {**given_traits, "learns": np.ones(6, dtype=bool)}.items():
        np.testing.assert_array_equal(env.population[name], array)
    env.reset()
    state = env.state()
    for name, array in given_traits.items():
        np.testing.assert_array_equal(state[name], array[state["identity"]])


def test_more_games_than_fit_into_memory() -> None:
    with refused(ValueError, "num_envs", "statistics of"):
        paymaster.make_vec("navigation", 2**24, seed=0, num_followers=64, num_targets=64, population_size=64)
