"""A device beside the CPU: the same weights and the same episodes, for `bench/cuda.py`.

The truth is torch on the CPU in float64. The device, and the CPU as it learns, both in float32, are held against it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
from torch import Tensor

from paymaster.algorithms.core_update import CoreUpdate
from paymaster.algorithms.ebpg import EBPG
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.followers import FollowerActorCritic
from paymaster.algorithms.joined_adam import JoinedAdam
from paymaster.algorithms.process_group import SINGLE_PROCESS
from paymaster.algorithms.protocol import LeaderInput
from paymaster.analysis.evaluate import evaluate_run
from paymaster.networks.torch_defaults import usual_torch
from paymaster.play.rollout import Rollout
from paymaster.storage.checkpoint import latest_checkpoint, load_checkpoint
from paymaster.training.config import TrainConfig
from paymaster.training.run_state import RunParts, save_run_state
from paymaster.training.train import make_parts, train

CLOSE = 1e-4  # relative error of a gradient: float32 gives about 1e-6, TF32 1e-3
ABSTAIN = {"abstain": True, "payment": "advance"}
LEADERS = {
    "ebpg-expiring": TrainConfig("resource_collection"),
    "ebpg, abstaining": TrainConfig("multi_bonus_resource_collection", leader="ebpg", parameters=ABSTAIN),
    "m3rl": TrainConfig("navigation", leader="m3rl"),
    "no-prediction": TrainConfig("predator_prey", leader="no-prediction"),
}


class Compared(NamedTuple):
    """A row: what was compared, the device's error, the CPU's, and whether the device's is small enough."""

    what: str
    device: str
    cpu: str
    equal: bool


def compare_leaders(device: torch.device, games: int) -> Iterator[Compared]:
    """Metrics and gradient of an update, and the offers of every step."""
    for name, config in LEADERS.items():
        parts = _practised(replace(config, num_envs=games), updates=2)
        episodes, _ = Rollout(parts.env, parts.leader, parts.generator).play(explore=0.3)
        truth, cpu, there = (_copy_of(parts.leader, where) for where in ("double", "cpu", device))
        exact, _ = truth.update(_in_double(episodes)), cpu.update(episodes)
        with by_torch():
            found = there.update(episodes.to(device))
        wrong = max(abs(found[key] - value) / max(1.0, abs(value)) for key, value in exact.items())
        yield Compared(f"{name}: metrics", f"{wrong:.1e}", "", wrong < CLOSE)
        yield _gradients(name, truth.network, there.network, cpu.network)
        yield _offers(name, _copy_of(parts.leader, "cpu"), _copy_of(parts.leader, device), episodes)


def compare_followers(device: torch.device, games: int) -> Iterator[Compared]:
    """The gradient of an update of followers that learn."""
    for kind in ("meta", "primitive"):
        task = {"followers": kind, "payment": "advance_once"}
        parts = _practised(TrainConfig("resource_collection", num_envs=games, parameters=task), updates=1)
        assert parts.followers is not None
        Rollout(parts.env, parts.leader, parts.generator).play(keep=False)
        lived, learner = parts.followers.lived(), parts.followers.followers
        truth, cpu, there = (_followers_like(learner, where) for where in ("double", "cpu", device))
        for one, episodes in ((truth, _in_double(lived)), (cpu, lived), (there, lived)):
            one.update(episodes)
        yield _gradients(f"{kind} followers", truth.network, there.network, cpu.network)


def compare_optimiser(device: torch.device) -> Iterator[Compared]:
    """Three steps of Adam with the same gradients."""
    generator = torch.Generator().manual_seed(1)
    start, *gradients = torch.randn(4, 3000, generator=generator)
    ends = []
    for where, dtype in ((torch.device("cpu"), torch.float64), (torch.device("cpu"), torch.float32), (device, None)):
        weight = torch.nn.Parameter(start.to(where, dtype or torch.float32, copy=True))
        optimizer = JoinedAdam([{"params": [weight], "lr": 6e-3}])
        for gradient in gradients:
            weight.grad = gradient.to(weight)
            optimizer.step()
        ends.append(weight.detach().cpu().double() - start)
    errors = [_relative(end, ends[0]) for end in ends[1:]]
    yield Compared("three steps of Adam", f"{errors[1]:.1e}", f"{errors[0]:.1e}", errors[1] < CLOSE)


def compare_runs(device: str, updates: int) -> Iterator[Compared]:
    """A training on the device: the same twice, resumed, taken over from the CPU and back, evaluated.

    Whether bits are the same is to be learned, not required: no page says so of a GPU.
    """
    config = TrainConfig(
        "resource_collection", episodes=32 * updates, device=device, checkpoint_every=32 * updates // 2
    )
    with tempfile.TemporaryDirectory() as folder:
        whole, again, parts, moved = (Path(folder) / name for name in ("whole", "again", "parts", "moved"))
        for out in (whole, again):
            _train(config, out)
        same = _same_bits(whole, again)
        yield Compared(f"{updates} updates, twice", "the same bits" if same else "other bits", "", True)
        gain = evaluate_run(whole, 200).gain.mean()
        yield Compared("their leader, evaluated on 200 episodes", f"gain {gain:.2f}", "", True)
        _train_half(config, parts)
        _train(config, parts, resume=True)
        same = _same_bits(whole, parts)
        yield Compared("stopped half way and resumed", "the same bits" if same else "other bits", "", True)
        _train_half(replace(config, device="cpu"), moved)
        _train(replace(config, device=device), moved, resume=True, given=["device"])
        longer = replace(config, episodes=config.episodes + 32, device="cpu")
        _train(longer, moved, resume=True, given=["device", "episodes"])
        gain = evaluate_run(moved, 200).gain.mean()
        yield Compared("begun on the CPU, continued here, then on the CPU", f"gain {gain:.2f}", "", True)


@contextmanager
def by_torch() -> Iterator[None]:
    """Let leaders on the CPU learn by torch as well, as they do elsewhere."""
    with patch.object(CoreUpdate, "of", staticmethod(lambda *_: None)):
        yield


def _practised(config: TrainConfig, updates: int) -> RunParts:
    """A leader, and followers, that have learned a little on the CPU; one gradient step an update."""
    learner = replace(config.learner, epochs=1)
    followers = replace(config.follower_learner, epochs=1)
    config = replace(config, device="cpu", seed=5, learner=learner, follower_learner=followers)
    parts = make_parts(config, SINGLE_PROCESS)
    if parts.followers is not None:
        parts.followers.keep = True
    rollout = Rollout(parts.env, parts.leader, parts.generator)
    for _ in range(updates):
        episodes, _ = rollout.play(explore=0.3)
        parts.leader.update(episodes)
        if parts.followers is not None:
            parts.followers.followers.update(parts.followers.lived())
    return parts


def _copy_of(leader: EBPG, where: torch.device | str) -> EBPG:
    """A leader with the same weights, elsewhere, or in double precision on the CPU."""
    copy = EBPG(leader.network.config, leader.config, "cpu" if where == "double" else where)
    if where == "double":
        copy.network.double()
    copy.network.load_state_dict(leader.network.state_dict())
    return copy


def _followers_like(learner: FollowerActorCritic, where: torch.device | str) -> FollowerActorCritic:
    copy = FollowerActorCritic(learner.network.config, learner.config, "cpu" if where == "double" else where)
    if where == "double":
        copy.network.double()
    copy.network.load_state_dict(learner.network.state_dict())
    return copy


def _in_double(episodes: Any) -> Any:
    """Episodes of a leader or of followers with numbers of double precision."""
    parts = vars(episodes).items()
    floats = {name: part for name, part in parts if isinstance(part, Tensor) and part.is_floating_point()}
    return replace(episodes, **{name: part.double() for name, part in floats.items()})


def _gradients(what: str, truth: Any, there: Any, cpu: Any) -> Compared:
    exact, found, usual = (
        torch.cat([p.grad.detach().cpu().double().flatten() for p in network.parameters() if p.grad is not None])
        for network in (truth, there, cpu)
    )
    wrong = _relative(found, exact)
    return Compared(f"{what}: gradient", f"{wrong:.1e}", f"{_relative(usual, exact):.1e}", wrong < CLOSE)


def _relative(found: Tensor, exact: Tensor) -> float:
    return float((found - exact).norm() / exact.norm())


@usual_torch()
def _offers(what: str, cpu: EBPG, there: EBPG, episodes: Episodes) -> Compared:
    """Offers drawn with the same uniform numbers, step by step, each from what the CPU has seen and offered."""
    games, n, same, total = episodes.num_games, episodes.num_followers, 0, 0
    states = [one.initial_state(games, n) for one in (cpu, there)]
    for step in range(episodes.num_steps):
        drawn = []
        for number, one in enumerate((cpu, there)):
            seen = (
                getattr(episodes, name)[step].to(one.device) for name in ("follower", "goal", "previous", "expired")
            )
            with _drawing(step):
                decision = one.act(LeaderInput(*seen, step), states[number])
            states[number] = decision.state
            drawn.append(decision.offer.cpu())
        same += int((drawn[0] == drawn[1]).sum())
        total += drawn[0].numel()
    return Compared(f"{what}: offers that are the same", f"{same:,} of {total:,}", "", same > 0.999 * total)


@contextmanager
def _drawing(seed: int) -> Iterator[None]:
    """Let every device draw the CPU's numbers."""
    whole: Callable[..., Tensor] = torch.rand

    def rand(*sizes: Any, device: Any = None, dtype: Any = None, **_: Any) -> Tensor:
        numbers = whole(*sizes, generator=torch.Generator().manual_seed(seed), dtype=dtype)
        return numbers.to(device or "cpu")

    with patch.object(torch, "rand", rand):
        yield


class _Stopped(BaseException):
    """Stands in for `kill`."""


def _train_half(config: TrainConfig, out: Path) -> None:
    """Train up to the first checkpoint."""

    def save(*state: Any) -> None:
        save_run_state(*state)
        raise _Stopped

    with patch("paymaster.training.train.save_run_state", save), suppress(_Stopped):
        _train(config, out)


def _train(config: TrainConfig, out: Path, **how: Any) -> None:
    """Without its progress."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        train(config, out, **how)


def _same_bits(one: Path, other: Path) -> bool:
    left, right = (load_checkpoint(latest_checkpoint(run)).tensors for run in (one, other))
    pairs = ((tensor, right[group][name]) for group, named in left.items() for name, tensor in named.items())
    return all(torch.equal(*pair) for pair in pairs)
