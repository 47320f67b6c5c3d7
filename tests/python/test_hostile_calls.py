"""Wrong actions, seeds and masks are refused: the error says the argument, what was expected, what came."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from hostile import LEGAL, B, N, make, refused, unharmed

# ---- actions


def with_entry(value: Any, dtype: Any = np.int64, bonus: bool = False) -> Any:
    actions = LEGAL.astype(dtype)
    actions[1, 2, int(bonus)] = value
    return actions


@pytest.mark.parametrize(
    ("actions", "error", "came"),
    [
        (LEGAL[0], ValueError, "(3, 2)"),
        (LEGAL[:1], ValueError, "(1, 3, 2)"),
        (LEGAL[:, :2], ValueError, "(2, 2, 2)"),
        (LEGAL[..., :1], ValueError, "(2, 3, 1)"),
        (LEGAL[..., None], ValueError, "(2, 3, 2, 1)"),
        (LEGAL.reshape(B, -1), ValueError, "(2, 6)"),
        (LEGAL[:0], ValueError, "(0, 3, 2)"),
        (1, ValueError, "()"),
        (LEGAL.astype(float), TypeError, "float64"),
        (LEGAL.astype("float16"), TypeError, "float16"),
        (LEGAL * np.nan, TypeError, "float64"),
        (LEGAL > 0, TypeError, "bool"),
        (LEGAL.astype(object), TypeError, "object"),
        (LEGAL.astype(str), TypeError, "U"),
        (LEGAL.astype(complex), TypeError, "complex128"),
        (LEGAL.astype("timedelta64[s]"), TypeError, "timedelta64"),
        ([], TypeError, "float64"),
        (None, TypeError, "object"),
        ("offer", TypeError, "U5"),
        ({"goal": 1}, TypeError, "object"),
        (with_entry(-1), ValueError, "-1"),
        (with_entry(4), ValueError, "4"),
        (with_entry(2, bonus=True), ValueError, "2"),
        (with_entry(-1, bonus=True), ValueError, "-1"),
        (with_entry(-128, np.int8), ValueError, "-128"),
        (with_entry(255, np.uint8), ValueError, "255"),
        (with_entry(2**40), ValueError, str(2**40)),
        (with_entry(2**32), ValueError, str(2**32)),  # 0 in the lower half
        (with_entry(-(2**63)), ValueError, str(-(2**63))),
        (with_entry(2**64 - 1, np.uint64), ValueError, str(2**64 - 1)),
        (with_entry(2**63, np.uint64, bonus=True), ValueError, str(2**63)),
    ],
    ids=lambda value: None if isinstance(value, np.ndarray) else str(value)[:30],
)
def test_impossible_actions(actions: Any, error: type[Exception], came: str) -> None:
    env = make()
    with unharmed(env), refused(error, "actions", came):
        env.step(actions)


def test_ragged_actions() -> None:
    env = make()
    with unharmed(env), pytest.raises((TypeError, ValueError), match=r"actions: expected .*, got "):
        env.step([[[0, 0], [0]], [[0, 0], [0, 0]]])


def test_error_says_which_offer_is_wrong() -> None:
    env = make()
    with pytest.raises(ValueError, match=r"goal \(game 1, follower 2\): expected a value in \[0, 3\], got 4"):
        env.step(with_entry(4))
    with pytest.raises(ValueError, match=r"bonus \(game 1, follower 2\): expected a value in \[0, 1\], got 5"):
        env.step(with_entry(5, bonus=True))
    with pytest.raises(ValueError, match=r"expected a value in \[0, 4\], got 5"):
        make(abstain=True).step(with_entry(5))


@pytest.mark.parametrize("mode", ["NextStep", "Disabled"])
def test_actions_of_finished_games_are_checked_too(mode: str) -> None:
    env = make(autoreset_mode=mode, horizon=3)
    assert env.state("done")["done"].all()
    with refused(ValueError, "actions", "4"):
        env.step(with_entry(4))
    assert env.state("done")["done"].all()


@settings(max_examples=60, deadline=None)
@given(
    actions=npst.arrays(
        dtype=npst.scalar_dtypes() | st.just(np.dtype("int64")),
        shape=st.just((B, N, 2)) | npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    )
)
def test_any_array_is_played_or_refused(actions: Any) -> None:
    env = make()
    legal = (
        actions.dtype.kind in "iu"
        and actions.shape == (B, N, 2)
        and bool(((actions >= 0) & (actions < np.array([4, 2]))).all())
    )
    if legal:
        env.step(actions)
        return
    with unharmed(env), pytest.raises((TypeError, ValueError), match=r"actions.*expected .*, got "):
        env.step(actions)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", ">i4", "<u8", "uint64", ">i8"])
def test_any_integers_in_any_layout_are_actions(dtype: str) -> None:
    expected = make().step(LEGAL)
    readonly = LEGAL.astype(dtype)
    readonly.flags.writeable = False
    wide = np.zeros((B, 2 * N, 4), dtype=dtype)
    wide[:, ::2, ::2] = LEGAL
    for actions in (readonly, LEGAL.astype(dtype, order="F"), wide[:, ::2, ::2], LEGAL[:, ::-1].astype(dtype)[:, ::-1]):
        np.testing.assert_equal(make().step(actions), expected)
    np.testing.assert_equal(make().step(LEGAL.tolist()), expected)


# ---- reset


@pytest.mark.parametrize(
    ("seed", "error", "came"),
    [
        (-1, ValueError, "-1"),
        (2**64, ValueError, str(2**64)),
        (1.0, TypeError, "float"),
        (float("nan"), TypeError, "float"),
        (True, TypeError, "bool"),
        ("12", TypeError, "str"),
        (b"12", TypeError, "bytes"),
        ({}, TypeError, "dict"),
        ([], ValueError, "0"),
        ([1], ValueError, "1"),
        ([1, 2, 3], ValueError, "3"),
        ([1, -2], ValueError, "-2"),
        ([1, 2.0], TypeError, "float"),
        ([1, True], TypeError, "bool"),
        ([1, "2"], TypeError, "str"),
        (np.array([1.0, 2.0]), TypeError, "float"),
        (np.array([[1, 2], [3, 4]]), TypeError, "ndarray"),
    ],
    ids=str,
)
def test_impossible_seeds(seed: Any, error: type[Exception], came: str) -> None:
    env = make()
    with unharmed(env), refused(error, "seed", came):
        env.reset(seed=seed)


def test_an_array_without_axes_is_a_seed_or_refused_as_one() -> None:
    env, twin = make(), make()
    try:
        seen, _ = env.reset(seed=np.array(3))
    except (TypeError, ValueError) as error:
        assert re.match("seed: expected .*, got ", str(error))  # noqa: PT017
    else:
        np.testing.assert_equal(seen, twin.reset(seed=3)[0])


@pytest.mark.parametrize(
    ("options", "error", "name", "came"),
    [
        ({"mask": 1}, ValueError, "options", "'mask'"),
        ({"reset_mask": [True, False], "seed": 1}, ValueError, "options", "'seed'"),
        ({"reset_mask": [True, False], 3: 1}, ValueError, "options", "3"),
        ({"reset_mask": [1, 0]}, TypeError, "reset_mask", "int64"),
        ({"reset_mask": None}, TypeError, "reset_mask", "object"),
        ({"reset_mask": [True]}, ValueError, "reset_mask", "(1,)"),
        ({"reset_mask": True}, ValueError, "reset_mask", "()"),
        ({"reset_mask": np.ones((2, 1), dtype=bool)}, ValueError, "reset_mask", "(2, 1)"),
        (5, TypeError, "options", "int"),
        ("reset_mask", TypeError, "options", "str"),
        (["reset_mask"], TypeError, "options", "list"),
    ],
    ids=str,
)
def test_impossible_reset_options(options: Any, error: type[Exception], name: str, came: str) -> None:
    env = make()
    with unharmed(env), refused(error, name, came):
        env.reset(options=options)


def test_a_seed_and_a_mask_together() -> None:
    env = make()
    with unharmed(env), refused(ValueError, "seed"):
        env.reset(seed=1, options={"reset_mask": np.array([True, False])})
