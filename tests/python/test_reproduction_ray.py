"""Runs on Ray: a sweep whose worker is killed, jobs that fail, a cluster that was there before."""

from __future__ import annotations

import io
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

import paymaster
from own_worlds import EXAMPLES, Taxi
from paymaster.commands.main import main
from paymaster.reproduction.pool import Finished
from paymaster.reproduction.reproduce import reproduce
from paymaster.reproduction.rows import read_row
from paymaster.reproduction.runs import RunJob
from paymaster.reproduction.scales import Scale
from paymaster.reproduction.specs import Arm, Played, key, train_config
from paymaster.storage.checkpoint import episode_of, list_checkpoints
from paymaster.training.config import TrainConfig

ray = pytest.importorskip("ray")
from paymaster.reproduction import ray_pool  # noqa: E402
from paymaster.reproduction.ray_pool import run_jobs  # noqa: E402

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kills by signal, looks into /proc")

slow = pytest.mark.slow
LEADERS = ("ebpg-expiring", "ebpg")
KILLED = 1


def sweep() -> list[RunJob]:
    """4 runs of a second or two: two leaders, two seeds."""
    arms = [Arm("RC completion", leader) for leader in LEADERS]
    return [
        RunJob(arm, replace(train_config(arm, seed, 640), checkpoint_every=64), frozenset({Played()}), 64)
        for seed in range(2)
        for arm in arms
    ]


def numbers(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what was measured of its process."""
    training = {name: value for name, value in row["training"].items() if name not in ("seconds", "memory")}
    return {**row, "training": training}


def first_episodes(run: Path) -> list[int]:
    """The first episode logged each time the run was taken up."""
    files = sorted(run.glob("events.*"), key=lambda file: file.stat().st_mtime_ns)
    steps = [[e.step for e in EventFileLoader(str(file)).Load() if e.HasField("summary")] for file in files]
    return [min(of) for of in steps]


@slow
def test_a_sweep_whose_worker_is_killed_ends_with_the_same_rows(tmp_path: Path) -> None:
    """4 runs on 2 CPUs; the killed one goes on from its last checkpoint, the others know nothing of it."""
    jobs, out = sweep(), tmp_path / "swept"
    victim = out / "runs" / key(jobs[KILLED].config)
    reached, ended, most = 0, [], 0
    for event in run_jobs(jobs, out, 2, None, tick=0.02):
        if isinstance(event, Finished):
            ended.append(event)
            continue
        most = max(most, len(event))
        if not reached and len(list(victim.glob("checkpoint-*"))) >= 2:
            assert jobs[KILLED] in event, "it ended before it could be killed"
            reached = episode_of(list_checkpoints(victim)[-1])
            os.kill(int((victim / ".lock").read_text().removeprefix("pid ")), signal.SIGKILL)
    assert 128 <= reached < 640
    assert most == 2
    assert {one.job for one in ended} == set(jobs) and len(ended) == 4
    assert [one.error for one in ended] == [None] * 4
    assert all(job.done(out) for job in jobs)

    begun = {name: first_episodes(out / "runs" / name) for name in (key(job.config) for job in jobs)}
    first, again = begun.pop(victim.name)
    assert first == 32 and again > reached
    assert list(begun.values()) == [[32]] * 3

    jobs[KILLED].perform(tmp_path / "alone")
    unkilled = read_row(tmp_path / "alone", victim.name)
    assert numbers(read_row(out, victim.name)) == numbers(unkilled)


@slow
def test_a_world_of_ones_own_is_found_by_the_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its import path, from a folder that only this process has on its path, and by the name it was given here."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    paymaster.register("driven", Taxi, num_goals=6)
    arm, played = Arm("RC completion", "ebpg"), frozenset({Played()})
    few = {"episodes": 64, "num_envs": 32, "hidden": 8}
    jobs = [RunJob(arm, TrainConfig(task, "ebpg", **few), played, 8) for task in ("taxi_world:Taxi", "driven")]
    ended = [event for event in run_jobs(jobs, tmp_path / "swept", 1, None, tick=0.05) if isinstance(event, Finished)]
    assert [one.error for one in ended] == [None, None]
    for job in jobs:
        job.perform(tmp_path / "alone")
        rows = [numbers(read_row(tmp_path / place, key(job.config))) for place in ("swept", "alone")]
        assert rows[0] == rows[1] and rows[0]["evaluations"]


@dataclass(frozen=True)
class Chore:
    """Notes its process in a file; then fails, dies, or stays."""

    name: str

    def perform(self, out: Path) -> None:
        with (out / self.name).open("a") as file:
            file.write(f"{os.getpid()}\n")
        if self.name == "fails":
            raise ValueError("on purpose")
        if self.name == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.name == "stays":
            time.sleep(600)


@pytest.fixture
def workers_find_chores(monkeypatch: pytest.MonkeyPatch) -> None:
    """And import nothing else before: a chore needs none of what a run needs."""
    monkeypatch.setattr(ray_pool, "PRELOADED", ())
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


def pids(out: Path, name: str) -> list[int]:
    """Of the processes that took a chore up."""
    path = out / name
    return [int(line) for line in path.read_text().split()] if path.exists() else []


@slow
@pytest.mark.usefixtures("workers_find_chores")
def test_a_job_that_fails_or_dies_takes_no_other_with_it(tmp_path: Path) -> None:
    """One that raises is not repeated, one that kills its worker is, but not for ever; each in a process of its own."""
    chores = [Chore(name) for name in ("first", "fails", "dies", "last")]
    errors = {e.job.name: e.error for e in run_jobs(chores, tmp_path, 2, None, tick=0.1) if isinstance(e, Finished)}
    assert errors["first"] is None and errors["last"] is None
    assert "ValueError: on purpose" in (errors["fails"] or "")
    assert (errors["dies"] or "").startswith("WorkerCrashedError")
    times = {name: len(pids(tmp_path, name)) for name in errors}
    assert times == {"first": 1, "fails": 1, "dies": 4, "last": 1}
    assert len({pid for name in errors for pid in pids(tmp_path, name)} - {os.getpid()}) == 7


@slow
@pytest.mark.usefixtures("workers_find_chores")
def test_leaving_the_iterator_ends_the_jobs(tmp_path: Path) -> None:
    for _ in run_jobs([Chore("stays")], tmp_path, 1, None, tick=0.1):
        if pids(tmp_path, "stays"):
            break
    (pid,) = pids(tmp_path, "stays")
    assert not Path(f"/proc/{pid}").exists()
    assert not ray.is_initialized()


@pytest.fixture
def two_nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster of two nodes with a CPU each, on this machine."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_worker_niceness", "0")  # else its workers wait for whatever else this machine does

    cluster = Cluster()
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1, object_store_memory=128 * 2**20, include_dashboard=False)
        yield cluster
    finally:
        cluster.shutdown()


@slow
def test_a_cluster_that_was_there_before(two_nodes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its address, and with a relative path; the cluster stays."""
    monkeypatch.chdir(tmp_path)
    scale = Scale("a test", episodes=32, seeds=1, evaluated=8, games=("RC completion",))
    text = io.StringIO()
    report = reproduce(
        ["attention"], scale, 1, None, Path("out"), Console(file=text), engine="ray", address=two_nodes.address
    )
    assert "ebpg-expiring" in report.read_text()
    assert "FAILED" not in text.getvalue()
    assert all(node.any_processes_alive() for node in two_nodes.list_all_nodes())


def test_an_address_where_no_ray_answers_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At once: Ray alone would go on asking for minutes."""
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        arguments = ["reproduce", "attention", "--scale", "smoke", "--out", str(tmp_path / "out")]
        assert main([*arguments, "--engine", "ray", "--address", address]) == 2
    assert f"address: expected HOST:PORT of a Ray that runs, got '{address}'" in capsys.readouterr().err
