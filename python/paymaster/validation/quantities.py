"""Kinds of numbers in settings, each declared once; :mod:`paymaster.validation.ranges` checks and describes them."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from annotated_types import Ge, Gt, Interval

__all__ = ["Epochs", "Positive", "Share", "Size", "Weight", "Width"]

Share: TypeAlias = Annotated[float, Interval(ge=0, le=1)]
Positive: TypeAlias = Annotated[float, Gt(0)]
Weight: TypeAlias = Annotated[float, Ge(0)]
Size: TypeAlias = Annotated[int, Ge(1)]
Epochs: TypeAlias = Annotated[int, Interval(ge=1, le=1_000)]
Width: TypeAlias = Annotated[int, Interval(ge=1, le=4_096)]
