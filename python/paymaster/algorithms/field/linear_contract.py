"""A linear contract: every offer pays the same share of what the goal is worth, and the share is learned.

Duetting, Roughgarden & Talgam-Cohen 2019, "Simple versus optimal contracts": a contract that pays a fixed share of the
outcome is optimal against the worst case, and is what people use. Here the outcome is w of the goal type, and the bonus
is the level whose price is nearest to the share of w. The goal type is the nearest one. An offer stands until it has
run its course.

A bandit chooses the share. Shares that come to the same levels are one arm; an arm's reward is the leader's return of
an episode. Each game draws the arm of its episode by Thompson sampling, with normal posteriors of the mean returns:
N(mean, variance / n), where the variance is that of all episodes about their arms' means. An arm that was never played
comes first.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.field.bandit_learning import BanditLearning
from paymaster.algorithms.field.offers import FieldLeader, Menus, OfferSpace, decides, nearest_goals, returns
from paymaster.algorithms.protocol import LeaderInput, LeaderStep
from paymaster.networks.torch_defaults import usual_torch

__all__ = ["LinearContract", "levels_of_shares"]


def levels_of_shares(shares: Tensor, goal_reward: Tensor, price: Tensor) -> Tensor:
    """Return the bonus level whose price is nearest to each share of w, int64 [S, G]; of two the lower.

    Args:
        shares: [S].
        goal_reward: w, [G].
        price: [K].
    """
    wanted = shares.double()[:, None, None] * goal_reward.double()[:, None]
    distance = (wanted - price.double()).abs()
    return (distance == distance.amin(-1, keepdim=True)).int().argmax(-1)


class _Returns(nn.Module):
    """Episodes of each of S arms, int64 [S], and their returns' sums and sums of squares, float64 [S]."""

    count: Tensor
    total: Tensor
    squares: Tensor

    def __init__(self, arms: int) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(arms, dtype=torch.int64))
        self.register_buffer("total", torch.zeros(arms, dtype=torch.float64))
        self.register_buffer("squares", torch.zeros(arms, dtype=torch.float64))

    def means(self) -> Tensor:
        """Return the mean return of each arm, [S]; 0 of one that was never played."""
        return self.total / self.count.clamp(min=1)

    def deviation(self) -> float:
        """Return the standard deviation of returns about their arms' means; 1 before there is one."""
        within = (self.squares - self.total.square() / self.count.clamp(min=1)).clamp(min=0.0).sum()
        freedom = int(self.count.sum() - (self.count > 0).sum())
        return float((within / freedom).sqrt()) if freedom > 0 else 1.0


class LinearContract(FieldLeader):
    """Offers each follower the nearest goal type for a share of w that it learns.

    Args:
        space: offers, and what is seen.
        config: the shares; with ``share`` there is nothing to learn.

    Attributes:
        shares: of the arms, float64 [S]: the lowest of each that come to the same levels.
        levels: of the arms' offers, int64 [S, G].
    """

    all_goals = True
    learned: _Returns

    def __init__(self, space: OfferSpace, config: BanditLearning) -> None:
        config.validate()
        self.space = space
        shares = torch.linspace(0.0, 1.0, config.shares, dtype=torch.float64)
        if config.share is not None:
            shares = torch.tensor([config.share], dtype=torch.float64)
        levels = levels_of_shares(shares, space.goal_reward, space.price)
        new = torch.ones(len(shares), dtype=torch.bool)
        new[1:] = (levels[1:] != levels[:-1]).any(-1)
        self.shares, self.levels = shares[new], levels[new]
        self.learned = _Returns(len(self.shares))
        self._arms: Tensor | None = None

    @property
    def best(self) -> int:
        """The arm with the highest mean return so far; one never played counts only where none was."""
        means = self.learned.means()
        return int(torch.where(self.learned.count > 0, means, means.min() - 1.0).argmax())

    def initial_state(self, num_games: int, num_followers: int) -> Menus:
        """Return that no share is chosen yet."""
        return Menus(None)

    @usual_torch()
    @torch.inference_mode()
    def act(
        self,
        seen: LeaderInput,
        state: Menus,
        *,
        explore: float = 0.0,
        generator: torch.Generator | None = None,
        greedy: bool = False,
    ) -> LeaderStep:
        """Return offers for one step of B games; see :class:`~paymaster.algorithms.protocol.Player`."""
        levels = state.levels
        if levels is None:
            games = len(seen.previous)
            arms = torch.full((games,), self.best)
            if explore > 0.0 and not greedy:
                arms = self._draw(games, generator)
                self._arms = arms.clone()
            levels = self.levels[arms]
        place, reachable = nearest_goals(seen.goal)
        new = place * self.space.num_bonuses + levels.gather(1, place)
        if self.space.abstain:
            new = new.masked_fill(~reachable, self.space.num_offers - 1)
        return LeaderStep(torch.where(decides(seen), new, seen.previous), Menus(levels))

    @usual_torch()
    @torch.no_grad()
    def update(self, episodes: Episodes, progress: float = 0.0) -> dict[str, float]:
        """Take up the returns of the last episodes played with exploring.

        Returns:
            ``share``, that with the highest mean return.
        """
        if self._arms is None or len(self._arms) != episodes.num_games:
            raise ValueError("episodes: expected those that this leader has just played with exploring, got others")
        brought = returns(episodes)
        arms, self._arms = self._arms, None
        self.learned.count += torch.bincount(arms, minlength=len(self.shares))
        self.learned.total.index_add_(0, arms, brought)
        self.learned.squares.index_add_(0, arms, brought.square())
        return {"share": float(self.shares[self.best])}

    def _draw(self, games: int, generator: torch.Generator | None) -> Tensor:
        """An arm a game, int64 [B]."""
        learned = self.learned
        normal = torch.randn(games, len(self.shares), generator=generator, dtype=torch.float64)
        value = learned.means() + learned.deviation() * learned.count.clamp(min=1).rsqrt() * normal
        untried = (learned.count == 0).expand_as(value)
        if bool(untried.any()):
            value = torch.where(untried, normal, -torch.inf)
        return value.argmax(-1)
