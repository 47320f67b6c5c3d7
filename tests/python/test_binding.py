"""What stands in a run directory belongs together: what is changed, removed or taken from another run is refused."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from paymaster.analysis.equilibrium import diagnose_run
from paymaster.analysis.evaluate import evaluate_run
from paymaster.analysis.inspection import inspect_run
from paymaster.analysis.render import open_leader
from paymaster.commands.main import main
from paymaster.storage.atomic import write_bytes
from paymaster.storage.checkpoint import latest_checkpoint, list_checkpoints, load_checkpoint, save_checkpoint
from paymaster.storage.run_config import StoredConfig, read_run_config, write_run_config
from paymaster.storage.sealed import open_json, sealed_json
from paymaster.training.config import TrainConfig
from paymaster.training.run_state import open_checkpoint
from paymaster.training.setup import stored_config
from paymaster.training.train import train

TASK = "resource_collection"
SMALL = TrainConfig(TASK, episodes=32, num_envs=8, checkpoint_every=16, hidden=8, seed=3)

USES: dict[str, Callable[[Path], Any]] = {
    "evaluate": lambda run: evaluate_run(run, 2),
    "inspect": lambda run: inspect_run(run, 2),
    "render": lambda run: open_leader(str(run)),
    "diagnose": lambda run: diagnose_run(run, 2, 0),
    "resume": lambda run: train(TrainConfig(TASK), run, resume=True),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "trained"
    train(SMALL, out)
    return out


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))


def contents(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run.iterdir() if path.name != ".lock"}


def assert_refused(run: Path, message: str, uses: dict[str, Callable[[Path], Any]] = USES) -> None:
    """By all commands that read a run, in the same words, and nothing in it is changed."""
    before = contents(run)
    for use, attempt in uses.items():
        with pytest.raises((ValueError, OSError), match=message) as caught:
            attempt(run)
        assert str(run) in str(caught.value), use
    assert contents(run) == before


def config_with(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Changes config.json, and gives it the right digest."""
    path = run / "config.json"
    value = open_json(path.read_bytes(), "config.json")
    change(value)
    path.write_bytes(sealed_json(value))


@pytest.mark.parametrize(("old", "new"), [('"gamma": 1.0', '"gamma": 0.9'), ('"seed": 3', '"seed": 2'), (": 8", ": 9")])
def test_a_configuration_changed_by_hand(run: Path, old: str, new: str) -> None:
    path = run / "config.json"
    path.write_text(path.read_text().replace(old, new, 1))
    assert_refused(run, r"config\.json: sha256: expected .* damaged or changed by hand\. Put the file back")


def test_any_flipped_bit_of_the_configuration(run: Path) -> None:
    path = run / "config.json"
    data = path.read_bytes()
    for position in range(0, len(data), 13):
        path.write_bytes(data[:position] + bytes([data[position] ^ 1 << position % 7]) + data[position + 1 :])
        with pytest.raises(OSError, match=re.escape(str(path))):
            stored_config(run)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("gamma", 0.9, r"config\.learner\.gamma: expected 0\.9 as in config\.json, got 1\.0"),
        ("gamma", 2, "gamma: expected .* got 2"),
        ("gamma", True, r"config\.json: config\.learner\.gamma: expected a number.*, got True"),
        ("gamma", "1", "gamma: expected a number.*, got '1'"),
        ("epochs", 4.0, "epochs: expected a whole number.*, got 4.0"),
        ("gradient", "thick", "gradient: expected one of dense, sparse, got 'thick'"),
        ("options", {"interval": 0}, r"learner\.options\.expiring: expected true or false, got nothing"),
        ("no_such", 1, r"learner\.'no_such': expected one of the fields gradient"),
    ],
)
def test_a_configuration_with_the_right_digest(run: Path, field: str, value: Any, message: str) -> None:
    config_with(run, lambda whole: whole["config"]["learner"].update({field: value}))
    assert_refused(run, message)


def test_fields_beside_the_configuration_are_checked(run: Path) -> None:
    for name, value, message in [
        ("format_version", 3, "format_version: expected 2, got 3"),
        ("format", "other", "format: expected paymaster-run, got 'other'"),
        ("config", [], "config: expected an object, got a list"),
        ("changes", [{"episode": -1, "field": "episodes", "was": 1, "now": 32}], r"changes\[0\]\.episode: expected"),
        ("changes", [{"episode": 0, "field": "episodes", "was": 1, "now": 31}], r"changes\[0\]\.now: expected 32"),
        ("more", 1, "'more': expected one of the fields"),
    ]:
        original = (run / "config.json").read_bytes()
        config_with(run, lambda whole, name=name, value=value: whole.update({name: value}))  # type: ignore[misc]
        assert_refused(run, message)
        (run / "config.json").write_bytes(original)


def test_changes_that_were_never_made_are_refused(run: Path) -> None:
    stored = read_run_config(run)
    write_run_config(run, stored.changed({**stored.config, "episodes": 640}, 16))
    assert_refused(run, r"config\.episodes: expected 640 as in config\.json, got 32")
    write_run_config(run, StoredConfig({**stored.config, "episodes": 640}))
    assert_refused(run, r"config\.episodes: expected 640 as in config\.json, got 32")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[:-1], r"metrics\.jsonl: bytes: expected at least \d+ .* rows were cut off"),
        (lambda lines: lines[1:], r"metrics\.jsonl: bytes: expected .* rows were cut off"),
        (lambda _: [], "rows were cut off"),
        (lambda lines: [lines[0], *lines], r"metrics\.jsonl: sha256: expected .* rows were changed or removed"),
        (lambda lines: [lines[0].replace(b'"gain": ', b'"gain":1'), *lines[1:]], "sha256: expected"),
    ],
)
def test_rows_cut_or_changed(run: Path, change: Callable[[list[bytes]], list[bytes]], message: str) -> None:
    path = run / "metrics.jsonl"
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    assert_refused(run, message)


def test_no_metrics_at_all(run: Path) -> None:
    (run / "metrics.jsonl").unlink()
    assert_refused(run, r"metrics\.jsonl: bytes: expected .* got no file")


def test_rows_after_the_checkpoint_do_not_matter(run: Path) -> None:
    with open(run / "metrics.jsonl", "ab") as file:
        file.write(b'{"episode": 40, "gain": 1.0}\n{"episode": 48, "ga')
    evaluate_run(run, 2)
    train(TrainConfig(TASK, episodes=40), run, resume=True)


def test_a_renamed_checkpoint(run: Path) -> None:
    latest_checkpoint(run).rename(run / "checkpoint-00000064.safetensors")
    assert_refused(run, r"checkpoint-00000064\.safetensors: episode: expected that of its name, got 32")


def test_a_checkpoint_of_another_run(run: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    train(dataclasses.replace(SMALL, learner=dataclasses.replace(SMALL.learner, gamma=0.9)), other)
    theirs = latest_checkpoint(other)
    shutil.copy(theirs, run / theirs.name)
    assert_refused(
        run, r"config\.learner\.gamma: expected 1\.0 as in config\.json, got 0\.9: the checkpoint is another"
    )
    shutil.copy(other / "config.json", run)
    assert_refused(run, r"metrics\.jsonl: (sha256|bytes): expected")


def test_the_command_says_it_in_one_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = run / "config.json"
    write_bytes(path, path.read_bytes().replace(b'"gamma": 1.0', b'"gamma": 0.9'))
    for arguments in (["evaluate", str(run)], ["train", TASK, "--resume", "--out", str(run)]):
        assert main(arguments) == 2
        assert capsys.readouterr().err.startswith(f"paymaster: error: {path}: sha256: expected")


def test_an_older_configuration_is_told_apart(run: Path) -> None:
    (run / "config.json").write_text(json.dumps(SMALL.to_json()))
    assert_refused(run, r"config\.json: .* An earlier version of paymaster wrote it, in an older format")


# --- deliberate changes ---


def test_a_change_is_recorded_and_older_checkpoints_still_belong(run: Path) -> None:
    train(TrainConfig(TASK, episodes=48, device="cpu"), run, resume=True)
    stored = read_run_config(run)
    assert [(one.episode, one.field, one.was, one.now) for one in stored.changes] == [
        (32, "episodes", 32, 48),
        (32, "device", "auto", "cpu"),
    ]
    assert [load_checkpoint(path).header.config["episodes"] for path in list_checkpoints(run)] == [32, 48]
    evaluate_run(run, 2)
    latest_checkpoint(run).unlink()
    evaluate_run(run, 2)  # of what was saved before the change
    train(TrainConfig(TASK), run, resume=True)
    assert latest_checkpoint(run).stem == "checkpoint-00000048"


@pytest.mark.slow
def test_going_on_from_before_a_change(run: Path) -> None:
    """The later checkpoint is gone; what it is replaced by is another's, and belongs to the run as it is now."""
    train(TrainConfig(TASK, episodes=48), run, resume=True)
    for path in list_checkpoints(run):
        if path.stem > "checkpoint-00000016":
            path.unlink()
    assert not list_checkpoints(run)
    train(TrainConfig(TASK), run, resume=True)  # starts over, under the new number
    assert [change.episode for change in read_run_config(run).changes] == [0]
    evaluate_run(run, 2)


def test_fewer_episodes_than_there_are(run: Path) -> None:
    with pytest.raises(ValueError, match=r"episodes: expected at least the 32 that .* has trained on, got 8"):
        train(TrainConfig(TASK, episodes=8), run, resume=True)
    assert stored_config(run) == SMALL


# --- checkpoints with the right digest that do not fit ---


def saved_again(run: Path, change: Callable[[dict[str, dict[str, Any]]], Any]) -> None:
    """Changes the tensors of the newest checkpoint, and gives it the right digest."""
    checkpoint = load_checkpoint(latest_checkpoint(run))
    change(checkpoint.tensors)
    header = checkpoint.header
    save_checkpoint(
        run,
        header.episode,
        checkpoint.tensors,
        config=header.config,
        metrics=header.metrics,
        optimizers=header.optimizers,
    )


@pytest.mark.parametrize(
    ("change", "message", "uses"),
    [
        (lambda t: t["leader"].pop(next(iter(t["leader"]))), "Missing key", list(USES)),
        (lambda t: t.pop("leader"), "Missing key", list(USES)),
        (lambda t: t["leader"].update(more=torch.ones(1)), "Unexpected key", list(USES)),
        (lambda t: t["leader"].update({name: w[..., None] for name, w in t["leader"].items()}), "size mis", list(USES)),
        (lambda t: t["statistics"].pop("outcome"), "statistics/outcome: expected a tensor", ["evaluate"]),
        (lambda t: t["statistics"].update(outcome=t["statistics"]["outcome"] - 2), "outcome: expected", ["evaluate"]),
        (lambda t: t["state"].update(generator=torch.ones(3).byte()), "RNG state", ["resume"]),
        (lambda t: t["state"].update(games=torch.ones(300).byte()), "snapshot", ["resume"]),
        (lambda t: t["state"].update(games=torch.ones(3)), r"bytes as uint8\[n\]", ["resume"]),
        (lambda t: t.pop("state"), "'state'", ["resume"]),
        (lambda t: t["optimizer_leader"].popitem(), "missing", ["resume"]),
        (lambda t: t.update(others={"w": torch.ones(1)}), "others: expected tensors of leader", ["resume"]),
    ],
)
def test_tensors_that_do_not_fit(run: Path, change: Callable[..., Any], message: str, uses: list[str]) -> None:
    saved_again(run, change)
    assert_refused(run, message, {use: USES[use] for use in uses})


def test_a_checkpoint_deleted_by_the_training_while_it_is_opened(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older, newest = list_checkpoints(run)
    found = iter([older])

    def seen_before_the_newest(path: Path) -> Path:
        if seen := next(found, None):
            seen.unlink()
            return seen
        return latest_checkpoint(path)

    monkeypatch.setattr("paymaster.training.run_state.latest_checkpoint", seen_before_the_newest)
    assert open_checkpoint(run).path == newest
