"""Worlds of one's own in Python that break a rule, fail, or cannot be registered: refused in one clear error."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import paymaster
from own_worlds import FAULTS, Taxi
from paymaster import Parameter, World, WorldError, register
from paymaster.testing import check_world
from paymaster.worlds import registration
from play import same

B, N = 5, 4


@pytest.fixture(autouse=True)
def taxi() -> None:
    register("taxi", Taxi, num_bonuses=3, payment="completion")


def line(**own: Any) -> type[World]:
    """A class with some things of its own."""
    return type("Line", (Taxi,), own)


@pytest.mark.parametrize("world", FAULTS, ids=lambda world: world.__name__)
def test_a_rule_that_is_broken_is_named(world: type[World]) -> None:
    with pytest.raises(WorldError, match=FAULTS[world]):
        check_world(world)


@pytest.mark.parametrize(
    ("name", "world", "preset", "error", "text"),
    [
        ("resource_collection", Taxi, {}, ValueError, "task: expected a name that is none of the package's own"),
        ("Taxi", Taxi, {}, ValueError, "name: expected lower case letters"),
        ("", Taxi, {}, ValueError, "name: expected lower case letters"),
        ("x", dict, {}, TypeError, "world: expected a subclass of paymaster.World, got dict"),
        ("x", World, {}, TypeError, "world: expected a subclass of paymaster.World"),
        ("x", type("Bare", (World,), {}), {}, TypeError, r"Bare: expected a method setup\(\), got none"),
        ("x", line(num_actions=0), {}, ValueError, r"Line.num_actions: expected a value in \[1, 64\], got 0"),
        ("x", line(max_followers=2000), {}, ValueError, "max_followers"),
        ("x", line(parameters={"a": 3}), {}, TypeError, "Line.parameters: expected names and Parameters"),
        ("x", line(parameters={"horizon": Parameter(3, "h")}), {}, ValueError, "parameters: expected other names"),
        ("x", line(parameters={"seed": Parameter(3, "s")}), {}, ValueError, "expected no argument of make"),
        ("x", Taxi, {"fare": "much"}, TypeError, "fare: expected a number, got str"),
        ("x", Taxi, {"fare": 1e3}, ValueError, r"fare: expected a value in \[0, 100\]"),
        ("x", Taxi, {"price": 1}, ValueError, r"price: expected a parameter of Taxi \(did you mean prices\?"),
        ("x", Taxi, {"num_followers": 41}, ValueError, "num_followers: expected at most population_size"),
    ],
)
def test_what_register_refuses(
    name: str, world: Any, preset: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        register(name, world, **preset)
    if name == "x":
        with pytest.raises(ValueError, match="task: expected one of"):
            paymaster.make("x")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("x", "about", 0), ValueError),
        ((object(), "about"), TypeError),
        ((3, ""), TypeError),
        ((3, "about", 4), ValueError),
        ((3, "about", None, 2), ValueError),
        (("a", "about", 0, 1), ValueError),
    ],
)
def test_what_a_parameter_refuses(arguments: Any, error: type[Exception]) -> None:
    with pytest.raises((TypeError, ValueError), match=r"expected .*, got ") as caught:
        Parameter(*arguments)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        (("1x",), "name: expected an identifier"),
        (("reset",), "name: expected one that is not taken"),
        (("zone",), "name: expected one that is not taken"),
        (("offer",), "Line.setup: expected arrays of other names than the game's own fields, got 'offer'"),
        (("skill",), "Line.setup: expected arrays of other names"),
        (("due",), "Line.setup: expected arrays of other names"),
        (("a", (3,), None), "a: expected dtype bool"),
        (("a", 3), "a: expected a shape of at most two axes"),
        (("a", (10**9,)), "a: expected at most 1,048,576 values a game"),
        (("a", (3,), "float64", "", 0, float("inf")), "a: expected finite numbers as low and high"),
        (("a", (3,), "int16", "", "0", 4), "a: expected finite numbers as low and high"),
        (("a", (3,), "int16", 5), "a: expected a line of text as its meaning"),
        (("a", (3,), "uint8"), "a: expected dtype bool"),
        (("a", (3, 0)), "a: expected a shape of at most two axes"),
        (("a", (3, 2, 2)), "a: expected a shape of at most two axes"),
        (("a", (3,), "int32", "", 0, 70_000), "a: expected bounds within int16"),
        (("a", (3,), "int16", "", 5, 4), "a: expected low <= high"),
        (("a", (3,), "int16", "", 0, 4, True, "follower"), "a: expected a follower feature of shape"),
        (
            ("a", (N,), "int16", "", 0, 4, False, "follower"),
            "a: expected an array that is shown for a feature",
        ),
    ],
)
def test_what_an_array_refuses(declared: tuple[Any, ...], text: str) -> None:
    def setup(self: Any) -> None:
        Taxi.setup(self)
        keywords = dict(zip(("low", "high", "shown", "feature"), declared[4:], strict=False))
        self.array(*declared[:4], **keywords)

    register("odd", line(setup=setup))
    with pytest.raises((ValueError, TypeError), match=text):
        paymaster.make("odd")


def test_a_name_that_gymnasium_could_not_tell_from_another_is_refused() -> None:
    register("a_b", Taxi)
    for name in ("a__b", "navigation_follower"):
        with pytest.raises(ValueError, match=r"name: expected one that is told from .* in Gymnasium's registry"):
            register(name, Taxi)


def test_an_array_is_declared_in_setup_alone_in_this_machines_order() -> None:
    def setup(self: Any) -> None:
        Taxi.setup(self)
        self.array("swapped", (N,), ">i2", high=300)

    def move(self: Any, step: Any) -> Any:
        self.swapped[:] = 258
        if step.step.max() >= 2:
            self.array("late")
        return Taxi.move(self, step)

    register("odd", line(setup=setup, move=move))
    env = paymaster.make_vec("odd", 1, seed=1)
    env.reset()
    assert (env.step(np.zeros((1, N, 2), int))[0]["swapped"] == 258).all()
    with pytest.raises(WorldError, match=r"late: expected a declaration in setup\(\), got one after it"):
        steps(env, 3)


def test_more_games_than_the_machine_holds_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="num_envs: expected games that fit into this machine's"):
        paymaster.make_vec("taxi", 2**24, num_followers=1024, num_goals=64, population_size=1024)


def test_assigning_copies_into_the_array() -> None:
    world = Taxi(2, paymaster.make_vec("taxi").parameters)
    array = world.zone
    world.zone = np.ones((2, N), np.int64)
    assert world.zone is array and (array == 1).all()
    with pytest.raises(TypeError):
        world.zone = np.full((2, N), 0.5)
    with pytest.raises(ValueError, match="zone: expected values that fit int16, got 65536"):
        world.zone = np.full((2, N), 65536)
    with pytest.raises(ValueError, match="resize"):
        array.resize((9, 9), refcheck=False)
    with pytest.raises(AttributeError, match="no attribute 'zones'"):
        world.zones  # noqa: B018


def steps(env: paymaster.LeaderVectorEnv, number: int) -> None:
    for _ in range(number):
        env.step(np.zeros((env.num_envs, N, 2), int))


def test_a_batch_whose_world_has_failed_says_so_until_it_is_whole_again() -> None:
    register("failing", next(world for world in FAULTS if world.__name__ == "Raising"))
    env = paymaster.make_vec("failing", B, seed=1)
    env.reset()
    stored = env.snapshot()
    offers = np.zeros((B, N, 2), int)
    with pytest.raises(WorldError, match="ZeroDivisionError: no passengers") as caught:
        steps(env, 9)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    for call in (
        lambda: env.step(offers),
        env.observe,
        env.snapshot,
        env.reset,
        lambda: env.set_state(zone=np.zeros((B, N), int)),
    ):
        with pytest.raises(
            WorldError, match="expected whole games, got games between two steps, because Raising failed"
        ):
            call()
    env.restore(stored)
    env.step(offers)
    with pytest.raises(WorldError, match="no passengers"):
        steps(env, 9)
    observation, _ = env.reset(seed=1)
    same(observation, paymaster.make_vec("failing", B, seed=1).reset()[0])
    env.step(offers)


def test_set_state_that_the_world_refuses_changes_nothing() -> None:
    def restored(self: Any) -> None:
        if (self.zone == 3).all():
            raise ValueError("too many in zone 3")

    register("strict", line(restored=restored))
    env = paymaster.make_vec("strict", 2, seed=1)
    env.reset()
    before = env.snapshot()
    with pytest.raises(WorldError, match=r"Line.restored: expected it to return, got ValueError: too many in zone 3"):
        env.set_state(zone=np.full((2, N), 3))
    with pytest.raises(ValueError, match=r"zone: expected a value in \[0, 3\], got 4 \(in game 0\)"):
        env.set_state(zone=np.full((2, N), 4))
    assert env.snapshot() == before
    env.step(np.zeros((2, N, 2), int))


@pytest.mark.parametrize(
    "own",
    [
        {"setup": lambda self: (Taxi.setup(self), self.array("more", (4,)))[0]},
        {"parameters": {**Taxi.parameters, "speed": Parameter(1, "how fast")}},
        {"parameters": dict(list(Taxi.parameters.items())[1:])},
        {"num_actions": 9},
    ],
    ids=["array", "parameter", "fewer", "actions"],
)
def test_copies_of_games_whose_class_was_registered_anew_say_so(own: dict[str, Any]) -> None:
    """The games go on; so they do from a pickle of before, where the first class is registered again."""
    env = paymaster.make_vec("taxi", B, seed=1)
    env.reset()
    kept = pickle.dumps(env)
    other = type("Taxi", (Taxi,), {"__module__": Taxi.__module__, "__qualname__": Taxi.__qualname__, **own})
    register("taxi", other, num_bonuses=3, payment="completion")
    for again in (lambda: copy.deepcopy(env), lambda: pickle.loads(pickle.dumps(env)), lambda: pickle.loads(kept)):
        with pytest.raises(ValueError, match=r"^task: expected 'taxi' as it was when these games were made, got"):
            again()
    steps(env, 2)
    register("taxi", Taxi, num_bonuses=3, payment="completion")
    same(pickle.loads(kept).observe(), pickle.loads(kept).observe())


def test_copies_do_not_need_the_name_to_stand_for_something() -> None:
    env = paymaster.make_vec("taxi", B, seed=1)
    env.reset()
    registration.forget("taxi")
    twin = copy.deepcopy(env)
    assert paymaster.make("taxi").batch.parameters["num_bonuses"] == 3
    steps(env, 2)
    steps(twin, 2)
    same(env.observe(), twin.observe())


def test_damaged_copies_of_the_same_class_are_damaged() -> None:
    env = paymaster.make_vec("taxi", B, seed=1)
    env.reset()
    parts = list(env._core.__reduce_ex__(2)[2])
    broken = paymaster._core.Batch.__new__(paymaster._core.Batch)
    parts[9] = parts[9][:-1]
    with pytest.raises(ValueError, match=r"^snapshot: "):
        broken.__setstate__(tuple(parts))
