"""What is wrong with a world of somebody's own."""

from __future__ import annotations

__all__ = ["WorldError"]


class WorldError(RuntimeError):
    """A world of your own broke a rule or failed; the text names its method, the game, and what was expected."""
