"""Followers' gradients by the core are those of torch in double precision."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from paymaster.algorithms.core_follower_update import CoreFollowerUpdate
from paymaster.algorithms.followers import FollowerActorCritic, FollowerEpisodes, FollowerLearning
from paymaster.networks.follower_policy import FollowerConfig, FollowerNetwork
from rest_slow import rest_slow

SIZES = FollowerConfig(population=9, num_goals=4, num_actions=5, meta=True, own_features=6, goal_features=7, hidden=32)
CASES: dict[str, tuple[FollowerConfig, dict[str, Any]]] = {
    "meta": (SIZES, {}),
    "primitive": (replace(SIZES, meta=False), {}),
    "exploring": (SIZES, {"explore": 0.3}),
    "exploring, primitive": (replace(SIZES, meta=False, num_actions=3), {"explore": 0.3}),
    "one goal type": (replace(SIZES, num_goals=1, num_actions=2), {}),
    "33 units": (replace(SIZES, hidden=33), {}),
    "one unit": (replace(SIZES, hidden=1), {}),
    "wide": (replace(SIZES, own_features=21, goal_features=33, hidden=64), {}),
    "all act": (SIZES, {"everybody": True}),
    "nobody acts": (SIZES, {"nobody": True}),
    "one step": (SIZES, {"shape": (1, 1, 1), "everybody": True}),
    "33 steps": (SIZES, {"shape": (11, 3, 1), "everybody": True}),
    "alike": (replace(SIZES, population=1, identities="separate"), {}),
}
COVERING = {"meta", "exploring, primitive", "33 units", "nobody acts"}


def episodes_of(
    config: FollowerConfig,
    *,
    shape: tuple[int, int, int] = (7, 5, 3),
    explore: float = 0.0,
    everybody: bool = False,
    nobody: bool = False,
) -> FollowerEpisodes:
    """Of goal types of which some look the same, so that several are the largest."""
    torch.manual_seed(1)
    goal = torch.randn(*shape, config.num_goals, config.goal_features)
    goal[:, :, :, -1] = goal[:, :, :, 0]
    acts = torch.ones(shape, dtype=torch.bool) if everybody else torch.rand(shape) < (0.0 if nobody else 0.6)
    return FollowerEpisodes(
        own=torch.randn(*shape, config.own_features),
        goal=goal,
        identity=torch.randint(config.population, shape[1:]),
        action=torch.randint(config.num_actions, shape),
        reward=torch.randn(shape),
        acts=acts,
        explore=explore,
    )


def learner_of(config: FollowerConfig, **changes: Any) -> FollowerActorCritic:
    """Followers whose weights all differ from 0."""
    learning = FollowerLearning(hidden=config.hidden, identities=config.identities, **changes)
    followers = FollowerActorCritic(config, learning, seed=2)
    torch.manual_seed(2)
    with torch.no_grad():
        for parameter in followers.network.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape))
    return followers


def gradient_of(network: nn.Module) -> Tensor:
    return torch.cat(
        [torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten() for p in network.parameters()]
    )


class Recording(torch.optim.SGD):
    """Keeps the gradients it was given, and moves the weights by the next of some steps of its own."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__(network.parameters(), lr=0.0)
        self.network, self.seen = network, list[Tensor]()

    def step(self, closure: Any = None) -> Any:
        self.seen.append(gradient_of(self.network).double())
        moved = torch.Generator().manual_seed(len(self.seen))
        with torch.no_grad():
            for parameter in self.network.parameters():
                parameter.mul_(1.0 + 0.1 * torch.randn(parameter.shape, generator=moved))

    def step_joined(self, parameters: Tensor, gradient: Tensor) -> None:
        assert torch.equal(gradient, gradient_of(self.network))
        self.step()


def recorded(followers: FollowerActorCritic, episodes: FollowerEpisodes) -> tuple[list[Tensor], dict[str, float]]:
    """The gradient of each gradient step of an update, and its metrics."""
    recording = followers.optimizer = Recording(followers.network)  # type: ignore[assignment]
    return recording.seen, followers.update(episodes)


def in_double(episodes: FollowerEpisodes) -> FollowerEpisodes:
    return replace(episodes, **{name: getattr(episodes, name).double() for name in ("own", "goal", "reward")})


@pytest.mark.parametrize("name", rest_slow(CASES, COVERING.__contains__))
def test_gradients_are_those_of_the_definition(name: str) -> None:
    """Of all gradient steps of an update: the first, and those with clipped choices after the weights have moved."""
    config, how = CASES[name]
    episodes = episodes_of(config, **how)
    mine, theirs = (learner_of(config, max_gradient_norm=1e9, gamma=0.9, lambda_entropy=0.1) for _ in range(2))
    theirs.network.double()
    (seen, metrics), (expected, terms) = recorded(mine, episodes), recorded(theirs, in_double(episodes))
    assert mine._core is not None and theirs._core is None
    assert list(metrics) == list(terms) and metrics == pytest.approx(terms, rel=1e-4, abs=1e-5)
    assert len(seen) == len(expected) == 4
    for ours, exact in zip(seen, expected, strict=True):
        assert (ours - exact).norm() <= 1e-5 * exact.norm()
        assert how.get("nobody") or exact.norm() > 0.01


def test_an_update_is_the_same_by_torch() -> None:
    """All epochs, metrics and the optimiser's state; rounding apart."""
    episodes = episodes_of(SIZES)
    # Steps of Adam so small that rounding does not decide on which side of 0 a gradient is next.
    mine, theirs = (learner_of(SIZES, learning_rate=1e-6) for _ in range(2))
    next(theirs.network.parameters()).register_hook(lambda _: None)
    metrics, expected = mine.update(episodes), theirs.update(episodes)
    assert mine._core is not None and theirs._core is None
    assert metrics == pytest.approx(expected, rel=1e-4, abs=1e-5)
    for one, other in zip(mine.network.parameters(), theirs.network.parameters(), strict=True):
        assert (one - other).abs().max() < 4e-6
        ours, others = mine.optimizer.state[one], theirs.optimizer.state[other]
        assert ours["step"] == others["step"] == 4
        torch.testing.assert_close(ours["exp_avg"], others["exp_avg"], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("how", [{}, {"everybody": True}, {"nobody": True}, {"shape": (1, 1, 1)}])
def test_advantages_are_those_of_the_definition(how: dict[str, Any]) -> None:
    episodes, followers = episodes_of(SIZES, **how), learner_of(SIZES, gamma=0.9, gae_lambda=0.7)
    core = CoreFollowerUpdate.of(followers.network, None)
    assert core is not None
    core.take(episodes, followers.config)
    value, acts = core.judge(), episodes.acts
    came = core.estimate(episodes, value, lambda local: local)
    expected = followers._estimate(in_double(episodes), value.double())
    for ours, exact in zip(came, expected, strict=True):
        assert ours.dtype == torch.float32
        torch.testing.assert_close(ours[acts].double(), exact[acts], rtol=1e-4, atol=1e-5)


def test_advantages_are_scaled_over_all_ranks() -> None:
    """Those of two ranks with games of their own are those of all games in one."""
    one = episodes_of(SIZES)
    two = replace(one, reward=3.0 * one.reward + 1.0, acts=one.acts.flip(0))
    joined = {name: torch.cat((getattr(one, name), getattr(two, name)), 1) for name in ("reward", "acts")}
    followers, meeting = learner_of(SIZES), Barrier(2)
    parts: dict[int, Tensor] = {}

    def estimated(rank: int, episodes: FollowerEpisodes) -> Tensor:
        def total(local: Tensor) -> Tensor:
            parts[rank] = local
            meeting.wait()
            summed = parts[0] + parts[1]
            meeting.wait()
            return summed

        core = CoreFollowerUpdate.of(copy.deepcopy(followers.network), None)
        assert core is not None
        core.take(episodes, followers.config)
        return core.estimate(episodes, torch.where(episodes.acts, 0.5, 0.0), total)[0]

    with ThreadPoolExecutor(2) as pool:
        ours = torch.cat(list(pool.map(estimated, (0, 1), (one, two))), 1)
    acts = joined["acts"]
    expected, _ = followers._estimate(in_double(replace(one, **joined)), torch.where(acts, 0.5, 0.0).double())
    torch.testing.assert_close(ours[acts].double(), expected[acts], rtol=1e-4, atol=1e-5)


def test_it_goes_on_from_states_of_others() -> None:
    """What another optimiser had, loaded; a copy; a step by torch between; a network moved."""
    episodes, followers = episodes_of(SIZES), learner_of(SIZES)
    followers.update(episodes)
    twin, fresh = copy.deepcopy(followers), FollowerActorCritic(SIZES, followers.config)
    fresh.network.load_state_dict(followers.network.state_dict())
    fresh.optimizer.load_state_dict(copy.deepcopy(followers.optimizer.state_dict()))
    assert followers.update(episodes) == fresh.update(episodes) == twin.update(episodes)
    handle = next(fresh.network.parameters()).register_hook(lambda _: None)
    fresh.update(episodes)
    handle.remove()
    fresh.network.load_state_dict(followers.network.state_dict())
    fresh.optimizer.load_state_dict(copy.deepcopy(followers.optimizer.state_dict()))
    for parameter in fresh.network.parameters():
        parameter.data = parameter.data.clone()
    assert fresh.update(episodes) == followers.update(episodes)
    assert torch.equal(*(nn.utils.parameters_to_vector(one.network.parameters()) for one in (fresh, followers)))


@pytest.mark.parametrize(
    "change",
    [
        lambda network: network.double(),
        lambda network: network.value.weight.requires_grad_(requires_grad=False),
        lambda network: network.joined.register_forward_hook(lambda *_: None),
        lambda network: network.joined.weight.register_hook(lambda gradient: gradient),
        lambda network: setattr(network, "embedding", None),
    ],
)
def test_what_it_does_not_take_is_torchs(change: Any) -> None:
    followers = learner_of(SIZES)
    followers.update(episodes_of(SIZES))
    assert CoreFollowerUpdate.of(followers.network, followers._core) is followers._core is not None
    change(followers.network)
    assert CoreFollowerUpdate.of(followers.network, followers._core) is None


def test_followers_with_weights_of_their_own_are_torchs() -> None:
    network = FollowerNetwork(replace(SIZES, identities="separate"))
    assert CoreFollowerUpdate.of(network, None) is None


def test_arrays_that_do_not_fit_are_refused() -> None:
    episodes, followers = episodes_of(SIZES), learner_of(SIZES)
    core = CoreFollowerUpdate.of(followers.network, None)
    assert core is not None
    with pytest.raises(RuntimeError, match="expected take"):
        core.judge()
    for name, value, message in (
        ("own", episodes.own.double(), "own: expected a C-ordered array of float32"),
        ("own", episodes.own[0], "own: expected shape"),
        ("goal", episodes.goal[..., 1:], "goal: expected a C-ordered array"),
        ("identity", episodes.identity + 9, "identity: expected a value in"),
        ("identity", episodes.identity[1:], "identity: expected a C-ordered array"),
        ("action", episodes.action - 5, "action: expected a value in"),
        ("acts", episodes.acts.int(), "acts: expected a C-ordered array of bool"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            core.take(replace(episodes, **{name: value}), followers.config)
    core.take(episodes, followers.config)
    with pytest.raises(ValueError, match="advantage: expected a C-ordered array"):
        core.learn(episodes.reward[1:], episodes.reward, torch.ones(()), first=True)
    with pytest.raises(ValueError, match="targets: expected a C-ordered array"):
        core.learn(episodes.reward, episodes.reward[1:], torch.ones(()), first=True)
