"""Checks of arguments that come from users: what was expected, what came."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paymaster import _core

__all__ = [
    "DRAWN_BY",
    "array_of",
    "as_array",
    "check_array",
    "check_int",
    "check_no_options",
    "identities_of",
    "map_text",
    "population_arrays",
    "refuse_draw",
    "reset_mask",
    "seed_of",
    "seeds_of",
]

DRAWN_BY = ("named_population", "population_seed", "skills_per_follower", "preference_among_skills", "max_reservation")
"""Parameters that say how to draw a population."""

_LONGEST_MAP = 65536  # GridMap::kMaxText: 4,096 cells, and empty lines around them


def check_int(name: str, value: Any, low: int, high: int) -> int:
    """``value`` as an int in [low, high]. Raises TypeError or ValueError naming ``name``."""
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: expected an int, got {type(value).__name__}")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected an int, got {type(value).__name__}") from None
    if not low <= number <= high:
        bits = number.bit_length()
        came = str(number) if bits <= 512 else f"one of {bits} bits"
        raise ValueError(f"{name}: expected a value in [{low}, {high}], got {came}")
    return number


def as_array(name: str, value: ArrayLike) -> NDArray[Any]:
    """``value`` as an array. Raises ValueError naming ``name`` where its parts differ in length."""
    try:
        return np.asarray(value)
    except ValueError:
        raise ValueError(f"{name}: expected an array, got sequences of different lengths") from None


def array_of(name: str, value: ArrayLike, kinds: str, expected: str) -> NDArray[Any]:
    """``value`` as an array whose dtype is of one of the ``kinds``, as NumPy's letters have them.

    Raises TypeError naming ``name`` and what was ``expected``, or ValueError as :func:`as_array`.
    """
    array = as_array(name, value)
    if array.dtype.kind not in kinds:
        raise TypeError(f"{name}: expected {expected}, got {array.dtype}")
    return array


def map_text(text: Any) -> Any:
    """Return a map's text without its byte-order mark, its lines ended by "\\n" alone; anything but a str as it is.

    Raises:
        ValueError: far too long, or another character than '#', '.' and ' ' (the core checks its shape).
    """
    if not isinstance(text, str):
        return text
    if len(text) > _LONGEST_MAP:
        raise ValueError(f"map: expected at most {_LONGEST_MAP} characters, got {len(text)}")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")  # as Python reads a text file
    for row, line in enumerate(text.strip("\n").split("\n")):
        for column, sign in enumerate(line):
            if sign not in "#. ":
                raise ValueError(
                    f"map: expected '#' for wall or '.' for free, got {sign!r:.80} at row {row}, column {column}"
                )
    return text


def check_array(
    name: str, value: ArrayLike, dtype: str, shape: tuple[int, ...], low: float, high: float
) -> NDArray[Any]:
    """``value`` as an array of ``dtype`` and ``shape`` with entries in [low, high] (a NaN is in no range).

    Integers are accepted where floats are expected, never the other way round.
    Raises TypeError (dtype) or ValueError (shape, range) naming ``name``.
    """
    array = array_of(name, value, {"b": "b", "i": "iu", "f": "fiu"}[np.dtype(dtype).kind], f"dtype {dtype}")
    if array.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, got {array.shape}")
    inside = (array >= low) & (array <= high)
    if not inside.all():
        came = array[~inside].flat[0]
        ends = [end if isinstance(end, int) else f"{end:.17g}" for end in (low, high)]
        raise ValueError(f"{name}: expected values in [{ends[0]}, {ends[1]}], got {came}")
    if array.dtype.kind == "b":  # each byte 0 or 1, whatever it was
        array = np.ascontiguousarray(array).view(np.uint8) != 0
    return np.ascontiguousarray(array, dtype=dtype)


def population_arrays(
    task: str, population: Mapping[str, ArrayLike] | str | None, parameters: dict[str, Any]
) -> tuple[NDArray[Any] | None, ...] | None:
    """The arrays of a population given by the user, checked; sets ``parameters['population_size']`` to match. A name is
    the parameter ``named_population``."""
    if population is None:
        return None
    if isinstance(population, str):
        given = parameters.get("named_population")
        if given not in (None, population):
            raise ValueError(f"named_population: expected none beside population={population!r:.80}, got {given!r:.80}")
        parameters["named_population"] = population
        return None
    if parameters.get("named_population") not in (None, "drawn"):
        name = parameters["named_population"]
        raise ValueError(f"population: expected none beside named_population={name!r:.80}, got arrays")
    if not isinstance(population, Mapping):
        raise TypeError(f"population: expected a dict of arrays or a name, got {type(population).__name__}")
    names, more = ("skill", "preference", "reservation"), ("learns", "utility", "cost", "weight")
    if set(population) - set(more) != set(names):
        raise ValueError(
            f"population: expected the keys {', '.join(names)}, and {', '.join(more)} if you like, got "
            f"{', '.join(map(str, population)):.80}"
        )
    goals = parameters.get("num_goals")
    if goals is None:
        goals = _core.task(task)["parameters"]["num_goals"] if _core.has_task(task) else 4
    goals = check_int("num_goals", goals, 1, _core.MAX_GOALS)
    skill = as_array("population skill", population["skill"])
    if skill.ndim != 2 or len(skill) == 0:
        raise ValueError(f"population skill: expected shape [P, {goals}] with P >= 1, got {skill.shape}")
    size = len(skill)
    refuse_draw(task, parameters, "beside a population", goals)
    if parameters.get("population_size") is None:
        parameters["population_size"] = size
    if parameters["population_size"] != size:
        raise ValueError(f"population_size: expected {size} as in population, got {parameters['population_size']}")
    return (
        check_array("population skill", skill, "bool", (size, goals), 0, 1),
        check_array("population preference", population["preference"], "int32", (size,), 0, goals - 1),
        check_array("population reservation", population["reservation"], "float32", (size,), 0, _core.MAX_RESERVATION),
        check_array("population learns", population.get("learns", np.ones(size, dtype=bool)), "bool", (size,), 0, 1),
        _table("utility", population.get("utility"), (size, goals), -1e6),
        _table("cost", _to_each_type(population.get("cost"), size, goals), (size, goals), 0.0),
        _table("weight", population.get("weight"), (size,), 0.0),
    )


def refuse_draw(task: str, parameters: Mapping[str, Any], where: str, goals: int) -> None:
    """Refuse parameters that say how to draw a population, where one is given: they would have no effect.

    Args:
        task: whose own values are accepted; "" for none.
        parameters: of the games.
        where: it stands, for the message.
        goals: G, to which ``skills_per_follower`` may be lowered.

    Raises:
        ValueError: the first of them.
    """
    preset = _core.task(task)["parameters"] if _core.has_task(task) else {}
    for name in DRAWN_BY:
        value, usual = parameters.get(name), preset.get(name)
        lowered = name == "skills_per_follower" and value == goals
        if value is not None and value != usual and not lowered:
            raise ValueError(f"{name}: expected none {where}, got {value!r:.80}")


def _table(name: str, value: ArrayLike | None, shape: tuple[int, ...], low: float) -> NDArray[Any] | None:
    return None if value is None else check_array(f"population {name}", value, "float32", shape, low, 1e6)


def _to_each_type(value: ArrayLike | None, size: int, goals: int) -> ArrayLike | None:
    """One number a follower as one a follower and goal type."""
    if value is None:
        return None
    array = as_array("population cost", value)
    if array.shape not in ((size,), (size, goals)):
        raise ValueError(f"population cost: expected shape ({size}, {goals}), or ({size},), got {array.shape}")
    return np.repeat(array[:, None], goals, axis=1) if array.ndim == 1 else array


def identities_of(value: ArrayLike, size: int) -> list[int]:
    """Members of a population of ``size`` as a list. Raises TypeError or ValueError."""
    array = as_array("identities", value)
    if array.ndim != 1:
        raise ValueError(f"identities: expected shape (R,), got {array.shape}")
    if array.dtype.kind not in "iu" and array.size > 0:
        raise TypeError(f"identities: expected an integer dtype, got {array.dtype}")
    return [check_int("identities", identity, 0, size - 1) for identity in array.tolist()]


def check_no_options(options: Any) -> None:
    """Refuses ``options`` of a reset that has none. Raises TypeError or ValueError."""
    if options is not None and not isinstance(options, dict):
        raise TypeError(f"options: expected a dict, got {type(options).__name__}")
    if options:
        raise ValueError(f"options: expected none, got {sorted(map(str, options))[0]!r:.80}")


def seed_of(seed: Any) -> int:
    """The seed of new games: the one given or, for None, one from the operating system's entropy.

    Raises:
        TypeError, ValueError: neither None nor an int in [0, 2**64).
    """
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0] >> np.uint64(1))  # fits an int64
    return check_int("seed", seed, 0, 2**64 - 1)


def seeds_of(seed: Any, num_envs: int) -> list[int] | None:
    """A seed for each of B games from one for all, from B of them, or from none. Raises TypeError or ValueError."""
    if seed is None:
        return None
    several = isinstance(seed, Sequence) and not isinstance(seed, (str, bytes))
    if several or (isinstance(seed, np.ndarray) and seed.ndim > 0):
        if len(seed) != num_envs:
            raise ValueError(f"seed: expected {num_envs} seeds, got {len(seed)}")
        if all(s is None for s in seed):
            return None
        return [check_int("seed", s, 0, 2**64 - 1) for s in seed]
    return [check_int("seed", seed, 0, 2**64 - 1)] * num_envs


def reset_mask(options: Mapping[str, Any] | None, num_envs: int) -> NDArray[np.bool_] | None:
    """The games that ``reset(options={"reset_mask": bool[B]})`` names. Raises TypeError or ValueError."""
    if options is not None and not isinstance(options, Mapping):
        raise TypeError(f"options: expected a dict, got {type(options).__name__}")
    if not options:
        return None
    unknown = set(options) - {"reset_mask"}
    if unknown:
        raise ValueError(f"options: expected only 'reset_mask', got {sorted(map(str, unknown))[0]!r:.80}")
    mask = array_of("reset_mask", options["reset_mask"], "b", "dtype bool")
    if mask.shape != (num_envs,):
        raise ValueError(f"reset_mask: expected shape ({num_envs},), got {mask.shape}")
    return mask
