"""Leaders as the original had them: M3RL on planes (Shu & Tian 2019), and the paper's method beside it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from paymaster.algorithms import losses
from paymaster.algorithms.advantages import head_prices, reward_counts
from paymaster.algorithms.core_rmsprop import CoreRMSprop
from paymaster.algorithms.ebpg import EBPG
from paymaster.algorithms.ebpg_config import EBPGConfig
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.original_config import OriginalLearning
from paymaster.algorithms.original_update import OriginalUpdate
from paymaster.algorithms.packed_steps import PackedSteps
from paymaster.algorithms.process import draw_offers, held_offers
from paymaster.algorithms.protocol import Insight, LeaderInput, LeaderStep
from paymaster.algorithms.torch_update import TorchUpdate
from paymaster.networks.leader import LeaderOutput
from paymaster.networks.plane_acting import PlaneActor
from paymaster.networks.plane_leader import PlaneLeaderConfig, PlaneLeaderNetwork
from paymaster.networks.torch_defaults import usual_torch

__all__ = ["OriginalLeader"]


class _Memory(NamedTuple):
    """What the leader hands from one step of a batch of episodes to the next.

    Attributes:
        actor: its network, as it was when the episodes began.
        mind: m and the LSTM's memory, [B N, 2 H].
        goal: int64 [B, N], goal types of the random first offers.
        keeps: bool [B, N], the follower keeps that goal; None: nobody does.
    """

    actor: PlaneActor
    mind: Tensor
    goal: Tensor
    keeps: Tensor | None


class _Progress(nn.Module):
    """How far training has come: episodes in all, int64 [], and of each of P followers, int64 [P]."""

    trained: Tensor
    of_follower: Tensor

    def __init__(self, population: int) -> None:
        super().__init__()
        self.register_buffer("trained", torch.zeros((), dtype=torch.int64))
        self.register_buffer("of_follower", torch.zeros(population, dtype=torch.int64))


class OriginalLeader(EBPG):
    """Plays and learns by the protocol of M3RL's released code.

    In step 0 every follower is offered a uniform goal type at bonus level 0. What that brings is neither counted nor
    learned from. The leader's first decision is that of step 1, at which every option starts. New offers come every
    ``options.interval`` steps from there.

    Args:
        leader: sizes and kinds of the network's modules.
        config: how it learns; ``explore`` counts with ``original.exploration`` "offers" alone.
        original: the rest of it.
        population: P.
        device: where the parameters live.
        seed: of the initial weights; torch's global generator is left as it was.

    Attributes:
        opening_steps: steps at the start of an episode that are not its own.
        see_others: of its :class:`~paymaster.features.planes.PlaneEncoder`.
    """

    network: PlaneLeaderNetwork  # type: ignore[assignment]  # of another kind
    opening_steps = 1

    def __init__(
        self,
        leader: PlaneLeaderConfig,
        config: EBPGConfig,
        original: OriginalLearning,
        population: int,
        device: torch.device | str = "cpu",
        seed: int = 0,
    ) -> None:
        original.validate()
        self.original = original
        self.see_others = original.see_others
        super().__init__(leader, config, device, seed)  # type: ignore[arg-type]  # for _make_network
        self._progress = _Progress(population).to(self.device)

    def initial_state(self, num_games: int, num_followers: int) -> None:  # type: ignore[override]  # its own kind
        """Return that there is nothing to remember before the first step."""

    def exploration_rate(self, episodes_done: int) -> float:
        """Return a rate, above 0 while there is exploration: of offers, or the higher one of goals and bonuses."""
        if self.original.exploration == "offers":
            return super().exploration_rate(episodes_done)
        return max(self.original.explore_goals, self._bonus_rate(episodes_done))

    def act(  # type: ignore[override]  # with a memory of its own kind
        self,
        seen: LeaderInput,
        state: _Memory | None,
        *,
        explore: float = 0.0,
        generator: torch.Generator | None = None,
        greedy: bool = False,
    ) -> LeaderStep:
        """Return offers for one step of B games; see :class:`~paymaster.algorithms.protocol.Player`."""
        with torch.inference_mode():
            if state is None:
                return self._open(seen, explore, generator, greedy)
            rules, step = self.config.options, seen.step - self.opening_steps
            previous = seen.previous if step > 0 else torch.full_like(seen.previous, -1)
            output = state.actor.decide(seen.follower, state.mind, previous)
            held = held_offers(rules, previous, seen.expired, step)
            workers = explore > 0.0 and self.original.exploration == "workers" and not greedy
            if workers and state.keeps is not None:
                output = output._replace(
                    log_mu=self._with_goals(output.log_mu, state.goal.masked_fill(~state.keeps, -1))
                )
            offer = draw_offers(output, held, 0.0 if workers else explore, generator, greedy)
            if workers:
                offer = self._with_bonuses(offer, held, generator)
            mind = state.actor.follow(offer, state.mind, first=step == 0)
            return LeaderStep(offer, state._replace(mind=mind), state.keeps if workers else None, output.attention)

    def update(self, episodes: Episodes, progress: float = 0.0) -> dict[str, float]:
        """Learn from whole episodes, without their first step; see :class:`~paymaster.algorithms.LeaderAlgorithm`."""
        metrics: dict[str, float] = {}
        if episodes.num_steps > 0:  # no game was over before the leader's first decision
            metrics = super().update(episodes, progress)
            who = episodes.follower[0, ..., -1].long().flatten()
            self._progress.of_follower += torch.bincount(who, minlength=len(self._progress.of_follower))
        self._progress.trained += episodes.num_games
        return metrics

    def forget_followers(self, identities: NDArray[np.integer]) -> None:
        """Begin to count episodes anew for members of the population, int[R], in whose places others have come."""
        self._progress.of_follower[torch.as_tensor(identities, device=self.device)] = 0

    @usual_torch()
    @torch.no_grad()
    def inspect(self, episodes: Episodes) -> Insight:
        """What went on in the leader while it played these episodes, from its first decision on."""
        episodes = episodes.to(self.device)
        steps = PackedSteps.of(episodes)
        start = self.network.initial_history(int(steps.batch_sizes[0]), episodes.num_followers)
        output: LeaderOutput = self.network(
            *(steps.follower, steps.goal, steps.previous, start),
            offer=steps.offer,
            batch_sizes=steps.batch_sizes,
            baseline=False,
        )
        beta = None
        if output.termination_logits is not None:
            held = held_offers(self.config.options, steps.previous, steps.expired, steps.step)
            beta = torch.sigmoid(output.termination_logits).masked_fill(held < 0, torch.nan)
        assert output.prediction_logits is not None
        prediction = torch.softmax(output.prediction_logits, dim=-1)
        parts = (output.attention, beta, prediction, losses.entropy(output.log_mu))
        return Insight(*(None if part is None else steps.unpack(part, episodes.valid.shape) for part in parts))

    def modules(self) -> dict[str, nn.Module]:
        """The network and how far training has come, under the names checkpoints store them by."""
        return {**super().modules(), "progress": self._progress}

    def _make_network(self, leader: Any) -> Any:
        return PlaneLeaderNetwork(leader)

    def _make_optimizer(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        if self.original.optimizer == "adam":
            return super()._make_optimizer(groups)
        return CoreRMSprop(groups)

    def _update_of(self) -> TorchUpdate:
        return OriginalUpdate(self.network, corrected=self.original.exploration == "offers")

    @property
    def _norm_order(self) -> float:
        return 1.0 if self.original.clip_norm == "l1" else 2.0

    def _rewards(self, episodes: Episodes) -> tuple[Tensor, Tensor]:
        counts, prices = reward_counts(episodes, self.config.credit), head_prices(episodes)
        if int(self._progress.trained) < self.original.warm_up_episodes:
            paid = slice(self.network.config.num_goals, self.network.config.num_goals + self.network.config.num_bonuses)
            counts, prices = counts.clone(), prices.clone()
            counts[..., paid], prices[paid] = 0.0, 0.0
        return counts, prices

    @property
    def _stop(self) -> int:
        return self.network.config.num_actions - 1

    def _open(self, seen: LeaderInput, explore: float, generator: torch.Generator | None, greedy: bool) -> LeaderStep:
        """The first offers: nobody's decision."""
        games, n = seen.previous.shape
        goals = self.network.config.num_goals
        if greedy:
            goal = (torch.arange(n, device=self.device) % goals).expand(games, n)
        else:
            goal = torch.randint(goals, (games, n), generator=generator, device=self.device)
        keeps: Tensor | None = None
        if explore > 0.0 and self.original.exploration == "workers" and not greedy:
            own = self._progress.of_follower[seen.follower[..., -1].long()]
            drawn = torch.rand(goal.shape, generator=generator, device=self.device) < self.original.explore_goals
            keeps = drawn & (own < self.original.explore_goals_episodes)
            keeps = keeps if bool(keeps.any()) else None
        codes = self.network.take_apart(seen.follower.flatten(0, 1)).codes
        actor = PlaneActor(self.network, seen.goal.flatten(0, 1), codes)
        start = self.network.initial_history(games, n).flatten(0, 1)
        attention = start.new_full((games, n), 1.0 / n)
        offer = goal * self.network.config.num_bonuses
        return LeaderStep(offer, _Memory(actor, start, goal, keeps), None, attention)

    def _bonus_rate(self, episodes_done: int) -> float:
        over = self.original.explore_bonuses_episodes
        return 0.0 if episodes_done >= over else self.original.explore_bonuses * (1.0 - episodes_done / over)

    def _with_bonuses(self, offer: Tensor, held: Tensor, generator: torch.Generator | None) -> Tensor:
        """The new offers among these with all bonuses of a game uniform, at the rate of today."""
        rate, bonuses = self._bonus_rate(int(self._progress.trained)), self.network.config.num_bonuses
        if rate == 0.0:
            return offer
        games = torch.rand((len(offer), 1), generator=generator, device=self.device) < rate
        drawn = torch.randint(bonuses, offer.shape, generator=generator, device=self.device)
        return torch.where(games & (held < 0), offer // bonuses * bonuses + drawn, offer)
