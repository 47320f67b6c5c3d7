"""An incentive designer that differentiates through its followers' learning step.

After Yang et al., "Learning to incentivize other learning agents" (NeurIPS 2020) and "Adaptive incentive design with
multi-agent meta-gradient reinforcement learning" (AAMAS 2022). The levels of :class:`.Designer` are learned thus: with
eta the logits of the levels, what a follower is paid for goal type g counts as the mean price c_g(eta), so that its
rewards, and the step that it would learn from them, are functions of eta:

    theta'(eta) = theta + alpha grad_theta mean log pi_theta(a) A(eta)

over half of the games of a batch. On the other half, the leader's objective of followers with theta' is

    J(eta) = mean over games of  sum pi_theta'(a) / pi_theta(a) A_leader  -  sum c_g(eta) where it paid

and eta follows its gradient, through theta'. A(eta) and A_leader are rewards to go less their mean. The followers' true
step is another one, by their own optimiser, as in AAMAS 2022 the inner step is a model of it. Goal types are learned as
:class:`.Designer` does.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor
from torch.func import functional_call, grad

from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.field.designer import Designer
from paymaster.algorithms.field.designer_learning import DesignerLearning
from paymaster.algorithms.field.offers import OfferSpace, worth
from paymaster.algorithms.followers import FollowerAlgorithm, FollowerEpisodes
from paymaster.networks.follower_policy import FollowerNetwork

__all__ = ["MetaGradient", "foreseen_weights", "log_policy"]

Weights = dict[str, Tensor]


def log_policy(network: FollowerNetwork, weights: Weights, lived: FollowerEpisodes) -> Tensor:
    """Return log pi of each action that followers chose, [T, B, N], under other weights."""
    output = functional_call(network, weights, (lived.own, lived.goal, lived.identity))
    logs: Tensor = torch.log_softmax(output.logits, dim=-1)
    return logs.gather(-1, lived.action.unsqueeze(-1)).squeeze(-1)


def foreseen_weights(
    network: FollowerNetwork, weights: Weights, lived: FollowerEpisodes, reward: Tensor, step: float
) -> Weights:
    """Return the followers' weights after a step of gradient ascent, differentiable by the rewards.

    Args:
        network: theirs.
        weights: of it, by name, as they are.
        lived: episodes.
        reward: what each action earned, [T, B, N].
        step: alpha.
    """
    acts = lived.acts
    count = acts.sum().clamp(min=1)
    to_go = _to_go(torch.where(acts, reward, 0.0))
    advantage = torch.where(acts, to_go - torch.where(acts, to_go, 0.0).sum() / count, 0.0)

    def objective(at: Weights) -> Tensor:
        return (log_policy(network, at, lived) * advantage).sum() / count

    slope: Weights = grad(objective)(weights)
    return {name: value + step * slope[name] for name, value in weights.items()}


class MetaGradient(Designer):
    """Learns its levels through what followers would learn from them.

    Args:
        space: offers, and what is seen.
        config: how it learns.
    """

    def __init__(self, space: OfferSpace, config: DesignerLearning) -> None:
        super().__init__(space, config)
        self._followers: tuple[FollowerNetwork, Weights, FollowerEpisodes] | None = None

    def foresee(self, followers: FollowerAlgorithm, lived: FollowerEpisodes) -> None:
        """Take up the followers as they are, and what they have lived through, before :meth:`update`."""
        # A copy of the module too: functional_call puts weights into it while the followers learn in another thread.
        network: FollowerNetwork = copy.deepcopy(followers.network).cpu()
        weights = {name: value.detach() for name, value in network.named_parameters()}
        self._followers = network, weights, lived.to("cpu")

    def _level_loss(self, episodes: Episodes, menus: Tensor) -> Tensor:
        if self._followers is None:
            raise ValueError("update: expected the followers before it (foresee), got none")
        (network, weights, lived), self._followers = self._followers, None
        goals = self.space.num_goals
        mean_price = torch.softmax(self.learned.level, dim=-1) @ self.space.price  # [G]
        kind = (episodes.offer // self.space.num_bonuses).clamp(max=goals - 1)
        paid = (episodes.payment > 0) & episodes.valid.unsqueeze(-1)
        cost = torch.where(paid, mean_price[kind], 0.0)  # [T, B, N], of eta
        reward = lived.reward - torch.where(paid, episodes.payment, 0.0) + cost
        brought = (worth(episodes).float() + torch.where(paid, episodes.payment, 0.0) - cost).detach()
        learn, judge = slice(0, None, 2), slice(1, None, 2)
        later = foreseen_weights(network, weights, _games(lived, learn), reward[:, learn], self.config.follower_step)
        rest = _games(lived, judge)
        ratio = (log_policy(network, later, rest) - log_policy(network, weights, rest).detach()).exp()
        to_go = _to_go(brought[:, judge])
        count = rest.acts.sum().clamp(min=1)
        advantage = torch.where(rest.acts, to_go - torch.where(rest.acts, to_go, 0.0).sum() / count, 0.0)
        games = advantage.shape[1]
        return (cost[:, judge].sum() - (ratio * advantage).sum()) / games / self.space.unit


def _to_go(reward: Tensor) -> Tensor:
    """Rewards from each step to the end, [T, B, N]."""
    return reward.flip(0).cumsum(0).flip(0)


def _games(lived: FollowerEpisodes, which: slice) -> FollowerEpisodes:
    """Some games of the episodes."""
    parts = {name: getattr(lived, name)[:, which] for name in ("own", "goal", "action", "reward", "acts")}
    return FollowerEpisodes(identity=lived.identity[which], explore=lived.explore, **parts)
