"""Impossible states are refused, with the field's name, what was expected and what came; nothing changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hostile import RC, B, M, N, P, make, refused, unharmed
from rest_slow import rest_slow
from worlds import PARTICLES

PLACES: dict[str, Any] = {  # where things are on the grid ...
    "position": [[(1, 1), (1, 2), (1, 3)]] * B,
    "resource_position": [[(4, 1), (4, 2), (4, 3), (4, 4), (4, 5)]] * B,
    "resource_present": [[True, True, True, True, False]] * B,
}
POINTS: dict[str, Any] = {  # ... and in the plane
    "position": [[(-0.5, -0.5), (0.0, -0.5), (0.5, -0.5)]] * B,
    "goal_position": [[(-0.8, 0.8), (-0.4, 0.8), (0.0, 0.8), (0.4, 0.8), (0.8, 0.8)]] * B,
    "obstacle_position": [[(-0.5, 0.2), (0.5, 0.2)]] * B,
}


def base_state(env: Any) -> Any:
    """A state with a running contract (follower 0), a refused offer (1) and no offer (2), set in both games."""
    env.reset(seed=2)
    env.set_state(
        identity=[[4, 5, 6]] * B,
        offer=[[(0, 1), (1, 0), (-1, -1)]] * B,
        committed=[[True, False, False]] * B,
        contract_running=[[True, False, False]] * B,
        contract_age=[[2, 0, 0]] * B,
        step=[3] * B,
        **(POINTS if env.task in PARTICLES else PLACES),
    )
    return env.state()


Bad = list[tuple[str, Any, Any]]  # field, index within game 1, value

BAD_ANYWHERE: Bad = [
    ("identity", 0, -1), ("identity", 2, P), ("identity", 1, 2**31 - 1), ("identity", 1, 4),
    ("preference", 0, -1), ("preference", 0, 4),
    ("reservation", 0, -0.5), ("reservation", 0, float("nan")), ("reservation", 0, float("inf")),
    ("reservation", 1, 1.1e6),
    ("offer", (0, 0), -2), ("offer", (0, 0), 4), ("offer", (0, 1), -2), ("offer", (0, 1), 2),
    ("offer", (1, 0), -1), ("offer", (1, 1), -1), ("offer", (2, 0), 0), ("offer", (2, 1), 0),
    ("offer", 0, (-1, -1)),  # committed to nothing
    ("committed", 2, True), ("committed", 0, False),  # its contract is running
    ("action", 0, -2), ("action", 0, 5), ("action", 0, 300),
    ("completed", 0, -2), ("completed", 0, 4), ("completed", 0, 256),
    ("contract_running", 1, True), ("contract_running", 2, True),
    ("contract_age", 0, -1), ("contract_age", 0, 4), ("contract_age", 0, 31), ("contract_age", 0, 2**16 + 2),
    ("contract_age", 1, 1),
    ("step", (), -1), ("step", (), 31), ("step", (), 1),  # younger than the running contract
    ("episode", (), -1), ("episode", (), 2**62), ("episode", (), 2**63 - 1),
    ("done", (), True),
]  # fmt: skip
BAD_ON_GRID: Bad = [
    ("position", (0, 0), -1), ("position", (0, 0), 6), ("position", (0, 1), 7), ("position", (0, 1), -1),
    ("position", 0, (0, 0)), ("position", 0, (3, 2)), ("position", 0, (1, 2)), ("position", 0, (4, 4)),
    ("position", (0, 1), 2**16 + 1),
    ("heading", 0, -1), ("heading", 0, 4), ("heading", 0, 256),
    ("resource_type", 0, -1), ("resource_type", 0, 4), ("resource_type", 0, 256),
    ("resource_position", (0, 0), -1), ("resource_position", (0, 0), 6), ("resource_position", (4, 1), 7),
    ("resource_position", 0, (5, 5)), ("resource_position", 0, (4, 2)), ("resource_position", 0, (1, 3)),
    ("resource_claimant", 0, -2), ("resource_claimant", 0, N), ("resource_claimant", 0, 255),
]  # fmt: skip


NAN, INF = float("nan"), float("inf")
BAD_IN_PLANE: Bad = [
    ("position", (0, 0), NAN), ("position", (0, 1), INF), ("position", (0, 1), -INF), ("position", (2, 0), 1.1e6),
    ("position", (2, 0), -1e300), ("position", 0, (0.0, -0.5)), ("position", 0, (0.5, 0.2)),  # on another body
    ("velocity", (0, 0), NAN), ("velocity", (2, 1), -INF), ("velocity", (1, 0), 1.1e6),
    ("position", (0, 0), 1.1e5), ("velocity", (0, 1), -1.1e5),
    ("goal_type", 0, -1), ("goal_type", 4, 4), ("goal_type", 0, 256),
    ("goal_position", (0, 0), NAN), ("goal_position", (4, 1), INF), ("goal_position", (0, 0), 1.0001),
    ("goal_position", (0, 1), -1.0001),
    ("obstacle_position", (0, 0), NAN), ("obstacle_position", (1, 1), -INF), ("obstacle_position", (1, 1), 1.0001),
    ("obstacle_position", 0, (0.5, 0.2)), ("obstacle_position", 1, (-0.5, -0.5)),
]  # fmt: skip
BAD_OF_PREYS: Bad = [
    ("goal_velocity", (0, 0), NAN), ("goal_velocity", (0, 1), INF), ("goal_velocity", (4, 1), -1.1e6),
    ("velocity", (0, 0), 1.0001), ("goal_velocity", (2, 1), -0.9751),  # above the top speed
    ("goal_action", 0, -1), ("goal_action", 0, 5), ("goal_action", 4, 256),
    ("goal_position", 0, (-0.4, 0.8)), ("goal_position", 1, (0.0, -0.5)), ("goal_position", 1, (-0.5, 0.2)),
]  # fmt: skip
BAD_VALUES = [
    *((RC, *bad) for bad in BAD_ANYWHERE + BAD_ON_GRID),
    *(("navigation", *bad) for bad in BAD_ANYWHERE + BAD_IN_PLANE),
    *(("predator_prey", *bad) for bad in BAD_ANYWHERE + BAD_IN_PLANE + BAD_OF_PREYS),
]


@pytest.mark.parametrize(("task", "name", "at", "value"), BAD_VALUES, ids=str)
def test_impossible_states(task: str, name: str, at: Any, value: Any) -> None:
    env = make(task)
    state = base_state(env)
    array = state[name].copy()
    array[(1, *at) if isinstance(at, tuple) else (1, at)] = value  # the error comes after game 0 has been gone through
    arrays = {"action": np.full((B, N), 2), name: array}  # something legal that must not be kept either
    with unharmed(env), pytest.raises(ValueError, match=r": expected .*, got .* \(in game 1\)") as caught:
        env.set_state(**arrays)
    others = {
        "committed": "contract_running",
        "offer": "committed",
        "step": "contract_age",
        "resource_position": "position",
        "goal_position": "obstacle_position",
    }
    argument, _, came = str(caught.value).partition(": expected ")
    assert name in argument or others.get(name) in argument
    if "a value in" in came and isinstance(value, int):
        assert f"got {value} " in came


def test_done_has_to_agree_with_the_rest() -> None:
    env = make()
    base_state(env)
    gone = np.zeros((B, M), dtype=bool)
    for arrays in (
        {"done": [True, True]},
        {"done": [False, False], "step": [30, 30]},
        {"done": [False, False], "resource_present": gone},
    ):
        with unharmed(env), refused(ValueError, "done"):
            env.set_state(**arrays)
    env.set_state(done=[True, True], step=[30, 30])
    env.set_state(done=[False, False], step=[3, 3])


def test_a_landmark_is_no_body_and_may_lie_anywhere() -> None:
    env = make("navigation")
    base_state(env)
    env.set_state(goal_position=[[(-0.5, -0.5), (-0.5, -0.5), (0.5, 0.2), (1.0, 1.0), (-1.0, -1.0)]] * B)
    assert all(np.isfinite(array).all() for array in env.step(np.zeros((B, N, 2), dtype=int))[0].values())


def test_bodies_may_overlap_and_be_far_away() -> None:
    for task in PARTICLES:
        env = make(task)
        base_state(env)
        fastest = env.parameters["body_max_speed"] or 1e5
        env.set_state(position=[[(1e5, -1e5), (0.0, 0.0), (1e-9, 0.0)]] * B, velocity=np.full((B, N, 2), fastest))
        for _ in range(20):
            seen, *_ = env.step(np.zeros((B, N, 2), dtype=int))
            assert seen in env.observation_space
        env.restore(env.snapshot())  # what play has led to, too


@pytest.mark.parametrize(
    ("task", "name"),
    rest_slow(
        [(task, name) for task in (RC, *PARTICLES) for name in make(task).state()],
        lambda one: one[0] in (RC, "navigation"),
    ),
)
def test_fields_of_another_shape_or_dtype(task: str, name: str) -> None:
    env = make(task)
    array = base_state(env)[name]
    for wrong in (array[:1], array[0], array[..., None], np.concatenate([array, array])):
        with unharmed(env), refused(ValueError, name, str(wrong.shape)):
            env.set_state(**{name: wrong})
    kinds = {"b": (int, float), "i": (float, bool, complex), "f": (bool, complex)}[array.dtype.kind]
    for dtype in (*kinds, str, object, "datetime64[s]"):
        wrong = np.zeros(array.shape, dtype=dtype)
        with unharmed(env), refused(TypeError, name, str(wrong.dtype)):
            env.set_state(**{name: wrong})
    with unharmed(env), refused(TypeError, name):
        env.set_state(**{name: None})
    with unharmed(env), refused(TypeError, name):
        env.set_state(**{name: [[1], [1, 2]]})


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("step", np.full(B, 2**32)),  # 0 in the lower half
        ("step", np.full(B, 2**63, dtype=np.uint64)),
        ("episode", np.full(B, 2**64 - 1, dtype=np.uint64)),
        ("heading", np.full((B, N), -(2**40))),
        ("position", np.full((B, N, 2), 2**33 + 1)),
        ("reservation", np.full((B, N), 1e300)),
        ("reservation", np.full((B, N), -1e300)),
    ],
)
def test_values_too_large_for_the_fields_dtype(name: str, array: Any) -> None:
    env = make()
    with unharmed(env), refused(ValueError, name):
        env.set_state(**{name: array})


def test_unknown_fields() -> None:
    env = make()
    with unharmed(env), refused(ValueError, "state", "'velocity'"):
        env.set_state(velocity=[1, 2])
    with unharmed(env), refused(ValueError, "state", "'velocity'"):
        env.set_state(heading=np.zeros((B, N), dtype=int), velocity=[1, 2])
    with unharmed(env), refused(ValueError, "state", "'velocity'"):
        env.state("step", "velocity")
    with unharmed(env), pytest.raises(TypeError):
        env.state(3)


def test_states_may_be_lists_and_any_integers() -> None:
    env, twin = make(), make()
    state = env.state()
    env.set_state(**{name: array.tolist() for name, array in state.items()})
    env.set_state(**{name: array.astype(">i8") for name, array in state.items() if array.dtype.kind == "i"})
    env.set_state(heading=state["heading"].astype(np.uint8), position=np.asfortranarray(state["position"]))
    env.set_state(reservation=state["reservation"].astype(int))
    assert env.snapshot() == twin.snapshot()
