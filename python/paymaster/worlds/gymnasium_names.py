"""The games' names in registries of environments: ``paymaster/ResourceCollection-v0``, one for every task."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import gymnasium

from paymaster import _core
from paymaster.worlds.games import GAMES

__all__ = ["check_names", "forget_names", "ids", "register_names", "register_with"]

_VERSION = 0  # raised when the same seed and actions no longer give the same rewards
_others: list[Callable[[], None]] = []  # each adds the tasks that another library's registry lacks


def ids(suffix: str = "", tasks: Iterable[str] | None = None) -> dict[str, str]:
    """Task -> its name in a registry: the task's, in capitals, with a suffix for another view of it, and a version."""
    names = _known() if tasks is None else tasks
    return {name: f"paymaster/{name.title().replace('_', '')}{suffix}-v{_VERSION}" for name in names if ":" not in name}


def register_names(tasks: Iterable[str] | None = None) -> None:
    """Put tasks (None: all) into Gymnasium's registry: the leader's side, alone and as a batch, and one follower's.

    Then those of :func:`register_with` are called.
    """
    chosen = None if tasks is None else list(tasks)
    forget_names(chosen)  # of tasks that are registered again
    for task, name in ids("", chosen).items():
        gymnasium.register(
            name,
            "paymaster.envs.single:LeaderEnv",
            vector_entry_point="paymaster.envs.tasks:make_vec",
            kwargs={"task": task},
        )
    for task, name in ids("Follower", chosen).items():
        gymnasium.register(name, "paymaster.integrations.follower:FollowerEnv", kwargs={"task": task})
    for add in _others:
        add()


def check_names(task: str) -> None:
    """Raise ValueError where a new task's names in Gymnasium's registry are those of another task."""
    new = {*ids("", [task]).values(), *ids("Follower", [task]).values()}
    for name in _known():
        if name != task and new & {*ids("", [name]).values(), *ids("Follower", [name]).values()}:
            raise ValueError(f"name: expected one that is told from {name} in Gymnasium's registry, got {task!r:.80}")


def forget_names(tasks: Iterable[str] | None = None) -> None:
    """Take tasks (None: all) out of Gymnasium's registry."""
    chosen = None if tasks is None else list(tasks)
    for name in (*ids("", chosen).values(), *ids("Follower", chosen).values()):
        gymnasium.registry.pop(name, None)


def _known() -> dict[str, None]:
    """Return the names of all tasks, of the package's games in Python before they are imported, too."""
    return dict.fromkeys([*(task["name"] for task in _core.tasks()), *GAMES])


def register_with(add: Callable[[], None]) -> None:
    """Call ``add`` now, and whenever tasks may have been added."""
    _others.append(add)
    add()
