"""Parametrisation of which a covering part is fast, and the rest slow."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

__all__ = ["rest_slow"]


def rest_slow(values: Iterable[Any], fast: Callable[[Any], bool]) -> list[Any]:
    """Return the values to parametrise by; those that are not ``fast`` are left to `pytest -m slow`."""
    return [
        value
        if fast(value)
        else pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.slow)
        for value in values
    ]
