"""Leaders as the original had them: the protocol of an episode, exploration, what is learned, and runs of them."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from paymaster.algorithms import ORIGINALS, LeaderAlgorithm, OriginalLeader, OriginalLearning
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.packed_steps import PackedSteps
from paymaster.algorithms.process import OptionRules, held_offers
from paymaster.algorithms.process_group import Ranks
from paymaster.analysis.evaluate import evaluate_run
from paymaster.analysis.inspection import inspect_run
from paymaster.commands.idle_options import refuse_idle_settings
from paymaster.play.episode import play_episode
from paymaster.play.network_leader import NetworkLeader
from paymaster.play.rollout import Rollout
from paymaster.storage.run_config import read_config
from paymaster.training.config import TrainConfig
from paymaster.training.setup import make_env, make_leader
from paymaster.training.train import make_parts, train
from rest_slow import rest_slow
from small_runs import check_killed_run

TASK = "resource_collection"
M3RL = ORIGINALS["m3rl-original"]
G, K, N, T = 4, 2, 4, 30


def run_of(name: str = "m3rl-original", games: int = 1, **changes: Any) -> tuple[Rollout, OriginalLeader]:
    config = TrainConfig(TASK, leader=name, num_envs=games, device="cpu", **changes)
    env = make_env(config, games, 0)
    leader = make_leader(config, env)
    assert isinstance(leader, OriginalLeader)
    return Rollout(env, leader, torch.Generator().manual_seed(0)), leader


def played(rollout: Rollout, explore: float = 0.0) -> Episodes:
    episodes, _ = rollout.play(explore=explore)
    assert episodes is not None
    return episodes


# --- the protocol of an episode -----------------------------------------------------------------------------------


@pytest.mark.parametrize("greedy", [False, True])
def test_first_offers_are_at_level_0_and_do_not_count(greedy: bool) -> None:
    rollout, leader = run_of(games=6)
    env = rollout.env
    player = NetworkLeader(leader, torch.Generator().manual_seed(0), greedy=greedy)
    goals, paid, worth = [], np.zeros(6), np.zeros(6)
    for number in range(4):
        for step, result in enumerate(play_episode(env, player)):
            offers = env.observe()["offer"]
            if step == 0:
                assert not offers[..., 1].any()
                goals.append(offers[..., 0].copy())
                paid, worth = np.zeros(6), np.zeros(6)
                first = env.observe()["committed"].any()
                assert first or number > 0
                continue
            paid += result.info["payment"].sum(-1)
            worth += env.goal_reward[0] * (result.info["completed"] >= 0).sum(-1)
        np.testing.assert_allclose(result.totals.payments, paid, atol=1e-4)
        np.testing.assert_allclose(result.totals.gain, worth - paid, atol=1e-4)
        assert (result.totals.completions.sum(-1) == worth / 3).all()
    every = np.array(goals).reshape(-1, N)
    assert (every == np.arange(N)).all() if greedy else set(every.flatten()) == set(range(G))


def test_what_is_learned_from_begins_behind_the_first_offers() -> None:
    rollout, leader = run_of(games=2)
    episodes = played(rollout)
    assert episodes.num_steps <= T - 1
    assert (episodes.previous[0] == -1).all() and (episodes.previous[1:] == episodes.offer[:-1]).all()
    assert episodes.new_offer[0].all()
    assert set(leader.update(episodes)) >= {"policy_loss", "critic_loss", "imitation_loss", "entropy"}


def test_the_first_offers_are_in_the_history() -> None:
    rollout, _ = run_of()
    played(rollout)
    assert rollout.env.statistics.arrays()["performance_acceptance"][..., 0].any()


def test_offers_come_every_interval_steps() -> None:
    learner = replace(M3RL.learner, options=OptionRules(interval=10))
    rollout, leader = run_of(games=4, learner=learner)
    episodes = played(rollout)
    changed = (episodes.offer[1:] != episodes.offer[:-1]).any(-1).any(-1)
    assert (changed.nonzero().flatten() + 1).tolist() == [10, 20]  # steps 1, 11 and 21 of the game
    assert leader.update(episodes)["policy_loss"] != 0.0


def test_a_game_that_ends_at_once_teaches_nothing() -> None:
    rollout, leader = run_of(parameters={"horizon": 1})
    episodes = played(rollout)
    weights = [parameter.clone() for parameter in leader.network.parameters()]
    assert leader.update(episodes) == {}
    assert all(torch.equal(*pair) for pair in zip(weights, leader.network.parameters(), strict=True))


# --- exploration ----------------------------------------------------------------------------------------------------


def test_workers_keep_their_first_goal_while_their_own_count_is_small() -> None:
    original = OriginalLearning(explore_goals=1.0, explore_goals_episodes=2, explore_bonuses=0.0)
    rollout, leader = run_of(original=original)
    counts = np.zeros(40, int)
    for _ in range(30):
        identities = rollout.env.observe()["identity"]
        episodes = played(rollout, leader.exploration_rate(0))
        who = episodes.follower[0, 0, :, -1].long().numpy()
        assert identities.shape == (1, N)
        goals = episodes.offer[:, 0] // K
        kept = (goals == goals[0]).all(0).numpy()
        assert (kept == (counts[who] < 2)).all()  # 29 goals of a fresh policy are never all the same
        assert (episodes.explored[:, 0].numpy() == kept).all()
        leader._progress.of_follower += torch.bincount(torch.from_numpy(who), minlength=40)
        counts[who] += 1
    assert (counts > 2).any()


def test_an_update_counts_each_follower_and_each_episode() -> None:
    rollout, leader = run_of(games=2)
    episodes = played(rollout)
    leader.update(episodes)
    who = episodes.follower[0, ..., -1].long().flatten()
    assert torch.equal(leader._progress.of_follower, torch.bincount(who, minlength=40))
    assert int(leader._progress.trained) == 2


def test_bonuses_are_explored_for_all_workers_at_once() -> None:
    """A policy that always pays the most: at a rate of 0.3, three steps in ten have uniform bonuses, of everybody."""
    original = OriginalLearning(explore_goals=0.0, explore_bonuses=0.3, explore_bonuses_episodes=100)
    rollout, leader = run_of(games=64, original=original)
    with torch.no_grad():
        leader.network.bonus.bias.copy_(torch.tensor([-50.0, 50.0]))
    low = (played(rollout, leader.exploration_rate(0)).offer % K == 0).float()
    assert float(low.mean()) == pytest.approx(0.15, abs=0.02)
    together = low.any(-1).float().mean()  # in 0.3 of the steps, but for 1 in 2^4 of these
    assert float(together) == pytest.approx(0.3 * 15 / 16, abs=0.03)
    leader._progress.trained += 50
    assert float((played(rollout, leader.exploration_rate(50)).offer % K == 0).float().mean()) == pytest.approx(
        0.075, abs=0.02
    )
    leader._progress.trained += 50
    assert leader.exploration_rate(100) == 0.0
    assert not (played(rollout, 1.0).offer % K == 0).any()


def test_evaluation_does_not_explore() -> None:
    rollout, leader = run_of(games=8, original=OriginalLearning(explore_goals=1.0, explore_bonuses=1.0))
    with torch.no_grad():
        leader.network.bonus.bias.copy_(torch.tensor([-50.0, 50.0]))
    episodes = played(rollout, 0.0)
    assert (episodes.offer % K == 1).all() and not episodes.explored.any()


def test_the_papers_exploration_falls_over_its_episodes() -> None:
    _, leader = run_of("ebpg-original")
    assert [leader.exploration_rate(done) for done in (0, 2500, 5000)] == pytest.approx([0.1, 0.05, 0.0])


# --- learning -------------------------------------------------------------------------------------------------------


def losses_by_hand(leader: OriginalLeader, episodes: Episodes, gamma: float, *, paid: bool = True) -> dict[str, float]:
    """M3RL's losses of one episode, step by step and follower by follower."""
    steps = PackedSteps.of(episodes)
    n, goals, bonuses = episodes.num_followers, leader.network.config.num_goals, leader.network.config.num_bonuses
    worth, prices = episodes.goal_reward.double().numpy(), episodes.price.double().numpy()
    start = leader.network.initial_history(1, n)
    output = leader.network(
        *(steps.follower, steps.goal, steps.previous, start), offer=steps.offer, batch_sizes=steps.batch_sizes
    )
    assert output.phi is not None and output.prediction_logits is not None
    mu = output.log_mu.detach().exp().unflatten(-1, (goals, bonuses)).double()
    length, policy, critic, entropy, imitation = len(mu), 0.0, 0.0, 0.0, 0.0
    ahead = np.zeros(goals + bonuses)
    for t in reversed(range(length)):
        now = np.zeros(goals + bonuses)
        for k in range(n):
            completed, payment = int(episodes.completed[t, 0, k]), float(episodes.payment[t, 0, k])
            if completed >= 0:
                now[completed] += 1
            if payment > 0 and paid:
                now[goals + list(prices).index(payment)] += 1
        ahead = now + gamma * ahead
        phi = output.phi[t, 0].detach().double().numpy()
        error = ahead - phi
        advantage = worth @ error[:goals] - (prices @ error[goals:] if paid else 0.0)
        critic += 0.5 * (error[:goals] ** 2).mean() + 0.5 * (error[goals:] ** 2).mean()
        for k in range(n):
            goal, bonus = divmod(int(episodes.offer[t, 0, k]), bonuses)
            of_goal, of_bonus = mu[t, k].sum(1).numpy(), mu[t, k].sum(0).numpy()
            policy -= (np.log(of_goal[goal] + 1e-6) + np.log(of_bonus[bonus] + 1e-6)) * advantage / n
            entropy -= ((of_goal * np.log(of_goal)).sum() + (of_bonus * np.log(of_bonus)).sum()) / n
            action = int(episodes.follower_action[t, 0, k])
            imitation -= float(torch.log_softmax(output.prediction_logits[t, k].detach(), -1)[action]) / n
    names = ("policy_loss", "critic_loss", "entropy", "imitation_loss")
    found = {name: value / length for name, value in zip(names, (policy, critic, entropy, imitation), strict=True)}
    return {
        **found,
        "loss": found["policy_loss"] + found["critic_loss"] - 0.01 * found["entropy"] + found["imitation_loss"],
    }


@pytest.mark.parametrize("warm", [False, True])
def test_the_losses_are_the_originals(warm: bool) -> None:
    """Also while payments do not count: they are left out of the advantage, and phi_b is taught 0."""
    rollout, leader = run_of(original=OriginalLearning(warm_up_episodes=4 if warm else 0))
    for number in range(6):
        episodes = played(rollout, 0.1)
        expected = losses_by_hand(leader, episodes, 0.95, paid=not warm or number >= 4)
        assert episodes.payment.any()
        assert episodes.price.tolist() == [1.0, 2.0] and episodes.goal_reward.tolist() == [3.0] * G
        metrics = leader.update(episodes)
        assert {name: metrics[name] for name in expected} == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_with_an_interval_the_policy_is_averaged_over_its_decisions() -> None:
    rollout, leader = run_of(learner=replace(M3RL.learner, options=OptionRules(interval=10)))
    episodes = played(rollout)
    metrics = leader.update(episodes)
    first = [t for t in range(episodes.num_steps) if t % 10 == 0]
    steps = PackedSteps.of(episodes)
    assert len(first) < len(steps.previous)
    assert metrics["entropy"] == pytest.approx(np.log(G * K), rel=1e-2)  # of a fresh policy, not a tenth of it


@pytest.mark.parametrize("name", ORIGINALS)
def test_what_is_hardly_possible_any_more_bounds_the_loss(name: str) -> None:
    """A policy that has become sure of something else; with a dense gradient also of offers that are maintained."""
    rollout, leader = run_of(name)
    steps = PackedSteps.of(played(rollout))
    with torch.no_grad():
        for head in (leader.network.goal, leader.network.bonus):
            head.weight.mul_(1e6)
    update = leader._update_of()
    update.take(steps, held_offers(leader.config.options, steps.previous, steps.expired, steps.step), leader.config)
    assert update._output.log_mu.min() < -50
    assert 2 * math.log(1e-6) - 1e-3 <= update.judge().policy.min() < -10


def test_an_update_is_rmsprop_on_a_gradient_of_l1_norm_1() -> None:
    rollout, leader = run_of()
    rollout.env.statistics.set(performance_acceptance=np.full((40, G, K), 0.5, np.float32))
    episodes = played(rollout)
    before = [parameter.detach().clone() for parameter in leader.network.parameters()]
    metrics = leader.update(episodes)
    assert metrics["gradient_norm"] > 1.0
    total, moved = 0.0, 0
    for parameter, old in zip(leader.network.parameters(), before, strict=True):
        assert parameter.grad is not None
        gradient = parameter.grad.double()
        total += float(gradient.abs().sum())
        step = 3e-4 * gradient / ((0.01 * gradient.square()).sqrt() + 1e-8)
        torch.testing.assert_close(parameter.detach().double(), old.double() - step, atol=1e-6, rtol=1e-4)
        moved += int((step != 0).any())
    assert total == pytest.approx(1.0, rel=1e-3)
    assert moved == len(before)  # everything learns: gradients flow through m and h


def test_the_papers_rates_are_adams() -> None:
    _, leader = run_of("ebpg-original")
    assert isinstance(leader.optimizer, torch.optim.Adam)
    assert [group["lr"] for group in leader.optimizer.param_groups] == [3e-4, 1e-3]
    of_the_critic = {id(p) for p in leader.optimizer.param_groups[1]["params"]}
    assert of_the_critic == {id(p) for p in leader.network.baseline.parameters()}


def test_the_settings_are_the_originals() -> None:
    config = TrainConfig(TASK, leader="m3rl-original")
    learner = config.learner
    assert (config.num_envs, learner.gamma, learner.gae_lambda, learner.epochs) == (1, 0.95, 1.0, 1)
    assert (learner.learning_rate, learner.critic_learning_rate, learner.max_gradient_norm) == (3e-4, 3e-4, 1.0)
    assert (learner.credit, learner.lambda_entropy, learner.imitation_weight) == ("team", 0.01, 1.0)
    assert not learner.normalise_advantage and learner.learning_rate_end == learner.entropy_end == 1.0
    assert config.original == OriginalLearning()
    paper = TrainConfig(TASK, leader="ebpg-original")
    assert (paper.learner.gradient, paper.learner.gamma, paper.learner.explore) == ("dense", 1.0, 0.1)
    assert paper.original == OriginalLearning(optimizer="adam", exploration="offers")
    for name, kind in ORIGINALS.items():
        assert isinstance(run_of(name)[1], LeaderAlgorithm)
        assert TrainConfig(TASK, leader=name).learner == kind.learner


# --- runs -----------------------------------------------------------------------------------------------------------


def small(name: str, **changes: Any) -> TrainConfig:
    settings: dict[str, Any] = {"episodes": 8, "checkpoint_every": 4, "device": "cpu", **changes}
    return TrainConfig(TASK, leader=name, **settings)


@pytest.mark.parametrize("name", rest_slow(ORIGINALS, {"m3rl-original"}.__contains__))
def test_a_killed_run_ends_with_the_same_bits(name: str, tmp_path: Path) -> None:
    original = replace(ORIGINALS[name].original or OriginalLearning(), explore_goals_episodes=1)
    config = small(name, original=original, evaluate_every=4, evaluate_episodes=12)
    whole, rows = check_killed_run(config, tmp_path)
    assert whole.tensors["statistics"]["performance_success"].any()
    assert "evaluation_gain" in rows[-1]


def test_a_run_is_evaluated_and_inspected(tmp_path: Path) -> None:
    train(small("ebpg-original"), tmp_path / "run")
    evaluation = evaluate_run(tmp_path / "run", 12)
    assert evaluation.episodes == 12 and np.isfinite(evaluation.gain).all()
    np.testing.assert_array_equal(evaluate_run(tmp_path / "run", 12).gain, evaluation.gain)
    inspection = inspect_run(tmp_path / "run", 12)
    assert inspection.termination is not None and inspection.prediction_accuracy is not None
    assert len(inspection.prediction_accuracy) == T - 1
    stored = read_config(tmp_path / "run")
    assert stored["original"] == asdict(OriginalLearning(optimizer="adam", exploration="offers"))
    assert "original" not in TrainConfig(TASK).to_json()
    assert TrainConfig.from_json(stored) == small("ebpg-original")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings": "paper"}, "settings: expected none beside m3rl-original"),
        ({"original": OriginalLearning(explore_goals=2.0)}, r"explore_goals: expected a number in \[0, 1\], got 2.0"),
    ],
)
def test_settings_that_make_no_sense_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small("m3rl-original", **changes).validate()


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        (
            "ebpg",
            {"original": OriginalLearning(see_others=True)},
            "original.see_others: expected it only with a leader as",
        ),
        ("m3rl-original", {"hidden": 64}, "hidden: expected it only with leaders that see features"),
        ("m3rl-original", {"observe_routes": False}, "observe_routes: expected it only with leaders that see features"),
        (
            "m3rl-original",
            {"learner": replace(M3RL.learner, explore=0.5)},
            "learner.explore: expected it only with original.exploration offers",
        ),
        (
            "ebpg-original",
            {"original": OriginalLearning(optimizer="adam", exploration="offers", explore_goals=0.5)},
            "original.explore_goals: expected it only with original.exploration workers",
        ),
    ],
)
def test_settings_that_nobody_reads_are_refused(name: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        refuse_idle_settings(small(name, **changes))
    refuse_idle_settings(small(name))


def test_games_that_it_cannot_play_are_named() -> None:
    config = TrainConfig("navigation", leader="m3rl-original", device="cpu")
    env = make_env(config, 1, 0)
    with pytest.raises(ValueError, match="inputs: expected a world of cells"):
        make_leader(config, env)
    config = TrainConfig(TASK, leader="m3rl-original", device="cpu", parameters={"weight_welfare": 1.0})
    env = make_env(config, 1, 0)
    with pytest.raises(ValueError, match="objective of its own"):
        make_leader(config, env)


class TwoRanks(Ranks):
    """A job of two processes, of which this is one."""

    size = 2


def test_several_processes_are_refused() -> None:
    with pytest.raises(ValueError, match="leader: expected one process with m3rl-original"):
        make_parts(small("m3rl-original"), TwoRanks())
