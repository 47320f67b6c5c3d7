"""Tasks of one's own, a preset or a world with parameters and a population: by name, from a file, by import path, or by
a package's entry point.

Longer than other files: each way to a task ends in the same three tables.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
import inspect
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paymaster import _core
from paymaster.validation.arguments import DRAWN_BY, as_array, check_int, map_text, population_arrays, refuse_draw
from paymaster.validation.imports import imported
from paymaster.validation.keywords import ARGUMENTS, unknown_parameter
from paymaster.validation.parameters import plain_parameters
from paymaster.validation.ranges import from_json
from paymaster.validation.settings_file import is_settings_file, read_settings
from paymaster.worlds.caller import Caller, features_of
from paymaster.worlds.definition import Definition
from paymaster.worlds.games import GAMES
from paymaster.worlds.gymnasium_names import check_names, forget_names, register_names
from paymaster.worlds.parameter import Parameter
from paymaster.worlds.rules_digest import rules_digest
from paymaster.worlds.world import World

__all__ = [
    "Definition",
    "class_of",
    "definition_of",
    "drawing_of",
    "find",
    "find_all",
    "find_defined",
    "find_known",
    "forget",
    "load_task",
    "population_of",
    "register",
    "rules_of",
]

GROUP = "paymaster.worlds"
"""The entry points' group: a name for a World's class, or for a module that registers tasks when it is imported."""

Arrays: TypeAlias = tuple[NDArray[Any] | None, ...]

_TRIAL = "(a task that is being registered)"
_TRAITS = ("skill", "preference", "reservation", "learns", "utility", "cost", "weight")


_definitions: dict[str, Definition] = {}
_populations: dict[str, dict[str, NDArray[Any]]] = {}
_classes: dict[str, type[World]] = {}
_loaded: set[str] = set()  # entry points, by name
_complained: set[str] = set()  # warnings of entry points that could not be loaded


def register(
    name: str,
    task: str | type[World],
    *,
    meaning: str | None = None,
    population: Mapping[str, ArrayLike] | str | None = None,
    **parameters: Any,
) -> None:
    """Make a task of your own known by name: from then on it works wherever the package's own tasks do.

    Its environment also stands in Gymnasium's registry, as ``paymaster/Name-v0``. A name that was registered before
    stands for the new task from then on; a warning says so where it is defined otherwise. A run stores the definition,
    so that other processes need not register it.

    Args:
        name: lower case letters, digits and underscores; none of the package's own.
        task: what it is made of: the name of another task, or the class of a world.
        meaning: one line for ``paymaster tasks``; None takes that of ``task``, or the first line of the class's
            docstring.
        population: the followers, as for :class:`~paymaster.LeaderVectorEnv`, in place of a draw; None keeps those of
            ``task``. Beside it parameters that say how to draw one are refused.
        parameters: parameters of the game and of the world, in place of those of ``task``.

    Raises:
        ValueError: a name that is taken or none, an unknown task, a parameter out of its range, a population that does
            not fit.
        TypeError: no such class, a method that is missing, a parameter of another type. In either case nothing has
            changed.
    """
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"name: expected lower case letters, digits and underscores, got {name!r:.80}")
    check_names(name)
    if "map" in parameters:
        parameters["map"] = map_text(parameters["map"])
    if name in GAMES and not (isinstance(task, type) and _path_of(task) == GAMES[name]):
        raise ValueError(f"name: expected one that is none of the package's own, got {name!r:.80}")
    before = _definitions.get(name)
    if isinstance(task, str):
        _add_preset(name, find_known(task), meaning, population, parameters)
    else:
        arrays = population_arrays("", population, parameters)
        _add(name, task, meaning, parameters, arrays)
        _keep_population(name, arrays)
    register_names([name])
    if before is not None and before != _definitions[name]:
        warnings.warn(
            f"name: expected a new one, or the same task again, got {name!r}, which stood for another task and stands "
            "for this one from now on",
            stacklevel=2,
        )


def forget(name: str) -> None:
    """Undo :func:`register`; games of the task go on. Nothing happens where it was not registered."""
    if _definitions.pop(name, None) is not None:
        _classes.pop(name, None)
        _populations.pop(name, None)
        _loaded.discard(name)
        _core.remove_task(name)
        if name not in GAMES:  # which stay known by name
            forget_names([name])


def load_task(path: str | os.PathLike[str]) -> str:
    """Make the task that a TOML or JSON file defines known, as :func:`register` does, and return its name.

    The file has the entries ``task``, ``name`` (else the file's), ``meaning``, a table of ``parameters`` and one of the
    arrays of the ``population``; all but ``task`` may be left out.

    Raises:
        ValueError, TypeError: a file that cannot be read, an unknown entry, and as :func:`register`; names the file.
    """
    file = Path(path)
    entries = read_settings(file, "task")
    name = entries.pop("name", file.stem)
    usual: dict[str, Any] = {"meaning": "", "parameters": {}, "population": None}
    definition = from_json(Definition, {**usual, **entries}, str(file))
    if is_settings_file(definition.task):
        raise ValueError(f"{file}: task: expected the name of a task, got another file, {definition.task!r:.80}")
    try:
        _register_defined(name, definition)
    except (ValueError, TypeError) as error:
        raise type(error)(f"{file}: {error}") from error
    return str(name)


def find(task: Any) -> Any:
    """Return a task's name, and make the task known first if it is not: of an import path, ``module:Class``, of a file
    that :func:`load_task` reads, or of an entry point. Anything else is returned as it is.

    Raises:
        ValueError: a module or class that cannot be imported, or a file that defines no task; TypeError: what is
            imported is no world.
    """
    if not isinstance(task, str) or _core.has_task(task):
        return task
    if is_settings_file(task):
        return load_task(task)
    if ":" in task:
        _add(task, imported("task", task), None, {})
        return task
    if task in GAMES:
        register(task, imported("task", GAMES[task]))
        return task
    for entry in importlib.metadata.entry_points(group=GROUP, name=task):
        _load(entry)
    return task


def find_known(task: str) -> str:
    """Return what :func:`find` does. Raises ValueError where there is no such task, and as that."""
    found = find(task)
    if not _core.has_task(found):
        names = ", ".join(entry["name"] for entry in _core.tasks())
        raise ValueError(f"task: expected one of {names}, got {found!r:.80}")
    return str(found)


def find_all() -> None:
    """Make the package's games in Python and the tasks of all entry points known.

    An entry point that cannot be loaded is left out, with a warning.
    """
    for name in GAMES:
        find(name)
    for entry in _installed(tuple((folder, _changed(folder)) for folder in sys.path)):
        _load_or_warn(entry)


@functools.lru_cache(maxsize=1)
def _installed(_: tuple[tuple[str, int], ...]) -> tuple[importlib.metadata.EntryPoint, ...]:
    """Return the entry points, read anew when a folder of the path has changed: each package has a file to be read."""
    return tuple(importlib.metadata.entry_points(group=GROUP))


def _changed(folder: str) -> int:
    """Return when something was installed into a folder, or removed from it, in nanoseconds; 0 without a folder."""
    try:
        return os.stat(folder or ".").st_mtime_ns
    except OSError:
        return 0


def drawing_of(parameters: Mapping[str, Any]) -> Callable[..., None] | None:
    """Return how the world of a task (``parameters["task"]``) draws itself, :meth:`.World.draw`; None: it does not."""
    world = _classes.get(parameters.get("task", ""))
    return None if world is None or world.draw is World.draw else world.draw


def definition_of(task: str) -> Definition | None:
    """Return what another process needs to know of a task; None for one of the package's own."""
    return _definitions.get(task)


def class_of(task: str) -> type[World] | None:
    """Return the class of the world of a task of one's own; None for the package's worlds."""
    return _classes.get(task)


def rules_of(task: str) -> str:
    """Return a digest of the rules of a task's world; "" for the package's own, and where there is no source."""
    return rules_digest(_classes[task]) if task in _classes else ""


def population_of(task: str, parameters: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the population that a task was registered with, or that its world gives; None where it is drawn.

    Raises:
        ValueError: one of ``parameters`` says how to draw one all the same.
    """
    population: Mapping[str, Any] | None = _populations.get(task) if isinstance(task, str) else None
    if population is None and isinstance(task, str) and task in _classes:
        population = _classes[task].population({**_core.task(task)["parameters"], **plain_parameters(parameters)})
    if population is not None:
        own = f"for {task}, which has a population of its own"
        refuse_draw(task, parameters, own, len(population["skill"][0]))
    return population


def find_defined(task: str, definition: Definition | None) -> None:
    """Make a task known that another process has described by :func:`definition_of`, unless one of its name is known.

    Raises:
        ValueError: a class that cannot be imported here, an unknown task or parameter.
    """
    named = isinstance(task, str) and not _core.has_task(task) and not is_settings_file(task)
    if not named or not isinstance(definition, Definition):
        find(task)  # which leaves what is no name as it is
    elif definition.task == task:  # module:Class
        _add(task, imported("task", task), None, {})
    else:
        _register_defined(task, definition)


def _register_defined(name: str, definition: Definition) -> None:
    base = definition.task
    register(
        name,
        imported("task", base) if ":" in base else base,
        meaning=definition.meaning or None,
        population=None if definition.population is None else _arrays(definition.population),
        **definition.parameters,
    )


def _arrays(population: Mapping[str, list[Any]]) -> dict[str, NDArray[Any]]:
    """As Python has it: a file writes what is true or false as 1 or 0."""
    arrays = {trait: as_array(f"population {trait}", values) for trait, values in population.items()}
    for trait in arrays.keys() & {"skill", "learns"}:
        if arrays[trait].dtype.kind == "i" and np.isin(arrays[trait], (0, 1)).all():
            arrays[trait] = arrays[trait].astype(bool)
    return arrays


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
    """Load it; warn where that fails, once in a process."""
    try:
        _load(entry)
    except (ValueError, TypeError) as error:
        if str(error) not in _complained:
            _complained.add(str(error))
            warnings.warn(str(error), stacklevel=4)


def _add(
    name: str,
    world: type[World],
    meaning: str | None,
    preset: dict[str, Any],
    population: Arrays | None = None,
) -> None:
    _check_class(world)
    for parameter, about in world.parameters.items():
        if not isinstance(parameter, str) or not parameter.isidentifier() or not isinstance(about, Parameter):
            raise TypeError(f"{world.__name__}.parameters: expected names and Parameters, got {parameter!r}: {about!r}")
        if parameter in (*ARGUMENTS, "task", "index", "name", "meaning"):
            raise ValueError(
                f"{world.__name__}.parameters: expected no argument of make() or register(), got {parameter!r}"
            )
    path = _path_of(world)
    near = check_int(f"{world.__name__}.near_goals", world.near_goals, 0, world.max_goals)
    usual = dict(world.defaults)
    known = [*world.parameters, *set.intersection(*(set(task["parameters"]) for task in _core.tasks()))]  # all games'
    said = (
        (meaning or (world.__doc__ or world.__name__).strip().splitlines()[0]).strip(),
        path,
        check_int(f"{world.__name__}.max_followers", world.max_followers, 1, _core.MAX_FOLLOWERS),
        check_int(f"{world.__name__}.max_goals", world.max_goals, 1, _core.MAX_GOALS),
        check_int(f"{world.__name__}.num_actions", world.num_actions, 1, 64),
        check_int(f"{world.__name__}.most_available", world.most_available, 1, 32767),
        [(parameter, about.meaning, about.default, *_range_of(about)) for parameter, about in world.parameters.items()],
        {"near_goals": near, **usual, **preset},
        lambda games, parameters: Caller(world, games, parameters),
        lambda parameters: features_of(world, parameters),
    )
    _check_names(f"{world.__name__}.defaults", usual, known)
    _check_names(world.__name__, preset, known)
    if population is not None:  # before the name stands for it
        _core.add_world(_TRIAL, *said)
        try:
            _core.check_parameters(_TRIAL, {}, population)
        finally:
            _core.remove_task(_TRIAL)
    _core.add_world(name, *said)
    _classes[name] = world
    _populations.pop(name, None)
    _define(name, path, meaning, preset)


def _add_preset(
    name: str,
    base: str,
    meaning: str | None,
    population: Mapping[str, ArrayLike] | str | None,
    parameters: dict[str, Any],
) -> None:
    """Add a task that is another one with other parameters."""
    about = _core.task(base)
    own = _definitions.get(base)
    inherited = _populations.get(base) if population is None else None
    if inherited is not None:
        population_of(base, parameters)  # refuses what would draw another one
    _check_names(base, parameters, about["parameters"])
    arrays = population_arrays(base, inherited if population is None else population, parameters)
    _core.check_parameters(base, parameters, arrays)
    _core.add_preset(name, meaning or about["meaning"], base, parameters)
    if base in _classes:
        _classes[name] = _classes[base]
    else:
        _classes.pop(name, None)
    if own is None:
        _define(name, base, meaning, parameters)
    else:
        kept = {
            parameter: value
            for parameter, value in own.parameters.items()
            if population is None or parameter not in DRAWN_BY
        }
        _define(name, own.task, meaning or own.meaning, {**kept, **plain_parameters(parameters)})
    _keep_population(name, arrays)


def _check_names(base: str, parameters: Iterable[str], known: Iterable[str]) -> None:
    for parameter in parameters:
        if parameter not in known:
            raise ValueError(unknown_parameter(base, parameter, known))


def _define(name: str, task: str, meaning: str | None, parameters: Mapping[str, Any]) -> None:
    """Keep what was given, with the values that the core has taken of it."""
    taken = _core.task(name)["parameters"]
    given = plain_parameters({parameter: taken[parameter] for parameter in plain_parameters(parameters)})
    _definitions[name] = Definition(task, meaning or "", given)


def _keep_population(name: str, arrays: Arrays | None) -> None:
    """Keep a population that was checked, and put it into the task's definition."""
    _populations.pop(name, None)
    if arrays is None:
        return
    population = {trait: array for trait, array in zip(_TRAITS, arrays, strict=True) if array is not None}
    _populations[name] = population
    whole = {trait: array.astype(int) if array.dtype == bool else array for trait, array in population.items()}
    listed = {trait: array.tolist() for trait, array in whole.items()}
    if all(listed["learns"]):
        del listed["learns"]
    _definitions[name] = dataclasses.replace(_definitions[name], population=listed)


def _path_of(world: type) -> str:
    return f"{world.__module__}:{world.__qualname__}"


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
