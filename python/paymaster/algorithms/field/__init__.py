"""Methods of the field: what others would try first, by name, in the same games and the same training loop."""

from paymaster.algorithms.field.bandit_learning import BanditLearning
from paymaster.algorithms.field.bayes_learning import BayesLearning
from paymaster.algorithms.field.designer_learning import DesignerLearning
from paymaster.algorithms.field.make import READS, make_field_leader
from paymaster.algorithms.field.offers import FieldLeader, OfferSpace

__all__ = [
    "READS",
    "BanditLearning",
    "BayesLearning",
    "DesignerLearning",
    "FieldLeader",
    "OfferSpace",
    "make_field_leader",
]
