"""Games with known answers: small ones of the field, whose best leader is known. A game is a file and a line here."""

from __future__ import annotations

from typing import Final

__all__ = ["GAMES"]

GAMES: Final = {
    "escape_room": "paymaster.worlds.games.escape_room:EscapeRoom",
    "iterated_dilemma": "paymaster.worlds.games.iterated_dilemma:IteratedDilemma",
    "matrix_game": "paymaster.worlds.games.matrix_game:MatrixGame",
    "contract_tree": "paymaster.worlds.games.contract_tree:ContractTree",
    "coin_game": "paymaster.worlds.games.coin_game:CoinGame",
}
"""Task -> import path of its world, which is imported when the task is first asked for."""
