"""Followers that learn by Q-learning: against a slow reference, over ranks, in games, killed and resumed."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import paymaster
from paymaster import make_vec, tasks
from paymaster.algorithms.followers import FollowerEpisodes, FollowerInput
from paymaster.algorithms.process_group import Ranks
from paymaster.algorithms.q_learning import QFollowers, QLearning, QSizes
from paymaster.analysis.equilibrium import diagnose_run
from paymaster.analysis.evaluate import evaluate_run, evaluate_scripted
from paymaster.commands.main import main
from paymaster.features.follower_table import FollowerStates
from paymaster.storage.checkpoint import latest_checkpoint, load_checkpoint
from paymaster.training.config import TrainConfig
from paymaster.training.train import train
from small_runs import SMALL, TASK, Killed, die_at
from thread_ranks import together

SIZES = QSizes(population=6, states=5, choices=3)
CONFIG = replace(SMALL, parameters={"followers": "q", "payment": "advance_once"})


def lived(seed: int = 0, games: int = 8, steps: int = 7) -> FollowerEpisodes:
    """Random episodes of three followers, some shorter than others; states last for some steps."""
    rng = np.random.default_rng(seed)
    state = np.repeat(rng.integers(5, size=(4, games, 3)), 2, axis=0)[:steps]
    acts = np.arange(steps)[:, None, None] < rng.integers(1, steps + 1, (games, 1))
    return FollowerEpisodes(
        own=torch.tensor(state[..., None], dtype=torch.float32),
        goal=torch.zeros(steps, games, 3, 2, 0),
        identity=torch.tensor(np.stack([rng.permutation(6)[:3] for _ in range(games)])),
        action=torch.tensor(rng.integers(3, size=(steps, games, 3))),
        reward=torch.tensor(rng.normal(size=(steps, games, 3)), dtype=torch.float32),
        acts=torch.tensor(np.broadcast_to(acts, (steps, games, 3)).copy()),
    )


def slowly(value: Any, count: Any, episodes: FollowerEpisodes, config: QLearning) -> None:
    """The same from the rule, a decision at a time: those of one step see the values that the steps after it left."""
    steps, games, n = episodes.acts.shape
    worth = np.zeros((steps + 1, games, n))  # of being in a step, for the one before
    for t in reversed(range(steps)):
        targets: dict[tuple[int, int, int], list[float]] = {}
        for b in range(games):
            for k in range(n):
                if not episodes.acts[t, b, k]:
                    continue
                worth[t, b, k] = float(episodes.reward[t, b, k]) + config.gamma * worth[t + 1, b, k]
                state = int(episodes.own[t, b, k, 0])
                if t == 0 or state != int(episodes.own[t - 1, b, k, 0]):
                    entry = (int(episodes.identity[b, k]), state, int(episodes.action[t, b, k]))
                    targets.setdefault(entry, []).append(worth[t, b, k])
        for entry, each in targets.items():
            count[entry] += len(each)
            share = max(1 - (1 - config.learning_rate) ** len(each), len(each) / count[entry])
            value[entry] += share * (np.mean(each) - value[entry])
        for b in range(games):
            for k in range(n):
                state = int(episodes.own[t, b, k, 0])
                if episodes.acts[t, b, k] and (t == 0 or state != int(episodes.own[t - 1, b, k, 0])):
                    worth[t, b, k] = value[int(episodes.identity[b, k]), state].max()


def test_an_update_is_what_the_rule_says() -> None:
    config = QLearning(learning_rate=0.2, gamma=0.8)
    followers = QFollowers(SIZES, config)
    value, count = np.zeros((6, 5, 3)), np.zeros((6, 5, 3))
    for seed in range(4):
        metrics = followers.update(lived(seed))
        slowly(value, count, lived(seed), config)
        assert metrics["follower_td_error"] > 0
    assert np.abs(followers.network.value.numpy() - value).max() < 1e-5
    assert (followers.network.count.numpy() == count).all()
    assert np.abs(value).max() > 0.5


def test_ranks_learn_what_one_learns() -> None:
    episodes, alone = lived(games=8), QFollowers(SIZES)
    metrics = alone.update(episodes)
    learners = [QFollowers(SIZES) for _ in range(2)]

    def learn(ranks: Ranks) -> tuple[torch.Tensor, dict[str, float]]:
        one, half = learners[ranks.rank], slice(4 * ranks.rank, 4 * ranks.rank + 4)
        one.ranks = ranks
        names = [f.name for f in fields(episodes) if f.name not in ("identity", "explore")]
        cut: dict[str, Any] = {name: getattr(episodes, name)[:, half] for name in names}
        return one.network.value, one.update(replace(episodes, identity=episodes.identity[half], **cut))

    for value, reported in together(2, learn):
        assert torch.allclose(value, alone.network.value, atol=1e-6)
        assert reported == pytest.approx(metrics, rel=1e-5)


def test_a_decision_is_kept_until_the_state_changes() -> None:
    followers = QFollowers(SIZES)
    followers.network.value[:, 0, 1] = 1.0  # the best answer in state 0
    followers.network.value[:, 3, 2] = 1.0
    generator = torch.Generator().manual_seed(0)
    actor, answers, identity = followers.actor(), [], torch.arange(3).expand(200, 3)
    for state in (0.0, 0.0, 3.0, 3.0):
        seen = FollowerInput(torch.full((200, 3, 1), state), torch.zeros(200, 3, 2, 0), identity)
        answers.append(followers.act(seen, actor, explore=0.5, generator=generator))
    assert (answers[0] == answers[1]).all() and (answers[2] == answers[3]).all()
    for answer, best in ((answers[0], 1), (answers[2], 2)):
        share = float((answer == best).float().mean())
        assert 0.6 < share < 0.74  # half explore, a third of these finds the best
    seen = FollowerInput(torch.zeros(200, 3, 1), torch.zeros(200, 3, 2, 0), identity)
    assert (followers.act(seen, None, explore=0.5, greedy=True) == 1).all()


@pytest.mark.parametrize("task", [task.name for task in tasks()])
def test_states_say_what_they_promise(task: str) -> None:
    env = make_vec(task, 6, 1, followers="meta", autoreset_mode="Disabled", abstain=True, payment="advance")
    env.reset()
    states, rng = FollowerStates(env), np.random.default_rng(0)
    goals, bonuses = env.parameters["num_goals"], env.parameters["num_bonuses"]
    met = set()
    games = (6, env.num_followers)
    for _ in range(12):
        seen = env.offer(np.stack((rng.integers(goals + 1, size=games), rng.integers(bonuses, size=games)), -1))
        number = states.encode(seen)
        for b in range(6):
            for k in range(env.num_followers):
                goal, bonus = map(int, seen["offered"][b, k])
                possible = 0 <= goal < goals and seen["distance"][b, k, goal] >= 0
                offer = 1 + goal * bonuses + bonus if possible else 0
                own = seen["distance"][b, k, int(seen["preference"][b, k])] >= 0
                assert number[b, k] == 4 * offer + 2 * int(own) + int(seen["due"][b, k] > 0)
        met |= set(number.ravel().tolist())
        env.act(rng.integers(goals + 1, size=games))
    assert max(met) < states.count and len(met) > 8


def test_killed_and_resumed_equals_unbroken(tmp_path: Path) -> None:
    """Also the table, its counts and the draws."""
    train(CONFIG, tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, QFollowers, "update", 6)
        with pytest.raises(Killed):
            train(CONFIG, tmp_path / "killed")
    train(TrainConfig(TASK), tmp_path / "killed", resume=True)
    assert (tmp_path / "killed/metrics.jsonl").read_bytes() == (tmp_path / "whole/metrics.jsonl").read_bytes()
    one, other = (load_checkpoint(latest_checkpoint(tmp_path / name)).tensors for name in ("whole", "killed"))
    assert one.keys() == other.keys() and "followers" in one
    for group, entries in one.items():
        for name, tensor in entries.items():
            assert torch.equal(tensor, other[group][name]), f"{group}/{name}"
    assert one["followers"]["count"].sum() > 0 and "optimizer_followers" not in one


@pytest.mark.slow
def test_a_run_of_them_is_looked_at_like_any_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    words = ["--episodes", "32", "--num-envs", "8", "--hidden", "8", "--evaluate", "4", "--q-learner.explore", "0.2"]
    assert main(["train", TASK, "--followers", "q", *words, "--out", str(run)]) == 0
    stored = json.loads((run / "config.json").read_text())["config"]
    assert stored["q_learner"] == {"learning_rate": 0.1, "gamma": 0.95, "explore": 0.2}
    assert evaluate_run(run, 8, greedy=True).gain.shape == (8,)
    assert evaluate_scripted("preference", TASK, 8, population=run).gain.shape == (8,)
    assert diagnose_run(run, 8, 32).retrained == 32
    assert main(["evaluate", "random", "--task", TASK, "--population", str(run), "--episodes", "4"]) == 0
    other = tmp_path / "meta"
    train(replace(SMALL, episodes=8, parameters={"followers": "meta"}), other)
    assert evaluate_run(other, 4, population=run).gain.shape == (4,)
    compared = paymaster.compare([run, other, "preference"], population=run, episodes=4)
    assert (compared.gains("preference", TASK) == evaluate_scripted("preference", TASK, 4, population=run).gain).all()
    assert len(compared.leaders) == 3
    for leader in (
        lambda **how: evaluate_run(other, 4, **how),
        lambda **how: evaluate_scripted("fixed", TASK, 4, **how),
    ):
        with pytest.raises(ValueError, match="population: expected it only for followers that learned, got"):
            leader(population=run, parameters={"followers": "own_parts:obedient"})
    capsys.readouterr()


def test_settings_without_an_effect_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for words, error in (
        (
            ["--q-learner.gamma", "0.5"],
            "q_learner.gamma: expected it only with followers that learn by it (--followers q)",
        ),
        (["--followers", "q", "--follower-learner.gamma", "0.5"], "follower_learner.gamma: expected it only with"),
        (["--followers", "q", "--q-learner.explore", "2"], "q_learner.explore: expected a number in [0, 1], got 2"),
        (["--evaluate-episodes", "5"], "evaluate_episodes: expected it only with --evaluate-every, got 5"),
    ):
        assert main(["train", TASK, *words]) == 2
        assert capsys.readouterr().err.startswith(f"paymaster: error: {error}")
    with pytest.raises(ValueError, match="followers: expected a table of at most 67108864 values for 'q', got"):
        QFollowers(QSizes(65_535, 500, 9))


@pytest.mark.slow
def test_they_learn_what_rule_based_ones_earn(tmp_path: Path) -> None:
    """In 3,200 episodes: 19.6 to 19.7 where a leader gains 19.6 of followers that decide by rule."""
    train(TrainConfig(TASK, episodes=3_200, parameters={"followers": "q"}), tmp_path / "run")
    assert evaluate_run(tmp_path / "run", 500).gain.mean() > 18
