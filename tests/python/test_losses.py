"""The losses: literal numbers, gradients, and exactness on a game small enough to enumerate."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from enumerated_game import FOLLOWERS, STEPS, TabularGame, make_game, new_offers
from paymaster.algorithms import losses
from paymaster.algorithms.process import is_previous, offer_probs, sample_offers
from paymaster.networks import LeaderOutput

PolicyLogProb = Callable[..., Tensor]


def expected_gradient(
    game: TabularGame, explore: float, advantage: Tensor, policy: PolicyLogProb = losses.sparse_log_prob
) -> list[Tensor]:
    """Minus the gradient of the losses, expected over all trajectories, by beta and by mu."""
    offer, previous = game.trajectories()
    logits, log_mu = game.look_up(previous)
    advantage = advantage.unsqueeze(-1).expand(offer.shape)
    new_offer = new_offers(offer)
    log_probs = (
        policy(log_mu, offer, previous, new_offer, explore),
        losses.termination_log_prob(logits, new_offer, previous),
    )
    per_step = sum(losses.policy_gradient_loss(log_prob, advantage) for log_prob in log_probs)
    assert isinstance(per_step, Tensor)
    weight = game.probability(offer, previous, explore).detach()
    loss = (weight * per_step.sum((0, 2))).sum()
    return [-g for g in torch.autograd.grad(loss, (game.beta, game.mu))]


def true_gradient(game: TabularGame, explore: float) -> list[Tensor]:
    probability = game.probability(*game.trajectories(), explore)
    assert probability.sum().item() == pytest.approx(1.0, abs=1e-12)
    return list(torch.autograd.grad((probability * game.reward.sum(0)).sum(), (game.beta, game.mu)))


@pytest.mark.parametrize("num_offers", [2, 3])
@pytest.mark.parametrize("explore", [0.0, 0.3])
@pytest.mark.parametrize("low_variance", [False, True])
def test_sparse_ebpg_is_the_gradient_of_the_return(num_offers: int, explore: float, low_variance: bool) -> None:
    game = make_game(num_offers)
    if low_variance:  # reward-to-go minus a baseline of (s_t, omega_{t-1})
        to_go = game.reward.flip(0).cumsum(0).flip(0)
        _, previous = game.trajectories()
        advantage = to_go - torch.sin(7.0 * game.context(previous).double() + 1.0)
    else:
        advantage = game.reward.sum(0).expand(STEPS, -1)
    for expected, true in zip(expected_gradient(game, explore, advantage), true_gradient(game, explore), strict=True):
        assert true.abs().max() > 1e-2
        torch.testing.assert_close(expected, true, rtol=0.0, atol=1e-10)


def test_dense_ebpg_leaves_beta_exact_and_biases_mu() -> None:
    game = make_game(3)
    advantage = game.reward.sum(0).expand(STEPS, -1)
    (beta, mu), (true_beta, true_mu) = (
        expected_gradient(game, 0.0, advantage, losses.dense_log_prob),
        true_gradient(game, 0.0),
    )
    torch.testing.assert_close(beta, true_beta, rtol=0.0, atol=1e-10)
    assert (mu - true_mu).abs().max() > 1e-2
    torch.testing.assert_close(mu[0], true_mu[0], rtol=0.0, atol=1e-10)  # nothing is maintained at t = 0


@pytest.mark.parametrize("explore", [0.0, 0.3])
def test_sampled_trajectories_follow_the_process(explore: float) -> None:
    game = make_game(3, seed=5)
    offer, previous = game.trajectories()
    probability = game.probability(offer, previous, explore).detach()
    generator = torch.Generator().manual_seed(1)
    draws = 300_000
    current = torch.full((draws, FOLLOWERS), -1)
    drawn = torch.zeros(draws, dtype=torch.int64)
    for t in range(STEPS):
        context = game.context(current)
        log_mu = torch.log_softmax(game.mu[t, context], dim=-1).detach()
        current = sample_offers(output_of(log_mu, game.beta[t, context].detach()), current, explore, generator)
        drawn = drawn * game.num_offers**2 + current[:, 0] * game.num_offers + current[:, 1]
    count = torch.bincount(drawn, minlength=len(probability)).double()
    chi_square = ((count - draws * probability).square() / (draws * probability)).sum().item()
    degrees = len(probability) - 1
    assert abs(chi_square - degrees) < 5 * (2 * degrees) ** 0.5


def output_of(log_mu: Tensor, termination_logits: Tensor | None) -> LeaderOutput:
    """A network's output of which only the process matters."""
    unused = torch.empty(0)
    return LeaderOutput(log_mu, termination_logits, unused, unused, unused, unused)


MU = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
LOG_MU = MU.log().expand(4, 1, 3)
# t = 0; an event; a maintained offer; an event
PREVIOUS = torch.tensor([[-1], [0], [2], [1]])
OFFER = torch.tensor([[0], [2], [2], [0]])
NEW_OFFER = torch.tensor([[True], [True], [False], [True]])
ADVANTAGE = torch.tensor([[1.0], [2.0], [-3.0], [0.5]], dtype=torch.float64)
OLD = torch.full((4, 1), -1.0, dtype=torch.float64)
BETA_LOGITS = torch.tensor([[0.7], [0.0], [0.0], [0.0]], dtype=torch.float64)


def test_termination_by_hand() -> None:
    log_prob = losses.termination_log_prob(BETA_LOGITS, NEW_OFFER, PREVIOUS)
    log_half = -0.6931471805599453
    assert log_prob.flatten().tolist() == pytest.approx([0.0, log_half, log_half, log_half])
    loss = losses.policy_gradient_loss(log_prob, ADVANTAGE)
    assert loss.flatten().tolist() == pytest.approx([0.0, -2 * log_half, 3 * log_half, -0.5 * log_half])


def test_policy_by_hand() -> None:
    expected = torch.tensor([0.5, 0.2 / 0.5, 1.0, 0.5 / 0.7], dtype=torch.float64).log()
    sparse = losses.sparse_log_prob(LOG_MU, OFFER, PREVIOUS, NEW_OFFER)
    torch.testing.assert_close(sparse.flatten(), expected)
    dense = losses.dense_log_prob(LOG_MU, OFFER, PREVIOUS, NEW_OFFER)
    expected[2] = torch.tensor(0.2).log()
    torch.testing.assert_close(dense.flatten(), expected)
    new_options = torch.full_like(PREVIOUS, -1)  # wherever an option starts, mu is unrestricted, repeats included
    for log_prob in (losses.sparse_log_prob, losses.dense_log_prob):
        plain = log_prob(LOG_MU, OFFER, new_options, NEW_OFFER).flatten()
        torch.testing.assert_close(plain, MU[OFFER.flatten()].log())


def test_bonus_given_the_goal_by_hand() -> None:
    """Two goals with two bonuses each: only the bonus is the policy's."""
    log_mu = torch.tensor([0.1, 0.3, 0.4, 0.2], dtype=torch.float64).log().expand(4, 1, 4)
    chosen = losses.bonus_log_prob(log_mu, torch.tensor([[0], [1], [2], [3]]), 2).exp().flatten()
    assert chosen.tolist() == pytest.approx([0.25, 0.75, 2 / 3, 1 / 3])


def test_clipped_loss_by_hand() -> None:
    """A choice that has moved by more than the clip in the direction of its advantage has no gradient any more."""
    old = torch.zeros(6, dtype=torch.float64)
    log_prob = torch.tensor([0.0, 0.1, 0.5, -0.5, 0.5, -0.5], dtype=torch.float64, requires_grad=True)
    advantage = torch.tensor([2.0, 2.0, 2.0, 2.0, -2.0, -2.0], dtype=torch.float64)
    loss = losses.clipped_loss(log_prob, old, advantage, 0.2)
    ratio = log_prob.detach().exp().tolist()
    assert loss.tolist() == pytest.approx([-2.0, -2 * ratio[1], -2.4, -2 * ratio[3], 2 * ratio[4], 1.6])
    (gradient,) = torch.autograd.grad(loss.sum(), log_prob)
    assert gradient.tolist() == pytest.approx([-2.0, -2 * ratio[1], 0.0, -2 * ratio[3], 2 * ratio[4], 0.0])


def test_exploration_mixes_over_the_same_support() -> None:
    log_prob = losses.new_offer_log_prob(LOG_MU, OFFER, PREVIOUS, explore=0.4).flatten()
    assert log_prob[0].exp().item() == pytest.approx(0.6 * 0.5 + 0.4 / 3)
    assert log_prob[1].exp().item() == pytest.approx(0.6 * 0.4 + 0.4 / 2)
    plain = losses.new_offer_log_prob(LOG_MU, OFFER, torch.full_like(PREVIOUS, -1), explore=0.4).flatten()
    assert plain[2].exp().item() == pytest.approx(0.6 * 0.2 + 0.4 / 3)


def test_probabilities_of_the_process_by_hand() -> None:
    probs = offer_probs(output_of(LOG_MU, BETA_LOGITS), PREVIOUS, explore=0.4)
    assert probs[0, 0].tolist() == pytest.approx([0.6 * p + 0.4 / 3 for p in (0.5, 0.3, 0.2)])
    assert probs[1, 0].tolist() == pytest.approx([0.5, 0.5 * (0.6 * 0.6 + 0.2), 0.5 * (0.6 * 0.4 + 0.2)])
    torch.testing.assert_close(probs.sum(-1), torch.ones(4, 1, dtype=torch.float64))


def test_other_losses_by_hand() -> None:
    uniform = torch.full((1, 4), 0.25).log()
    assert losses.entropy(uniform).item() == pytest.approx(1.3862944)
    assert losses.entropy(MU.log()).item() == pytest.approx(1.0296530)
    penalty = losses.termination_penalty(BETA_LOGITS, PREVIOUS).flatten()
    assert penalty.tolist() == pytest.approx([0.0, 0.25, 0.25, 0.25])
    logits = torch.tensor([[0.0, 1.0], [2.0, 0.0]])
    imitation = losses.imitation_loss(logits, torch.tensor([1, 1]))
    assert imitation.tolist() == pytest.approx([0.3132617, 2.1269280])
    critic = losses.critic_loss(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 5.0]]))
    assert critic.tolist() == pytest.approx([5.0])


def test_floored_probabilities_by_hand() -> None:
    """What has the floor's probability is taught half as much, what has far less nothing."""
    log_prob = torch.tensor([0.0, -5.0, math.log(1e-6), -200.0], dtype=torch.float64, requires_grad=True)
    found = losses.floored(log_prob)
    expected = [math.log(math.exp(value) + 1e-6) for value in log_prob.tolist()]
    assert found.tolist() == pytest.approx(expected, abs=1e-12)
    found.sum().backward()
    assert log_prob.grad is not None
    assert log_prob.grad.tolist() == pytest.approx([1 / (1 + 1e-6), math.exp(-5) / (math.exp(-5) + 1e-6), 0.5, 0.0])


def test_masked_mean_takes_only_what_was_played() -> None:
    values = torch.tensor([[1.0, 3.0], [torch.nan, torch.inf]])
    assert losses.masked_mean(values, torch.tensor([True, False])).item() == 2.0
    assert losses.masked_mean(values, torch.tensor([False, False])).item() == 0.0


@pytest.mark.parametrize("explore", [0.0, 0.25, 1.0])
def test_gradients_agree_with_differences(explore: float) -> None:
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(4, 1, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    beta = torch.randn(4, 1, generator=generator, dtype=torch.float64, requires_grad=True)

    def policies(x: Tensor) -> tuple[Tensor, ...]:
        log_mu = torch.log_softmax(x, dim=-1)
        return (
            losses.policy_gradient_loss(losses.sparse_log_prob(log_mu, OFFER, PREVIOUS, NEW_OFFER, explore), ADVANTAGE),
            losses.clipped_loss(
                losses.dense_log_prob(log_mu, OFFER, PREVIOUS, NEW_OFFER, explore), OLD, ADVANTAGE, 0.2
            ),
            losses.bonus_log_prob(log_mu, OFFER, 3),
            losses.entropy(log_mu),
            losses.imitation_loss(x, OFFER),
            losses.critic_loss(x, torch.ones_like(x)),
        )

    assert torch.autograd.gradcheck(policies, (logits,))
    assert torch.autograd.gradcheck(
        lambda x: (
            losses.termination_log_prob(x, NEW_OFFER, PREVIOUS),
            losses.termination_penalty(x, PREVIOUS),
        ),
        (beta,),
    )


@pytest.mark.parametrize("logit", [-200.0, 200.0])
def test_extreme_logits_keep_losses_and_gradients_finite(logit: float) -> None:
    """Even where mu or beta is 0 or 1 to the last bit: a maintained offer of probability 1, say."""
    logits = torch.tensor([logit, 0.0, 0.0]).repeat(4, 1, 1).requires_grad_()
    beta = torch.full((4, 1), logit, requires_grad=True)
    advantage = ADVANTAGE.float()
    log_mu = torch.log_softmax(logits, dim=-1)
    log_probs = [losses.termination_log_prob(beta, NEW_OFFER, PREVIOUS)]
    for log_prob in (losses.sparse_log_prob, losses.dense_log_prob):
        log_probs += [log_prob(log_mu, OFFER, PREVIOUS, NEW_OFFER, explore) for explore in (0.0, 0.1)]
    total = torch.stack([losses.policy_gradient_loss(log_prob, advantage) for log_prob in log_probs]).sum()
    total = total + sum(losses.clipped_loss(p, p.detach(), advantage, 0.2).sum() for p in log_probs)
    total = total + losses.entropy(log_mu).sum()
    gradients = torch.autograd.grad(total, (logits, beta))
    assert total.isfinite() and all(g.isfinite().all() for g in gradients)


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match=r"logits: expected the shape of held, \[4, 1\], got \[4\]"):
        losses.termination_log_prob(BETA_LOGITS[:, 0], NEW_OFFER, PREVIOUS)
    with pytest.raises(ValueError, match=r"new_offer: expected the shape of held, \[2, 1\], got \[4, 1\]"):
        losses.termination_log_prob(BETA_LOGITS, NEW_OFFER, PREVIOUS[:2])
    for policy in (losses.sparse_log_prob, losses.dense_log_prob):
        with pytest.raises(ValueError, match=r"new_offer: expected the shape of offer, \[4, 1\], got \[4\]"):
            policy(LOG_MU, OFFER, PREVIOUS, NEW_OFFER[:, 0])
    with pytest.raises(ValueError, match=r"advantage: expected the shape of log_prob, \[4, 1\], got \[4\]"):
        losses.policy_gradient_loss(OLD, ADVANTAGE[:, 0])
    with pytest.raises(ValueError, match=r"old_log_prob: expected the shape of log_prob, \[4, 1\], got \[4\]"):
        losses.clipped_loss(OLD, OLD[:, 0], ADVANTAGE, 0.2)
    with pytest.raises(ValueError, match="index"):
        losses.imitation_loss(torch.zeros(4, 2, 5), OFFER)
    assert not is_previous(torch.tensor([-1]), 3).any()
