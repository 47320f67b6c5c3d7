"""The games' names in registries of environments: ``paymaster/ResourceCollection-v0``, one for every task."""

from __future__ import annotations

import gymnasium

from paymaster import _core

__all__ = ["ids", "register"]

_VERSION = 0  # raised when the same seed and actions no longer give the same rewards


def ids(suffix: str = "") -> dict[str, str]:
    """Task -> its name in a registry: the task's, in capitals, with a suffix for another view of it, and a version."""
    names = (task["name"] for task in _core.tasks())
    return {name: f"paymaster/{name.title().replace('_', '')}{suffix}-v{_VERSION}" for name in names}


def register() -> None:
    """Puts all tasks into Gymnasium's registry: the leader's side, alone and as a batch, and one follower's side."""
    for task, name in ids().items():
        gymnasium.register(
            name,
            "paymaster.envs.single:LeaderEnv",
            vector_entry_point="paymaster.envs.tasks:make_vec",
            kwargs={"task": task},
        )
    for task, name in ids("Follower").items():
        gymnasium.register(name, "paymaster.integrations.follower:FollowerEnv", kwargs={"task": task})
