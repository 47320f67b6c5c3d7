"""The learner behind every leader: event-based policy gradient (paper Sec. 4.1, 4.2 and 4.4) and what it reduces to."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from paymaster import losses
from paymaster.advantages import head_prices, lambda_returns, normalise, reward_counts
from paymaster.algorithms.ebpg_config import EBPGConfig
from paymaster.algorithms.joint_step import joint_step
from paymaster.algorithms.protocol import Insight, LeaderStep, Seen
from paymaster.algorithms.tally import describe, tally_of
from paymaster.episodes import Episodes
from paymaster.networks.leader import LeaderConfig, LeaderNetwork, LeaderOutput, sample_offers
from paymaster.options import OptionRules, held_offers
from paymaster.played_steps import PlayedSteps
from paymaster.ranks import ALONE, Ranks

__all__ = ["EBPG", "Memory"]


class Memory(NamedTuple):
    """What the leader remembers within an episode.

    Attributes:
        history: h, [B, N, H].
        fixed_goal: int64 [B, N], the goal that agent-wise exploration has set for the episode, or -1.
    """

    history: Tensor
    fixed_goal: Tensor


class _Estimates(NamedTuple):
    """What the losses compare the network with: all constants."""

    advantage: Tensor  # [R, N]
    targets: Tensor  # [R, N, G + K], lambda-returns of the baseline's heads
    explained_variance: Tensor  # []


class _Choices(NamedTuple):
    """How likely the leader's choices were, log-probabilities [R, N]."""

    policy: Tensor
    termination: Tensor | None

    def detach(self) -> _Choices:
        return _Choices(self.policy.detach(), None if self.termination is None else self.termination.detach())


class EBPG:
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
                "options: without a termination function expected an interval or natural_ends, else the first offer "
                "would never change; got neither"
            )
        self.device = torch.device(device)
        self.ranks: Ranks = ALONE
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.network = LeaderNetwork(leader).to(self.device)
        critic = list(self.network.baseline.parameters())
        others = [p for name, p in self.network.named_parameters() if not name.startswith("baseline.")]
        self.optimizer = torch.optim.Adam(
            [
                {"params": others, "lr": self.config.learning_rate},
                {"params": critic, "lr": self.config.critic_learning_rate},
            ],
            fused=True,
        )

    def initial_state(self, num_games: int, num_followers: int) -> Memory:
        """Nothing seen yet."""
        history = self.network.initial_history(num_games, num_followers)
        return Memory(history, torch.full(history.shape[:2], -1, device=self.device))

    def exploration_rate(self, episodes_done: int) -> float:
        """The exploration rate after so many episodes of training."""
        if episodes_done >= self.config.explore_episodes:
            return 0.0
        if self.config.exploration == "agents":
            return self.config.explore
        return self.config.explore * (1.0 - episodes_done / self.config.explore_episodes)

    @torch.inference_mode()
    def act(
        self,
        seen: Seen,
        state: Memory,
        *,
        explore: float = 0.0,
        generator: torch.Generator | None = None,
        greedy: bool = False,
    ) -> LeaderStep:
        """Offers for one step of B games; see :class:`~paymaster.algorithms.protocol.LeaderAlgorithm`."""
        output = self.network(seen.follower, seen.goal, seen.previous, state.history, baseline=False)
        held = held_offers(self.config.options, seen.previous, seen.ended, seen.step)
        fixed_goal, explored = state.fixed_goal, torch.zeros_like(seen.ended)
        if self.config.exploration == "agents" and explore > 0.0 and not greedy:
            if seen.step == 0:
                fixed_goal = self._draw_goals(seen.previous.shape, explore, generator)
            explored = fixed_goal >= 0
            output = output._replace(log_mu=self._with_goals(output.log_mu, fixed_goal))
            explore = 0.0
        offer = sample_offers(output, held, explore, generator, greedy)
        assert output.history is not None
        return LeaderStep(offer, Memory(output.history, fixed_goal), explored, output.attention)

    def update(self, episodes: Episodes, progress: float = 0.0) -> dict[str, float]:
        """Learns from the steps played of a batch of whole episodes, in one gradient step (or ``epochs`` of them).

        Loss = EBPG (theta and vartheta) + critic + imitation - lambda_1 entropy + lambda_2 beta^2, each the
        mean over followers and steps played, by all ranks. The metrics are those of the first step.
        """
        episodes = episodes.to(self.device)
        self._set_rates(progress)
        steps = PlayedSteps.of(episodes)
        held = held_offers(self.config.options, steps.previous, steps.ended, steps.step)
        rows = self._decisions(steps, held)
        share = self.ranks.share(torch.tensor(steps.previous.numel(), device=self.device))
        first: dict[str, Tensor] = {}
        estimates: _Estimates | None = None
        old: _Choices | None = None
        for _ in range(self.config.epochs):
            output = self._evaluate(steps, episodes.num_games, rows)
            if estimates is None:
                estimates = self._estimate(episodes, steps, output, share)
            choices = self._choices(steps, output, held, rows)
            loss, metrics = self._loss(steps, output, held, rows, estimates, choices, old, progress)
            means, tally = {}, {}
            if not first:
                means = {name: mean * share for name, mean in (metrics | {"loss": loss.detach()}).items()}
                tally = tally_of(steps, episodes.num_games, output)
            norm = self._descend(loss, share, [*means.values(), *tally.values()])
            old = old or choices.detach()
            first = first or means | {
                "gradient_norm": norm,
                **describe(tally),
                "explained_variance": estimates.explained_variance,
            }
        # One transfer from the device for all of them.
        return dict(zip(first, torch.stack(list(first.values())).tolist(), strict=True))

    @torch.no_grad()
    def inspect(self, episodes: Episodes) -> Insight:
        """What went on in the leader while it played these episodes."""
        episodes = episodes.to(self.device)
        start = self.network.initial_history(episodes.num_games, episodes.num_followers)
        output: LeaderOutput = self.network(episodes.follower, episodes.goal, episodes.previous, start, baseline=False)
        beta = None
        if output.termination_logits is not None:
            time = torch.arange(episodes.num_steps, device=self.device)[:, None, None]
            held = held_offers(self.config.options, episodes.previous, episodes.ended, time)
            beta = torch.sigmoid(output.termination_logits).masked_fill(held < 0, torch.nan)
        prediction = None if output.prediction_logits is None else torch.softmax(output.prediction_logits, dim=-1)
        return Insight(output.attention, beta, prediction, losses.entropy(output.log_mu))

    def modules(self) -> dict[str, nn.Module]:
        """The network, under the name checkpoints store it by."""
        return {"leader": self.network}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The optimiser, under the name checkpoints store it by."""
        return {"leader": self.optimizer}

    def _descend(self, loss: Tensor, share: Tensor, report: list[Tensor]) -> Tensor:
        return joint_step(loss, share, self.network, self.optimizer, self.config.max_gradient_norm, self.ranks, report)

    @torch.no_grad()
    def _estimate(self, episodes: Episodes, steps: PlayedSteps, output: LeaderOutput, share: Tensor) -> _Estimates:
        config, valid = self.config, episodes.valid
        phi = _phi_of(output)
        counts = reward_counts(episodes, config.credit)
        whole = steps.unpack(phi, valid.shape)
        targets = lambda_returns(counts, whole, valid, config.gamma, config.gae_lambda)
        prices = head_prices(episodes)
        targets = steps.pack(targets)
        target = targets @ prices
        advantage = target - phi @ prices
        unexplained = self._variance(advantage, share) / self._variance(target, share).clamp(min=1e-8)
        if config.normalise_advantage:
            advantage = normalise(advantage, total=self.ranks.total)
        return _Estimates(advantage, targets, 1.0 - unexplained)

    def _variance(self, values: Tensor, share: Tensor) -> Tensor:
        """Over the values of all ranks, []: the mean of the ranks' variances, and the variance of their means."""
        own = values.mean()
        mean = self.ranks.total(own * share)
        return self.ranks.total((values.var(correction=0) + (own - mean).square()) * share)

    def _evaluate(self, steps: PlayedSteps, games: int, rows: Tensor | None) -> LeaderOutput:
        """The network on all steps of whole episodes at once, mu at the rows given."""
        start = self.network.initial_history(games, steps.previous.shape[-1])
        output: LeaderOutput = self.network(
            steps.follower, steps.goal, steps.previous, start, batch_sizes=steps.batch_sizes, rows=rows
        )
        return output

    def _decisions(self, steps: PlayedSteps, held: Tensor) -> Tensor | None:
        """Rows [Q] of [R, N] at which the loss looks at mu; None: everywhere."""
        if self.config.gradient == "dense" or not self.config.entropy_of_decisions:
            return None
        decided = steps.new_offer | (held < 0) | steps.explored
        return decided.flatten().nonzero().squeeze(-1)

    def _choices(self, steps: PlayedSteps, output: LeaderOutput, held: Tensor, rows: Tensor | None) -> _Choices:
        log_prob = losses.dense_log_prob if self.config.gradient == "dense" else losses.sparse_log_prob
        explore = steps.explore if self.config.exploration == "offers" else 0.0
        offer, new_offer, opened, explored = (
            _at(rows, values) for values in (steps.offer, steps.new_offer, held, steps.explored)
        )
        policy = log_prob(output.log_mu, offer, opened, new_offer, explore)
        if self.config.exploration == "agents":
            offered = self.network.config.num_goals * self.network.config.num_bonuses  # "none" is no explored goal
            bonus = losses.bonus_log_prob(
                output.log_mu[..., :offered], offer.clamp(max=offered - 1), self.network.config.num_bonuses
            )
            policy = torch.where(explored, bonus, policy)
        policy = _spread(rows, policy, held)
        if output.termination_logits is None:
            return _Choices(policy, None)
        return _Choices(policy, losses.termination_log_prob(output.termination_logits, steps.new_offer, held))

    def _loss(
        self,
        steps: PlayedSteps,
        output: LeaderOutput,
        held: Tensor,
        rows: Tensor | None,
        estimates: _Estimates,
        choices: _Choices,
        old: _Choices | None,
        progress: float,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        config, phi = self.config, _phi_of(output)

        def chosen(log_prob: Tensor, old_log_prob: Tensor | None) -> Tensor:
            if old_log_prob is None:
                return losses.policy_gradient_loss(log_prob, estimates.advantage)
            return losses.clipped_loss(log_prob, old_log_prob, estimates.advantage, config.clip)

        entropy = _spread(rows, losses.entropy(output.log_mu), held)
        if config.entropy_of_decisions:
            entropy = torch.where(steps.new_offer | (held < 0), entropy, 0.0)
        terms = {
            "policy_loss": (1.0, chosen(choices.policy, None if old is None else old.policy)),
            "critic_loss": (config.critic_weight, losses.critic_loss(phi, estimates.targets)),
            "entropy": (-_annealed(config.lambda_entropy, config.entropy_end, progress), entropy),
        }
        if output.prediction_logits is not None:
            imitation = losses.imitation_loss(output.prediction_logits, steps.follower_action)
            terms["imitation_loss"] = (config.imitation_weight, imitation)
        if choices.termination is not None and output.termination_logits is not None:
            termination = chosen(choices.termination, None if old is None else old.termination)
            penalty = losses.termination_penalty(output.termination_logits, held)
            terms |= {
                "termination_loss": (1.0, termination),
                "termination_penalty": (config.lambda_termination, penalty),
            }
        means = {name: values.mean() for name, (_, values) in terms.items()}
        loss = torch.stack([weight * means[name] for name, (weight, _) in terms.items()]).sum()
        return loss, {name: mean.detach() for name, mean in means.items()}

    def _set_rates(self, progress: float) -> None:
        config = self.config
        for group, rate in zip(
            self.optimizer.param_groups, (config.learning_rate, config.critic_learning_rate), strict=True
        ):
            group["lr"] = _annealed(rate, config.learning_rate_end, progress)

    def _draw_goals(self, shape: torch.Size, explore: float, generator: torch.Generator | None) -> Tensor:
        """Agent-wise exploration for one episode: a uniform goal, or -1, for each follower."""
        chosen = torch.rand(shape, generator=generator, device=self.device) < explore
        goals = torch.randint(self.network.config.num_goals, shape, generator=generator, device=self.device)
        return goals.masked_fill(~chosen, -1)

    def _with_goals(self, log_mu: Tensor, fixed_goal: Tensor) -> Tensor:
        """log mu [B, N, O] given the goal, where one is fixed."""
        kind = torch.arange(log_mu.shape[-1], device=self.device) // self.network.config.num_bonuses
        other = (kind != fixed_goal.unsqueeze(-1)) & (fixed_goal >= 0).unsqueeze(-1)
        return torch.log_softmax(log_mu.masked_fill(other, -torch.inf), dim=-1)


def _phi_of(output: LeaderOutput) -> Tensor:
    assert output.phi is not None
    return output.phi


def _at(rows: Tensor | None, values: Tensor) -> Tensor:
    """Values [R, N] at these rows, [Q]; all of them where there are none."""
    return values if rows is None else values.flatten().index_select(0, rows)


def _spread(rows: Tensor | None, values: Tensor, like: Tensor) -> Tensor:
    """The inverse of :func:`_at`, 0 elsewhere, of the shape of ``like``."""
    if rows is None:
        return values
    return values.new_zeros(like.numel()).index_copy(0, rows, values).view(like.shape)


def _annealed(start: float, share_at_the_end: float, progress: float) -> float:
    return start * (1.0 - (1.0 - share_at_the_end) * progress)
