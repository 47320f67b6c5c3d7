"""The `paymaster` command, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from paymaster.algorithms import LEADERS, leader_kind
from paymaster.algorithms.leaders import RenamedWarning
from paymaster.commands.main import main

TASK = "resource_collection"
QUICK = ["--episodes", "16", "--num-envs", "8", "--hidden", "8", "--evaluate", "20"]


def test_train_then_evaluate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    assert main(["train", TASK, "--out", str(run), *QUICK]) == 0
    printed = capsys.readouterr().out
    for leader in ("random", "fixed", "preference", "full_information"):
        assert leader in printed
    assert (run / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    assert main(["train", TASK, "--out", str(run), "--resume", "--episodes", "24", "--evaluate", "0"]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(run), "--episodes", "12", "--noise", "0.2", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["episodes"] == 12
    assert set(result["gain"]) == {"mean", "ci95"}


def test_default_directories_are_numbered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert main(["train", TASK, *QUICK[:-1], "0"]) == 0
    assert main(["train", TASK, *QUICK[2:-1], "0", "--resume", "--episodes", "24"]) == 0
    base = tmp_path / "runs" / f"{TASK}-ebpg-expiring-num_envs=8-hidden=8-seed0"
    lines = [
        len(path.read_text().splitlines()) for path in (base / "metrics.jsonl", Path(f"{base}-2") / "metrics.jsonl")
    ]
    assert lines == [2, 3]
    capsys.readouterr()


@pytest.mark.parametrize("reference", ["random", "fixed", "preference", "full_information"])
def test_evaluate_a_reference(reference: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", reference, "--task", TASK, "--episodes", "20", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["leader"] == reference
    assert {"gain", "payments", "incentive", "completions", "completions_3", "follower_reward", "new_offers"} <= set(
        result
    )
    assert main(["evaluate", reference, "--task", TASK, "--episodes", "20"]) == 0
    assert reference in capsys.readouterr().out


def test_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tasks", "--json"]) == 0
    presets = {task["name"]: task["parameters"] for task in json.loads(capsys.readouterr().out)}
    assert presets[TASK]["num_bonuses"] == 2
    assert presets["multi_bonus_resource_collection"]["payment"] == "advance"
    assert main(["tasks"]) == 0
    assert "num_followers" in capsys.readouterr().out


def test_bench(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--seconds", "0.01", "--repeats", "1", "--json"]) == 0
    cells = json.loads(capsys.readouterr().out)
    assert {(cell["num_envs"], cell["num_threads"]) for cell in cells} >= {(1, 1), (1024, 1), (8192, 1)}
    assert all(cell["steps_per_second"] > 0 for cell in cells)
    assert main(["bench", "--seconds", "0.01", "--repeats", "1"]) == 0
    assert "steps/s" in capsys.readouterr().out


def test_a_map_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "map.txt"
    path.write_text("#######\n#.....#\n#.###.#\n#.....#\n#.....#\n#######\n")
    assert main(["evaluate", "random", "--task", TASK, "--map", str(path), "--episodes", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["episodes"] == 3


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["train", "chess"], "task: expected one of"),
        (["train", TASK, "--leader", "boss"], "leader: expected one of"),
        (["train", TASK, "--evaluate", "-1"], "evaluate: expected a whole number in [0, 10,000,000], got -1"),
        (["train", TASK, "--out", "/dev/null/run"], "/dev/null"),
        (["train", TASK, "--resume", "--out", "nowhere"], "nowhere"),
        (["train", TASK, "--resume"], "resume: expected a run in"),
        (["train", TASK, "--map", "nowhere.txt"], "map: expected a map's text or a readable file"),
        (["evaluate", "random"], "task: expected --task"),
        (["evaluate", "nobody", "--task", TASK], "leader: expected a run directory or one of"),
        (
            ["evaluate", "random", "--task", TASK, "--episodes", "0"],
            "episodes: expected a whole number in [1, 10,000,000], got 0",
        ),
        (["evaluate", "random", "--task", TASK, "--noise", "nan"], "noise: expected a number in [0, 1], got nan"),
        (["bench", "--task", "chess"], "task: expected one of"),
        (["bench", "--repeats", "0"], "repeats: expected a whole number in [1, 1,000], got 0"),
    ],
)
def test_errors_are_one_clear_line(
    args: list[str], error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(args) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("paymaster: error: ")
    assert error in printed.err
    assert printed.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_an_old_name_of_a_leader_is_found_with_a_note(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    short = ["--episodes", "8", "--num-envs", "8", "--hidden", "8", "--evaluate", "0", "--out", str(tmp_path / "run")]
    assert main(["train", "resource_collection", "--leader", "natural-ends", *short]) == 0
    note = "paymaster: note: leader: 'natural-ends' is called 'ebpg-expiring' now"
    assert note in capsys.readouterr().err.splitlines()
    assert '"leader": "ebpg-expiring"' in (tmp_path / "run" / "config.json").read_text()
    with pytest.warns(RenamedWarning, match="'natural-ends-only' is called 'expiring-only' now"):
        assert leader_kind("natural-ends-only") == LEADERS["expiring-only"]
