"""Runs in processes: one figure from nothing, killed on the way; jobs that fail."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from paymaster.cli import main
from paymaster.reproduction import reproduce as module
from paymaster.reproduction.figures import figure
from paymaster.reproduction.pool import Finished, run_jobs
from paymaster.reproduction.reproduce import reproduce
from paymaster.reproduction.runs import RunJob, jobs_of
from paymaster.reproduction.scales import SCALES, Scale
from paymaster.reproduction.specs import key

ONE_GAME = Scale("a test", episodes=32, seeds=1, evaluated=8, games=("RC completion",))


@dataclass(frozen=True)
class Chore:
    """Writes a file; or fails, or dies."""

    name: str

    def perform(self, out: Path) -> None:
        if self.name == "fails":
            raise ValueError("on purpose")
        if self.name == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        (out / self.name).write_text(str(os.getpid()))


def test_a_job_that_fails_or_dies_takes_no_other_with_it(tmp_path: Path) -> None:
    chores = [Chore(name) for name in ("first", "fails", "dies", "last")]
    ended = [event for event in run_jobs(chores, tmp_path, 2, tick=0.1) if isinstance(event, Finished)]
    errors = {event.job.name: event.error for event in ended}
    assert errors["first"] is None and errors["last"] is None
    assert "ValueError: on purpose" in (errors["fails"] or "")
    assert errors["dies"] == "its process ended with exit code -9"
    pids = {int((tmp_path / name).read_text()) for name in ("first", "last")}
    assert len(pids) == 2 and os.getpid() not in pids


def test_failed_runs_are_an_error_and_are_made_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = jobs_of([figure("attention", ONE_GAME)], ONE_GAME, 1)
    events = [Finished(job, None) for job in jobs[1:]] + [Finished(jobs[0], "trace\nValueError: why")]
    monkeypatch.setattr(module, "run_jobs", lambda *_: iter(events))
    with pytest.raises(ChildProcessError, match=f"1 of {len(jobs)} runs failed, .*{jobs[0].name}: ValueError: why"):
        reproduce(["attention"], ONE_GAME, 1, 1, tmp_path, Console(file=io.StringIO()))


def started(out: Path) -> dict[str, int]:
    """How often each run was taken up."""
    return {run.name: len(list(run.glob("events.*"))) for run in (out / "runs").iterdir()}


def test_killed_and_started_again_ends_with_nothing_run_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "paper"
    arguments = ["reproduce", "attention", "--scale", "smoke", "--seeds", "1", "--out", str(out)]
    with subprocess.Popen(
        [sys.executable, "-m", "paymaster.cli", *arguments, "--jobs", "1"], stdout=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 240
        while len(list(out.glob("rows/*.json"))) < 2 or len(list(out.glob("runs/*/config.json"))) < 3:
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
    jobs = jobs_of([figure("attention", SCALES["smoke"])], SCALES["smoke"], 1)
    runs = {key(job.config): job for job in jobs if isinstance(job, RunJob)}
    done = {name for name, job in runs.items() if job.done(out)}
    before = {name: (out / "rows" / f"{name}.json").stat().st_mtime_ns for name in done}
    assert 1 <= len(done) < len(runs)

    assert main([*arguments, "--jobs", "2"]) == 0
    assert all(job.done(out) for job in jobs)
    assert {name: (out / "rows" / f"{name}.json").stat().st_mtime_ns for name in done} == before
    times = started(out)
    assert times.keys() == runs.keys()
    assert all(times[name] == 1 for name in done)
    assert sum(times.values()) <= len(runs) + 1  # the one that was killed
    assert "natural-ends" in (out / "attention.md").read_text()

    capsys.readouterr()
    assert main(arguments) == 0
    assert f"{len(jobs)} runs and references, {len(jobs)} of them there" in capsys.readouterr().out
    assert started(out) == times


@pytest.mark.parametrize(
    ("extra", "error"),
    [
        (["--seeds", "0"], "seeds: expected at least 1"),
        (["--jobs", "0"], "jobs: expected at least 1"),
        (["--address", "auto"], "address: expected none with engine local, got 'auto'"),
        (["--out", "/dev/null/x"], "/dev/null"),
    ],
)
def test_errors_are_one_clear_line(extra: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "attention", "--scale", "smoke", *extra]) == 2
    assert error in capsys.readouterr().err


def test_without_ray_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "paymaster.reproduction.ray_pool", raising=False)
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["reproduce", "attention", "--scale", "smoke", "--engine", "ray", "--out", str(tmp_path / "x")]) == 2
    assert "engine: Ray could not be loaded" in (told := capsys.readouterr().err)
    assert "pip install 'paymaster[ray]'" in told
    assert not (tmp_path / "x").exists()
