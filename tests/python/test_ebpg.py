"""EBPG end to end: what an update does, and a small game that must be solved (`tests/signal_game.py`)."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import replace
from typing import get_args

import pytest
import torch

from paymaster.algorithms import EBPG, LEADERS, EBPGConfig, LeaderAlgorithm, LeaderInput
from paymaster.algorithms.ebpg_config import Gradient
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.process import OptionRules
from paymaster.networks import LeaderConfig
from rest_slow import rest_slow
from signal_game import (
    EVERY_STEP,
    LEADER,
    LEARN,
    NATURAL,
    NO_TERMINATION,
    WORTH,
    B,
    G,
    K,
    N,
    T,
    gain_per_step,
    padded,
    play,
)

SOLVERS = {
    "dense": (LEADER, LEARN),
    "sparse": (LEADER, replace(LEARN, gradient="sparse")),
    "every-step": (NO_TERMINATION, EVERY_STEP),
    "interval": (NO_TERMINATION, replace(LEARN, options=OptionRules(interval=3))),
    "natural": (LEADER, NATURAL),
    "natural-only": (NO_TERMINATION, NATURAL),
    "mean-abstain": (replace(LEADER, attention="mean", abstain=True), LEARN),
    "m3rl": (
        replace(NO_TERMINATION, attention="mean", heads="independent"),
        replace(EVERY_STEP, exploration="agents"),
    ),
    "blind": (replace(LEADER, prediction=False), LEARN),
}


@pytest.mark.parametrize("name", rest_slow(SOLVERS, {"dense", "m3rl"}.__contains__))
def test_small_game_is_solved(name: str) -> None:
    """The type to offer changes after T / 2 = 3 steps, so an interval of 3 is just right."""
    algorithm = EBPG(*SOLVERS[name], seed=1)
    generator = torch.Generator().manual_seed(2)
    assert gain_per_step(play(algorithm, generator)) < 0.4 * (WORTH - 1)

    def solved(share: float, batches: int) -> bool:
        gains = [
            [gain_per_step(play(algorithm, generator, greedy)) for _ in range(batches)] for greedy in (False, True)
        ]
        return (
            all(sum(some) > share * (WORTH - 1) * batches for some in gains)
            and metrics.get("prediction_accuracy", 1.0) > 0.95
            and metrics["explained_variance"] > 0.5
        )

    for number in range(1, 201):
        metrics = algorithm.update(play(algorithm, generator))
        if number % 10 == 0 and solved(0.95, 3):
            break
    assert solved(0.9, 10), metrics


@pytest.mark.parametrize(
    ("leader", "config"), [(LEADER, LEARN), (NO_TERMINATION, EVERY_STEP), (LEADER, replace(NATURAL, epochs=1))]
)
def test_padding_changes_nothing(leader: LeaderConfig, config: EBPGConfig) -> None:
    generator = torch.Generator().manual_seed(3)
    lengths = torch.randint(1, T + 1, (B,), generator=generator)
    results = []
    for extra, seed in ((0, 1), (3, 2)):
        algorithm = EBPG(leader, config, seed=5)
        episodes = play(algorithm, torch.Generator().manual_seed(4), explore=0.2)
        metrics = algorithm.update(padded(episodes, lengths, extra, seed))
        # Not the weights: Adam scales a gradient that is zero but for rounding (the goals' common bias) up to a step.
        results.append((metrics, [parameter.grad for parameter in algorithm.network.parameters()]))
    (metrics, gradients), (other_metrics, other_gradients) = results
    assert metrics == pytest.approx(other_metrics, rel=1e-4, abs=1e-6)
    for mine, other in zip(gradients, other_gradients, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-3, atol=1e-6)


def test_update_moves_every_parameter_and_reports() -> None:
    algorithm = EBPG(LEADER, LEARN)
    before = [p.clone() for p in algorithm.network.parameters()]
    metrics = algorithm.update(play(algorithm, torch.Generator().manual_seed(0)))
    assert all((a != b).any() for a, b in zip(before, algorithm.network.parameters(), strict=True))
    assert all(isinstance(value, float) for value in metrics.values())
    assert metrics["new_offers"] * metrics["option_length"] == pytest.approx(T * N)
    assert 0.3 < metrics["termination"] < 0.7
    every_step = EBPG(NO_TERMINATION, EVERY_STEP)
    assert not {"termination", "termination_loss"} & set(every_step.update(hand_played(every_step)))


def hand_played(algorithm: EBPG) -> Episodes:
    return play(algorithm, torch.Generator().manual_seed(0), explore=0.5)


@pytest.mark.parametrize("every_step", [False, True])
def test_offers_drawn_uniformly_teach_the_policy_nothing(every_step: bool) -> None:
    """With iota = 1 a new offer's probability does not depend on mu: only the mixture's is right to use."""
    leader = NO_TERMINATION if every_step else LEADER
    config = replace(EVERY_STEP if every_step else LEARN, gradient="sparse", lambda_entropy=0.0)
    algorithm = EBPG(leader, config)
    algorithm.update(play(algorithm, torch.Generator().manual_seed(0), explore=1.0))
    assert all(p.grad is not None and not p.grad.any() for p in algorithm.network.policy.parameters())
    algorithm.update(play(algorithm, torch.Generator().manual_seed(0), explore=0.9))
    assert all(p.grad is not None and p.grad.any() for p in algorithm.network.policy.parameters())


def test_regularisers_pull_the_right_way() -> None:
    """lambda_1 towards a uniform mu, lambda_2 towards beta = 0."""
    algorithm = EBPG(LEADER, replace(LEARN, lambda_entropy=10.0, lambda_termination=10.0))
    generator = torch.Generator().manual_seed(0)
    before, *_, after = (algorithm.update(play(algorithm, generator)) for _ in range(40))
    assert before["entropy"] < after["entropy"]
    assert after["entropy"] == pytest.approx(math.log(G * K), abs=0.02)
    assert after["termination"] < 0.5 * before["termination"]


def test_rates_and_entropy_fall_linearly() -> None:
    """At the end of training a rate of nothing moves nothing, and half-way half of it is left."""
    algorithm = EBPG(LEADER, replace(LEARN, learning_rate_end=0.0, entropy_end=0.5))
    episodes = hand_played(algorithm)
    losses = []
    for progress, left in ((0.0, 1.0), (0.5, 0.5), (1.0, 0.0)):
        twin = deepcopy(algorithm)
        metrics = twin.update(episodes, progress)
        for group in twin.optimizer.param_groups:
            assert group["lr"] == pytest.approx(3e-3 * left)
        losses.append(metrics["loss"] + 0.02 * (1.0 - 0.5 * progress) * metrics["entropy"])
        pairs = zip(twin.network.parameters(), algorithm.network.parameters(), strict=True)
        moved = max((p - q).abs().max() for p, q in pairs)
        assert (moved == 0.0) == (left == 0.0)
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)


def test_baseline_has_its_own_learning_rate() -> None:
    algorithm = EBPG(LEADER, replace(LEARN, critic_learning_rate=1e-12))
    before = {name: p.clone() for name, p in algorithm.network.named_parameters()}
    algorithm.update(hand_played(algorithm))
    for name, p in algorithm.network.named_parameters():
        moved = (p - before[name]).abs().max().item()
        assert (moved < 1e-6) == name.startswith("baseline."), name


def test_normalised_advantages_forget_the_scale_of_rewards() -> None:
    policy_losses = []
    for scale in (1.0, 8.0):
        algorithm = EBPG(LEADER, LEARN)
        with torch.no_grad():  # a baseline of 0: only rewards are left in the advantage
            algorithm.network.baseline.out.weight.zero_()
            algorithm.network.baseline.out.bias.zero_()
        played = hand_played(algorithm)
        scaled = replace(played, goal_reward=scale * played.goal_reward, price=scale * played.price)
        scaled = replace(scaled, payment=scale * played.payment)
        policy_losses.append(algorithm.update(scaled)["policy_loss"])
    assert policy_losses[0] == pytest.approx(policy_losses[1], rel=1e-4)


def test_the_gradient_is_clipped() -> None:
    algorithm = EBPG(LEADER, replace(LEARN, max_gradient_norm=1e-4))
    metrics = algorithm.update(hand_played(algorithm))
    assert metrics["gradient_norm"] > 1e-4
    total = sum(float(p.grad.square().sum()) for p in algorithm.network.parameters() if p.grad is not None)
    assert total**0.5 == pytest.approx(1e-4, rel=1e-3)


def test_training_continues_exactly_from_its_state() -> None:
    def batches(algorithm: EBPG, generator: torch.Generator, number: int) -> list[dict[str, float]]:
        return [algorithm.update(play(algorithm, generator, explore=0.1)) for _ in range(number)]

    first, generator = EBPG(LEADER, LEARN, seed=1), torch.Generator().manual_seed(9)
    batches(first, generator, 3)
    second = EBPG(LEADER, LEARN, seed=2)
    for name, module in first.modules().items():
        second.modules()[name].load_state_dict(module.state_dict())
    for name, optimizer in first.optimizers().items():
        # A copy: torch's load_state_dict would go on sharing the moments with the first optimiser.
        second.optimizers()[name].load_state_dict(deepcopy(optimizer.state_dict()))
    resumed = torch.Generator()
    resumed.set_state(generator.get_state())
    assert batches(first, generator, 3) == batches(second, resumed, 3)


def test_seed_decides_the_weights_and_nothing_else_does() -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    first, again, other = (EBPG(LEADER, seed=seed).network.state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.rand(1), expected)  # the global generator was left alone
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_acting_keeps_no_graph() -> None:
    algorithm = EBPG(LEADER)
    nothing = LeaderInput(
        torch.zeros(B, N, 2), torch.zeros(B, N, G, 2), torch.full((B, N), -1), torch.ones(B, N, dtype=torch.bool), 0
    )
    offer, state, *_ = algorithm.act(nothing, algorithm.initial_state(B, N), generator=torch.Generator())
    assert not state.history.requires_grad and state.history.shape == (B, N, LEADER.hidden)
    assert offer.dtype == torch.int64 and offer.shape == (B, N)


@pytest.mark.parametrize("abstain", [False, True])
def test_one_goal_and_one_price(abstain: bool) -> None:
    """The smallest action spaces: a single offer, and take it or leave it."""
    algorithm = EBPG(replace(LEADER, num_goals=1, num_bonuses=1, abstain=abstain), LEARN)
    metrics = algorithm.update(hand_played(algorithm))
    assert all(torch.isfinite(p).all() for p in algorithm.network.parameters())
    assert abstain == ("termination" in metrics)


def test_exploration_falls_to_nothing() -> None:
    algorithm = EBPG(LEADER, EBPGConfig(explore=0.1, explore_episodes=5000))
    rates = [algorithm.exploration_rate(done) for done in (0, 2500, 5000, 9000)]
    assert rates == pytest.approx([0.1, 0.05, 0.0, 0.0])
    assert EBPG(LEADER, EBPGConfig(explore_episodes=0)).exploration_rate(0) == 0.0


def test_the_table_of_leaders_keeps_the_protocol() -> None:
    for kind in LEADERS.values():
        assert isinstance(EBPG(kind.sized(LEADER), kind.learner), LeaderAlgorithm)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gradient": "exact"}, f"gradient: expected one of {', '.join(get_args(Gradient))}, got 'exact'"),
        ({"credit": "mine"}, "credit: expected one of own, team, got 'mine'"),
        ({"gamma": 1.5}, r"gamma: expected a number in \[0, 1\], got 1.5"),
        ({"learning_rate": 0.0}, "learning_rate: expected a number above 0, got 0.0"),
        ({"lambda_entropy": float("nan")}, "lambda_entropy: expected a number of at least 0, got nan"),
        ({"explore_episodes": -1}, r"explore_episodes: expected a whole number in \[0, 1,000,000,000\], got -1"),
        ({"epochs": 0}, r"epochs: expected a whole number in \[1, 1,000\], got 0"),
        ({"clip": 0.0}, "clip: expected a number above 0, got 0.0"),
        ({"options": OptionRules(interval=-1)}, r"options.interval: expected a whole number in \[0, 999,999\], got -1"),
    ],
)
def test_hyperparameters_are_checked(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EBPG(LEADER, replace(LEARN, **change))  # type: ignore[arg-type]


def test_contradictory_settings_are_named() -> None:
    with pytest.raises(ValueError, match="options: without a termination function expected an interval or expiring"):
        EBPG(NO_TERMINATION, LEARN)
    with pytest.raises(ValueError, match=r"exploration: 'agents' .* expects options\.interval = 1, got 0"):
        EBPG(LEADER, replace(LEARN, exploration="agents"))
