"""Training by several processes, started as users start them: torchrun, gloo, two ranks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from paymaster.analysis.evaluate import evaluate_run
from paymaster.storage.checkpoint import latest_checkpoint, load_checkpoint
from paymaster.storage.metrics_file import read_metrics
from paymaster.training.config import TrainConfig
from paymaster.training.train import train

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not torch.distributed.is_gloo_available(), reason="needs gloo and /proc"
)

TASK = "resource_collection"
SMALL = ["--num-envs", "8", "--checkpoint-every", "16", "--hidden", "8", "--seed", "3", "--evaluate", "0"]


def command(out: Path, *arguments: str, task: str = TASK) -> list[str]:
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "paymaster"]
    return [sys.executable, *launcher, "train", task, "--out", str(out), *arguments]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}


def run(out: Path, *arguments: str, task: str = TASK) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(out, *arguments, task=task), env=environment(), capture_output=True, text=True, timeout=300
    )


def trained(out: Path, *arguments: str, task: str = TASK) -> str:
    """Standard output of a run that must succeed."""
    done = run(out, *arguments, task=task)
    assert done.returncode == 0, done.stderr
    return done.stdout


def episodes(out: Path) -> list[int]:
    return [row["episode"] for row in read_metrics(out / "metrics.jsonl")]


def assert_equal_runs(one: Path, other: Path) -> None:
    """To the bit."""
    assert (one / "metrics.jsonl").read_bytes() == (other / "metrics.jsonl").read_bytes()
    left, right = (load_checkpoint(latest_checkpoint(out)).tensors for out in (one, other))
    assert left.keys() == right.keys()
    for group, entries in left.items():
        assert entries.keys() == right[group].keys()
        assert all(torch.equal(tensor, right[group][name]) for name, tensor in entries.items()), group


@pytest.mark.slow
def test_two_ranks_train_one_leader(tmp_path: Path) -> None:
    """One run directory, of the kind one process leaves: it is evaluated, and continued by one process."""
    out = tmp_path / "run"
    shown = trained(out, *SMALL, "--episodes", "32")
    assert shown.count("training ebpg-expiring") == 1
    assert episodes(out) == [8, 16, 24, 32]
    state = load_checkpoint(latest_checkpoint(out)).tensors["state"]
    assert state.keys() == {"games", "generator", "generator_1"}
    assert not torch.equal(state["generator"], state["generator_1"])
    assert evaluate_run(out, 8).episodes == 8
    train(TrainConfig(TASK, episodes=48), out, resume=True)
    assert episodes(out) == [8, 16, 24, 32, 40, 48]
    assert load_checkpoint(latest_checkpoint(out)).tensors["state"].keys() == {"games", "generator"}


@pytest.mark.slow
def test_two_ranks_resume_to_the_same_bits(tmp_path: Path) -> None:
    """On two ranks, leader and followers; and what one process has begun two ranks continue."""
    name, *parameters = ("navigation", "--followers", "meta")
    steady = ["--learner.entropy-end", "1", "--learner.learning-rate-end", "1"]
    for out, lengths in ((tmp_path / "whole", ("48",)), (tmp_path / "parts", ("24", "48"))):
        trained(out, *SMALL, *parameters, *steady, "--episodes", lengths[0], task=name)
        for length in lengths[1:]:
            trained(out, "--resume", "--evaluate", "0", "--episodes", length, task=name)
    assert_equal_runs(tmp_path / "whole", tmp_path / "parts")
    out = tmp_path / "one"
    train(TrainConfig(TASK, episodes=16, num_envs=8, hidden=8, checkpoint_every=8), out)
    trained(out, "--resume", "--evaluate", "0", "--episodes", "32")
    assert episodes(out) == [8, 16, 24, 32]


def ranks_of(launcher: int) -> dict[int, int]:
    """Process ids of a torchrun's ranks, by rank."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            variables = dict(part.partition("=")[::2] for part in (entry / "environ").read_text().split("\0"))
        except (OSError, ValueError, IndexError):
            continue
        if parent == launcher and "RANK" in variables:
            found[int(variables["RANK"])] = int(entry.name)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_rank_ends_the_job(victim: int, tmp_path: Path) -> None:
    """Within 30 s, with a message that says what to do; the last checkpoint is whole, and the run goes on from it."""
    out = tmp_path / "run"
    with subprocess.Popen(
        command(out, *SMALL, "--episodes", "100000"),
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as job:
        try:
            deadline = time.monotonic() + 120
            while not (out / "metrics.jsonl").exists() or len(episodes(out)) < 5:
                assert job.poll() is None, "the job ended before a rank could be killed"
                assert time.monotonic() < deadline
                time.sleep(0.05)
            os.kill(ranks_of(job.pid)[victim], signal.SIGKILL)
            _, told = job.communicate(timeout=30)
        finally:
            job.kill()
    assert job.returncode not in (0, None)
    assert f"paymaster: error: rank {1 - victim} of 2: " in told
    assert "continue from it with --resume" in told
    episode = load_checkpoint(latest_checkpoint(out)).episode
    assert episode >= 16
    train(TrainConfig(TASK, episodes=episode + 8), out, resume=True)
    assert episodes(out)[-1] == episode + 8


@pytest.mark.slow
def test_a_loss_that_is_not_finite_ends_all_ranks(tmp_path: Path) -> None:
    """With the checkpoint from before kept."""
    out = tmp_path / "run"
    small = ["8" if argument == "16" else argument for argument in SMALL]
    rates = ["--learner.learning-rate", "1e30", "--learner.critic-learning-rate", "1e30", "--learner.epochs", "1"]
    done = run(out, *small, *rates)
    last = latest_checkpoint(out)
    assert done.returncode != 0
    assert "diverged after episode 8: leader: " in done.stderr
    assert f"the last good checkpoint is kept: {last}" in done.stderr
    assert load_checkpoint(last).episode == 8


@pytest.mark.slow
def test_bad_arguments_end_the_job(tmp_path: Path) -> None:
    """Before anything is made."""
    done = run(tmp_path / "run", "--num-envs", "7")
    assert done.returncode != 0
    assert "num_envs: expected a multiple of the 2 ranks" in done.stderr
    assert not (tmp_path / "run").exists()
