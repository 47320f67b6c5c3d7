"""Leaders of several seeds that learn at once: every operation is done for all of them together."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from paymaster.algorithms.ebpg import Learner
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.packed_steps import PackedSteps
from paymaster.algorithms.player import Actor, Memory
from paymaster.algorithms.protocol import LeaderInput, LeaderStep
from paymaster.algorithms.single_leader import EBPG, adam_of
from paymaster.networks.acting import LeaderActor
from paymaster.networks.draws import Draws
from paymaster.networks.layers import stack_networks
from paymaster.networks.leader import LeaderOutput
from paymaster.networks.torch_defaults import usual_torch
from paymaster.validation.finite import check_step

__all__ = ["LeaderStack"]


class LeaderStack(Learner):
    """S leaders, alike but for their weights, each with games of its own; what one learns touches no other.

    With networks this small and few games, starting operations is what takes the time. Games and episodes of all
    stand one seed after the other in the axis of games, S B of them.

    Args:
        leaders: of the seeds. They live on: their weights are, at any time, those learned here.

    Attributes:
        leaders: those given.
    """

    def __init__(self, leaders: Sequence[EBPG]) -> None:
        self.leaders = tuple(leaders)
        self.config, self.device = leaders[0].config, leaders[0].device
        self.network = stack_networks([leader.network for leader in leaders])
        self.optimizer = adam_of(self.network, self.config)

    def actor(self) -> Actor:
        """Return the networks as they play: on the CPU one by one, in the core, which is faster than all in torch."""
        if self.device.type != "cpu":
            return super().actor()
        return _StackActor([LeaderActor(leader.network) for leader in self.leaders])

    def act(
        self,
        seen: LeaderInput,
        state: Memory,
        *,
        explore: float = 0.0,
        generator: Draws | None = None,
        greedy: bool = False,
    ) -> LeaderStep:
        """Offers for one step of S B games."""
        follower, goal, previous, expired = map(self._by_seed, seen[:4])
        by_seed = LeaderInput(follower, goal, previous, expired, seen.step)
        step = super().act(by_seed, state, explore=explore, generator=generator, greedy=greedy)
        whether, weights = (None if part is None else part.flatten(0, 1) for part in (step.explored, step.attention))
        return LeaderStep(step.offer.flatten(0, 1), step.state, whether, weights)

    @usual_torch()
    def update(self, episodes: Episodes, progress: float = 0.0) -> list[dict[str, float]]:
        """Each learns from the steps played of its episodes; metrics of each, as :meth:`EBPG.update` has them."""
        metrics = self._learn(episodes, progress)
        by_seed = torch.stack(list(metrics.values()), dim=1).tolist()
        return [dict(zip(metrics, values, strict=True)) for values in by_seed]

    def share_optimizers(self) -> None:
        """Gives each leader's own optimiser the state it has here, as it is now: to be stored, or to go on alone."""
        for number, leader in enumerate(self.leaders):
            for group, joint in zip(leader.optimizer.param_groups, self.optimizer.param_groups, strict=True):
                group["lr"] = joint["lr"]
                for own, parameter in zip(group["params"], joint["params"], strict=True):
                    if state := self.optimizer.state.get(parameter):
                        leader.optimizer.state[own] = {
                            name: (value[number] if value.dim() else value).clone() for name, value in state.items()
                        }

    def collect_optimizers(self) -> None:
        """The inverse: goes on from the state of the leaders' own optimisers, who have all made as many steps."""
        every = [[p for group in leader.optimizer.param_groups for p in group["params"]] for leader in self.leaders]
        joint = [p for group in self.optimizer.param_groups for p in group["params"]]
        for parameter, *own in zip(joint, *every, strict=True):
            states = [leader.optimizer.state.get(p, {}) for leader, p in zip(self.leaders, own, strict=True)]
            if states[0]:
                self.optimizer.state[parameter] = {
                    name: torch.stack([state[name] for state in states]) if value.dim() else value.clone()
                    for name, value in states[0].items()
                }

    def _by_seed(self, values: Tensor) -> Tensor:
        """[S B, ...] to [S, B, ...]."""
        seeds = len(self.leaders)
        return values.view(seeds, len(values) // seeds, *values.shape[1:])

    def _steps(self, episodes: Episodes) -> PackedSteps:
        return PackedSteps.of_seeds(episodes, len(self.leaders))

    def _initial_history(self, games: int, followers: int) -> Tensor:
        return self._by_seed(super()._initial_history(games, followers))

    def _share(self, steps: PackedSteps) -> Tensor:
        return torch.ones(len(self.leaders), device=self.device)

    def _variance(self, steps: PackedSteps, values: Tensor, share: Tensor) -> Tensor:
        return steps.mean((values - _all(steps.mean(values))).square())

    def _normalise(self, steps: PackedSteps, advantage: Tensor) -> Tensor:
        centred = advantage - _all(steps.mean(advantage))
        return centred / (_all(steps.mean(centred.square()).sqrt()) + 1e-8)

    def _descend(self, loss: Tensor, share: Tensor, report: list[Tensor]) -> Tensor:
        self.optimizer.zero_grad()
        loss.sum().backward()  # type: ignore[no-untyped-call]
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        norms = torch.stack([torch.linalg.vector_norm(gradient.flatten(1), dim=1) for gradient in gradients])
        norm: Tensor = torch.linalg.vector_norm(norms, dim=0)
        scale = (self.config.max_gradient_norm / (norm + 1e-6)).clamp(max=1.0)  # as nn.utils.clip_grad_norm_ has it
        for gradient in gradients:
            gradient.mul_(scale.view(-1, *[1] * (gradient.dim() - 1)))
        check_step(loss, norm, "leader")
        self.optimizer.step()
        return norm


class _StackActor:
    """Actors of S networks as one: arrays have a leading seed axis."""

    def __init__(self, actors: Sequence[Actor]) -> None:
        self._actors = actors

    def evaluate(self, follower: Tensor, goal: Tensor, previous: Tensor, history: Tensor) -> LeaderOutput:
        by_seed = zip(*(part.unbind() for part in (follower, goal, previous, history)), strict=True)
        each = [actor.evaluate(*parts) for actor, parts in zip(self._actors, by_seed, strict=True)]
        log_mu, termination, _, prediction, attention, after = (
            None if parts[0] is None else torch.stack(parts) for parts in zip(*each, strict=True)
        )
        assert log_mu is not None and attention is not None
        return LeaderOutput(log_mu, termination, None, prediction, attention, after)


def _all(of_seed: Tensor) -> Tensor:
    """[S], as it goes with [S, R, N]."""
    return of_seed[:, None, None]
