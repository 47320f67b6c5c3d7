"""Checks that learners' settings share: each raises ValueError with the field, what was expected and what came."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["check_above_zero", "check_not_below_zero", "check_shares"]


def check_shares(settings: Any, *names: str) -> None:
    """Fields in [0, 1]."""
    for name in names:
        share = getattr(settings, name)
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"{name}: expected a number in [0, 1], got {share}")


def check_above_zero(settings: Any, *names: str) -> None:
    """Finite fields above 0."""
    for name in names:
        size = getattr(settings, name)
        if not (size > 0.0 and math.isfinite(size)):
            raise ValueError(f"{name}: expected a finite number above 0, got {size}")


def check_not_below_zero(settings: Any, *names: str) -> None:
    """Finite fields of at least 0."""
    for name in names:
        weight = getattr(settings, name)
        if not (weight >= 0.0 and math.isfinite(weight)):
            raise ValueError(f"{name}: expected a finite number of at least 0, got {weight}")
