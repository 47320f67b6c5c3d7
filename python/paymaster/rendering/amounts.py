"""Amounts of money as pictures have room for them."""

from __future__ import annotations

__all__ = ["short"]

_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def short(amount: float) -> str:
    """Return an amount in about four signs: 2, 0.5, 1.64, 127, 1.4k, 51.4k."""
    size = abs(amount)
    if size == 0:
        return "0"
    if size < 0.005:
        return f"{amount:.1g}"
    if size < 99.995:
        return f"{amount:.2f}".rstrip("0").rstrip(".")
    if size < 999.5:
        return f"{amount:.0f}"
    unit, letter = next((one for one in _UNITS if size >= 0.9995 * one[0]), _UNITS[-1])
    return f"{amount / unit:.3g}{letter}"
