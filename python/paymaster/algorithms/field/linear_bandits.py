"""Contextual linear bandits: an offer is an arm, and its reward is what it brought until it ended.

A decision is one about one follower: its context is what the leader sees of that follower and of a goal type, the arm a
bonus level. So there is a linear model a level, the "disjoint linear models" of Li et al. 2010, "A contextual-bandit
approach to personalized news article recommendation", shared by followers and goal types; and one of "none", where the
leader may abstain. All are ridge regressions

    A = ridge I + sum x x^T,   b = sum r x,   theta = A^-1 b

of which LinUCB offers the arm with the highest theta . x + alpha sqrt(x^T A^-1 x), and Thompson sampling (Agrawal &
Goyal 2013, "Thompson sampling for contextual bandits with linear payoffs") the one with the highest theta' . x, theta'
drawn from N(theta, v^2 A^-1) for each decision. Without exploring both offer the highest theta . x. An offer stands
until it has run its course, as the default leader's do.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.field.bandit_learning import BanditLearning
from paymaster.algorithms.field.offers import FieldLeader, OfferSpace, decides, first_best, outcomes
from paymaster.algorithms.protocol import LeaderInput, LeaderStep
from paymaster.networks.torch_defaults import usual_torch

__all__ = ["LinUCB", "LinearModels", "ThompsonSampling"]


class LinearModels(nn.Module):
    """Ridge regressions, M of them, on contexts of X numbers.

    Attributes:
        gram: A without the ridge, float64 [M, X, X].
        moment: b, float64 [M, X].
    """

    gram: Tensor
    moment: Tensor

    def __init__(self, models: int, width: int, ridge: float) -> None:
        super().__init__()
        self.ridge = ridge
        self.register_buffer("gram", torch.zeros(models, width, width, dtype=torch.float64))
        self.register_buffer("moment", torch.zeros(models, width, dtype=torch.float64))

    def add(self, model: int, context: Tensor, reward: Tensor) -> None:
        """Take up rewards [R] that followed contexts [R, X]."""
        self.gram[model] += context.mT @ context
        self.moment[model] += reward @ context

    def fit(self) -> Fit:
        """Return the models as they are now."""
        ridge = self.ridge * torch.eye(self.gram.shape[-1], dtype=torch.float64)
        factor = torch.linalg.cholesky(self.gram + ridge)
        return Fit(factor, torch.cholesky_solve(self.moment.unsqueeze(-1), factor).squeeze(-1))


class Fit(NamedTuple):
    """Linear models as they were when a batch of episodes began.

    Attributes:
        factor: L of A = L L^T, [M, X, X].
        theta: [M, X].
    """

    factor: Tensor
    theta: Tensor

    def means(self, model: slice, context: Tensor) -> Tensor:
        """Return theta . x of some models, [..., M'], for contexts [..., X]."""
        means: Tensor = context @ self.theta[model].mT
        return means

    def widths(self, model: slice, context: Tensor) -> Tensor:
        """Return sqrt(x^T A^-1 x), [..., M'], for contexts [..., X]."""
        rows = context.reshape(-1, context.shape[-1]).mT  # [X, R]
        factor = self.factor[model]
        solved = torch.linalg.solve_triangular(factor, rows.expand(len(factor), -1, -1), upper=False)
        widths: Tensor = solved.square().sum(-2).sqrt()
        shaped: Tensor = widths.mT.reshape(*context.shape[:-1], len(factor))
        return shaped

    def sampled(self, count: int, deviation: float, generator: torch.Generator | None) -> Tensor:
        """Return draws of all models' coefficients from N(theta, deviation^2 A^-1), [count, M, X]."""
        models, width = self.theta.shape
        normal = torch.randn(models, width, count, generator=generator, dtype=torch.float64)
        spread = torch.linalg.solve_triangular(self.factor.mT, normal, upper=True)  # of covariance A^-1
        drawn: Tensor = self.theta + deviation * spread.permute(2, 0, 1)
        return drawn


class _LinearBandit(FieldLeader):
    """A linear model a bonus level, over followers and goal types.

    Args:
        space: offers, and what is seen.
        config: how it learns.

    Attributes:
        learned: the models: one a level, and that of "none" behind them.
    """

    learned: LinearModels

    def __init__(self, space: OfferSpace, config: BanditLearning) -> None:
        config.validate()
        self.space, self.config = space, config
        # Which goal type it is, where a place always holds the same.
        self._kinds = space.num_goals if space.candidates == space.num_goals else 0
        width = 1 + self._kinds + space.follower_features + space.goal_features
        self.learned = LinearModels(space.num_bonuses + space.abstain, width, config.ridge)

    def initial_state(self, num_games: int, num_followers: int) -> Fit:
        """Return the models as they are before the first step."""
        return self.learned.fit()

    @usual_torch()
    @torch.inference_mode()
    def act(
        self,
        seen: LeaderInput,
        state: Fit,
        *,
        explore: float = 0.0,
        generator: torch.Generator | None = None,
        greedy: bool = False,
    ) -> LeaderStep:
        """Return offers for one step of B games; see :class:`~paymaster.algorithms.protocol.Player`."""
        decided, offer = decides(seen), seen.previous.clone()
        if not bool(decided.any()):
            return LeaderStep(offer, state)
        context, of_none = self._contexts(seen.follower[decided], seen.goal[decided])
        explores = explore > 0.0 and not greedy
        value, value_of_none = self._values(state, context, of_none, generator, explores=explores)
        value = value.flatten(-2)
        if self.space.abstain:
            value = torch.cat((value, value_of_none.unsqueeze(-1)), dim=-1)
        # The first of the best, whatever the machine.
        offer[decided] = first_best(value)
        return LeaderStep(offer, state)

    @usual_torch()
    @torch.no_grad()
    def update(self, episodes: Episodes, progress: float = 0.0) -> dict[str, float]:
        """Learn from what each offer brought; see :class:`~paymaster.algorithms.LeaderAlgorithm`.

        Returns:
            ``decisions``, a game; ``estimate_loss``, the mean squared error of the estimates before, in units of w^2.
        """
        decided, sums = outcomes(episodes)
        offer, reward = episodes.offer[decided], sums[decided] / self.space.unit
        context, of_none = self._contexts(episodes.follower[decided], episodes.goal[decided])
        levels = self.space.num_bonuses
        none = offer == self.space.candidates * levels
        place, level = offer.clamp(max=self.space.candidates * levels - 1) // levels, offer % levels
        context = context[torch.arange(len(offer)), place]
        fit, error = self.learned.fit(), torch.zeros((), dtype=torch.float64)
        for model in range(len(fit.theta)):
            chosen = none if model == levels else ~none & (level == model)
            rows, got = (of_none if model == levels else context)[chosen], reward[chosen]
            error += (fit.means(slice(model, model + 1), rows).squeeze(-1) - got).square().sum()
            self.learned.add(model, rows, got)
        return {
            "decisions": len(offer) / episodes.num_games,
            "estimate_loss": float(error / max(1, len(offer))),
        }

    def _contexts(self, follower: Tensor, goal: Tensor) -> tuple[Tensor, Tensor]:
        """Of R decisions, 1, what is seen and which type: float64 [R, C, X], and with "none", [R, X]."""
        rows, places = goal.shape[:2]
        own = torch.cat((follower.new_ones(rows, 1), follower), dim=-1)
        kinds = torch.eye(self._kinds).expand(rows, -1, -1) if self._kinds else goal[..., :0]
        context = torch.cat((own.unsqueeze(1).expand(-1, places, -1), goal, kinds), dim=-1)
        none = torch.cat((own, own.new_zeros(rows, context.shape[-1] - own.shape[-1])), dim=-1)
        return context.double(), none.double()

    @abstractmethod
    def _values(
        self, fit: Fit, context: Tensor, none: Tensor, generator: torch.Generator | None, *, explores: bool
    ) -> tuple[Tensor, Tensor]:
        """What each offer is taken to be worth, [R, C, K], and "none", [R], which means nothing without one."""


class LinUCB(_LinearBandit):
    """Offers what may be worth most: the estimate and alpha standard errors (Li et al. 2010, Algorithm 1)."""

    def _values(
        self, fit: Fit, context: Tensor, none: Tensor, generator: torch.Generator | None, *, explores: bool
    ) -> tuple[Tensor, Tensor]:
        levels, last = slice(self.space.num_bonuses), slice(-1, None)
        value, of_none = fit.means(levels, context), fit.means(last, none)
        if explores:
            value = value + self.config.alpha * fit.widths(levels, context)
            of_none = of_none + self.config.alpha * fit.widths(last, none)
        return value, of_none.squeeze(-1)


class ThompsonSampling(_LinearBandit):
    """Offers what is worth most to coefficients drawn from their posterior (Agrawal & Goyal 2013, Algorithm 1)."""

    def _values(
        self, fit: Fit, context: Tensor, none: Tensor, generator: torch.Generator | None, *, explores: bool
    ) -> tuple[Tensor, Tensor]:
        if not explores:
            return fit.means(slice(self.space.num_bonuses), context), fit.means(slice(-1, None), none).squeeze(-1)
        theta = fit.sampled(len(none), self.config.deviation, generator)
        value = context @ theta[:, : self.space.num_bonuses].mT
        return value, (theta[:, -1] * none).sum(-1)
