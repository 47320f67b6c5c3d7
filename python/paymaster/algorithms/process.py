"""The leader's process p(omega_t | s_t, omega_{t-1}): which offers it holds, and how it draws new ones.

An option of follower k is (mu^k, beta^k) (paper Sec. 4.1): the leader holds an offer until beta ends its option; the
next offer is a draw from mu restricted to other offers. A rule may also start a new option: at t = 0, at fixed
intervals, or when an offer has expired. There the leader draws from mu unrestricted, the same offer included, and beta
plays no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Interval
from torch import Tensor

from paymaster import _core
from paymaster.networks.acting import readable
from paymaster.networks.leader import LeaderOutput
from paymaster.networks.narrow import log_softmax

__all__ = [
    "OptionRules",
    "draw_offers",
    "held_offers",
    "is_previous",
    "offer_probs",
    "restricted_log_probs",
    "sample_offers",
]


@dataclass(frozen=True)
class OptionRules:
    """When options are opened by rule.

    Attributes:
        interval: every so many steps, for all followers at once; 1 opens at every step ("w/o EBPG"), 0 never.
        expiring: when the offer has run its course: its contract was completed, the follower is not committed to
            it, or its goal can no longer be reached (computed in ``cpp/features/features.cpp``).
    """

    interval: Annotated[int, Interval(ge=0, le=999_999)] = 0
    expiring: bool = False

    def opens(self, step: int | Tensor) -> bool | Tensor:
        """Whether the interval starts new options for all followers in step t."""
        return self.interval > 0 and step % self.interval == 0


def held_offers(rules: OptionRules, previous: Tensor, expired: Tensor, step: int | Tensor) -> Tensor:
    """The offers whose options run on, int64 [..., N]: omega_{t-1}, or -1 where a new option starts.

    Args:
        rules: when options are opened.
        previous: omega_{t-1}, int64 [..., N].
        expired: the offer has run its course, bool [..., N].
        step: t, a number or int64 that broadcasts with ``previous``.
    """
    opened = (previous < 0) | rules.opens(step)
    if rules.expiring:
        opened = opened | expired
    return previous.masked_fill(opened, -1)


def is_previous(previous: Tensor, num_offers: int) -> Tensor:
    """Marks the offer omega_{t-1} among all: int64 [...] to bool [..., O]; -1 (none yet) marks nothing."""
    return torch.arange(num_offers, device=previous.device) == previous.unsqueeze(-1)


def restricted_log_probs(log_mu: Tensor, previous: Tensor) -> Tensor:
    """Log-probabilities of a new offer: mu renormalised over the offers other than omega_{t-1}.

    For "terminated" and "changed" to mean the same, a terminated option draws its new action from mu
    restricted to actions other than the current one (docs/algorithm.md).

    Args:
        log_mu: log mu, [..., O] with O >= 2: with a single offer there is nothing to change to.
        previous: omega_{t-1}, int64 [...]; where it is -1 (t = 0) nothing is excluded.

    Returns:
        [..., O]; -inf at the excluded offer, whose gradient is zero.
    """
    excluded = is_previous(previous, log_mu.shape[-1])
    return log_softmax(log_mu.masked_fill(excluded, -torch.inf))


def offer_probs(output: LeaderOutput, held: Tensor, explore: float = 0.0) -> Tensor:
    """The leader's process p(omega_t | s_t, omega_{t-1}) (paper, Sec. 4.1; docs/algorithm.md).

    (1 - beta) 1[omega_t = omega_{t-1}] + beta mu'(omega_t), where mu' is mu restricted to other offers,
    mixed iota-greedily with the uniform distribution over the same offers. Where a new option starts (``held`` = -1)
    beta is 1 and nothing is excluded. Without a termination function, or with a single offer, which can never change,
    beta is 0.

    Args:
        output: of the network, for one step or many.
        held: omega_{t-1} while its option runs on, else -1, int64 [..., N].
        explore: iota in [0, 1].

    Returns:
        Probabilities [..., N, O].
    """
    num_offers = output.log_mu.shape[-1]
    if num_offers == 1:
        return output.log_mu.exp()
    fresh = held < 0
    beta = (
        torch.zeros_like(fresh, dtype=output.log_mu.dtype)
        if output.termination_logits is None
        else torch.sigmoid(output.termination_logits)
    )
    beta = beta.masked_fill(fresh, 1.0).unsqueeze(-1)
    new = restricted_log_probs(output.log_mu, held).exp()
    if explore > 0.0:
        support = (num_offers - 1 + fresh.to(new.dtype)).unsqueeze(-1)
        new = (1.0 - explore) * new + explore / support
    return torch.where(is_previous(held, num_offers), 1.0 - beta, beta * new)


def sample_offers(
    output: LeaderOutput,
    held: Tensor,
    explore: float = 0.0,
    generator: torch.Generator | None = None,
    greedy: bool = False,
) -> Tensor:
    """Draws omega_t from :func:`offer_probs`: whether the option ends, then what is offered if it does.

    Greedy takes the mode of each of the two: an option ends when beta > 1/2 (or when a new one starts anyway),
    and an option that ended takes the most likely of the offers it may take. The mode of their product would seldom
    change anything, since the new offer's probability is split among many. Exploration plays no part in it.

    Args:
        output: of the network, for one step or many.
        held: omega_{t-1} while its option runs on, else -1, int64 [..., N].
        explore: iota in [0, 1].
        generator: the only source of randomness, on the device of ``output``.
        greedy: no randomness at all.

    Returns:
        omega_t, flat offers int64 [..., N].
    """
    log_mu = output.log_mu
    num_offers = log_mu.shape[-1]
    if num_offers == 1:
        return log_mu.argmax(-1)
    ends = held < 0
    if greedy:
        if output.termination_logits is not None:
            ends = ends | (output.termination_logits > 0.0)
        return torch.where(ends, restricted_log_probs(log_mu, held).argmax(-1), held)
    uniform = torch.rand((2, *held.shape), generator=generator, device=held.device, dtype=log_mu.dtype)
    excluded = is_previous(held, num_offers)
    likely = log_mu.masked_fill(excluded, -torch.inf)
    weights = (likely - likely.amax(-1, keepdim=True)).exp()
    if explore > 0.0:
        # Of weights that add up to 1, as mu does.
        share = explore / (num_offers - 1 + ends.to(weights.dtype)).unsqueeze(-1)
        weights = (1.0 - explore) * weights / weights.sum(-1, keepdim=True) + share.where(~excluded, 0.0)
    if output.termination_logits is not None:
        ends = ends | (uniform[0] < torch.sigmoid(output.termination_logits))
    cumulative = weights.cumsum(-1)
    # Scaled by the total, so that rounding in the sum never selects an offer of probability zero.
    drawn = (cumulative <= uniform[1].unsqueeze(-1) * cumulative[..., -1:]).sum(-1)
    return torch.where(ends, drawn, held)


def draw_offers(
    output: LeaderOutput,
    held: Tensor,
    explore: float = 0.0,
    generator: torch.Generator | None = None,
    greedy: bool = False,
) -> Tensor:
    """Draw as :func:`sample_offers` does, in the C++ core where it can: the same random numbers, and the same offers
    except where rounding decides."""
    log_mu, logits = output.log_mu, output.termination_logits
    if greedy or log_mu.shape[-1] == 1 or not readable(held, *(log_mu,) if logits is None else (log_mu, logits)):
        return sample_offers(output, held, explore, generator, greedy)
    uniform = torch.rand((2, *held.shape), generator=generator, device=held.device, dtype=log_mu.dtype)
    beta = None if logits is None else logits.numpy()
    return torch.from_numpy(_core.draw_offers(log_mu.numpy(), beta, held.numpy(), uniform.numpy(), explore))
