"""A run that was trained on a GPU, taken up or looked at on a machine that has none."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from paymaster.algorithms.episodes import Episodes
from paymaster.analysis.evaluate import evaluate_run
from paymaster.analysis.inspection import inspect_run
from paymaster.storage.checkpoint import latest_checkpoint, load_checkpoint
from paymaster.training import run_state, setup
from paymaster.training import train as training
from paymaster.training.config import TrainConfig
from paymaster.training.setup import stored_config
from paymaster.training.train import train
from small_runs import SMALL, TASK

FOLLOWERS = dataclasses.replace(SMALL, parameters={"followers": "meta", "payment": "advance_once"})


@pytest.fixture(params=[SMALL, FOLLOWERS], ids=["rule", "meta"])
def of_a_gpu(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return half of a run such as a GPU leaves it: its device in `config.json`, generators' states of 16 bytes."""
    gather = run_state.gather_state

    def gathered(parts: run_state.RunParts) -> dict[str, torch.Tensor] | None:
        state = gather(parts)
        assert state is not None
        return {name: torch.zeros(16, dtype=torch.uint8) if "generator" in name else it for name, it in state.items()}

    with monkeypatch.context() as patch:
        for module in (setup, training):
            patch.setattr(module, "choose_device", lambda _: torch.device("cpu"))
        patch.setattr(run_state, "gather_state", gathered)
        train(dataclasses.replace(request.param, device="cuda", episodes=32), tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_it_is_resumed_with_new_draws_and_evaluated(of_a_gpu: Path) -> None:
    assert stored_config(of_a_gpu).device == "cuda"
    assert evaluate_run(of_a_gpu, 4).gain.shape == (4,)
    inspect_run(of_a_gpu, 4)
    with pytest.raises(ValueError, match=r"^device: expected one this machine has, got 'cuda'"):
        train(TrainConfig(TASK, episodes=64), of_a_gpu, resume=True)
    train(TrainConfig(TASK, episodes=64, device="cpu"), of_a_gpu, resume=True)
    state = load_checkpoint(latest_checkpoint(of_a_gpu)).tensors["state"]
    assert {len(value) for name, value in state.items() if "generator" in name} == {5056}


def test_a_state_of_no_device_is_refused(of_a_gpu: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_state, "_DRAWS", {"cpu": 5056, "cuda": 17})
    with pytest.raises(run_state.CheckpointError, match="expected a checkpoint of this run's leader and games"):
        train(TrainConfig(TASK, episodes=64, device="cpu"), of_a_gpu, resume=True)


def test_episodes_have_arrived_when_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy from a GPU that is not waited for is read as it happens to be."""
    moved: list[dict[str, Any]] = []
    to = torch.Tensor.to
    monkeypatch.setattr(torch.Tensor, "to", lambda self, *args, **how: moved.append(how) or to(self, *args, **how))
    steps, games, n = 2, 3, 4
    whole = torch.zeros(steps, games, n, dtype=torch.int64)
    Episodes(
        follower=torch.zeros(steps, games, n, 5),
        goal=torch.zeros(steps, games, n, 2, 6),
        **dict.fromkeys(("previous", "offer", "follower_action", "completed"), whole),
        **dict.fromkeys(("new_offer", "expired", "explored", "committed"), whole > 0),
        payment=torch.zeros(steps, games, n),
        valid=torch.ones(steps, games, dtype=torch.bool),
        goal_reward=torch.ones(2),
        price=torch.ones(3),
    ).to("meta")
    assert moved
    assert not any(how.get("non_blocking") for how in moved)
