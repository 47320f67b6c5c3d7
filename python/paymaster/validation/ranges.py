"""Checks of settings and files by declared types: what a dataclass's annotations say is what is accepted.

A range stands beside the type, in the words of ``annotated_types``::

    @dataclass(frozen=True)
    class Settings:
        episodes: Annotated[int, Interval(ge=1, le=10**9)] = 10_000
        gamma: Annotated[float, Interval(ge=0, le=1)] = 1.0
        device: str | None = None

The same declaration serves Python (:func:`check_fields`), files (:func:`parse_json`, then :func:`from_json`) and
messages and help (:func:`described`). Types are int, float, bool, str, None, Literal, unions, list, tuple, dict with
text as keys, dataclasses of these, and Any for JSON of any kind. A bool is no number, and no number is NaN or infinite,
but for :data:`NO_LIMIT`, which is inf alone.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import operator
import re
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Annotated, Any, Literal, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge

__all__ = ["NO_LIMIT", "check_fields", "check_value", "described", "from_json", "parse_json"]

T = TypeVar("T")
NO_LIMIT: Any = Annotated[float, Ge(math.inf)]
"""The declared type of the number inf: a limit that is none."""

_DEEPEST = 32  # brackets within brackets
_WORD = 2**63  # integers lie below it in size, so that every reader and every array can hold them
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "null"}
_NAMES |= {list: "a list", tuple: "a list", dict: "an object"}
_UNIONS = (Union, types.UnionType)
_LIMITS: dict[str, tuple[Callable[[Any, Any], bool], str]] = {  # whether a value keeps it, and in words
    "ge": (operator.ge, "of at least"),
    "gt": (operator.gt, "above"),
    "le": (operator.le, "of at most"),
    "lt": (operator.lt, "below"),
    "min_length": (lambda value, least: len(value) >= least, "at least"),
    "max_length": (lambda value, most: len(value) <= most, "at most"),
}


def parse_json(data: bytes | str, where: str) -> Any:
    """Parse JSON strictly: UTF-8, one value, no entry twice, no NaN or infinity, at most 32 levels deep.

    Args:
        data: the text.
        where: what it is, for the message: a file, or a file and a line.

    Raises:
        ValueError: it is anything else.
    """
    try:
        text = data.decode() if isinstance(data, bytes) else data
        if text.count("[") + text.count("{") > _DEEPEST:
            _check_depth(text)
        return json.loads(text, object_pairs_hook=_entries, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise ValueError(f"{where}: expected JSON of at most {_DEEPEST} levels, got more") from None
    except ValueError as error:
        raise ValueError(f"{where}: expected JSON, got something else or a damaged file ({error})") from None


def from_json(kind: type[T], value: Any, where: str, field: str = "") -> T:
    """Make a dataclass, or another declared type, of parsed JSON.

    Args:
        kind: the type. All fields of a dataclass must be there, and no others.
        value: what :func:`parse_json` returned, or a part of it.
        where: the file, for messages; empty where there is none.
        field: of which the value is.

    Raises:
        ValueError: a value of another type or out of its range; names the field, what was expected and what came.
    """
    at, then = (f"{where}: {field}", ".") if field else (where, ": " if where else "")
    made: T = _made(kind, value, at, then)
    return made


def check_value(kind: Any, value: Any, name: str) -> Any:
    """Return ``value`` as a declared type has it: a whole number as a float where it declares one.

    Raises:
        ValueError: it does not fit; says ``name``, what was expected and what came.
    """
    return _made(kind, value, name)


def check_fields(settings: Any, where: str = "") -> None:
    """Check the values in a dataclass, and in dataclasses within it, against their declared types and ranges.

    Raises:
        ValueError: the first that does not fit; names the field, what was expected and what came.
    """
    for name, kind in _fields(type(settings)).items():
        value, at = getattr(settings, name), f"{where}.{name}" if where else name
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            check_fields(value, at)
        else:
            _made(kind, value, at)


def described(kind: Any) -> str:
    """Say in words what a declared type accepts, such as "a whole number in [1, 100]"."""
    if kind == NO_LIMIT:
        return "inf"
    kind, limits = _split(kind)
    if get_origin(kind) is Literal:
        choices = [str(choice) for choice in get_args(kind)]
        return choices[0] if len(choices) == 1 else f"one of {', '.join(choices)}"
    if get_origin(kind) in _UNIONS:
        return " or ".join(described(one) for one in get_args(kind))
    if dataclasses.is_dataclass(kind):
        return f"an object with the fields {', '.join(_fields(kind))}"
    return _NAMES.get(get_origin(kind) or kind, "JSON") + _range_in_words(limits)


def _made(kind: Any, value: Any, where: str, then: str = ".") -> Any:
    """The value as the type has it; ``then`` stands between where it is and a field of it."""
    declared = kind
    if kind == NO_LIMIT and isinstance(value, float) and value == math.inf:
        return value
    kind, limits = _split(kind)
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _made_dataclass(kind, value, where, then)
    if origin in _UNIONS:
        return _made_one_of(arguments, declared, value, where)
    if origin is Literal:
        if not any(type(value) is type(choice) and value == choice for choice in arguments):
            _refuse(where, declared, value)
        return value
    if kind is Any:
        return value
    if not _is_a(origin, value) or not all(_LIMITS[name][0](value, limit) for name, limit in limits.items()):
        _refuse(where, declared, value)
    if origin is dict:
        return {name: _made(arguments[1], item, f"{where}.{name:.80}") for name, item in value.items()}
    if origin in (list, tuple):
        each = [_made(one, item, f"{where}[{i}]") for i, (one, item) in enumerate(_items(kind, value, where))]
        return origin(each)
    return float(value) if kind is float else value


def _made_dataclass(kind: Any, value: Any, where: str, then: str) -> Any:
    if not isinstance(value, Mapping):
        _refuse(where, kind, value)
    fields = _fields(kind)
    for name in value:
        if name not in fields:
            like = difflib.get_close_matches(str(name)[:80], fields, n=1)
            got = f"another (did you mean {like[0]}?)" if like else "another"
            raise ValueError(f"{where}{then}{_said(name)}: expected one of the fields {', '.join(fields)}, got {got}")
    for name in fields:
        if name not in value:
            raise ValueError(f"{where}{then}{name}: expected {described(fields[name])}, got nothing")
    made = {name: _made(one, value[name], f"{where}{then}{name}") for name, one in fields.items()}
    try:
        return kind(**made)
    except ValueError as error:  # what a class checks by itself
        raise ValueError(f"{where}: {error}" if where else str(error)) from None


def _made_one_of(kinds: tuple[Any, ...], declared: Any, value: Any, where: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    named = [one for one in kinds if one is not type(None)]
    if len(named) == 1 and dataclasses.is_dataclass(_split(named[0])[0]):
        return _made(named[0], value, where)  # says what is wrong inside
    wanted = dict if isinstance(value, Mapping) else list if isinstance(value, list | tuple) else None
    within = [one for one in named if wanted is not None and get_origin(_split(one)[0]) is wanted]
    if len(within) == 1:
        return _made(within[0], value, where)  # the same
    for one in named:
        with suppress(ValueError):
            return _made(one, value, where)
    return _refuse(where, declared, value)


def _items(kind: Any, value: Any, where: str) -> Iterator[tuple[Any, Any]]:
    """Each item of a list with its type."""
    arguments = get_args(kind)
    if get_origin(kind) is not tuple or arguments[-1] is Ellipsis:
        return ((arguments[0], item) for item in value)
    if len(value) != len(arguments):
        raise ValueError(f"{where}: expected {len(arguments)} items, got {len(value)}")
    return zip(arguments, value, strict=True)


def _is_a(kind: Any, value: Any) -> bool:
    """Whether a value is of a plain type."""
    if isinstance(value, bool):
        return kind is bool
    if isinstance(value, int) and not -_WORD < value < 2 * _WORD:
        return False
    if kind is float:
        return isinstance(value, int | float) and math.isfinite(value)
    if kind in (list, tuple):
        return isinstance(value, list | tuple)
    if kind is dict:
        return isinstance(value, Mapping) and all(isinstance(name, str) for name in value)
    if kind is str:
        return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)
    return isinstance(value, kind)


def _split(kind: Any) -> tuple[Any, dict[str, Any]]:
    """A type and its limits, by the names that ``annotated_types`` gives them."""
    if get_origin(kind) is not Annotated:
        return kind, {}
    plain, *notes = get_args(kind)
    found = [(name, getattr(note, name, None)) for note in notes for name in _LIMITS]
    return plain, {name: limit for name, limit in found if limit is not None}


def _found_fields(kind: Any) -> Mapping[str, Any]:
    """Fields that the constructor takes, with their types."""
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind) if field.init}


_fields: Callable[[Any], Mapping[str, Any]] = cache(_found_fields)
"""The same, found once a class: that takes longer than checking the values."""


def _range_in_words(limits: dict[str, Any]) -> str:
    low, high = limits.get("ge", limits.get("gt")), limits.get("le", limits.get("lt"))
    if low is not None and high is not None:
        return f" in {'[' if 'ge' in limits else '('}{_number(low)}, {_number(high)}{']' if 'le' in limits else ')'}"
    parts = [f"{words} {_number(limits[name])}" for name, (_, words) in _LIMITS.items() if name in limits]
    lengths = " of length" if "min_length" in limits or "max_length" in limits else ""
    return f"{lengths} {' and '.join(parts)}" if parts else ""


def _number(value: Any) -> str:
    if isinstance(value, int) and value >= 2**31 and value.bit_count() == 1:
        return f"2^{value.bit_length() - 1}"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _refuse(where: str, kind: Any, value: Any) -> NoReturn:
    raise ValueError(f"{where}: expected {described(kind)}, got {_said(value)}")


def _said(value: Any) -> str:
    """A value for a message, however large."""
    if isinstance(value, int) and value.bit_length() > 200:
        return f"a whole number of {value.bit_length()} bits"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _check_depth(text: str) -> None:
    depth = 0
    for token in _TOKEN.finditer(text):
        first = token.group()[0]
        depth += (first in "[{") - (first in "]}")
        if depth > _DEEPEST:
            raise RecursionError


def _entries(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{_said(twice)} stands there twice")
    return entries


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits[:20]} is too large a number")
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
