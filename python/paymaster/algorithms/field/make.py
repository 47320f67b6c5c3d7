"""The field's leaders by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from paymaster.algorithms.field.bandit_learning import BanditLearning
from paymaster.algorithms.field.bayes import Bayes
from paymaster.algorithms.field.bayes_learning import BayesLearning
from paymaster.algorithms.field.designer import Designer
from paymaster.algorithms.field.designer_learning import DesignerLearning
from paymaster.algorithms.field.linear_bandits import LinUCB, ThompsonSampling
from paymaster.algorithms.field.linear_contract import LinearContract
from paymaster.algorithms.field.metagradient import MetaGradient
from paymaster.algorithms.field.offers import FieldLeader, OfferSpace
from paymaster.algorithms.leaders import FieldName

__all__ = ["READS", "make_field_leader"]

READS: Final[dict[FieldName, tuple[str, ...]]] = {
    "linear-contract": ("bandit.shares", "bandit.share"),
    "ucb": ("bandit.ridge", "bandit.alpha"),
    "thompson": ("bandit.ridge", "bandit.deviation"),
    "bayes": ("bayes.evaluations", "bayes.initial", "bayes.candidates", "bayes.margin"),
    "dual-rl": ("designer.learning_rate", "designer.lambda_entropy", "designer.nearness"),
    "metagradient": (
        "designer.learning_rate",
        "designer.lambda_entropy",
        "designer.nearness",
        "designer.follower_step",
    ),
}
"""Name -> settings that the leader reads, beside those of games and training."""


def make_field_leader(
    name: FieldName,
    space: Callable[..., OfferSpace],
    bandit: BanditLearning,
    bayes: BayesLearning,
    designer: DesignerLearning,
    seed: int,
) -> FieldLeader:
    """Return the leader of that name, which has learned nothing.

    Args:
        name: of the method.
        space: returns the offers that can be made, and what is seen, for ``all_goals`` true or false.
        bandit, bayes, designer: how it learns, of which it reads one.
        seed: of the run.

    Raises:
        ValueError: a package that it needs is not installed.
    """
    if name == "bayes":
        return Bayes(space(all_goals=Bayes.all_goals), bayes, seed)
    if name in ("dual-rl", "metagradient"):
        kind_of_designer = MetaGradient if name == "metagradient" else Designer
        return kind_of_designer(space(all_goals=Designer.all_goals), designer)
    kinds: dict[FieldName, type[LinearContract | LinUCB | ThompsonSampling]] = {
        "linear-contract": LinearContract,
        "ucb": LinUCB,
        "thompson": ThompsonSampling,
    }
    kind = kinds[name]
    return kind(space(all_goals=kind.all_goals), bandit)
