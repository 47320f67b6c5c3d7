"""The leader's policy mu over offers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from paymaster.networks.narrow import log_softmax

__all__ = ["OfferPolicy", "UnsharedOfferPolicy"]


class OfferPolicy(nn.Module):
    """mu^k(omega | s, a-hat, h) = p(g | c^k) p(b | g, c^k): the goal first, then its bonus (Sec. 4.2).

    One small network, shared by all goal types, reads c^k and the goal type's own features and gives the
    logit of that goal and the logits of its bonuses. With separate heads per goal type, blind to those
    features, dense EBPG collapsed to one offer per episode when this was first tried.

    Args:
        num_bonuses: K, bonus levels per goal type.
        goal_features: D, features per goal type.
        hidden: width H of the code c^k and of the hidden layer.
        abstain: adds the offer "none", whose logit is read off c^k, as one more goal without bonuses.
        sequential: else the bonus is drawn from p(b | c^k), knowing nothing of the goal (M3RL).
    """

    def __init__(
        self, num_bonuses: int, goal_features: int, hidden: int, abstain: bool = False, sequential: bool = True
    ) -> None:
        super().__init__()
        self.code = nn.Linear(hidden, hidden)
        self.goal = nn.Linear(goal_features, hidden, bias=False)
        self.out = nn.Linear(hidden, 1 + num_bonuses if sequential else 1)
        self.bonus = None if sequential else nn.Linear(hidden, num_bonuses)
        self.abstain = nn.Linear(hidden, 1) if abstain else None

    def forward(self, code: Tensor, goal: Tensor) -> Tensor:
        """Maps c [..., N, H] and goal features [..., N, G, D] to log mu [..., N, O], O = G K (+ 1)."""
        own = self.code(code)
        logits = self.out(torch.relu(self.goal(goal) + own.unsqueeze(-2)))
        goal_logits = logits[..., 0]
        bonus_logits = logits[..., 1:] if self.bonus is None else self.bonus(torch.relu(own)).unsqueeze(-2)
        log_bonus = log_softmax(bonus_logits)
        if self.abstain is not None:
            goal_logits = torch.cat((goal_logits, self.abstain(code)), dim=-1)
        return _of_offers(log_softmax(goal_logits), log_bonus, abstains=self.abstain is not None)


class UnsharedOfferPolicy(nn.Module):
    """mu^k(omega | s, a-hat, h) with goal types that share no weights: each has logits of its own, read off c^k.

    As M3RL and the paper's method on it have their heads (Shu & Tian 2019): a hidden layer, then a goal's logit is one
    of G plain outputs. The heads see no features of the goal types, so what is known of them has to be in c^k.

    Args:
        num_goals: G, goal types.
        num_bonuses: K, bonus levels per goal type.
        hidden: width H of the code c^k and of the hidden layer.
        abstain: adds the offer "none" as one more goal without bonuses.
        sequential: a goal type has K bonus logits of its own, p(b | g, c^k); else all have the same K, p(b | c^k).
    """

    def __init__(
        self, num_goals: int, num_bonuses: int, hidden: int, abstain: bool = False, sequential: bool = True
    ) -> None:
        super().__init__()
        self.num_bonuses, self.abstains = num_bonuses, abstain
        self.code = nn.Linear(hidden, hidden)
        self.goal = nn.Linear(hidden, num_goals + abstain)
        self.bonus = nn.Linear(hidden, num_goals * num_bonuses if sequential else num_bonuses)

    def forward(self, code: Tensor, goal: Tensor) -> Tensor:
        """Map c [..., N, H] to log mu [..., N, O], O = G K (+ 1); goal features [..., N, G, D] count for nothing."""
        own = torch.relu(self.code(code))
        log_goal = log_softmax(self.goal(own))
        log_bonus = log_softmax(self.bonus(own).unflatten(-1, (-1, self.num_bonuses)))
        return _of_offers(log_goal, log_bonus, abstains=self.abstains)


def _of_offers(log_goal: Tensor, log_bonus: Tensor, *, abstains: bool) -> Tensor:
    """log mu [..., O] from log p(g) [..., G (+ 1)], "none" last, and log p(b | g) [..., G or 1, K]."""
    if not abstains:
        return (log_goal.unsqueeze(-1) + log_bonus).flatten(-2)
    return torch.cat(((log_goal[..., :-1, None] + log_bonus).flatten(-2), log_goal[..., -1:]), dim=-1)
