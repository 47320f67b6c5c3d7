"""The leader's network as the original had it: M3RL's on planes (Shu & Tian 2019), and the paper's changes to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from paymaster.networks.leader import Attention, Heads, LeaderOutput, Termination
from paymaster.networks.mind_tracker import MindTracker
from paymaster.networks.narrow import log_softmax, softmax
from paymaster.networks.planes import CellGroups, PlaneEncoding
from paymaster.networks.termination import TerminationFunction
from paymaster.validation.quantities import Size
from paymaster.validation.ranges import check_fields

__all__ = ["CentralBaseline", "PlaneLeaderConfig", "PlaneLeaderNetwork", "SeenPlanes"]


@dataclass(frozen=True)
class PlaneLeaderConfig:
    """Sizes and kinds of the modules; the widths are M3RL's.

    Attributes:
        num_goals: G, goal types.
        num_bonuses: K, bonus levels.
        num_actions: A, the followers' primitive actions, "stop" the last.
        horizon: T.
        rows, columns: of the map.
        cell_planes, constant_planes: of a follower (:class:`~paymaster.features.planes.PlaneEncoder`).
        attention: "mean" over the followers (M3RL), or "follower-specific", weights that are learned (the paper).
        termination: "none", or "learned" (beta).
        termination_start: bias of beta's logit before training.
        heads: "independent" goal and bonus (M3RL), or "sequential", the goal first and then its bonus (the paper).
        hidden: H, width of every layer.
        manager_channels, mind_channels: of the 1 x 1 convolutions.
    """

    num_goals: Size
    num_bonuses: Size
    num_actions: Size
    horizon: Size
    rows: Size
    columns: Size
    cell_planes: Size
    constant_planes: Size
    attention: Attention = "mean"
    termination: Termination = "none"
    termination_start: float = 0.0
    heads: Heads = "independent"
    hidden: Size = 128
    manager_channels: Size = 32
    mind_channels: Size = 64

    near_goals = 0  # it sees all goal types
    prediction = True

    @property
    def cells(self) -> int:
        """Cells of the map."""
        return self.rows * self.columns

    @property
    def candidates(self) -> int:
        """G."""
        return self.num_goals

    @property
    def num_offers(self) -> int:
        """O = G K."""
        return self.num_goals * self.num_bonuses

    @property
    def learns_termination(self) -> bool:
        """Whether there is a beta: with a single offer there is nothing to change to."""
        return self.termination == "learned" and self.num_offers > 1

    def validate(self) -> None:
        """Raises ValueError naming the first field that makes no sense, what was expected and what came."""
        check_fields(self)


class SeenPlanes(NamedTuple):
    """What is seen of R followers, taken apart.

    Attributes:
        codes: of the cells, int64 [R, cells].
        constant: planes [R, C].
        action: the last primitive action, -1 for none, int64 [R].
    """

    codes: Tensor
    constant: Tensor
    action: Tensor


class CentralBaseline(nn.Module):
    """phi_g and phi_b of the whole team, two linear maps of the context; they see neither the offers nor the step."""

    def __init__(self, num_goals: int, num_bonuses: int, hidden: int) -> None:
        super().__init__()
        self.goals = nn.Linear(hidden, num_goals)
        self.bonuses = nn.Linear(hidden, num_bonuses)

    def forward(self, context: Tensor) -> Tensor:
        """Map the context [R, H] to completions and payments to come, [R, G + K]."""
        return torch.cat((self.goals(context), self.bonuses(context)), -1)


class PlaneLeaderNetwork(nn.Module):
    """History encoder, mind tracker and manager (Shu & Tian 2019); all weights are shared by the followers.

    The manager decides in step t by s_t, the performance history, and m_{t-1}, which has not seen s_t. Then the mind
    tracker sees (s_t, a_{t-1}, omega_t) and predicts a_t. Gradients of all losses flow through m and h.
    """

    def __init__(self, config: PlaneLeaderConfig) -> None:
        config.validate()
        super().__init__()
        self.config = config
        hidden, goals, bonuses = config.hidden, config.num_goals, config.num_bonuses
        planes = (config.cells, config.cell_planes, config.constant_planes)
        self.history = nn.Linear(goals * (config.horizon + bonuses), hidden)
        self.mind = MindTracker(*planes, config.num_actions, config.num_offers, config.mind_channels, hidden)
        self.encoding = PlaneEncoding(*planes, config.manager_channels, hidden)
        self.fusion = nn.Linear(2 * hidden, hidden)
        self.score = nn.Linear(hidden, 1, bias=False) if config.attention == "follower-specific" else None
        self.context = nn.Linear(hidden, hidden)
        self.actor = nn.Linear(2 * hidden, hidden)
        self.goal = nn.Linear(hidden, goals)
        self.bonus = nn.Linear(hidden, bonuses if config.heads == "independent" else goals * bonuses)
        self.termination = (
            TerminationFunction(config.num_offers, hidden, config.termination_start)
            if config.learns_termination
            else None
        )
        self.baseline = CentralBaseline(goals, bonuses, hidden)
        self._draw_weights()

    def initial_history(self, num_games: int, num_followers: int) -> Tensor:
        """m and the LSTM's memory before the first step, zeros [B, N, 2 H] on the network's device."""
        return self.goal.weight.new_zeros(num_games, num_followers, 2 * self.config.hidden)

    def take_apart(self, follower: Tensor) -> SeenPlanes:
        """What an encoder wrote of followers, float [R, F]."""
        cells, constant = self.config.cells, self.config.constant_planes
        action = follower[:, cells + constant].long()
        return SeenPlanes(follower[:, :cells].long(), follower[:, cells : cells + constant], action)

    def encode_history(self, goal: Tensor) -> Tensor:
        """h, [R, H], of performance histories [R, G, T + K]: success by type and steps, then acceptance."""
        success, acceptance = torch.split(goal, [self.config.horizon, self.config.num_bonuses], dim=-1)
        return torch.relu(self.history(torch.cat((success.flatten(1), acceptance.flatten(1)), -1)))

    def forward(
        self,
        follower: Tensor,
        goal: Tensor,
        previous: Tensor,
        history: Tensor,
        *,
        offer: Tensor,
        batch_sizes: Tensor,
        baseline: bool = True,
    ) -> LeaderOutput:
        """Evaluate the steps of whole episodes from the leader's first decision on.

        Args:
            follower: compact planes, [R, N, F].
            goal: performance histories as at the start of the episode, [R, N, G, T + K].
            previous: omega_{t-1}, int64 [R, N], -1 where no offer was made yet.
            history: m and the LSTM's memory before the first of these steps, [B, N, 2 H].
            offer: omega_t, int64 [R, N].
            batch_sizes: int64 [T] on the CPU, of :class:`~paymaster.algorithms.packed_steps.PackedSteps`.
            baseline: whether to compute phi.

        Returns:
            Of R steps; ``phi`` is the same for all followers of a game.
        """
        steps, n = previous.shape
        games = int(batch_sizes[0])
        seen = self.take_apart(follower.flatten(0, 1))
        groups = CellGroups.of(seen.codes)
        sizes = batch_sizes * n
        # Sequences lie in the order of their games: step t's follow those of step t - 1.
        place = torch.cat([torch.arange(int(size), device=follower.device) for size in sizes])
        known = self.encode_history(goal[:games].flatten(0, 1)).index_select(0, place)
        action = seen.action.clone()
        action[: games * n] = self.config.num_actions - 1  # "stop": nobody looked on in the step before
        constant = self.mind.constant(seen.constant, action, offer.flatten())
        start = history.flatten(0, 1)
        minds = self.mind(seen.codes, constant, groups, start, sizes)
        before = torch.arange(len(place), device=place.device)[games * n :] - sizes[:-1].to(
            place.device
        ).repeat_interleave(sizes[1:].to(place.device))
        lagged = torch.cat((start[:, : self.config.hidden], minds.index_select(0, before)))
        output = self.decide(seen, known, lagged, previous, groups, baseline=baseline)
        prediction = self.mind.predict(known, minds).view(steps, n, -1)
        return output._replace(prediction_logits=prediction)

    def decide(
        self,
        seen: SeenPlanes,
        known: Tensor,
        mind: Tensor,
        previous: Tensor,
        groups: CellGroups,
        *,
        baseline: bool = True,
    ) -> LeaderOutput:
        """The manager's part: what it thinks of R steps of N followers.

        Args:
            seen: of the R N followers.
            known: h, [R N, H].
            mind: m_{t-1}, [R N, H].
            previous: omega_{t-1}, int64 [R, N], -1 where no offer was made yet.
            groups: of the cells (:class:`.PlaneEncoding`).
            baseline: whether to compute phi.
        """
        config, shape = self.config, previous.shape
        gate = torch.sigmoid(self.fusion(torch.cat((mind, known), -1)))
        z = (self.encoding(seen.codes, seen.constant, groups) * gate).view(*shape, -1)
        if self.score is None:
            weights = z.new_full(shape, 1.0 / shape[1])
            pooled = z.mean(1)
        else:
            weights = softmax(self.score(z).squeeze(-1))
            pooled = (weights.unsqueeze(-1) * z).sum(1)
        context = torch.relu(self.context(pooled))
        joined = torch.cat((context.unsqueeze(1).expand_as(z), z), -1)
        code = torch.relu(self.actor(joined))
        log_goal = log_softmax(self.goal(code)).unsqueeze(-1)
        bonus = self.bonus(code).view(*shape, -1, config.num_bonuses)  # of each goal type, or of any
        phi = self.baseline(context).unsqueeze(1).expand(*shape, -1) if baseline else None
        return LeaderOutput(
            log_mu=(log_goal + log_softmax(bonus)).flatten(-2),
            termination_logits=None if self.termination is None else self.termination(code, previous),
            phi=phi,
            prediction_logits=None,
            attention=weights,
            history=None,
        )

    @torch.no_grad()
    def _draw_weights(self) -> None:
        """M3RL's initial weights: N(0, 0.01) and biases 0, but for those that it leaves as torch draws them."""
        mind, kept = self.mind, {self.history, self.fusion, *self.mind.head.modules()}
        if self.termination is not None:
            kept |= set(self.termination.modules())
        for module in self.modules():
            if isinstance(module, nn.Linear) and module not in kept:
                _normal(module.weight, module.bias)
        for encoding in (mind.encoding, self.encoding):
            _normal(encoding.weight, encoding.bias)
        for name, parameter in mind.lstm.named_parameters():
            if name.startswith("bias"):
                parameter.zero_()


def _normal(weight: Tensor, bias: Any) -> None:
    nn.init.normal_(weight, 0.0, 0.01)
    if bias is not None:
        nn.init.zeros_(bias)
