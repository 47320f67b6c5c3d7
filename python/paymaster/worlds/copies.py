"""What copies of games need to know of their task, which may have been registered as another one since."""

from __future__ import annotations

import os
from typing import TypeAlias

from paymaster.worlds.definition import Definition
from paymaster.worlds.registration import class_of, definition_of, find_defined

__all__ = ["MadeOf", "find_made_of", "made_of", "refuse_another"]

MadeOf: TypeAlias = tuple[Definition | None, int, int]
"""A task's definition, None for the package's; the process, and which class its world had there."""


def made_of(task: str) -> MadeOf:
    """Return what games of a task are made of now."""
    world = class_of(task)
    return definition_of(task), os.getpid(), 0 if world is None else id(world)


def find_made_of(task: str, made: MadeOf) -> None:
    """Make a task known as :func:`.find_defined` does, unless one of its name is.

    Raises:
        ValueError: as there; the task has another class in this process than when the games were made, whose rules a
            copy would play by.
    """
    find_defined(task, made[0])
    if made[1] == os.getpid() and made_of(task)[2] != made[2]:
        refuse_another(task, made)


def refuse_another(task: str, made: MadeOf) -> None:
    """Raise ValueError if the task is another one than when games were made, which then cannot be made again."""
    definition, process, world = made_of(task)
    if definition != made[0] or (process == made[1] and world != made[2]):
        raise ValueError(
            f"task: expected {task!r} as it was when these games were made, got another one, registered since: "
            "register the first one again, or give one of them another name"
        )
