"""The command line at its edges: every error is a line, also of a process whose output is closed or full."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from command_line import SMALL, TASK, error_of, own_folder  # noqa: F401 (a fixture)
from paymaster.commands import main as cli
from paymaster.commands.bench import Bench
from paymaster.commands.main import main

# ---- errors


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (KeyError("x"), 1, "this is a fault of paymaster"),
        (AssertionError(), 1, "this is a fault of paymaster"),
        (RuntimeError("two\nlines"), 1, "RuntimeError: two lines"),
        (OverflowError("big"), 1, "OverflowError: big"),
        (RecursionError("deep"), 1, "RecursionError: deep"),
        (MemoryError(), 1, "not enough memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 1, "not enough memory"),
        (ValueError("a: expected b,\ngot c"), 2, "a: expected b, got c"),
        (OSError(28, "No space left on device"), 2, "No space left on device"),
    ],
)
def test_no_error_shows_a_traceback(
    error: Exception,
    status: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(Bench, "run", fail)
    monkeypatch.setattr(cli.tempfile, "tempdir", str(tmp_path / "told"))
    (tmp_path / "told").mkdir()
    assert main(["bench"]) == status
    printed = capsys.readouterr().err
    assert said in printed and printed.count("\n") == 1 and "Traceback" not in printed
    told = list((tmp_path / "told").iterdir())
    assert len(told) == (status == 1)
    if told:
        assert str(told[0]) in printed and "Traceback" in told[0].read_text()
    monkeypatch.setenv("PAYMASTER_TRACEBACK", "1")
    assert main(["bench"]) == status
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Bench, "run", interrupt)
    assert main(["bench"]) == 130
    assert "--resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rank", "size", "status"), [("", "", 0), ("", "4", 0), ("0", "", 0), ("x", "2", 2), ("2", "2", 2), ("0", "-1", 2)]
)
def test_an_empty_rank_is_none(
    rank: str, size: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("WORLD_SIZE", size)
    assert main(["train", TASK, *SMALL, "--out", "run"]) == status
    if status:
        assert "expected" in capsys.readouterr().err


def test_the_option_that_does_not_fit_a_run_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", TASK, *SMALL, "--out", "run"]) == 0
    Path("empty").mkdir()
    capsys.readouterr()
    for args, message in (
        (["evaluate", "run", "--horizon", "7"], "horizon: expected 30 as in the run's games, got 7"),
        (["render", "run", "--horizon", "7"], "horizon: expected 30 as in the run's games, got 7"),
        (["evaluate", "run", "--population-size", "7"], "population_size: expected 40 as in the run's games, got 7"),
        (["evaluate", "run", "--abstain", "True"], "abstain: expected False as in the run's games, got True"),
        (["evaluate", "run", "--task", "multi_bonus_resource_collection"], "task: num_bonuses: expected 2 as in the r"),
        (
            ["evaluate", "random", "--task", TASK, "--population", "empty"],
            "population: expected a run directory, got 'e",
        ),
        (
            ["evaluate", "run", "--population", "none"],
            "population: expected a run directory, got 'none', which holds no",
        ),
        (
            ["diagnose", "run", "--population", "none"],
            "population: expected a run directory, got 'none', which holds no",
        ),
        (["evaluate", "run", "--population", "run"], "population: expected a run whose followers learned, got 'run'"),
        (["evaluate", "empty"], "leader: expected a run directory, got 'empty', which holds no config.json"),
        (["render", "empty"], "leader: expected a run directory, got 'empty', which holds no config.json"),
        (["inspect", "empty"], "run_directory: expected a trained leader's, got 'empty'"),
        (["diagnose", "empty"], "run_directory: expected a trained leader's, got 'empty'"),
        (["train", TASK, "--resume", "--out", "empty"], "resume: expected a run in empty, got none; check --out, or"),
    ):
        shown = error_of(args, capsys)
        assert shown.startswith(message)
        assert ("--resume" in shown) == (args[0] == "train")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "map: expected a file that holds a map, got an empty one, 'map.txt'"),
        (" \r\n".encode("utf-16"), "map: expected a file in UTF-8, got 'map.txt', which is in UTF-16"),
        ("####\n#..#\n####\n".encode("utf-16"), "map: expected a file in UTF-8, got 'map.txt', which is in UTF-16"),
        ("####\n".encode("utf-16-le"), "map: expected a file in UTF-8, got 'map.txt', which is in UTF-16"),
        (b"####\n#\xe4.#\n####\n", "map: expected a file in UTF-8, got 'map.txt', which is in another encoding"),
    ],
)
def test_a_map_file_that_is_no_text_is_refused_with_the_reason(
    content: bytes, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("map.txt").write_bytes(content)
    for command in (["train", TASK], ["evaluate", "random", "--task", TASK]):
        assert error_of([*command, "--map", "map.txt"], capsys) == message


# ---- as a process


def paymaster_in_a_shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = f"paymaster() {{ '{sys.executable}' -m paymaster \"$@\"; }}; {line}"
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=120, env={**os.environ, **environment}
    )


LINES = [
    "paymaster tasks | head -1",
    "paymaster --help | head -1",
    "paymaster tasks --json >&-",
    "paymaster evaluate random --task resource_collection --episodes 2 2>&- >&-",
]


@pytest.mark.slow  # each imports for two seconds
@pytest.mark.parametrize("line", LINES)
def test_a_closed_output_ends_it_quietly(line: str) -> None:
    done = paymaster_in_a_shell(line)
    assert done.returncode == 0 and done.stderr == ""


@pytest.mark.parametrize("command", ["tasks", "tasks --json", "--version", f"train {TASK} --episodes 8 --out run"])
@pytest.mark.slow
def test_a_full_disk_is_an_error_in_a_line(command: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    done = paymaster_in_a_shell(f"paymaster {command} > /dev/full")
    assert done.returncode == 2
    assert done.stderr == "paymaster: error: cannot write standard output: No space left on device\n"


@pytest.mark.slow
def test_training_on_an_ascii_terminal_ends_with_its_curve() -> None:
    train = f"paymaster train {TASK} --episodes 16 --num-envs 8 --hidden 8 --evaluate 8 --out $'r\\xc3\\xbcn[x]'"
    done = paymaster_in_a_shell(train, PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.isascii() and " +/- " in done.stdout and "r\\xfcn[x]" in done.stdout
    assert Path("rün[x]/learning_curve.png").exists()


INTERRUPTED_AT = """
import os, runpy, signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a test in the background inherits that it is ignored
sys.meta_path.insert(0, Interrupting())
sys.argv = ["paymaster", "bench"]
runpy.run_module("paymaster", run_name="__main__")
"""


@pytest.mark.parametrize("module", ["gymnasium", pytest.param("torch", marks=pytest.mark.slow), "tyro"])
def test_ctrl_c_during_imports_shows_no_traceback(module: str) -> None:
    code = INTERRUPTED_AT.format(module=module)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 130
    assert done.stderr == "paymaster: interrupted\n"
