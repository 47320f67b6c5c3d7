"""The particle worlds' route planner, one body at a time and many at once, on the physics alone.

B bodies, each in a world of its own; T steps. One long file, because all steer bodies on the physics alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from paymaster import _core, planners
from paymaster.planners import SteeringPlan

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NOOP, LEFT, RIGHT, DOWN, UP = range(5)
DT, DAMPING = 0.1, 0.25
OBSTACLE_SIZE = 0.2


@dataclass(frozen=True)
class Kind:
    """A body as in the world of this name."""

    size: float
    acceleration: float
    max_speed: float
    reach: float

    @property
    def clearance(self) -> float:
        return self.size + OBSTACLE_SIZE


KINDS = {"navigation": Kind(0.15, 5.0, np.inf, 0.15), "predator_prey": Kind(0.075, 3.0, 1.0, 0.125)}


def steer(kind: Kind, position: Any, velocity: Any, target: Any, **more: Any) -> SteeringPlan:
    """Nothing is turned back at a border unless `more` says so."""
    constants = {
        "acceleration": kind.acceleration,
        "max_speed": kind.max_speed,
        "reach": kind.reach,
        "clearance": kind.clearance,
        "border": np.inf,
    }
    return planners.steer(position, velocity, target, **(constants | more))


@pytest.mark.parametrize("world", KINDS)
def test_constants_of_a_world_are_those_of_its_bodies(world: str) -> None:
    kind, known = KINDS[world], planners.steering_constants(world)
    assert known == {
        "acceleration": kind.acceleration,
        "max_speed": kind.max_speed,
        "reach": kind.reach,
        "clearance": pytest.approx(kind.clearance, rel=1e-12),
        "border": 1.0,
    }
    random = np.random.default_rng(5)
    scene = [*random.uniform(-1, 1, (4, 200, 2)), random.uniform(-1, 1, (200, 2, 2))]
    plan, given = planners.steer(*scene, world=world), planners.steer(*scene, **known)
    assert np.array_equal(plan.action, given.action) and np.array_equal(plan.steps, given.steps)
    other = planners.steer(*scene, world=world, reach=0.5)  # one constant changed, the others the world's
    assert np.array_equal(other.steps, planners.steer(*scene, **(known | {"reach": 0.5})).steps)
    assert other.steps.sum() < plan.steps.sum()


def steps_to_reach(
    kind: Kind, position: Floats, velocity: Floats, target: Floats, obstacles: Floats | None = None, limit: int = 50
) -> tuple[Ints, Floats]:
    """Drives B bodies to fixed targets: steps [B] (limit + 1 for never), and the smallest gap to an obstacle [B]."""
    games, count = len(position), 0 if obstacles is None else obstacles.shape[1]
    still = np.zeros((games, count), np.int64)
    rocks = np.zeros((games, 0, 2)) if obstacles is None else obstacles
    world = _core.ParticleWorld(
        num_worlds=games,
        size=[kind.size] + [OBSTACLE_SIZE] * count,
        acceleration=[kind.acceleration] + [0.0] * count,
        max_speed=[kind.max_speed] + [np.inf] * count,
        movable=[True] + [False] * count,
        collides=[True] * (count + 1),
    )
    world.set(
        np.concatenate([position[:, None], rocks], axis=1), np.concatenate([velocity[:, None], 0 * rocks], axis=1)
    )
    reached = np.full(games, limit + 1)
    gap = np.full(games, np.inf)
    for t in range(limit):
        at, moving = world.pos[:, 0], world.vel[:, 0]
        action, _ = steer(kind, at, moving, target, obstacles=obstacles)
        world.step(np.concatenate([action[:, None], still], axis=1))
        at = world.pos[:, 0]
        waiting = reached > limit
        if count:
            nearest = np.linalg.norm(at[:, None] - rocks, axis=-1).min(axis=1) - kind.clearance
            gap = np.where(waiting, np.minimum(gap, nearest), gap)
        near = np.linalg.norm(at - target, axis=1) < kind.reach
        reached[near & waiting] = t + 1
    return reached, gap


def straight_line_bound(kind: Kind, distance: Floats) -> Ints:
    """No body at rest can be within reach of a target at this distance earlier."""
    speed, progress, bound = 0.0, 0.0, np.zeros(len(distance), np.int64)
    for t in range(1, 200):
        progress += speed * DT
        speed = min((1 - DAMPING) * speed + kind.acceleration * DT, kind.max_speed)
        bound[(bound == 0) & (distance - kind.reach < progress)] = t
    return np.maximum(bound, 1)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


def test_close_to_the_straight_line_bound(kind: Kind) -> None:
    """The target of docs/performance.md: one body, a fixed target, at most 1.2 times the bound; it always arrives."""
    random = np.random.default_rng(0)
    position, target = random.uniform(-1, 1, (2, 20_000, 2))
    reached, _ = steps_to_reach(kind, position, np.zeros_like(position), target)
    bound = straight_line_bound(kind, np.linalg.norm(target - position, axis=1))
    assert (reached >= bound).all()
    assert reached.mean() < 1.16 * bound.mean()
    assert reached.max() <= 50


def test_the_estimate_is_what_it_takes(kind: Kind) -> None:
    """From any velocity, within a step on average, and hardly ever too much."""
    random = np.random.default_rng(1)
    position, target = random.uniform(-1, 1, (2, 20_000, 2))
    velocity = random.uniform(-0.7, 0.7, position.shape)
    _, steps = steer(kind, position, velocity, target)
    reached, _ = steps_to_reach(kind, position, velocity, target)
    error = reached - steps
    assert reached.max() <= 50
    assert abs(error.mean()) < 0.3
    assert (np.abs(error) <= 1).mean() > 0.97
    assert (error < 0).mean() < 0.01


def test_braking_beats_overshooting() -> None:
    """Fast and off course: pushing straight at the target would circle around it."""
    kind = KINDS["navigation"]
    action, _ = steer(kind, [[0, 0]], [[0, 2]], [[0.3, 0.1]])
    assert action[0] == DOWN
    reached, _ = steps_to_reach(kind, np.zeros((1, 2)), np.array([[0, 2.0]]), np.array([[0.3, 0.1]]))
    assert reached[0] <= 8


@pytest.mark.parametrize(("target", "action"), [((-1, 0), LEFT), ((1, 0), RIGHT), ((0, -1), DOWN), ((0, 1), UP)])
def test_actions_are_those_of_the_physics(kind: Kind, target: tuple[int, int], action: int) -> None:
    assert steer(kind, [[0, 0]], [[0, 0]], [target])[0][0] == action


def test_there_is_always_at_least_one_step(kind: Kind) -> None:
    action, steps = steer(kind, [[0, 0]], [[0, 0]], [[0.01, 0]])
    assert (action[0], steps[0]) == (NOOP, 1)


def test_holds_its_place_where_it_cannot_take_the_goal(kind: Kind) -> None:
    """A follower without the skill waits at the goal instead of running to and fro."""
    world = _core.ParticleWorld(
        num_worlds=1,
        size=[kind.size],
        acceleration=[kind.acceleration],
        max_speed=[kind.max_speed],
        movable=[True],
        collides=[True],
    )
    world.set([[[0, 0]]], [[[0.9, 0.4]]])
    away = []
    for _ in range(60):
        action, _ = steer(kind, world.pos[:, 0], world.vel[:, 0], [[0.5, 0.5]])
        world.step(action[:, None])
        away.append(np.linalg.norm(world.pos[0, 0] - 0.5))
    assert max(away[15:]) < 2 * kind.reach


@pytest.mark.parametrize("offset", [0.0, 0.1, -0.2])
def test_goes_round_an_obstacle(kind: Kind, offset: float) -> None:
    start, target = np.array([[-0.8, 0.0]]), np.array([[0.8, 0.0]])
    obstacles = np.array([[[0.0, offset]]])
    free, _ = steps_to_reach(kind, start, np.zeros((1, 2)), target)
    reached, gap = steps_to_reach(kind, start, np.zeros((1, 2)), target, obstacles)
    assert reached[0] <= free[0] + 6
    assert gap[0] > -0.05  # at most a graze


def test_obstacles_without_a_gap_are_gone_round_together() -> None:
    kind = KINDS["predator_prey"]
    wall = np.array([[[0.0, 0.22], [0.0, -0.22]]])
    reached, _ = steps_to_reach(kind, np.array([[-0.7, 0.0]]), np.zeros((1, 2)), np.array([[0.7, 0.0]]), wall)
    assert reached[0] <= 30


def test_random_obstacles_are_no_trap(kind: Kind) -> None:
    """Never reached in 50 steps: less than 0.5 %."""
    random = np.random.default_rng(2)
    things = random.uniform(-1, 1, (20_000, 4, 2))  # start, target, two obstacles within +-0.9
    things[:, 2:] *= 0.9
    away = np.linalg.norm(things[:, :, None] - things[:, None], axis=-1)
    room = (away[:, 0, 2:] > kind.clearance).all(axis=1) & (away[:, 1, 2:] > OBSTACLE_SIZE + 0.05).all(axis=1)
    things = things[room & (away[:, 2, 3] > 2 * OBSTACLE_SIZE)]
    assert len(things) > 8000
    start, target = things[:, 0], things[:, 1]
    reached, _ = steps_to_reach(kind, start, np.zeros_like(start), target, things[:, 2:])
    assert (reached > 50).mean() < 0.005


def test_leads_a_moving_target() -> None:
    kind = KINDS["predator_prey"]
    # A prey that crosses from left to right: standing still it would be straight above.
    ahead, _ = steer(kind, [[0, 0]], [[0, 0.9]], [[0, 0.35]], target_velocity=np.array([[0.9, 0.0]]))
    straight, _ = steer(kind, [[0, 0]], [[0, 0.9]], [[0, 0.35]])
    assert ahead[0] == RIGHT
    assert straight[0] != RIGHT


def test_a_target_at_the_border_is_led_to_where_it_bounces() -> None:
    kind = KINDS["predator_prey"]
    moving = {"target_velocity": np.array([[0.9, 0.0]])}
    _, open_field = steer(kind, [[0, 0]], [[0, 0]], [[0.98, 0]], **moving)
    _, bounced = steer(kind, [[0, 0]], [[0, 0]], [[0.98, 0]], border=1.0, **moving)
    assert bounced[0] < open_field[0]


def test_brake_leaves_the_least_speed() -> None:
    random = np.random.default_rng(3)
    velocity = random.uniform(-2, 2, (5000, 2))
    push = np.array([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)])
    left = np.linalg.norm((1 - DAMPING) * velocity[:, None] + 5.0 * DT * push, axis=-1)
    action = planners.brake(velocity, acceleration=5.0)
    np.testing.assert_allclose(left[np.arange(5000), action], left.min(axis=1), rtol=1e-12)
    assert planners.brake(np.zeros((1, 2)))[0] == NOOP
    assert np.array_equal(action, planners.brake(velocity, world="navigation"))


def test_rows_do_not_depend_on_each_other() -> None:
    random = np.random.default_rng(4)
    position, velocity, target, drift = random.uniform(-1, 1, (4, 50, 2))
    obstacles = random.uniform(-1, 1, (50, 3, 2))
    whole = planners.steer(position, velocity, target, drift, obstacles)
    for b in range(50):
        row = planners.steer(*(array[b : b + 1] for array in (position, velocity, target, drift, obstacles)))
        assert (row[0][0], row[1][0]) == (whole[0][b], whole[1][b])


POINT = np.zeros((1, 2))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: planners.steer(np.zeros(2), POINT, POINT), ValueError, r"position: expected shape \[B, 2\]"),
        (lambda: planners.steer(POINT, np.zeros((2, 2)), POINT), ValueError, "velocity: .* with B = 1"),
        (lambda: planners.steer(POINT, POINT, POINT + np.nan), ValueError, "target: .* got nan"),
        (lambda: planners.steer(POINT, POINT, POINT, POINT + np.inf), ValueError, "target_velocity: .* got inf"),
        (lambda: planners.steer(POINT, POINT - 1e200, POINT), ValueError, r"velocity: .* got -1e\+200"),
        (lambda: planners.steer(POINT, POINT, POINT, None, np.zeros((1, 3))), ValueError, "obstacles: expected shape"),
        (lambda: planners.steer(POINT, POINT, POINT, None, np.zeros((1, 65, 2))), ValueError, "obstacles: .* at most"),
        (lambda: planners.steer(POINT, POINT, POINT > 0), TypeError, "target: .* got bool"),
        (lambda: planners.steer(POINT, POINT, POINT + 1j), TypeError, "target: .* got complex128"),
        (lambda: planners.steer(POINT, [["a", "b"]], POINT), TypeError, "velocity: expected an array of numbers"),
        (lambda: planners.steer([[0, 0], [0]], POINT, POINT), ValueError, "position: expected an array"),
        (lambda: planners.steer(POINT, POINT, POINT, acceleration=0.0), ValueError, "acceleration"),
        (lambda: planners.steer(POINT, POINT, POINT, acceleration=True), TypeError, "acceleration: .* got bool"),
        (lambda: planners.steer(POINT, POINT, POINT, max_speed=np.nan), ValueError, "max_speed"),
        (lambda: planners.steer(POINT, POINT, POINT, max_speed="1"), TypeError, "max_speed: .* got str"),
        (lambda: planners.steer(POINT, POINT, POINT, reach=-1.0), ValueError, "reach"),
        (lambda: planners.steer(POINT, POINT, POINT, clearance=[1.0]), TypeError, "clearance: .* got list"),
        (lambda: planners.steer(POINT, POINT, POINT, border=0.0), ValueError, "border"),
        (lambda: planners.steer(POINT, POINT, POINT, world="sea"), ValueError, "world: .*navigation.* got 'sea'"),
        (lambda: planners.steering_constants(3), TypeError, "world: expected a str, got int"),
        (lambda: planners.brake(np.zeros(2)), ValueError, "velocity: expected shape"),
        (lambda: planners.brake(POINT + np.nan), ValueError, "velocity: .* got nan"),
    ],
)
def test_bad_input_is_named(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_the_far_ends_of_every_range_are_planned_for() -> None:
    """An action and a number of steps, whatever the numbers; the sanitizers' builds look for more."""
    ends = np.array([-1e6, -1e-300, 0, 1e-300, 1e6])
    position, velocity, target, drift = (a.reshape(-1, 2) for a in np.random.default_rng(6).choice(ends, (4, 3000, 2)))
    obstacles = np.random.default_rng(7).choice(ends, (3000, 2, 2))
    for speed, reach, clearance, border in [(5e-324, 1e-6, 0, 5e-324), (1e-6, 1e6, 1e6, 1e6), (1e308, 1e-6, 1e6, 1e-9)]:
        more = {"max_speed": speed, "reach": reach, "clearance": clearance, "border": border}
        for acceleration in (1e-6, 1e6):
            plan = planners.steer(position, velocity, target, drift, obstacles, acceleration=acceleration, **more)
            assert ((plan.action >= 0) & (plan.action <= 4)).all()
            assert ((plan.steps >= 1) & (plan.steps <= 256)).all()
