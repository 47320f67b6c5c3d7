"""Numbers that are NaN or infinite end a training, and never reach a checkpoint."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from paymaster.algorithms import EBPG, EBPGConfig
from paymaster.algorithms.followers import FollowerActorCritic, FollowerLearning
from paymaster.algorithms.process_group import SINGLE_PROCESS, joint_descent
from paymaster.algorithms.protocol import LeaderAlgorithm
from paymaster.analysis.evaluate import evaluate_run
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.storage.checkpoint import latest_checkpoint, list_checkpoints, load_checkpoint
from paymaster.training import setup
from paymaster.training.config import TrainConfig
from paymaster.training.train import train
from paymaster.validation.finite import DivergenceError, check_metrics, check_step, first_not_finite

TASK = "resource_collection"
SMALL = TrainConfig(TASK, episodes=40, num_envs=8, checkpoint_every=16, hidden=8, seed=3)
LEARNING = dataclasses.replace(SMALL, parameters={"followers": "meta", "payment": "advance_once"})


def spoiled_from(update: int, spoil: Callable[[LeaderAlgorithm], Any]) -> Callable[..., LeaderAlgorithm]:
    """The run's leader, to whom something is done before its ``update``-th update."""

    def make(config: TrainConfig, env: LeaderVectorEnv) -> LeaderAlgorithm:
        leader, updates = setup.make_leader(config, env), 0
        learn = leader.update

        def counted(*args: Any, **kwargs: Any) -> dict[str, float]:
            nonlocal updates
            updates += 1
            if updates == update:
                spoil(leader)
            return learn(*args, **kwargs)

        leader.update = counted  # type: ignore[method-assign]
        return leader

    return make


def set_weight(value: float) -> Callable[[LeaderAlgorithm], None]:
    def spoil(leader: LeaderAlgorithm) -> None:
        with torch.no_grad():
            next(leader.modules()["leader"].parameters()).flatten()[0] = value

    return spoil


def spoil_gradient(leader: LeaderAlgorithm) -> None:
    """The loss is finite, one gradient is not."""
    next(leader.modules()["leader"].parameters()).register_hook(lambda gradient: gradient * torch.nan)


def spoil_moments(leader: LeaderAlgorithm) -> None:
    """The first loss and gradient are finite, the step made of them is not."""
    assert isinstance(leader, EBPG)
    state = next(iter(leader.optimizer.state.values()))
    state["exp_avg"].fill_(math.inf)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (set_weight(math.nan), "leader: loss: expected a finite number, got nan"),
        (set_weight(math.inf), "leader: loss: expected a finite number, got"),
        (spoil_gradient, "leader: gradient norm: expected a finite number, got nan"),
        (spoil_moments, "expected .*finite number"),
    ],
)
def test_training_stops_and_keeps_the_last_good_checkpoint(
    spoil: Callable[[LeaderAlgorithm], Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("paymaster.training.train.make_leader", spoiled_from(4, spoil))
    with pytest.raises(DivergenceError, match=message) as caught:
        train(SMALL, tmp_path / "run")
    monkeypatch.undo()
    last = latest_checkpoint(tmp_path / "run")
    assert "diverged after episode 24: " in str(caught.value)
    assert f"the last good checkpoint is kept: {last}" in str(caught.value)
    assert load_checkpoint(last).episode == 16
    evaluate_run(tmp_path / "run", 2)
    train(SMALL, tmp_path / "run", resume=True)  # not spoiled this time
    assert latest_checkpoint(tmp_path / "run").stem == "checkpoint-00000040"


def test_before_the_first_checkpoint(tmp_path: Path) -> None:
    config = dataclasses.replace(SMALL, learner=EBPGConfig(learning_rate=1e30, critic_learning_rate=1e30))
    with pytest.raises(DivergenceError, match=r"seed 3 in .*run diverged after episode .* there is no checkpoint yet"):
        train(dataclasses.replace(config, checkpoint_every=64), tmp_path / "run")
    assert list_checkpoints(tmp_path / "run") == []


def test_followers_that_diverge_are_named(tmp_path: Path) -> None:
    config = dataclasses.replace(LEARNING, follower_learner=FollowerLearning(learning_rate=1e38, hidden=8))
    with pytest.raises(DivergenceError, match=r"followers: (loss|gradient norm): expected a finite number"):
        train(config, tmp_path / "run")


@pytest.mark.parametrize("name", ["gain", "policy_loss", "gradient_norm", "follower_critic_loss"])
def test_metrics_that_must_be_finite(name: str) -> None:
    with pytest.raises(DivergenceError, match=rf"^{name}: expected a finite number, got inf"):
        check_metrics({"length": 1.0, name: math.inf})
    check_metrics({"prediction_accuracy": math.nan})  # nothing was predicted


def test_a_step_is_checked_before_it_is_made() -> None:
    for loss, norm, what in [(math.nan, 1.0, "loss"), (1.0, math.inf, "gradient norm"), (-math.inf, 1.0, "loss")]:
        with pytest.raises(DivergenceError, match=f"leader: {what}: expected"):
            check_step(torch.tensor(loss), torch.tensor(norm), "leader")
    check_step(torch.tensor(-1e30), torch.tensor(1e30, dtype=torch.float64), "leader")


@pytest.mark.parametrize("parts", [1, 3])
def test_a_gradient_whose_squares_overflow_is_clipped(parts: int) -> None:
    """Finite as it is, it becomes a step like any other."""
    gradients = [torch.full((2,), 3e30) for _ in range(parts)]
    norm = joint_descent(torch.tensor(1.0), gradients, lambda: None, 0.5, SINGLE_PROCESS)
    assert norm.dtype == torch.float32 and float(norm) == pytest.approx(3e30 * (2 * parts) ** 0.5, rel=1e-6)
    assert float(torch.cat(gradients).norm()) == pytest.approx(0.5, rel=1e-6)
    gradients[0][0] = math.inf
    with pytest.raises(DivergenceError, match=r"^leader: gradient norm: expected"):
        joint_descent(torch.tensor(1.0), gradients, lambda: pytest.fail("stepped"), 0.5, SINGLE_PROCESS)


def test_an_update_that_fails_changes_no_weight() -> None:
    config = dataclasses.replace(LEARNING, follower_learner=FollowerLearning(hidden=8, epochs=1))
    env = setup.make_env(config, 4, 0)
    followers = setup.make_followers(config, env)
    assert followers is not None
    learner: FollowerActorCritic = followers.followers
    before = {name: tensor.clone() for name, tensor in learner.network.state_dict().items()}
    from paymaster.play.rollout import Rollout

    followers.keep = True
    Rollout(env, setup.make_leader(config, env), torch.Generator().manual_seed(0)).play()
    lived = followers.lived()
    lived.reward[0] = math.nan
    lived.acts[0] = True
    with pytest.raises(DivergenceError, match=r"^followers: "):
        learner.update(lived)
    after: dict[str, Tensor] = learner.network.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_first_not_finite() -> None:
    fine = {"a": torch.ones(2), "b": torch.tensor([2**62]), "c": torch.zeros(0)}
    assert first_not_finite(fine) is None
    assert first_not_finite({**fine, "d": torch.tensor([[1.0, -math.inf]]).double()}) == ("d", -math.inf)
