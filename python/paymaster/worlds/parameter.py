"""A parameter of a world: its default, meaning and range, declared once."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Parameter"]

_WIDEST = 2**53  # whole numbers that a float64 holds exactly


@dataclass(frozen=True)
class Parameter:
    """A keyword argument of a world's tasks: ``make(task, name=...)``, and a line of ``paymaster tasks``.

    Args:
        default: a bool, int, float or str; values given must be of its type.
        meaning: one line.
        low, high: of a number, both ends included; None leaves it open.

    Raises:
        TypeError, ValueError: a default of another type or out of its range, or a range of what is no number.
    """

    default: bool | int | float | str
    meaning: str
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.default, (bool, int, float, str)):
            raise TypeError(f"default: expected a bool, int, float or str, got {type(self.default).__name__}")
        if not isinstance(self.meaning, str) or not self.meaning:
            raise TypeError(f"meaning: expected a line of text, got {self.meaning!r:.80}")
        if isinstance(self.default, (bool, str)):
            if self.low is not None or self.high is not None:
                raise ValueError(f"low, high: expected none for a {type(self.default).__name__}, got a range")
            return
        low, high = self.range
        if not low <= self.default <= high:
            raise ValueError(f"default: expected a value in [{low:g}, {high:g}], got {self.default!r:.80}")

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        widest = float(_WIDEST) if isinstance(self.default, int) else 1e300
        return (-widest if self.low is None else self.low, widest if self.high is None else self.high)
