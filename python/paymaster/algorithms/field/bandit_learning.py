"""How the bandits among the field's leaders learn, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Interval

from paymaster.validation.quantities import Positive, Share, Weight
from paymaster.validation.ranges import check_fields

__all__ = ["BanditLearning"]


@dataclass(frozen=True)
class BanditLearning:
    """How leaders that are bandits learn. Rewards count in units of the highest w.

    Attributes:
        ridge: of ucb and thompson: weight of the squared coefficients in the linear models, lambda (Li et al. 2010 and
            Agrawal & Goyal 2013: 1).
        alpha: of ucb: how many standard errors of an offer's estimate are added to it while training. Li et al. prove a
            bound with 1 + sqrt(ln(2 / delta) / 2), for rewards in [0, 1], and tune it.
        deviation: of thompson: v, by which the posterior's standard deviation is scaled while training. The bound that
            Agrawal & Goyal prove asks for R sqrt(9 d ln(t / delta)), which in games this short never ends to explore.
        shares: of linear-contract: how many shares of w it chooses from: 0, 1 and those evenly between.
        share: of linear-contract: the one share that it offers, which is then not learned.
    """

    ridge: Positive = 1.0
    alpha: Weight = 1.0
    deviation: Weight = 0.3
    shares: Annotated[int, Interval(ge=2, le=1_000)] = 21
    share: Share | None = None

    def validate(self) -> None:
        """Raise ValueError naming the first field that makes no sense, what was expected and what came."""
        check_fields(self)
