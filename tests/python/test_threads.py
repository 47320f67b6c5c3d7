"""Two threads on one environment: the second call raises and changes nothing, whichever two calls they are."""

from __future__ import annotations

import itertools
import os
import re
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import paymaster
from paymaster import _core
from paymaster.features.leader import FeatureEncoder
from play import RC, leaves, make

BOTH = re.compile(r"^[\w.]+: expected no other call on this object at the same time, got [\w.]+\(\) in another thread")

Calls = dict[str, Callable[[], Any]]


def vector(**parameters: Any) -> tuple[Any, Calls]:
    env = make(num_envs=32, num_threads=2, **parameters)
    env.reset()
    snapshot, state, offers = env.snapshot(), env.state(), np.zeros((32, 4, 2), dtype=np.int64)
    encoder, seen = FeatureEncoder(env), env.observe()
    return env, {
        "reset": env.reset,
        "step": lambda: env.step(offers),
        "observe": env.observe,
        "state": env.state,
        "set_state": lambda: env.set_state(**state),
        "snapshot": env.snapshot,
        "restore": lambda: env.restore(snapshot),
        "replace_followers": lambda: env.replace_followers([0], 1),
        "statistics": env.statistics.arrays,
        "set_statistics": lambda: env.statistics.set(**env.statistics.arrays()),
        "encode": lambda: encoder.encode(seen),
    }


def drawn() -> tuple[Any, Calls]:
    env = make(num_envs=2, render_mode="rgb_array")
    env.reset()
    offers = np.zeros((2, 4, 2), dtype=np.int64)
    return env, {"reset": env.reset, "step": lambda: env.step(offers), "render": env.render}


def single() -> tuple[Any, Calls]:
    env = paymaster.make(RC)
    env.reset()
    snapshot, offers = env.snapshot(), np.zeros((4, 2), dtype=np.int64)
    return env, {
        "reset": env.reset,
        "step": lambda: env.step(offers),
        "state": env.state,
        "restore": lambda: env.restore(snapshot),
    }


def two_phase() -> tuple[Any, Calls]:
    env = make(num_envs=32, num_threads=2, followers="meta")
    env.reset()
    snapshot, offers = env.snapshot(), np.zeros((32, 4, 2), dtype=np.int64)
    told = np.zeros((32, 4), dtype=np.int64)
    env.offer(offers)
    return env, {
        "reset": env.reset,
        "offer": lambda: env.offer(offers),
        "act": lambda: env.act(told),
        "observe": env.observe,
        "restore": lambda: env.restore(snapshot),
    }


MADE: dict[str, Callable[[], tuple[Any, Calls]]] = {
    "vector": vector,
    "views": lambda: vector(copy=False),
    "same step": lambda: vector(autoreset_mode="SameStep"),
    "drawn": drawn,
    "single": single,
    "two-phase": two_phase,
}


def attempt(call: Callable[[], Any]) -> BaseException | None:
    """What it raised."""
    try:
        call()
    except BaseException as error:
        return error
    return None


def in_thread(call: Callable[[], Any]) -> BaseException | None:
    """What it raised in a thread of its own."""
    came: list[BaseException | None] = []
    thread = threading.Thread(target=lambda: came.append(attempt(call)))
    thread.start()
    thread.join(60)
    assert came, "it hangs"
    return came[0]


def together(calls: list[Callable[[], Any]], times: int) -> list[list[BaseException | None]]:
    """What each raised, so many times, in threads of their own that start at once."""
    start = threading.Barrier(len(calls))
    came: list[list[BaseException | None]] = [[] for _ in calls]

    def run(i: int) -> None:
        start.wait(30)
        came[i].extend(attempt(calls[i]) for _ in range(times))

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "it hangs"
    return came


@pytest.mark.parametrize("kind", MADE)
def test_a_call_is_refused_while_another_thread_is_in_one(kind: str) -> None:
    env, calls = MADE[kind]()
    before = env.snapshot()
    for (first, _), (second, call) in itertools.product(calls.items(), calls.items()):
        core = env._core if hasattr(env, "_core") else env.batch._core
        with core.guard(first):
            error = in_thread(call)
        assert type(error) is RuntimeError, (first, second, error)
        assert BOTH.match(str(error)), error
        assert f"got {first}() in another thread" in str(error)
        assert env.snapshot() == before
    for name, call in calls.items():  # nothing is left behind
        assert not isinstance(in_thread(call), RuntimeError), name


@pytest.mark.parametrize("kind", MADE)
def test_two_threads_that_do_as_they_like_do_no_harm(kind: str) -> None:
    """Each pair of calls at once, again and again: they go through one after another or one is refused."""
    env, calls = MADE[kind]()
    times = 2 if kind == "drawn" else 10  # a picture takes longer than all that may go wrong around it
    for pair in itertools.combinations_with_replacement(calls, 2):
        for error in itertools.chain(*together([calls[name] for name in pair], times)):
            # A ValueError: act() without offers, and followers replaced in mid-episode.
            assert error is None or type(error) is ValueError or BOTH.match(str(error)), (pair, error)
    env.reset()
    assert all(np.isfinite(values).all() for values in leaves(env.state()))


def test_the_steps_that_went_through_are_those_one_thread_would_have_made() -> None:
    env, alone = (make(num_envs=64, num_threads=2, seed=3) for _ in range(2))
    offers = np.zeros((64, 4, 2), dtype=np.int64)
    env.reset(), alone.reset()
    came = together([lambda: env.step(offers)] * 2, 40)
    for _ in range([*came[0], *came[1]].count(None)):
        alone.step(offers)
    assert env.snapshot() == alone.snapshot()


def test_one_thread_may_call_from_within_a_call() -> None:
    env = make(num_envs=1, followers="meta")
    env.reset()

    class Curious:
        def answer(self, observation: Any) -> Any:
            env.observe(), env.state(), env.snapshot()
            return np.zeros((1, 4), dtype=np.int64)

        def earned(self, reward: Any) -> None:
            env.observe()

    env.answering = Curious()
    env.step(np.zeros((1, 4, 2), dtype=np.int64))
    assert in_thread(env.observe) is None


def test_an_error_inside_leaves_the_environment_open() -> None:
    env = make(num_envs=1)
    env.reset()
    with pytest.raises(ValueError, match="actions"):
        env.step(np.full((1, 4, 2), 99))
    assert in_thread(env.observe) is None


def test_particle_worlds_are_guarded_too() -> None:
    ones, yes = np.ones(64), np.ones(64, dtype=np.bool_)
    world = _core.ParticleWorld(2000, ones, ones, ones, yes, yes)
    actions = np.ones((2000, 64), dtype=np.int64)
    errors: list[BaseException] = []
    for _ in range(50):  # until the two overlap
        going = threading.Thread(target=lambda: world.step(actions))
        going.start()
        error = in_thread(lambda: world.step(actions))
        going.join()
        if error is not None:
            errors.append(error)
            break
    assert errors
    assert type(errors[0]) is RuntimeError
    assert "got step() in another thread" in str(errors[0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_forked_while_another_thread_was_inside_is_told_so() -> None:
    env = make(num_envs=1)
    env.reset()
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with env._core.guard("step"):
            inside.set()
            leave.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(60)
    child = os.fork()
    if child == 0:
        try:
            env.observe()
        except RuntimeError as error:
            os._exit(0 if "was in step() of another thread when this process was forked" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    leave.set()
    thread.join()
    env.observe()
