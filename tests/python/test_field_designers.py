"""Incentive designers and plain PPO: what they find, and what they compute."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from command_line import error_of, own_folder  # noqa: F401  # a fixture
from field_methods import leader_of, share_of_best, space
from paymaster.algorithms import EBPG
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.field import DesignerLearning
from paymaster.algorithms.field.designer import Designer
from paymaster.algorithms.field.metagradient import foreseen_weights, log_policy
from paymaster.algorithms.field.offers import NEARNESS, REACHABLE
from paymaster.algorithms.followers import FollowerEpisodes
from paymaster.commands.main import main
from paymaster.envs.tasks import make_vec
from paymaster.play.rollout import Rollout
from paymaster.storage.metrics_file import METRICS, read_metrics
from paymaster.training.config import TrainConfig
from paymaster.training.setup import make_env, make_followers, make_leader
from paymaster.training.train import train
from small_runs import TASK
from tiny_games import GAMES

# ---- designers


@pytest.mark.parametrize("name", ["hold", "switch_once"])
def test_a_designer_comes_near_the_best_leader(name: str) -> None:
    assert share_of_best("dual-rl", GAMES[name], 70) >= 0.95


def test_a_menu_is_the_same_for_all_followers_and_the_whole_episode() -> None:
    env = make_vec("multi_bonus_resource_collection", 8, 1, 1, autoreset_mode="Disabled", abstain=True)
    leader = leader_of("dual-rl", env)
    episodes, _ = Rollout(env, leader, torch.Generator().manual_seed(0)).play(explore=1.0)
    assert episodes is not None
    levels = leader.space.num_bonuses  # type: ignore[attr-defined]
    seen_levels = set()
    for game in range(8):
        offers = episodes.offer[:, game][episodes.valid[:, game]].flatten()
        priced = offers[offers < 4 * levels]
        menu = {}
        for goal, level in zip((priced // levels).tolist(), (priced % levels).tolist(), strict=True):
            assert menu.setdefault(goal, level) == level
        seen_levels |= set(menu.values())
    assert len(seen_levels) > 1 and bool((episodes.offer == 4 * levels).any())


def test_a_designer_chooses_goals_by_their_nearness_and_their_logits() -> None:
    """Against the formula, follower by follower; what is out of reach is left out where anything is within."""
    leader = Designer(space(), DesignerLearning(nearness=2.0))
    draw = torch.Generator().manual_seed(1)
    goal = torch.rand(50, 3, 2, 5, generator=draw)
    goal[..., REACHABLE] = (goal[..., REACHABLE] > 0.4).float()
    with torch.no_grad():
        leader.learned.goal.copy_(torch.tensor([0.3, -0.2]))
        found = leader.learned.log_goals(goal).exp()
    for game, follower in np.ndindex(50, 3):
        near, reached = goal[game, follower, :, NEARNESS].numpy(), goal[game, follower, :, REACHABLE].numpy() > 0
        weight = np.exp(np.array([0.3, -0.2]) + 2.0 * near) * (reached | ~reached.any())
        np.testing.assert_allclose(found[game, follower], weight / weight.sum(), rtol=1e-5)


def learning_followers() -> tuple[Any, FollowerEpisodes, Episodes, Any]:
    """Games whose followers learn, what these have lived through, the leader's episodes, and the followers."""
    config = TrainConfig(TASK, leader="metagradient", device="cpu", parameters={"followers": "meta"})
    env = make_env(config, 6, 0)
    leader, followers = make_leader(config, env), make_followers(config, env)
    assert followers is not None
    followers.keep = True
    episodes, _ = Rollout(env, leader, torch.Generator().manual_seed(0)).play(explore=1.0)
    assert episodes is not None
    return leader, followers.lived(), episodes, followers.followers


def test_the_foreseen_step_is_differentiated_rightly() -> None:
    """Against differences, in float64; and it makes what is paid for more likely."""
    _, lived, episodes, followers = learning_followers()
    network = copy.deepcopy(followers.network).double()
    lived = replace(lived, own=lived.own.double(), goal=lived.goal.double())
    weights = {name: value.detach() for name, value in network.named_parameters()}
    paid = ((episodes.payment > 0) & episodes.valid.unsqueeze(-1)).double()
    assert paid.sum() > 0

    def outcome(price: torch.Tensor) -> torch.Tensor:
        reward = lived.reward.double() + paid * price
        later = foreseen_weights(network, weights, lived, reward, 0.7)
        return (log_policy(network, later, lived) * paid).sum()

    price = torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(outcome(price), price)
    with torch.no_grad():
        difference = (outcome(price + 1e-5) - outcome(price - 1e-5)) / 2e-5
    assert float(slope) == pytest.approx(float(difference), rel=1e-6)
    assert float(slope) > 0


def test_a_metagradient_needs_the_followers_before_it_learns() -> None:
    leader, lived, episodes, followers = learning_followers()
    with pytest.raises(ValueError, match="update: expected the followers before it"):
        leader.update(episodes)
    leader, lived, episodes, followers = learning_followers()
    before = leader.learned.level.detach().clone()
    leader.foresee(followers, lived)
    weights = {name: value.clone() for name, value in followers.network.state_dict().items()}
    assert all(np.isfinite(value) for value in leader.update(episodes).values())
    assert not torch.equal(leader.learned.level.detach(), before)
    assert all(torch.equal(value, weights[name]) for name, value in followers.network.state_dict().items())


def test_a_metagradient_learns_the_price_that_is_enough(tmp_path: Path) -> None:
    """One follower that learns, with nothing else to do: the lower of two prices is all it takes."""
    hold = GAMES["hold"]
    config = TrainConfig(
        hold.task, leader="metagradient", device="cpu", episodes=2_560, num_envs=32, checkpoint_every=2_560,
        parameters={
            **{name: value for name, value in hold.parameters.items() if name != "population"},
            "population_size": 1, "followers": "meta", "payment": "completion", "skills_per_follower": 1,
        },
    )  # fmt: skip
    train(config, tmp_path / "run")
    rows = read_metrics(tmp_path / "run" / METRICS)
    assert rows[-1]["price"] < 1.1 < rows[0]["price"]
    assert np.mean([row["gain"] for row in rows[-10:]]) >= 0.95 * hold.optimum


@pytest.mark.parametrize("followers", ["rule", "q", "primitive"])
def test_a_metagradient_refuses_followers_that_do_not_learn_by_gradient(
    followers: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = ["train", TASK, "--leader", "metagradient", "--followers", followers, "--evaluate", "0"]
    assert error_of(told, capsys) == (
        "leader: expected followers that learn goal types by gradient (--followers meta) with metagradient, which "
        f"differentiates through their learning step, got {followers}"
    )
    told = ["train", TASK, "--leader", "metagradient", "--followers", "meta", "--num-envs", "1", "--evaluate", "0"]
    assert error_of(told, capsys).startswith("num_envs: expected at least 2 with metagradient")


# ---- PPO, which is settings of our learner


@pytest.mark.parametrize("name", ["hold", "unskilled"])
def test_ppo_comes_near_the_best_leader(name: str) -> None:
    assert share_of_best("ppo", GAMES[name], 60) >= 0.95


def test_ppo_is_plain() -> None:
    """No option lasts, nobody is attended to, predicted or credited alone; the clipped loss is Schulman's."""
    env = make_vec(TASK, 2, 0, 1, autoreset_mode="Disabled")
    leader = make_leader(TrainConfig(TASK, leader="ppo", device="cpu"), env)
    assert isinstance(leader, EBPG)
    network, learner = leader.network.config, leader.config
    assert leader.network.termination is None and leader.network.follower_model is None
    assert (network.attention, network.heads) == ("mean", "independent")
    assert learner.options.interval == 1 and learner.gradient == "sparse" and learner.explore == 0
    assert (learner.clip, learner.epochs, learner.gamma, learner.gae_lambda) == (0.2, 10, 0.99, 0.95)
    assert learner.credit == "team" and learner.learning_rate == learner.critic_learning_rate == 3e-4


def test_ppo_has_our_learners_settings(capsys: pytest.CaptureFixture[str]) -> None:
    told = ["train", TASK, "--leader", "ppo", "--episodes", "16", "--num-envs", "8", "--evaluate", "0", "--out", "run"]
    assert main([*told, "--learner.clip", "0.1", "--hidden", "8"]) == 0
    assert "training ppo with its settings but" in capsys.readouterr().out
    error = error_of([*told[:-1], "other", "--bandit.alpha", "2"], capsys)
    assert error == "bandit.alpha: expected it only with ucb, got 2.0 for ppo"
    error = error_of([*told[:-1], "other", "--learner.lambda-termination", "2"], capsys)
    assert error.startswith("learner.lambda_termination: expected it only with a leader that ends options itself")
