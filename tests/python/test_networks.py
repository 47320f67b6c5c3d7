"""The leader's modules, alone and joined, and how offers are drawn from what they say.

One long file, because modules are tested as they are joined.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from paymaster.algorithms import losses
from paymaster.algorithms.process import restricted_log_probs, sample_offers
from paymaster.networks import (
    FollowerAttention,
    FollowerModel,
    HistoryEncoder,
    LeaderConfig,
    LeaderNetwork,
    LeaderOutput,
    OfferPolicy,
    TerminationFunction,
    TwoHeadedBaseline,
    offered_goal,
)

T, B, N, F, G, D, K, A, H = 7, 3, 4, 6, 3, 5, 2, 5, 16
CONFIG = LeaderConfig(num_goals=G, num_bonuses=K, num_actions=A, follower_features=F, goal_features=D, hidden=H)
VARIANTS = {
    "paper": CONFIG,
    "mean": replace(CONFIG, attention="mean"),
    "no termination": replace(CONFIG, termination="none"),
    "independent heads": replace(CONFIG, heads="independent"),
    "no prediction": replace(CONFIG, prediction=False),
    "abstain": replace(CONFIG, abstain=True),
    "unshared": replace(CONFIG, shared_goal_weights=False),
    "unshared, independent, abstain": replace(CONFIG, shared_goal_weights=False, heads="independent", abstain=True),
}


def make(config: LeaderConfig) -> LeaderNetwork:
    torch.manual_seed(0)
    return LeaderNetwork(config)


def inputs(num_offers: int, seed: int = 1) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Random features, omega_{t-1} (-1 at t = 0) and starting history of T steps."""
    generator = torch.Generator().manual_seed(seed)
    previous = torch.randint(0, num_offers, (T, B, N), generator=generator)
    previous[0] = -1
    return (
        torch.randn(T, B, N, F, generator=generator),
        torch.randn(T, B, N, G, D, generator=generator),
        previous,
        torch.randn(B, N, H, generator=generator),
    )


def fields(output: LeaderOutput) -> dict[str, Tensor]:
    return {name: value for name, value in output._asdict().items() if value is not None}


@pytest.mark.parametrize("name", VARIANTS)
def test_one_step_at_a_time_equals_whole_episodes(name: str) -> None:
    network = make(VARIANTS[name])
    follower, goal, previous, history = inputs(network.config.num_offers)
    whole = fields(network(follower, goal, previous, history))
    steps = []
    for t in range(T):
        steps.append(fields(network(follower[t], goal[t], previous[t], history)))
        history = steps[-1]["history"]
    torch.testing.assert_close(whole.pop("history"), history, rtol=1e-5, atol=1e-6)
    for field, value in whole.items():
        torch.testing.assert_close(value, torch.stack([s[field] for s in steps]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", VARIANTS)
def test_shapes_and_normalisation(name: str) -> None:
    config = VARIANTS[name]
    output = make(config)(*inputs(config.num_offers))
    assert output.log_mu.shape == (T, B, N, G * K + config.abstain)
    assert output.phi is not None and output.phi.shape == (T, B, N, G + K)
    assert (None if output.prediction_logits is None else output.prediction_logits.shape) == (
        None if name == "no prediction" else (T, B, N, A)
    )
    assert (output.termination_logits is None) == (name == "no termination")
    torch.testing.assert_close(output.log_mu.exp().sum(-1), torch.ones(T, B, N))
    torch.testing.assert_close(output.attention.sum(-1), torch.ones(T, B))
    if name == "mean":
        torch.testing.assert_close(output.attention, torch.full((T, B, N), 1 / N))
    else:
        assert output.attention.std() > 1e-4


@pytest.mark.parametrize("name", VARIANTS)
def test_followers_have_no_order(name: str) -> None:
    network = make(VARIANTS[name])
    follower, goal, previous, history = inputs(network.config.num_offers)
    order = torch.tensor([2, 0, 3, 1])
    output = fields(network(follower, goal, previous, history))
    shuffled = fields(network(follower[:, :, order], goal[:, :, order], previous[:, :, order], history[:, order]))
    for field, value in output.items():
        followers = 1 if field == "history" else 2
        torch.testing.assert_close(value.index_select(followers, order), shuffled[field])


@pytest.mark.parametrize("name", VARIANTS)
def test_the_policy_may_be_asked_at_some_steps_only(name: str) -> None:
    network = make(VARIANTS[name])
    steps = inputs(network.config.num_offers)
    asked = torch.rand(T, B, N, generator=torch.Generator().manual_seed(3)) < 0.3
    rows = asked.flatten().nonzero().squeeze(-1)
    whole, some = fields(network(*steps)), fields(network(*steps, decisions=rows, baseline=False))
    assert "phi" not in some
    torch.testing.assert_close(some["log_mu"], whole["log_mu"][asked])
    for field in some.keys() - {"log_mu"}:
        assert torch.equal(some[field], whole[field])
    gradients = [
        torch.autograd.grad((log_mu**2).sum(), list(network.policy.parameters()))
        for log_mu in (whole["log_mu"][asked], some["log_mu"])
    ]
    torch.testing.assert_close(gradients[0], gradients[1])


def test_any_number_of_followers() -> None:
    network = make(CONFIG)
    for n in (1, 9):
        output = network(
            torch.randn(B, n, F),
            torch.randn(B, n, G, D),
            torch.full((B, n), -1),
            network.initial_history(B, n),
        )
        assert output.log_mu.shape == (B, n, G * K)


def test_history_does_not_see_the_future_and_remembers_the_past() -> None:
    encoder = HistoryEncoder(num_offers=4, hidden=H)
    state, previous = torch.randn(T, B, N, H), torch.randint(0, 4, (T, B, N))
    before, _ = encoder(state, previous, torch.zeros(B, N, H))
    changed = state.clone()
    changed[3] += 1.0
    after, _ = encoder(changed, previous, torch.zeros(B, N, H))
    difference = (before - after).abs().amax((1, 2, 3))
    assert (difference[:3] == 0).all() and (difference[3:] > 0).all()
    other_offers, _ = encoder(state, (previous + 1) % 4, torch.zeros(B, N, H))
    assert not torch.allclose(before, other_offers)


def test_offered_goal_is_the_one_in_the_flat_offer() -> None:
    goal = torch.arange(G * D).view(G, D).float()
    previous = torch.tensor([-1, 0, K - 1, K, G * K - 1, G * K])  # none yet, ..., abstaining
    rows = offered_goal(goal.expand(6, G, D), previous, K)
    expected = torch.stack([0 * goal[0], goal[0], goal[0], goal[1], goal[G - 1], 0 * goal[0]])
    assert torch.equal(rows, expected)


def test_attention_carries_what_others_do_and_respects_weights() -> None:
    attention = FollowerAttention(A, H)
    encoded, predicted = torch.randn(B, N, 2 * H), torch.softmax(torch.randn(B, N, A), -1)
    code, weights = attention(encoded, predicted)
    other = encoded.clone()
    other[:, 3] += 1.0
    assert not torch.allclose(attention(other, predicted)[0][:, 0], code[:, 0])
    certain = torch.zeros(B, N, A)
    certain[..., 0] = 1.0
    assert not torch.allclose(attention(encoded, certain)[0], code)
    torch.testing.assert_close(weights.sum(-1), torch.ones(B))


def test_policy_knows_goal_types_by_their_features_only() -> None:
    policy = OfferPolicy(K, D, H)
    code, goal, order = torch.randn(B, N, H), torch.randn(B, N, G, D), torch.tensor([2, 0, 1])
    log_mu = policy(code, goal).view(B, N, G, K)
    torch.testing.assert_close(policy(code, goal[:, :, order]).view(B, N, G, K), log_mu[:, :, order])


def test_policy_is_sequential() -> None:
    """mu(g, b) = p(g) p(b | g): bonuses depend on the goal's features, the goal's odds not on bonuses."""
    policy = OfferPolicy(K, D, H, abstain=True)
    code, goal = torch.randn(B, N, H), torch.randn(B, N, G, D)
    joint = policy(code, goal)[..., :-1].view(B, N, G, K)
    before_goal, before_bonus = joint.logsumexp(-1), joint.log_softmax(-1)
    with torch.no_grad():
        policy.out.bias[1] += 1.0  # the logit of bonus 0, whatever the goal
    joint = policy(code, goal)[..., :-1].view(B, N, G, K)
    torch.testing.assert_close(joint.logsumexp(-1), before_goal)
    assert (joint.log_softmax(-1)[..., 0] > before_bonus[..., 0]).all()
    assert before_bonus.std(2).max() > 1e-3


def test_termination_and_baseline_see_the_previous_offer() -> None:
    code = torch.randn(B, N, H)
    for module in (TerminationFunction(6, H), TwoHeadedBaseline(G, K, 6, H)):
        flat = [module(code, torch.full((B, N), offer)) for offer in (-1, 0, 5)]
        assert not torch.allclose(flat[0], flat[1]) and not torch.allclose(flat[1], flat[2])


def test_only_imitation_trains_the_follower_model() -> None:
    network = make(CONFIG)
    output = network(*inputs(CONFIG.num_offers))
    assert output.termination_logits is not None and output.phi is not None
    offer, previous = torch.randint(0, G * K, (T, B, N)), inputs(CONFIG.num_offers)[2]
    new_offer, advantage = offer != previous, torch.randn(T, B, N)
    policy = (
        (losses.dense_log_prob(output.log_mu, offer, previous, new_offer) * advantage).sum()
        + (losses.termination_log_prob(output.termination_logits, new_offer, previous) * advantage).sum()
        + losses.entropy(output.log_mu).sum()
        + output.phi.sum()
    )
    assert network.follower_model is not None and output.prediction_logits is not None
    model = list(network.follower_model.parameters())
    assert torch.autograd.grad(policy, model, retain_graph=True, allow_unused=True) == (None,) * len(model)
    imitation = losses.imitation_loss(output.prediction_logits, torch.zeros(T, B, N, dtype=torch.int64)).sum()
    assert all(g.abs().sum() > 0 for g in torch.autograd.grad(imitation, model))
    assert not FollowerModel.predict(output.prediction_logits).requires_grad


def output_of(mu: list[float], beta: float | None, games: int = 1) -> LeaderOutput:
    log_mu = torch.tensor(mu).log().expand(games, 1, len(mu))
    logits = None if beta is None else torch.logit(torch.tensor(beta)).expand(games, 1)
    unused = torch.empty(0)
    return LeaderOutput(log_mu, logits, unused, unused, unused, unused)


@pytest.mark.parametrize(("beta", "changes"), [(0.0, False), (1.0, True)])
def test_certain_termination(beta: float, changes: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    previous = torch.full((20_000, 1), 1)
    offers = sample_offers(output_of([0.0, 0.999, 0.001], beta, 20_000), previous, 0.0, generator)
    assert (offers == (2 if changes else 1)).all()  # offer 0 has probability 0


@pytest.mark.parametrize("uniform", [0.0, 1.0 - 2.0**-24])
def test_the_ends_of_the_unit_interval_draw_possible_offers(uniform: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "rand", lambda shape, **_: torch.full(shape, uniform))
    for mu in ([0.0, 0.3, 0.7, 0.0], [0.0, 0.1, 0.1, 0.0]):  # the second as if rounded far from 1
        offers = sample_offers(output_of(mu, None), torch.tensor([[-1]]))
        assert offers.tolist() == [[1 if uniform == 0.0 else 2]]


def test_first_offer_is_a_fresh_draw_from_mu() -> None:
    generator = torch.Generator().manual_seed(0)
    previous = torch.full((50_000, 1), -1)
    offers = sample_offers(output_of([0.1, 0.2, 0.7], 0.0, 50_000), previous, 0.0, generator)
    shares = offers.flatten().bincount(minlength=3) / 50_000
    torch.testing.assert_close(shares, torch.tensor([0.1, 0.2, 0.7]), rtol=0.0, atol=0.01)


def test_without_termination_offers_change_only_where_an_option_starts() -> None:
    generator = torch.Generator().manual_seed(0)
    output = output_of([0.1, 0.2, 0.7], None, 50_000)
    assert (sample_offers(output, torch.full((50_000, 1), 1), 0.3, generator) == 1).all()
    offers = sample_offers(output, torch.full((50_000, 1), -1), 0.3, generator)
    shares = offers.flatten().bincount(minlength=3) / 50_000
    torch.testing.assert_close(shares, torch.tensor([0.17, 0.24, 0.59]), rtol=0.0, atol=0.01)


@pytest.mark.parametrize(
    ("previous", "beta", "expected"),
    [(-1, 0.1, 2), (2, 0.4, 2), (2, 0.6, 1), (0, 0.6, 2), (0, None, 0), (-1, None, 2)],
)
def test_greedy_takes_the_mode_of_each_decision(previous: int, beta: float | None, expected: int) -> None:
    offers = sample_offers(output_of([0.1, 0.3, 0.6], beta), torch.tensor([[previous]]), 0.5, greedy=True)
    assert offers.tolist() == [[expected]]


@pytest.mark.parametrize("greedy", [False, True])
def test_a_single_offer_never_changes(greedy: bool) -> None:
    network = make(replace(CONFIG, num_goals=1, num_bonuses=1))
    assert network.termination is None
    for previous in (-1, 0):
        offers = sample_offers(output_of([1.0], 1.0, B), torch.full((B, 1), previous), 0.3, torch.Generator(), greedy)
        assert (offers == 0).all()


def test_sampling_depends_on_its_generator_alone() -> None:
    output = output_of([0.2, 0.3, 0.5], 0.5, 100)
    previous = torch.zeros(100, 1, dtype=torch.int64)
    draws = []
    for noise in (0, 1):
        torch.manual_seed(noise)
        generator = torch.Generator().manual_seed(7)
        draws.append([sample_offers(output, previous, 0.1, generator) for _ in range(3)])
    for first, second in zip(*draws, strict=True):
        assert torch.equal(first, second)
    assert not torch.equal(draws[0][0], draws[0][1])


def test_restriction_renormalises_and_excludes() -> None:
    probs = restricted_log_probs(torch.tensor([0.2, 0.3, 0.5]).log(), torch.tensor(2)).exp()
    torch.testing.assert_close(probs, torch.tensor([0.4, 0.6, 0.0]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_goals": 0}, "num_goals: expected a whole number of at least 1, got 0"),
        ({"hidden": -3}, "hidden: expected a whole number of at least 1, got -3"),
        ({"attention": "max"}, "attention: expected one of follower-specific, mean, got 'max'"),
        ({"termination": "never"}, "termination: expected one of learned, none, got 'never'"),
    ],
)
def test_configuration_is_checked(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LeaderNetwork(replace(CONFIG, **change))  # type: ignore[arg-type]
