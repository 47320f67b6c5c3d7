"""Returns and advantages of the two-headed baseline: rewards counted before they are priced.

A leader's reward is w . (completions by type) - price . (payments by level). Keeping the counts as a
vector gives each head of the baseline its own target; the advantage is the priced difference, which by
linearity is generalised advantage estimation on the priced baseline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from paymaster.algorithms.episodes import Episodes

__all__ = ["Credit", "head_prices", "lambda_returns", "normalise", "reward_counts"]

Credit = Literal["own", "team"]


def reward_counts(episodes: Episodes, credit: Credit = "own") -> Tensor:
    """What each step brought, as counts: completed contracts by goal type, payments by bonus level.

    A payment is booked under the level offered in its step, as payment / price: 1 as a rule, and in any
    case the counts times the prices are what was paid (nothing is paid at price 0).

    Args:
        episodes: a batch of whole episodes.
        credit: "own": each follower is credited with its own counts; "team": with the sum over all
            followers, as the paper's return R has it.

    Returns:
        float [T, B, N, G + K], 0 on steps that were not played; where the leader is rewarded for more than its gain one
        number more, the other rewards: of each follower, or of all, and in either case what all share.
    """
    num_goals, num_bonuses = episodes.goal_reward.shape[0], episodes.price.shape[0]
    device, dtype = episodes.payment.device, episodes.payment.dtype
    completed = episodes.completed.unsqueeze(-1) == torch.arange(num_goals, device=device)
    level = (episodes.offer % num_bonuses).unsqueeze(-1) == torch.arange(num_bonuses, device=device)
    paid = level * (episodes.payment.unsqueeze(-1) / torch.where(episodes.price > 0, episodes.price, 1.0))
    parts = [completed.to(dtype), paid]
    if episodes.other is not None:
        parts.append(episodes.other.unsqueeze(-1))
    counts = torch.cat(parts, dim=-1)
    counts = torch.where(episodes.valid[..., None, None], counts, 0.0)
    counts = counts.sum(2, keepdim=True).expand(counts.shape) if credit == "team" else counts
    if episodes.common is None:
        return counts
    common = torch.where(episodes.valid, episodes.common, 0.0)[..., None, None].expand(*counts.shape[:-1], 1)
    return torch.cat((counts[..., :-1], counts[..., -1:] + common), dim=-1)


def head_prices(episodes: Episodes) -> Tensor:
    """What one count of each head is worth to the leader: (w, -price), [G + K]; 1 of other rewards behind."""
    prices = torch.cat((episodes.goal_reward, -episodes.price))
    return prices if episodes.other is None else torch.cat((prices, prices.new_ones(1)))


def lambda_returns(counts: Tensor, phi: Tensor, valid: Tensor, gamma: float, gae_lambda: float) -> Tensor:
    """Targets of the baseline's heads: phi_t + sum_l (gamma lambda)^l delta_{t+l}, delta the TD error.

    GAE, Schulman et al. 2016, eq. 16, for each head. Nothing follows the last step played.

    Args:
        counts: rewards as counts, [T, B, N, heads], 0 where ``valid`` is false.
        phi: the baseline's heads at (s_t, omega_{t-1}), [T, B, N, heads].
        valid: bool [T, B].
        gamma: discount.
        gae_lambda: 0 trusts the baseline after one step, 1 takes the return as played.

    Returns:
        [T, B, N, heads], 0 where ``valid`` is false, without gradient.
    """
    if counts.shape != phi.shape:
        raise ValueError(f"counts: expected the shape of phi, {list(phi.shape)}, got {list(counts.shape)}")
    if valid.shape != phi.shape[:2]:
        raise ValueError(f"valid: expected shape {list(phi.shape[:2])}, got {list(valid.shape)}")
    phi = torch.where(valid[..., None, None], phi.detach(), 0.0)
    following = torch.cat((phi[1:], torch.zeros_like(phi[:1])))
    delta = counts + gamma * following - phi
    steps = torch.arange(phi.shape[0], device=phi.device)
    ahead = steps - steps.unsqueeze(-1)
    # One product with the triangle of (gamma lambda)^(t' - t), t' >= t, in place of T small steps.
    decay = torch.where(ahead >= 0, (gamma * gae_lambda) ** ahead.clamp(min=0).to(phi.dtype), 0.0)
    return phi + (decay @ delta.flatten(1)).view(phi.shape)


def normalise(
    advantage: Tensor, valid: Tensor | None = None, total: Callable[[Tensor], Tensor] = lambda value: value
) -> Tensor:
    """Shifts and scales advantages to mean 0 and standard deviation 1.

    Args:
        advantage: [..., N].
        valid: bool [...] (without N), the steps that count; elsewhere the result is 0. None: all of them.
        total: makes a sum over this batch one over a larger batch, of which this is a part
            (:meth:`paymaster.algorithms.process_group.Ranks.total`).
    """
    if valid is None:
        valid = torch.ones_like(advantage[..., 0], dtype=torch.bool)
    mask = valid.unsqueeze(-1).expand(advantage.shape)
    count = total(mask.sum()).clamp(min=1)
    mean = total(torch.where(mask, advantage, 0.0).sum()) / count
    centred = torch.where(mask, advantage - mean, 0.0)
    return centred / ((total(centred.square().sum()) / count).sqrt() + 1e-8)
