"""Full disks, and kills at any moment of a save: what was there before stays."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from paymaster.storage.atomic import RunDirectoryError
from paymaster.storage.checkpoint import latest_checkpoint, list_checkpoints, load_checkpoint
from paymaster.storage.run_directory import RunDirectory
from saving import hidden, save, save_tensors


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_an_error_while_saving_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, number: int
) -> None:
    first = save(tmp_path, 1)

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, function, fail)
    with pytest.raises(RunDirectoryError) as caught:
        save(tmp_path, 2)
    monkeypatch.undo()
    message = str(caught.value)
    assert str(tmp_path / "checkpoint-00000002") in message
    assert os.strerror(number) in message
    assert "What was there before is unchanged" in message
    assert caught.value.errno == number
    assert os.listdir(tmp_path) == [first.name]
    assert load_checkpoint(latest_checkpoint(tmp_path)).episode == 1


def test_a_failed_replacement_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_tensors(tmp_path, 1, {}, {"value": 1})

    def fail(*_: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(RunDirectoryError, match="Input/output error"):
        save_tensors(tmp_path, 1, {}, {"value": 2})
    assert load_checkpoint(path).header.config == {"value": 1}
    assert hidden(tmp_path) == []


def test_unwritable_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(RunDirectoryError, match=r"file/checkpoint-00000128.safetensors: Not a directory.*--out"):
        save(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "kept"


def test_leftovers_of_a_kill_are_no_checkpoints_and_go_when_the_run_is_resumed(tmp_path: Path) -> None:
    RunDirectory.create(tmp_path, {}).close()
    path = save(tmp_path, 1)
    shutil.copy(path, tmp_path / f".{path.name}.99999.tmp")
    assert list_checkpoints(tmp_path) == [path]
    RunDirectory.resume(tmp_path).close()
    assert hidden(tmp_path) == [".lock"]
    assert list_checkpoints(tmp_path) == [path]


def run_script(script: str, *arguments: Any) -> "subprocess.Popen[str]":
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_death_at_every_single_step_of_a_save(tmp_path: Path) -> None:
    """A forked process ends, without cleaning up, before its n-th change to the file system, for every n.

    Of a save that replaces a checkpoint, and of one that makes a new one.
    """
    script = """
        import os, shutil, sys, pathlib, torch
        from paymaster.storage.checkpoint import latest_checkpoint, list_checkpoints, load_checkpoint
        from saving import save_tensors

        def save(run_dir, episode, value):
            save_tensors(run_dir, episode, {"leader": {"w": torch.full((9,), value)}}, {"value": value})

        def die_before(n):
            calls = 0
            def wrap(function):
                def wrapped(*args, **kwargs):
                    nonlocal calls
                    calls += 1
                    if calls == n:
                        os._exit(9)
                    return function(*args, **kwargs)
                return wrapped
            for name in ("replace", "fsync", "unlink"):
                setattr(os, name, wrap(getattr(os, name)))

        def steps_of(episode, base):
            n, died = 0, True
            while died:
                n += 1
                run_dir = base / str(n)
                run_dir.mkdir()
                save(run_dir, 1, 1)
                save(run_dir, 2, 2)
                child = os.fork()
                if child == 0:
                    try:
                        die_before(n)
                        save(run_dir, episode, 30)
                        os._exit(0)
                    finally:
                        os._exit(1)
                code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                assert code in (0, 9), code
                died = code == 9
                for path in list_checkpoints(run_dir):  # whatever has the name is whole
                    checkpoint = load_checkpoint(path)
                    assert (checkpoint.tensors["leader"]["w"] == checkpoint.header.config["value"]).all()
                assert latest_checkpoint(run_dir).name >= "checkpoint-00000002", (n, os.listdir(run_dir))
                save(run_dir, 4, 4)
                assert load_checkpoint(latest_checkpoint(run_dir)).episode == 4
            return n

        for episode, name in ((2, "replacing"), (3, "new")):
            base = pathlib.Path(sys.argv[1], name)
            base.mkdir()
            print(steps_of(episode, base))
    """
    with run_script(script, tmp_path) as process:
        output = process.communicate()[0]
    assert process.returncode == 0
    assert all(int(steps) >= 4 for steps in output.split())  # so many there are at least


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_kill_9_while_saving_in_a_loop(tmp_path: Path) -> None:
    script = """
        import sys, torch
        from saving import save_tensors
        for episode in range(1, 10**6):
            tensors = {name: {"w": torch.full((20_000,), episode)} for name in ("leader", "state")}
            save_tensors(sys.argv[1], episode, tensors)
            print(episode, flush=True)
    """
    runs = [tmp_path / str(i) for i in range(3)]
    for run_dir in runs:
        run_dir.mkdir()
    reported = []
    with ExitStack() as stack:
        processes = [stack.enter_context(run_script(script, run_dir)) for run_dir in runs]
        for process in processes:
            stack.callback(process.kill)
        for i, process in enumerate(processes):
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(5)]
            time.sleep(0.0137 * i)
            process.kill()
            reported.append(int((lines + process.stdout.readlines())[-1]))
    for run_dir, last in zip(runs, reported, strict=True):
        assert load_checkpoint(latest_checkpoint(run_dir)).episode in (last, last + 1)
        for path in list_checkpoints(run_dir):
            checkpoint = load_checkpoint(path)
            assert all((group["w"] == checkpoint.episode).all() for group in checkpoint.tensors.values())
        assert len(hidden(run_dir)) <= 1  # what was being written
