"""Followers that learn: their networks and their actor-critic."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from paymaster.algorithms.followers import FollowerActorCritic, FollowerEpisodes, FollowerInput, FollowerLearning
from paymaster.algorithms.torch_follower_update import TorchFollowerUpdate
from paymaster.networks.follower_policy import FollowerConfig, FollowerNetwork, IdentityLinear
from paymaster.training.config import TrainConfig

T, B, N, G, F, D, P = 5, 3, 2, 4, 6, 7, 9
SIZES = FollowerConfig(
    population=P, num_goals=G, num_actions=G + 1, meta=True, own_features=F, goal_features=D, hidden=8
)
KINDS = {
    "meta, separate": replace(SIZES, identities="separate"),
    "meta, embedded": SIZES,
    "primitive, separate": replace(SIZES, meta=False, num_actions=5, identities="separate"),
    "primitive, embedded": replace(SIZES, meta=False, num_actions=5),
}
WHO = torch.tensor([[0, 3], [8, 1], [3, 2]])


def episodes_of(seed: int = 0, **changes: Any) -> FollowerEpisodes:
    generator = torch.Generator().manual_seed(seed)
    given: dict[str, Any] = {
        "own": torch.randn(T, B, N, F, generator=generator),
        "goal": torch.randn(T, B, N, G, D, generator=generator),
        "identity": WHO,
        "action": torch.randint(5, (T, B, N), generator=generator),
        "reward": torch.randn(T, B, N, generator=generator),
        "acts": torch.ones(T, B, N, dtype=torch.bool),
        "explore": 0.3,
    }
    return FollowerEpisodes(**given | changes)


# ---- networks


@pytest.mark.parametrize("kind", KINDS)
def test_whole_episodes_give_what_single_steps_give(kind: str) -> None:
    network, played = FollowerNetwork(KINDS[kind]), episodes_of()
    whole = network(played.own, played.goal, WHO)
    assert whole.logits.shape == (T, B, N, 5) and whole.value.shape == (T, B, N)
    for t in range(T):
        step = network(played.own[t], played.goal[t], WHO)
        torch.testing.assert_close(step.logits, whole.logits[t])
        torch.testing.assert_close(step.value, whole.value[t])


def test_each_follower_has_a_layer_of_its_own() -> None:
    """The batched layer against one torch.nn.Linear a follower."""
    layer = IdentityLinear(P, F, 3)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(1))
    x = torch.randn(B, N, 4, F)
    out = layer(x, WHO)
    for b in range(B):
        for k in range(N):
            i = int(WHO[b, k])
            torch.testing.assert_close(out[b, k], x[b, k] @ layer.weight[i] + layer.bias[i])


@pytest.mark.parametrize("kind", ["meta, separate", "primitive, separate"])
def test_what_one_lives_through_teaches_nobody_else(kind: str) -> None:
    followers = FollowerActorCritic(KINDS[kind], FollowerLearning(hidden=8))
    before = [parameter.detach().clone() for parameter in followers.network.parameters()]
    followers.update(episodes_of())
    played = set(WHO.flatten().tolist())
    for was, parameter in zip(before, followers.network.parameters(), strict=True):
        for i in range(P):
            if i not in played:
                assert torch.equal(was[i], parameter[i])
    first = before[0]
    assert all(torch.equal(first[0], first[i]) for i in range(P)), "all start alike"
    assert all(not torch.equal(first[i], followers.network.own.weight[i]) for i in played)


@pytest.mark.parametrize("kind", KINDS)
def test_goal_types_have_no_order_for_a_meta_follower(kind: str) -> None:
    network, played = FollowerNetwork(KINDS[kind]), episodes_of()
    order = torch.tensor([2, 0, 3, 1])
    one, two = network(played.own, played.goal, WHO), network(played.own, played.goal[:, :, :, order], WHO)
    torch.testing.assert_close(one.value, two.value)
    expected = one.logits[..., [2, 0, 3, 1, 4]] if KINDS[kind].meta else one.logits
    torch.testing.assert_close(two.logits, expected)


# ---- learning


def test_advantages_are_those_of_the_formula() -> None:
    """GAE written out: sum over l of (gamma lambda)^l delta_(t+l), each follower by itself; nothing after the last step
    in which it was asked."""
    acts = torch.ones(T, B, N, dtype=torch.bool)
    acts[3:, 1] = False  # game 1 ends after three steps
    config = FollowerLearning(hidden=8, gamma=0.9, gae_lambda=0.7)
    played, value = episodes_of(acts=acts), torch.randn(T, B, N)
    advantage, target = FollowerActorCritic(SIZES, config)._estimate(played, value)
    expected = torch.zeros(T, B, N)
    for b in range(B):
        steps = 3 if b == 1 else T
        for t in range(steps):
            for later in range(t, steps):
                following = value[later + 1, b] if later + 1 < steps else torch.zeros(N)
                delta = played.reward[later, b] + 0.9 * following - value[later, b]
                expected[t, b] += (0.9 * 0.7) ** (later - t) * delta
    torch.testing.assert_close(target[acts], (expected + value)[acts])
    scaled = (expected[acts] - expected[acts].mean()) / expected[acts].std(correction=0)
    torch.testing.assert_close(advantage[acts], scaled)


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_sees_what_the_networks_say_where_they_were_asked(kind: str) -> None:
    acts = (torch.rand(T, B, N, generator=torch.Generator().manual_seed(0)) < 0.7).cumprod(0).bool()
    played = episodes_of(acts=acts)
    config = FollowerLearning(hidden=8, identities=KINDS[kind].identities)
    followers = FollowerActorCritic(KINDS[kind], config, seed=1)
    update = TorchFollowerUpdate(followers.network)
    update.take(played, config)
    expected, came = followers.network(played.own, played.goal, WHO), update._output
    torch.testing.assert_close(came.logits[acts], expected.logits[acts])
    torch.testing.assert_close(came.value[acts], expected.value[acts])


def test_steps_nobody_was_asked_in_teach_nothing() -> None:
    acts = torch.rand(T, B, N, generator=torch.Generator().manual_seed(0)) < 0.7
    acts = acts.cumprod(0).bool()
    one, two = episodes_of(acts=acts), episodes_of(acts=acts)
    for name in ("reward", "own", "goal"):
        values = getattr(two, name)
        values[~acts] = 100.0
    weights = []
    for played in (one, two):
        followers = FollowerActorCritic(SIZES, FollowerLearning(hidden=8, epochs=2))
        followers.update(played)
        weights.append(torch.cat([p.detach().flatten() for p in followers.network.parameters()]))
    torch.testing.assert_close(weights[0], weights[1])


@pytest.mark.parametrize("identities", ["separate", "embedded"])
def test_each_learns_what_pays_it(identities: Any) -> None:
    """A bandit: follower i is paid for the goal type whose i-th feature is the largest, and for nothing else."""
    followers = FollowerActorCritic(
        replace(SIZES, identities=identities, population=5, hidden=16),
        FollowerLearning(learning_rate=0.02, lambda_entropy=0.05, identities=identities),
    )
    generator = torch.Generator().manual_seed(0)
    who = torch.randint(5, (60, N), generator=generator)
    goal = torch.randn(60, N, G, D, generator=generator)
    best = goal.gather(-1, who[..., None, None].expand(-1, -1, G, 1)).squeeze(-1).argmax(-1)
    seen = FollowerInput(torch.ones(60, N, F), goal, who)
    for _ in range(60):
        action = followers.act(seen, explore=0.3, generator=generator)
        followers.update(
            FollowerEpisodes(
                own=seen.own[None],
                goal=goal[None],
                identity=who,
                action=action[None],
                reward=(action == best).float()[None],
                acts=torch.ones(1, 60, N, dtype=torch.bool),
                explore=0.3,
            )
        )
    assert (followers.act(seen, greedy=True) == best).float().mean() > 0.9


def test_exploring_draws_uniform_actions() -> None:
    followers = FollowerActorCritic(SIZES, FollowerLearning(hidden=8))
    with torch.no_grad():
        followers.network.logits.bias += 50.0  # "stop" for certain
    seen = FollowerInput(torch.zeros(400, N, F), torch.zeros(400, N, G, D), torch.zeros(400, N, dtype=torch.int64))
    generator = torch.Generator().manual_seed(0)
    assert (followers.act(seen, generator=generator) == G).all()
    share = (followers.act(seen, explore=0.5, generator=generator) == G).float().mean()
    assert abs(share - (0.5 + 0.5 / 5)) < 0.06
    counts = torch.bincount(followers.act(seen, explore=1.0, generator=generator).flatten(), minlength=5)
    assert (counts > 100).all()


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"explore": 1.1}, "explore"),
        ({"gamma": -0.1}, "gamma"),
        ({"epochs": 0}, "epochs"),
        ({"hidden": 0}, "hidden"),
        ({"clip": float("nan")}, "clip"),
        ({"lambda_entropy": -1.0}, "lambda_entropy"),
    ],
)
def test_settings_that_make_no_sense(changes: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected .*, got"):
        FollowerLearning(**changes).validate()
    with pytest.raises(ValueError, match=f"{name}: expected .*, got"):
        TrainConfig("navigation", follower_learner=FollowerLearning(**changes)).validate()


def test_sizes_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match=r"num_actions: expected num_goals \+ 1 = 5, got 4"):
        FollowerNetwork(replace(SIZES, num_actions=4))
    with pytest.raises(ValueError, match="identities: expected one of separate, embedded, got 'all'"):
        FollowerNetwork(replace(SIZES, identities="all"))  # type: ignore[arg-type]
