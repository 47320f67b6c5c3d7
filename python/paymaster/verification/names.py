"""Names of the known answers' games and scales, for the command, which reads no torch for them."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

__all__ = ["ANSWERS", "AnswerName", "VerifyScale"]

AnswerName: TypeAlias = Literal[
    "escape_room", "iterated_dilemma", "contract_tree", "matrix_game", "coin_game", "k_implementation"
]
VerifyScale: TypeAlias = Literal["small", "full"]

ANSWERS: Final[tuple[AnswerName, ...]] = (
    "escape_room",
    "iterated_dilemma",
    "contract_tree",
    "matrix_game",
    "coin_game",
    "k_implementation",
)
