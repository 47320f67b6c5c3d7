"""Whole episodes as networks learn from them."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import play
from paymaster.algorithms import LeaderAlgorithm
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.protocol import Insight, LeaderInput, LeaderStep
from paymaster.features.leader import FeatureEncoder, unflatten_offers
from paymaster.play.episode import EpisodeTotals
from paymaster.play.rollout import Rollout
from play import MB, RC, SMALL

make = partial(play.make, num_envs=6)


class Scripted:
    """A leader that draws uniform offers from its generator, and remembers what it was shown."""

    def __init__(self, env: Any, hold: int = 3) -> None:
        self.size = env.parameters["num_goals"] * env.parameters["num_bonuses"] + env.parameters["abstain"]
        self.hold = hold
        self.device = torch.device("cpu")
        self.calls: list[dict[str, Any]] = []

    def initial_state(self, num_games: int, num_followers: int) -> Tensor:
        return torch.zeros(num_games, num_followers, dtype=torch.int64)

    def act(
        self,
        seen: LeaderInput,
        state: Tensor,
        *,
        explore: float = 0.0,
        generator: torch.Generator | None = None,
        greedy: bool = False,
    ) -> LeaderStep:
        previous = seen.previous
        self.calls.append({"seen": seen, "previous": previous, "state": state, "explore": explore, "greedy": greedy})
        fresh = torch.randint(self.size, previous.shape, generator=generator)
        offer = torch.where(state % self.hold == 0, fresh, previous)
        return LeaderStep(offer, state + 1)

    def update(self, episodes: Episodes) -> dict[str, float]:
        raise NotImplementedError

    def inspect(self, episodes: Episodes) -> Insight:
        raise NotImplementedError

    def exploration_rate(self, episodes_done: int) -> float:
        raise NotImplementedError

    def modules(self) -> dict[str, nn.Module]:
        return {}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {}


def rollout(env: Any, seed: int = 0) -> tuple[Rollout, Scripted]:
    leader = Scripted(env)
    assert isinstance(leader, LeaderAlgorithm)
    return Rollout(env, leader, torch.Generator().manual_seed(seed)), leader


PARAMETERS = [
    pytest.param(RC, {}, id="default"),
    pytest.param(RC, {**SMALL, "abstain": True}, id="small"),
    pytest.param(MB, {**SMALL, "num_resources": 3, "noise": 0.1}, id="small, advance"),
    pytest.param(RC, {"num_followers": 1, "goal_reward": 2.5, "payment": "advance", "horizon": 7}, id="alone"),
]


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_other_autoreset_modes_are_refused(mode: str) -> None:
    env = make(autoreset_mode=mode)
    with pytest.raises(ValueError, match=f"env: expected autoreset_mode 'Disabled', got '{mode}'"):
        rollout(env)


@pytest.mark.parametrize(("task", "parameters"), PARAMETERS)
def test_an_episode_is_what_the_environment_played(task: str, parameters: dict[str, Any]) -> None:
    """Every tensor against a twin that is stepped by hand with the same offers."""
    env, twin = (make(task, num_envs=32, **parameters) for _ in range(2))
    player, leader = rollout(env)
    lengths: set[int] = set()
    for episode in range(2):
        leader.calls.clear()
        episodes, totals = player.play(explore=0.25)
        seen, _ = twin.reset()
        encoder, ended = FeatureEncoder(twin), np.zeros(32, dtype=np.bool_)
        sums, completions = np.zeros((3, 32)), np.zeros((32, 4), dtype=int)
        for t in range(episodes.num_steps):
            follower, goal = encoder.encode(seen)
            actions = unflatten_offers(episodes.offer[t].numpy(), env.parameters["num_bonuses"])
            seen, reward, terminated, _, info = twin.step(actions)
            np.testing.assert_array_equal(episodes.follower[t], follower)
            np.testing.assert_array_equal(episodes.goal[t], goal)
            np.testing.assert_array_equal(episodes.valid[t], ~ended)
            np.testing.assert_array_equal(episodes.completed[t], info["completed"])
            np.testing.assert_array_equal(episodes.payment[t], info["payment"])
            played = info["follower_action"][~ended]
            np.testing.assert_array_equal(episodes.follower_action[t][~ended], played)
            sums += [reward, info["payment"].sum(-1), info["follower_reward"].sum(-1)]
            for g in range(4):
                completions[:, g] += (info["completed"] == g).sum(-1)
            ended = terminated
        assert ended.all(), "until the last has ended"
        np.testing.assert_equal(given(totals), info["totals"])
        np.testing.assert_allclose([totals.gain, totals.payments, totals.follower_reward], sums, rtol=1e-6)
        np.testing.assert_array_equal(totals.completions, completions)
        np.testing.assert_array_equal(episodes.valid.sum(0), totals.length)
        np.testing.assert_equal(env.statistics.arrays(), twin.statistics.arrays())
        assert (env.state("episode")["episode"] == episode).all()
        lengths |= set(totals.length.tolist())
    if "map" in parameters:
        assert len(lengths) > 3, "the games were to end at different steps"


@pytest.mark.parametrize(("task", "parameters"), PARAMETERS)
def test_tensors_fit_together(task: str, parameters: dict[str, Any]) -> None:
    env = make(task, num_envs=32, **parameters)
    player, leader = rollout(env)
    episodes, totals = player.play(explore=0.25)
    n, k = env.num_followers, env.parameters["num_bonuses"]
    assert episodes.follower.shape == (episodes.num_steps, 32, n, FeatureEncoder(env).follower_features)
    assert episodes.goal.shape == (episodes.num_steps, 32, n, 4, FeatureEncoder(env).goal_features)
    assert episodes.num_steps == totals.length.max()
    assert (episodes.previous[0] == -1).all()
    assert torch.equal(episodes.previous[1:], episodes.offer[:-1])
    changed = episodes.offer != episodes.previous
    assert torch.equal(episodes.new_offer, changed & episodes.valid[..., None])
    np.testing.assert_array_equal(episodes.new_offer.sum((0, 2)), totals.new_offers)  # as the core counts them in play
    assert [call["explore"] for call in leader.calls] == [0.25] * episodes.num_steps
    assert torch.equal(torch.stack([call["previous"] for call in leader.calls]), episodes.previous)
    assert [int(call["state"][0, 0]) for call in leader.calls] == list(range(episodes.num_steps))
    assert episodes.explore == 0.25
    assert episodes.price.tolist() == [b + 1.0 for b in range(k)]
    assert episodes.goal_reward.tolist() == env.goal_reward.tolist()
    assert bool((episodes.valid[1:] <= episodes.valid[:-1]).all()), "what is not played is a suffix"
    rest = ~episodes.valid
    assert (episodes.completed[rest] == -1).all()
    assert not episodes.payment[rest].any()
    assert episodes.offer.min() >= 0
    assert episodes.offer.max() <= 4 * k - 1 + env.parameters["abstain"]
    assert episodes.follower_action.min() >= 0
    assert episodes.follower_action.max() <= 4
    reached = (episodes.completed >= 0).double() * env.goal_reward[0].item() - episodes.payment
    np.testing.assert_allclose((reached.sum(-1) * episodes.valid).sum(0), totals.gain, rtol=1e-6, atol=1e-6)
    if env.parameters["payment"] == "completion":
        price = torch.cat((episodes.price.repeat(4), torch.zeros(1)))[episodes.offer]
        assert torch.equal(episodes.payment, torch.where(episodes.completed >= 0, price, 0.0))


def test_abstaining_leader() -> None:
    env = make(num_envs=16, abstain=True)
    player, _ = rollout(env)
    episodes, _ = player.play()
    none = episodes.offer == 8
    assert none.any()
    assert (episodes.completed[none] == -1).all()
    assert not episodes.payment[none].any()


def test_greedy_and_totals_only() -> None:
    env, twin = make(), make()
    player, leader = rollout(env)
    nothing, totals = player.play(greedy=True, keep=False)
    assert nothing is None
    assert all(call["greedy"] and call["explore"] == 0.0 for call in leader.calls)
    _, expected = rollout(twin)[0].play()
    np.testing.assert_equal(vars(totals), vars(expected))


def given(totals: EpisodeTotals) -> dict[str, Any]:
    """The sums that these games have: those of an objective only where there is one."""
    return {name: values for name, values in vars(totals).items() if values is not None}


def test_same_generator_same_episodes() -> None:
    plays = [rollout(make(noise=0.2), seed)[0].play()[0] for seed in (4, 4, 5)]
    assert torch.equal(plays[0].offer, plays[1].offer)
    assert torch.equal(plays[0].goal, plays[1].goal)
    assert not torch.equal(plays[0].offer, plays[2].offer)


def test_episodes_do_not_change_when_the_next_are_played() -> None:
    player, _ = rollout(make(MB, num_envs=16, **SMALL))
    episodes, totals = player.play()
    before = {name: value.clone() for name, value in vars(episodes).items() if isinstance(value, Tensor)}
    sums = {name: value.copy() for name, value in given(totals).items()}
    player.play()
    for name, value in before.items():
        assert torch.equal(getattr(episodes, name), value), name
    np.testing.assert_equal(given(totals), sums)


def test_environments_that_reuse_their_arrays_give_the_same_episodes() -> None:
    plays = [rollout(make(MB, num_envs=16, copy=copy, **SMALL))[0].play() for copy in (True, False)]
    (episodes, totals), (reused, reused_totals) = plays
    for name, value in vars(episodes).items():
        if isinstance(value, Tensor):
            assert torch.equal(getattr(reused, name), value), name
    np.testing.assert_equal(vars(reused_totals), vars(totals))
