"""Event sets against Section 4.1 written out slowly, on random logs; a literal example; hostile input; their life."""

from __future__ import annotations

import gc
import re
from dataclasses import FrozenInstanceError, fields
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from paymaster.events import EventSet, extract

DTYPES = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", ">i4"]


def slow_event_set(actions: NDArray[Any], lengths: NDArray[Any], num_goals: int | None) -> dict[str, Any]:
    """The definitions, one event at a time."""
    steps, games, followers, _ = actions.shape
    is_new = np.zeros((steps, games, followers), dtype=np.bool_)
    index = np.full((steps, games, followers), -1)
    options: list[list[int]] = []  # [game, follower, start, length]
    for b in range(games):
        for k in range(followers):
            offer: tuple[Any, ...] | None = None  # omega_{-1} is no offer
            number = -1
            for t in range(lengths[b]):
                goal, bonus = (int(part) for part in actions[t, b, k])
                before, offer = offer, ("none",) if goal == num_goals else (goal, bonus)
                if offer != before:
                    is_new[t, b, k] = True
                    number += 1
                    options.append([b, k, t, 0])
                options[-1][3] += 1
                index[t, b, k] = number
    columns = np.array(options, dtype=np.int64).reshape(-1, 4).T
    return {
        "is_new": is_new,
        "index": index,
        "count": is_new.sum(0),
        "count_per_episode": is_new.sum((0, 2)),
        **dict(zip(("game", "follower", "start", "option_length"), columns, strict=True)),
    }


def assert_same(events: EventSet, expected: dict[str, Any]) -> None:
    assert [field.name for field in fields(events)] == list(expected)
    for name, value in expected.items():
        array = getattr(events, name)
        assert array.dtype == (np.bool_ if name == "is_new" else np.int32), name
        np.testing.assert_array_equal(array, value, err_msg=name)


@st.composite
def logs(draw: st.DrawFn) -> tuple[NDArray[Any], NDArray[Any], int | None]:
    """Offers kept with some probability, goals 0..G (G is "none"), episodes of all lengths, noise behind their end."""
    steps, games, followers = draw(st.integers(1, 9)), draw(st.integers(1, 5)), draw(st.integers(1, 9))
    num_goals, bonuses = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    keep = draw(st.sampled_from([0.0, 0.5, 0.9, 1.0]))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    actions = rng.integers([num_goals + 1, bonuses], size=(steps, games, followers, 2))
    for t in range(1, steps):
        kept = rng.random((games, followers, 2)) < keep  # goal and bonus apart: one of them may change alone
        actions[t] = np.where(kept, actions[t - 1], actions[t])
    lengths = rng.integers(0, steps + 1, size=games)
    rest = np.arange(steps)[:, None] >= lengths
    actions[rest] = rng.integers(0, 127, size=actions[rest].shape)
    return actions.astype(dtype), lengths, draw(st.sampled_from([None, num_goals]))


@settings(max_examples=400, deadline=None)
@given(logs())
def test_random_logs_against_the_definitions(log: tuple[NDArray[Any], NDArray[Any], int | None]) -> None:
    actions, lengths, num_goals = log
    events = extract(actions, lengths, num_goals=num_goals)
    assert_same(events, slow_event_set(actions, lengths, num_goals))
    played = np.arange(len(actions))[:, None] < lengths
    assert events.option_length.sum() == played.sum() * actions.shape[2]  # options divide U_T among them
    np.testing.assert_array_equal(np.argwhere(events.is_new.transpose(1, 2, 0))[:, 2], events.start)
    whole = np.full(actions.shape[1], len(actions))
    if num_goals is None:
        assert_same(extract(actions), slow_event_set(actions, whole, None))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("extreme", [0, 1], ids=["lowest", "highest"])
def test_every_bit_of_an_offer_counts(dtype: str, extreme: int) -> None:
    """Offers that differ by one, at either end of the type's range; wider types are not narrowed."""
    info = np.iinfo(dtype)
    value, near = (info.min, info.min + 1) if extreme == 0 else (info.max, info.max - 1)
    offers = np.array([(value, value), (value, near), (near, near), (near, near), (value, near)], dtype=dtype)
    events = extract(offers.reshape(5, 1, 1, 2))
    assert events.is_new.ravel().tolist() == [True, True, True, False, True]


A, B, C = (0, 0), (1, 1), (1, 0)


def test_an_example_like_figure_2a() -> None:
    """Two followers, six steps: each commitment lasts until the next, for each follower by itself."""
    first = [A, A, B, B, B, A]
    second = [C, C, C, B, C, C]
    events = extract(np.array([list(zip(first, second, strict=True))]).transpose(1, 0, 2, 3))
    assert events.is_new[:, 0, 0].tolist() == [True, False, True, False, False, True]
    assert events.is_new[:, 0, 1].tolist() == [True, False, False, True, True, False]
    assert events.index[:, 0, 0].tolist() == [0, 0, 1, 1, 1, 2]
    assert events.index[:, 0, 1].tolist() == [0, 0, 0, 1, 2, 2]
    assert events.count.tolist() == [[3, 3]]
    assert events.count_per_episode.tolist() == [6]
    assert events.game.tolist() == [0] * 6
    assert events.follower.tolist() == [0, 0, 0, 1, 1, 1]
    assert events.start.tolist() == [0, 2, 5, 0, 3, 4]
    assert events.option_length.tolist() == [2, 3, 1, 3, 1, 2]
    assert np.bincount(events.option_length).tolist() == [0, 2, 2, 2]


def test_an_episode_that_ends_early_cuts_its_last_option() -> None:
    actions = np.array([[[A], [A]], [[A], [A]], [[B], [B]], [[B], [C]]])
    events = extract(actions, lengths=[2, 4])
    assert events.is_new[..., 0].T.tolist() == [[True, False, False, False], [True, False, True, True]]
    assert events.index[..., 0].T.tolist() == [[0, 0, -1, -1], [0, 0, 1, 2]]
    assert events.option_length.tolist() == [2, 2, 1, 1]
    nothing = extract(actions, lengths=[0, 0])
    assert not nothing.is_new.any() and (nothing.index == -1).all() and not nothing.count.any()
    assert nothing.start.shape == nothing.option_length.shape == (0,)


def test_none_has_no_bonus() -> None:
    """Goal G is "none" where G is known, as GameBatch takes it; elsewhere it is a goal like others."""
    log = np.array([(2, 0), (2, 1), (1, 1), (1, 0), (2, 0), (2, 1)]).reshape(6, 1, 1, 2)
    assert extract(log, num_goals=2).is_new.ravel().tolist() == [True, False, True, True, True, False]
    assert extract(log).is_new.ravel().tolist() == [True] * 6
    assert extract(log, num_goals=3).is_new.ravel().tolist() == [True] * 6
    assert extract(log.astype(np.int8), num_goals=300).is_new.ravel().tolist() == [True] * 6


def test_arrays_of_any_layout() -> None:
    rng = np.random.default_rng(0)
    log = rng.integers(2, size=(7, 6, 4, 2))
    expected = vars(extract(log))
    np.testing.assert_equal(vars(extract(np.asfortranarray(log))), expected)
    np.testing.assert_equal(vars(extract(np.repeat(log, 2, axis=1)[:, ::2])), expected)
    np.testing.assert_equal(vars(extract(log[::-1][::-1])), expected)
    np.testing.assert_equal(vars(extract(torch.tensor(log))), expected)
    np.testing.assert_equal(vars(extract(log.tolist(), [7] * 6)), expected)


def test_views_are_read_only_and_keep_their_memory() -> None:
    log = np.random.default_rng(1).integers(3, size=(50, 40, 8, 2))
    events = extract(log)
    expected = {name: value.copy() for name, value in vars(events).items()}
    owners = {id(value.base) for value in vars(events).values()}
    assert len(owners) == 1, "views of one object of the core"
    kept = {name: value[-1:] for name, value in vars(events).items()}
    for value in vars(events).values():
        assert not value.flags.writeable and value.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            value[...] = 0
        with pytest.raises(ValueError, match="WRITEABLE"):
            value.flags.writeable = True
    with pytest.raises(FrozenInstanceError):
        events.count = events.index  # type: ignore[misc]
    log[:] = 0
    del events, value
    gc.collect()
    extract(log)
    for name, value in kept.items():
        np.testing.assert_array_equal(value, expected[name][-1:], err_msg=name)


LOG = np.zeros((4, 3, 2, 2), dtype=np.int64)
HUGE = np.broadcast_to(np.zeros(2, dtype=np.int8), (2**30, 1, 2, 2))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"actions": LOG.astype(float)}, TypeError, "actions: expected an integer dtype, got float64"),
        ({"actions": LOG > 0}, TypeError, "actions: expected an integer dtype, got bool"),
        ({"actions": LOG.astype(object)}, TypeError, "actions: expected an integer dtype, got object"),
        ({"actions": None}, TypeError, "actions: expected an integer dtype, got object"),
        ({"actions": "offers"}, TypeError, "actions: expected an integer dtype, got <U6"),
        ({"actions": [[1], [2, 3]]}, ValueError, "actions: expected an array, got sequences of different lengths"),
        ({"actions": 3}, ValueError, "with T, B, N >= 1, got ()"),
        ({"actions": LOG[0]}, ValueError, "actions: expected shape [T, B, N, 2], (goal, bonus)"),
        ({"actions": LOG[..., :1]}, ValueError, "got (4, 3, 2, 1)"),
        ({"actions": LOG[:0]}, ValueError, "with T, B, N >= 1, got (0, 3, 2, 2)"),
        ({"actions": LOG[:, :0]}, ValueError, "got (4, 0, 2, 2)"),
        ({"actions": LOG[:, :, :0]}, ValueError, "got (4, 3, 0, 2)"),
        ({"actions": HUGE}, ValueError, "actions: expected fewer than 2**31 games and events in each"),
        ({"lengths": [4, 4]}, ValueError, "lengths: expected shape (3,), got (2,)"),
        ({"lengths": 4}, ValueError, "lengths: expected shape (3,), got ()"),
        ({"lengths": [[4, 4, 4]]}, ValueError, "lengths: expected shape (3,), got (1, 3)"),
        ({"lengths": [4, 5, 4]}, ValueError, "lengths: expected values in [0, 4], got 5"),
        ({"lengths": [4, 4, -1]}, ValueError, "lengths: expected values in [0, 4], got -1"),
        ({"lengths": np.array([0, 0, 2**63], dtype=np.uint64)}, ValueError, "lengths: expected values in [0, 4], got"),
        ({"lengths": [1.0, 2.0, 3.0]}, TypeError, "lengths: expected an integer dtype, got float64"),
        ({"lengths": [True, True, True]}, TypeError, "lengths: expected an integer dtype, got bool"),
        ({"lengths": [[1], [2, 3]]}, ValueError, "lengths: expected an array, got sequences of different lengths"),
        ({"num_goals": 0}, ValueError, "num_goals: expected a value in [1, 2147483647], got 0"),
        ({"num_goals": 2**31}, ValueError, "num_goals: expected a value in [1, 2147483647], got 2147483648"),
        ({"num_goals": 2.0}, TypeError, "num_goals: expected an int, got float"),
        ({"num_goals": True}, TypeError, "num_goals: expected an int, got bool"),
    ],
)
def test_wrong_input_is_refused(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        extract(**{"actions": LOG, **arguments})


@pytest.mark.parametrize("dtype", DTYPES)
def test_goals_of_played_steps_are_checked(dtype: str) -> None:
    info = np.iinfo(dtype)
    for goal in sorted({info.min, 4, info.max} - {0}):
        log = LOG.astype(dtype)
        log[2, 1, 1] = goal, 0
        where = r"actions: goal \(step 2, game 1, follower 1\): expected a value in \[0, 3\], got "
        with pytest.raises(ValueError, match=f"{where}{goal}$"):
            extract(log, num_goals=3)
        assert extract(log, [4, 2, 4], num_goals=3).count_per_episode.tolist() == [2, 2, 2]  # not played
        assert extract(log).count_per_episode.tolist() == [2, 4, 2]
