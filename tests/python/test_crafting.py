"""The crafting tasks from outside: who accepts what, what is refused with which words, text drawings, and M3RL's S3."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import paymaster
from paymaster.scripted import make_scripted
from paymaster.scripted.crafting import RECIPES, TOP_ITEMS
from worlds import CRAFTING

CORNERS = {0: (1, 1), 1: (9, 1), 2: (9, 9), 3: (1, 9)}


def make(task: str = "crafting", games: int = 4, **parameters: Any) -> Any:
    return paymaster.make_vec(task, games, 0, 1, autoreset_mode="Disabled", **parameters)


def test_the_recipes_lead_to_two_top_level_items() -> None:
    assert RECIPES == {4: (0, 1), 5: (2, 3), 6: (2, 4), 7: (1, 5)}
    assert TOP_ITEMS == (6, 7)


@pytest.mark.parametrize("decision", ["employment", "employment_squared"])
@pytest.mark.parametrize("reservation", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("prefers", [True, False], ids=["preference within reach", "preference gone"])
def test_who_accepts_which_bonus(decision: str, reservation: float, prefers: bool) -> None:
    """Rule 1 and 2 of M3RL's crafters for every level, offering an item, and offering what is preferred."""
    env = make("multi_bonus_crafting", 1, decision=decision)
    env.reset(seed=3)
    n = env.num_followers
    there = env.state("resource_present")["resource_present"].copy()
    if not prefers:
        there &= env.state("resource_type")["resource_type"] != 0
    state = {"preference": np.zeros((1, n), np.int32), "reservation": np.full((1, n), reservation, np.float32)}
    snapshot = env.snapshot()
    for level in range(5):
        for goal in (4, 0):
            env.restore(snapshot)
            env.set_state(resource_present=there, **state)
            reach = env.observe()["distance"][0]
            *_, info = env.step(np.tile([goal, level], (1, n, 1)))
            price = level**2 if decision == "employment_squared" else level
            accepts = level > 0 and (price > reservation or not prefers)
            np.testing.assert_array_equal(info["committed"][0], accepts & (reach[:, goal] >= 0))


def test_the_squared_bonus_hides_levels_and_reservations() -> None:
    """As M3RL's code was found to do: with what it prefers in reach 1 is always refused, and 2 or more accepted."""
    env = make("multi_bonus_crafting", 32, decision="employment_squared")
    seen, _ = env.reset()
    likes = env.state("preference")["preference"]
    reach = np.take_along_axis(seen["distance"], likes[..., None].astype(int), -1)[..., 0] >= 0
    snapshot = env.snapshot()
    for level, accepts in enumerate([False, False, True, True, True]):
        env.restore(snapshot)
        *_, info = env.step(np.broadcast_to([7, level], (32, 8, 2)))
        there = seen["distance"][..., 7] >= 0
        np.testing.assert_array_equal(info["committed"], there & np.where(reach, accepts, level > 0))


@pytest.mark.parametrize("task", CRAFTING)
def test_first_materials_lie_in_their_corners_and_two_of_each(task: str) -> None:
    env = make(task, 64)
    seen, _ = env.reset()
    kinds, places = seen["resource_type"], seen["resource_position"]
    for raw, corner in CORNERS.items():
        assert ((kinds == raw).sum(axis=1) >= 2).all()
        assert ((kinds == raw) & (places == corner).all(-1)).any(axis=1).all()


def test_volunteers_fill_the_inventory_for_nothing() -> None:
    env = make(games=16)
    seen, _ = env.reset()
    for _ in range(30):
        seen, reward, *_ = env.step(np.zeros((16, 8, 2), dtype=int))
        assert not reward.any()
    dug = (env.state("resource_present")["resource_present"] == 0).sum(axis=1)
    np.testing.assert_array_equal(seen["inventory"].sum(axis=1), dug)
    assert dug.mean() > 5


def test_an_episode_ends_early_with_two_top_level_items() -> None:
    env = make(games=64)
    leader = make_scripted("full_information", 0)
    seen, _ = env.reset()
    leader.start(env)
    ended = np.zeros(64, dtype=bool)
    while not ended.all():
        seen, _, ended, _, info = env.step(leader.offers(env, seen))
    top = seen["inventory"][:, list(TOP_ITEMS)].sum(axis=1)
    early = info["totals"]["length"] < 30
    assert early.sum() > 50 and (top[early] >= 2).all() and (top[~early] <= 2).all()


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"num_goals": 7, "goal_reward": 1.0}, "num_goals: expected 8 in the crafting world, got 7"),
        ({"skills_per_follower": 3}, "skills_per_follower: expected 5 in the crafting world"),
        ({"preference_among_skills": False}, "preference_among_skills: expected true in the crafting world"),
        ({"new_preferences": True}, "new_preferences: expected false in the crafting world"),
        ({"num_resources": 7}, r"num_resources: expected a value in \[8, 60\], got 7"),
        ({"num_resources": 60, "num_followers": 16, "population_size": 20, "map": "", "horizon": 3}, None),
        ({"map": "#####\n#...#\n#####"}, "map: expected 11 rows of 11 characters"),
        ({"effort_cost": 0.1}, "effort_cost: expected 0 with decision = 'employment'"),
        ({"decision": "never"}, "decision: expected 'utility', 'employment' or 'employment_squared', got 'never'"),
        ({"num_bonuses": 4}, "prices: expected num_bonuses = 4 numbers, or none, got 3 numbers"),
    ],
)
def test_parameters_that_the_world_has_no_other_values_for(parameters: dict[str, Any], words: str | None) -> None:
    if words is None:
        make(**parameters)
        return
    with pytest.raises(ValueError, match=words):
        make(**parameters)


@pytest.mark.parametrize(("row", "column", "what"), [(3, 5, "a station"), (9, 9, "the first material of a type")])
def test_a_wall_where_something_has_to_be(row: int, column: int, what: str) -> None:
    cells = [list(line) for line in ["#" * 11, *["#" + "." * 9 + "#"] * 9, "#" * 11]]
    cells[row][column] = "#"
    with pytest.raises(ValueError, match=f"map: expected a free cell for {what} at row {row}, column {column}"):
        make(map="\n".join(map("".join, cells)))


def test_followers_with_tastes_do_not_decide_on_employment() -> None:
    people = {**make().population, "utility": np.ones((40, 8), dtype=np.float32)}
    with pytest.raises(ValueError, match="population: expected neither utility nor cost with decision = 'employment'"):
        make(population=people)
    make(population=people, decision="utility")


def test_states_that_break_a_rule() -> None:
    env = make(games=1)
    env.reset()
    before = env.state()
    position = before["position"].copy()
    position[0, 0] = [3, 5]
    place = before["resource_position"].copy()
    place[0, 0] = [5, 7]
    full = before["inventory"].copy()
    full[0, 6] = 2
    for arrays, words in (
        ({"position": position}, "position: expected a free cell"),
        ({"resource_position": place}, "expected a free cell"),
        ({"inventory": before["inventory"] - 1}, "inventory: expected a value in"),
        ({"station_claimant": np.full((1, 4), 8, np.int32)}, r"station_claimant: expected a value in \[-1, 7\]"),
        ({"inventory": full, "done": np.array([False])}, "done: expected true"),
    ):
        with pytest.raises(ValueError, match=words):
            env.set_state(**arrays)
        for name, array in env.state().items():
            np.testing.assert_array_equal(array, before[name])
    env.set_state(inventory=full)
    assert env.state("done")["done"].all()


def test_drawn_as_text() -> None:
    env = paymaster.make("crafting", seed=0, render_mode="ansi")
    env.reset()
    env.set_state(station_claimant=[-1, 3, -1, -1], inventory=[1, 0, 2, 0, 1, 0, 0, 0])
    text = env.render()
    assert isinstance(text, str)
    lines = text.splitlines()
    assert (lines[3][10:12], lines[5][6:8], lines[7][10:12], lines[5][14:16]) == ("e=", "F3", "g=", "h=")
    assert "inventory: a 1, b 0, c 2, d 0, e 1, f 0, g 0, h 0" in lines


def test_preferences_of_the_third_setting_are_drawn_in_every_episode() -> None:
    env = make("resource_collection_new_preferences", 400)
    env.reset()
    first = env.state("identity", "preference")
    assert (env.population["skill"].sum(axis=1) == 1).all()
    shares = np.bincount(first["preference"].ravel(), minlength=4) / first["preference"].size
    assert np.abs(shares - 0.25).max() < 0.04
    usual = env.population["preference"][first["identity"]]
    assert 0.15 < (usual == first["preference"]).mean() < 0.35
    one = make("resource_collection_new_preferences", 1)
    drawn = set()
    for _ in range(200):
        one.reset()
        state = one.state("identity", "preference")
        drawn |= {int(p) for who, p in zip(state["identity"][0], state["preference"][0], strict=True) if who == 7}
    assert drawn == {0, 1, 2, 3}
