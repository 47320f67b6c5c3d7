"""Followers that learn: their networks, their actor-critic, what they see, and their runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import bench_scripts
from paymaster import TwoPhaseVectorEnv, make_vec, tasks
from paymaster.algorithms.followers import FollowerActorCritic, FollowerEpisodes, FollowerLearning, FollowersSeen
from paymaster.cli import main
from paymaster.envs.features import NOW, FeatureEncoder
from paymaster.envs.surroundings import Surroundings
from paymaster.experiments.config import TaskConfig, TrainConfig
from paymaster.experiments.diagnosis import diagnose_run
from paymaster.experiments.evaluate import evaluate_reference, evaluate_run
from paymaster.experiments.train import train
from paymaster.followers_at_play import FollowerEyes, FollowersAtPlay
from paymaster.networks.follower_policy import FollowerConfig, FollowerNetwork, IdentityLinear

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
        "asked": torch.ones(T, B, N, dtype=torch.bool),
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
    asked = torch.ones(T, B, N, dtype=torch.bool)
    asked[3:, 1] = False  # game 1 ends after three steps
    config = FollowerLearning(hidden=8, gamma=0.9, gae_lambda=0.7)
    played, value = episodes_of(asked=asked), torch.randn(T, B, N)
    advantage, target = FollowerActorCritic(SIZES, config)._estimate(played, value)
    expected = torch.zeros(T, B, N)
    for b in range(B):
        steps = 3 if b == 1 else T
        for t in range(steps):
            for later in range(t, steps):
                following = value[later + 1, b] if later + 1 < steps else torch.zeros(N)
                delta = played.reward[later, b] + 0.9 * following - value[later, b]
                expected[t, b] += (0.9 * 0.7) ** (later - t) * delta
    torch.testing.assert_close(target[asked], (expected + value)[asked])
    scaled = (expected[asked] - expected[asked].mean()) / expected[asked].std(correction=0)
    torch.testing.assert_close(advantage[asked], scaled)


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_sees_what_the_networks_say_where_they_were_asked(kind: str) -> None:
    asked = (torch.rand(T, B, N, generator=torch.Generator().manual_seed(0)) < 0.7).cumprod(0).bool()
    played = episodes_of(asked=asked)
    config = FollowerLearning(hidden=8, identities=KINDS[kind].identities)
    followers = FollowerActorCritic(KINDS[kind], config, seed=1)
    expected, came = (
        followers.network(played.own, played.goal, WHO),
        followers._evaluate(played, followers._asked_alone(played)),
    )
    torch.testing.assert_close(came.logits[asked], expected.logits[asked])
    torch.testing.assert_close(came.value[asked], expected.value[asked])


def test_steps_nobody_was_asked_in_teach_nothing() -> None:
    asked = torch.rand(T, B, N, generator=torch.Generator().manual_seed(0)) < 0.7
    asked = asked.cumprod(0).bool()
    one, two = episodes_of(asked=asked), episodes_of(asked=asked)
    for name in ("reward", "own", "goal"):
        values = getattr(two, name)
        values[~asked] = 100.0
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
    seen = FollowersSeen(torch.ones(60, N, F), goal, who)
    for _ in range(60):
        action = followers.act(seen, explore=0.3, generator=generator)
        followers.update(
            FollowerEpisodes(
                own=seen.own[None],
                goal=goal[None],
                identity=who,
                action=action[None],
                reward=(action == best).float()[None],
                asked=torch.ones(1, 60, N, dtype=torch.bool),
                explore=0.3,
            )
        )
    assert (followers.act(seen, greedy=True) == best).float().mean() > 0.9


def test_exploring_draws_uniform_actions() -> None:
    followers = FollowerActorCritic(SIZES, FollowerLearning(hidden=8))
    with torch.no_grad():
        followers.network.logits.bias += 50.0  # "stop" for certain
    seen = FollowersSeen(torch.zeros(400, N, F), torch.zeros(400, N, G, D), torch.zeros(400, N, dtype=torch.int64))
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


# ---- what they see


def two_phase(task: str, kind: str, games: int = 4, **options: Any) -> TwoPhaseVectorEnv:
    env = make_vec(task, games, 0, followers=kind, autoreset_mode="Disabled", **options)
    assert isinstance(env, TwoPhaseVectorEnv)
    return env


@pytest.mark.parametrize("task", [task.name for task in tasks()])
@pytest.mark.parametrize("kind", ["meta", "primitive"])
def test_eyes(task: str, kind: str) -> None:
    env = two_phase(task, kind, abstain=True, observe_routes=True)
    env.reset()
    eyes = FollowerEyes(env, torch.device("cpu"))
    offers = np.array([[[4, 0], [0, 1], [1, 0], [3, 1]]] * 4)
    observation = env.offer(offers)
    seen = eyes.look(observation)
    assert seen.own.shape == (4, 4, eyes.own_features) and seen.goal.shape == (4, 4, 4, eyes.goal_features)
    torch.testing.assert_close(seen.identity.numpy(), observation["identity"].astype(np.int64))
    bonuses = env.options["num_bonuses"]
    preferred, skill, offered, price = seen.goal[..., NOW : NOW + 4].unbind(-1)
    expected = np.zeros((4, 4, 4))
    np.put_along_axis(expected, observation["preference"][..., None].astype(int), 1.0, -1)
    np.testing.assert_allclose(preferred, expected * observation["reservation"][..., None] / bonuses)
    np.testing.assert_array_equal(skill, observation["skill"])
    assert offered[:, 0].eq(0).all() and offered[:, 1].tolist() == [[1, 0, 0, 0]] * 4
    assert price[0, 1, 0] == 2 / bonuses and price[0, 2, 1] == 1 / bonuses


def test_now_is_what_earlier_episodes_do_not_change() -> None:
    env = make_vec("resource_collection", 4, 0)
    observation, _ = env.reset()
    encoder = FeatureEncoder(env)
    _, before = encoder.encode(observation)
    env.statistics.set(**{name: np.full_like(v, 1) for name, v in env.statistics.arrays().items()})
    _, after = encoder.encode(observation)
    changed = (before != after).any(axis=(0, 1, 2))
    assert not changed[:NOW].any() and changed[NOW:].all()


def test_surroundings_on_the_grid() -> None:
    """Drawn: a follower that looks down; one resource of its side, one claimed, one wall beside it."""
    text = "#######\n#.....#\n#.#...#\n#.....#\n#.....#\n#######"
    env = two_phase("resource_collection", "primitive", 1, map=text, num_resources=3, num_followers=2)
    env.reset()
    env.set_state(
        position=[[[2, 1], [4, 5]]],
        heading=[[2, 0]],
        resource_type=[[0, 0, 1]],
        resource_position=[[[3, 1], [2, 4], [1, 5]]],
        resource_claimant=[[1, -1, -1]],
        resource_present=[[True, True, True]],
    )
    follower, goal = Surroundings(env).encode(env.observe())
    # Ahead (down) the claimed resource, left (right on the map) the wall inside, behind it free, right the border.
    assert follower[0, 0].tolist() == [1, 1, 0, 1]
    np.testing.assert_allclose(goal[0, 0, 0], [0.0, 0.3, 1])  # the unclaimed one, three cells to its left
    np.testing.assert_allclose(goal[0, 0, 1], [-0.1, 0.4, 1])
    np.testing.assert_allclose(goal[0, 0, 2], [0, 0, 0])
    # The other one, who looks up, may use the one that it has claimed, but the second is nearer.
    np.testing.assert_allclose(goal[0, 1, 0], [0.2, 0.1, 1])
    assert follower[0, 1].tolist() == [0, 0, 1, 1]


def test_surroundings_in_the_plane() -> None:
    env = two_phase("predator_prey", "primitive", 6)
    observation, _ = env.reset()
    follower, goal = Surroundings(env).encode(observation)
    for b in range(6):
        for k in range(4):
            here = observation["position"][b, k]
            away = observation["obstacle_position"][b] - here
            nearest = np.hypot(*away.T).argmin()
            np.testing.assert_allclose(follower[b, k], away[nearest] / 2, rtol=1e-6)
            for g in range(4):
                those = np.flatnonzero(observation["goal_type"][b] == g)
                if len(those) == 0:
                    assert not goal[b, k, g].any()
                    continue
                offset = observation["goal_position"][b, those] - here
                i = np.hypot(*offset.T).argmin()
                speed = observation["goal_velocity"][b, those[i]] - observation["velocity"][b, k]
                np.testing.assert_allclose(goal[b, k, g], [*offset[i] / 2, *speed, 1], rtol=1e-5)


# ---- at play, and in runs


def test_followers_answer_and_are_written_down() -> None:
    env = two_phase("resource_collection", "meta", 3)
    eyes = FollowerEyes(env, torch.device("cpu"))
    followers = FollowerActorCritic(eyes.config(8, "separate"), FollowerLearning(hidden=8))
    seated = FollowersAtPlay(env, followers, torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="lived: expected an episode"):
        seated.lived()
    seated.keep = True
    env.reset()
    offers, identity = np.zeros((3, 4, 2), dtype=np.int64), env.observe()["identity"].copy()
    rewards = [env.step(offers)[4]["follower_reward"].copy() for _ in range(env.options["horizon"])]
    lived = seated.lived()
    np.testing.assert_array_equal(lived.reward, rewards)
    np.testing.assert_array_equal(lived.identity, identity)
    assert lived.own.shape[:3] == lived.action.shape == lived.asked.shape == (30, 3, 4)
    followers.update(lived)
    with pytest.raises(ValueError, match="lived: expected an episode"):
        seated.lived()


def config_of(kind: str, **changes: Any) -> TrainConfig:
    small = {"episodes": 48, "num_envs": 8, "checkpoint_every": 24, "hidden": 8}
    learning = FollowerLearning(hidden=8, epochs=2)
    task = TaskConfig(followers=kind, horizon=8)
    return TrainConfig("resource_collection", options=task, follower_learner=learning, **small | changes)


def rows_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("kind", ["meta", "primitive"])
def test_a_resumed_run_ends_with_the_same_numbers(kind: str, tmp_path: Path) -> None:
    config = config_of(kind, leader="ebpg")  # nothing of it falls over the run's length
    train(config, tmp_path / "whole")
    train(replace(config, episodes=24), tmp_path / "parts")
    train(config, tmp_path / "parts", resume=True)
    whole, parts = rows_of(tmp_path / "whole"), rows_of(tmp_path / "parts")
    assert parts == whole and len(whole) == 6
    assert {"follower_policy_loss", "follower_critic_loss", "follower_entropy"} <= whole[0].keys()


def test_any_leader_against_any_population(tmp_path: Path) -> None:
    for name, kind in (("meta", "meta"), ("primitive", "primitive"), ("rule", "rule")):
        train(config_of(kind, episodes=16), tmp_path / name)
    own = evaluate_run(tmp_path / "meta", 8)
    assert evaluate_run(tmp_path / "meta", 8).gain.tolist() == own.gain.tolist()
    assert evaluate_run(tmp_path / "meta", 8, population=tmp_path / "meta").gain.tolist() == own.gain.tolist()
    assert evaluate_run(tmp_path / "rule", 8, population=tmp_path / "meta").episodes == 8
    assert evaluate_run(tmp_path / "meta", 8, population=tmp_path / "primitive").episodes == 8
    assert evaluate_run(tmp_path / "meta", 8, options={"followers": "rule"}).episodes == 8
    options = {"horizon": 8}
    told = evaluate_reference("preference", "resource_collection", 8, options=options, population=tmp_path / "meta")
    assert told.episodes == 8
    with pytest.raises(ValueError, match=r"population: expected a run whose followers learned, got .*rule"):
        evaluate_run(tmp_path / "meta", 8, population=tmp_path / "rule")
    with pytest.raises(ValueError, match=r"followers: expected 'meta' as in .*, got 'primitive'"):
        evaluate_run(tmp_path / "meta", 8, options={"followers": "primitive"})
    with pytest.raises(ValueError, match="population: expected a run whose followers learned, since these do"):
        evaluate_reference("preference", "resource_collection", 8, options={"followers": "meta"})


# ---- diagnosis


def test_challengers_who_have_learned_nothing_more_change_nothing(tmp_path: Path) -> None:
    train(replace(config_of("meta", episodes=16), options=TaskConfig(followers="meta")), tmp_path / "run")
    same = diagnose_run(tmp_path / "run", 32, retrain=0)
    assert same.regret is not None and same.loss is not None
    assert (same.regret.mean, same.loss.mean) == (0.0, 0.0)
    again = diagnose_run(tmp_path / "run", 32, retrain=64)
    assert again.regret is not None and again.regret.mean != 0.0
    for name in ("gain", "follower_reward", "spend", "incentive"):
        assert getattr(again, name) == getattr(same, name), "the followers themselves have not changed"
    told = json.loads(json.dumps(again.to_json()))
    assert told["followers"] == "meta" and len(told["acceptance"]) == 2 and told["retrained"] == 64


def test_rule_based_followers_have_no_challengers(tmp_path: Path) -> None:
    train(config_of("rule", episodes=16), tmp_path / "run")
    plain = diagnose_run(tmp_path / "run", 8)
    assert plain.regret is None and plain.loss is None and plain.followers == "rule" and plain.retrained == 0
    assert main(["diagnose", str(tmp_path / "run"), "--episodes", "8"]) == 0
    assert main(["diagnose", str(tmp_path / "none")]) == 2
    with pytest.raises(ValueError, match="episodes: expected at least 2, got 1"):
        diagnose_run(tmp_path / "run", 1)
    with pytest.raises(ValueError, match="retrain: expected at least 0, got -1"):
        diagnose_run(tmp_path / "run", 8, -1)


@pytest.mark.slow
def test_meta_followers_learn_what_rule_based_ones_earn() -> None:
    """Against a leader that does not learn, within 2,000 episodes; `bench/followers.py` has all games, and primitive
    followers, who do not get there."""
    row = bench_scripts.load("followers").run("RC completion", "completion", "meta", "embedded", 0, (2_000,))
    assert row["earned"]["2000"] >= 0.95 * row["by_rule"]
