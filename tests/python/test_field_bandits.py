"""Bandits among the methods of the field: what they find, and what they compute."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from field_methods import PRICED, for_one, leader_of, played, seen, share_of_best, space
from paymaster.algorithms.field import BanditLearning
from paymaster.algorithms.field.linear_bandits import LinUCB, ThompsonSampling
from paymaster.algorithms.field.linear_contract import LinearContract, levels_of_shares
from paymaster.algorithms.field.offers import NEARNESS, REACHABLE, nearest_goals, outcomes, returns
from paymaster.envs.tasks import make_vec
from paymaster.features.leader import FeatureEncoder
from paymaster.play.rollout import Rollout
from small_runs import TASK
from tiny_games import GAMES, TinyGame

BANDITS = {"ucb": LinUCB, "thompson": ThompsonSampling}


# ---- what they find


@pytest.mark.parametrize("name", BANDITS)
@pytest.mark.parametrize("game", GAMES.values(), ids=GAMES.keys())
def test_a_bandit_comes_near_the_best_leader(name: str, game: TinyGame) -> None:
    assert share_of_best(name, game, 0) < 0.75 or game.name == "hold"  # of equal estimates the first is right there
    assert share_of_best(name, game, 40) >= 0.98


@pytest.mark.parametrize("name", ["hold", "switch_once"])
def test_a_linear_contract_is_best_where_one_share_does(name: str) -> None:
    assert share_of_best("linear-contract", GAMES[name], 10) == 1.0


def test_the_share_that_is_learned_is_the_best_one() -> None:
    """Nobody works for nothing; a third of w is the price that is enough, two thirds are more."""
    game = replace(PRICED, best=for_one)
    shares = {share: BanditLearning(share=share) for share in (0.0, 0.33, 0.66)}
    fixed = {share: share_of_best("linear-contract", game, 1, bandit=bandit) for share, bandit in shares.items()}
    assert fixed == {0.0: 0.0, 0.33: 1.0, 0.66: 0.5}
    assert share_of_best("linear-contract", game, 0) == 0.0
    assert share_of_best("linear-contract", game, 5) == 1.0


# ---- what they compute


def direct(learner: LinUCB | ThompsonSampling, rows: list[tuple[int, Any, float]]) -> list[tuple[Any, Any]]:
    """A and theta of each model, from contexts one by one."""
    models, width = learner.learned.moment.shape
    found = []
    for model in range(models):
        gram, moment = learner.config.ridge * np.eye(width), np.zeros(width)
        for which, context, reward in rows:
            if which == model:
                gram, moment = gram + np.outer(context, context), moment + reward * context
        found.append((gram, np.linalg.solve(gram, moment)))
    return found


def taught(kind: Any, config: BanditLearning, **changes: Any) -> tuple[Any, list[tuple[Any, Any]]]:
    """A bandit that has learned from random decisions, and its models computed directly."""
    learner, draw = kind(space(**changes), config), np.random.default_rng(3)
    width, models = learner.learned.moment.shape[1], len(learner.learned.moment)
    rows = [(int(draw.integers(models)), draw.random(width), float(draw.normal())) for _ in range(60)]
    for model in range(models):
        of = [(context, reward) for which, context, reward in rows if which == model]
        learner.learned.add(
            model, torch.tensor(np.array([c for c, _ in of])), torch.tensor([r for _, r in of], dtype=torch.float64)
        )
    return learner, direct(learner, rows)


@pytest.mark.parametrize("abstain", [False, True])
@pytest.mark.parametrize("explore", [0.0, 1.0])
def test_ucb_offers_the_highest_index(explore: float, abstain: bool) -> None:
    """Follower by follower, arm by arm, in NumPy."""
    learner, models = taught(LinUCB, BanditLearning(alpha=0.7, ridge=2.0), abstain=abstain)
    step = seen(5, 3)
    offer = learner.act(step, learner.initial_state(5, 3), explore=explore).offer
    for game, follower in np.ndindex(5, 3):
        own, arms = step.follower[game, follower].double().numpy(), []
        for goal in range(2):
            kind = np.eye(2)[goal]
            context = np.concatenate(([1.0], own, step.goal[game, follower, goal].double().numpy(), kind))
            arms += [(context, level) for level in range(3)]
        if abstain:
            arms.append((np.concatenate(([1.0], own, np.zeros(7))), 3))
        index = [
            models[level][1] @ context
            + (explore > 0) * 0.7 * np.sqrt(context @ np.linalg.inv(models[level][0]) @ context)
            for context, level in arms
        ]
        assert int(offer[game, follower]) == int(np.argmax(index))
    greedy = learner.act(step, learner.initial_state(5, 3), explore=1.0, greedy=True).offer
    assert torch.equal(greedy, learner.act(step, learner.initial_state(5, 3)).offer)


def test_thompson_draws_from_the_posterior() -> None:
    """Mean and covariance of a draw are theta and v^2 A^-1; without exploring nothing is drawn."""
    learner, models = taught(ThompsonSampling, BanditLearning(deviation=0.5, ridge=2.0))
    fit = learner.initial_state(1, 1)
    drawn = fit.sampled(50_000, 0.5, torch.Generator().manual_seed(0)).numpy()
    for model, (gram, theta) in enumerate(models):
        np.testing.assert_allclose(fit.theta[model], theta, atol=1e-10)
        covariance = 0.25 * np.linalg.inv(gram)
        deviation = np.sqrt(np.diag(covariance))
        np.testing.assert_allclose(drawn[:, model].mean(0), theta, atol=5 * deviation.max() / 50_000**0.5)
        scaled = np.cov(drawn[:, model].T) / np.outer(deviation, deviation)
        np.testing.assert_allclose(scaled, covariance / np.outer(deviation, deviation), atol=0.04)
    step = seen(40, 3)
    generator = torch.Generator().manual_seed(0)
    offers = [learner.act(step, fit, explore=1.0, generator=generator).offer for _ in range(2)]
    assert not torch.equal(*offers)  # a draw for each decision
    state = generator.get_state()
    learner.act(step, fit, generator=generator)
    assert torch.equal(generator.get_state(), state)


def test_an_offers_reward_is_what_came_of_it_until_it_ended() -> None:
    _, episodes = played()
    decided, sums = outcomes(episodes)
    steps, games, followers = episodes.offer.shape
    for game, follower in np.ndindex(games, followers):
        running: float | None = None
        start = 0
        for step in range(steps):
            if not episodes.valid[step, game]:
                assert not decided[step, game, follower]
                continue
            fresh = step == 0 or bool(episodes.expired[step, game, follower])
            assert bool(decided[step, game, follower]) == fresh
            if fresh:
                if running is not None:
                    assert float(sums[start, game, follower]) == pytest.approx(running)
                running, start = 0.0, step
            else:
                assert episodes.offer[step, game, follower] == episodes.offer[step - 1, game, follower]
            assert running is not None
            completed = int(episodes.completed[step, game, follower])
            running += float(episodes.goal_reward[completed]) if completed >= 0 else 0.0
            running -= float(episodes.payment[step, game, follower])
        assert running is not None and float(sums[start, game, follower]) == pytest.approx(running)


def test_a_bandit_learns_from_decisions_alone() -> None:
    leader, episodes = played(abstain=True)
    assert isinstance(leader, ThompsonSampling)
    decided, sums = outcomes(episodes)
    leader.update(episodes)
    levels = leader.space.num_bonuses
    none = leader.space.candidates * levels
    level = torch.where(episodes.offer == none, levels, episodes.offer % levels)[decided]
    count = torch.bincount(level, minlength=levels + 1).double()
    assert (count > 0).all()
    assert torch.equal(leader.learned.gram[:, 0, 0], count)  # the context's first number is 1
    first = [sums[decided][level == one].sum() / leader.space.unit for one in range(levels + 1)]
    torch.testing.assert_close(leader.learned.moment[:, 0], torch.stack(first))


def test_returns_count_what_all_share_once() -> None:
    env = make_vec(TASK, 4, 1, 1, autoreset_mode="Disabled", weight_equality=0.5, weight_welfare=0.3)
    leader = leader_of("linear-contract", env)
    episodes, totals = Rollout(env, leader, torch.Generator()).play()
    assert episodes is not None and episodes.common is not None and totals.objective is not None
    np.testing.assert_allclose(returns(episodes), totals.objective, rtol=1e-5)


def test_levels_are_the_nearest_to_a_share_of_what_the_goal_is_worth() -> None:
    goal_reward, price = torch.tensor([5.0, 2.0]), torch.tensor([1.0, 2.0, 3.0])
    shares = torch.tensor([0.0, 0.3, 0.5, 1.0], dtype=torch.float64)
    assert levels_of_shares(shares, goal_reward, price).tolist() == [[0, 0], [0, 0], [1, 0], [2, 1]]  # 1.5, 2.5: lower
    leader = LinearContract(space(), BanditLearning(shares=101))
    assert leader.levels.tolist() == [[0, 0], [1, 0], [2, 0], [2, 1]]  # each once
    assert leader.shares.tolist() == pytest.approx([0.0, 0.31, 0.51, 0.76])


def test_the_nearest_goal_is_that_of_the_observation() -> None:
    env = make_vec(TASK, 50, 0, 1, autoreset_mode="Disabled")
    observation, _ = env.reset()
    _, goal = FeatureEncoder(env).encode(observation)
    distance = observation["distance"].astype(int)
    np.testing.assert_array_equal(goal[..., REACHABLE] > 0, distance >= 0)
    assert (goal[..., NEARNESS][distance >= 0] > 0).all()
    place, reachable = nearest_goals(torch.from_numpy(goal))
    far = np.where(distance >= 0, distance, 10**6)
    np.testing.assert_array_equal(place, np.where((distance >= 0).any(-1), far.argmin(-1), 0))
    np.testing.assert_array_equal(reachable, (distance >= 0).any(-1))


def test_linear_contract_refuses_episodes_that_it_has_not_played() -> None:
    env = make_vec(TASK, 4, 1, 1, autoreset_mode="Disabled")
    leader = leader_of("linear-contract", env)
    episodes, _ = Rollout(env, leader, torch.Generator()).play()
    assert episodes is not None
    with pytest.raises(ValueError, match="episodes: expected those that this leader has just played with exploring"):
        leader.update(episodes)
