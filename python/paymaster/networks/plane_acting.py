"""One step of a leader on planes, to act, in as few operations as can be: what stays in an episode is computed once.

The network's own methods are the definition; here matrices are joined or split by what is known when. On the CPU a step
is two calls of the C++ core (``cpp/networks/plane_acting.hpp``), elsewhere torch's operations. The numbers are the same
but for rounding.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from paymaster import _core
from paymaster.networks.acting import core_parameters, readable
from paymaster.networks.leader import LeaderOutput
from paymaster.networks.narrow import log_softmax, softmax
from paymaster.networks.plane_leader import PlaneLeaderNetwork
from paymaster.networks.planes import CellGroups, PlaneEncoding

__all__ = ["PlaneActor"]


class _Encoding:
    """A :class:`.PlaneEncoding` with the weights that it has now, for cells in these groups."""

    def __init__(self, encoding: PlaneEncoding, groups: CellGroups, state_planes: int) -> None:
        by_cell = encoding.cell_planes
        weight = encoding.convolution.weight
        self.of_code = F.pad(weight[:, :by_cell].T, (0, 0, 1, 0))
        self.of_constant = weight[:, by_cell : by_cell + state_planes].T.contiguous()
        self.of_other = weight[:, by_cell + state_planes :].T.contiguous()
        self.start, self.bias, self.summed = encoding.convolution.bias, encoding.bias, encoding.sum_up(groups)

    def __call__(self, of_follower: Tensor, rows: Tensor) -> Tensor:
        """Map what the convolution makes of constant planes, [R, channels], and places among (follower, code)."""
        seen = (of_follower.unsqueeze(1) + self.of_code).relu_().flatten(0, 1)
        looked_up = seen.index_select(0, rows).view(len(of_follower), -1)
        return torch.addmm(self.bias, looked_up, self.summed).relu_()


class PlaneActor:
    """Evaluates steps of B games of N followers, from the leader's first decision on.

    Made for one batch of episodes: it has the network's weights as they are, and the followers' histories.

    Args:
        network: the leader's.
        history: performance histories, float [B N, G, T + K].
        codes: of the cells, int64 [B N, cells]; others may come later, at a price.
    """

    def __init__(self, network: PlaneLeaderNetwork, history: Tensor, codes: Tensor) -> None:
        self._network, config = network, network.config
        self._codes, hidden = config.cell_planes + 1, config.hidden
        self._first = torch.arange(0, len(codes) * self._codes, self._codes, device=codes.device).unsqueeze(1)
        fusion, actor, lstm = network.fusion, network.actor, network.mind.lstm
        # Split: [m, h] and [C, z] come side by side, and one half is known before the other.
        self._gate = torch.addmm(fusion.bias, network.encode_history(history), fusion.weight[:, hidden:].T)
        self._gate_of_mind = fusion.weight[:, :hidden].T
        self._code_of_context, self._code_of_own = actor.weight[:, :hidden].T, actor.weight[:, hidden:].T
        heads = (network.goal, network.bonus)
        self._heads = torch.cat([head.weight for head in heads]).T, torch.cat([head.bias for head in heads])
        weight_in, weight_back, bias_in, bias_back = lstm.parameters()
        self._lstm = torch.cat((weight_in, weight_back), 1).T, bias_in + bias_back
        self._in_core = core_parameters(network, PlaneLeaderNetwork) is not None
        self._core: _core.ActingPlanes | None = None
        self._kept = torch.zeros_like(codes[0], dtype=torch.bool)
        self._group(codes)

    def decide(self, follower: Tensor, state: Tensor, previous: Tensor) -> LeaderOutput:
        """The manager's part (:meth:`.PlaneLeaderNetwork.decide`), without phi.

        Args:
            follower: compact planes, [B, N, F].
            state: m and the LSTM's memory, [B N, 2 H].
            previous: omega_{t-1}, int64 [B, N], -1 where no offer was made yet.
        """
        config, network, shape = self._network.config, self._network, previous.shape
        if self._in_core and readable(previous, follower, state):
            return self._decide_in_core(follower, state, previous)
        self._core = None
        self._look(follower.flatten(0, 1))
        encoded = self._manager(torch.addmm(self._manager.start, self._constant, self._manager.of_constant), self._rows)
        gate = torch.addmm(self._gate, state[:, : config.hidden], self._gate_of_mind).sigmoid_()
        z = encoded.mul_(gate)
        by_game = z.view(*shape, -1)
        if network.score is None:
            weights, pooled = z.new_full(shape, 1.0 / shape[1]), by_game.mean(1)
        else:
            weights = softmax(network.score(by_game).squeeze(-1))
            pooled = (weights.unsqueeze(-1) * by_game).sum(1)
        context = network.context(pooled).relu_()
        shared = torch.addmm(network.actor.bias, context, self._code_of_context)
        code = torch.mm(z, self._code_of_own).view(*shape, -1).add_(shared.unsqueeze(1)).relu_()
        heads = torch.addmm(self._heads[1], code.flatten(0, 1), self._heads[0]).view(*shape, -1)
        goal, bonus = heads[..., : config.num_goals], heads[..., config.num_goals :].contiguous()
        log_bonus = log_softmax(bonus.view(*shape, -1, config.num_bonuses))
        log_mu = (log_softmax(goal).unsqueeze(-1) + log_bonus).flatten(-2)
        ends = None if network.termination is None else network.termination(code, previous)
        return LeaderOutput(log_mu, ends, None, None, weights, None)

    def follow(self, offer: Tensor, state: Tensor, *, first: bool) -> Tensor:
        """The mind tracker's part, of the step decided last: m and the LSTM's memory behind it, [B N, 2 H].

        Args:
            offer: omega_t, int64 [B, N].
            state: before it, [B N, 2 H].
            first: it is the first decision, before which followers count as having stopped.
        """
        if self._core is not None and readable(offer, state):
            return torch.from_numpy(self._core.follow(offer.numpy(), state.numpy(), first))
        config, mind = self._network.config, self._mind
        action = torch.full_like(self._action, config.num_actions - 1) if first else self._action
        told = torch.addmm(mind.start, self._constant, mind.of_constant)
        told += mind.of_other.index_select(0, action)
        told += mind.of_other.index_select(0, offer.flatten() + config.num_actions)
        seen = self._network.mind.layer(mind(told, self._rows)).relu_()
        before, memory = state.chunk(2, -1)
        gates = torch.addmm(self._lstm[1], torch.cat((seen, before), -1), self._lstm[0])
        kept, forgotten, new, shown = gates.chunk(4, -1)
        memory = forgotten.sigmoid() * memory + kept.sigmoid() * new.tanh()
        return torch.cat((shown.sigmoid() * memory.tanh(), memory), -1)

    def _decide_in_core(self, follower: Tensor, state: Tensor, previous: Tensor) -> LeaderOutput:
        if self._core is None:
            self._core = self._made_core(*previous.shape)
        arrays = follower.numpy(), state.numpy(), previous.numpy()
        decided = self._core.decide(*arrays)
        if decided is None:
            self._group(follower.flatten(0, 1)[:, : self._network.config.cells].long())
            self._core = self._made_core(*previous.shape)
            decided = self._core.decide(*arrays)
            assert decided is not None  # these groups hold the cells that they were made of
        log_mu, ends, attention = (None if array is None else torch.from_numpy(array) for array in decided)
        assert log_mu is not None and attention is not None
        return LeaderOutput(log_mu, ends, None, None, attention, None)

    def _made_core(self, games: int, followers: int) -> _core.ActingPlanes:
        """The same weights for the core, which wants them as [inputs, outputs]."""
        network, config = self._network, self._network.config
        layers = {"context": network.context, "layer": network.mind.layer}
        weights = {
            **{name: layer.weight.T for name, layer in layers.items()},
            **{f"{name}.bias": layer.bias for name, layer in layers.items()},
            **{"gate": self._gate, "gate_of_mind": self._gate_of_mind, "of_other": self._mind.of_other},
            **{"of_context": self._code_of_context, "of_context.bias": network.actor.bias, "of_own": self._code_of_own},
            **{"heads": self._heads[0], "heads.bias": self._heads[1]},
            **{"lstm": self._lstm[0], "lstm.bias": self._lstm[1]},
            **{"code": self._groups.codes, "cell": self._groups.varying},
            **{"expected": self._expected, "fixed": self._fixed},
        }
        for name, encoding in (("manager", self._manager), ("mind", self._mind)):
            parts = {"of_code": encoding.of_code, "of_constant": encoding.of_constant, "start": encoding.start}
            weights |= {f"{name}.{part}": values for part, values in parts.items()}
            weights |= {f"{name}.summed": encoding.summed, f"{name}.summed.bias": encoding.bias}
        if network.score is not None:
            weights["score"] = network.score.weight[0]
        if (end := network.termination) is not None:
            weights |= {"end_code": end.code.weight.T, "end_code.bias": end.code.bias, "end_offer": end.offer.weight}
            weights |= {"end": end.out.weight[0], "end_bias": end.out.bias}
        sizes = {
            **{"games": games, "followers": followers, "cells": config.cells, "codes": self._codes},
            **{"constant": config.constant_planes, "hidden": config.hidden, "actions": config.num_actions},
            **{"goals": config.num_goals, "bonuses": config.num_bonuses, "bonus_logits": len(network.bonus.bias)},
            **{"manager_channels": config.manager_channels, "mind_channels": config.mind_channels},
        }
        return _core.ActingPlanes({n: w.detach().contiguous().numpy() for n, w in weights.items()}, sizes)

    def _look(self, follower: Tensor) -> None:
        """Take apart what is seen in a step."""
        cells = self._network.config.cells
        # Codes are small whole numbers, exact in float32.
        codes = follower[:, :cells]
        if bool(((codes != self._expected) & self._fixed).any()):
            self._group(codes.long())
        apart = codes.index_select(1, self._groups.varying).long()
        self._rows = (torch.cat((self._shared, apart), 1) + self._first).flatten()
        self._constant = follower[:, cells : cells + self._network.config.constant_planes]
        self._action = follower[:, cells + self._constant.shape[1]].long()

    def _group(self, codes: Tensor) -> None:
        """Make groups that hold these cells, and those before. What is neither wall nor free is apart: it may go."""
        network, constant = self._network, self._network.config.constant_planes
        self._kept = self._kept | ((codes != codes[0]) | (codes == 0) | (codes > 2)).any(0)
        self._groups = CellGroups.of(codes, self._kept)
        self._expected, self._fixed = codes[0].to(network.goal.weight.dtype), ~self._kept
        self._shared = self._groups.codes.expand(len(codes), -1)
        self._manager = _Encoding(network.encoding, self._groups, constant)
        self._mind = _Encoding(network.mind.encoding, self._groups, constant)
