"""A trained leader and its followers, taken from run directories; the leader also step by step."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster.algorithms.protocol import LeaderAlgorithm
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.networks.torch_defaults import usual_torch
from paymaster.play.network_leader import NetworkLeader
from paymaster.scripted import SCRIPTED, names_scripted
from paymaster.storage.atomic import RunDirectoryError
from paymaster.storage.run_config import CONFIG
from paymaster.storage.run_directory import holds_run
from paymaster.training.config import TrainConfig
from paymaster.training.followers import kind_in_games
from paymaster.training.run_state import load_weights, open_checkpoint
from paymaster.training.setup import choose_device, make_env, make_followers, make_games, make_leader, stored_config
from paymaster.worlds.registration import population_of

__all__ = [
    "OF_THE_POPULATION",
    "RunLeader",
    "bring_population",
    "check_room",
    "is_scripted",
    "names_others",
    "naming_the_population",
    "open_run",
    "population_parameters",
    "seat_followers",
]

OF_THE_POPULATION = (
    "followers",
    "named_population",
    "population_seed",
    "population_size",
    "skills_per_follower",
    "preference_among_skills",
    "max_reservation",
    "new_preferences",
)
"""Parameters that say who the followers are."""


def is_scripted(leader: str, task: str | None, **trained_only: bool) -> bool:
    """Whether a leader given by a user is a scripted leader's name, else a run directory.

    Args:
        leader, task: as given.
        trained_only: parameters by name, true where given, that mean nothing to a scripted leader.

    Raises:
        ValueError: neither, or a scripted leader without a task or with an option of a trained one.
    """
    if leader in SCRIPTED or (names_scripted(leader) and not Path(leader).exists()):
        if task is None:
            raise ValueError("task: expected --task TASK with a scripted leader, got none")
        for option, given in trained_only.items():
            if given:
                raise ValueError(f"{option}: expected a run directory with --{option}, got scripted leader {leader!r}")
        return True
    if not Path(leader).is_dir():
        raise ValueError(
            f"leader: expected a run directory or one of {', '.join(SCRIPTED)}, module:Class, got {leader!r}"
        )
    if not holds_run(Path(leader)):
        raise ValueError(f"leader: expected a run directory, got {leader!r}, which holds no {CONFIG}")
    return False


@usual_torch()
def open_run(
    run: Path,
    num_envs: int,
    seed: int,
    *,
    task: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    population: Path | None = None,
    strangers: bool = False,
) -> tuple[LeaderVectorEnv, LeaderAlgorithm]:
    """Games for the leader of a run directory, and that leader.

    The history statistics are the training run's, frozen. Followers that learned with it are seated in the games. Where
    the population changed while training, it is that of the last episode, unless another is given.

    Args:
        run: a directory that ``paymaster train`` has written.
        num_envs, seed: of the games.
        task, parameters: where they differ from the run's.
        population: another run directory, whose followers take the seats.
        strangers: the statistics start empty, and the population may have another size.

    Raises:
        ValueError: not a run, a damaged checkpoint, a task whose sizes do not fit the leader or the followers.
    """
    config = _stored_here(run)
    home = make_env(config, 1, 0)
    theirs, parameters = population_parameters(population), parameters or {}
    overrides = {**theirs, **parameters}
    if task is None or task == config.task:
        env = make_env(config, num_envs, seed, **overrides)
    else:
        overrides = {"observe_routes": config.observe_routes, **overrides}
        env = make_games(task, num_envs, seed, **overrides)
    sizes = ("num_goals", "near_goals", "num_bonuses", "abstain", "horizon")
    for name in sizes if strangers else (*sizes, "population_size"):
        if env.parameters[name] != home.parameters[name]:
            mismatch = f"expected {home.parameters[name]} as in the run's games, got {env.parameters[name]}"
            if name in parameters:
                raise ValueError(f"{name}: {mismatch}")
            raise ValueError(f"{'population' if name in theirs else 'task'}: {name}: {mismatch}")
    _expect_the_same_kind(env, home)
    resized = env.parameters["population_size"] != home.parameters["population_size"]
    leader = make_leader(config, home if resized else env)
    done = load_weights(run, leader, None if strangers else env)
    env.statistics.frozen = True
    if (change := config.replacement) is not None and not names_others(overrides, home.parameters):
        change.bring(env, change.before(done))
    check_room(env, population)
    if isinstance(env, TwoPhaseVectorEnv) and env.answering is None:
        with nullcontext() if population is None else naming_the_population():
            seat_followers(env, population or run, seed)
    return env, leader


def names_others(parameters: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    """Return whether parameters ask for a population other than the one of a run, whose own they are at its start."""
    return "population" in parameters or any(
        name in parameters and parameters[name] != own.get(name) for name in OF_THE_POPULATION
    )


def bring_population(env: LeaderVectorEnv, run: Path) -> None:
    """Give games the population that a run was in at its last checkpoint, where that changed while training.

    Raises:
        CheckpointError, RunDirectoryError: it cannot be read.
    """
    config = stored_config(run)
    if (change := config.replacement) is not None:
        change.bring(env, change.before(open_checkpoint(run).episode))


def _expect_the_same_kind(env: LeaderVectorEnv, home: LeaderVectorEnv) -> None:
    """What a leader's network has inputs and outputs for: limits that there are, rewards beside its gain.

    Raises:
        ValueError: one of them in the games, but not in the run's, or the other way round.
    """
    for name in ("budget", "max_share"):
        limited, was = math.isfinite(env.parameters[name]), math.isfinite(home.parameters[name])
        if limited != was:
            expected = "a limit, as there is" if was else "inf, as there is no such limit"
            raise ValueError(f"{name}: expected {expected} in the run's games, got {env.parameters[name]:g}")
    if env.own_objective != home.own_objective:
        kinds = "gain alone", "more than the gain"
        raise ValueError(
            f"weight_gain, weight_welfare, weight_equality: expected to reward {kinds[home.own_objective]}, as in the "
            f"run's games, got those that reward {kinds[env.own_objective]}"
        )


def population_parameters(population: Path | None) -> dict[str, Any]:
    """Options of games in which a run's followers play: how they decide, and who they are; none without a run.

    Raises:
        ValueError: not a run, or one whose followers did not learn.
    """
    if population is None:
        return {}
    if not holds_run(population):
        raise ValueError(f"population: expected a run directory, got {str(population)!r}, which holds no {CONFIG}")
    with naming_the_population():
        config = stored_config(population)
    if not config.followers_learn:
        raise ValueError(f"population: expected a run whose followers learned, got {str(population)!r}")
    named = (name for name in OF_THE_POPULATION if name == "followers" or name in config.parameters)
    theirs: dict[str, Any] = {name: config.task_parameters()[name] for name in named}
    people = population_of(config.task, config.parameters)
    return theirs if people is None else {**theirs, "population": people}


def check_room(env: LeaderVectorEnv, population: Path | None) -> None:
    """Raise ValueError where a population is named for games in which others decide for the followers."""
    if population is not None and not (isinstance(env, TwoPhaseVectorEnv) and env.answering is None):
        raise ValueError(f"population: expected it only for followers that learned, got {population} beside others")


def seat_followers(env: TwoPhaseVectorEnv, run: Path, seed: int) -> None:
    """Followers of a run, as it left them, in games of the same kind; they draw, without exploring.

    Raises:
        ValueError: not a run, a damaged checkpoint, followers that do not fit the games.
    """
    config = _stored_here(run)
    kind = config.followers
    followers = None
    if kind_in_games(kind) == env.parameters["followers"]:
        followers = make_followers(dataclasses.replace(config, seed=seed), env)
    if followers is None:
        raise ValueError(
            f"followers: expected {kind!r} as in {str(run)!r}, got {env.parameters['followers']!r}; name a "
            "run whose followers learned that as the population"
        )
    load_weights(run, followers.followers)


def _stored_here(run: Path) -> TrainConfig:
    """Return a run's configuration, with "auto" for a device that this machine lacks: any can play what one learned."""
    config = stored_config(run)
    try:
        choose_device(config.device)
    except ValueError:
        return dataclasses.replace(config, device="auto")
    return config


@contextmanager
def naming_the_population() -> Iterator[None]:
    """Let errors of the run whose followers are to be seated begin with ``population``."""
    try:
        yield
    except (RunDirectoryError, ValueError) as error:
        if str(error).startswith("followers: "):  # an option of its own
            raise
        raise ValueError(f"population: {error}") from error


class RunLeader(NetworkLeader):
    """A trained leader in a program of any torch settings (:class:`paymaster.networks.torch_defaults.usual_torch`)."""

    @usual_torch()
    def start(self, env: Any) -> None:
        super().start(env)

    @usual_torch()
    def offers(self, env: Any, observation: Any) -> NDArray[np.int64]:
        return super().offers(env, observation)
