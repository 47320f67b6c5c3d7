"""Tasks whose worlds are written outside the package: by name, by import path, or by a package's entry point."""

from __future__ import annotations

import importlib.metadata
import inspect
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from paymaster import _core
from paymaster.validation.arguments import check_int
from paymaster.validation.imports import imported
from paymaster.validation.keywords import ARGUMENTS
from paymaster.worlds.caller import Caller, features_of
from paymaster.worlds.gymnasium_names import check_names, forget_names, register_names
from paymaster.worlds.parameter import Parameter
from paymaster.worlds.rules_digest import rules_digest
from paymaster.worlds.world import World

__all__ = [
    "Definition",
    "definition_of",
    "drawing_of",
    "find",
    "find_all",
    "find_defined",
    "forget",
    "register",
    "rules_of",
]

GROUP = "paymaster.worlds"
"""The entry points' group: a name for a World's class, or for a module that registers tasks when it is imported."""


class Definition(NamedTuple):
    """What another process needs to know of a task: the class's import path, and the parameters it was given."""

    path: str
    preset: dict[str, Any]


_definitions: dict[str, Definition] = {}
_classes: dict[str, type[World]] = {}
_loaded: set[str] = set()  # entry points, by name


def register(name: str, world: type[World], meaning: str | None = None, **preset: Any) -> None:
    """Make a world a task: from then on it works by ``name`` wherever the package's own tasks do.

    Its environment also stands in Gymnasium's registry, as ``paymaster/Name-v0``. A name that was registered before
    stands for the new class from then on.

    Args:
        name: lower case letters, digits and underscores; none of the package's own.
        world: the class.
        meaning: one line for ``paymaster tasks``; the first line of the class's docstring if None.
        preset: parameters of the game and of the world, in place of their defaults.

    Raises:
        ValueError: a name that is taken or none, a parameter out of its range.
        TypeError: no such class, a method that is missing, a parameter of another type.
    """
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"name: expected lower case letters, digits and underscores, got {name!r:.80}")
    check_names(name)
    _add(name, world, meaning, preset)
    register_names([name])


def forget(name: str) -> None:
    """Undo :func:`register`; games of the task go on. Nothing happens where it was not registered."""
    if _definitions.pop(name, None) is not None:
        del _classes[name]
        _core.remove_task(name)
        forget_names([name])


def find(task: str) -> None:
    """Make the task known if it is an import path, ``module:Class``, or an entry point's name, and not known yet.

    Raises:
        ValueError: a module or class that cannot be imported; TypeError: what is imported is no world.
    """
    if not isinstance(task, str) or _known(task):
        return
    if ":" in task:
        _add(task, imported("task", task), None, {})
        return
    for entry in importlib.metadata.entry_points(group=GROUP, name=task):
        _load(entry)


def find_all() -> None:
    """Make the tasks of all entry points known. One that cannot be loaded is left out, with a warning."""
    for entry in importlib.metadata.entry_points(group=GROUP):
        _load_or_warn(entry)


def drawing_of(parameters: Mapping[str, Any]) -> Callable[..., None] | None:
    """Return how the world of a task (``parameters["task"]``) draws itself, :meth:`.World.draw`; None: it does not."""
    world = _classes.get(parameters.get("task", ""))
    return None if world is None or world.draw is World.draw else world.draw


def definition_of(task: str) -> Definition | None:
    """Return what another process needs to know of a task; None for one of the package's own."""
    return _definitions.get(task)


def rules_of(task: str) -> str:
    """Return a digest of the rules of a task's world; "" for the package's own, and where there is no source."""
    return rules_digest(_classes[task]) if task in _classes else ""


def find_defined(task: str, definition: tuple[str, Mapping[str, Any]] | None) -> None:
    """Make a task known that another process has described by :func:`definition_of`.

    Raises:
        ValueError: a class that cannot be imported here.
    """
    if definition is None or _known(task):
        find(task)
        return
    path, preset = definition
    world = imported("task", path)
    if ":" in task:
        _add(task, world, None, dict(preset))
    else:
        register(task, world, **preset)


def _known(task: str) -> bool:
    return any(entry["name"] == task for entry in _core.tasks())


def _load(entry: importlib.metadata.EntryPoint) -> None:
    if entry.name in _loaded:
        return
    try:
        found = entry.load()
    except Exception as error:
        text = f"entry point {entry.name} = {entry.value}: expected one that can be imported, got {error}"
        raise ValueError(text) from error
    _loaded.add(entry.name)
    if not inspect.ismodule(found):
        register(entry.name, found)


def _load_or_warn(entry: importlib.metadata.EntryPoint) -> None:
    try:
        _load(entry)
    except (ValueError, TypeError) as error:
        warnings.warn(str(error), stacklevel=4)


def _add(name: str, world: type[World], meaning: str | None, preset: dict[str, Any]) -> None:
    _check_class(world)
    for parameter, about in world.parameters.items():
        if not isinstance(parameter, str) or not parameter.isidentifier() or not isinstance(about, Parameter):
            raise TypeError(f"{world.__name__}.parameters: expected names and Parameters, got {parameter!r}: {about!r}")
        if parameter in (*ARGUMENTS, "task", "index"):
            raise ValueError(f"{world.__name__}.parameters: expected no argument of make(), got {parameter!r}")
    path = f"{world.__module__}:{world.__qualname__}"
    _core.add_world(
        name,
        (meaning or (world.__doc__ or world.__name__).strip().splitlines()[0]).strip(),
        path,
        check_int(f"{world.__name__}.max_followers", world.max_followers, 1, 1024),
        check_int(f"{world.__name__}.max_goals", world.max_goals, 1, 64),
        check_int(f"{world.__name__}.num_actions", world.num_actions, 1, 64),
        check_int(f"{world.__name__}.most_available", world.most_available, 1, 32767),
        [(parameter, about.meaning, about.default, *_range_of(about)) for parameter, about in world.parameters.items()],
        {"near_goals": check_int(f"{world.__name__}.near_goals", world.near_goals, 0, world.max_goals)} | preset,
        lambda games, parameters: Caller(world, games, parameters),
        lambda parameters: features_of(world, parameters),
    )
    _definitions[name], _classes[name] = Definition(path, dict(preset)), world


def _range_of(parameter: Parameter) -> tuple[float, float]:
    return (0.0, 1.0) if isinstance(parameter.default, (bool, str)) else parameter.range


def _check_class(world: Any) -> None:
    if not (isinstance(world, type) and issubclass(world, World)) or world is World:
        name = world.__name__ if isinstance(world, type) else f"an object of type {type(world).__name__}"
        raise TypeError(f"world: expected a subclass of paymaster.World, got {name}")
    for method in (name for name in vars(World) if name in world.__abstractmethods__):  # in the order of the class
        raise TypeError(f"{world.__name__}: expected a method {method}(), got none")
    if not hasattr(world, "num_actions"):
        raise TypeError(f"{world.__name__}: expected num_actions, the primitive actions of a follower, got none")
