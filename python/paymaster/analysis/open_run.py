"""A trained leader and its followers, taken from run directories; the leader also step by step."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster.algorithms.protocol import LeaderAlgorithm
from paymaster.envs.tasks import make_vec
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.networks.torch_defaults import usual_torch
from paymaster.play.learning_followers import FollowersAtPlay
from paymaster.play.network_leader import NetworkLeader
from paymaster.scripted import REFERENCES
from paymaster.training.run_state import load_followers, load_leader
from paymaster.training.setup import make_env, make_followers, make_leader, stored_config

__all__ = ["RunLeader", "is_reference", "open_run", "population_options", "seat_followers"]

_OF_THE_POPULATION = (
    "followers",
    "population_seed",
    "population_size",
    "skills_per_follower",
    "preference_among_skills",
)


def is_reference(leader: str, task: str | None, **trained_only: bool) -> bool:
    """Whether a leader given by a user is a reference leader's name, else a run directory.

    Args:
        leader, task: as given.
        trained_only: options by name, true where given, that mean nothing to a reference leader.

    Raises:
        ValueError: neither, or a reference leader without a task or with an option of a trained one.
    """
    if leader in REFERENCES:
        if task is None:
            raise ValueError("task: expected --task TASK with a reference leader, got none")
        for option, given in trained_only.items():
            if given:
                raise ValueError(f"{option}: expected a run directory with --{option}, got reference leader {leader!r}")
        return True
    if not Path(leader).is_dir():
        raise ValueError(f"leader: expected a run directory or one of {', '.join(REFERENCES)}, got {leader!r}")
    return False


@usual_torch()
def open_run(
    run: Path,
    num_envs: int,
    seed: int,
    *,
    task: str | None = None,
    options: Mapping[str, Any] | None = None,
    population: Path | None = None,
) -> tuple[LeaderVectorEnv, LeaderAlgorithm]:
    """Games for the leader of a run directory, and that leader.

    The history statistics are the training run's, frozen. Followers that learned with it are seated in the games.

    Args:
        run: a directory that ``paymaster train`` has written.
        num_envs, seed: of the games.
        task, options: where they differ from the run's.
        population: another run directory, whose followers take the seats.

    Raises:
        ValueError: not a run, a damaged checkpoint, a task whose sizes do not fit the leader or the followers.
    """
    config = stored_config(run)
    home = make_env(config, 1, 0)
    overrides = {**population_options(population), **(options or {})}
    if task is None or task == config.task:
        env = make_env(config, num_envs, seed, **overrides)
    else:
        overrides = {"observe_routes": config.observe_routes, **overrides}
        env = make_vec(task, num_envs, seed, autoreset_mode="Disabled", **overrides)
    for name in ("num_goals", "num_bonuses", "abstain", "horizon", "population_size"):
        if env.options[name] != home.options[name]:
            raise ValueError(
                f"task: expected {name} = {home.options[name]} as in the run's games, got {env.options[name]}"
            )
    leader = make_leader(config, env)
    load_leader(run, leader, env)
    env.statistics.frozen = True
    if isinstance(env, TwoPhaseVectorEnv):
        seat_followers(env, population or run, seed)
    return env, leader


def population_options(population: Path | None) -> dict[str, Any]:
    """Options of games in which a run's followers play: how they decide, and who they are; none without a run.

    Raises:
        ValueError: not a run, or one whose followers did not learn.
    """
    if population is None:
        return {}
    config = stored_config(population)
    if not config.followers_learn:
        raise ValueError(f"population: expected a run whose followers learned, got {str(population)!r}")
    options = config.options.options()
    return {name: options[name] for name in _OF_THE_POPULATION if name in options}


def seat_followers(env: TwoPhaseVectorEnv, run: Path, seed: int) -> FollowersAtPlay:
    """Followers of a run, as it left them, in games of the same kind; they draw, without exploring.

    Raises:
        ValueError: not a run, a damaged checkpoint, followers that do not fit the games.
    """
    config = stored_config(run)
    kind = config.options.followers
    if kind != env.options["followers"]:
        raise ValueError(
            f"followers: expected {kind or 'rule'!r} as in {str(run)!r}, got {env.options['followers']!r}; name a run "
            "whose followers learned that as the population"
        )
    followers = make_followers(dataclasses.replace(config, seed=seed), env)
    assert followers is not None  # the games ask them
    load_followers(run, followers.followers)
    return followers


class RunLeader(NetworkLeader):
    """A trained leader in a program of any torch settings (:class:`paymaster.networks.torch_defaults.usual_torch`)."""

    @usual_torch()
    def start(self, env: Any) -> None:
        super().start(env)

    @usual_torch()
    def offers(self, env: Any, observation: Any) -> NDArray[np.int64]:
        return super().offers(env, observation)
