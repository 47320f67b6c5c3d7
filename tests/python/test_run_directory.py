"""The run directory: nothing is overwritten or lost, and a continued run's files equal an unbroken one's.

One long file, because its parts share one recorded run and the ways to break it.
"""

import errno
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread
from rich.console import Console

from paymaster.analysis.learning_curve import plot_learning_curve
from paymaster.storage import run_directory
from paymaster.storage.atomic import write_bytes, write_text
from paymaster.storage.metrics_file import MetricsFile, read_metrics
from paymaster.storage.run_config import read_config
from paymaster.storage.run_directory import RunDirectory, RunDirectoryError
from paymaster.storage.sealed import open_json, sealed_json
from paymaster.training.progress import TrainingProgress

locks = pytest.mark.skipif(run_directory.fcntl is None, reason="no locks on this system")

CONFIG = {"task": "resource_collection", "learning_rate": 0.1, "seed": 2**60, "map": None}


def contents(directory: Path) -> dict[str, bytes]:
    """What a user sees of the directory: its files and what is in them."""
    return {p.name: p.read_bytes() for p in directory.iterdir() if p.is_file() and p.name != ".lock"}


def fail_with(number: int) -> Any:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Writing past `size` bytes fails half way, as on a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# --- writing one file ---


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_text(path, "first ä")
    assert path.read_text(encoding="utf-8") == "first ä"
    write_bytes(path, sealed_json(CONFIG))
    assert open_json(path.read_bytes(), "file") == CONFIG
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, number: int
) -> None:
    path = tmp_path / "file"
    write_text(path, "old")
    monkeypatch.setattr(os, function, fail_with(number))
    with pytest.raises(RunDirectoryError) as caught:
        write_text(path, "new")
    assert f"cannot write {path}: {os.strerror(number)}" in str(caught.value)
    assert caught.value.errno == number
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_disk_that_fills_up_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_text(path, "old")
    with files_limited_to(1000), pytest.raises(RunDirectoryError, match="File too large"):
        write_bytes(path, b"x" * 5000)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_json_without_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_bytes(tmp_path / "file", sealed_json({"x": float("nan")}))
    assert os.listdir(tmp_path) == []


# --- making and taking up a run ---


def test_create_and_resume(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "one"
    with RunDirectory.create(path, CONFIG) as run:
        assert run.stored.config == CONFIG
    assert read_config(path) == CONFIG
    with RunDirectory.resume(path) as run:
        assert run.stored.config == CONFIG
        assert not (path / "metrics.jsonl").exists()


def test_a_run_is_not_overwritten(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path / "run", CONFIG) as run:
        run.log(1, {"gain": 1.0})
    before = contents(tmp_path / "run")
    with pytest.raises(RunDirectoryError, match=r"holds a run already: continue it with --resume, .*--out"):
        RunDirectory.create(tmp_path / "run", {"task": "other"})
    assert contents(tmp_path / "run") == before


def test_a_directory_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("words")
    with pytest.raises(RunDirectoryError, match=r"is not empty \(it holds thesis.tex\).*--out"):
        RunDirectory.create(tmp_path, CONFIG)
    assert os.listdir(tmp_path) == ["thesis.tex"]  # no lock in it either


def test_an_empty_directory_and_one_killed_before_its_configuration_will_do(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text("pid 1\n")
    (tmp_path / ".config.json.123.tmp").write_text("{")
    with RunDirectory.create(tmp_path, CONFIG):
        assert read_config(tmp_path) == CONFIG


def test_no_run_to_resume(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(RunDirectoryError, match=r"expected a run directory with a config\.json, found none"):
            RunDirectory.resume(path)
    assert os.listdir(tmp_path) == []
    for damaged in ("{", "[]", "\0\0"):
        (tmp_path / "config.json").write_text(damaged)
        with pytest.raises(RunDirectoryError, match=r"config\.json: sha256: expected a digest"):
            RunDirectory.resume(tmp_path)


def test_unwritable_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(RunDirectoryError, match=r"(Not a directory|File exists).*unchanged.*--out"):
            RunDirectory.create(path, CONFIG)
    assert contents(tmp_path) == {"file": b"kept"}


def test_a_full_disk_at_the_start_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", fail_with(errno.ENOSPC))
    with pytest.raises(RunDirectoryError, match=r"config\.json: No space left on device.*Free some space"):
        RunDirectory.create(tmp_path / "run", CONFIG)
    assert os.listdir(tmp_path) == []
    monkeypatch.undo()
    RunDirectory.create(tmp_path / "run", CONFIG).close()


def test_a_configuration_that_is_no_json_makes_no_directory(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        RunDirectory.create(tmp_path / "run", {"lr": float("inf")})
    assert os.listdir(tmp_path) == []


@locks
def test_a_second_training_cannot_write_into_a_directory(tmp_path: Path) -> None:
    training = rf"another process \(pid {os.getpid()}\) is training into this"
    with RunDirectory.create(tmp_path / "run", CONFIG), pytest.raises(RunDirectoryError, match=training):
        RunDirectory.resume(tmp_path / "run")
    RunDirectory.resume(tmp_path / "run").close()  # free again


@locks
@pytest.mark.slow
def test_two_processes_cannot_train_into_one_directory(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path / "run", CONFIG):
        script = "import sys; from paymaster.storage.run_directory import *; RunDirectory.resume(sys.argv[1])"
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-c", script, str(tmp_path / "run")]
        second = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert f"another process (pid {os.getpid()}) is training into this directory" in second.stderr


def test_resuming_cleans_up_after_a_kill(tmp_path: Path) -> None:
    RunDirectory.create(tmp_path, CONFIG).close()
    (tmp_path / ".learning_curve.png.99.tmp").write_bytes(b"half")
    (tmp_path / ".checkpoint-00000009.safetensors.99.tmp").write_bytes(b"half")
    (tmp_path / ".mine").write_text("a user's")
    RunDirectory.resume(tmp_path).close()
    assert sorted(os.listdir(tmp_path)) == [".lock", ".mine", "config.json"]


# --- the metrics ---


def rows(first: int, last: int) -> Iterator[tuple[int, dict[str, Any]]]:
    for episode in range(first, last + 1):
        yield episode, {"gain": episode / 3, "loss": float("nan"), "by_type": [1, 2.5, float("inf")]}


def test_values_of_a_row(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path, CONFIG) as run:
        metrics = {
            "gain": np.float32(0.5),
            "n": np.int64(3),
            "by": np.arange(2),
            "name": "x",
            "bad": float("nan"),
        }
        run.log(np.int64(1), metrics, timings={"episodes_per_second": 3.25})  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="expected more than the last row's 1, got 1"):
            run.log(1, {})
        with pytest.raises(ValueError, match="'episode'"):
            run.log(2, {"episode": 2})
        with pytest.raises(TypeError, match="object"):
            run.log(2, {"x": object()})
        line = (tmp_path / "metrics.jsonl").read_bytes()  # there already, while the run goes on
    assert line == b'{"episode": 1, "gain": 0.5, "n": 3, "by": [0, 1], "name": "x", "bad": null}\n'


@pytest.mark.parametrize("torn", [b"", b'{"episode": 8, "ga', b'{"episode": 8}', b"\0" * 50, b"\xff"], ids="abcde")
@pytest.mark.parametrize("checkpoint", [0, 5, 7])
def test_a_killed_and_continued_run_has_the_metrics_of_an_unbroken_one(
    tmp_path: Path, torn: bytes, checkpoint: int
) -> None:
    for name, last in (("unbroken", 10), ("broken", 7)):
        with closing(MetricsFile(tmp_path / name)) as metrics:
            for row in rows(1, last):
                metrics.append(*row)
    with open(tmp_path / "broken", "ab") as file:
        file.write(torn)

    with closing(MetricsFile(tmp_path / "broken")) as metrics:
        metrics.truncate(checkpoint)
        assert [row["episode"] for row in read_metrics(metrics.path)] == list(range(1, checkpoint + 1))
        for row in rows(checkpoint + 1, 10):
            metrics.append(*row)
    assert (tmp_path / "broken").read_bytes() == (tmp_path / "unbroken").read_bytes()


def test_a_whole_row_that_lacks_its_newline_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"episode": 1}\n{"episode": 2}')
    metrics = MetricsFile(path)
    metrics.truncate(2)
    metrics.append(3, {})
    metrics.close()
    assert path.read_bytes() == b'{"episode": 1}\n{"episode": 2}\n{"episode": 3}\n'


def test_a_damaged_line_in_the_middle_is_named_and_nothing_changed(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    wrong = (b'{"episode": 1}', b'{"episode": 2.0}', b'{"episode": true}', b'{"episode": 2, "gain": "1"}', b"[" * 9_000)
    for damaged in (b"oops", b"[]", b'{"gain": 1}', b"", b'{"episode": 2, "episode": 2}', b'{"episode": NaN}', *wrong):
        path.write_bytes(b'{"episode": 1}\n' + damaged + b'\n{"episode": 3}\n')
        before = path.read_bytes()
        with pytest.raises(RunDirectoryError, match=r"metrics\.jsonl: expected .* line 2"):
            MetricsFile(path).truncate(1)
        assert path.read_bytes() == before


def test_a_truncation_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"episode": 1}\n{"episode": 2}\n')
    monkeypatch.setattr(os, "replace", fail_with(errno.ENOSPC))
    with pytest.raises(RunDirectoryError, match="No space left"):
        MetricsFile(path).truncate(1)
    assert contents(tmp_path) == {"metrics.jsonl": b'{"episode": 1}\n{"episode": 2}\n'}


def test_a_row_on_a_disk_that_fills_up_half_way_leaves_no_half_line(tmp_path: Path) -> None:
    metrics = MetricsFile(tmp_path / "metrics.jsonl")
    metrics.append(1, {"gain": 1.0})
    before = metrics.path.read_bytes()
    with files_limited_to(len(before) + 10), pytest.raises(RunDirectoryError, match="cannot append to"):
        metrics.append(2, {"gain": 2.0})
    assert metrics.path.read_bytes() == before
    metrics.append(2, {"gain": 2.0})  # there is room again
    metrics.close()
    assert [row["episode"] for row in read_metrics(metrics.path)] == [1, 2]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_ends_a_run_with_one_clear_error(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path, CONFIG)
    (tmp_path / "metrics.jsonl").symlink_to("/dev/full")
    with pytest.raises(RunDirectoryError, match=r"metrics\.jsonl: No space left on device.*--resume"), run:
        run.log(1, {"gain": 1.0})


def test_a_resumed_run_must_say_where_it_continues(tmp_path: Path) -> None:
    RunDirectory.create(tmp_path, CONFIG).close()
    with RunDirectory.resume(tmp_path) as run:
        with pytest.raises(RuntimeError, match="truncate_metrics"):
            run.log(1, {})
        run.truncate_metrics(0)
        run.log(1, {})


def test_tensorboard_shows_each_step_once_after_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    writers = pytest.importorskip("tensorboard.summary.writer.event_file_writer")
    # TensorBoard orders files by name: second, host, process, number of the writer in its process. A resumed run is
    # another process; here both are one, and number 10 of the same second would come before number 9.
    monkeypatch.setattr(writers, "_global_uid", type(writers._global_uid)(0))
    with RunDirectory.create(tmp_path, CONFIG) as run:
        for episode in range(1, 8):
            run.log(episode, {"gain": float(episode)}, {"episodes_per_second": 5.0})
    with RunDirectory.resume(tmp_path) as run:
        run.truncate_metrics(5)
        for episode in range(6, 11):
            run.log(episode, {"gain": 10.0 * episode})
    events = accumulator.EventAccumulator(str(tmp_path)).Reload()
    assert [(e.step, e.value) for e in events.Scalars("gain")] == [
        (episode, float(episode if episode <= 5 else 10 * episode)) for episode in range(1, 11)
    ]
    assert [e.step for e in events.Scalars("episodes_per_second")] == [1, 2, 3, 4, 5]


# --- what a run shows: the learning curve and the progress ---


@pytest.mark.slow
def test_learning_curve_from_rows_and_from_a_file(tmp_path: Path) -> None:
    metrics = MetricsFile(tmp_path / "metrics.jsonl")
    for episode in range(32, 3200, 32):
        metrics.append(episode, {"gain": 18 * episode / 3200 if episode != 64 else float("nan")})
    metrics.close()
    references = {"random": 4.7, "full_information": 18.3}
    plot_learning_curve(metrics.path, tmp_path / "a.png", references)
    plot_learning_curve(iter(read_metrics(metrics.path)), tmp_path / "b.png", references)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    picture = imread(tmp_path / "a.png")
    assert picture.shape == (720, 1280, 4)
    assert picture[..., :3].std() > 0.05  # not blank
    plot_learning_curve([{"episode": 1, "gain": 5.0}], tmp_path / "one.png", {"a": 5.0, "b": 5.0})


def test_learning_curve_without_a_gain_keeps_the_old_picture(tmp_path: Path) -> None:
    (tmp_path / "curve.png").write_bytes(b"old")
    with pytest.raises(ValueError, match="at least one row"):
        plot_learning_curve([{"episode": 1, "gain": None}, {"episode": 2}], tmp_path / "curve.png")
    with files_limited_to(100), pytest.raises(RunDirectoryError, match=r"curve\.png"):
        plot_learning_curve([{"episode": 1, "gain": 1.0}], tmp_path / "curve.png")
    assert contents(tmp_path) == {"curve.png": b"old"}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def progress_lines(total: int, step: int, seconds: float, start: int = 0, stop: int | None = None) -> list[str]:
    out, clock = io.StringIO(), Clock()
    with TrainingProgress(total, start, console=Console(file=out), clock=clock) as progress:
        for episode in range(start + step, (stop or total) + 1, step):
            clock.now += seconds
            progress.update(episode, gain=float("nan") if episode == start + step else 4.0, loss=0.5)
    return out.getvalue().splitlines()


def test_plain_progress_in_a_fast_run_is_a_line_every_5_percent() -> None:
    lines = progress_lines(total=10_000, step=100, seconds=0.1)
    assert len(lines) == 20
    assert lines[0] == "episode 500/10000 (5%)  gain 4.00  1,000 episodes/s  0:10 left  loss 0.5"
    assert lines[-1] == "episode 10000/10000 (100%)  gain 4.00  1,000 episodes/s  loss 0.5"


def test_plain_progress_in_a_slow_run_is_a_line_every_10_seconds() -> None:
    lines = progress_lines(total=10_000, step=1, seconds=4.0, stop=10)
    assert [line.split("/")[0] for line in lines] == ["episode 3", "episode 6", "episode 9", "episode 10"]
    assert "  0.2 episodes/s  11:06:00 left" in lines[-1]  # 9,990 episodes of 4 s


def test_progress_of_a_resumed_run_counts_from_its_start() -> None:
    lines = progress_lines(total=1000, step=10, seconds=1.0, start=900)
    assert lines[0] == "episode 950/1000 (95%)  gain 4.00  10 episodes/s  0:05 left  loss 0.5"


def test_live_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = io.StringIO()
    with TrainingProgress(100, console=Console(file=out, force_terminal=True, width=100)) as progress:
        progress.update(50, gain=7.0, loss=0.25)
        progress.note("a [note]")
    shown = out.getvalue()
    assert "50/100" in shown
    assert "gain 7.00" in shown
    assert "a [note]" in shown


def test_a_second_error_on_closing_does_not_hide_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunDirectory.create(tmp_path, CONFIG)
    monkeypatch.setattr(MetricsFile, "close", fail_with(errno.EIO))
    with pytest.raises(KeyError, match="the first"), run:
        raise KeyError("the first")
    monkeypatch.undo()
    RunDirectory.resume(tmp_path).close()  # the lock was let go all the same
