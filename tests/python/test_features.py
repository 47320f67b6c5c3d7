"""What the networks see."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import paymaster
import play
from paymaster.features.leader import FeatureEncoder, unflatten_offers
from play import MB, SMALL
from reference.scenes import offers, stage
from worlds import TASKS, fitting

make = partial(play.make, num_envs=6)


def random_offers(env: Any, rng: np.random.Generator) -> NDArray[np.int64]:
    goals = env.parameters["num_goals"] + env.parameters["abstain"]
    return rng.integers([goals, env.parameters["num_bonuses"]], size=(env.num_envs, env.num_followers, 2))


def in_mid_episode(env: Any, steps: int = 7, seed: int = 0) -> Any:
    """The observation after some steps, half of them of an earlier episode that filled the statistics."""
    rng = np.random.default_rng(seed)
    env.reset(seed=seed)
    for _ in range(2):
        for t in range(steps):
            if t % 4 == 0:
                actions = random_offers(env, rng)
            seen, *_ = env.step(actions)
        env.reset()
    for _ in range(steps):
        seen, *_ = env.step(actions)
    return seen


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"num_followers": 1},
        {"abstain": True, "noise": 0.5, "num_followers": 16},
        {"num_goals": 1, "num_bonuses": 1, "skills_per_follower": 1},
        {"horizon": 1},
        {"horizon": 3, "num_goals": 8, "num_resources": 1},
        SMALL,
    ],
    ids=["default", "alone", "sixteen", "one goal", "one step", "three steps", "small"],
)
def test_shapes_and_finite_values(task: str, parameters: dict[str, Any]) -> None:
    env = make(task, **fitting(task, parameters))
    encoder = FeatureEncoder(env)
    n, goals = env.num_followers, env.parameters["num_goals"]
    rng = np.random.default_rng(0)
    for _ in range(2):
        seen, _ = env.reset()
        for _ in range(env.parameters["horizon"] + 1):
            before = {name: array.copy() for name, array in seen.items()}
            follower, goal = encoder.encode(seen)
            assert (follower.dtype, goal.dtype) == (np.float32, np.float32)
            assert follower.shape == (6, n, encoder.follower_features)
            assert goal.shape == (6, n, goals, encoder.goal_features)
            for features in (follower, goal):
                assert np.isfinite(features).all()
                assert np.abs(features).max() <= max(goals, 2.0), "features of about 1 make for good learning"
            np.testing.assert_equal(seen, before)
            follower[:], goal[:] = np.nan, np.nan  # the next ones are fresh arrays
            seen, *_ = env.step(random_offers(env, rng))


@pytest.mark.parametrize("task", TASKS)
def test_traits_stay_hidden(task: str) -> None:
    """Two games that differ in nothing but the followers' traits look the same."""
    env = make(task)
    in_mid_episode(env)
    seen, rng = env.observe(), np.random.default_rng(1)
    features = FeatureEncoder(env).encode(seen)
    state = env.state()
    for _ in range(5):
        env.set_state(
            skill=rng.random(state["skill"].shape) < 0.5,
            preference=rng.integers(4, size=state["preference"].shape),
            reservation=rng.random(state["reservation"].shape) * 5,
        )
        assert not np.array_equal(env.state("skill")["skill"], state["skill"])
        np.testing.assert_equal(env.observe(), seen)
        np.testing.assert_equal(FeatureEncoder(env).encode(env.observe()), features)


def test_another_population_looks_the_same_at_the_start() -> None:
    env = make(MB)
    people = env.population
    other = make(MB, population={**people, "preference": 3 - people["preference"], "reservation": np.full(40, 7.5)})
    seen, _ = env.reset()
    np.testing.assert_equal(other.reset()[0], seen)
    np.testing.assert_equal(FeatureEncoder(other).encode(seen), FeatureEncoder(env).encode(seen))


def test_what_is_known_is_shown() -> None:
    """Every field of the observation that a decision may hang on makes a difference."""
    env = make(abstain=True)
    seen = in_mid_episode(env)
    encoder = FeatureEncoder(env)
    features = encoder.encode(seen)
    changes = {
        "identity": (seen["identity"] + 1) % 40,
        "action": (seen["action"] + 1) % 5,
        "offer": np.where(seen["offer"] > 0, 0, 1),
        "committed": 1 - seen["committed"],
        "contract_running": 1 - seen["contract_running"],
        "contract_age": seen["contract_age"] + 3,
        "completed": np.where(seen["completed"] < 0, 2, -1),
        "distance": np.where(seen["distance"] < 0, 4, -1),
        "available": seen["available"] + 1,
        "step": seen["step"] + 1,
        "heading": (seen["heading"] + 1) % 4,
    }
    for name, value in changes.items():
        changed = encoder.encode({**seen, name: value.astype(np.int16)})
        assert not all(np.array_equal(a, b) for a, b in zip(changed, features, strict=True)), name


def test_statistics_are_shown_to_the_follower_they_are_of() -> None:
    env = make()
    seen, _ = env.reset()
    who = seen["identity"][2, 1]
    _, before = FeatureEncoder(env).encode(seen)
    for name, entry in (("acceptance", (who, 3, 1)), ("completion", (who, 3, 29)), ("outcome", (who, 3))):
        table = env.statistics.arrays()[name]
        table[entry] = 0.5
        env.statistics.set(**{name: table})
        _, after = FeatureEncoder(env).encode(seen)
        different = (after != before).any(-1)
        np.testing.assert_array_equal(different, (seen["identity"] == who)[..., None] & (np.arange(4) == 3))
        env.statistics.clear()
    counts = np.zeros((40, 4), dtype=int)
    counts[who, 0] = 10**9
    env.statistics.set(outcome_count=counts)
    _, after = FeatureEncoder(env).encode(seen)
    assert np.abs(after - before).max() == 1  # "a hundred times or more"


def test_statistics_are_read_as_they_are_at_that_moment() -> None:
    """Also those of a table that was frozen, changed while frozen, restored, or freed and frozen again."""
    env = make()
    seen = in_mid_episode(env)
    encoder = FeatureEncoder(env)

    def shown() -> None:
        np.testing.assert_equal(encoder.encode(seen), FeatureEncoder(env).encode(seen))

    shown()
    snapshot = env.snapshot()
    env.statistics.frozen = True
    shown()
    env.statistics.set(outcome=np.full((40, 4), 0.9))
    shown()
    env.statistics.clear()
    shown()
    env.statistics.frozen = False
    env.statistics.set(outcome=np.full((40, 4), 0.3))
    env.statistics.frozen = True
    shown()
    env.restore(snapshot)
    env.statistics.frozen = True
    shown()


def test_features_by_hand() -> None:
    """Follower 0 is two actions from a and cannot reach c; b is near follower 1."""
    drawing = """
        ##########
        #0..a.b.1#
        ##########
        #...c....#
        ##########"""
    env = stage(paymaster.make_vec, drawing, "><", horizon=8)
    env.step(offers("a1", "b0"))  # both come one nearer
    seen = env.observe()
    follower, goal = FeatureEncoder(env).encode(seen)
    assert seen["distance"][0].tolist() == [[1, -1, -1, -1], [-1, 0, -1, -1]]
    reachable, near, in_time, slack, left, others_offered, others_near, offered, price, committed = range(10)
    a, b, c = 0, 1, 2
    assert goal[0, 0, :, reachable].tolist() == [1, 0, 0, 0]
    assert goal[0, 1, :, reachable].tolist() == [0, 1, 0, 0]
    assert goal[0, 0, a, near] == np.float32(10 / 11)
    assert goal[0, 1, b, near] == 1
    assert goal[0, 0, :, others_near].tolist() == [0, 1, 0, 0]
    assert goal[0, 1, :, others_near].tolist() == [np.float32(10 / 11), 0, 0, 0]
    assert goal[0, 0, a, in_time] == 1
    assert goal[0, 0, a, slack] == np.float32((7 - 1 - 1) / 8)
    assert goal[0, :, c, [reachable, near, in_time, slack]].tolist() == [[0, 0]] * 4
    assert goal[0, 0, :, left].tolist() == [np.float32(1 / max(1, 3 / 4))] * 3 + [0]
    assert goal[0, 0, :, others_offered].tolist() == [0, 0.5, 0, 0]
    assert goal[0, 1, :, others_offered].tolist() == [0.5, 0, 0, 0]
    assert goal[0, 0, :, offered].tolist() == [1, 0, 0, 0]
    assert goal[0, :, [a, b], price].tolist() == [[1, 0], [0, 0.5]]
    assert goal[0, 0, :, committed].tolist() == [1, 0, 0, 0]
    assert follower[0, :, 0].tolist() == [1 / 8] * 2  # time
    assert follower[0, :, 1:7].tolist() == [[1, 0, 0, 0, 0, 0]] * 2  # both moved
    assert follower[0, :, 7:11].tolist() == [[0, 0, 0, 1], [0, 1, 0, 0]]  # right, left
    assert follower[0, :, 11:15].tolist() == [[1, 1, 1 / 8, 0]] * 2  # committed, running for a step, nothing completed
    env.step(offers("a1", "b0"))
    follower, goal = FeatureEncoder(env).encode(env.observe())
    assert follower[0, 1, 11:15].tolist() == [1, 0, 0, 1]  # follower 1 has completed b
    assert goal[0, 1, :, reachable].tolist() == [1, 0, 0, 0]  # and the way to a is free
    assert goal[0, 1, a, near] == np.float32(10 / 12)


def test_too_late_to_dig() -> None:
    env = stage(paymaster.make_vec, "########\n#0...a.#\n########", ">", horizon=5)
    in_time = []
    for _ in range(4):
        _, goal = FeatureEncoder(env).encode(env.observe())
        in_time.append(goal[0, 0, 0, 2])
        env.step(offers("b0"))  # there is no b: it stays where it is
    assert env.observe()["distance"][0, 0, 0] == 3
    assert in_time == [1, 1, 0, 0]  # three moves and the dig fit into the last four steps, not into the last three


@settings(max_examples=100, deadline=None)
@given(data=st.data(), n=st.integers(1, 5))
def test_best_of_the_others(data: st.DataObject, n: int) -> None:
    values = st.sampled_from([-1, 0, 2, 2, 30])
    env = make(num_envs=2, num_followers=n, num_goals=2, skills_per_follower=1)
    distance = np.array(data.draw(st.lists(values, min_size=4 * n, max_size=4 * n)), np.int16).reshape(2, n, 2)
    _, goal = FeatureEncoder(env).encode({**env.observe(), "distance": distance})
    near, best = goal[..., 1], goal[..., 6]
    for b, k, g in np.ndindex(near.shape):
        assert best[b, k, g] == max([near[b, j, g] for j in range(n) if j != k], default=0.0)


def test_offers_from_flat_indices() -> None:
    for goals, bonuses in ((4, 2), (3, 5), (1, 1)):
        flat = np.arange(goals * bonuses + 1).reshape(1, -1)
        actions = unflatten_offers(flat, bonuses)
        assert actions.shape == (1, goals * bonuses + 1, 2)
        assert actions.dtype == np.int64
        expected = [[g, b] for g in range(goals) for b in range(bonuses)]
        assert actions[0].tolist() == [*expected, [goals, 0]]  # the last one is "none"


def test_abstaining_is_no_offer() -> None:
    env = make(abstain=True)
    seen, _ = env.reset()
    encoder = FeatureEncoder(env)
    _, fresh = encoder.encode(seen)
    seen, _, _, _, info = env.step(unflatten_offers(np.full((6, 4), 8), 2))
    assert not info["committed"].any()
    assert (seen["offer"] == -1).all()
    _, after = encoder.encode(seen)
    np.testing.assert_array_equal(after[..., [5, 7, 8, 9]], np.zeros_like(after[..., :4]))
    np.testing.assert_array_equal(fresh[..., [5, 7, 8, 9]], np.zeros_like(fresh[..., :4]))
