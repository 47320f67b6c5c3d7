"""A game small enough to write out: every trajectory of the leader's process, with its probability.

2 followers, 3 steps and 2 or 3 offers; beta and mu are tables over (step, joint previous offer), and every prefix of
the joint offers has a random reward of its own, so nothing about it is special. J = sum_tau P(tau) R(tau) can be
differentiated directly, and the expectation of an estimator of its gradient is a sum.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor

from paymaster.events import extract

__all__ = ["FOLLOWERS", "STEPS", "TabularGame", "make_game", "new_offers"]

STEPS, FOLLOWERS = 3, 2


@dataclass(frozen=True)
class TabularGame:
    """The tables, as logits in float64, of ``num_offers`` offers; context 0 is "no offer yet".

    Attributes:
        num_offers: O.
        beta: logits [STEPS, contexts, FOLLOWERS].
        mu: logits [STEPS, contexts, FOLLOWERS, O].
        reward: [STEPS, trajectories], equal where the joint offers up to that step are.
        ends: bool [STEPS, contexts, FOLLOWERS], options that end by themselves: a new offer is drawn from mu,
            unrestricted, and beta does not count. True in context 0.
    """

    num_offers: int
    beta: Tensor
    mu: Tensor
    reward: Tensor
    ends: Tensor

    def trajectories(self) -> tuple[Tensor, Tensor]:
        """All joint offers omega and omega_{t-1}, [STEPS, trajectories, FOLLOWERS]."""
        joint = list(itertools.product(range(self.num_offers), repeat=FOLLOWERS))
        offer = torch.tensor(list(itertools.product(joint, repeat=STEPS))).transpose(0, 1)
        return offer, torch.cat((torch.full_like(offer[:1], -1), offer[:-1]))

    def context(self, previous: Tensor) -> Tensor:
        """Row of the tables, [..., FOLLOWERS] -> [...]."""
        joint = previous[..., 0] * self.num_offers + previous[..., 1] + 1
        return torch.where(previous[..., 0] < 0, 0, joint)

    def look_up(self, previous: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of beta and log mu at every step of [STEPS, B, FOLLOWERS]."""
        steps = torch.arange(STEPS).unsqueeze(-1)
        context = self.context(previous)
        return self.beta[steps, context], torch.log_softmax(self.mu[steps, context], dim=-1)

    def held(self, previous: Tensor) -> Tensor:
        """omega_{t-1} of [STEPS, B, FOLLOWERS] where its option runs on, -1 where a new one starts anyway."""
        steps = torch.arange(STEPS).unsqueeze(-1)
        return previous.masked_fill(self.ends[steps, self.context(previous)], -1)

    def probability(self, offer: Tensor, previous: Tensor, explore: float = 0.0) -> Tensor:
        """P(A_T) of every trajectory, [trajectories]."""
        return self.probability_under(self.process(explore), offer, previous)

    def probability_under(self, process: Tensor, offer: Tensor, previous: Tensor) -> Tensor:
        """The same for any p(omega^k_t | omega_{t-1}) of the shape of mu."""
        steps, followers = torch.arange(STEPS).view(-1, 1, 1), torch.arange(FOLLOWERS)
        factors = process[steps, self.context(previous).unsqueeze(-1), followers, offer]
        return factors.prod(0).prod(-1)

    def process(self, explore: float = 0.0) -> Tensor:
        """p(omega^k_t | omega_{t-1}) term by term as algorithm.md writes it, of the shape of mu."""
        offers = range(self.num_offers)
        joint = [(-1, -1), *itertools.product(offers, repeat=FOLLOWERS)]
        beta, mu = torch.sigmoid(self.beta), torch.softmax(self.mu, dim=-1)
        entries = []
        for t, (c, old), k, new in itertools.product(range(STEPS), enumerate(joint), range(FOLLOWERS), offers):
            fresh = bool(self.ends[t, c, k])
            if old[k] == new and not fresh:
                entries.append(1 - beta[t, c, k])
                continue
            others = [o for o in offers if fresh or o != old[k]]
            restricted = mu[t, c, k, new] / mu[t, c, k, others].sum()
            drawn = (1 - explore) * restricted + explore / len(others)
            entries.append(drawn if fresh else beta[t, c, k] * drawn)
        return torch.stack(entries).view(self.mu.shape)


def new_offers(offer: Tensor) -> Tensor:
    """A_T of flat offers [STEPS, B, FOLLOWERS], by the function that training uses."""
    return torch.tensor(extract(torch.stack((offer, torch.zeros_like(offer)), dim=-1)).is_new)


def make_game(num_offers: int, seed: int = 0, expiring: float = 0.0) -> TabularGame:
    """Random tables and rewards.

    Args:
        num_offers: O.
        seed: of all draws.
        expiring: share of (step, joint previous offer, follower) in which an option ends by itself.
    """
    generator = torch.Generator().manual_seed(seed)
    joint = num_offers**FOLLOWERS

    def table(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()

    by_prefix = [torch.randn(joint ** (t + 1), generator=generator, dtype=torch.float64) for t in range(STEPS)]
    reward = torch.stack([r.repeat_interleave(joint ** (STEPS - 1 - t)) for t, r in enumerate(by_prefix)])
    contexts = joint + 1
    beta, mu = table(STEPS, contexts, FOLLOWERS), table(STEPS, contexts, FOLLOWERS, num_offers)
    ends = torch.rand(beta.shape, generator=generator) < expiring
    ends[:, 0] = True
    return TabularGame(num_offers, beta, mu, 3.0 * reward, ends)
