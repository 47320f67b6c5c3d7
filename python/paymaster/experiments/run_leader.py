"""A trained leader and its followers, taken from run directories; the leader also step by step."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paymaster.algorithms.protocol import LeaderAlgorithm
from paymaster.envs.features import FeatureEncoder, offers_from_flat
from paymaster.envs.registry import make_vec
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.experiments.atomic import RunDirectoryError
from paymaster.experiments.run_config import CONFIG
from paymaster.experiments.run_directory import holds_run
from paymaster.experiments.run_state import load_followers, load_leader
from paymaster.experiments.setup import make_env, make_followers, make_leader, stored_config
from paymaster.followers_at_play import FollowersAtPlay
from paymaster.references import REFERENCES
from paymaster.rollout import look
from paymaster.usual_torch import usual_torch

__all__ = ["RunLeader", "is_reference", "open_run", "population_options", "seat_followers", "seat_population"]

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
    theirs, options = population_options(population), options or {}
    overrides = {**theirs, **options}
    if task is None or task == config.task:
        env = make_env(config, num_envs, seed, **overrides)
    else:
        overrides = {"observe_routes": config.observe_routes, **overrides}
        env = make_vec(task, num_envs, seed, autoreset_mode="Disabled", **overrides)
    for name in ("num_goals", "num_bonuses", "abstain", "horizon", "population_size"):
        if env.options[name] != home.options[name]:
            mismatch = f"expected {home.options[name]} as in the run's games, got {env.options[name]}"
            if name in options:
                raise ValueError(f"{name}: {mismatch}")
            raise ValueError(f"{'population' if name in theirs else 'task'}: {name}: {mismatch}")
    leader = make_leader(config, env)
    load_leader(run, leader, env)
    env.statistics.frozen = True
    if isinstance(env, TwoPhaseVectorEnv):
        if population is None:
            seat_followers(env, run, seed)
        else:
            seat_population(env, population, seed)
    return env, leader


def population_options(population: Path | None) -> dict[str, Any]:
    """Options of games in which a run's followers play: how they decide, and who they are; none without a run.

    Raises:
        ValueError: not a run, or one whose followers did not learn.
    """
    if population is None:
        return {}
    if not holds_run(population):
        raise ValueError(f"population: expected a run directory, got {str(population)!r}, which holds no {CONFIG}")
    with _naming_the_population():
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


def seat_population(env: TwoPhaseVectorEnv, population: Path, seed: int) -> None:
    """Seat the followers of another run, as :func:`seat_followers`; its errors begin with ``population``."""
    with _naming_the_population():
        seat_followers(env, population, seed)


@contextmanager
def _naming_the_population() -> Iterator[None]:
    try:
        yield
    except (RunDirectoryError, ValueError) as error:
        if str(error).startswith("followers: "):  # an option of its own
            raise
        raise ValueError(f"population: {error}") from error


class RunLeader:
    """Makes a leader algorithm play step by step (:class:`paymaster.references.ReferenceLeader`).

    Args:
        leader: who decides.
        generator: of its random draws, on its device.
        greedy: its most likely offers instead of draws.

    Attributes:
        attention: its weights of the followers in its last decision, float [B, N]; None if it has none.
    """

    def __init__(self, leader: LeaderAlgorithm, generator: torch.Generator, *, greedy: bool = False) -> None:
        self._leader, self._generator, self._greedy = leader, generator, greedy
        self._encoder: FeatureEncoder | None = None
        self._previous: Tensor = torch.empty(0)
        self._state: Any = None
        self._steps = 0
        self.attention: NDArray[np.float32] | None = None

    @usual_torch()
    def start(self, env: LeaderVectorEnv) -> None:
        """A new episode: no offers yet, nothing remembered."""
        games, n = env.num_envs, env.num_followers
        self._encoder = FeatureEncoder(env)
        self._previous = torch.full((games, n), -1, dtype=torch.int64, device=self._leader.device)
        self._state = self._leader.initial_state(games, n)
        self._steps = 0
        self.attention = None

    @usual_torch()
    def offers(self, env: LeaderVectorEnv, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
        """Actions int64[B, N, 2] for the observed step."""
        assert self._encoder is not None, "start() comes before offers()"
        seen = look(self._encoder, observation, self._previous, self._steps)
        step = self._leader.act(seen, self._state, generator=self._generator, greedy=self._greedy)
        self._steps += 1
        self._previous, self._state = step.offer, step.state
        self.attention = None if step.attention is None else step.attention.cpu().numpy()
        return offers_from_flat(step.offer.cpu().numpy(), env.options["num_bonuses"])
