"""Play and learning on torch's `meta` device, in place of a GPU: nothing of the CPU's may get between its tensors.

Meta tensors have sizes and no numbers. What a GPU would be waited for, to know a number, is held fixed here and counted
(:class:`Held`); anything else that reads a number fails. The modules take the way that they take on a GPU, but for the
recurrence, where torch's own stands in for cuDNN's.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from paymaster.algorithms import EBPG, LEADERS, ebpg, losses, packed_steps, process, process_group
from paymaster.algorithms.ebpg_config import Gradient
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.followers import FollowerActorCritic, FollowerLearning
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.networks import state_encoder
from paymaster.networks.follower_policy import Identities
from paymaster.play.learning_followers import FollowerEncoder, LearningFollowers
from paymaster.play.rollout import Rollout
from paymaster.training import setup
from paymaster.training.config import TrainConfig
from paymaster.training.setup import make_env, make_leader
from rest_slow import rest_slow

aten = torch.ops.aten
META = torch.device("meta")
ABSTAIN = {"abstain": True, "num_followers": 3}
NO_GENERATOR: Any = None  # meta has none


class OneDevice(TorchDispatchMode):
    """Refuses operations on tensors of the CPU and of `meta` together, forward and backward, numbers [] included.

    Attributes:
        transfers: copies between the two.
    """

    def __init__(self) -> None:
        super().__init__()
        self.transfers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = args
        if func is aten.gru.data:  # sizes of the packed steps stay on the CPU, for cuDNN too
            assert not args[1].is_meta
            given = (args[0], *args[2:])
        result = func(*args, **(kwargs or {}))
        devices = [one.device.type for one in tree_leaves((given, kwargs, result)) if isinstance(one, Tensor)]
        if len(set(devices)) > 1:
            transfer = func in (aten._to_copy.default, aten.copy_.default)
            assert transfer or func is aten.empty_like.default, f"{func}: tensors on {', '.join(devices)}"
            self.transfers += transfer
        return result


class Held:
    """What would be waited for, held fixed while a test lasts.

    Attributes:
        waits: how often each was waited for.
        sizes: of the packed steps.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.waits: Counter[str] = Counter()
        self.sizes = torch.zeros(0, dtype=torch.int64)

        def instead(owner: Any, name: str, fixed: Any) -> None:
            whole = getattr(owner, name)

            def either(*given: Any, **how: Any) -> Any:
                if not given[0].is_meta:
                    return whole(*given, **how)
                self.waits[name] += 1
                return fixed(*given, **how)

            patch.setattr(owner, name, either)

        instead(Tensor, "cpu", lambda tensor: torch.zeros(tensor.shape, dtype=tensor.dtype))
        instead(Tensor, "tolist", lambda tensor: [0.0] * len(tensor))
        instead(Tensor, "nonzero", lambda mask: mask.new_empty((mask.numel() // 2, mask.dim()), dtype=torch.int64))
        instead(packed_steps, "games_of_steps", lambda _: self.sizes)
        instead(process_group, "step_is_finite", lambda loss, norm: torch.stack((loss.detach(), norm)) is not None)
        # torch has the fused step for `meta`, but does not let Adam take it.
        patch.setattr(import_module("torch.optim.adam"), "_device_dtype_check_for_fused", lambda *_: None)
        patch.setattr(setup, "choose_device", torch.device)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(monkeypatch)


class AsIfMany(process_group._Joined):
    """The only rank, which adds up as several do."""

    def __init__(self) -> None: ...

    def _all_reduce(self, tensor: Tensor) -> None:
        assert tensor.is_meta


def with_followers(kind: str, **learning: Any) -> tuple[TrainConfig, FollowerLearning]:
    config = TrainConfig("resource_collection", parameters={"followers": kind, "payment": "advance_once"})
    return small(config), FollowerLearning(epochs=2, hidden=8, **learning)


def small(config: TrainConfig) -> TrainConfig:
    parameters = {**config.parameters, "horizon": 6}
    return replace(config, parameters=parameters, device="meta", num_envs=3, hidden=8, seed=3)


def play(config: TrainConfig, held: Held, explore: float = 0.2) -> tuple[EBPG, Episodes]:
    """A leader on `meta` and episodes that it played, with the first of all offers at every step."""
    env = make_env(config, config.num_envs, config.seed)
    leader = make_leader(config, env)
    assert isinstance(leader, EBPG)
    with OneDevice() as mode:
        episodes, _ = Rollout(env, leader, NO_GENERATOR).play(explore=explore)
    assert episodes is not None
    steps = episodes.num_steps
    assert mode.transfers == 3 * steps + 8  # features and what has expired; then results, w and prices
    assert held.waits == {"cpu": steps}  # offers
    held.waits.clear()
    held.sizes = torch.tensor([3, 3, 2, 2, 1, 1])  # as if two games had ended early
    return leader, episodes


CASES: dict[str, tuple[TrainConfig, Gradient]] = {
    **{
        f"{name}, {how}": (TrainConfig("resource_collection", leader=name), how)
        for name in LEADERS
        for how in ("dense", "sparse")
    },
    "abstaining": (TrainConfig("multi_bonus_resource_collection", parameters=ABSTAIN), "sparse"),
    "every fifth step": (TrainConfig("navigation", leader="fixed-interval(5)"), "sparse"),
}
COVERING = {"ebpg, dense", "m3rl, sparse", "ebpg-expiring, sparse"}


@pytest.mark.parametrize("name", rest_slow(CASES, COVERING.__contains__))
def test_a_leader_plays_and_learns(name: str, held: Held) -> None:
    config, gradient = CASES[name]
    learner = replace(config.learner, gradient=gradient, epochs=2)
    leader, episodes = play(small(replace(config, learner=learner)), held)
    with OneDevice() as mode:
        metrics = leader.update(episodes)
    assert mode.transfers == 0
    decisions = gradient == "sparse" and learner.entropy_of_decisions
    assert held.waits == {"games_of_steps": 1, "step_is_finite": 2, "tolist": 1} | ({"nonzero": 1} if decisions else {})
    assert {"policy_loss", "gradient_norm", "explained_variance"} <= metrics.keys()
    assert {value.device for state in leader.optimizer.state.values() for value in state.values()} == {META}
    with OneDevice():
        insight = leader.inspect(episodes)
    assert all(part is None or part.is_meta for part in insight)


@pytest.mark.slow
def test_ranks_add_up_what_is_on_the_device(held: Held) -> None:
    leader, episodes = play(small(TrainConfig("resource_collection")), held)
    leader.ranks = AsIfMany()
    with OneDevice() as mode:
        leader.update(episodes)
    assert mode.transfers == 0


@pytest.mark.parametrize(
    ("kind", "identities"),
    rest_slow(
        itertools.product(("meta", "primitive"), ("embedded", "separate")),
        {("meta", "embedded"), ("primitive", "separate")}.__contains__,
    ),
)
def test_followers_play_and_learn(kind: str, identities: Identities, held: Held) -> None:
    config, learning = with_followers(kind, identities=identities)
    env = make_env(config, config.num_envs, config.seed)
    assert isinstance(env, TwoPhaseVectorEnv)
    network = FollowerEncoder(env, META).config(learning.hidden, identities)
    followers = LearningFollowers(env, FollowerActorCritic(network, learning, META), NO_GENERATOR)
    followers.explore, followers.keep = 0.1, True
    with OneDevice():
        Rollout(env, make_leader(config, env), NO_GENERATOR).play(keep=False)
        lived = followers.lived()
    held.waits.clear()
    with OneDevice() as mode:
        followers.followers.update(lived)
    assert mode.transfers == 6  # of what they lived through, which was written on the CPU
    alone = {"nonzero": 1} if identities == "embedded" else {}
    assert held.waits == {"step_is_finite": 2, "tolist": 1} | alone
    states = followers.followers.optimizer.state.values()
    assert {value.device for state in states for value in state.values()} == {META}


@pytest.mark.parametrize(
    ("owner", "name"),
    rest_slow(
        [
            (process, "is_previous"),
            (state_encoder, "offered_goal"),
            (ebpg, "head_prices"),
            (losses, "termination_penalty"),
            (packed_steps.PackedSteps, "pack"),
        ],
        {(ebpg, "head_prices"), (state_encoder, "offered_goal")}.__contains__,
    ),
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_tensor_left_on_the_cpu_is_caught(owner: Any, name: str, held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    leader, episodes = play(small(TrainConfig("resource_collection", leader="ebpg")), held)
    whole = getattr(owner, name)
    monkeypatch.setattr(owner, name, lambda *given: torch.zeros_like(whole(*given), device="cpu"))
    with pytest.raises(AssertionError, match="tensors on"), OneDevice():
        leader.update(episodes)


@pytest.mark.parametrize(
    "is_previous",
    [
        lambda previous, offers: torch.arange(offers) == previous.unsqueeze(-1),
        lambda previous, offers: torch.arange(offers, device=META) == previous.unsqueeze(-1) + torch.tensor(0),
    ],
    ids=["index", "number"],
)
def test_what_is_made_without_a_device_is_caught(is_previous: Any, held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "is_previous", is_previous)
    with pytest.raises((AssertionError, RuntimeError), match=r"tensors on|device"):
        play(small(TrainConfig("resource_collection")), held)
