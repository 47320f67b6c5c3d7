"""Runs in processes: one figure from nothing, killed on the way; jobs that fail."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

import paymaster
from chores import Chore
from paymaster.commands.main import main
from paymaster.reproduction import pool, runs
from paymaster.reproduction import reproduce as module
from paymaster.reproduction.commit import commit
from paymaster.reproduction.figures import figure
from paymaster.reproduction.names import OTHER_NAMES
from paymaster.reproduction.pool import Finished, run_jobs
from paymaster.reproduction.reproduce import reproduce
from paymaster.reproduction.rows import read_row
from paymaster.reproduction.runs import RunJob, jobs_of
from paymaster.reproduction.scales import SCALES, Scale
from paymaster.reproduction.specs import Arm, Played, key, train_config
from paymaster.storage.run_directory import RunDirectory
from small_runs import Killed, die_at

ONE_GAME = Scale(
    "a test", episodes=32, seeds=1, evaluated=8, games=("RC completion",), leaders=("ebpg-expiring", "m3rl"), original=8
)


def test_a_job_that_fails_or_dies_takes_no_other_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "PRELOADED", ())
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
    with pytest.raises(ChildProcessError, match=f"1 of {len(jobs)} jobs failed, .*{jobs[0].name}: ValueError: why"):
        reproduce(["attention"], ONE_GAME, 1, 1, tmp_path, Console(file=io.StringIO()))


def performed(job: RunJob, out: Path) -> Finished[RunJob]:
    job.perform(out)
    return Finished(job, None)


def started(out: Path) -> dict[str, int]:
    """How often each run was taken up."""
    return {run.name: len(list(run.glob("events.*"))) for run in (out / "runs").iterdir()}


def test_stopped_and_started_again_runs_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process: two jobs are done, the third is stopped in its first step."""

    def stopped(jobs: Sequence[RunJob], out: Path, _: int) -> Iterator[Finished[RunJob]]:
        for job in jobs[:2]:
            yield performed(job, out)
        with pytest.MonkeyPatch.context() as patch:
            die_at(patch, RunDirectory, "log", 1)
            jobs[2].perform(out)

    def reproduced() -> str:
        text = io.StringIO()
        report = reproduce(["attention"], ONE_GAME, 1, 1, tmp_path, Console(file=text))
        assert "ebpg-expiring" in report.read_text()
        return text.getvalue()

    monkeypatch.setattr(module, "run_jobs", stopped)
    with pytest.raises(Killed):
        reproduced()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("rows/*.json")}
    assert len(before) == 2
    monkeypatch.setattr(module, "run_jobs", lambda jobs, out, _: (performed(job, out) for job in jobs))
    reproduced()
    assert all(path.stat().st_mtime_ns == written for path, written in before.items())
    assert set(started(tmp_path).values()) == {1}  # the one that was stopped had logged nothing
    monkeypatch.setattr(module, "run_jobs", stopped)  # with nothing left to do
    total = len(jobs_of([figure("attention", ONE_GAME)], ONE_GAME, 1))
    assert f"{total} runs and references, {total} of them there" in reproduced()


@pytest.mark.slow
def test_killed_and_started_again_ends_with_nothing_run_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "paper"
    arguments = ["reproduce", "attention", "--scale", "smoke", "--seeds", "1", "--out", str(out)]
    with subprocess.Popen(
        [sys.executable, "-m", "paymaster.commands.main", *arguments, "--jobs", "1"], stdout=subprocess.DEVNULL
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
    assert "ebpg-expiring" in (out / "attention.md").read_text()

    capsys.readouterr()
    assert main(arguments) == 0
    assert f"{len(jobs)} runs and references, {len(jobs)} of them there" in capsys.readouterr().out
    assert started(out) == times


@pytest.mark.parametrize(
    ("extra", "error"),
    [
        (["--seeds", "0"], "seeds: expected a whole number in [1, 1,000]"),
        (["--jobs", "0"], "jobs: expected a whole number in [1, 1,024]"),
        (["--address", "auto"], "address: expected none with engine local, got 'auto'"),
        (["--out", "/dev/null/x"], "/dev/null"),
    ],
)
def test_errors_are_one_clear_line(extra: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "attention", "--scale", "smoke", *extra]) == 2
    assert error in capsys.readouterr().err


def test_a_row_without_its_run_is_made_anew_for_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As rows that came from elsewhere are: not with numbers of another training beside it."""
    arm = Arm("RC completion", "ebpg-expiring")
    job = RunJob(arm, train_config(arm, 0, 32), frozenset({Played()}), 4)
    job.perform(tmp_path)
    row = read_row(tmp_path, key(job.config))
    shutil.rmtree(tmp_path / "runs")
    more = replace(job, played=frozenset({Played(condition="strangers")}), probes=frozenset({"insight", "prediction"}))
    assert job.done(tmp_path) and not more.done(tmp_path) and more.untrained(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(runs, "train", lambda *_, **__: pytest.fail("stopped half-way"))
        with pytest.raises(pytest.fail.Exception):
            more.perform(tmp_path)
    assert not job.done(tmp_path)  # nothing of the other training is left beside what goes on now
    more.perform(tmp_path)
    made = read_row(tmp_path, key(job.config))
    assert list(made["evaluations"]) == ["sampled, noise 0, strangers"] and list(row["evaluations"]) == [
        "sampled, noise 0"
    ]
    assert made["training"]["curve"] == row["training"]["curve"]
    assert 0 < made["prediction"]["prediction_offer"] <= 1 and 0 < made["insight"]["insight_prediction"] <= 1
    assert more.done(tmp_path) and not job.done(tmp_path) and not job.untrained(tmp_path)


@pytest.mark.slow
def test_all_of_our_own_measurements_run(tmp_path: Path) -> None:
    report = reproduce(OTHER_NAMES, ONE_GAME, 1, 2, tmp_path, Console(file=io.StringIO()))
    assert all(f"({name}.md)" in report.read_text() for name in OTHER_NAMES)


def test_a_row_is_written_over_what_a_kill_has_left_of_it(tmp_path: Path) -> None:
    """What is left of other rows may be in writing by others."""
    arm = Arm("RC completion", "m3rl")
    job = RunJob(arm, replace(train_config(arm, 0, 8), num_envs=8, hidden=8), frozenset({Played()}), 4)
    (tmp_path / "rows").mkdir()
    for name in (f".{job.key}.json.99.tmp", ".another.json.99.tmp"):
        (tmp_path / "rows" / name).write_text("{}")
    job.perform(tmp_path)
    assert sorted(path.name for path in (tmp_path / "rows").iterdir()) == [".another.json.99.tmp", f"{job.key}.json"]


def test_a_row_names_the_commit_of_the_checkout_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "checkout" / "paymaster"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.setattr(paymaster, "__file__", str(package / "__init__.py"))
    assert commit.__wrapped__() is None

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        return subprocess.run(
            ["git", *identity, *arguments], cwd=package.parent, capture_output=True, text=True, check=True
        ).stdout.strip()

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "of others")
    assert commit.__wrapped__() is None  # installed below somebody else's checkout
    git("add", ".")
    git("commit", "-q", "-m", "x")
    assert commit.__wrapped__() == git("rev-parse", "--short=12", "HEAD")
    (package / "__init__.py").write_text("changed = True\n")
    assert commit.__wrapped__() == git("rev-parse", "--short=12", "HEAD") + "-changed"


def test_without_ray_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "paymaster.reproduction.ray_pool", raising=False)
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["reproduce", "attention", "--scale", "smoke", "--engine", "ray", "--out", str(tmp_path / "x")]) == 2
    assert "engine: Ray could not be loaded" in (told := capsys.readouterr().err)
    assert "pip install 'paymaster[ray]'" in told
    assert not (tmp_path / "x").exists()
