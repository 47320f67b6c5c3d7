"""Games in which leaders were not trained, by name, after the manner of M3RL's tests (Shu & Tian 2019)."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final

from paymaster.envs.replacement import Replacement

__all__ = ["CONDITIONS", "Condition"]

_MAPS: Final = files(__package__) / "maps"
_FIRST_STRANGERS: Final = 1_000  # population_seed of the strangers of a leader trained with seed 0


@dataclass(frozen=True)
class Condition:
    """How the games differ from those of training.

    Attributes:
        parameters: departures from the training's games.
        strangers: another population, of which nothing is known yet.
        replacement: members of it who leave for others as the episodes go.
    """

    parameters: dict[str, Any] = field(default_factory=dict)
    strangers: bool = False
    replacement: Replacement | None = None

    def parameters_of(self, seed: int) -> dict[str, Any]:
        """Return the departures for a leader trained with that seed, whose strangers are its own."""
        return {**self.parameters, **({"population_seed": _FIRST_STRANGERS + seed} if self.strangers else {})}


CONDITIONS: Final = {
    "": Condition(),
    **{f"N = {number}": Condition({"num_followers": number}) for number in (2, 3, 6, 8)},
    **{f"map {name}": Condition({"map": (_MAPS / f"{name}.txt").read_text()}) for name in ("pillars", "rooms")},
    "strangers": Condition(strangers=True),
    **{f"strangers, 25 % replaced every {every}": Condition({}, True, Replacement(0.25, every)) for every in (200, 50)},
}
"""Name -> condition; "" is that of training. On maps followers walk, so that the plane has none."""
