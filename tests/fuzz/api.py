"""Hostile calls of the Python interface: environments, statistics, encoders, planners, event sets, views, settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from random import Random
from typing import Any

import gymnasium
import numpy as np

import paymaster
from fuzz.games import BATCHES, B, N, Subject, subject
from fuzz.values import Raised, hostile, integer, mutated, number, text
from paymaster import events, integrations, planners
from paymaster.algorithms import EBPGConfig
from paymaster.analysis.intervals import mean_ci95
from paymaster.envs.replacement import Replacement
from paymaster.features.leader import expired
from paymaster.training.config import TrainConfig

__all__ = ["call"]

ALLOWED = (ValueError, TypeError, Raised, gymnasium.error.Error)
"""What a refusal may be."""


def call(draw: Random) -> None:
    """One hostile call. Raises whatever is no proper refusal, and AssertionError for a state changed by a refusal."""
    draw.choice(_CALLS)(draw)


def _argument(draw: Random, legal: Any) -> Any:
    """The legal value now and then, else something else."""
    kind = draw.random()
    if kind < 0.3:
        return legal
    if kind < 0.6 and isinstance(legal, np.ndarray):
        return mutated(draw, legal)
    return hostile(draw)


# ---- batches


def _on_a_batch(draw: Random) -> None:
    batch = subject(draw.choice(list(BATCHES)))
    batch.again()
    before, table = batch.env.snapshot(), batch.env.statistics.arrays()
    try:
        draw.choice(_METHODS)(draw, batch)
    except ALLOWED as error:
        _is_clear(error)
        assert batch.env.snapshot() == before, f"a refusal changed the games: {error}"
        for name, values in batch.env.statistics.arrays().items():
            np.testing.assert_array_equal(values, table[name])
        if batch.two_phase:
            batch.env.act(batch.answers)  # the offers stand
    else:
        batch.check()


def _is_clear(error: BaseException) -> None:
    if isinstance(error, Raised):
        return
    message = str(error)
    assert message, f"{type(error).__name__} without a message"
    assert len(message) < 2_000, f"a message of {len(message)} characters: {message[:200]}"


def _step(draw: Random, batch: Subject) -> None:
    if batch.two_phase:
        if draw.random() < 0.5:
            batch.env.offer(_argument(draw, batch.offers))
            batch.env.act(batch.answers)
        else:
            batch.env.act(_argument(draw, batch.answers))
    else:
        batch.env.step(_argument(draw, batch.offers))


def _reset(draw: Random, batch: Subject) -> None:
    seed = draw.choice((None, integer(draw), [integer(draw), 3], hostile(draw)))
    mask = np.array([True, False])
    options = draw.choice((None, {"reset_mask": _argument(draw, mask)}, hostile(draw)))
    batch.env.reset(seed=seed, options=options)
    if batch.two_phase:
        batch.env.offer(batch.offers)


def _set_state(draw: Random, batch: Subject) -> None:
    state = batch.env.state()
    names = draw.sample(list(state), draw.randrange(1, 4))
    arrays = {name: _argument(draw, state[name]) for name in names}
    if draw.random() < 0.1:
        arrays[text(draw)] = number(draw)
    batch.env.set_state(**arrays)


def _get_state(draw: Random, batch: Subject) -> None:
    batch.env.state(*draw.choice((("done", "step"), (text(draw),), (hostile(draw),))))


def _restore(draw: Random, batch: Subject) -> None:
    batch.env.restore(hostile(draw))


def _statistics(draw: Random, batch: Subject) -> None:
    table = batch.env.statistics.arrays()
    name = draw.choice([*table, text(draw)])
    batch.env.statistics.set(**{name: _argument(draw, table.get(name, 1))})


def _freeze(draw: Random, batch: Subject) -> None:
    batch.env.statistics.frozen = hostile(draw)
    batch.env.statistics.frozen = False


def _replace(draw: Random, batch: Subject) -> None:
    batch.env.replace_followers(_argument(draw, np.array([1, 4])), draw.choice((integer(draw), hostile(draw))))


def _encode(draw: Random, batch: Subject) -> None:
    observation: Any = {name: np.array(values) for name, values in batch.env.observe().items()}
    name = draw.choice(list(observation))
    kind = draw.random()
    if kind < 0.1:
        observation = hostile(draw)
    elif kind < 0.3:
        del observation[name]
    else:
        observation[name] = _argument(draw, observation[name])
    if draw.random() < 0.3:
        expired(observation)
    else:
        batch.encoder.encode(observation)


_METHODS: tuple[Callable[[Random, Subject], None], ...] = (
    _step, _step, _step, _reset, _set_state, _set_state, _set_state, _get_state, _restore, _statistics, _freeze,
    _replace, _encode, _encode,
)  # fmt: skip


# ---- what has no state


def _refusable(act: Callable[[Random], Any]) -> Callable[[Random], None]:
    def run(draw: Random) -> None:
        try:
            act(draw)
        except ALLOWED as error:
            _is_clear(error)

    return run


_PARAMETERS = sorted({name for task in paymaster.tasks() for name in task.parameters})
_LARGE = ("num_envs", "population_size", "num_followers", "horizon")  # legal values of these cost memory


@_refusable
def _make(draw: Random) -> None:
    task = draw.choice([*(task.name for task in paymaster.tasks()), hostile(draw)])
    parameters: dict[str, Any] = {"num_envs": 2, "seed": 0, "num_threads": 1}
    for name in draw.sample([*_PARAMETERS, "num_envs", "seed", "first_index", "copy", "autoreset_mode", "population",
                             "render_mode", text(draw)], draw.randrange(1, 4)):  # fmt: skip
        parameters[name] = text(draw) if name == "map" else hostile(draw)
    for name in _LARGE:
        if isinstance(parameters.get(name), int) and 100 < parameters[name] < 2**25:
            parameters[name] = draw.choice((1, 2, 64))
    if draw.random() < 0.3:
        del parameters["num_envs"], parameters["num_threads"]
        env: Any = paymaster.make(task, **parameters)
        env.reset()
        env.step(env.action_space.sample())
        return
    env = paymaster.make_vec(task, **parameters)
    env.reset()
    if env.parameters["followers"] == "rule":
        env.step(env.action_space.sample())
    else:
        env.offer(env.action_space.sample())


@_refusable
def _plan(draw: Random) -> None:
    position, heading = np.array([[5, 5], [1, 1]]), np.array([0, 3])
    targets = np.zeros((11, 11), dtype=bool)
    targets[2, 7] = True
    planners.grid_path(
        draw.choice(("", "", None, text(draw))),
        _argument(draw, position),
        _argument(draw, heading),
        _argument(draw, targets),
        draw.choice((None, _argument(draw, targets))),
    )


@_refusable
def _steer(draw: Random) -> None:
    place = np.array([[0.1, 0.2], [-0.5, 0.3]])
    constants = {name: number(draw) for name in draw.sample(("acceleration", "reach", "border", "max_speed"), 1)}
    planners.steer(
        _argument(draw, place),
        _argument(draw, place),
        _argument(draw, place),
        draw.choice((None, _argument(draw, place))),
        draw.choice((None, _argument(draw, np.zeros((2, 1, 2))))),
        **{"world": draw.choice(("navigation", "predator_prey", text(draw))), **constants},
    )


@_refusable
def _events(draw: Random) -> None:
    log = np.zeros((4, 2, 3, 2), dtype=np.int64)
    events.extract(
        _argument(draw, log),
        draw.choice((None, _argument(draw, np.array([4, 2])))),
        num_goals=draw.choice((None, hostile(draw))),
    )


@_refusable
def _config(draw: Random) -> None:
    config = TrainConfig("resource_collection")
    kind = draw.choice((config, EBPGConfig(), Replacement(0.1, 10)))
    names = [part.name for part in dataclasses.fields(kind)]
    changed = dataclasses.replace(kind, **{name: hostile(draw) for name in draw.sample(names, draw.randrange(1, 3))})  # type: ignore[type-var]
    if isinstance(changed, Replacement):
        changed.check(40)
    else:
        changed.validate()


@_refusable
def _stored_config(draw: Random) -> None:
    stored = TrainConfig("resource_collection").to_json()
    part = draw.choice((stored, stored["learner"], stored["parameters"], stored["follower_learner"]))
    if part is None or draw.random() < 0.2:
        part = stored
    name = draw.choice([*part, text(draw)])
    if draw.random() < 0.2:
        part.pop(name, None)
    else:
        part[name] = hostile(draw)
    TrainConfig.from_json(stored).validate()


@_refusable
def _interval(draw: Random) -> None:
    mean_ci95(hostile(draw))


# ---- views


def _view(draw: Random) -> None:
    made = draw.choice(_VIEWS)()
    made.reset(seed=3)
    act = draw.randrange(4)
    try:
        if act == 0:
            made.reset(seed=draw.choice((integer(draw), hostile(draw))))
        elif act == 1:
            made.reset(options=hostile(draw))
        elif hasattr(made, "agent_selection"):
            made.step(_argument(draw, np.array([0, 1] * N)))
        elif hasattr(made, "possible_agents"):
            legal = {agent: made.action_space(agent).sample() for agent in made.agents}
            agent = draw.choice(list(legal))
            made.step({**legal, agent: _argument(draw, legal[agent])} if draw.random() < 0.8 else hostile(draw))
        else:
            made.step(_argument(draw, made.action_space.sample()))
    except ALLOWED as error:
        _is_clear(error)
    made.reset(seed=4)
    made.close()


_SMALL: dict[str, Any] = {"num_followers": N, "horizon": 10}
_VIEWS: tuple[Callable[[], Any], ...] = (
    lambda: integrations.parallel_env("resource_collection", seed=1, **_SMALL),
    lambda: integrations.aec_env("navigation", seed=1, followers="primitive", **_SMALL),
    lambda: integrations.followers_env("predator_prey", seed=1, **_SMALL),
    lambda: integrations.FollowerEnv("resource_collection", "preference", 3, seed=1, **_SMALL),
    lambda: integrations.LeaderVectors(paymaster.make("navigation", seed=1, **_SMALL)),
    lambda: integrations.BatchedLeaderVectors(
        paymaster.make_vec("resource_collection", B, seed=1, num_threads=1, **_SMALL)
    ),
)

_CALLS: tuple[Callable[[Random], None], ...] = (
    *(_on_a_batch,) * 12, _make, _make, _make, _plan, _steer, _events, _config, _stored_config, _interval, _view, _view,
)  # fmt: skip
