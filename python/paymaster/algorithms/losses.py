"""The equations of the paper as pure functions, one value per step and follower.

Every function returns an array of the shape of its steps, [..., N], not yet averaged: the learner takes
:func:`masked_mean` over the steps that were played, and the exactness test weighs whole trajectories by
their probability. The functions named ``..._log_prob`` say how likely the leader's choices were (I and I' of the
paper's Prop. 1); the losses' gradient is what a minimiser descends.

Sources: the paper's Prop. 1, Remark 2 and Sec. 4.4; docs/algorithm.md writes the equations out.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from paymaster.algorithms.process import restricted_log_probs
from paymaster.networks.narrow import log_softmax

__all__ = [
    "bonus_log_prob",
    "clipped_loss",
    "critic_loss",
    "dense_log_prob",
    "entropy",
    "floored",
    "floored_log_prob",
    "imitation_loss",
    "masked_mean",
    "new_offer_log_prob",
    "policy_gradient_loss",
    "sparse_log_prob",
    "termination_log_prob",
    "termination_penalty",
]

FLOOR = 1e-6
"""What M3RL adds to probabilities before their logarithm."""


def termination_log_prob(logits: Tensor, new_offer: Tensor, held: Tensor) -> Tensor:
    """I of the termination function (Prop. 1): log beta on events, log(1 - beta) off them.

    Where a new option starts anyway (``held`` = -1; so at t = 0) beta does not count, and this is 0.

    Args:
        logits: logit of beta^k(s_t, omega_{t-1}), [..., N].
        new_offer: e^k_t is in A_T (:mod:`paymaster.events`), bool [..., N].
        held: omega_{t-1} while its option runs on, else -1, int64 [..., N]
            (:func:`paymaster.algorithms.process.held_offers`).
    """
    _check_same_shape("new_offer", new_offer, "held", held)
    _check_same_shape("logits", logits, "held", held)
    return F.logsigmoid(torch.where(new_offer, logits, -logits)).masked_fill(held < 0, 0.0)


def new_offer_log_prob(log_mu: Tensor, offer: Tensor, held: Tensor, explore: float = 0.0) -> Tensor:
    """log mu^k(omega_t | s_t, omega_{t-1}) of a new action, under the distribution it was drawn from.

    That is mu restricted to offers other than the one held; with iota-greedy exploration, the mixture
    (1 - iota) mu + iota uniform over those offers.

    Args:
        log_mu: log mu, unrestricted, [..., N, O]; O >= 2 where an offer is held.
        offer: omega_t, int64 [..., N].
        held: omega_{t-1} while its option runs on, else -1, int64 [..., N].
        explore: iota in [0, 1].

    Returns:
        [..., N]; on steps that are no event it means nothing.
    """
    chosen = _chosen(restricted_log_probs(log_mu, held), offer)
    if explore == 0.0:
        return chosen
    support = log_mu.shape[-1] - 1 + (held < 0).to(log_mu.dtype)
    return ((1.0 - explore) * chosen.exp() + explore / support).log()


def sparse_log_prob(log_mu: Tensor, offer: Tensor, held: Tensor, new_offer: Tensor, explore: float = 0.0) -> Tensor:
    """I' of sparse EBPG (Prop. 1): log mu, restricted, on events and where a new option starts; 0 elsewhere.

    With :func:`termination_log_prob` the exact score function of the leader's process. Where every step starts a new
    option (``held`` = -1 throughout, "w/o EBPG") it is the plain policy gradient's log mu.
    Arguments as in :func:`new_offer_log_prob` and :func:`termination_log_prob`.
    """
    _check_same_shape("new_offer", new_offer, "offer", offer)
    log_prob = new_offer_log_prob(log_mu, offer, held, explore)
    return torch.where(new_offer | (held < 0), log_prob, 0.0)


def dense_log_prob(log_mu: Tensor, offer: Tensor, held: Tensor, new_offer: Tensor, explore: float = 0.0) -> Tensor:
    """I' of dense EBPG, the paper's method (Remark 2): maintained steps count as well, with mu unrestricted.

    Nothing is drawn on a maintained step, so exploration does not enter there.
    Arguments as in :func:`new_offer_log_prob` and :func:`termination_log_prob`.
    """
    _check_same_shape("new_offer", new_offer, "offer", offer)
    new = new_offer_log_prob(log_mu, offer, held, explore)
    return torch.where(new_offer | (held < 0), new, _chosen(log_mu, offer))


def bonus_log_prob(log_mu: Tensor, offer: Tensor, num_bonuses: int) -> Tensor:
    """log p(b | g, c^k) of the offered bonus, for goals that the policy did not choose (M3RL's explored agents).

    Args:
        log_mu: log mu over the G K offers, [..., N, O].
        offer: omega_t, int64 [..., N].
        num_bonuses: K.
    """
    by_goal = log_mu.reshape(*log_mu.shape[:-1], -1, num_bonuses)
    return _chosen((by_goal - by_goal.logsumexp(-1, keepdim=True)).flatten(-2), offer)


def floored_log_prob(log_mu: Tensor, offer: Tensor, num_bonuses: int, floor: float = FLOOR) -> Tensor:
    """log(p(g) + floor) + log(p(b | g) + floor) of an offer, as M3RL has it (Shu & Tian 2019, their code).

    Args:
        log_mu: log mu over the G K offers, [..., N, O].
        offer: omega_t, int64 [..., N].
        num_bonuses: K.
        floor: added to each probability, which bounds the gradient.
    """
    of_goal = log_mu.view(*log_mu.shape[:-1], -1, num_bonuses).logsumexp(-1)
    goal = _chosen(of_goal, offer // num_bonuses)
    bonus = _chosen(log_mu, offer) - goal
    return floored(goal, floor) + floored(bonus, floor)


def floored(log_prob: Tensor, floor: float = FLOOR) -> Tensor:
    """log(p + floor) of log p, any shape: what is hardly possible any more is not taught to be less so."""
    return torch.logaddexp(log_prob, log_prob.new_tensor(floor).log())


def policy_gradient_loss(log_prob: Tensor, advantage: Tensor) -> Tensor:
    """-R log p, [..., N]: its gradient is the score-function estimate; none flows through R."""
    _check_same_shape("advantage", advantage, "log_prob", log_prob)
    return -advantage.detach() * log_prob


def clipped_loss(log_prob: Tensor, old_log_prob: Tensor, advantage: Tensor, clip: float) -> Tensor:
    """-min(r R, clip(r, 1 - clip, 1 + clip) R), r = p / p_old, [..., N] (PPO, Schulman et al. 2017, eq. 7).

    For learning from a batch again after the first step; there, where r = 1, its gradient is that of
    :func:`policy_gradient_loss`.
    """
    _check_same_shape("old_log_prob", old_log_prob, "log_prob", log_prob)
    _check_same_shape("advantage", advantage, "log_prob", log_prob)
    ratio, weight = (log_prob - old_log_prob.detach()).exp(), advantage.detach()
    return -torch.minimum(ratio * weight, ratio.clamp(1.0 - clip, 1.0 + clip) * weight)


def entropy(log_mu: Tensor) -> Tensor:
    """Entropy of the unrestricted mu in nats, [..., N, O] -> [..., N]; L_enp of Sec. 4.4 is its negative."""
    return -(log_mu.exp() * log_mu).sum(-1)


def termination_penalty(logits: Tensor, held: Tensor) -> Tensor:
    """L_reg = beta^2 (Sec. 4.4), [..., N]; 0 where a new option starts anyway (``held`` = -1)."""
    _check_same_shape("logits", logits, "held", held)
    return torch.sigmoid(logits).square().masked_fill(held < 0, 0.0)


def imitation_loss(logits: Tensor, action: Tensor) -> Tensor:
    """-log p^k(a_t | s_t, h_t) of the action really played (Sec. 4.2): [..., N, A], [..., N] -> [..., N]."""
    return -_chosen(log_softmax(logits), action)


def critic_loss(phi: Tensor, target: Tensor) -> Tensor:
    """1/2 sum over heads of (phi - target)^2 (Sec. 4.4), [..., N, heads] -> [..., N]; target: a constant."""
    _check_same_shape("target", target, "phi", phi)
    return 0.5 * (phi - target.detach()).square().sum(-1)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of ``values`` [..., N] over the steps where ``mask`` [...] (without N) is true; 0 if none is."""
    mask = mask.unsqueeze(-1).expand(values.shape)
    return torch.where(mask, values, 0.0).sum() / mask.sum().clamp(min=1)


def _chosen(log_probs: Tensor, index: Tensor) -> Tensor:
    """Picks entry ``index`` [...] of [..., O]; -1, which padding may hold, picks the first."""
    if log_probs.shape[:-1] != index.shape:
        raise ValueError(
            f"index: expected one per row of {list(log_probs.shape)}, i.e. shape "
            f"{list(log_probs.shape[:-1])}, got {list(index.shape)}"
        )
    return log_probs.gather(-1, index.clamp(min=0).unsqueeze(-1)).squeeze(-1)


def _check_same_shape(name: str, value: Tensor, other_name: str, other: Tensor) -> None:
    if value.shape != other.shape:
        raise ValueError(f"{name}: expected the shape of {other_name}, {list(other.shape)}, got {list(value.shape)}")
