"""Followers that learn: actor-critic on each one's own reward (paper, Sec. 4.3), for a whole population at once."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from paymaster.algorithms import losses
from paymaster.algorithms.advantages import lambda_returns, normalise
from paymaster.algorithms.core_follower_update import CoreFollowerUpdate
from paymaster.algorithms.joined_adam import JoinedAdam
from paymaster.algorithms.process_group import SINGLE_PROCESS, Ranks, joint_descent, joint_step
from paymaster.networks.acting import FollowerActor
from paymaster.networks.follower_policy import (
    FollowerConfig,
    FollowerNetwork,
    FollowerOutput,
    Identities,
    mixed_with_uniform,
)
from paymaster.networks.narrow import log_softmax
from paymaster.networks.torch_defaults import drawing_from, usual_torch
from paymaster.validation.quantities import Epochs, Positive, Share, Weight, Width
from paymaster.validation.ranges import check_fields

__all__ = ["FollowerActorCritic", "FollowerEpisodes", "FollowerInput", "FollowerLearning"]


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
            every fourth contract in each step, and leaders learn to offer what nobody takes; a policy that is drawn
            from tries enough by itself (docs/results.md).
        lambda_entropy: weight of the policy's entropy.
        critic_weight: weight of the value's loss.
        max_gradient_norm: the gradient is scaled down to this norm.
        epochs: gradient steps on each batch; from the second on the policy's loss is clipped (PPO).
        clip: how far an action's probability may move within a batch, as a share.
        hidden: width of their networks.
        identities: "embedded", one set of weights and a learned vector for every follower, or "separate", weights of
            its own for each, which learn from what that one lives through alone: as good in the end, but later
            (docs/results.md).
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
        self.optimizer = JoinedAdam([{"params": list(self.network.parameters()), "lr": self.config.learning_rate}])
        self._core: CoreFollowerUpdate | None = None

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
        self._core = CoreFollowerUpdate.of(self.network, self._core)
        episodes = episodes.to(self.device)
        metrics = self._learn(episodes) if self._core is None else self._learn_by(self._core, episodes)
        return dict(zip(metrics, torch.stack(list(metrics.values())).tolist(), strict=True))

    def modules(self) -> dict[str, nn.Module]:
        """The networks, under the name checkpoints store them by."""
        return {"followers": self.network}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The optimiser, under the name checkpoints store it by."""
        return {"followers": self.optimizer}

    def _learn(self, episodes: FollowerEpisodes) -> dict[str, Tensor]:
        config, acts = self.config, episodes.acts
        share = self.ranks.share(acts.sum())
        alone = self._asked_alone(episodes)
        first: dict[str, Tensor] = {}
        old: Tensor | None = None
        for epoch in range(config.epochs):
            output = self._evaluate(episodes, alone)
            if epoch == 0:
                advantage, target = self._estimate(episodes, output.value.detach())
            log_pi = log_softmax(output.logits)
            chosen = log_pi.gather(-1, episodes.action.unsqueeze(-1)).squeeze(-1)
            if episodes.explore > 0.0:
                chosen = mixed_with_uniform(chosen.exp(), episodes.explore, log_pi.shape[-1]).log()
            if old is None:
                policy, old = losses.policy_gradient_loss(chosen, advantage), chosen.detach()
            else:
                policy = losses.clipped_loss(chosen, old, advantage, config.clip)
            terms = {
                "follower_policy_loss": (1.0, policy),
                "follower_critic_loss": (config.critic_weight, 0.5 * (output.value - target).square()),
                "follower_entropy": (-config.lambda_entropy, losses.entropy(log_pi)),
            }
            means = {name: losses.masked_mean(values.unsqueeze(-1), acts) for name, (_, values) in terms.items()}
            loss = torch.stack([weight * means[name] for name, (weight, _) in terms.items()]).sum()
            report = {} if first else {name: mean.detach() * share for name, mean in means.items()}
            sums = [*report.values()]
            joint_step(loss, share, self.optimizer, config.max_gradient_norm, self.ranks, sums, who="followers")
            first = first or report
        return first

    def _learn_by(self, core: CoreFollowerUpdate, episodes: FollowerEpisodes) -> dict[str, Tensor]:
        """:meth:`_learn`, with losses and gradients by the core."""
        config, first = self.config, dict[str, Tensor]()
        core.take(episodes)
        share = self.ranks.share(core.count)
        advantage, target = self._estimate(episodes, core.judge())
        step = partial(self.optimizer.step_joined, core.parameters, core.gradient)
        for epoch in range(config.epochs):
            loss, means = core.learn(config, advantage, target, float(share), first=epoch == 0)
            report = {} if first else {f"follower_{name}": torch.tensor(mean) * share for name, mean in means.items()}
            sums = [*report.values()]
            joint_descent(
                torch.tensor(loss), [core.gradient], step, config.max_gradient_norm, self.ranks, sums, who="followers"
            )
            first = first or report
        return first

    def _asked_alone(self, episodes: FollowerEpisodes) -> tuple[Tensor, FollowerInput] | None:
        """Where somebody acted, rows [R] of [T, B, N], and what they saw there, as R games of one follower each;
        None where everybody has weights of their own, which go by episodes."""
        if self.config.identities == "separate":
            return None
        rows = episodes.acts.flatten().nonzero().squeeze(-1)
        every = (episodes.own, episodes.goal, episodes.identity.expand(episodes.acts.shape))
        return rows, FollowerInput(*(part.flatten(0, 2).index_select(0, rows).unsqueeze(1) for part in every))

    def _evaluate(self, episodes: FollowerEpisodes, alone: tuple[Tensor, FollowerInput] | None) -> FollowerOutput:
        """The networks on whole episodes, [T, B, N, ...], or on those steps alone, and 0 elsewhere."""
        if alone is None:
            output: FollowerOutput = self.network(episodes.own, episodes.goal, episodes.identity)
            return output
        (rows, seen), shape = alone, episodes.acts.shape
        logits, value = self.network(*seen)
        whole = value.new_zeros(shape.numel(), logits.shape[-1])
        return FollowerOutput(
            whole.index_copy(0, rows, logits.squeeze(1)).view(*shape, -1),
            whole[:, 0].index_copy(0, rows, value.squeeze(1)).view(shape),
        )

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
