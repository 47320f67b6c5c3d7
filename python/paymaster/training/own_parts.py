"""Leaders, followers and games of one's own in a run: named by import path, found again, checked."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

from paymaster.algorithms.protocol import LeaderAlgorithm
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.play.own_followers import OwnFollowers
from paymaster.play.scripted_player import ScriptedPlayer
from paymaster.scripted import is_scripted_leader, make_own
from paymaster.training.config import A_BATCH, TrainConfig
from paymaster.training.followers import kind_in_games
from paymaster.training.regimes import SETTINGS
from paymaster.validation.imports import import_path, imported

__all__ = ["check_games", "make_own_leader", "named", "seat_own_followers"]

_METHODS: Final = (
    "device", "initial_state", "act", "update", "inspect", "exploration_rate", "modules", "optimizers",
)  # fmt: skip


def named(config: TrainConfig, leader: Any = None, followers: Any = None, env: Any = None) -> TrainConfig:
    """Return the configuration with a leader, followers or games of one's own in it, by their import paths.

    Args:
        config: of the run.
        leader, followers, env: a name, a class or a function; None leaves what is there. For ``env`` also a batch,
            which has no path: :data:`A_BATCH` stands for it.

    Raises:
        TypeError: something else.
    """
    changes: dict[str, Any] = {}
    if leader is not None:
        changes["leader"] = import_path("leader", leader)
        if config.learner == SETTINGS[config.settings].learner_of(config.leader):
            changes["learner"] = None  # the new one's own
    if followers is not None:
        changes["parameters"] = {**config.parameters, "followers": import_path("followers", followers)}
    if env is not None:
        changes["env"] = A_BATCH if isinstance(env, LeaderVectorEnv) else import_path("env", env)
    return dataclasses.replace(config, **changes) if changes else config


def check_games(games: Any, task: str, num_envs: int, followers: str | None) -> None:
    """Raise TypeError or ValueError unless these games of one's own are such as a configuration asks for."""
    if not isinstance(games, LeaderVectorEnv):
        raise TypeError(f"env: expected a paymaster.LeaderVectorEnv, got {type(games).__name__}")
    wanted: dict[str, tuple[Any, Any]] = {
        "task": (task, games.task),
        "num_envs": (num_envs, games.num_envs),
        "autoreset_mode": ("Disabled", games.autoreset_mode.value),
    }
    if followers is not None:
        wanted["followers"] = (kind_in_games(followers), games.parameters["followers"])
    for name, (expected, got) in wanted.items():
        if expected != got:
            raise ValueError(f"env: expected games with {name}={expected!r} as in the configuration, got {got!r:.80}")


def seat_own_followers(games: LeaderVectorEnv, path: str) -> None:
    """Let a rule of one's own, by import path, answer for the followers of games made for it.

    Raises:
        ValueError: it cannot be imported. TypeError: it is no function.
    """
    assert isinstance(games, TwoPhaseVectorEnv)  # check_games saw to it
    OwnFollowers(games, imported("followers", path, "function"), path)


def make_own_leader(config: TrainConfig, env: LeaderVectorEnv) -> LeaderAlgorithm:
    """Make a leader of one's own, by import path: ``Class(config, env)``, or a scripted one, for ``env``.

    Raises:
        ValueError: it cannot be imported. TypeError: it is no leader.
    """
    kind, name = imported("leader", config.leader), config.leader
    if is_scripted_leader(kind):
        return ScriptedPlayer(lambda seed: make_own(kind, seed, name), name)
    if not callable(kind):
        raise TypeError(f"leader: expected a class, got {type(kind).__name__} by {name!r:.80}")
    made = kind(config, env)
    if not isinstance(made, LeaderAlgorithm):
        lacks = next(method for method in _METHODS if not hasattr(made, method))
        raise TypeError(f"leader: expected one with {lacks} (paymaster.algorithms.protocol), got {name!r:.80} without")
    return made
