"""Networks that see of each follower the goal types within reach only: rows, offers, learning, and commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import paymaster
from own_worlds import Taxi
from paymaster import _core
from paymaster.algorithms.process_group import SINGLE_PROCESS
from paymaster.commands.main import main
from paymaster.features.follower import FollowerFeatures
from paymaster.features.leader import FeatureEncoder
from paymaster.integrations.leader_vectors import BatchedLeaderVectors
from paymaster.play.rollout import Rollout
from paymaster.training.config import TaskParameters, TrainConfig
from paymaster.training.train import make_parts
from play import make, offer_stream

B, C = 6, 3
GAMES = {
    "own": ("taxi_world:Taxi", {"num_goals": 12, "num_followers": 5, "observe_routes": True}),
    "grid": ("resource_collection", {"num_goals": 7, "abstain": True}),
    "plane": ("navigation", {}),
}


class Crowded(Taxi):  # type: ignore[misc, valid-type]
    """Taxi drivers whose networks see queues of the near zones."""

    near_goals = C

    def setup(self) -> None:
        super().setup()
        self.array("queue", (self.num_goals,), low=0, high=20, feature="goal")
        self.array("road", (self.num_followers, self.num_goals), low=0, high=20, feature="goal")

    def reset(self, games: Any, draws: Any) -> None:
        super().reset(games, draws)
        self.queue, self.road = np.arange(self.num_goals), np.arange(self.num_goals)


def nearest(observation: Any, offer: str) -> np.ndarray:
    """The goal type offered, then the nearest, by sorting."""
    away = observation["distance"].astype(int)
    goals = np.arange(away.shape[-1])
    rank = np.where(away < 0, 10**6, away) * 100 + goals
    return np.where(observation[offer][..., :1] == goals, -1, rank).argsort(-1)[..., :C]


def rows_of(goal: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    return np.take_along_axis(goal, candidates[..., None], 2)


@pytest.mark.parametrize(("task", "parameters"), GAMES.values(), ids=GAMES)
def test_rows_are_those_of_the_offered_and_the_nearest_goal_types(task: str, parameters: dict[str, Any]) -> None:
    """Also the history's, of the follower's identity and the real goal type."""
    near, usual = make(task, B, near_goals=C, **parameters), make(task, B, **parameters)
    seen, all_seen = near.reset()[0], usual.reset()[0]
    encoder, whole = FeatureEncoder(near), FeatureEncoder(usual)
    assert (encoder.candidates, whole.candidates) == (C, usual.parameters["num_goals"])
    random = np.random.default_rng(0)
    for _ in range(2):
        for _ in range(12):
            follower, goal = encoder.encode(seen)
            all_follower, all_goal = whole.encode(all_seen)
            candidates = nearest(seen, "offer")
            np.testing.assert_array_equal(follower, all_follower)
            np.testing.assert_array_equal(goal, rows_of(all_goal, candidates))
            places = random.integers(0, C, (B, near.num_followers))
            bonus = random.integers(0, near.parameters["num_bonuses"], places.shape)
            offers = encoder.actions(places * near.parameters["num_bonuses"] + bonus, seen)
            np.testing.assert_array_equal(offers[..., 0], np.take_along_axis(candidates, places[..., None], 2)[..., 0])
            np.testing.assert_array_equal(offers[..., 1], bonus)
            seen, all_seen = near.step(offers)[0], usual.step(offers)[0]
        seen, all_seen = near.reset()[0], usual.reset()[0]  # with a history
    assert near.statistics.arrays()["outcome_count"].any()


@pytest.mark.parametrize("followers", ["meta", "primitive"])
@pytest.mark.parametrize(("task", "parameters"), GAMES.values(), ids=GAMES)
def test_followers_see_what_they_are_offered_now(task: str, parameters: dict[str, Any], followers: str) -> None:
    near = make(task, B, near_goals=C, followers=followers, **parameters)
    near.reset()
    features, whole = FollowerFeatures(near), FollowerFeatures(near, all_goals=True)
    for offers in offer_stream(near, 8):
        seen = near.offer(offers)
        candidates = nearest(seen, "offered")
        (own, goal), (all_own, all_goal) = features.encode(seen), whole.encode(seen)
        np.testing.assert_array_equal(own, all_own)
        np.testing.assert_array_equal(goal, rows_of(all_goal, candidates))
        places = np.full(candidates.shape[:2], C - 1)
        np.testing.assert_array_equal(features.goals(places, seen), candidates[..., -1])
        np.testing.assert_array_equal(features.goals(places + 1, seen), near.parameters["num_goals"])
        near.act(np.zeros(candidates.shape[:2], np.int64))


def test_a_world_says_how_many() -> None:
    paymaster.register("crowded", Crowded, num_goals=8)
    env, whole = make("crowded", B), make("crowded", B, near_goals=0)
    seen, all_seen = env.reset()[0], whole.reset()[0]
    goal = FeatureEncoder(env).encode(seen)[1]
    assert goal.shape[2] == C and env.parameters["near_goals"] == C
    candidates = nearest(seen, "offer")
    np.testing.assert_allclose(goal[..., -2], candidates / 20)
    np.testing.assert_allclose(goal[..., -1], candidates / 20)
    np.testing.assert_array_equal(goal, rows_of(FeatureEncoder(whole).encode(all_seen)[1], candidates))
    # Libraries that choose among all goal types see all of them.
    assert BatchedLeaderVectors(env).observation_space.shape == BatchedLeaderVectors(whole).observation_space.shape


def config(task: str = "resource_collection", **further: Any) -> TrainConfig:
    usual = {"episodes": 24, "num_envs": 8, "hidden": 8, "seed": 3}
    return TrainConfig(task, **{**usual, **further})


def seeing(parameters: TaskParameters, near_goals: int) -> TaskParameters:
    return {"near_goals": near_goals, **parameters}


OWN: TaskParameters = {"num_goals": 9, "num_followers": 3}


@pytest.mark.parametrize("leader", ["ebpg", "ebpg-expiring", "m3rl"])
@pytest.mark.parametrize("abstain", [False, True])
def test_episodes_say_what_was_offered(leader: str, abstain: bool) -> None:
    """An offer that goes on has the same number as `previous`, one that is new another; explored goals stay."""
    parts = make_parts(
        config("taxi_world:Taxi", leader=leader, parameters={**seeing(OWN, C), "abstain": abstain}),
        SINGLE_PROCESS,
    )
    assert parts.leader.network.config.num_offers == C * 2 + abstain  # type: ignore[attr-defined]
    played: list[np.ndarray] = []
    step = parts.env.step
    parts.env.step = lambda offers: (played.append(np.array(offers)), step(offers))[1]  # type: ignore[method-assign]
    episodes, _ = Rollout(parts.env, parts.leader, parts.generator).play(explore=0.5)
    assert episodes is not None and episodes.goal.shape[3] == C
    offers, valid = np.stack(played), episodes.valid.numpy()[..., None]
    offers = np.where(offers[..., :1] == 9, [9, 0], offers)  # the bonus of "none" means nothing
    flat, previous = episodes.offer.numpy(), episodes.previous.numpy()
    new = np.concatenate((np.ones_like(valid[:1] | (flat[:1] >= 0)), (offers[1:] != offers[:-1]).any(-1)))
    np.testing.assert_array_equal((flat != previous) & valid, new & valid)
    np.testing.assert_array_equal(episodes.new_offer.numpy() & valid, new & valid)
    assert (new & valid).sum() < (valid & (flat >= 0)).sum(), "some went on"
    explored = episodes.explored.numpy() & valid
    if leader == "m3rl":
        first = np.broadcast_to(offers[:1, ..., 0], explored.shape)
        assert explored.any() and (offers[..., 0] == first)[explored].all()
    parts.leader.update(episodes)


@pytest.mark.parametrize("near_goals", [4, 8])
def test_to_see_all_is_to_see_as_before(near_goals: int) -> None:
    """To the bit."""
    weights = []
    for parameters in ({}, seeing({}, near_goals)):
        parts = make_parts(config(parameters=parameters), SINGLE_PROCESS)
        for _ in range(2):
            episodes, _ = Rollout(parts.env, parts.leader, parts.generator).play(explore=0.2)
            assert episodes is not None
            parts.leader.update(episodes)
        weights.append([p.detach().clone() for p in parts.leader.modules()["leader"].parameters()])
    assert all(torch.equal(one, other) for one, other in zip(*weights, strict=True))


SMALL = ["--episodes", "48", "--num-envs", "8", "--checkpoint-every", "24", "--hidden", "8"]


@pytest.mark.slow
@pytest.mark.parametrize("followers", ["rule", "meta"])
def test_commands(followers: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Train, resume, evaluate, inspect, render; a run is opened with as many as it was trained with."""
    out, world = tmp_path / "run", ["--num-goals", "9", "--near-goals", "3"]
    train = ["train", "taxi_world:Taxi", "--num-followers", "3", "--followers", followers, *world, "--out", str(out)]
    assert main([*train, *SMALL, "--evaluate", "0"]) == 0
    assert main([*train, "--resume", "--episodes", "64", "--evaluate", "0"]) == 0
    for arguments in (
        ["evaluate", str(out), "--episodes", "8"],
        ["inspect", str(out), "--episodes", "8"],
        ["render", str(out), "--out", str(tmp_path / "film.gif")],
    ):
        assert main(arguments) == 0
    capsys.readouterr()
    assert main(["evaluate", str(out), "--episodes", "8", "--task", "resource_collection"]) == 2
    assert "num_goals: expected 9" in " ".join(capsys.readouterr().err.split())


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match=r"near_goals: expected a value in \[0, 64\], got -1"):
        make("taxi_world:Taxi", near_goals=-1)
    seen = make("navigation").reset()[0]
    with pytest.raises(ValueError, match="near_goals: expected a value in"):
        _core.candidates(seen, "offer", 65)
    with pytest.raises(ValueError, match="expected a field 'offered'"):
        _core.candidates(seen, "offered", 2)
