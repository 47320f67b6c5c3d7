"""One leader that learns by event-based policy gradient, alone or with the other ranks of a job."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from paymaster.algorithms import losses
from paymaster.algorithms.advantages import normalise
from paymaster.algorithms.core_update import CoreUpdate
from paymaster.algorithms.ebpg import Learner, described_by, sums_of
from paymaster.algorithms.ebpg_config import EBPGConfig
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.joined_adam import JoinedAdam
from paymaster.algorithms.packed_steps import PackedSteps
from paymaster.algorithms.process import OptionRules, held_offers
from paymaster.algorithms.process_group import SINGLE_PROCESS, Ranks, joint_descent, joint_step
from paymaster.algorithms.protocol import Insight
from paymaster.networks.leader import LeaderConfig, LeaderNetwork, LeaderOutput
from paymaster.networks.torch_defaults import drawing_from, usual_torch

__all__ = ["EBPG", "adam_of"]


class EBPG(Learner):
    """A leader network, its optimiser, and the two things done with them: acting and learning.

    Args:
        leader: sizes and kinds of the network's modules.
        config: how it learns.
        device: where the parameters live.
        seed: of the initial weights; torch's global generator is left as it was.

    Attributes:
        ranks: with whom it learns, each from games of its own: every mean and sum of an update is over all of theirs.
    """

    def __init__(
        self,
        leader: LeaderConfig,
        config: EBPGConfig | None = None,
        device: torch.device | str = "cpu",
        seed: int = 0,
    ) -> None:
        self.config = EBPGConfig() if config is None else config
        self.config.validate()
        if leader.termination == "none" and self.config.options == OptionRules():
            raise ValueError(
                "options: without a termination function expected an interval or expiring, else the first offer "
                "would never change; got neither"
            )
        self.device = torch.device(device)
        self.ranks: Ranks = SINGLE_PROCESS
        with usual_torch(), drawing_from(seed):
            self.network = LeaderNetwork(leader).to(self.device)
        self.optimizer = adam_of(self.network, self.config)
        self._core: CoreUpdate | None = None

    @usual_torch()
    def update(self, episodes: Episodes, progress: float = 0.0) -> dict[str, float]:
        """Learns from the steps played of a batch of whole episodes, by all ranks; see :class:`LeaderAlgorithm`."""
        self._core = CoreUpdate.of(self.network, self._core)
        metrics = (
            self._learn(episodes, progress) if self._core is None else self._learn_by(self._core, episodes, progress)
        )
        # One transfer from the device for all of them.
        return dict(zip(metrics, torch.stack(list(metrics.values())).tolist(), strict=True))

    @usual_torch()
    @torch.no_grad()
    def inspect(self, episodes: Episodes) -> Insight:
        """What went on in the leader while it played these episodes."""
        episodes = episodes.to(self.device)
        start = self.network.initial_history(episodes.num_games, episodes.num_followers)
        output: LeaderOutput = self.network(episodes.follower, episodes.goal, episodes.previous, start, baseline=False)
        beta = None
        if output.termination_logits is not None:
            time = torch.arange(episodes.num_steps, device=self.device)[:, None, None]
            held = held_offers(self.config.options, episodes.previous, episodes.expired, time)
            beta = torch.sigmoid(output.termination_logits).masked_fill(held < 0, torch.nan)
        prediction = None if output.prediction_logits is None else torch.softmax(output.prediction_logits, dim=-1)
        return Insight(output.attention, beta, prediction, losses.entropy(output.log_mu))

    def modules(self) -> dict[str, nn.Module]:
        """The network, under the name checkpoints store it by."""
        return {"leader": self.network}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The optimiser, under the name checkpoints store it by."""
        return {"leader": self.optimizer}

    def _learn_by(self, core: CoreUpdate, episodes: Episodes, progress: float) -> dict[str, Tensor]:
        """:meth:`_learn`, with losses and gradients by the core."""
        self._set_rates(progress)
        steps = self._steps(episodes)
        core.take(steps, held_offers(self.config.options, steps.previous, steps.expired, steps.step), self.config)
        share, weights = self._share(steps), self._weights(progress)
        judged = core.judge()
        estimates = self._estimate(episodes, steps, judged.phi, share)
        described: dict[str, Tensor] = {}
        for epoch in range(self.config.epochs):
            means = core.learn(weights, judged, estimates.advantage, estimates.targets, float(share), first=epoch == 0)
            loss = torch.tensor(sum(weight * means[name] for name, weight in weights.items()))
            report: list[Tensor] = []
            if epoch == 0:
                shares = {name: torch.tensor(means[name]) * share for name in weights} | {"loss": loss * share}
                sums = sums_of(steps, episodes.num_games, judged.predicted, judged.beta)
                report = [*shares.values(), *sums.values()]
            step = partial(self.optimizer.step_joined, core.parameters, core.gradient)
            norm = joint_descent(loss, [core.gradient], step, self.config.max_gradient_norm, self.ranks, report)
            if epoch == 0:
                described = {**shares, "gradient_norm": norm, **described_by(sums)}
                described["explained_variance"] = estimates.explained_variance
        return described

    def _steps(self, episodes: Episodes) -> PackedSteps:
        return PackedSteps.of(episodes)

    def _share(self, steps: PackedSteps) -> Tensor:
        return self.ranks.share(steps.count)

    def _variance(self, steps: PackedSteps, values: Tensor, share: Tensor) -> Tensor:
        """Over the values of all ranks, []: the mean of the ranks' variances, and the variance of their means."""
        own = values.mean()
        mean = self.ranks.total(own * share)
        return self.ranks.total((values.var(correction=0) + (own - mean).square()) * share)

    def _normalise(self, steps: PackedSteps, advantage: Tensor) -> Tensor:
        return normalise(advantage, total=self.ranks.total)

    def _descend(self, loss: Tensor, share: Tensor, report: list[Tensor]) -> Tensor:
        return joint_step(loss, share, self.optimizer, self.config.max_gradient_norm, self.ranks, report)


def adam_of(network: LeaderNetwork, config: EBPGConfig) -> JoinedAdam:
    """The optimiser of a leader: the baseline's heads have a learning rate of their own."""
    critic = list(network.baseline.parameters())
    others = [p for name, p in network.named_parameters() if not name.startswith("baseline.")]
    return JoinedAdam(
        [{"params": others, "lr": config.learning_rate}, {"params": critic, "lr": config.critic_learning_rate}]
    )
