"""Training end to end: exact resumption, also after kill -9, and clear refusals that leave a run as it was."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from paymaster.algorithms import DEFAULT_LEADER, LEADERS, EBPGConfig, leader_kind
from paymaster.algorithms.joined_adam import JoinedAdam
from paymaster.analysis.evaluate import evaluate_run, evaluate_scripted
from paymaster.storage.checkpoint import (
    CheckpointError,
    episode_of,
    latest_checkpoint,
    list_checkpoints,
    load_checkpoint,
)
from paymaster.storage.run_directory import RunDirectory, RunDirectoryError
from paymaster.training.config import TrainConfig
from paymaster.training.setup import stored_config
from paymaster.training.train import train
from rest_slow import rest_slow
from small_runs import SMALL, TASK, Killed, die_at

COVERING = {"ebpg", "m3rl", "ebpg-expiring", "fixed-interval(3)"}


def metrics(run: Path) -> bytes:
    return (run / "metrics.jsonl").read_bytes()


def tensors(run: Path) -> dict[str, dict[str, torch.Tensor]]:
    return dict(load_checkpoint(latest_checkpoint(run)).tensors)


def assert_equal_runs(one: Path, other: Path) -> None:
    """Same metrics to the byte, same tensors (weights, moments, games, generators, statistics) to the bit."""
    assert metrics(one) == metrics(other)
    left, right = tensors(one), tensors(other)
    assert left.keys() == right.keys()
    for group, entries in left.items():
        assert entries.keys() == right[group].keys()
        for name, tensor in entries.items():
            assert torch.equal(tensor, right[group][name]), f"{group}/{name}"


@pytest.fixture
def copied(small_run: Path, tmp_path: Path) -> Path:
    """Return a copy of the small run, to be written to."""
    return Path(shutil.copytree(small_run, tmp_path / "copied"))


def test_run_directory_holds_what_is_promised(small_run: Path) -> None:
    """config.json, one line of metrics an update, TensorBoard events, the newest two checkpoints."""
    assert stored_config(small_run) == SMALL
    rows = [json.loads(line) for line in metrics(small_run).splitlines()]
    assert [row["episode"] for row in rows] == list(range(8, 65, 8))
    assert all({"gain", "payments", "entropy", "termination", "prediction_accuracy"} <= row.keys() for row in rows)
    assert list(small_run.glob("events.out.tfevents.*"))
    assert [path.name for path in list_checkpoints(small_run)] == [
        f"checkpoint-000000{episode}.safetensors" for episode in (48, 64)
    ]


def test_same_seed_same_run_and_another_seed_another(small_run: Path, tmp_path: Path) -> None:
    train(SMALL, tmp_path / "again")
    assert_equal_runs(small_run, tmp_path / "again")
    train(dataclasses.replace(SMALL, seed=4), tmp_path / "other")
    assert metrics(small_run) != metrics(tmp_path / "other")


def test_resumed_in_two_parts_equals_unbroken(tmp_path: Path) -> None:
    """Of a learner for whom nothing falls over the length of the training, which the first part believes shorter."""
    whole, out = tmp_path / "whole", tmp_path / "parts"
    steady = dataclasses.replace(
        SMALL, learner=dataclasses.replace(SMALL.learner, entropy_end=1.0, learning_rate_end=1.0)
    )
    train(steady, whole)
    train(dataclasses.replace(steady, episodes=24), out)
    continued = train(TrainConfig(TASK, episodes=64), out, resume=True)  # all else is as stored
    assert continued == steady
    assert_equal_runs(whole, out)


@pytest.mark.parametrize(("update", "checkpoints"), [(1, []), (4, [16])])
def test_stopped_and_resumed_equals_unbroken(
    update: int, checkpoints: list[int], small_run: Path, tmp_path: Path
) -> None:
    """Before that update is logged: the first, and one with a row behind the checkpoint."""
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, RunDirectory, "log", update)
        with pytest.raises(Killed):
            train(SMALL, tmp_path)
    assert [episode_of(path) for path in list_checkpoints(tmp_path)] == checkpoints
    train(TrainConfig(TASK), tmp_path, resume=True)
    assert_equal_runs(small_run, tmp_path)


@pytest.mark.slow
def test_killed_and_resumed_equals_unbroken(tmp_path: Path) -> None:
    """kill -9 at some moment between checkpoints, twice; then the run is finished."""
    config = dataclasses.replace(SMALL, episodes=240, checkpoint_every=24)
    reference = tmp_path / "unbroken"
    train(config, reference)
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "paymaster.commands.main", "train", TASK, "--out", str(out), "--evaluate", "0"]
    first = ["--episodes", "240", "--num-envs", "8", "--checkpoint-every", "24", "--hidden", "8", "--seed", "3"]
    for lines, extra in ((8, first), (20, ["--resume"])):
        process = subprocess.Popen([*command, *extra], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while not (out / "metrics.jsonl").exists() or metrics(out).count(b"\n") < lines:
            assert process.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert metrics(out).count(b"\n") < 30
    train(TrainConfig(TASK), out, resume=True)
    assert_equal_runs(reference, out)


def test_resuming_before_the_first_checkpoint_starts_over(small_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "early"
    train(dataclasses.replace(SMALL, episodes=8, checkpoint_every=1000), out)
    for path in list_checkpoints(out):
        path.unlink()
    train(TrainConfig(TASK, episodes=64), out, resume=True)
    assert metrics(out) == metrics(small_run)


def test_a_run_is_not_overwritten(copied: Path) -> None:
    before = metrics(copied)
    with pytest.raises(RunDirectoryError, match="--resume"):
        train(SMALL, copied)
    assert metrics(copied) == before


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"seed": 5}, "seed"),
        ({"num_envs": 16}, "num_envs"),
        ({"parameters": {"payment": "advance"}}, "payment"),
        ({"learner": EBPGConfig(lambda_entropy=0.3)}, "learner.gradient"),
        ({"leader": "m3rl"}, "leader"),
    ],
)
def test_resuming_with_another_configuration_is_refused(copied: Path, change: dict[str, object], name: str) -> None:
    before = metrics(copied)
    with pytest.raises(ValueError, match=f"^{name}: expected .* as in the run to resume, got"):
        train(dataclasses.replace(SMALL, **change), copied, resume=True)  # type: ignore[arg-type]
    assert metrics(copied) == before


def test_a_damaged_checkpoint_is_refused_and_nothing_lost(copied: Path) -> None:
    newest = latest_checkpoint(copied)
    content = newest.read_bytes()
    newest.write_bytes(content[: len(content) // 2])
    before = metrics(copied)
    longer = TrainConfig(TASK, episodes=128)
    for attempt in (lambda: train(longer, copied, resume=True), lambda: evaluate_run(copied, 4)):
        with pytest.raises(CheckpointError, match=r"00000064\.safetensors: expected .* truncated"):
            attempt()
    assert metrics(copied) == before
    newest.write_bytes(content)
    train(TrainConfig(TASK, episodes=72), copied, resume=True)


@pytest.mark.parametrize(
    ("config", "error"),
    [
        (TrainConfig("chess"), "^task: expected one of .*, got 'chess'"),
        (TrainConfig(TASK, episodes=0), r"^episodes: expected a whole number in \[1, .*\], got 0"),
        (TrainConfig(TASK, device="tpu:7"), "^device: "),
        (
            TrainConfig(TASK, parameters={"payment": "never"}),
            "^payment: expected one of completion, .* got 'never'",
        ),
        (TrainConfig(TASK, parameters={"map": "#####\n#...#\n#####"}), "^map: expected free cells for"),
        (TrainConfig(TASK, learner=EBPGConfig(gamma=1.5)), "^learner.gamma: "),
    ],
)
def test_a_configuration_that_makes_no_sense_creates_nothing(config: TrainConfig, error: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=error):
        train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("leader", rest_slow([*LEADERS, "fixed-interval(3)"], COVERING.__contains__))
def test_every_leader_trains_resumes_and_is_evaluated(leader: str, tmp_path: Path) -> None:
    config = TrainConfig("predator_prey", leader=leader, episodes=16, num_envs=8, checkpoint_every=8, hidden=8)
    assert config.learner == leader_kind(leader).learner
    assert TrainConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    train(config, tmp_path / "run")
    train(TrainConfig("predator_prey", episodes=24), tmp_path / "run", resume=True)
    result = evaluate_run(tmp_path / "run", 4)
    assert result.episodes == 4
    if leader == "fixed-interval(3)":
        assert (result.new_offers <= 4 * 17).all()  # 50 steps have 17 decisions


def test_unknown_leaders_come_with_the_known_ones() -> None:
    for name in ("boss", "fixed-interval(0)", "fixed-interval()", ""):
        with pytest.raises(ValueError, match=r"^leader: expected one of ebpg, .*\(m\), module:Class, got "):
            TrainConfig(TASK, leader=name)
    assert leader_kind("fixed-interval(7)").learner.options.interval == 7
    assert DEFAULT_LEADER in LEADERS


def test_evaluation_is_reproducible_and_leaves_the_run_alone(small_run: Path) -> None:
    before = {path: path.read_bytes() for path in small_run.rglob("*") if path.is_file()}
    one, two = (evaluate_run(small_run, 30, seed=1).to_json() for _ in range(2))
    assert one == two
    assert one["episodes"] == 30
    assert evaluate_run(small_run, 30, seed=2).to_json()["gain"] != one["gain"]
    assert {path: path.read_bytes() for path in small_run.rglob("*") if path.is_file()} == before


def test_evaluation_under_other_conditions(small_run: Path) -> None:
    """Noise, another number of followers and greedy offers go; other goals or bonuses do not fit the networks."""
    noisy = evaluate_run(small_run, 20, parameters={"noise": 0.5})
    assert noisy.episodes == 20
    assert evaluate_run(small_run, 20, parameters={"num_followers": 6}).new_offers.mean() >= 6
    assert evaluate_run(small_run, 20, greedy=True).episodes == 20
    with pytest.raises(ValueError, match="num_bonuses: expected 2 as in the run's games, got 4"):
        evaluate_run(small_run, 20, task="multi_bonus_resource_collection")


def test_strangers_are_met_without_statistics(small_run: Path) -> None:
    """Another population under the old one's statistics, and with statistics that start empty."""
    parameters = {"population_seed": 5}
    known, met = (
        evaluate_run(small_run, 40, parameters=parameters, strangers=strangers) for strangers in (False, True)
    )
    assert (known.gain != met.gain).any()
    assert met.to_json() == evaluate_run(small_run, 40, parameters=parameters, strangers=True).to_json()


def test_measures_of_an_evaluation_add_up() -> None:
    """gain = w completions - payments; under `completion` all payments are incentive; N first offers at least."""
    result = evaluate_scripted("fixed", TASK, 300)
    assert (result.gain == 3 * result.completions.sum(-1) - result.payments).all()
    assert (result.incentive == result.payments).all()
    assert (result.new_offers == 4).all()
    told = result.to_json()
    assert told["gain"]["ci95"][0] < told["gain"]["mean"] < told["gain"]["ci95"][1]
    assert told["episodes"] == 300


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_default_leader_learns_resource_collection(seed: int, tmp_path: Path) -> None:
    """Far fewer episodes than the default run has, and the gain the issue asks of it: 18.8, sampled, traits hidden."""
    train(TrainConfig(TASK, episodes=4_000, seed=seed), tmp_path / "run")
    assert evaluate_run(tmp_path / "run", 1_000).gain.mean() >= 18.8


def test_a_leader_that_only_plays_makes_no_optimiser(small_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the first one torch imports what takes two seconds."""
    monkeypatch.setattr(JoinedAdam, "__init__", lambda *_: pytest.fail("an optimiser is made"))
    assert evaluate_run(small_run, 4).episodes == 4
