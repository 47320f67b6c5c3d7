"""Leaders whose goal types share no weights: the modules by hand, exact gradients, and who computes them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from enumerated_game import FOLLOWERS, STEPS, make_game, new_offers
from paymaster.algorithms import losses
from paymaster.algorithms.core_update import CoreUpdate
from paymaster.algorithms.ebpg import EBPG
from paymaster.commands.idle_options import refuse_idle_settings
from paymaster.networks import LeaderConfig, LeaderNetwork, UnsharedOfferPolicy, UnsharedStateEncoder
from paymaster.networks.acting import LeaderActor
from paymaster.play.rollout import Rollout
from paymaster.training.config import TrainConfig
from paymaster.training.setup import make_env, make_leader

TASK = "multi_bonus_resource_collection"
B, N, F, G, D, K, A, H = 3, 4, 6, 3, 5, 2, 5, 16
CONFIG = LeaderConfig(G, K, A, F, D, hidden=H, shared_goal_weights=False)


def softmax(logits: list[float]) -> Any:
    weights = np.exp(np.array(logits) - max(logits))
    return weights / weights.sum()


def test_the_heads_by_hand() -> None:
    """Two goal types at two levels, two units, weights that a person can follow."""
    code, features = torch.tensor([2.0, -1.0]), torch.randn(2, 3)
    goal, own = softmax([2.0, -0.5]), [softmax([0.0, 2.0]), softmax([-2.0, 0.25])]
    for sequential, abstain in ((True, False), (False, False), (True, True)):
        policy = UnsharedOfferPolicy(2, 2, 2, abstain=abstain, sequential=sequential)
        with torch.no_grad():
            policy.code.weight.copy_(torch.tensor([[1.0, 0.0], [1.0, 1.0]]))
            policy.code.bias.copy_(torch.tensor([0.0, -1.5]))  # the rectified layer: (2, 0)
            policy.goal.weight[:2] = torch.tensor([[1.0, 9.0], [-0.5, 9.0]])
            policy.goal.bias[:2] = torch.tensor([0.0, 0.5])
            policy.bonus.weight[:2] = torch.tensor([[0.0, 9.0], [1.0, 9.0]])
            policy.bonus.bias[:2] = 0.0
            if abstain:
                policy.goal.weight[2], policy.goal.bias[2] = torch.tensor([0.25, 9.0]), 0.5
            if sequential:
                policy.bonus.weight[2:] = torch.tensor([[-1.0, 9.0], [0.0, 9.0]])
                policy.bonus.bias[2:] = torch.tensor([0.0, 0.25])
        mu = policy(code, features).exp().tolist()
        if abstain:
            shares = softmax([2.0, -0.5, 1.0])
            expected = [*(shares[0] * own[0]), *(shares[1] * own[1]), shares[2]]
        else:
            expected = [*(goal[0] * own[0]), *(goal[1] * own[1 if sequential else 0])]
        assert mu == pytest.approx(expected, rel=1e-5)


def test_the_state_encoder_by_hand() -> None:
    encoder = UnsharedStateEncoder(2, 1, 2, 1)
    with torch.no_grad():
        encoder.own.weight.copy_(torch.tensor([[1.0, 10.0, 100.0, 1000.0, 10000.0]]))
        encoder.own.bias.fill_(0.5)
    code = encoder(torch.tensor([1.0]), torch.tensor([[2.0, 3.0], [4.0, 5.0]]), torch.tensor(-1))
    assert code.tolist() == [1 + 20 + 300 + 4_000 + 50_000 + 0.5]


def of_network(config: LeaderConfig, goal: Tensor, seed: int = 0) -> Tensor:
    torch.manual_seed(seed)
    network = LeaderNetwork(config)
    follower = torch.randn(B, N, F)
    output = network(follower, goal, torch.full((B, N), -1), network.initial_history(B, N))
    return output.log_mu.detach().unflatten(-1, (G, K))


def test_goal_types_have_an_order() -> None:
    """With shared weights two goal types that change places change their odds; here each has its own."""
    goal, order = torch.randn(B, N, G, D), torch.tensor([2, 0, 1])
    for shared in (True, False):
        config = replace(CONFIG, shared_goal_weights=shared)
        same = torch.allclose(
            of_network(config, goal)[..., order, :], of_network(config, goal[..., order, :]), atol=1e-5
        )
        assert same == shared


def test_features_of_a_goal_type_reach_the_offers() -> None:
    goal = torch.randn(B, N, G, D)
    for kind in range(G):
        changed = goal.clone()
        changed[..., kind, :] += 1.0
        assert (of_network(CONFIG, goal) - of_network(CONFIG, changed)).abs().amax((0, 2, 3)).min() > 1e-3


@pytest.mark.parametrize("heads", ["sequential", "independent"])
def test_bonuses_depend_on_the_goal_type_or_do_not(heads: str) -> None:
    config = replace(CONFIG, heads=heads)  # type: ignore[arg-type]
    bonus = of_network(config, torch.randn(B, N, G, D)).log_softmax(-1)
    assert torch.allclose(bonus, bonus[..., :1, :].expand_as(bonus), atol=1e-6) == (heads == "independent")


@pytest.mark.parametrize("sequential", [True, False])
@pytest.mark.parametrize("explore", [0.0, 0.3])
def test_the_sparse_gradient_of_the_heads_is_exact(sequential: bool, explore: float) -> None:
    """On the enumerated game, four offers of two goal types: the estimator's expectation is dJ."""
    game = make_game(4)
    torch.manual_seed(1)
    policy = UnsharedOfferPolicy(2, 2, 5, sequential=sequential).double()
    codes = torch.randn(*game.mu.shape[:-1], 5, dtype=torch.float64)
    game = replace(game, mu=policy(codes, torch.empty(0)))
    offer, previous = game.trajectories()
    logits, log_mu = game.look_up(previous)
    new_offer, parameters = new_offers(offer), list(policy.parameters())
    advantage = game.reward.flip(0).cumsum(0).flip(0).unsqueeze(-1).expand(offer.shape)
    log_probs = losses.sparse_log_prob(log_mu, offer, previous, new_offer, explore)
    probability = game.probability(offer, previous, explore)
    loss = losses.policy_gradient_loss(log_probs, advantage).sum((0, 2))
    expected = torch.autograd.grad((probability.detach() * loss).sum(), parameters, retain_graph=True)
    true = torch.autograd.grad((probability * game.reward.sum(0)).sum(), parameters)
    assert offer.shape == (STEPS, 4 ** (STEPS * FOLLOWERS), FOLLOWERS) and logits.requires_grad
    for mine, exact in zip(expected, true, strict=True):
        assert exact.abs().max() > 1e-3
        torch.testing.assert_close(-mine, exact, rtol=0.0, atol=1e-10)


def made(leader: str = "ebpg", **changes: Any) -> tuple[EBPG, Rollout]:
    settings: dict[str, Any] = {"num_envs": 4, "hidden": 8, "device": "cpu", "shared_goal_weights": False, **changes}
    config = TrainConfig(TASK, leader=leader, **settings)
    env = make_env(config, config.num_envs, 0)
    learner = make_leader(config, env)
    assert isinstance(learner, EBPG)
    return learner, Rollout(env, learner, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("leader", ["ebpg", "m3rl", "ebpg-expiring"])
def test_it_learns_by_torch(leader: str) -> None:
    learner, rollout = made(leader)
    assert CoreUpdate.of(learner.network, None) is None
    assert LeaderActor(learner.network)._core is not None  # which plays
    before = [parameter.detach().clone() for parameter in learner.network.parameters()]
    episodes, _ = rollout.play(explore=learner.exploration_rate(0))
    assert episodes is not None
    metrics = learner.update(episodes)
    assert learner._core is None and np.isfinite(list(metrics.values())).all()
    moved = [bool((now != old).any()) for now, old in zip(learner.network.parameters(), before, strict=True)]
    assert all(moved)
    # The same leader whose goal types share weights goes through the core.
    usual, _ = made(leader, shared_goal_weights=True)
    assert CoreUpdate.of(usual.network, None) is not None


def test_places_of_candidates_are_refused() -> None:
    message = "shared_goal_weights: expected True with near_goals, whose places hold other goal types .*, got False"
    with pytest.raises(ValueError, match=message):
        made(parameters={"near_goals": 2})
    with pytest.raises(ValueError, match="shared_goal_weights: expected true or false, got 'no'"):
        TrainConfig(TASK, shared_goal_weights="no").validate()  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["shared_goal_weights", "performance_history"])
def test_leaders_on_planes_do_not_read_it(name: str) -> None:
    config = TrainConfig(TASK, leader="m3rl-original", **{name: name == "performance_history"})
    with pytest.raises(ValueError, match=f"{name}: expected it only with leaders that see features, got"):
        refuse_idle_settings(config)
