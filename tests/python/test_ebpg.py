"""EBPG end to end: estimates of the advantage, what an update does, and a small game that must be solved.

The small game: each follower works for one goal type at a time, and that type changes halfway through
the episode; its features mark it. Offering it completes a contract in every step and costs the level
offered; anything else brings nothing. Best is to follow the mark at the lowest price, which takes
knowing the goal's features (policy), when to hold and when to change (termination), and prices.
"""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import replace
from typing import get_args

import pytest
import torch
from torch import Tensor

from paymaster.advantages import head_prices, lambda_returns, normalise, reward_counts
from paymaster.algorithms import EBPG, LEADERS, EBPGConfig, LeaderAlgorithm, Seen
from paymaster.algorithms.ebpg_config import Gradient
from paymaster.envs.features import offers_from_flat
from paymaster.episodes import Episodes
from paymaster.events import extract
from paymaster.networks import LeaderConfig
from paymaster.options import OptionRules

T, B, N, G, K, A = 6, 16, 2, 3, 2, 3
WORTH, PRICE = 3.0, torch.tensor([1.0, 3.0])
LEADER = LeaderConfig(num_goals=G, num_bonuses=K, num_actions=A, follower_features=2, goal_features=2, hidden=32)
NO_TERMINATION = replace(LEADER, termination="none")
LEARN = EBPGConfig(explore_episodes=0, learning_rate=3e-3, critic_learning_rate=3e-3, lambda_entropy=0.02)

EVERY_STEP = replace(LEARN, options=OptionRules(interval=1))
NATURAL = replace(LEARN, gradient="sparse", options=OptionRules(natural_ends=True), epochs=2, entropy_of_decisions=True)


pytestmark = pytest.mark.usefixtures("single_thread")


def play(algorithm: EBPG, generator: torch.Generator, greedy: bool = False, explore: float = 0.0) -> Episodes:
    """B episodes of the small game, full length."""
    config = algorithm.network.config
    first = torch.randint(0, config.num_goals, (B, N), generator=generator)
    second = (first + torch.randint(1, max(config.num_goals, 2), (B, N), generator=generator)) % config.num_goals
    state = algorithm.initial_state(B, N)
    previous = torch.full((B, N), -1)
    kinds = torch.arange(config.num_goals)
    steps: list[dict[str, Tensor]] = []
    for t in range(T):
        target = first if t < T // 2 else second
        mark = kinds == target.unsqueeze(-1)
        offered = (kinds == (previous // config.num_bonuses).unsqueeze(-1)) & (previous >= 0).unsqueeze(-1)
        goal = torch.stack((mark, offered), dim=-1).float()
        follower = torch.full((B, N, 2), t / T)
        ended = ~(mark & offered).any(-1)
        seen = Seen(follower, goal, previous, ended, t)
        offer, state, explored, _ = algorithm.act(seen, state, explore=explore, generator=generator, greedy=greedy)
        won = offer // config.num_bonuses == target
        steps.append(
            {
                "follower": follower,
                "goal": goal,
                "previous": previous,
                "offer": offer,
                "ended": ended,
                "explored": explored,
                "follower_action": (mark & offered).any(-1).long(),  # does its last offer suit it now?
                "committed": won,
                "completed": torch.where(won, target, -1),
                "payment": won * PRICE[offer % config.num_bonuses],
            }
        )
        previous = offer
    log = offers_from_flat(torch.stack([step["offer"] for step in steps]).numpy(), config.num_bonuses)
    return Episodes(
        **{name: torch.stack([step[name] for step in steps]) for name in steps[0]},
        new_offer=torch.tensor(extract(log, num_goals=config.num_goals).is_new),
        valid=torch.ones(T, B, dtype=torch.bool),
        goal_reward=torch.full((config.num_goals,), WORTH),
        price=PRICE[: config.num_bonuses],
        explore=explore,
    )


def gain_per_step(episodes: Episodes) -> float:
    """Mean over steps and followers; the best is WORTH - 1."""
    return float((reward_counts(episodes) @ head_prices(episodes)).mean())


def padded(episodes: Episodes, lengths: Tensor, extra: int, seed: int) -> Episodes:
    """The episodes cut to ``lengths`` [B], ``extra`` steps longer, with noise wherever nothing is played."""
    generator = torch.Generator().manual_seed(seed)
    valid = torch.arange(T + extra).unsqueeze(-1) < lengths

    def pad(value: Tensor, low: int, high: int) -> Tensor:
        shape = (T + extra, *value.shape[1:])
        noise = torch.randint(low, high, shape, generator=generator).to(value.dtype)
        full = torch.cat((value, torch.zeros(extra, *value.shape[1:], dtype=value.dtype)))
        return torch.where(valid.view(*valid.shape, *[1] * (value.dim() - 2)), full, noise)

    return replace(
        episodes,
        follower=pad(episodes.follower, -5, 6),
        goal=pad(episodes.goal, -5, 6),
        previous=pad(episodes.previous, -1, G * K),
        offer=pad(episodes.offer, -1, G * K),
        new_offer=pad(episodes.new_offer, 0, 2),
        ended=pad(episodes.ended, 0, 2),
        explored=pad(episodes.explored, 0, 2),
        follower_action=pad(episodes.follower_action, -1, A),
        committed=pad(episodes.committed, 0, 2),
        completed=pad(episodes.completed, -1, G),
        payment=pad(episodes.payment, 0, 4),
        valid=valid,
    )


@pytest.mark.parametrize(
    ("leader", "config"),
    [
        (LEADER, LEARN),
        (LEADER, replace(LEARN, gradient="sparse")),
        (NO_TERMINATION, EVERY_STEP),
        (NO_TERMINATION, replace(LEARN, options=OptionRules(interval=3))),
        (LEADER, NATURAL),
        (NO_TERMINATION, NATURAL),
        (replace(LEADER, attention="mean", abstain=True), LEARN),
        (replace(NO_TERMINATION, attention="mean", heads="independent"), replace(EVERY_STEP, exploration="agents")),
        (replace(LEADER, prediction=False), LEARN),
    ],
    ids=["dense", "sparse", "every-step", "interval", "natural", "natural-only", "mean-abstain", "m3rl", "blind"],
)
def test_small_game_is_solved(leader: LeaderConfig, config: EBPGConfig) -> None:
    """The type to offer changes after T / 2 = 3 steps, so an interval of 3 is just right."""
    algorithm = EBPG(leader, config, seed=1)
    generator = torch.Generator().manual_seed(2)
    assert gain_per_step(play(algorithm, generator)) < 0.4 * (WORTH - 1)
    metrics: dict[str, float] = {}
    for _ in range(200):
        metrics = algorithm.update(play(algorithm, generator))
    for greedy in (False, True):
        gains = [gain_per_step(play(algorithm, generator, greedy)) for _ in range(10)]
        assert sum(gains) / 10 > 0.9 * (WORTH - 1)
    assert metrics.get("prediction_accuracy", 1.0) > 0.95
    assert metrics["explained_variance"] > 0.5


def slow_lambda_return(rewards: list[float], values: list[float], gamma: float, gae_lambda: float) -> list[float]:
    """The recursion G_t = r_t + gamma ((1 - lambda) V_{t+1} + lambda G_{t+1}), nothing after the end."""
    returns: list[float] = []
    following_value = following_return = 0.0
    for reward, value in zip(reversed(rewards), reversed(values), strict=True):
        following_return = reward + gamma * ((1 - gae_lambda) * following_value + gae_lambda * following_return)
        following_value = value
        returns.insert(0, following_return)
    return returns


@pytest.mark.parametrize(("gamma", "gae_lambda"), [(1.0, 0.9), (0.95, 0.5), (1.0, 0.0), (0.9, 1.0)])
def test_lambda_returns_agree_with_the_recursion(gamma: float, gae_lambda: float) -> None:
    generator = torch.Generator().manual_seed(0)
    heads, lengths = 2, torch.tensor([5, 1, 3])
    valid = torch.arange(5).unsqueeze(-1) < lengths
    counts = torch.randn(5, 3, N, heads, generator=generator, dtype=torch.float64) * valid[..., None, None]
    phi = torch.randn(5, 3, N, heads, generator=generator, dtype=torch.float64)
    targets = lambda_returns(counts, phi, valid, gamma, gae_lambda)
    for b in range(3):
        n = int(lengths[b])
        assert not targets[n:, b].any()
        for k in range(N):
            for head in range(heads):
                slow = slow_lambda_return(
                    counts[:n, b, k, head].tolist(), phi[:n, b, k, head].tolist(), gamma, gae_lambda
                )
                assert targets[:n, b, k, head].tolist() == pytest.approx(slow, abs=1e-12)


def test_lambda_one_is_the_return_as_played() -> None:
    counts = torch.tensor([1.0, 0.0, 2.0]).view(3, 1, 1, 1)
    phi = torch.randn(3, 1, 1, 1)
    targets = lambda_returns(counts, phi, torch.ones(3, 1, dtype=torch.bool), 1.0, 1.0)
    torch.testing.assert_close(targets.flatten(), torch.tensor([3.0, 2.0, 2.0]))


def hand_made() -> Episodes:
    """Two steps, one game, two followers; w = (5, 4), prices (1, 2)."""
    return Episodes(
        follower=torch.zeros(2, 1, 2, 1),
        goal=torch.zeros(2, 1, 2, 2, 1),
        previous=torch.tensor([[[-1, -1]], [[1, 4]]]),
        offer=torch.tensor([[[1, 4]], [[1, 2]]]),  # (0, dear), none; (0, dear), (1, cheap)
        new_offer=torch.tensor([[[True, True]], [[False, True]]]),
        ended=torch.tensor([[[True, True]], [[False, True]]]),
        explored=torch.zeros(2, 1, 2, dtype=torch.bool),
        follower_action=torch.zeros(2, 1, 2, dtype=torch.int64),
        committed=torch.tensor([[[True, False]], [[True, True]]]),
        completed=torch.tensor([[[-1, -1]], [[0, 1]]]),
        payment=torch.tensor([[[2.0, 0.0]], [[1.0, 1.0]]]),  # the second of follower 0: half the price
        valid=torch.ones(2, 1, dtype=torch.bool),
        goal_reward=torch.tensor([5.0, 4.0]),
        price=torch.tensor([1.0, 2.0]),
    )


def test_rewards_are_counted_then_priced() -> None:
    episodes = hand_made()
    own = reward_counts(episodes)
    assert own[:, 0, 0].tolist() == [[0, 0, 0, 1], [1, 0, 0, 0.5]]
    assert own[:, 0, 1].tolist() == [[0, 0, 0, 0], [0, 1, 1, 0]]
    priced = own @ head_prices(episodes)
    assert priced[:, 0].tolist() == [[-2.0, 0.0], [4.0, 3.0]]
    team = reward_counts(episodes, "team") @ head_prices(episodes)
    assert team[:, 0].tolist() == [[-2.0, -2.0], [7.0, 7.0]]
    ended = replace(episodes, valid=torch.tensor([[True], [False]]))
    assert not reward_counts(ended)[1].any()


def test_normalise_ignores_what_was_not_played() -> None:
    advantage = torch.tensor([[[1.0]], [[3.0]], [[1e6]]])
    scaled = normalise(advantage, torch.tensor([[True], [True], [False]]))
    torch.testing.assert_close(scaled.flatten(), torch.tensor([-1.0, 1.0, 0.0]))


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
    assert metrics["events"] * metrics["option_length"] == pytest.approx(T * N)
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
    nothing = Seen(
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
        ({"learning_rate": 0.0}, "learning_rate: expected a finite number above 0, got 0.0"),
        ({"lambda_entropy": float("nan")}, "lambda_entropy: expected a finite number of at least 0, got nan"),
        ({"explore_episodes": -1}, "explore_episodes: expected at least 0, got -1"),
        ({"epochs": 0}, "epochs: expected at least 1, got 0"),
        ({"clip": 0.0}, "clip: expected a finite number above 0, got 0.0"),
        ({"options": OptionRules(interval=-1)}, "interval: expected at least 0, got -1"),
    ],
)
def test_hyperparameters_are_checked(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EBPG(LEADER, replace(LEARN, **change))  # type: ignore[arg-type]


def test_contradictory_settings_are_named() -> None:
    with pytest.raises(ValueError, match="options: without a termination function expected an interval or natural_end"):
        EBPG(NO_TERMINATION, LEARN)
    with pytest.raises(ValueError, match=r"exploration: 'agents' .* expects options\.interval = 1, got 0"):
        EBPG(LEADER, replace(LEARN, exploration="agents"))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"offer": torch.zeros(2, 1, 3, dtype=torch.int64)}, ValueError, "offer: expected N = 2"),
        (
            {"valid": torch.ones(2, dtype=torch.bool)},
            ValueError,
            r"valid: expected shape \[T, B\], got \[2\]",
        ),
        ({"offer": torch.zeros(2, 1, 2)}, TypeError, "offer: expected int64, got torch.float32"),
        ({"valid": torch.ones(2, 1)}, TypeError, "valid: expected bool, got torch.float32"),
        ({"new_offer": torch.ones(2, 1, 2)}, TypeError, "new_offer: expected bool, got torch.float32"),
        ({"new_offer": torch.ones(1, 1, 2, dtype=torch.bool)}, ValueError, "new_offer: expected T = 2"),
        ({"explore": 2.0}, ValueError, r"explore: expected a rate in \[0, 1\], got 2.0"),
    ],
)
def test_episodes_are_checked(change: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        replace(hand_made(), **change)  # type: ignore[arg-type]
