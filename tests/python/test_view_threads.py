"""Two threads on one view: the second call raises and changes nothing, whichever two calls they are."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_threads import BOTH, in_thread, together

import paymaster
from paymaster import integrations
from play import RC, same

SHORT: dict[str, Any] = {"seed": 4, "horizon": 5}
OFFERS = {"leader": np.zeros(8, dtype=int)}
ANSWERS = {f"follower_{k}": 0 for k in range(4)}


def of_game(env: Any, **more: Callable[[], Any]) -> dict[str, Callable[[], Any]]:
    return {"reset": env.reset, "state": env.state, "render": env.render, "look": env.game.look, **more}


def parallel() -> tuple[Any, dict[str, Callable[[], Any]]]:
    env = integrations.parallel_env(RC, render_mode="ansi", **SHORT)
    env.reset()
    return env, of_game(env, step=lambda: env.step({**OFFERS, **ANSWERS}))


def turns() -> tuple[Any, dict[str, Callable[[], Any]]]:
    env = integrations.aec_env(RC, render_mode="ansi", **SHORT)
    env.reset()
    env.step(OFFERS["leader"])
    return env, of_game(env, step=lambda: env.step(0), last=env.last, observe=lambda: env.observe("leader"))


def followers() -> tuple[Any, dict[str, Callable[[], Any]]]:
    env = integrations.followers_env(RC, render_mode="ansi", **SHORT)
    env.reset()
    return env, of_game(env, step=lambda: env.step(ANSWERS))


def follower() -> tuple[Any, dict[str, Callable[[], Any]]]:
    env = integrations.FollowerEnv(RC, render_mode="ansi", **SHORT)
    env.reset()
    return env, {"reset": env.reset, "step": lambda: env.step(0), "render": env.render}


def vectors() -> tuple[Any, dict[str, Callable[[], Any]]]:
    env = integrations.LeaderVectors(paymaster.make(RC, **SHORT))
    env.reset()
    return env, {"reset": lambda: env.reset(seed=3), "step": lambda: env.step(np.zeros(8, dtype=int))}


def batched() -> tuple[Any, dict[str, Callable[[], Any]]]:
    env = integrations.BatchedLeaderVectors(paymaster.make_vec(RC, 16, **SHORT))
    env.reset()
    return env, {"reset": lambda: env.reset(seed=3), "step": lambda: env.step(np.zeros((16, 8), dtype=int))}


MADE = [parallel, turns, followers, follower, vectors, batched]


def core_of(env: Any) -> Any:
    whole = env.game.env if hasattr(env, "game") else getattr(env.unwrapped, "batch", env.unwrapped)
    return whole._core


def seen(env: Any) -> Any:
    """All that a view holds in Python."""
    game = env.game if hasattr(env, "game") else None
    of_game = () if game is None else (game.seen, game.reward, game.leader_is_next, game.over, game.infos())
    of_view = [
        getattr(env, name, None) for name in ("agents", "agent_selection", "rewards", "terminations", "_answers")
    ]
    return copy.deepcopy((of_game, of_view, core_of(env).snapshot()))


@pytest.mark.parametrize("make", MADE)
def test_a_call_is_refused_while_another_thread_is_in_one(make: Any) -> None:
    env, calls = make()
    before = seen(env)
    for first, (second, call) in itertools.product([*calls, "copy"], calls.items()):
        with core_of(env).guard(first):
            error = in_thread(call)
        assert type(error) is RuntimeError, (first, second, error)
        assert BOTH.match(str(error)), error
        assert str(error).startswith(f"{second}:") and f"got {first}() in another thread" in str(error)
        same(seen(env), before)
    with core_of(env).guard("step"):
        assert type(in_thread(lambda: copy.deepcopy(env))) is RuntimeError
    for name, call in calls.items():  # nothing is left behind
        assert not isinstance(in_thread(call), RuntimeError), name


@pytest.mark.parametrize("make", MADE)
def test_two_threads_that_do_as_they_like_do_no_harm(make: Any) -> None:
    env, calls = make()
    for pair in itertools.combinations_with_replacement(calls, 2):
        for error in itertools.chain(*together([calls[name] for name in pair], 10)):
            # A ValueError: an episode that is over, an action of another phase.
            assert error is None or isinstance(error, ValueError) or BOTH.match(str(error)), (pair, error)
    env.reset()
    same(env.reset(seed=1), copy.deepcopy(env).reset(seed=1))


def test_a_copy_is_free_while_the_original_is_in_a_call() -> None:
    env, calls = parallel()
    twin = copy.deepcopy(env)
    with core_of(env).guard("step"):
        assert in_thread(lambda: twin.step(OFFERS)) is None
        assert type(in_thread(calls["step"])) is RuntimeError
