"""`bench/train_peers.py` and its plain PPO: when a level counts as reached, what is stored, that the PPO is one."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space

import bench_scripts


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    return bench_scripts.load("train_peers")


@pytest.fixture(scope="module")
def ppo(bench: ModuleType) -> ModuleType:
    return bench.plain_ppo


# ---- when a level is reached


def test_a_level_is_reached_when_a_whole_window_has_it(bench: ModuleType) -> None:
    watch = bench.Watch(level=5.0, budget=1e6)
    watch.add(10, [6.0] * (bench.WINDOW - 1))
    assert watch.reached is None  # high enough, but too few
    watch.add(10, [1.0])
    assert watch.gain() == pytest.approx((6 * (bench.WINDOW - 1) + 1) / bench.WINDOW)
    assert (watch.reached["steps"], watch.reached["episodes"]) == (20, bench.WINDOW)
    watch.add(10, [0.0] * bench.WINDOW)
    assert watch.reached["steps"] == 20 and watch.gain() == 0


def test_a_run_goes_on_for_a_while_and_ends_with_its_budget(bench: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(bench.time, "process_time", lambda: now[0])
    watch = bench.Watch(level=0.0, budget=100.0)
    assert watch.add(1, [1.0] * bench.WINDOW) == 1.0 and watch.reached["cpu_seconds"] == 0
    now[0] += 5
    assert watch.add(1, []) == 0.95  # at the level, but its rate cannot be told yet
    now[0] += 5
    assert watch.add(1, []) == 0
    slow = bench.Watch(level=9.0, budget=100.0)
    now[0] += 99
    assert slow.add(1, [1.0] * bench.WINDOW) == pytest.approx(0.01)
    now[0] += 2
    assert slow.add(1, []) == 0 and slow.reached is None


def test_levels_are_those_of_the_task_pages(bench: ModuleType) -> None:
    pages = Path(__file__).parents[2] / "docs" / "tasks"
    for game, task in zip(bench.PLAYED, ("resource_collection", "multi_bonus_resource_collection"), strict=True):
        lines = (pages / f"{task}.md").read_text("utf-8").splitlines()
        head = next(line for line in lines if "`full_information` |" in line)
        row = next(line for line in lines if "| `completion` |" in line)
        gains = dict(zip(head.split("|"), row.split("|"), strict=True))
        assert gains[" `full_information` "].split()[0] == f"{bench.level_of(game):.2f}"


def test_a_row_takes_the_place_of_one_that_was_cut_short(bench: ModuleType, tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    assert bench.stored(out) == []
    for learner, cut in (("ours", False), ("SB3 PPO", True), ("SB3 PPO", False)):
        bench.store(out, {"learner": learner, "game": "RC completion", "seed": 0, "cut": cut})
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert rows == bench.stored(out)
    assert [(row["learner"], row["cut"]) for row in rows] == [("ours", False), ("SB3 PPO", False)]


@pytest.mark.parametrize("learner", ["ours", "SB3 PPO", "CleanRL PPO"])
@pytest.mark.filterwarnings("ignore")  # of versions, by the libraries
def test_every_learner_gives_a_row(bench: ModuleType, learner: str) -> None:
    row = bench.measure(learner, "RC completion", 0, budget=0.3)
    assert row["steps"] >= 32 and row["cpu_seconds"] >= 0.3 and not row["cut"]
    assert 20_000 < row["weights"] < 22_500 and "epochs" in row["settings"]


# ---- the plain PPO


def test_advantages_are_the_sums_of_their_definition(ppo: ModuleType) -> None:
    torch.manual_seed(0)
    steps, games, settings = 7, 3, ppo.Settings(gamma=0.9, gae_lambda=0.8)
    rewards, values = torch.randn(2, steps, games)
    begins = (torch.rand(steps + 1, games) < 0.3).float()
    after = torch.randn(games)
    came = ppo.generalised_advantages(settings, rewards, values, begins[:-1], after, begins[-1])
    following = torch.cat((values, after[None]))
    for b in range(games):
        for t in range(steps):
            total, weight = 0.0, 1.0
            for k in range(t, steps):
                ends = bool(begins[k + 1, b])
                total += weight * (rewards[k, b] + (0 if ends else 0.9 * following[k + 1, b]) - values[k, b])
                weight *= 0.9 * 0.8
                if ends:
                    break
            torch.testing.assert_close(came[t, b], torch.as_tensor(total))


def test_the_loss_of_the_policy_that_played(ppo: ModuleType) -> None:
    """The ratio is 1 and the advantages have mean 0, so value loss and entropy remain; a far ratio is clipped."""
    torch.manual_seed(0)
    agent, settings = ppo.Agent(5, [3, 2], 8), ppo.Settings()
    seen = torch.randn(64, 5)
    with torch.no_grad():
        action, log_prob, entropy, value = agent.act(seen)
    advantage, target = torch.randn(64), value + torch.randn(64)
    loss = ppo.ppo_loss(agent, settings, seen, action, log_prob, advantage, target, value)
    expected = settings.vf_coef * 0.5 * ((value - target) ** 2).mean() - settings.ent_coef * entropy.mean()
    torch.testing.assert_close(loss.detach(), expected)
    off = ppo.ppo_loss(agent, settings, seen, action, log_prob - 0.5, advantage, target, value - 1)
    scaled = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    gained = torch.where(scaled > 0, 1.2 * scaled, np.exp(0.5) * scaled).mean()  # what is good pays up to the clip
    error = torch.maximum((value - target) ** 2, (value - 0.8 - target) ** 2).mean()  # the value may move by 0.2
    expected = settings.vf_coef * 0.5 * error - settings.ent_coef * entropy.mean() - gained
    torch.testing.assert_close(off.detach(), expected)


class Bandit(VectorEnv[Any, Any, Any]):
    """Pays for each of two actions that says which of the observation's halves is larger; an episode has four steps."""

    def __init__(self, games: int) -> None:
        self.num_envs = games
        self.single_observation_space = gymnasium.spaces.Box(-1, 1, (4,), np.float32)
        self.single_action_space = gymnasium.spaces.MultiDiscrete([2, 2])
        self.observation_space = batch_space(self.single_observation_space, games)
        self.action_space = batch_space(self.single_action_space, games)
        self.rng, self.steps = np.random.default_rng(0), 0

    def draw(self) -> np.ndarray:
        self.seen = self.rng.uniform(-1, 1, (self.num_envs, 4)).astype(np.float32)
        return self.seen

    def reset(self, **_: Any) -> tuple[np.ndarray, dict[str, Any]]:
        return self.draw(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        right = (self.seen[:, [0, 2]] > self.seen[:, [1, 3]]).astype(int)
        reward = (actions == right).mean(axis=1)
        self.steps += 1
        over = np.full(self.num_envs, self.steps % 4 == 0)
        return self.draw(), reward, over, np.zeros_like(over), {"reward": reward}


@pytest.mark.slow  # 41,000 steps; its advantages and its loss are checked above
def test_it_learns(ppo: ModuleType) -> None:
    torch.manual_seed(0)
    rewards: list[float] = []

    def left(info: dict[str, Any]) -> float:
        rewards.append(float(info["reward"].mean()))
        return 1 - len(rewards) / 1_280

    settings = ppo.Settings(num_steps=32, learning_rate=3e-3)
    ppo.learn(Bandit(32), ppo.Agent(4, [2, 2], 16), settings, left)
    assert len(rewards) == 1_280
    assert np.mean(rewards[:32]) < 0.6 and np.mean(rewards[-32:]) > 0.9
