"""An incentive designer: a price for each goal type, the same for all followers, learned by policy gradient.

This is the baseline "dual-RL" of Yang et al., "Adaptive incentive design with multi-agent meta-gradient reinforcement
learning" (AAMAS 2022): the designer is a learner of its own beside those that it pays. It announces a menu when an
episode begins: for each goal type a bonus level, drawn from softmax(level_g). A follower whose offer has run its course
is offered a goal type, drawn from softmax(goal_g + near . nearness) over those within reach, at the menu's level.

REINFORCE (Williams 1992): the levels of the types that were offered are judged by the episode's return against the mean
of the batch, each goal type by what its offer brought against the mean of all offers.
"""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor, nn

from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.field.designer_learning import DesignerLearning
from paymaster.algorithms.field.offers import (
    NEARNESS,
    REACHABLE,
    FieldLeader,
    Menus,
    OfferSpace,
    decides,
    first_best,
    outcomes,
    returns,
)
from paymaster.algorithms.losses import entropy
from paymaster.algorithms.protocol import Insight, LeaderInput, LeaderStep
from paymaster.networks.torch_defaults import usual_torch

__all__ = ["Designer", "Menu"]


class Menu(nn.Module):
    """The designer's parameters.

    Attributes:
        level: logits of each goal type's bonus levels, [G, K].
        goal: logits of the goal types, [G], and behind them of "none", where there is such.
        near: what nearness counts, [].
        usual: running mean of the returns, [], by which a batch of one episode is judged.
        batches: updates so far, int64 [].
    """

    usual: Tensor
    batches: Tensor

    def __init__(self, space: OfferSpace, nearness: float) -> None:
        super().__init__()
        self.level = nn.Parameter(torch.zeros(space.num_goals, space.num_bonuses))
        self.goal = nn.Parameter(torch.zeros(space.num_goals + space.abstain))
        self.near = nn.Parameter(torch.tensor(float(nearness)))
        self.register_buffer("usual", torch.zeros((), dtype=torch.float64))
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    def log_goals(self, goal: Tensor) -> Tensor:
        """Return log-probabilities of the goal types, [..., G], and of "none" behind them, for features [..., G, D]."""
        num_goals = goal.shape[-2]
        reachable = goal[..., REACHABLE] > 0
        logits = self.goal[:num_goals] + self.near * goal[..., NEARNESS]
        if len(self.goal) > num_goals:
            none = self.goal[num_goals].expand(*logits.shape[:-1], 1)
            logits = torch.cat((logits.masked_fill(~reachable, -torch.inf), none), dim=-1)
        else:  # something must be offered
            logits = logits.masked_fill(~reachable & reachable.any(-1, keepdim=True), -torch.inf)
        return torch.log_softmax(logits, dim=-1)


class Designer(FieldLeader):
    """Announces a level for each goal type, and learns levels and goal types.

    Args:
        space: offers, and what is seen.
        config: how it learns.
    """

    all_goals = True
    learned: Menu

    def __init__(self, space: OfferSpace, config: DesignerLearning) -> None:
        config.validate()
        self.space, self.config = space, config
        self.learned = Menu(space, config.nearness)
        self._menus: Tensor | None = None

    @cached_property
    def optimizer(self) -> torch.optim.Optimizer:
        """Of the parameters; made when it is first asked for, since torch takes seconds to load what it needs."""
        return torch.optim.Adam(self.learned.parameters(), lr=self.config.learning_rate)

    def initial_state(self, num_games: int, num_followers: int) -> Menus:
        """Return that no menu is announced yet."""
        return Menus(None)

    @usual_torch()
    @torch.no_grad()
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
            levels = _draw(self.learned.level.expand(len(seen.previous), -1, -1), generator, greedy=greedy)
            if explore > 0.0:
                self._menus = levels.clone()
        place = _draw(self.learned.log_goals(seen.goal), generator, greedy=greedy)
        bonuses, goals = self.space.num_bonuses, self.space.num_goals
        new = place * bonuses + levels.gather(1, place.clamp(max=goals - 1))
        new = torch.where(place < goals, new, goals * bonuses)
        return LeaderStep(torch.where(decides(seen), new, seen.previous), Menus(levels))

    @usual_torch()
    def update(self, episodes: Episodes, progress: float = 0.0) -> dict[str, float]:
        """Learn from the last episodes played; see :class:`~paymaster.algorithms.LeaderAlgorithm`.

        Returns:
            Losses, the entropies of levels and goal types in nats, and the mean of the prices announced.
        """
        menus = self._menus
        if menus is None or len(menus) != episodes.num_games:
            raise ValueError("episodes: expected those that this leader has just played to learn from, got others")
        self._menus = None
        terms = {"level_loss": self._level_loss(episodes, menus), "goal_loss": self._goal_loss(episodes)}
        log_level = torch.log_softmax(self.learned.level, dim=-1)
        of_levels = entropy(log_level).mean()
        of_goals = _entropy(torch.log_softmax(self.learned.goal, dim=-1))
        loss = terms["level_loss"] + terms["goal_loss"] - self.config.lambda_entropy * (of_levels + of_goals)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        price = (log_level.exp() @ self.space.price).mean()
        told = {**terms, "level_entropy": of_levels, "goal_entropy": of_goals, "price": price}
        return {name: float(value.detach()) for name, value in told.items()}

    def inspect(self, episodes: Episodes) -> Insight:
        """Return the entropy of its choice of goal types."""
        with torch.no_grad():
            return Insight(None, None, None, _entropy(self.learned.log_goals(episodes.goal)))

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Return the optimiser, under the name checkpoints store it by."""
        return {"leader": self.optimizer}

    def _level_loss(self, episodes: Episodes, menus: Tensor) -> Tensor:
        """Of the levels of the goal types that were offered, by the episode's return."""
        advantage = self._judged(returns(episodes) / self.space.unit)
        bonuses, goals = self.space.num_bonuses, self.space.num_goals
        kind = torch.where(episodes.valid.unsqueeze(-1), episodes.offer // bonuses, goals)
        offered = (kind.unsqueeze(-1) == torch.arange(goals)).any(2).any(0)  # [B, G]
        log_level = torch.log_softmax(self.learned.level, dim=-1).expand(len(menus), -1, -1)
        chosen = log_level.gather(-1, menus.unsqueeze(-1)).squeeze(-1)
        return -(torch.where(offered, chosen, 0.0).sum(-1) * advantage).mean()

    def _goal_loss(self, episodes: Episodes) -> Tensor:
        """Of the goal types chosen, by what each offer brought."""
        decided, sums = outcomes(episodes)
        place = (episodes.offer[decided] // self.space.num_bonuses).clamp(max=self.space.num_goals)
        chosen = self.learned.log_goals(episodes.goal[decided]).gather(-1, place.unsqueeze(-1)).squeeze(-1)
        return -(chosen * _standardised(sums[decided])).mean()

    def _judged(self, brought: Tensor) -> Tensor:
        """Returns [B] as advantages: against their own mean and deviation, or one alone against earlier ones."""
        usual = self.learned.usual
        alone = brought - usual if int(self.learned.batches) > 0 else torch.zeros_like(brought)
        self.learned.batches += 1
        usual += max(0.05, 1.0 / int(self.learned.batches)) * (brought.mean() - usual)
        return alone.float() if len(brought) == 1 else _standardised(brought)


def _standardised(values: Tensor) -> Tensor:
    """Values [R] with mean 0 and deviation 1, float32; 0 where all are alike."""
    centred = values - values.mean()
    deviation = centred.square().mean().sqrt()
    return (centred / deviation.clamp(min=1e-8)).float()


def _entropy(log_probability: Tensor) -> Tensor:
    """In nats, where some have probability 0."""
    probability = log_probability.exp()
    return -(probability * log_probability.masked_fill(probability == 0, 0.0)).sum(-1)


def _draw(logits: Tensor, generator: torch.Generator | None, *, greedy: bool) -> Tensor:
    """Draw from softmax(logits), int64 [...], of logits [..., O]; or the first of the likeliest."""
    if greedy:
        return first_best(logits)
    share = torch.softmax(logits, dim=-1)
    return torch.multinomial(share.reshape(-1, share.shape[-1]), 1, generator=generator).view(share.shape[:-1])
