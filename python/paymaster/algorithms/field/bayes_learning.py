"""How a leader searches by Bayesian optimisation, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Interval

from paymaster.validation.quantities import Weight
from paymaster.validation.ranges import check_fields

__all__ = ["BayesLearning"]


@dataclass(frozen=True)
class BayesLearning:
    """How bayes searches for the parameters of its offer rule.

    Attributes:
        evaluations: parameters that it tries, each for a batch of episodes; then it plays the best of them.
        initial: the first so many of them are spread evenly (a scrambled Sobol sequence), before there is a model.
        candidates: random parameters among which the highest expected improvement is looked for.
        margin: xi, the improvement in standard deviations of the returns that does not count (Lizotte 2008: 0.01).
    """

    evaluations: Annotated[int, Interval(ge=2, le=1_000)] = 100
    initial: Annotated[int, Interval(ge=1, le=1_000)] = 10
    candidates: Annotated[int, Interval(ge=1, le=100_000)] = 2_000
    margin: Weight = 0.01

    def validate(self) -> None:
        """Raise ValueError naming the first field that makes no sense, what was expected and what came."""
        check_fields(self)
        if self.initial > self.evaluations:
            raise ValueError(f"initial: expected at most evaluations = {self.evaluations}, got {self.initial}")
