"""Hostile arguments: values that no caller should send, and mutations of those that callers do send."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

__all__ = ["Raised", "array_like", "hostile", "integer", "mutated", "number", "text"]

_EDGES = (0, 1, 7, 8, 15, 16, 31, 62, 63, 64, 254, 255, 256, 10_000, 2**15, 2**16, 2**31, 2**32, 2**53, 2**62, 2**63)
_DTYPES = ("bool", "int8", "uint8", "int16", ">i4", "int32", "int64", "uint64", "float16", "float32", "float64",
           "complex128", "object", "U3", "S3", "datetime64[s]", "timedelta64[s]")  # fmt: skip
_NAMES = ("task", "goal", "num_envs", "seed", "map", "offer", "reset_mask", "__class__", "self", "", "skill", "done")


class Raised(Exception):  # noqa: N818  (it is raised by a value, not by the package)
    """What a hostile value itself raises when it is looked at; a call may let it through."""


class _Raises:
    """Raises wherever Python asks it for a number, an array, its length or its text."""

    def _raise(self, *_: Any, **__: Any) -> Any:
        raise Raised

    __index__ = __int__ = __float__ = __len__ = __bool__ = __array__ = __iter__ = __str__ = __hash__ = _raise
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = _raise

    def __repr__(self) -> str:
        return "Raises()"


class _Liar:
    """Claims to be a number that it is not."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def __index__(self) -> Any:
        return self._answer

    __int__ = __float__ = __len__ = __index__


def integer(draw: Random) -> int:
    """An int at, near or far beyond an edge."""
    return draw.choice((1, -1)) * draw.choice(_EDGES) + draw.choice((-1, 0, 0, 1)) + draw.choice((0, 0, 0, 2**70))


def number(draw: Random) -> Any:
    """An int, a float or one of NumPy's, finite or not."""
    kinds: tuple[Callable[[], Any], ...] = (
        lambda: integer(draw),
        lambda: draw.choice((math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, -0.0, 1e-9, 0.5, 1e6, 1e7)),
        lambda: draw.uniform(-2, 2),
        lambda: np.float32(draw.choice((math.nan, 3e38, 0.1))),
        lambda: np.int64(draw.randrange(-(2**63), 2**63)),
        lambda: np.uint64(draw.randrange(2**64)),
        lambda: draw.choice((True, False, np.True_)),
        lambda: 10**400,
    )
    return draw.choice(kinds)()


def text(draw: Random) -> str:
    """A str with what texts may hold and parsers fall over: surrogates, NUL, markup, maps, paths, much of it."""
    kinds: tuple[Callable[[], str], ...] = (
        lambda: draw.choice(_NAMES),
        lambda: draw.choice(
            ("\ud800", "a\udcff", "\0", "[/b]", "[red]", "%s%n", "{}", "\ufeff###", "é" * 9, "../..", "~")
        ),
        lambda: "".join(draw.choice("#. \n\t\r\0é\ud800a0-=[]") for _ in range(draw.randrange(40))),
        lambda: draw.choice("#.x\n[{(") * draw.choice((1, 100, 5_000, 70_000)),
        lambda: "\n".join("#" * 9 if row in (0, 8) else "#" + "." * 7 + "#" for row in range(9)),
        lambda: str(integer(draw)),
    )
    return draw.choice(kinds)()


def array_like(draw: Random) -> Any:
    """An array of any kind, few axes and odd layout, or nested lists."""
    shape = tuple(draw.choice((0, 1, 2, 2, 3, 4, 5)) for _ in range(draw.randrange(5)))
    dtype = draw.choice(_DTYPES)
    count = math.prod(shape)
    if dtype == "object":
        flat = np.array([None, "x", 1, Raised][: max(1, count)] * max(1, count), dtype=object)[:count]
    elif dtype[0] in "US" or dtype.startswith(("date", "time")):
        flat = np.zeros(count, dtype=dtype)
    else:
        with np.errstate(all="ignore"):
            flat = np.array([draw.choice((0, 1, 1, 2, 3, 100, 255)) for _ in range(count)], dtype="float64").astype(
                dtype
            )
            if dtype.startswith("float") and count:
                flat[draw.randrange(count)] = draw.choice((math.nan, math.inf, -1.0, 0.5))
    array = flat.reshape(shape)
    if draw.random() < 0.2 and array.ndim:
        array = array[::-1]
    if draw.random() < 0.2:
        array = array.T
    if draw.random() < 0.1:
        array.flags.writeable = False
    return array.tolist() if draw.random() < 0.2 else array


def hostile(draw: Random) -> Any:
    """Anything."""
    kinds: tuple[Callable[[], Any], ...] = (
        lambda: number(draw),
        lambda: number(draw),
        lambda: text(draw),
        lambda: array_like(draw),
        lambda: array_like(draw),
        lambda: draw.choice((None, ..., NotImplemented, (), [], {}, set(), b"", b"\xff" * 70, object, len)),
        lambda: draw.choice(
            (_Raises(), _Liar(-1), _Liar(2**80), _Liar("x"), _Liar(None), [_Raises()], {"a": _Raises()})
        ),
        lambda: {text(draw): number(draw) for _ in range(draw.randrange(3))},
        lambda: [[0, 1], [0]],
        lambda: range(draw.choice((0, 2, 3))),
        lambda: complex(0, 1),
        lambda: memoryview(b"12345678"),
    )
    return draw.choice(kinds)()


def mutated(draw: Random, array: Any) -> Any:
    """A legal array with something wrong: an entry, its dtype, its shape, its layout."""
    array = np.array(array)
    kind = draw.randrange(7)
    if kind == 0 and array.size:
        position = draw.randrange(array.size)
        value = number(draw)
        try:
            with np.errstate(all="ignore"):
                array.reshape(-1)[position] = value
        except (OverflowError, ValueError, TypeError):
            array = array.astype(object)
            array.reshape(-1)[position] = value
        return array
    if kind == 1:
        try:
            with np.errstate(all="ignore"):
                return array.astype(draw.choice(_DTYPES))
        except (ValueError, TypeError):
            return array.astype(object)
    if kind == 2 and array.ndim:
        return array[:-1]
    if kind == 3:
        return array[None]
    if kind == 4:
        return np.concatenate((array, array), axis=-1) if array.ndim else [array, array]
    if kind == 5:
        return array.T
    return array.tolist()
