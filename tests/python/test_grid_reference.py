"""The C++ grid world against the slow reference in tests/reference; named situations with answers by hand.

One long file, because the named situations are a list.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for `reference`, which is not installed

import paymaster
from reference import ReferenceBatch, Rules
from reference.cases import MAPS, Case, crossed_cases, further_cases
from reference.grid_map import GridMap
from reference.lockstep import Lockstep
from reference.planner import Resource, plan
from reference.random_states import OfferSource, random_map, random_states
from reference.rules import MOVE, STOP, TURN_LEFT
from reference.scenes import offers, seed_playing, stage
from rest_slow import rest_slow

Make = Callable[..., Any]


def make_vec(task: str, **parameters: Any) -> Any:
    """The package's environment, finished games staying as they are, as in the reference."""
    return paymaster.make_vec(task, autoreset_mode="Disabled", **parameters)


# ---- whole episodes

EPISODE_CASES = crossed_cases() + further_cases()
# Followers change fastest, in fives: every seventh has all presets, rules, noises, numbers, maps and variants.
FAST_CASES = crossed_cases()[::7] + further_cases()


def test_enough_steps_are_compared() -> None:
    """The slow part of `test_whole_episodes` does not end a case before its number of steps is reached."""
    assert sum(case.steps for case in EPISODE_CASES) >= 100_000


@pytest.mark.parametrize(
    ("case", "share"),
    [
        *(pytest.param(case, 0.1, id=f"{case.name}-in part") for case in FAST_CASES),
        *(pytest.param(case, 1.0, id=case.name, marks=pytest.mark.slow) for case in EPISODE_CASES),
    ],
)
def test_whole_episodes(case: Case, share: float) -> None:
    """Each case up to a share of its steps."""
    both = Lockstep(make_vec, case.task, case.num_envs, case.num_threads, **case.parameters)
    rules = both.reference.rules
    rng = np.random.default_rng(case.seed)
    both.reset(seed=case.seed)
    keep = 0.0
    while both.steps < share * case.steps:
        both.play_episode(OfferSource(rng, rules, case.num_envs, keep), rules.horizon)
        both.step(OfferSource(rng, rules, case.num_envs, keep).next())  # a finished game stays as it is
        both.reset()
        keep = 0.9 - keep  # in turn: new offers at every step; offers kept, so that contracts are completed


# ---- random states


RANDOM_STATES: dict[str, dict[str, Any]] = {
    "resource_collection": {"abstain": True},
    "multi_bonus_resource_collection_one_skill": {"noise": 0.3, "num_resources": 14},
}
STATE_CASES = list(itertools.product(RANDOM_STATES, MAPS, (1, 2, 4, 8, 16)))


@pytest.mark.parametrize(("task", "map_name", "followers"), rest_slow(STATE_CASES, STATE_CASES[::9].__contains__))
def test_steps_from_random_states(task: str, map_name: str, followers: int) -> None:
    num_envs, parameters = 32, RANDOM_STATES[task]
    both = Lockstep(make_vec, task, num_envs, num_followers=followers, map=MAPS[map_name], **parameters)
    both.reset(seed=followers)
    rng = np.random.default_rng(followers)
    for _ in range(3):
        state = random_states(rng, both.reference.rules, num_envs)
        both.set_state(state)
        both.step(likely_offers(rng, both.reference.rules, state["offer"]))
        both.step(OfferSource(rng, both.reference.rules, num_envs, 0.0).next())


def likely_offers(rng: np.random.Generator, rules: Rules, last: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Offers int[B, N, 2], half of them those of the last step where there were some."""
    fresh = OfferSource(rng, rules, last.shape[0], 0.0).next()
    keep = (last[..., :1] >= 0) & (rng.random((*last.shape[:2], 1)) < 0.5)
    return np.where(keep, last, fresh)


# ---- planner


@pytest.mark.parametrize("map_seed", rest_slow(range(40), lambda seed: seed < 4))
def test_distances_on_random_maps(map_seed: int) -> None:
    """The distances seen after a step are those of the reference's search on the state after it."""
    rng = np.random.default_rng(map_seed)
    height, width = rng.integers(5, 23, size=2)
    text = random_map(rng, height, width, wall_share=rng.choice([0.1, 0.3, 0.4]))
    free = len(GridMap(text).free_cells(set()))
    rules = Rules(map=text, num_followers=min(4, free // 2), num_resources=min(10, free - free // 2))
    num_envs = 64
    sizes = {"num_followers": rules.num_followers, "num_resources": rules.num_resources}
    env = make_vec("resource_collection", num_envs=num_envs, map=text, **sizes)
    seen, _ = env.reset(seed=map_seed)
    for _ in range(2):
        assert_distances(seen["distance"], env.state(), rules)
        env.set_state(**random_states(rng, rules, num_envs))
        seen, *_ = env.step(OfferSource(rng, rules, num_envs, 0.0).next())
        assert_distances(seen["distance"], env.state(), rules)


def assert_distances(got: np.ndarray[Any, Any], state: dict[str, np.ndarray[Any, Any]], rules: Rules) -> None:
    grid = GridMap(rules.map)
    for b in range(got.shape[0]):
        game = {name: array[b].tolist() for name, array in state.items()}
        resources = [
            Resource(grid.cell(*place), goal, claimant)
            for place, goal, claimant, present in zip(
                game["resource_position"],
                game["resource_type"],
                game["resource_claimant"],
                game["resource_present"],
                strict=True,
            )
            if present
        ]
        cells = [grid.cell(*place) for place in game["position"]]
        routes = plan(grid, rules.num_goals, cells, game["heading"], resources)
        assert got[b].tolist() == [r.distance for r in routes], game


# ---- situations: drawn, with the outcome written by hand. The reference has to pass them too.


@pytest.fixture(params=["paymaster", "reference"])
def make(request: pytest.FixtureRequest) -> Make:
    return ReferenceBatch if request.param == "reference" else make_vec


def play(env: Any, *words: str) -> dict[str, Any]:
    """One step of the only game: its state and what the step gave, as plain numbers and lists."""
    seen, reward, terminated, truncated, info = env.step(offers(*words))
    assert not truncated[0]
    after = {name: np.asarray(array)[0].tolist() for name, array in env.state().items()}
    after |= {name: np.asarray(info[name])[0].tolist() for name in ("payment", "follower_reward")}
    after |= {"reward": float(reward[0]), "terminated": bool(terminated[0])}
    return after | {"distance": np.asarray(seen["distance"])[0].tolist()}


DUEL = "#######\n#0a1.b#\n#######"


def test_two_dig_the_same_resource_and_the_lower_index_has_it(make: Make) -> None:
    after = play(stage(make, DUEL, "><"), "a0", "a0")
    assert after["committed"] == [True, True]
    assert after["completed"] == [0, -1]
    assert after["payment"] == [1, 0]
    assert after["reward"] == 3 - 1
    assert after["resource_present"] == [False, True]
    assert after["contract_running"] == [False, True]


def test_unskilled_digger_claims_and_blocks_others(make: Make) -> None:
    env = stage(make, DUEL, "><", skill=["b", "abcd"])
    first = play(env, "a0", "a0")
    assert first["completed"] == [-1, -1]
    assert first["resource_claimant"] == [0, -1]
    assert first["resource_present"] == [True, True]
    assert first["distance"] == [[0, -1, -1, -1], [-1, 3, -1, -1]]
    second = play(env, "a0", "a0")
    assert second["committed"] == [
        True,
        False,
    ]  # one is still at work, the other cannot reach the type any more
    assert second["contract_running"] == [True, False]
    assert second["reward"] == 0


def test_own_resource_counts_only_straight_ahead_when_none_is_unclaimed(make: Make) -> None:
    for drawing, action in (("#a0..#", STOP), ("#a0..a#", TURN_LEFT)):
        wall = "#" * len(drawing)
        env = stage(make, f"{wall}\n{drawing}\n{wall}", "^")
        env.set_state(resource_claimant=np.array([[0, -1][: drawing.count("a")]], dtype=np.int32))
        after = play(env, "a0")
        assert after["action"] == [action]
        assert after["committed"] == [action == TURN_LEFT]


def test_tie_of_utilities_goes_against_the_offer(make: Make) -> None:
    drawing = "#######\n#a0..b#\n#######"
    for c, offer, committed in ((1, "b0", False), (1, "b1", True), (1.5, "b0", False), (1.5, "b1", True)):
        after = play(stage(make, drawing, ">", preference="a", reservation=[c]), offer)
        assert after["committed"] == [committed]
        assert after["action"] == [MOVE if committed else TURN_LEFT]


def test_preferred_goal_without_a_contract_is_the_followers_own_gain(make: Make) -> None:
    after = play(stage(make, "#######\n#.0a.b#\n#######", ">", preference="a"), "b0")
    assert after["resource_present"] == [False, True]
    assert (after["committed"], after["completed"]) == ([False], [-1])  # no contract was completed
    assert (after["reward"], after["payment"], after["follower_reward"]) == (0, [0], [1])


def test_preferred_goal_under_contract_pays_both(make: Make) -> None:
    after = play(stage(make, "#######\n#.0a.b#\n#######", ">", preference="a"), "a1")
    assert (after["reward"], after["payment"], after["follower_reward"]) == (3 - 2, [2], [2 + 1])


def test_nothing_worth_doing_means_stop(make: Make) -> None:
    drawing = "#######\n#.0a..#\n#######"
    env = stage(make, drawing, ">", preference="a", reservation=[0], abstain=True)
    after = play(env, "none")
    assert after["action"] == [STOP]
    assert after["offer"] == [[-1, -1]]
    assert play(env, "b1")["committed"] == [False]  # not on the field: unreachable


@pytest.mark.parametrize(
    ("drawing", "facing", "columns"),
    [
        ("#.01.a#", "><", [2, 3]),  # no swap of places
        ("#.10.a#", ">>", [4, 3]),  # into a cell that an earlier follower has just left
        ("#.01.a#", ">>", [2, 4]),  # not into one that a later follower is about to leave
        ("#.0.1a#", "><", [3, 4]),  # two want one cell
        ("#..0a1#", "><", [3, 5]),  # a resource blocks
    ],
)
def test_moves_resolve_in_follower_order(make: Make, drawing: str, facing: str, columns: list[int]) -> None:
    env = stage(make, f"#######\n{drawing}\n#######", facing, noise=1.0, seed=seed_playing([MOVE, MOVE], 1.0))
    after = play(env, "a0", "a0")
    assert after["action"] == [MOVE, MOVE]
    assert after["position"] == [[1, column] for column in columns]


def test_removed_resource_blocks_its_cell_until_the_end_of_the_step(make: Make) -> None:
    seed = seed_playing([None, MOVE], 0.5)
    env = stage(make, DUEL, "><", noise=0.5, seed=seed)
    after = play(env, "a0", "a0")
    assert after["resource_present"] == [False, True]
    assert after["position"] == [[1, 1], [1, 3]]


def test_noise_does_not_undo_the_commitment(make: Make) -> None:
    env = stage(make, "#####\n#0a.#\n#####", ">", noise=1.0, seed=seed_playing([STOP], 1.0))
    after = play(env, "a1")
    assert after["action"] == [STOP]
    assert (after["committed"], after["contract_running"], after["contract_age"]) == ([True], [True], [1])


def test_first_of_equally_short_routes(make: Make) -> None:
    for drawing, action in (("#..0a.#", TURN_LEFT), ("#a0..a#", MOVE)):  # two turns; two moves or two turns
        facing = "<" if action == TURN_LEFT else ">"
        assert play(stage(make, f"#######\n{drawing}\n#######", facing), "a0")["action"] == [action]


def test_standing_follower_blocks_the_route(make: Make) -> None:
    after = play(stage(make, "#######\n#0.1.a#\n#######", ">>"), "a0", "a0")
    assert after["committed"] == [False, True]
    assert after["action"] == [STOP, MOVE]


def test_advance_pays_at_the_start_and_again_after_a_change(make: Make) -> None:
    env = stage(make, "##########\n#0.....a.#\n#......b.#\n##########", ">", payment="advance")
    rewards = [play(env, offer)["reward"] for offer in ("a0", "a0", "a1", "a1", "a0", "b0")]
    assert rewards == [-1, 0, -2, 0, -1, -1]


def test_advance_pays_again_after_a_completed_contract(make: Make) -> None:
    env = stage(make, "#######\n#a0a..#\n#######", ">", payment="advance")
    assert play(env, "a1")["reward"] == 3 - 2
    after = play(env, "a1")  # a new contract for the same offer: two turns, then dig
    assert (after["reward"], after["contract_age"]) == (-2, [1])
    assert [play(env, "a1")["reward"] for _ in range(2)] == [0, 3]


def test_contract_ends_when_its_type_becomes_unreachable(make: Make) -> None:
    env = stage(make, "#########\n#0...a1b#\n#########", "><")
    assert play(env, "a0", "a0")["contract_running"] == [True, False]
    after = play(env, "a0", "b0")
    assert after["committed"] == [False, True]
    assert (after["contract_running"], after["action"][0]) == ([False, True], STOP)
    play(env, "a0", "b0")
    table = env.statistics.arrays()
    assert (table["outcome"][0, 0], table["outcome_count"][0, 0]) == (0, 1)
    assert table["acceptance_count"][0, 0].tolist() == [1, 0]  # no trial while it cannot be reached


def test_game_ends_with_the_last_resource_and_then_stays(make: Make) -> None:
    env = stage(make, "#####\n#0a.#\n#####", ">")
    last = play(env, "a1")
    assert (last["reward"], last["terminated"], last["step"]) == (3 - 2, True, 1)
    table = env.statistics.arrays()
    after = play(env, "a0")
    assert (after["reward"], after["terminated"]) == (0, True)
    assert (after["payment"], after["follower_reward"]) == ([0], [0])
    assert [after[name] == last[name] for name in ("step", "offer", "position", "completed")] == [True] * 4
    assert all(np.array_equal(array, table[name]) for name, array in env.statistics.arrays().items())


def test_contract_cut_off_by_the_end_of_the_episode_is_a_failure(make: Make) -> None:
    env = stage(make, "#######\n#0...a#\n#######", ">", horizon=2)
    assert [play(env, "a0")["terminated"] for _ in range(2)] == [False, True]
    table = env.statistics.arrays()
    assert (table["outcome"][0, 0], table["outcome_count"][0, 0]) == (0, 1)


def test_completion_statistics_rise_from_the_age_of_completion_on(make: Make) -> None:
    env = stage(make, "########\n#0..a.b#\n########", ">", horizon=5)
    assert [play(env, "a1")["contract_age"][0] for _ in range(3)] == [1, 2, 0]
    table = env.statistics.arrays()
    rate = np.float32(0.1)
    assert table["completion"][0, 0].tolist() == [0, 0, rate, rate, rate]
    assert (table["outcome"][0, 0], table["outcome_count"][0, 0]) == (rate, 1)
    assert (table["acceptance"][0, 0, 1], table["acceptance_count"][0, 0, 1]) == (rate, 1)


def test_refused_offer_is_a_trial_at_every_step(make: Make) -> None:
    env = stage(make, "#########\n#a...0.b#\n#########", "<", preference="a")
    for _ in range(3):
        play(env, "b0")
    table = env.statistics.arrays()
    assert (table["acceptance"][0, 1, 0], table["acceptance_count"][0, 1, 0]) == (0, 3)
    assert table["outcome_count"].sum() == 0


def test_leaders_change_of_offer_says_nothing_about_the_follower(make: Make) -> None:
    env = stage(make, "#########\n#a..0..b#\n#########", "^")
    for offer in ("a0", "a1", "b1"):
        assert play(env, offer)["contract_age"] == [1]
    table = env.statistics.arrays()
    assert table["acceptance_count"][0, :2].tolist() == [[1, 1], [0, 1]]
    assert table["outcome_count"].sum() == 0
