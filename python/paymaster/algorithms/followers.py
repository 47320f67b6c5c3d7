"""Followers that learn: actor-critic on each one's own reward (paper, Sec. 4.3), for a whole population at once."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property, partial
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from paymaster.algorithms.advantages import lambda_returns, normalise
from paymaster.algorithms.core_follower_update import CoreFollowerUpdate
from paymaster.algorithms.joined_adam import JoinedAdam
from paymaster.algorithms.process_group import SINGLE_PROCESS, Ranks, joint_descent
from paymaster.algorithms.torch_follower_update import TorchFollowerUpdate
from paymaster.networks.acting import FollowerActor
from paymaster.networks.follower_policy import (
    FollowerConfig,
    FollowerNetwork,
    Identities,
)
from paymaster.networks.torch_defaults import drawing_from, usual_torch
from paymaster.validation.quantities import Epochs, Positive, Share, Weight, Width
from paymaster.validation.ranges import check_fields

__all__ = ["FollowerActorCritic", "FollowerAlgorithm", "FollowerEpisodes", "FollowerInput", "FollowerLearning"]


@dataclass(frozen=True)
class FollowerLearning:
    """How followers learn.

    Attributes:
        learning_rate: Adam's. Followers must be the faster ones of two time scales (paper: 0.001 beside the leader's
            0.0003): with 0.001 beside our leader's 0.006 it gave up paying in `predator_prey` before they had learned
            to finish what they were paid for (docs/results.md).
        gamma: discount of their own rewards.
        gae_lambda: lambda of the advantage estimator.
        explore: iota: with this probability an action is a uniform one, throughout training. The paper's 0.3 breaks off
            contracts, at the leader's cost in predator_prey; a policy that is drawn from tries enough by itself
            (docs/results.md).
        lambda_entropy: weight of the policy's entropy.
        critic_weight: weight of the value's loss.
        max_gradient_norm: the gradient is scaled down to this norm.
        epochs: gradient steps on each batch; from the second on the policy's loss is clipped (PPO).
        clip: how far an action's probability may move within a batch, as a share.
        hidden: width of their networks.
        identities: "embedded", one set of weights and a learned vector for every follower, or "separate", weights of
            its own for each, which learn from what that one lives through alone: with "meta" nearly as good in the end,
            but later; with "primitive" they hardly learn (docs/results.md).
    """

    learning_rate: Positive = 5e-3
    gamma: Share = 1.0
    gae_lambda: Share = 0.9
    explore: Share = 0.0
    lambda_entropy: Weight = 0.01
    critic_weight: Weight = 0.5
    max_gradient_norm: Positive = 1.0
    epochs: Epochs = 4
    clip: Positive = 0.2
    hidden: Width = 32
    identities: Identities = "embedded"

    def validate(self) -> None:
        """Raises ValueError naming the first field that makes no sense, what was expected and what came."""
        check_fields(self)


class FollowerInput(NamedTuple):
    """What the followers of B games see of one step, all in the same step of their episodes.

    Attributes:
        own: features per follower, float [B, N, F].
        goal: per follower and goal type, float [B, N, G, D].
        identity: who they are, int64 [B, N].
    """

    own: Tensor
    goal: Tensor
    identity: Tensor


@dataclass(frozen=True)
class FollowerEpisodes:
    """B episodes of T steps with N followers, as the followers lived through them.

    Attributes:
        own: float [T, B, N, F].
        goal: float [T, B, N, G, D].
        identity: int64 [B, N].
        action: int64 [T, B, N], what each chose.
        reward: float [T, B, N], what each earned in that step.
        acts: bool [T, B, N], its action was used: it learns, and the game went on.
        explore: iota under which actions were drawn.
    """

    own: Tensor
    goal: Tensor
    identity: Tensor
    action: Tensor
    reward: Tensor
    acts: Tensor
    explore: float = 0.0

    def to(self, device: torch.device | str) -> FollowerEpisodes:
        """The same on ``device``."""
        moved: dict[str, Any] = {f.name: getattr(self, f.name).to(device) for f in fields(self) if f.name != "explore"}
        return replace(self, **moved)


class FollowerAlgorithm(Protocol):
    """Followers that learn, for a whole population: what the training loop, evaluation and checkpoints call.

    Attributes:
        config: how they learn; ``explore`` is the share of uniform answers in training.
        network: holds what they have learned; ``config`` has its sizes.
        ranks: with whom they learn.
    """

    config: Any
    network: Any
    ranks: Ranks

    @property
    def device(self) -> torch.device:
        """Where the parameters are, and the generator must be."""

    def actor(self) -> Any:
        """Return what plays the next batch of episodes."""

    def act(
        self,
        seen: FollowerInput,
        actor: Any = None,
        *,
        explore: float = 0.0,
        generator: torch.Generator | None = None,
        greedy: bool = False,
    ) -> Tensor:
        """What each chooses, int64 [B, N]."""

    def update(self, episodes: FollowerEpisodes) -> dict[str, float]:
        """Learn from a batch of whole episodes; return metrics by name."""

    def twin(self) -> FollowerAlgorithm:
        """Return others that have learned the same, and go on learning by themselves."""

    def modules(self) -> dict[str, nn.Module]:
        """What checkpoints store, by name."""

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The optimisers that checkpoints store, by name."""


class FollowerActorCritic:
    """A population's networks, their optimiser, and the two things done with them: acting and learning.

    Args:
        network: sizes.
        config: how they learn.
        device: where the parameters live.
        seed: of the initial weights; torch's global generator is left as it was.

    Attributes:
        ranks: with whom they learn, each from games of its own: every mean and sum of an update is over all of theirs.
    """

    def __init__(
        self,
        network: FollowerConfig,
        config: FollowerLearning | None = None,
        device: torch.device | str = "cpu",
        seed: int = 0,
    ) -> None:
        self.config = FollowerLearning() if config is None else config
        self.config.validate()
        self.device = torch.device(device)
        self.ranks: Ranks = SINGLE_PROCESS
        with usual_torch(), drawing_from(seed):
            self.network = FollowerNetwork(network).to(self.device)
        self._core: CoreFollowerUpdate | None = None

    @cached_property
    def optimizer(self) -> torch.optim.Optimizer:
        """The networks', made when learning begins: a leader's is, too."""
        return JoinedAdam([{"params": list(self.network.parameters()), "lr": self.config.learning_rate}])

    def actor(self) -> FollowerActor:
        """Return the networks as they play the next batch of episodes."""
        return FollowerActor(self.network)

    @torch.no_grad()
    def act(
        self,
        seen: FollowerInput,
        actor: FollowerActor | None = None,
        *,
        explore: float = 0.0,
        generator: torch.Generator | None = None,
        greedy: bool = False,
    ) -> Tensor:
        """What each chooses, int64 [B, N]: "meta" a goal type or G, "stop"; else a primitive action.

        Args:
            seen: the step.
            actor: from :meth:`actor`; None makes one for this step.
            explore: iota.
            generator: the only source of randomness, on ``device``.
            greedy: the likeliest action, no randomness at all.
        """
        uniform: Tensor | None = None
        if not greedy:
            own = seen.own
            uniform = torch.rand(own.shape[:-1], generator=generator, device=own.device, dtype=own.dtype)
        return (actor or self.actor()).draw(*seen, uniform, explore)

    @usual_torch()
    def update(self, episodes: FollowerEpisodes) -> dict[str, float]:
        """Learns from a batch of whole episodes, each follower from its own rewards; the metrics of the first step."""
        metrics = self._learn(episodes.to(self.device))
        return dict(zip(metrics, torch.stack(list(metrics.values())).tolist(), strict=True))

    def twin(self) -> FollowerActorCritic:
        """Return others with the same weights, and an optimiser of their own that has made no step."""
        made = FollowerActorCritic(self.network.config, self.config, self.device)
        made.network.load_state_dict(self.network.state_dict())
        return made

    def modules(self) -> dict[str, nn.Module]:
        """The networks, under the name checkpoints store them by."""
        return {"followers": self.network}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The optimiser, under the name checkpoints store it by."""
        return {"followers": self.optimizer}

    def _learn(self, episodes: FollowerEpisodes) -> dict[str, Tensor]:
        config, share = self.config, self.ranks.share(episodes.acts.sum())
        self._core = CoreFollowerUpdate.of(self.network, self._core)
        update = TorchFollowerUpdate(self.network) if self._core is None else self._core
        update.take(episodes, config)
        value = update.judge()
        if self._core is None:
            advantage, targets = self._estimate(episodes, value)
        else:
            advantage, targets = self._core.estimate(episodes, value, self.ranks.total)
        first: dict[str, Tensor] = {}
        for epoch in range(config.epochs):
            loss, means = update.learn(advantage, targets, share, first=epoch == 0)
            report = {} if first else {name: mean * share for name, mean in means.items()}
            step = partial(update.step, self.optimizer)
            sums = [*report.values()]
            joint_descent(loss, update.gradients, step, config.max_gradient_norm, self.ranks, sums, who="followers")
            first = first or report
        return first

    @torch.no_grad()
    def _estimate(self, episodes: FollowerEpisodes, value: Tensor) -> tuple[Tensor, Tensor]:
        """Advantages scaled to mean 0 and deviation 1 over those who acted, and the value's targets (GAE)."""
        acts = episodes.acts
        reward = torch.where(acts, episodes.reward, 0.0)
        # Every follower has steps of its own, as a game has in `advantages`: the axis after T is B N, those after it 1.
        alone = (len(acts), -1, 1, 1)
        target = lambda_returns(
            reward.view(alone), value.view(alone), acts.flatten(1), self.config.gamma, self.config.gae_lambda
        ).view(acts.shape)
        return normalise((target - value).unsqueeze(-1), acts, self.ranks.total).squeeze(-1), target
