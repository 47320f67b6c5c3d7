"""A rule for offers with four parameters, each in [0, 1]: what a person would write down who knows the history."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from paymaster import _core
from paymaster.algorithms.field.linear_contract import levels_of_shares
from paymaster.algorithms.field.offers import NEARNESS, REACHABLE, OfferSpace, first_best

__all__ = ["PARAMETERS", "offers_by_rule"]

PARAMETERS: Final = ("share", "enough", "record", "crowd")
"""Names of the parameters, in their order."""

_OTHERS: Final = 5  # place among a goal type's features: share of the other followers with an offer of it
_HISTORY: Final[int] = _core.GOAL_FEATURES_NOW  # acceptance [K], how often tried [K], outcome, how often there was one


def offers_by_rule(parameters: Tensor, goal: Tensor, space: OfferSpace) -> Tensor:
    """Return the rule's offers, flat, int64 [B, N].

    The goal type is the one within reach with the highest

        (1 - record) nearness + record completed - crowd others

    where ``completed`` is the share of the follower's contracts of this type that it completed, 1 before there was one,
    and ``others`` the share of the others that are offered this type. The level is the lowest that the follower has
    accepted in a share ``enough`` of the trials, or that was never tried; at most the one whose price is nearest to the
    share ``share`` of w. A follower that reaches nothing is offered "none" where there is such, else the first type.

    Args:
        parameters: by :data:`PARAMETERS`, [4].
        goal: features of all goal types, float [B, N, G, D].
        space: the offers.
    """
    share, enough, record, crowd = parameters.tolist()
    levels, reachable = space.num_bonuses, goal[..., REACHABLE] > 0
    past = goal[..., _HISTORY : _HISTORY + 2 * levels + 2]
    accepted, tried = past[..., :levels], past[..., levels : 2 * levels] > 0
    completed = torch.where(past[..., -1] > 0, past[..., -2], 1.0)
    score = (1.0 - record) * goal[..., NEARNESS] + record * completed - crowd * goal[..., _OTHERS]
    score = score.masked_fill(~reachable, -torch.inf)
    place = first_best(score)
    most = levels_of_shares(torch.tensor([share]), space.goal_reward, space.price)[0]  # [G]
    level = torch.arange(levels)
    works = (accepted >= enough) | ~tried
    works = (works & (level <= most.unsqueeze(-1))) | (level == most.unsqueeze(-1))
    lowest = works.int().argmax(-1)  # [B, N, G]
    offer: Tensor = place * levels + lowest.gather(-1, place.unsqueeze(-1)).squeeze(-1)
    if space.abstain:
        offer = offer.masked_fill(~reachable.any(-1), space.num_offers - 1)
    return offer
