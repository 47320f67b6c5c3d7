"""The worked examples in docs/examples, run with a small budget."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import paymaster
from paymaster.algorithms.protocol import LeaderAlgorithm
from paymaster.training.config import TrainConfig
from paymaster.training.train import train
from paymaster.worlds.registration import definition_of

FOLDER = Path(__file__).parents[2] / "docs" / "examples"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of versions, by the libraries it imports
        spec.loader.exec_module(module)
    return module


def test_all_examples_are_tested() -> None:
    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert {path.stem for path in FOLDER.glob("*.py")} - {"taxi_world"} <= tested  # test_own_worlds.py


def test_custom_map() -> None:
    """As a user runs it."""
    script = [sys.executable, "-W", "error", str(FOLDER / "custom_map.py")]
    out = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    gains = dict(line.split(": ") for line in out.splitlines()[:2])
    assert float(gains["full_information"]) > float(gains["random"]) + 5
    assert out.count("#" * 26) == 2 and "##. d" in out


@pytest.mark.slow
def test_custom_task(capsys: pytest.CaptureFixture[str]) -> None:
    """It is trained, and couriers.toml beside it is the same task."""
    load("custom_task").main(games=20, episodes=320)
    by_name = definition_of("couriers")
    assert paymaster.load_task(FOLDER / "couriers.toml") == "couriers"
    assert definition_of("couriers") == by_name
    lines = capsys.readouterr().out.splitlines()
    gains = {line.split(":")[0]: float(line.split()[-1]) for line in lines if ": gain" in line}
    assert gains["random"] < 0 < gains["preference"] < gains["full_information"]
    assert gains["random"] + 5 < gains["trained"]


def test_sb3_follower() -> None:
    before, after = load("sb3_follower").main(steps=960, episodes=3)
    assert min(before, after) >= 0 and max(before, after) < 60  # 30 steps, at most 2 for each


@pytest.mark.slow
def test_sb3_follower_learns() -> None:
    before, after = load("sb3_follower").main()
    assert after > 2 * before + 1


def test_sb3_leader() -> None:
    before, after = load("sb3_leader").main(steps=512, games=32, episodes=32)
    assert before != after and max(abs(before), abs(after)) < 30


@pytest.mark.slow
def test_sb3_leader_learns() -> None:
    before, after = load("sb3_leader").main(steps=300_000)
    assert after > before + 1


def test_torchrl_batch() -> None:
    data = load("torchrl_batch").main(steps=15)
    assert data.shape == (256, 60)
    done, observation = data["next", "done"].squeeze(-1), data["observation"]
    assert (done.sum(1) >= 2).all()  # an episode has 30 steps at most
    assert data["next", "reward"].any()
    begun = data["next", "observation"][:, :-1] == observation[:, 1:]
    assert (begun.all(-1) | done[:, :-1]).all()  # a game goes on where it was, or begins anew
    assert not begun.all(-1)[done[:, :-1]].any()


@pytest.mark.filterwarnings("ignore:PettingZoo in TorchRL is tested using version")
def test_torchrl_collect() -> None:
    data = load("torchrl_collect").main(frames=240)
    leader, followers = (data[group, "info", "acts"].bool() for group in ("leader", "follower"))
    assert leader.shape == (240, 1) and followers.shape == (240, 4)
    assert (leader ^ followers).all()  # turn by turn
    assert not data["next", "leader", "reward"].squeeze(-1)[leader].any()  # rewards come when the world moves


def test_own_leader(tmp_path: Path) -> None:
    """It learns in our loop, and a run that is resumed ends with the same numbers."""
    example = load("own_leader")
    whole = example.main(episodes=960, out=tmp_path / "whole")
    assert sum(whole[-5:]) / 5 > sum(whole[:5]) / 5 + 1
    config: dict[str, Any] = {"num_envs": 32, "checkpoint_every": 320}
    half = tmp_path / "half"
    train(TrainConfig("resource_collection", episodes=320, **config), half, leader=example.OwnLeader)
    train(TrainConfig("resource_collection", episodes=640, **config), half, resume=True, leader=example.OwnLeader)
    rows = [json.loads(line)["gain"] for line in (half / "metrics.jsonl").read_text().splitlines()]
    assert rows == whole[:20]


@pytest.mark.slow
def test_optuna_pruning(tmp_path: Path) -> None:
    """Two trials make up their minds, the pruner ends what is worse."""
    pytest.importorskip("optuna")
    study = load("optuna_pruning").main(trials=5, episodes=320, out=tmp_path)
    states = [trial.state.name for trial in study.trials]
    assert states[:2] == ["COMPLETE", "COMPLETE"] and "PRUNED" in states
    assert study.best_value > 12
    for trial in study.trials:
        rows = (tmp_path / f"trial{trial.number}" / "metrics.jsonl").read_text().splitlines()
        reported = {json.loads(row)["episode"]: json.loads(row).get("evaluation_gain") for row in rows}
        assert all(reported[step] == value for step, value in trial.intermediate_values.items())


class FakeRun:
    """What the example calls of a W&B run."""

    def __init__(self) -> None:
        self.logged: list[tuple[int, dict[str, Any]]] = []
        self.summary: dict[str, Any] = {}
        self.finished = False

    def log(self, row: dict[str, Any], step: int) -> None:
        self.logged.append((step, row))

    def finish(self) -> None:
        self.finished = True


def test_wandb_logging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a module in place of `wandb`, which is large and starts a process; the next test has the real one."""
    run, asked = FakeRun(), {}

    def init(**arguments: Any) -> FakeRun:
        asked.update(arguments)
        return run

    fake = ModuleType("wandb")
    fake.init = init  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wandb", fake)
    load("wandb_logging").main(episodes=320, out=tmp_path / "run")
    assert asked["mode"] == "offline" and asked["config"]["task"] == "resource_collection"
    rows = [json.loads(row) for row in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [{"episode": step, **row} for step, row in run.logged] == rows
    assert "evaluation_gain" in rows[-1]
    assert run.summary["checkpoint"] == "checkpoint-00000320.safetensors" and run.finished


@pytest.mark.slow
def test_wandb_logging_offline(tmp_path: Path) -> None:
    """In a process of its own: W&B starts another, and warns of its own libraries."""
    pytest.importorskip("wandb")
    code = f"import wandb_logging, pathlib; wandb_logging.main(320, pathlib.Path({str(tmp_path / 'run')!r}))"
    subprocess.run([sys.executable, "-c", code], cwd=FOLDER, check=True, capture_output=True)
    assert list((tmp_path / "run" / "wandb").glob("offline-run-*/*.wandb"))


def test_own_leader_has_all_that_the_loop_asks_for() -> None:
    from paymaster.training.setup import make_env

    config = TrainConfig("resource_collection")
    assert isinstance(load("own_leader").OwnLeader(config, make_env(config, 1, 0)), LeaderAlgorithm)
