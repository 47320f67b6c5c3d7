"""Estimators of the leader's gradient, exactly: `python bench/gradients.py [--games 300] [--offset 0]`.

On the enumerable game (`tests/enumerated_game.py`: 2 followers, 3 steps, 3 offers, tables in float64) every trajectory
is written out, so nothing here is sampled: for each estimator g of one episode, E[g], its cosine with the derivative of
J and the trace of its covariance are sums over all trajectories. J is that of the process which the estimator's leader
follows; bias is |E[g] - dJ| / |dJ|, variance that trace / |dJ|^2. Means over random tables and
rewards, with 95 % intervals.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import numpy as np
import torch
import tyro
from numpy.typing import NDArray
from torch import Tensor

from paymaster.algorithms import losses
from paymaster.terminal.markdown import markdown_table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))  # for the game, which is not installed
from enumerated_game import FOLLOWERS, STEPS, TabularGame, make_game, new_offers

OFFERS, NATURAL_ENDS, FLOOR = 3, 0.3, 0.1
EXACT = 1e-10


@dataclass(frozen=True)
class Steps:
    """All steps of all trajectories, [STEPS, trajectories, FOLLOWERS, ...]: what was done, and the tables' rows."""

    offer: Tensor
    held: Tensor  # omega_{t-1}, or -1 where a new option starts anyway
    is_new: Tensor  # e^k_t is in A_T
    beta: Tensor  # logits; a leaf, as log_mu's logits are
    mu: Tensor

    def log_beta(self) -> Tensor:
        """I of Prop. 1, as in training."""
        return losses.termination_log_prob(self.beta, self.is_new, self.held)

    def log_mu(self) -> Tensor:
        """log mu of the offer, unrestricted."""
        return torch.log_softmax(self.mu, -1).gather(-1, self.offer.unsqueeze(-1)).squeeze(-1)

    def log_new(self) -> Tensor:
        """log mu of a new offer, restricted to offers other than the one held. Means nothing off events."""
        return losses.new_offer_log_prob(torch.log_softmax(self.mu, -1), self.offer, self.held)

    def decided(self) -> Tensor:
        """An offer was drawn."""
        return self.is_new | (self.held < 0)


# ---- estimators: the sum of these, weighted by the advantage, is what is differentiated


def sparse(s: Steps) -> Tensor:
    """Prop. 1: new offers only; as in training."""
    return s.log_beta() + losses.sparse_log_prob(torch.log_softmax(s.mu, -1), s.offer, s.held, s.is_new)


def dense(s: Steps) -> Tensor:
    """Remark 2, the paper's method: maintained offers count as if they had been drawn from mu; as in training."""
    return s.log_beta() + losses.dense_log_prob(torch.log_softmax(s.mu, -1), s.offer, s.held, s.is_new)


def dense_weighted(s: Steps) -> Tensor:
    """Dense, the maintained term weighted by mu(omega) as a constant."""
    kept = s.log_mu()
    return s.log_beta() + torch.where(s.decided(), s.log_new(), kept.detach().exp() * kept)


def dense_floor(s: Steps) -> Tensor:
    """Dense, the maintained term with a uniform floor: log((1 - 0.1) mu + 0.1 / O)."""
    kept = ((1 - FLOOR) * s.log_mu().exp() + FLOOR / OFFERS).log()
    return s.log_beta() + torch.where(s.decided(), s.log_new(), kept)


def changed(s: Steps) -> Tensor:
    """A terminated option draws from all of mu, its own offer included; yet "changed" is taken for the event."""
    return s.log_beta() + torch.where(s.decided(), s.log_mu(), 0.0)


def every_step(s: Steps) -> Tensor:
    """Plain policy gradient of a leader without a termination function."""
    return s.log_mu()


# ---- processes: p(omega^k_t | omega_{t-1}), of the shape of mu


def restricted(game: TabularGame) -> Tensor:
    """The leader of algorithm.md; options may end by themselves."""
    return game.process()


def unrestricted(game: TabularGame) -> Tensor:
    """A terminated option draws from all of mu."""
    joint = torch.cartesian_prod(*[torch.arange(OFFERS)] * FOLLOWERS)
    previous = torch.cat((torch.full_like(joint[:1], -1), joint))
    keeps = (torch.arange(OFFERS) == previous.unsqueeze(-1)).double()
    beta = torch.sigmoid(game.beta).masked_fill(game.ends, 1.0).unsqueeze(-1)
    return (1 - beta) * keeps + beta * torch.softmax(game.mu, -1)


def always_new(game: TabularGame) -> Tensor:
    """A draw from mu at every step."""
    return torch.softmax(game.mu, -1)


@dataclass(frozen=True)
class Estimator:
    """A row of the table: whose gradient is estimated, and how."""

    name: str
    log_prob: Callable[[Steps], Tensor]
    process: Callable[[TabularGame], Tensor] = restricted
    expiring: float = 0.0
    exact: bool = False  # E[g] = dJ is not a finding, but must be


ESTIMATORS = (
    Estimator("sparse EBPG", sparse, exact=True),
    Estimator("dense EBPG (the paper's)", dense),
    Estimator("dense, weighted by mu", dense_weighted),
    Estimator("dense, floor 0.1", dense_floor),
    Estimator("natural ends, sparse", sparse, expiring=NATURAL_ENDS, exact=True),
    Estimator("natural ends, dense", dense, expiring=NATURAL_ENDS),
    Estimator("plain policy gradient", every_step, always_new, exact=True),
    Estimator('"changed" with all of mu', changed, unrestricted),
)
RETURNS = ("return", "reward-to-go", "to-go - V")


# ---- measures


@dataclass(frozen=True)
class Measures:
    """Of one estimator on one game."""

    bias: float  # |E[g] - dJ| / |dJ|
    cosine: float  # of E[g] with dJ
    cosine_mu: float  # the same of mu's part alone
    variance: float  # trace Cov[g] / |dJ|^2


def measure(estimator: Estimator, seed: int, offset: float = 0.0) -> list[Measures]:
    """For each of RETURNS. ``offset`` is added to the reward of every step; the derivative of J stays as it is."""
    game = make_game(OFFERS, seed, estimator.expiring)
    game = replace(game, reward=game.reward + offset)
    offer, previous = game.trajectories()
    probability = game.probability_under(estimator.process(game), offer, previous)
    objective = (probability * game.reward.sum(0)).sum()
    true = torch.autograd.grad(objective, (game.beta, game.mu), materialize_grads=True)
    probability = probability.detach()
    by_beta, by_mu = _scores(game, estimator.log_prob)
    measures = []
    for advantage in _advantages(game, previous, probability):
        weight = advantage.unsqueeze(-1)  # [STEPS, trajectories, 1]
        beta = _by_row(game, previous, probability, weight * by_beta)
        mu = _by_row(game, previous, probability, weight.unsqueeze(-1) * by_mu)
        # A trajectory meets every row of the tables at most once: its squared norm is a sum over steps.
        square = weight.square().squeeze(-1) * (by_beta.square().sum(-1) + by_mu.square().sum((-1, -2)))
        second_moment = (probability * square.sum(0)).sum().item()
        measures.append(_compare((beta, mu), true, second_moment))
    return measures


def _scores(game: TabularGame, log_prob: Callable[[Steps], Tensor]) -> tuple[Tensor, Tensor]:
    """d log_prob / d row, of beta [STEPS, trajectories, FOLLOWERS] and mu [..., OFFERS]: a step reads its row alone."""
    offer, previous = game.trajectories()
    steps = torch.arange(STEPS).unsqueeze(-1)
    context = game.context(previous)
    beta, mu = (table.detach()[steps, context].requires_grad_() for table in (game.beta, game.mu))
    summed = log_prob(Steps(offer, game.held(previous), new_offers(offer), beta, mu)).sum()
    by_beta, by_mu = torch.autograd.grad(summed, (beta, mu), materialize_grads=True)
    return by_beta, by_mu


def _advantages(game: TabularGame, previous: Tensor, probability: Tensor) -> list[Tensor]:
    """[STEPS, trajectories] for each of RETURNS; V is the expected reward-to-go given the step and omega_{t-1}."""
    to_go = game.reward.flip(0).cumsum(0).flip(0)
    context = game.context(previous)
    shape = game.beta.shape[:2]
    mass = torch.zeros(shape, dtype=torch.float64).scatter_add_(1, context, probability.expand(STEPS, -1))
    value = torch.zeros(shape, dtype=torch.float64).scatter_add_(1, context, probability * to_go)
    baseline = (value / mass.clamp(min=1e-300)).gather(1, context)
    return [game.reward.sum(0).expand(STEPS, -1), to_go, to_go - baseline]


def _by_row(game: TabularGame, previous: Tensor, probability: Tensor, gradient: Tensor) -> Tensor:
    """Expectation of per-step gradients [STEPS, trajectories, FOLLOWERS, ...] as gradient of the table."""
    contexts = game.beta.shape[1]
    row = (torch.arange(STEPS).unsqueeze(-1) * contexts + game.context(previous)).flatten()
    shares = probability.view(-1, *[1] * (gradient.dim() - 2)) * gradient
    table = torch.zeros(STEPS * contexts, *gradient.shape[2:], dtype=torch.float64)
    return table.index_add_(0, row, shares.flatten(0, 1)).unflatten(0, (STEPS, contexts))


def _compare(expected: tuple[Tensor, Tensor], true: tuple[Tensor, ...], second_moment: float) -> Measures:
    mean, target = (torch.cat([part.flatten() for part in parts]) for parts in (expected, true))
    size = target.norm().item()
    return Measures(
        bias=(mean - target).norm().item() / size,
        cosine=torch.cosine_similarity(mean, target, dim=0).item(),
        cosine_mu=torch.cosine_similarity(expected[1].flatten(), true[1].flatten(), dim=0).item(),
        variance=(second_moment - mean.square().sum().item()) / size**2,
    )


def _interval(values: NDArray[np.float64]) -> str:
    if np.abs(values).max() < EXACT:
        return f"< {EXACT:.0e}"
    half = 1.96 * values.std(ddof=1) / len(values) ** 0.5
    return f"{values.mean():.3g} ± {half:.2g}" if half > EXACT else f"{values.mean():.6g}"


def main(games: int = 300, offset: float = 0.0) -> None:
    """Print the table.

    Args:
        games: random games, seeds 0, 1, ...
        offset: added to the reward of every step.

    Raises:
        AssertionError: what must be exact is not.
    """
    torch.set_num_threads(1)
    rows = []
    for estimator in ESTIMATORS:
        by_game = [measure(estimator, seed, offset) for seed in range(games)]
        for i, weight in enumerate(RETURNS):
            columns = np.array([astuple(row[i]) for row in by_game]).T
            assert not estimator.exact or columns[0].max() < EXACT, f"{estimator.name}: biased"
            rows.append((estimator.name, weight, *map(_interval, columns)))
    print(markdown_table(("estimator", "weighted by", "bias", "cosine", "cosine, mu only", "variance"), rows), end="")


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
