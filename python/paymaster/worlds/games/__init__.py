"""Games with known answers: small ones of the field, whose best leader is known exactly. A game is a file and a line here."""

from __future__ import annotations

from typing import Final

__all__ = ["GAMES"]

GAMES: Final = {
    "escape_room": "paymaster.worlds.games.escape_room:EscapeRoom",
}
"""Task -> import path of its world, which is imported when the task is first asked for."""
