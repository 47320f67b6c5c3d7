"""The particle physics against mpe2's own world object: same states, same actions, same trajectories.

B episodes, T steps, E bodies (mpe2's agents, then its landmarks).
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from paymaster import _core

pytest.importorskip("mpe2")

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STEPS = 50
TOLERANCE = 1e-9  # what must hold; on the machines seen so far the trajectories are equal to the last bit

SCENARIOS: dict[str, tuple[str, dict[str, int]]] = {
    "simple_spread-3": ("simple_spread_v3", {"N": 3}),
    "simple_spread-6": ("simple_spread_v3", {"N": 6}),
    "simple_tag": ("simple_tag_v3", {}),
}


@dataclass
class Episodes:
    """What mpe2 did: actions [B, T, E], positions and velocities [B, T + 1, E, 2], contacts counted."""

    actions: Ints
    position: Floats
    velocity: Floats
    contacts: int


def make_env(scenario: str) -> Any:
    module, parameters = SCENARIOS[scenario]
    return importlib.import_module(f"mpe2.{module}").env(max_cycles=STEPS, **parameters).unwrapped


def touching(world: Any) -> bool:
    bodies = [e for e in world.entities if e.collide]
    return any(
        np.hypot(*(a.state.p_pos - b.state.p_pos)) < a.size + b.size
        for i, a in enumerate(bodies)
        for b in bodies[:i]
        if a.movable or b.movable
    )


def play_mpe2(env: Any, episodes: int, seed: int) -> Episodes:
    """Plays random actions on mpe2's world. In every other episode the bodies start close together, and meet."""
    world, random = env.world, np.random.default_rng(seed)
    agents, entities = len(world.agents), len(world.entities)
    actions = np.zeros((episodes, STEPS, entities), np.int64)
    # Actions that last a few steps, or the bodies would only tremble.
    held = random.integers(0, 5, (episodes, STEPS // 5, agents))
    actions[:, :, :agents] = np.repeat(held, 5, axis=1)
    actions[:, ::3, :agents] = random.integers(0, 5, actions[:, ::3, :agents].shape)
    position = np.zeros((episodes, STEPS + 1, entities, 2))
    velocity = np.zeros_like(position)
    contacts = 0
    for b in range(episodes):
        env.reset(seed=seed * 100_000 + b)
        if b % 2:
            for entity in world.entities:
                entity.state.p_pos = entity.state.p_pos * 0.4
        for t in range(STEPS + 1):
            position[b, t] = [e.state.p_pos for e in world.entities]
            velocity[b, t] = [e.state.p_vel for e in world.entities]
            if t == STEPS:
                break
            for agent, action in zip(world.agents, actions[b, t, :agents], strict=True):
                env._set_action([action], agent, env.action_space(agent.name))
            world.step()
            contacts += t % 5 == 0 and touching(world)
    return Episodes(actions, position, velocity, contacts)


def same_bodies(env: Any, episodes: int, kind: Any = _core.ParticleWorld) -> Any:
    """Our world with the bodies that mpe2's world has."""
    entities = env.world.entities
    return kind(
        num_worlds=episodes,
        size=[e.size for e in entities],
        acceleration=[5.0 if e.accel is None else e.accel for e in entities],
        max_speed=[np.inf if e.max_speed is None else e.max_speed for e in entities],
        movable=[e.movable for e in entities],
        collides=[e.collide for e in entities],
    )


def check_trajectories(scenario: str, episodes: int, seed: int) -> None:
    env = make_env(scenario)
    expected = play_mpe2(env, episodes, seed)
    assert expected.contacts > episodes / 4, "too few contacts to test anything"
    world = same_bodies(env, episodes)
    world.set(expected.position[:, 0], expected.velocity[:, 0])
    for t in range(STEPS):
        world.step(expected.actions[:, t])
        np.testing.assert_allclose(world.pos, expected.position[:, t + 1], rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(world.vel, expected.velocity[:, t + 1], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_trajectories_equal_mpe2(scenario: str) -> None:
    check_trajectories(scenario, episodes=24, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_trajectories_equal_mpe2_in_a_thousand_episodes(scenario: str) -> None:
    check_trajectories(scenario, episodes=1000, seed=2)


@pytest.mark.parametrize("scenario", ["simple_spread-6", "simple_tag"])
def test_float32_follows_float64_step_by_step(scenario: str) -> None:
    """Contacts are chaotic, so the two are compared one step at a time, from the same state."""
    episodes = 500
    env = make_env(scenario)
    exact, rough = same_bodies(env, episodes), same_bodies(env, episodes, _core.ParticleWorld32)
    random = np.random.default_rng(3)
    entities = len(env.world.entities)
    # Through float32, so that both start from the same numbers.
    position = random.uniform(-0.7, 0.7, (episodes, entities, 2)).astype(np.float32)
    velocity = np.zeros_like(position)
    for _ in range(STEPS):
        actions = random.integers(0, 5, (episodes, entities))
        rough.set(position, velocity)
        exact.set(position, velocity)
        rough.step(actions)
        exact.step(actions)
        np.testing.assert_allclose(rough.pos, exact.pos, rtol=1e-6, atol=1e-6)
        # A contact's force is 100 times the overlap, known to 6e-8; more than that where two centres nearly meet.
        np.testing.assert_allclose(rough.vel, exact.vel, rtol=1e-4, atol=1e-4)
        position, velocity = rough.pos, rough.vel
    assert position.dtype == np.float32


def one_pair(**changes: Any) -> Any:
    """Two colliding bodies of radius 0.15, with changes."""
    bodies = {
        "size": [0.15, 0.15],
        "acceleration": [5.0, 5.0],
        "max_speed": [np.inf, np.inf],
        "movable": [True, True],
        "collides": [True, True],
    }
    return _core.ParticleWorld(num_worlds=1, **{**bodies, **changes})


def test_positions_move_before_velocities() -> None:
    world = one_pair()
    world.set([[[0, 0], [9, 9]]], [[[1, 2], [0, 0]]])
    world.step([[2, 0]])  # right
    np.testing.assert_allclose(world.pos[0, 0], [0.1, 0.2])
    np.testing.assert_allclose(world.vel[0, 0], [0.75 + 0.5, 1.5])


@pytest.mark.parametrize(("action", "push"), list(enumerate([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)])))
def test_actions_are_noop_left_right_down_up(action: int, push: tuple[int, int]) -> None:
    world = one_pair()
    world.set([[[0, 0], [9, 9]]], np.zeros((1, 2, 2)))
    world.step([[action, 0]])
    np.testing.assert_array_equal(world.vel[0, 0], np.multiply(push, 0.5))


def test_two_bodies_on_one_point_part_along_x() -> None:
    """mpe2 divides zero by zero there."""
    world = one_pair()
    world.set(np.full((1, 2, 2), 0.5), np.zeros((1, 2, 2)))
    world.step([[0, 0]])
    np.testing.assert_allclose(world.vel[0], [[3, 0], [-3, 0]])  # 100 x overlap 0.3 x dt 0.1
    world.step([[0, 0]])
    np.testing.assert_allclose(world.pos[0], [[0.8, 0.5], [0.2, 0.5]])


def test_what_does_not_collide_or_move() -> None:
    through = one_pair(collides=[True, False])
    through.set([[[0, 0], [0.1, 0]]], np.zeros((1, 2, 2)))
    through.step([[0, 0]])
    assert not through.vel.any()
    post = one_pair(movable=[True, False])
    post.set([[[0, 0], [0.1, 0]]], np.zeros((1, 2, 2)))
    post.step([[0, 2]])
    assert post.vel[0, 0, 0] < -1 and not post.vel[0, 1].any()


def test_speed_limit_keeps_the_direction() -> None:
    world = one_pair(max_speed=[1.0, np.inf])
    world.set([[[0, 0], [9, 9]]], [[[3, 4], [3, 4]]])
    world.step([[0, 0]])
    np.testing.assert_allclose(world.vel[0], [[0.6, 0.8], [2.25, 3]])


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda w: w.step([[0, 5]]), "actions"),
        (lambda w: w.step([0, 0]), "actions"),
        (lambda w: w.set(np.zeros((1, 3, 2)), np.zeros((1, 2, 2))), "position"),
        (lambda w: w.set(np.zeros((1, 2, 2)), np.full((1, 2, 2), np.nan)), "velocity"),
        (lambda _: one_pair(size=[0.1, -0.1]), "size"),
        (lambda _: one_pair(movable=[True]), "movable"),
        (lambda _: one_pair(max_speed=[0.0, 1.0]), "max_speed"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(call: Any, named: str) -> None:
    world = one_pair()
    world.set([[[0, 0], [1, 1]]], np.ones((1, 2, 2)))
    with pytest.raises(ValueError, match=named):
        call(world)
    np.testing.assert_array_equal(world.pos, [[[0, 0], [1, 1]]])
    np.testing.assert_array_equal(world.vel, np.ones((1, 2, 2)))


def step_with_every_contact(position: Any, velocity: Any, push: Any, size: Any, moving: int) -> tuple[Any, Any]:
    """One step without a speed limit, all pairs added up in order: [B, E, 2] twice; the first `moving` bodies move."""
    force = [push[:, i].copy() for i in range(size.size)]
    for i in range(size.size):
        for j in range(i + 1, size.size):
            away = position[:, i] - position[:, j]
            distance = np.sqrt(away[:, 0] * away[:, 0] + away[:, 1] * away[:, 1])
            depth = np.logaddexp(0, -(distance - (size[i] + size[j])) / 1e-3) * 1e-3
            contact = 100.0 * away / distance[:, None] * depth[:, None]
            force[i] = contact + force[i]
            force[j] = -contact + force[j]
    position, velocity, still = position.copy(), velocity.copy(), slice(moving, None)
    position += velocity * 0.1
    velocity = velocity * 0.75 + np.stack(force, axis=1) * 0.1
    velocity[:, still] = 0
    return position, velocity


def test_contacts_that_are_left_out_change_no_bit() -> None:
    """Bodies at rest, nearly at rest and running, along one axis or both: how far each listens differs most there."""
    random, worlds, moving = np.random.default_rng(5), 400, 7
    size = np.array([0.075] * 3 + [0.05] * 4 + [0.2])
    acceleration = np.array([3.0] * 6 + [1e-9, 0.0])
    world = _core.ParticleWorld(
        num_worlds=worlds,
        size=size,
        acceleration=acceleration,
        max_speed=np.full(8, np.inf),
        movable=np.arange(8) < moving,
        collides=np.ones(8, bool),
    )
    position = random.uniform(-0.6, 0.6, (worlds, 8, 2))
    velocity = random.uniform(-1, 1, (worlds, 8, 2)) * 10.0 ** random.integers(-40, 1, (worlds, 8, 2))
    velocity *= random.random((worlds, 8, 2)) < 0.6
    velocity[:, moving:] = 0
    world.set(position, velocity)
    directions = np.array([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)], float)
    for _ in range(25):
        action = random.integers(0, 5, (worlds, 8))
        push = directions[action] * acceleration[:, None]
        position, velocity = step_with_every_contact(position, velocity, push, size, moving)
        world.step(action)
        assert np.array_equal(world.vel, velocity)
        assert np.array_equal(world.pos, position)
