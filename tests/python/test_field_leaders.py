"""Methods of the field that are no setting of our learner: what they compute, what they find, and their runs."""

from __future__ import annotations

import copy
import json
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from command_line import error_of, own_folder  # noqa: F401  # a fixture
from paymaster.algorithms import EBPG, FIELD
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.field import BanditLearning, BayesLearning, DesignerLearning, FieldLeader, OfferSpace
from paymaster.algorithms.field.bayes import Bayes, expected_improvement
from paymaster.algorithms.field.designer import Designer
from paymaster.algorithms.field.linear_bandits import LinUCB, ThompsonSampling
from paymaster.algorithms.field.linear_contract import LinearContract, levels_of_shares
from paymaster.algorithms.field.metagradient import foreseen_weights, log_policy
from paymaster.algorithms.field.offer_rule import offers_by_rule
from paymaster.algorithms.field.offers import NEARNESS, REACHABLE, nearest_goals, outcomes, returns
from paymaster.algorithms.followers import FollowerEpisodes
from paymaster.algorithms.protocol import LeaderAlgorithm, LeaderInput
from paymaster.analysis.evaluate import evaluate_run
from paymaster.commands.main import main
from paymaster.envs.tasks import make_vec
from paymaster.features.leader import FeatureEncoder
from paymaster.play.rollout import Rollout
from paymaster.storage.metrics_file import METRICS, read_metrics
from paymaster.training.config import TrainConfig
from paymaster.training.setup import make_env, make_followers, make_leader
from paymaster.training.train import train
from rest_slow import rest_slow
from small_runs import SMALL, TASK, check_killed_run
from tiny_games import GAMES, TinyGame, gains

HERE = [name for name in FIELD if name != "bayes" or find_spec("sklearn") is not None]
"""Methods that this installation has all for."""
METHODS = [name for name in HERE if FIELD[name].field is not None and name != "metagradient"]
"""Those that are no setting of our learner, and play with followers of every kind."""
BANDITS = {"ucb": LinUCB, "thompson": ThompsonSampling}
EVALUATED, EVALUATION_SEED = 1000, 10**9 + 7


PRICED = replace(GAMES["hold"], parameters={**GAMES["hold"].parameters, "num_bonuses": 3, "prices": [0.0, 1.0, 2.0]})
"""The same, with a bonus of 0, which nobody works for, and one that is twice as much as it takes."""


def leader_of(name: str, env: Any, **changes: Any) -> FieldLeader:
    leader = make_leader(replace(TrainConfig(env.task, leader=name, device="cpu"), **changes), env)
    assert isinstance(leader, LeaderAlgorithm)
    assert isinstance(leader, FieldLeader)
    return leader


def share_of_best(name: str, game: TinyGame, batches: int, **changes: Any) -> float:
    """Train on so many batches of 32 episodes; return the gain on others as a share of the best leader's."""
    env = game.make(32, 0)
    leader = make_leader(replace(TrainConfig(game.task, leader=name, device="cpu"), **changes), env)
    rollout = Rollout(env, leader, torch.Generator().manual_seed(0))
    for _ in range(batches):
        episodes, _ = rollout.play(explore=leader.exploration_rate(0))
        assert episodes is not None
        leader.update(episodes)
    unseen = game.make(EVALUATED, EVALUATION_SEED)
    unseen.statistics.set(**env.statistics.arrays())
    unseen.statistics.frozen = True
    _, totals = Rollout(unseen, leader, torch.Generator().manual_seed(1)).play(keep=False)
    return float(totals.gain.mean() / gains(game.make(EVALUATED, EVALUATION_SEED), game.best).mean())


def _for_one(observation: Any) -> Any:
    """Type 0 for 1, in the game with prices 0, 1 and 2."""
    return np.stack((np.zeros_like(observation["identity"]), np.ones_like(observation["identity"])), axis=-1)


def space(**changes: Any) -> OfferSpace:
    """Two goal types, three levels; four features of a follower, five of a goal type."""
    usual = OfferSpace(2, 3, 2, False, 4, 5, torch.tensor([5.0, 2.0]), torch.tensor([1.0, 2.0, 3.0]))
    return replace(usual, **changes)


def seen(games: int, followers: int, seed: int = 0) -> LeaderInput:
    """A first step of random features."""
    draw = torch.Generator().manual_seed(seed)
    return LeaderInput(
        torch.rand(games, followers, 4, generator=draw),
        torch.rand(games, followers, 2, 5, generator=draw),
        torch.full((games, followers), -1),
        torch.ones(games, followers, dtype=torch.bool),
        0,
    )


def played(abstain: bool = False) -> tuple[FieldLeader, Episodes]:
    """A leader with bonus levels to choose from, and episodes it has played."""
    env = make_vec("multi_bonus_resource_collection", 6, 1, 1, autoreset_mode="Disabled", abstain=abstain)
    leader = leader_of("thompson", env)
    episodes, _ = Rollout(env, leader, torch.Generator().manual_seed(0)).play(explore=1.0)
    assert episodes is not None
    return leader, episodes


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
    game = replace(PRICED, best=_for_one)
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


# ---- a search for a rule's parameters

with_sklearn = pytest.mark.skipif("bayes" not in HERE, reason="needs scikit-learn")


@with_sklearn
@pytest.mark.parametrize("name", ["hold", "switch_once"])
def test_bayes_comes_near_the_best_leader(name: str) -> None:
    search = BayesLearning(evaluations=12, initial=6)
    assert share_of_best("bayes", GAMES[name], 12, bayes=search) == 1.0


@with_sklearn
def test_bayes_finds_what_nobody_told_it() -> None:
    """Half of all shares pay nothing or too much, and one point in two of the search's first is among them."""
    game = replace(PRICED, best=_for_one)
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


# ---- their runs


@pytest.mark.parametrize("name", HERE)
def test_a_run_that_is_killed_ends_the_same(name: str, tmp_path: Path) -> None:
    search = BayesLearning(evaluations=6, initial=2)
    config = TrainConfig(
        TASK,
        leader=name,
        episodes=64,
        num_envs=8,
        checkpoint_every=16,
        seed=3,
        device="cpu",
        bayes=search,
        parameters={"followers": "meta"} if name == "metagradient" else {},
    )
    checkpoint, rows = check_killed_run(config, tmp_path)
    assert len(rows) == 8 and all(np.isfinite(value) for row in rows for value in row.values())
    assert any(bool((tensor != 0).any()) for tensor in checkpoint.tensors["leader"].values())
    stored = json.loads((tmp_path / "whole/config.json").read_text())["config"]
    assert stored["leader"] == name and "bandit" not in stored


GAMES_PLAYED: list[tuple[str, dict[str, Any]]] = [
    ("multi_bonus_resource_collection", {"near_goals": 2, "abstain": True}),
    ("multi_bonus_crafting", {}),
    ("navigation", {"payment": "advance", "budget": 20.0}),
    ("predator_prey", {"followers": "meta", "payment": "advance_once"}),
    (TASK, {"weight_welfare": 0.5}),
]


@pytest.mark.parametrize(
    ("name", "task", "parameters"),
    rest_slow(
        [(name, task, parameters) for task, parameters in GAMES_PLAYED for name in METHODS],
        lambda case: (case[0] == "linear-contract" and "near_goals" in case[2]) or case[:2] == ("ucb", "navigation"),
    ),
)
def test_they_play_every_kind_of_game(name: str, task: str, parameters: dict[str, Any], tmp_path: Path) -> None:
    config = TrainConfig(task, leader=name, episodes=16, num_envs=8, parameters=parameters, device="cpu")
    train(config, tmp_path / "run")
    assert evaluate_run(tmp_path / "run", 10).gain.shape == (10,)


@pytest.mark.parametrize("name", rest_slow(METHODS, {"ucb"}.__contains__))
def test_the_commands_take_them_like_any_leader(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    tiny = ["--episodes", "16", "--num-envs", "8", "--evaluate", "0", "--out", "run"]
    assert main(["train", TASK, "--leader", name, *tiny]) == 0
    assert f"training {name} with its settings but num_envs=8 on {TASK} in run" in capsys.readouterr().out
    assert main(["render", "run", "--step", "2", "--out", "picture.png"]) == 0
    assert main(["inspect", "run", "--episodes", "4"]) == 0
    found = json.loads(Path("run/inspection.json").read_text())
    assert found["attention"] is None and sum(found["option_lengths"]) > 0
    assert main(["diagnose", "run", "--episodes", "4", "--json"]) == 0
    capsys.readouterr()
    assert main(["compare", "run", "nearest_hold", "--episodes", "8", "--json"]) == 0
    labels = [leader["leader"] for leader in json.loads(capsys.readouterr().out)["leaders"]]
    assert labels == [name, "nearest_hold"]


@pytest.mark.parametrize("name", METHODS)
def test_evaluating_while_training_changes_nothing(name: str, tmp_path: Path) -> None:
    config = TrainConfig(TASK, leader=name, episodes=24, num_envs=8, device="cpu")
    train(config, tmp_path / "plain")
    train(replace(config, evaluate_every=8, evaluate_episodes=8), tmp_path / "evaluated")
    rows = [read_metrics(tmp_path / run / METRICS) for run in ("plain", "evaluated")]
    evaluated = [{key: row[key] for key in row if not key.startswith("evaluation_")} for row in rows[1]]
    assert evaluated == rows[0] and "evaluation_gain" in rows[1][0]


def test_settings_are_stored_where_they_differ(tmp_path: Path) -> None:
    config = TrainConfig(TASK, leader="ucb", episodes=8, num_envs=8, bandit=BanditLearning(alpha=0.5))
    train(config, tmp_path / "run")
    stored = json.loads((tmp_path / "run/config.json").read_text())["config"]
    assert stored["bandit"]["alpha"] == 0.5
    assert TrainConfig.from_json(stored) == config
    assert config.departures == {"num_envs": 8, "bandit.alpha": 0.5}
    with pytest.raises(ValueError, match=r"bandit.alpha: expected 0.5 as in the run to resume, got 0.7"):
        train(replace(config, bandit=BanditLearning(alpha=0.7)), tmp_path / "run", resume=True)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["--leader", "ucb", "--bandit.alpha", "-1"], "bandit.alpha: expected a number of at least 0, got -1.0"),
        (["--leader", "ucb", "--bandit.ridge", "0"], "bandit.ridge: expected a number above 0, got 0.0"),
        (["--leader", "linear-contract", "--bandit.share", "2"], "bandit.share: expected a number in [0, 1]"),
        (
            ["--leader", "linear-contract", "--bandit.shares", "1"],
            "bandit.shares: expected a whole number in [2, 1,000]",
        ),
        (["--bandit.alpha", "2"], "bandit.alpha: expected it only with ucb, got 2.0 for ebpg-expiring"),
        (
            ["--leader", "thompson", "--bandit.alpha", "2"],
            "bandit.alpha: expected it only with ucb, got 2.0 for thompson",
        ),
        (["--leader", "ucb", "--bandit.deviation", "2"], "bandit.deviation: expected it only with thompson, got 2.0"),
        (["--leader", "ucb", "--bandit.share", "0.5"], "bandit.share: expected it only with linear-contract, got 0.5"),
        (
            ["--leader", "linear-contract", "--bandit.share", "0.5", "--bandit.shares", "5"],
            "bandit.shares: expected it only without bandit.share, got 5",
        ),
        (
            ["--leader", "ucb", "--learner.gamma", "0.5"],
            "learner.gamma: expected one of the settings of ucb, bandit.ridge, bandit.alpha, got 0.5",
        ),
        (
            ["--leader", "ucb", "--hidden", "8"],
            "hidden: expected one of the settings of ucb, bandit.ridge, bandit.alpha",
        ),
        (["--leader", "bayes", "--bayes.initial", "200"], "initial: expected at most evaluations = 100, got 200"),
        (["--leader", "ucb", "--bayes.margin", "1"], "bayes.margin: expected it only with bayes, got 1.0 for ucb"),
        (["--leader", "dual-rl", "--designer.learning-rate", "0"], "designer.learning_rate: expected a number above 0"),
        (
            ["--leader", "dual-rl", "--designer.follower-step", "2"],
            "designer.follower_step: expected it only with metagradient, got 2.0 for dual-rl",
        ),
        (["--leader", "ucb", "--performance-history"], "performance_history: expected "),
    ],
)
def test_settings_that_make_no_sense(args: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert error_of(["train", TASK, *args, "--episodes", "8", "--evaluate", "0"], capsys).startswith(error)


def test_performance_history_is_refused_from_python_too(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="performance_history: expected it only with a leader that has networks"):
        train(replace(SMALL, leader="ucb", learner=None, performance_history=True), tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
