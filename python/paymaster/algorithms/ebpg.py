"""Event-based policy gradient: the leader that learns by it (paper Sec. 4.1, 4.2 and 4.4)."""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from paymaster.algorithms import losses
from paymaster.algorithms.advantages import head_prices, lambda_returns, normalise, reward_counts
from paymaster.algorithms.core_update import CoreUpdate
from paymaster.algorithms.ebpg_config import EBPGConfig
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.joined_adam import JoinedAdam
from paymaster.algorithms.packed_steps import PackedSteps
from paymaster.algorithms.player import NetworkPlayer
from paymaster.algorithms.process import OptionRules, held_offers
from paymaster.algorithms.process_group import SINGLE_PROCESS, Ranks, joint_descent
from paymaster.algorithms.protocol import Insight
from paymaster.algorithms.torch_update import Judged, TorchUpdate
from paymaster.networks.leader import LeaderConfig, LeaderNetwork, LeaderOutput
from paymaster.networks.torch_defaults import drawing_from, usual_torch

__all__ = ["EBPG"]


class _Estimates(NamedTuple):
    """What the losses compare the network with: all constants."""

    advantage: Tensor  # [R, N]
    targets: Tensor  # [R, N, G + K], lambda-returns of the baseline's heads
    explained_variance: Tensor  # []


class EBPG(NetworkPlayer):
    """A leader network, its optimiser, and the two things done with them: acting and learning.

    Args:
        leader: sizes and kinds of the network's modules.
        config: how it learns.
        device: where the parameters live.
        seed: of the initial weights; torch's global generator is left as it was.
        performance_history: its features have M3RL's performance history in place of history statistics.

    Attributes:
        ranks: with whom it learns, each from games of its own: every mean and sum of an update is over all of theirs.
    """

    def __init__(
        self,
        leader: LeaderConfig,
        config: EBPGConfig | None = None,
        device: torch.device | str = "cpu",
        seed: int = 0,
        *,
        performance_history: bool = False,
    ) -> None:
        self.performance_history = performance_history
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
            self.network = self._make_network(leader).to(self.device)
        self._core: CoreUpdate | None = None

    @cached_property
    def optimizer(self) -> torch.optim.Optimizer:
        """The network's; the baseline's heads have a learning rate of their own.

        Made when learning begins: for its first optimiser torch imports what takes two seconds.
        """
        critic = list(self.network.baseline.parameters())
        others = [p for name, p in self.network.named_parameters() if not name.startswith("baseline.")]
        made = self._make_optimizer([{"params": others}, {"params": critic}])
        self._set_rates(made, 0.0)
        return made

    @usual_torch()
    def update(self, episodes: Episodes, progress: float = 0.0) -> dict[str, float]:
        """Learns from the steps played of a batch of whole episodes, by all ranks; see :class:`LeaderAlgorithm`.

        ``_learn`` takes the steps; :class:`TorchUpdate` or, on the CPU, :class:`CoreUpdate` computes the losses.
        """
        metrics = self._learn(episodes.to(self.device), progress)
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

    def _learn(self, episodes: Episodes, progress: float) -> dict[str, Tensor]:
        """One gradient step (or ``epochs`` of them); metrics of the first, [] each, still on the device.

        Loss = EBPG (theta and vartheta) + critic + imitation - lambda_1 entropy + lambda_2 beta^2, each the
        mean over followers and steps played.
        """
        self._set_rates(self.optimizer, progress)
        steps = PackedSteps.of(episodes)
        held = held_offers(self.config.options, steps.previous, steps.expired, steps.step)
        update = self._update_of()
        update.take(steps, held, self.config)
        judged = update.judge()
        share, weights = self.ranks.share(steps.count), self._weights(progress)
        estimates = self._estimate(episodes, steps, judged.phi, share)
        described: dict[str, Tensor] = {}
        for epoch in range(self.config.epochs):
            means = update.learn(weights, judged, estimates.advantage, estimates.targets, share, first=epoch == 0)
            report: list[Tensor] = []
            if epoch == 0:
                described = {name: mean * share for name, mean in means.items()}
                sums = _sums_of(steps, episodes.num_games, judged)
                report = [*described.values(), *sums.values()]
            step = partial(update.step, self.optimizer)  # type: ignore[arg-type]  # the core has JoinedAdam
            norm = joint_descent(
                means["loss"],
                update.gradients,
                step,
                self.config.max_gradient_norm,
                self.ranks,
                report,
                order=self._norm_order,
            )
            if epoch == 0:
                described |= {"gradient_norm": norm, **_described_by(sums)}
        return described | {"explained_variance": estimates.explained_variance}

    @torch.no_grad()
    def _estimate(self, episodes: Episodes, steps: PackedSteps, phi: Tensor, share: Tensor) -> _Estimates:
        config, valid = self.config, episodes.valid
        counts, prices = self._rewards(episodes)
        whole = steps.unpack(phi, valid.shape)
        targets = steps.pack(lambda_returns(counts, whole, valid, config.gamma, config.gae_lambda))
        target = targets @ prices
        advantage = target - phi @ prices
        unexplained = self._variance(advantage, share) / self._variance(target, share).clamp(min=1e-8)
        if config.normalise_advantage:
            advantage = normalise(advantage, total=self.ranks.total)
        return _Estimates(advantage, targets, 1.0 - unexplained)

    def _make_network(self, leader: LeaderConfig) -> LeaderNetwork:
        return LeaderNetwork(leader)

    def _make_optimizer(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        return JoinedAdam(groups)

    def _update_of(self) -> TorchUpdate | CoreUpdate:
        """Who computes the gradient of the network as it is now."""
        self._core = CoreUpdate.of(self.network, self._core)
        return TorchUpdate(self.network) if self._core is None else self._core

    @property
    def _norm_order(self) -> float:
        """Of the gradient, in which it is scaled down."""
        return 2.0

    def _rewards(self, episodes: Episodes) -> tuple[Tensor, Tensor]:
        """What each step brought, as counts [T, B, N, heads], and what one count is worth, [heads]."""
        return reward_counts(episodes, self.config.credit), head_prices(episodes)

    def _variance(self, values: Tensor, share: Tensor) -> Tensor:
        """Over the values of all ranks, []: the mean of the ranks' variances, and the variance of their means."""
        own = values.mean()
        mean = self.ranks.total(own * share)
        return self.ranks.total((values.var(correction=0) + (own - mean).square()) * share)

    def _weights(self, progress: float) -> dict[str, float]:
        """Of the losses that this network has, by name."""
        config, network = self.config, self.network.config
        weights = {
            "policy_loss": 1.0,
            "critic_loss": config.critic_weight,
            "entropy": -_annealed(config.lambda_entropy, config.entropy_end, progress),
        }
        if network.prediction:
            weights["imitation_loss"] = config.imitation_weight
        if network.learns_termination:
            weights |= {"termination_loss": 1.0, "termination_penalty": config.lambda_termination}
        return weights

    def _set_rates(self, optimizer: torch.optim.Optimizer, progress: float) -> None:
        rates = (self.config.learning_rate, self.config.critic_learning_rate)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = _annealed(rate, self.config.learning_rate_end, progress)


def _annealed(start: float, share_at_the_end: float, progress: float) -> float:
    return start * (1.0 - (1.0 - share_at_the_end) * progress)


@torch.no_grad()
def _sums_of(steps: PackedSteps, games: int, judged: Judged) -> dict[str, Tensor]:
    """What happened in a batch, as sums, [] each, which ranks can add up before they are divided."""
    sums = {
        "games": torch.full((), games, device=steps.previous.device),
        "steps": steps.count,
        "new_offers": steps.new_offer.sum(),
    }
    if judged.predicted is not None:
        sums["predicted"] = judged.predicted
    if judged.beta is not None:
        sums |= {"held": (steps.previous >= 0).sum(), "beta": judged.beta}
    return sums


def _described_by(sums: dict[str, Tensor]) -> dict[str, Tensor]:
    """New offers per episode, option length, accuracy of the prediction, mean beta."""
    new_offers, steps = sums["new_offers"], sums["steps"]
    means = {
        "new_offers": new_offers / sums["games"],
        "option_length": new_offers.clamp(min=1).reciprocal() * steps,
    }
    if "predicted" in sums:
        means["prediction_accuracy"] = sums["predicted"] / steps
    if "held" in sums:
        means["termination"] = sums["beta"] / sums["held"].clamp(min=1)
    return means
