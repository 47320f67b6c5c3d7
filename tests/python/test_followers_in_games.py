"""Followers that learn, in games: what they see, what is written down of them, trained beside a leader, diagnosed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from paymaster import TwoPhaseVectorEnv, make_vec
from paymaster.algorithms import leader_kind
from paymaster.algorithms.followers import FollowerActorCritic, FollowerLearning
from paymaster.analysis.equilibrium import diagnose_run
from paymaster.analysis.evaluate import evaluate_run, evaluate_scripted
from paymaster.commands.main import main
from paymaster.features.follower import FollowerFeatures
from paymaster.features.leader import NOW, FeatureEncoder
from paymaster.features.surroundings import Surroundings
from paymaster.play.learning_followers import FollowerEncoder, LearningFollowers
from paymaster.reproduction.results import Results
from paymaster.reproduction.scales import Scale
from paymaster.reproduction.scripted_job import scripted_job, scripted_of
from paymaster.reproduction.specs import Arm, Reading
from paymaster.training.config import TrainConfig
from paymaster.training.train import train
from worlds import TASKS


def two_phase(task: str, kind: str, games: int = 4, **parameters: Any) -> TwoPhaseVectorEnv:
    env = make_vec(task, games, 0, followers=kind, autoreset_mode="Disabled", **parameters)
    assert isinstance(env, TwoPhaseVectorEnv)
    return env


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("kind", ["meta", "primitive"])
def test_encoder(task: str, kind: str) -> None:
    env = two_phase(task, kind, abstain=True, observe_routes=True, num_followers=4)
    env.reset()
    encoder = FollowerEncoder(env, torch.device("cpu"))
    goals = env.parameters["num_goals"]
    offers = np.array([[[goals, 0], [0, 1], [1, 0], [3, 1]]] * 4)
    observation = env.offer(offers)
    own, goal = (
        np.empty((4, 4, encoder.own_features), np.float32),
        np.empty((4, 4, goals, encoder.goal_features), np.float32),
    )
    seen = encoder.encode_into(observation, own, goal, np.empty((4, 4), np.int64))
    torch.testing.assert_close(seen.identity.numpy(), observation["identity"].astype(np.int64))
    preferred, skill, offered, price = seen.goal[..., NOW : NOW + 4].unbind(-1)
    expected = np.zeros((4, 4, goals))
    np.put_along_axis(expected, observation["preference"][..., None].astype(int), 1.0, -1)
    np.testing.assert_allclose(preferred, expected * observation["reservation"][..., None] / env.prices[-1])
    np.testing.assert_array_equal(skill, observation["skill"])
    assert offered[:, 0].eq(0).all() and offered[:, 1].tolist() == [[1, *[0] * (goals - 1)]] * 4
    highest = env.prices[-1]
    assert price[0, 1, 0] == env.prices[1] / highest and price[0, 2, 1] == env.prices[0] / highest


def slow_features(env: TwoPhaseVectorEnv, seen: dict[str, Any]) -> tuple[Any, Any]:
    """What :class:`FollowerFeatures` says, by NumPy."""
    follower, goals = FeatureEncoder(env).encode(seen)
    kinds, bonuses = np.arange(env.parameters["num_goals"]), np.float32(env.parameters["num_bonuses"])
    reservation, due = (seen[name].astype(np.float32) / bonuses for name in ("reservation", "due"))
    offered = (seen["offered"][..., :1] == kinds).astype(np.float32)
    price = (seen["offered"][..., 1:] + 1).astype(np.float32) / bonuses
    preferred = (seen["preference"][..., None] == kinds) * reservation[..., None]
    own = [follower, np.stack((reservation, due), axis=-1)]
    goal = [goals[..., :NOW], np.stack((preferred, seen["skill"], offered, offered * price), axis=-1)]
    if env.parameters["followers"] == "primitive":
        around, ways = Surroundings(env).encode(seen)
        own, goal = [*own, around], [*goal, ways]
    return np.concatenate(own, axis=-1), np.concatenate(goal, axis=-1)


@pytest.mark.parametrize("task", ["multi_bonus_resource_collection", "predator_prey"])
@pytest.mark.parametrize("kind", ["meta", "primitive"])
def test_features_are_those_by_numpy(task: str, kind: str) -> None:
    env = two_phase(task, kind, 5, payment="advance", abstain=True, population_size=9)
    env.reset()
    draws, features = np.random.default_rng(0), FollowerFeatures(env)
    for _ in range(12):
        seen = env.offer(draws.integers((0, 0), (5, env.parameters["num_bonuses"]), (5, 4, 2)))
        own, goal = features.encode(seen)
        expected = slow_features(env, seen)
        assert own.dtype == goal.dtype == np.float32
        np.testing.assert_array_equal(own, expected[0])
        np.testing.assert_array_equal(goal, expected[1])
        env.act(draws.integers(0, env.single_follower_action_space.nvec[0], (5, 4)))


def test_arrays_for_features_that_do_not_fit_are_refused() -> None:
    env = two_phase("resource_collection", "meta", 3)
    env.reset()
    features, seen = FollowerFeatures(env), env.offer(np.zeros((3, 4, 2), dtype=np.int64))
    arrays = [*features.encode(seen), np.zeros((3, 4), np.int64)]
    features.encode_into(seen, *arrays)  # type: ignore[arg-type]
    for place, name in enumerate(("own", "goal", "identity")):
        for wrong in (arrays[place][:2].copy(), arrays[place][..., 1:].copy(), arrays[place].astype(np.float64)):
            with pytest.raises((ValueError, TypeError), match=f"{name}: expected"):
                features.encode_into(seen, *arrays[:place], wrong, *arrays[place + 1 :])
    for name in ("offered", "skill", "due", "identity"):
        with pytest.raises(ValueError, match=f"a field '{name}'"):
            features.encode({key: value for key, value in seen.items() if key != name})
        with pytest.raises((ValueError, TypeError), match=rf"observation\['{name}'\]: expected"):
            features.encode({**seen, name: seen[name][:, :1]})
    with pytest.raises(ValueError, match=r"observation\['identity'\] \(game 0, follower 0\)"):
        features.encode({**seen, "identity": np.full((3, 4), 40, np.int16)})


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
    encoder = FollowerEncoder(env, torch.device("cpu"))
    followers = FollowerActorCritic(encoder.config(8, "separate"), FollowerLearning(hidden=8))
    seated = LearningFollowers(env, followers, torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="lived: expected an episode"):
        seated.lived()
    seated.keep = True
    env.reset()
    offers, identity = np.zeros((3, 4, 2), dtype=np.int64), env.observe()["identity"].copy()
    rewards = [env.step(offers)[4]["follower_reward"].copy() for _ in range(env.parameters["horizon"])]
    lived = seated.lived()
    np.testing.assert_array_equal(lived.reward, rewards)
    np.testing.assert_array_equal(lived.identity, identity)
    assert lived.own.shape[:3] == lived.action.shape == lived.acts.shape == (30, 3, 4)
    followers.update(lived)
    with pytest.raises(ValueError, match="lived: expected an episode"):
        seated.lived()
    for _ in range(2):  # of two episodes the last
        env.reset()
        rewards = [env.step(offers)[4]["follower_reward"].copy() for _ in range(env.parameters["horizon"])]
    np.testing.assert_array_equal(seated.lived().reward, rewards)
    np.testing.assert_array_equal(lived.identity, identity)  # what was returned stays as it was


def config_of(kind: str, **changes: Any) -> TrainConfig:
    small = {"episodes": 48, "num_envs": 8, "checkpoint_every": 24, "hidden": 8}
    learning = FollowerLearning(hidden=8, epochs=2)
    task = {"followers": kind, "horizon": 8}
    return TrainConfig("resource_collection", parameters=task, follower_learner=learning, **small | changes)


def rows_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("kind", ["meta", "primitive"])
def test_a_resumed_run_ends_with_the_same_numbers(kind: str, tmp_path: Path) -> None:
    untuned = leader_kind("ebpg").untuned  # nothing of it falls over the run's length
    config = config_of(kind, leader="ebpg", learner=untuned)
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
    assert evaluate_run(tmp_path / "meta", 8, parameters={"followers": "rule"}).episodes == 8
    parameters = {"horizon": 8}
    told = evaluate_scripted(
        "preference", "resource_collection", 8, parameters=parameters, population=tmp_path / "meta"
    )
    assert told.episodes == 8
    with pytest.raises(ValueError, match=r"population: expected a run whose followers learned, got .*rule"):
        evaluate_run(tmp_path / "meta", 8, population=tmp_path / "rule")
    with pytest.raises(ValueError, match=r"followers: expected 'meta' as in .*, got 'primitive'"):
        evaluate_run(tmp_path / "meta", 8, parameters={"followers": "primitive"})
    with pytest.raises(ValueError, match="population: expected a run whose followers learned, since these do"):
        evaluate_scripted("preference", "resource_collection", 8, parameters={"followers": "meta"})


# ---- diagnosis


def test_challengers_who_have_learned_nothing_more_change_nothing(tmp_path: Path) -> None:
    train(replace(config_of("meta", episodes=16), parameters={"followers": "meta"}), tmp_path / "run")
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
def test_meta_followers_learn_what_rule_based_ones_earn(tmp_path: Path) -> None:
    """Within 2,000 episodes; `paymaster reproduce frozen-leader` has all games, and primitive ones, who do not."""
    scale = Scale("a test", episodes=2_000, seeds=1, evaluated=1_000)
    reading = Reading(Arm("RC completion", "preference", followers="meta"), "follower_reward")
    learned, by_rule = scripted_job(reading, scale, 0), scripted_of(reading, scale)
    for job in (learned, by_rule):
        job.perform(tmp_path)
    earned, share = Results(tmp_path, scale, 1).values(reading), Results(tmp_path, scale, 1).shares([reading])
    assert earned[0] > 0 and share.shape == (1, 1) and share[0, 0] >= 0.95
