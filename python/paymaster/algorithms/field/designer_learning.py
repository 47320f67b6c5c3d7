"""How incentive designers learn, as data."""

from __future__ import annotations

from dataclasses import dataclass

from paymaster.validation.quantities import Positive, Weight
from paymaster.validation.ranges import check_fields

__all__ = ["DesignerLearning"]


@dataclass(frozen=True)
class DesignerLearning:
    """How dual-rl and metagradient learn.

    Attributes:
        learning_rate: Adam's, of the designer alone; followers that learn have their own.
        lambda_entropy: weight of the entropy of levels and goal types.
        nearness: what the nearness of a goal type counts, before training, when one is chosen.
        follower_step: of metagradient: length of the followers' learning step that it foresees, of plain gradient
            ascent.
    """

    learning_rate: Positive = 0.03
    lambda_entropy: Weight = 0.01
    nearness: Weight = 10.0
    follower_step: Positive = 1.0

    def validate(self) -> None:
        """Raise ValueError naming the first field that makes no sense, what was expected and what came."""
        check_fields(self)
