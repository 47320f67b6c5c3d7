"""Gradients by the core are those of torch in double precision, for every kind of leader and loss."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from paymaster.algorithms import LEADERS
from paymaster.algorithms.core_update import CoreUpdate
from paymaster.algorithms.ebpg import EBPG
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.packed_steps import PackedSteps
from paymaster.algorithms.process import held_offers
from paymaster.algorithms.process_group import SINGLE_PROCESS
from paymaster.algorithms.torch_update import TorchUpdate
from paymaster.networks.leader import LeaderNetwork
from paymaster.play.rollout import Rollout
from paymaster.training.config import TrainConfig
from paymaster.training.train import make_parts
from rest_slow import rest_slow

ABSTAIN, NOISE = {"abstain": True}, {"noise": 0.3, "payment": "advance"}
CASES: dict[str, tuple[TrainConfig, float]] = {
    **{name: (TrainConfig("resource_collection", leader=name), 0.0) for name in LEADERS},
    "abstain": (TrainConfig("multi_bonus_resource_collection", parameters=ABSTAIN), 0.0),
    "abstain, independent": (
        TrainConfig("multi_bonus_resource_collection", leader="independent-heads", parameters=ABSTAIN),
        0.2,
    ),
    "exploring, dense": (TrainConfig("navigation", leader="ebpg", parameters=NOISE), 0.3),
    "exploring, sparse": (TrainConfig("multi_bonus_resource_collection", leader="ebpg-sparse"), 0.4),
    "exploring agents": (TrainConfig("predator_prey", leader="m3rl"), 0.5),
    "one follower": (TrainConfig("resource_collection", parameters={"num_followers": 1}), 0.0),
    "nine followers, 33 units": (TrainConfig("navigation", hidden=33, parameters={"num_followers": 9}), 0.0),
    "near goals": (
        TrainConfig("multi_bonus_resource_collection", parameters={"abstain": True, "near_goals": 2}),
        0.2,
    ),
    "near goals, exploring agents": (
        TrainConfig("predator_prey", leader="m3rl", parameters={"near_goals": 2}),
        0.5,
    ),
    "one game": (TrainConfig("resource_collection", num_envs=1), 0.0),
    "rounds of 17 games": (TrainConfig("resource_collection", num_envs=17), 0.0),
}
COVERING = {
    "ebpg-expiring",
    "m3rl",
    "no-prediction",
    "abstain, independent",
    "exploring, dense",
    "near goals",
    "one game",
}


def played(config: TrainConfig, explore: float) -> tuple[EBPG, Episodes]:
    """A leader that has learned a little, and episodes of its own."""
    config = replace(config, num_envs=config.num_envs or 5, seed=3)
    parts = make_parts(config, SINGLE_PROCESS)
    leader, rollout = parts.leader, Rollout(parts.env, parts.leader, parts.generator)
    assert isinstance(leader, EBPG)
    for _ in range(3):
        episodes, _ = rollout.play(explore=explore)
        assert episodes is not None
        leader.update(episodes)
    episodes, _ = rollout.play(explore=explore)
    assert episodes is not None
    return leader, episodes


def in_double(value: Any) -> Any:
    """The same with numbers of double precision."""
    if isinstance(value, Episodes):
        floats = {name: part.double() for name, part in vars(value).items() if isinstance(part, Tensor)}
        return replace(
            value, **{name: part for name, part in floats.items() if getattr(value, name).is_floating_point()}
        )
    return value.double()


class Defined:
    """The same update by torch, in double precision."""

    def __init__(self, leader: EBPG, episodes: Episodes) -> None:
        self.learner = EBPG(leader.network.config, leader.config)
        self.network = self.learner.network.double()
        self.network.load_state_dict(leader.network.state_dict())
        self.steps = PackedSteps.of(in_double(episodes))
        self.held = held_offers(leader.config.options, self.steps.previous, self.steps.expired, self.steps.step)
        self.update = TorchUpdate(self.network)
        self.update.take(self.steps, self.held, leader.config)
        self.judged = self.update.judge()
        self.estimates = self.learner._estimate(
            in_double(episodes), self.steps, self.judged.phi, torch.ones(()).double()
        )

    def learn(self, parameters: dict[str, Tensor], weights: dict[str, float], *, first: bool) -> dict[str, Tensor]:
        """The terms of the loss, with these parameters."""
        if not first:  # else it has been evaluated with them
            self.network.load_state_dict(parameters)
        constant = (self.estimates.advantage, self.estimates.targets)
        return self.update.learn(weights, self.judged, *constant, torch.tensor(0.5), first=first)


def gradient_of(network: nn.Module) -> Tensor:
    parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in network.parameters()]
    return torch.cat([part.flatten() for part in parts]).double()


@pytest.mark.parametrize("name", rest_slow(CASES, COVERING.__contains__))
def test_gradients_are_those_of_the_definition(name: str) -> None:
    """Of a first gradient step, and of a later one, when the weights have moved and choices are clipped."""
    leader, episodes = played(*CASES[name])
    defined, core = Defined(leader, episodes), CoreUpdate.of(leader.network, None)
    assert core is not None
    core.take(PackedSteps.of(episodes), defined.held, leader.config)
    judged, weights = core.judge(), leader._weights(0.3)
    for part, expected in defined.judged._asdict().items():
        mine = getattr(judged, part)
        assert (mine is None) == (expected is None), part
        if mine is not None:
            torch.testing.assert_close(mine.double(), expected.double(), rtol=1e-4, atol=1e-4)
    constant = (defined.estimates.advantage.float(), defined.estimates.targets.float())
    for first in (True, False):
        expected = defined.learn(leader.network.state_dict(), weights, first=first)
        means = core.learn(weights, judged, *constant, torch.tensor(0.5), first=first)
        assert list(means) == list(expected)
        assert {name: float(mean) for name, mean in means.items()} == pytest.approx(
            {name: float(mean) for name, mean in expected.items()}, rel=1e-4, abs=1e-5
        )
        found, gradient = gradient_of(leader.network), gradient_of(defined.network)
        off, whole = (found - gradient).abs(), gradient.norm()
        # A rectifier whose input rounds to the other side of 0 has other gradients, in its own few weights.
        assert off.norm() < 1e-3 * whole + 1e-9
        assert (off > 2e-6 * whole + 1e-9).double().mean() < 0.01
        assert torch.equal(found.float(), core.gradients[0])
        moved = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in leader.network.parameters():
                parameter.mul_(1.0 + 0.1 * torch.randn(parameter.shape, generator=moved))


def test_an_update_is_the_same_by_torch() -> None:
    """All epochs, metrics and the optimiser's state; rounding apart."""
    leader, episodes = played(CASES["ebpg-expiring"][0], 0.0)
    # Steps of Adam so small that rounding does not decide on which side of 0 a gradient is next.
    leader.config = replace(leader.config, learning_rate=1e-6, critic_learning_rate=1e-6)
    twin = copy.deepcopy(leader)
    next(twin.network.parameters()).register_hook(lambda _: None)
    metrics, expected = leader.update(episodes, 0.3), twin.update(episodes, 0.3)
    assert leader._core is not None and twin._core is None
    assert list(metrics) == list(expected)
    assert metrics == pytest.approx(expected, rel=1e-3, abs=1e-4)
    for mine, theirs in zip(leader.network.parameters(), twin.network.parameters(), strict=True):
        assert (mine - theirs).abs().max() < 4e-6
        ours, other = leader.optimizer.state[mine], twin.optimizer.state[theirs]
        assert ours["step"] == other["step"] == 16
        torch.testing.assert_close(ours["exp_avg"], other["exp_avg"], rtol=1e-3, atol=1e-5)


def test_it_goes_on_from_states_of_others() -> None:
    """What another optimiser had, loaded; a step by torch between; a network moved."""
    leader, episodes = played(CASES["ebpg-expiring"][0], 0.0)
    twin = copy.deepcopy(leader)
    fresh = EBPG(leader.network.config, leader.config)
    fresh.network.load_state_dict(leader.network.state_dict())
    fresh.optimizer.load_state_dict(copy.deepcopy(leader.optimizer.state_dict()))
    assert leader.update(episodes) == fresh.update(episodes) == twin.update(episodes)
    handle = next(fresh.network.parameters()).register_hook(lambda _: None)
    other = copy.deepcopy(fresh)
    fresh.update(episodes), other.update(episodes)
    handle.remove()
    assert {float(state["step"]) for state in fresh.optimizer.state.values()} == {20.0}
    fresh.network.load_state_dict(leader.network.state_dict())
    fresh.optimizer.load_state_dict(copy.deepcopy(leader.optimizer.state_dict()))
    for parameter in fresh.network.parameters():
        parameter.data = parameter.data.clone()
    assert fresh.update(episodes) == leader.update(episodes)
    assert torch.equal(*(nn.utils.parameters_to_vector(one.network.parameters()) for one in (fresh, leader)))


@pytest.mark.parametrize(
    "change",
    [
        lambda network: network.double(),
        lambda network: network.policy.out.weight.requires_grad_(requires_grad=False),
        lambda network: network.policy.register_forward_hook(lambda *_: None),
        lambda network: network.policy.register_full_backward_hook(lambda *_: None),
        lambda network: network.policy.out.weight.register_hook(lambda gradient: gradient),
        lambda network: setattr(network, "policy", copy.deepcopy(network.policy).requires_grad_(requires_grad=False)),
        lambda network: setattr(network.baseline, "out", nn.Sequential(nn.Linear(32, 6))),
    ],
)
def test_what_it_does_not_take_is_torchs(change: Any) -> None:
    leader, _ = played(CASES["ebpg-expiring"][0], 0.0)
    assert CoreUpdate.of(leader.network, leader._core) is leader._core is not None
    change(leader.network)
    assert CoreUpdate.of(leader.network, leader._core) is None


def test_arrays_that_do_not_fit_are_refused() -> None:
    leader, episodes = played(CASES["ebpg-expiring"][0], 0.0)
    core, steps = CoreUpdate.of(leader.network, None), PackedSteps.of(episodes)
    assert core is not None
    held = held_offers(leader.config.options, steps.previous, steps.expired, steps.step)
    for name, value, message in (
        ("follower", steps.follower.double(), "follower: expected a C-ordered array of float32"),
        ("follower", steps.follower[..., 1:], "follower: expected a C-ordered array of float32"),
        ("goal", steps.goal[1:], "goal: expected a C-ordered array"),
        ("offer", steps.offer - 9, "offer: expected a value in"),
        ("previous", steps.previous + 9, "previous: expected a value in"),
        ("follower_action", steps.follower_action + 5, "follower_action: expected a value in"),
        ("batch_sizes", steps.batch_sizes + 1, "follower: expected as many steps as in batch_sizes"),
        ("batch_sizes", -steps.batch_sizes, "batch_sizes: expected positive numbers"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            core.take(replace(steps, **{name: value}), held, leader.config)
    with pytest.raises(ValueError, match="held: expected a C-ordered array"):
        core.take(steps, held[1:], leader.config)
    core.take(steps, held, leader.config)
    weights, judged = leader._weights(0.0), core.judge()
    targets = judged.phi
    with pytest.raises(ValueError, match="advantage: expected a C-ordered array"):
        core.learn(weights, judged, targets, targets, torch.ones(()), first=True)
    fresh = CoreUpdate.of(copy.deepcopy(leader.network), None)
    assert fresh is not None
    with pytest.raises(RuntimeError, match="expected take"):
        fresh._core.encode()


def test_parameters_stay_those_of_the_network() -> None:
    """In one array, seen by whoever held them."""
    network = LeaderNetwork(played(CASES["m3rl"][0], 0.0)[0].network.config)
    before, held = copy.deepcopy(network.state_dict()), list(network.parameters())
    core = CoreUpdate.of(network, None)
    assert core is not None
    assert all(mine is now for mine, now in zip(held, network.parameters(), strict=True))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(core._joined.values, nn.utils.parameters_to_vector(network.parameters()))
