"""Bayesian optimisation of an offer rule: the search, and the rule."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from field_methods import HERE, PRICED, for_one, leader_of, share_of_best
from paymaster.algorithms.field import BayesLearning, OfferSpace
from paymaster.algorithms.field.bayes import Bayes, expected_improvement
from paymaster.algorithms.field.offer_rule import offers_by_rule
from paymaster.algorithms.field.offers import NEARNESS
from paymaster.envs.tasks import make_vec
from paymaster.features.leader import FeatureEncoder
from paymaster.play.rollout import Rollout
from paymaster.training.config import TrainConfig
from paymaster.training.train import train
from small_runs import TASK
from tiny_games import GAMES

with_sklearn = pytest.mark.skipif("bayes" not in HERE, reason="needs scikit-learn")


@with_sklearn
@pytest.mark.parametrize("name", ["hold", "switch_once"])
def test_bayes_comes_near_the_best_leader(name: str) -> None:
    search = BayesLearning(evaluations=12, initial=6)
    assert share_of_best("bayes", GAMES[name], 12, bayes=search) == 1.0


@with_sklearn
def test_bayes_finds_what_nobody_told_it() -> None:
    """Half of all shares pay nothing or too much, and one point in two of the search's first is among them."""
    game = replace(PRICED, best=for_one)
    search = BayesLearning(evaluations=14, initial=6)
    assert share_of_best("bayes", game, 14, bayes=search) == 1.0


@with_sklearn
def test_bayes_stops_searching_and_plays_the_best_of_what_it_tried() -> None:
    env = GAMES["hold"].make(8, 0)
    leader = leader_of("bayes", env, bayes=BayesLearning(evaluations=5, initial=3))
    assert isinstance(leader, Bayes)
    rollout, tried = Rollout(env, leader, torch.Generator().manual_seed(0)), []
    for _ in range(8):
        tried.append(leader.learned.now.tolist())
        episodes, totals = rollout.play(explore=1.0)
        assert episodes is not None
        done = len(tried)
        leader.update(episodes)
        if done <= 5:
            assert leader.learned.points[done - 1].tolist() == tried[-1]
            assert float(leader.learned.values[done - 1]) == pytest.approx(float(totals.gain.mean()))
    assert int(leader.learned.count) == 5 and len({tuple(point) for point in tried[:5]}) == 5
    assert tried[5] == tried[6] == tried[7] == leader.learned.best.tolist() and tried[5] in tried[:5]


@with_sklearn
def test_expected_improvement_is_the_mean_of_what_is_gained() -> None:
    draw = np.random.default_rng(0).standard_normal(400_000)
    for mean, deviation, best, margin in ((0.0, 1.0, 0.5, 0.0), (1.0, 0.3, 0.5, 0.1), (-1.0, 2.0, 0.0, 0.0)):
        gained = np.maximum(mean + deviation * draw - best - margin, 0.0)
        found = expected_improvement(np.array([mean]), np.array([deviation]), best, margin)[0]
        assert abs(found - gained.mean()) <= 5 * gained.std() / 400_000**0.5
    assert expected_improvement(np.array([2.0]), np.array([0.0]), 1.0, 0.0)[0] == pytest.approx(1.0)


def test_the_rule_is_what_its_docstring_says() -> None:
    """Follower by follower, from the observation and the table of the statistics."""
    env = make_vec("multi_bonus_resource_collection", 20, 0, 1, autoreset_mode="Disabled", abstain=True)
    player = leader_of("thompson", env)
    for _ in range(3):
        Rollout(env, player, torch.Generator().manual_seed(0)).play(explore=1.0)
    observation, _ = env.reset()
    for _ in range(4):
        observation, *_ = env.step(np.random.default_rng(1).integers(0, 4, (20, 4, 2)))
    encoder, table = FeatureEncoder(env), env.statistics.arrays()
    _, goal = encoder.encode(observation)
    whole = OfferSpace(4, 4, 4, True, 1, 1, torch.tensor(env.goal_reward), torch.tensor(env.prices))
    checked = set()
    for parameters in ((0.5, 0.3, 0.6, 0.4), (1.0, 0.9, 0.0, 0.0), (0.0, 0.5, 1.0, 0.9)):
        share, enough, record, crowd = parameters
        offers = offers_by_rule(torch.tensor(parameters, dtype=torch.float64), torch.from_numpy(goal), whole)
        for game, follower in np.ndindex(20, 4):
            identity, scores = observation["identity"][game, follower], []
            for kind in range(4):
                if observation["distance"][game, follower, kind] < 0:
                    scores.append(-np.inf)
                    continue
                others = (np.delete(observation["offer"][game, :, 0], follower) == kind).sum() / 4
                known = table["outcome_count"][identity, kind] > 0
                completed = table["outcome"][identity, kind] if known else 1.0
                near = float(goal[game, follower, kind, NEARNESS])
                scores.append((1 - record) * near + record * completed - crowd * others)
            if max(scores) == -np.inf:
                assert int(offers[game, follower]) == 16
                continue
            best = int(offers[game, follower]) // 4
            assert scores[best] >= max(scores) - 1e-6
            wanted = share * float(env.goal_reward[best])
            most = int(np.abs(env.prices - wanted).argmin())
            rates, counts = (table[name][identity, best] for name in ("acceptance", "acceptance_count"))
            works = [level for level in range(most) if counts[level] == 0 or rates[level] >= enough]
            assert int(offers[game, follower]) % 4 == (works[0] if works else most)
            checked.add((best, most, bool(works)))
    assert len(checked) > 8


def test_bayes_without_scikit_learn_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.gaussian_process", None)
    with pytest.raises(
        ValueError, match=r"leader: expected scikit-learn beside bayes.*pip install 'paymaster\[bayes\]'"
    ):
        train(TrainConfig(TASK, leader="bayes", device="cpu"), tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
