"""What strangers bring along: text that is no text, numbers that raise, maps with marks, games that have not begun.

One long file of many short, independent cases.
"""

from __future__ import annotations

import itertools
import re
import time
from typing import Any

import gymnasium
import numpy as np
import pytest

import paymaster
from fuzz.snapshots import sealed
from hostile import LEGAL, RC, ROOM, B, make, refused, unharmed
from paymaster import integrations
from paymaster.planners import grid_path
from play import leaves
from worlds import PARTICLES

SURROGATE = "caf\udce9"


class Raising:
    """A number whose conversion goes wrong."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __index__(self) -> int:
        raise self.error

    def __float__(self) -> float:
        raise self.error


# ---- numbers


@pytest.mark.parametrize("name", ["num_followers", "population_seed", "noise", "goal_reward"])
def test_what_a_number_of_the_users_raises_is_raised(name: str) -> None:
    for error in (ZeroDivisionError("mine"), KeyError("mine"), ValueError("mine"), MemoryError("mine")):
        with pytest.raises(type(error), match="mine"):
            paymaster.make_vec(RC, **{name: Raising(error)})
    with pytest.raises(TypeError):
        paymaster.make_vec(RC, **{name: Raising(TypeError("mine"))})


@pytest.mark.parametrize("name", ["num_envs", "seed", "num_threads", "first_index"])
def test_also_in_arguments(name: str) -> None:
    with pytest.raises(ZeroDivisionError):
        paymaster.make_vec(RC, **{name: Raising(ZeroDivisionError())})


@pytest.mark.parametrize("name", ["num_envs", "seed", "num_threads", "first_index", "num_followers", "population_seed"])
def test_numbers_of_thousands_of_digits_are_out_of_range(name: str) -> None:
    for number in (10**5000, -(10**5000)):
        with pytest.raises(ValueError, match=rf"^{name}: expected a value in \[.*\], got one of 16610 bits"):
            paymaster.make_vec(RC, **{name: number})


def test_an_int_that_is_none_of_pythons_counts_as_one() -> None:
    assert paymaster.make_vec(RC, np.int64(2)).action_space.shape == (2, 4, 2)


@pytest.mark.parametrize("task", [RC, *PARTICLES])
def test_ranges_that_are_shown_are_those_accepted(task: str) -> None:
    """Each numeric option one step beyond either end is refused with its range, whose ends are accepted."""
    for name, value in make(task).parameters.items():
        if isinstance(value, (bool, str, list)):
            continue
        for far in (-(2**70), 2**70):
            if value == np.inf and far > 0:
                continue  # no limit
            with pytest.raises(ValueError, match=rf"^{name}: expected a value in \[") as caught:
                paymaster.make_vec(task, **{name: far})
            low, high = str(caught.value).partition("[")[2].partition("]")[0].split(", ")
            end, beyond = (low, -1) if far < 0 else (high, 1)
            if isinstance(value, float):
                given: Any = float(end)
                outside: Any = np.nextafter(given, np.inf * beyond)
            else:
                given, outside = int(end), int(end) + beyond
            with pytest.raises(ValueError, match=re.escape(f"{name}: expected a value in [{low}, {high}]")):
                paymaster.make_vec(task, **{name: outside})
            try:
                paymaster.make_vec(task, **{name: given})
            except (ValueError, MemoryError) as error:  # not for its range
                assert "expected a value in" not in str(error)  # noqa: PT017


def test_first_indices_up_to_the_end() -> None:
    for name, function in (("first_index", paymaster.make_vec), ("index", paymaster.make)):
        function(RC, **{name: 2**62 - 1}).reset()
        with refused(ValueError, name):
            function(RC, **{name: 2**62})


def test_the_episode_after_the_last_is_the_first_again() -> None:
    env = make()
    env.reset()
    env.set_state(episode=np.full(B, 2**62 - 1))
    env.restore(env.snapshot())
    env.reset()
    assert env.state("episode")["episode"].tolist() == [0] * B


# ---- text


def test_text_that_is_none_is_refused_by_name() -> None:
    for arguments in ({"payment": SURROGATE}, {"map": SURROGATE}, {"followers": SURROGATE}, {SURROGATE: 1}):
        with pytest.raises((ValueError, TypeError), match=r"payment|map|followers|parameters"):
            paymaster.make_vec(RC, **arguments)
    with refused(ValueError, "task"):
        paymaster.make_vec(SURROGATE)
    with pytest.raises(ValueError, match="autoreset_mode"):
        paymaster.make_vec(RC, autoreset_mode=SURROGATE)
    with pytest.raises(ValueError, match="reach_by"):
        paymaster.make_vec("navigation", reach_by=SURROGATE)
    with pytest.raises(ValueError, match="map"):
        grid_path(SURROGATE, [[1, 1]], [0], np.zeros((1, 3, 3), dtype=bool))
    env = make()
    with unharmed(env), refused(ValueError, "state"):
        env.state(SURROGATE)
    with unharmed(env), refused(ValueError, "state"):
        env.set_state(**{SURROGATE: 1})
    with unharmed(env), refused(ValueError, "statistics"):
        env.statistics.set(**{SURROGATE: 1})


def test_long_and_odd_text_is_shown_shortened_on_one_line() -> None:
    for text in ("x" * 10**6, "a\nb\0c", "é" * 1000):
        with pytest.raises(ValueError, match=r"^task: expected one of .*, got '") as caught:
            paymaster.make_vec(text)
        assert len(str(caught.value)) < 600
        assert str(caught.value).isprintable()


# ---- actions


@pytest.mark.parametrize("abstain", [False, True])
@pytest.mark.parametrize("value", [5, 2**31, 2**40, -2, -(2**40), 2**63 - 1])
def test_actions_far_out_of_range_are_refused_in_the_words_of_those_near_it(value: int, abstain: bool) -> None:
    goals = 4 if abstain else 3
    for part, name, highest in ((0, "goal", goals), (1, "bonus", 1)):
        for env, place in (
            (paymaster.make_vec(RC, 2, abstain=abstain), (1, 2)),
            (paymaster.make(RC, abstain=abstain), (2,)),
        ):
            env.reset()
            offers = np.zeros((*env.action_space.shape,), dtype=np.int64)
            offers[(*place, part)] = value
            where = f"(game {len(place) - 1}, follower 2)"
            with pytest.raises(ValueError, match=r"^actions: ") as caught:
                env.step(offers)
            assert str(caught.value) == f"actions: {name} {where}: expected a value in [0, {highest}], got {value}"
    env = paymaster.make_vec(RC, 2, followers="meta")
    env.reset(), env.offer(np.zeros((2, 4, 2), dtype=int))
    with pytest.raises(
        ValueError, match=rf"^actions \(game 1, follower 3\): expected a value in \[0, 4\], got {value}$"
    ):
        env.act([[0] * 4, [0, 0, 0, value]])


# ---- maps


@pytest.mark.parametrize("text", ["\ufeff" + ROOM, ROOM.replace("\n", "\r\n"), ROOM.replace("\n", "\r")])
def test_a_byte_order_mark_is_skipped_and_any_line_end_is_one(text: str) -> None:
    env, plain = make(map=text), make(map=ROOM)
    assert env.parameters == plain.parameters
    assert env.snapshot() == plain.snapshot()
    poses = [[1, 1]], [0], np.zeros((1, ROOM.strip().count("\n") + 1, len(ROOM.split()[0])), dtype=bool)
    np.testing.assert_array_equal(grid_path(text, *poses).distance, grid_path(ROOM, *poses).distance)


@pytest.mark.parametrize("text", ["\n" * 10**7, "#" * 10**7, "#\n" * 10**6, "x" * 10**7, "\ufeff" * 10**6])
def test_long_maps_are_refused_at_once(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(ValueError, match="map: expected at most 65536 characters, got "):
        paymaster.make_vec(RC, map=text)
    with pytest.raises(ValueError, match="map: expected at most 65536 characters, got "):
        grid_path(text, [[1, 1]], [0], np.zeros((1, 3, 3), dtype=bool))
    assert time.perf_counter() - start < 1


# ---- games that have not begun


def test_a_game_is_played_only_after_reset() -> None:
    for env, play in (
        (paymaster.make_vec(RC, 2), lambda env: env.step(np.zeros((2, 4, 2), dtype=int))),
        (paymaster.make(RC), lambda env: env.step(np.zeros((4, 2), dtype=int))),
        (paymaster.make_vec(RC, 2, followers="meta"), lambda env: env.offer(np.zeros((2, 4, 2), dtype=int))),
    ):
        before = env.snapshot()
        with pytest.raises(gymnasium.error.ResetNeeded, match=r"^(step|offer): expected reset\(\) before it, got none"):
            play(env)
        assert env.snapshot() == before
        env.reset()
        play(env)


def test_the_first_game_that_has_not_begun_is_named() -> None:
    env = make()
    env = paymaster.make_vec(RC, 3)
    offers = np.zeros((3, 4, 2), dtype=int)
    env.reset(options={"reset_mask": np.array([True, False, True])})
    with pytest.raises(gymnasium.error.ResetNeeded, match="for game 1"):
        env.step(offers)
    env.reset(options={"reset_mask": np.array([False, True, False])})
    env.step(offers)
    assert env.state("episode")["episode"].tolist() == [0, 0, 0]


def test_a_game_that_is_set_or_restored_has_begun_one_restored_from_before_has_not() -> None:
    env, begun = paymaster.make_vec(RC, 2), paymaster.make_vec(RC, 2)
    offers, made = np.zeros((2, 4, 2), dtype=int), env.snapshot()
    begun.reset()
    env.restore(begun.snapshot())
    env.step(offers)
    env.restore(made)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(offers)
    env.set_state(step=[3, 3])
    env.step(offers)


# ---- snapshots that somebody has made up


@pytest.mark.parametrize("task", [RC, *PARTICLES])
def test_snapshots_made_up_are_refused_or_play_on(task: str) -> None:
    env = paymaster.make_vec(task, 2, 1, 1, population_size=6, horizon=5)
    env.reset()
    offers = np.zeros((2, 4, 2), dtype=int)
    env.step(offers)
    good = env.snapshot()
    rng = np.random.default_rng(1)
    taken = 0
    for _ in range(150):
        forged = bytearray(good)
        for place in rng.integers(56, 700, size=rng.integers(1, 3)):
            forged[place] = rng.choice([0, 1, 127, 128, 255])
        try:
            env.restore(sealed(bytes(forged)))
        except ValueError as error:
            assert str(error).startswith("snapshot: expected ")  # noqa: PT017
            assert env.snapshot() == good
            continue
        taken += 1
        assert env.observe() in env.observation_space
        if not forged[72]:  # pristine: it has not begun
            env.step(offers)
        env.reset()
        for _ in range(6):
            seen, *_ = env.step(offers)
            assert seen in env.observation_space
        env.restore(good)
    assert taken > 0


# ---- arrays


def compact(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    strides = [itemsize]
    for length in reversed(shape[1:]):
        strides.append(strides[-1] * max(length, 1))
    return tuple(reversed(strides))


def expect_compact(array: np.ndarray) -> None:
    assert array.flags.c_contiguous
    assert array.ndim == 0 or array.strides == compact(array.shape, array.itemsize)
    np.from_dlpack(array)


@pytest.mark.parametrize("task", [RC, *PARTICLES])
def test_arrays_have_the_strides_that_dlpack_consumers_want(task: str) -> None:
    """JAX takes whole arrays only, and looks at the strides of axes of length 1 as well. This holds for one game and
    many, fresh and reused arrays, every call, and a finished game's last observation.
    """
    few = {"num_resources": 1} if task == RC else {"num_targets": 1}
    for games, followers, goals, copy in itertools.product((1, 3), (1, 2), (1, 2), (True, False)):
        env = paymaster.make_vec(
            task, games, 0, 1, num_followers=followers, num_goals=goals, skills_per_follower=1,
            autoreset_mode="SameStep", copy=copy, horizon=9, **few,
        )  # fmt: skip
        offers = np.zeros((games, followers, 2), dtype=int)
        env.reset()
        good = env.snapshot()
        came = [env.reset(), *(env.step(offers) for _ in range(9)), env.observe(), env.restore(good)]
        final = [step[4]["final_obs"].tolist() for step in came[1:10] if "final_obs" in step[4]]
        assert final
        for array in leaves([came, final, env.state(), env.population, env.statistics.arrays()]):
            expect_compact(array)


@pytest.mark.parametrize("task", [RC, *PARTICLES])
def test_views_and_two_phases_have_those_strides_too(task: str) -> None:
    env = paymaster.make_vec(task, 3, 0, 1, followers="meta")
    came: list[Any] = [env.reset(), env.offer(np.zeros((3, 4, 2), dtype=int)), env.act(np.zeros((3, 4), dtype=int))]
    single = paymaster.make(task, 0)
    came += [single.reset(), single.step(np.zeros((4, 2), dtype=int))]
    for array in leaves(came):
        expect_compact(array)
    vectors = integrations.LeaderVectors(paymaster.make(task, 0))
    batched = integrations.BatchedLeaderVectors(paymaster.make_vec(task, 3, 0, 1))
    parallel = integrations.parallel_env(task)
    for array in leaves([vectors.reset(seed=0), batched.reset(seed=0), parallel.reset(seed=0)]):
        expect_compact(array)


def test_bools_are_what_their_bytes_say() -> None:
    odd = np.array([2, 0, 255], dtype=np.uint8).view(np.bool_)
    env = paymaster.make_vec(RC, 3)
    env.reset(), env.reset(options={"reset_mask": odd})
    assert env.state("episode")["episode"].tolist() == [1, 0, 1]
    env = make(num_followers=1)
    present = np.full((B, 5), 2, dtype=np.uint8).view(np.bool_)
    env.reset()
    env.set_state(resource_present=present)
    assert env.state("resource_present")["resource_present"].view(np.uint8).tolist() == [[1] * 5] * B
    skill = np.full((6, 4), 2, dtype=np.uint8).view(np.bool_)
    people = {"skill": skill, "preference": [0] * 6, "reservation": [1.0] * 6}
    assert paymaster.make_vec(RC, population=people).population["skill"].view(np.uint8).tolist() == [[1] * 4] * 6


# ---- what is observed after set_state


@pytest.mark.parametrize("task", [RC, *PARTICLES])
@pytest.mark.parametrize("parameters", [{}, {"body_max_speed": 0.3, "target_max_speed": 0.7}, {"body_max_speed": 0.0}])
def test_a_state_that_is_accepted_is_in_the_observation_space(task: str, parameters: dict[str, float]) -> None:
    """Every number of the state at the ends of the range that its error shows."""
    env = make(task, **(parameters if task in PARTICLES else {}))
    env.reset()
    state = env.state()
    for name, values in state.items():
        if values.dtype == np.bool_ or name == "done":
            continue
        largest = np.finfo(values.dtype).max if values.dtype.kind == "f" else np.iinfo(values.dtype).max
        for far in (-largest, largest):
            with pytest.raises(ValueError, match=r"a value in \[") as caught:
                env.set_state(**{name: np.full_like(values, far)})
            ends = str(caught.value).partition("[")[2].partition("]")[0].split(", ")
            one = values.copy()
            one[(0,) * values.ndim] = values.dtype.type(ends[int(far > 0)])
            try:
                env.set_state(**{**state, name: one})
            except ValueError as error:  # another rule
                assert "a value in" not in str(error)  # noqa: PT017
            assert env.observe() in env.observation_space
            env.step(LEGAL)
            assert env.observe() in env.observation_space
            env.restore(env.snapshot())
            env.set_state(**state)
