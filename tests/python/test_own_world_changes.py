"""Worlds of one's own whose rules change, and whose class other processes find, or not."""

from __future__ import annotations

import importlib
import io
import pickle
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from own_worlds import EXAMPLES, Taxi
from paymaster import World, _core, register
from paymaster.commands.main import main
from paymaster.training.config import TrainConfig
from paymaster.training.train import train
from paymaster.worlds import registration
from paymaster.worlds.rules_digest import rules_digest

SOURCE = """
from taxi_world import Taxi


class Other(Taxi):
    def available(self):
        return self.waiting
"""
SMALL = ("--episodes", "8", "--num-envs", "8", "--hidden", "8", "--evaluate", "0")


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    yield
    sys.modules.pop("other_world", None)


def imported(folder: Path, text: str) -> type[World]:
    """The class of a module with this text, which is read again."""
    (folder / "other_world.py").write_text(text)
    registration.forget("other_world:Other")
    sys.modules.pop("other_world", None)
    importlib.invalidate_caches()
    world: type[World] = importlib.import_module("other_world").Other
    return world


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return tmp_path


def test_the_digest_is_of_what_the_class_does(folder: Path) -> None:
    first = rules_digest(imported(folder, SOURCE))
    assert len(first) == 16
    said = SOURCE.replace("(Taxi):", '(Taxi):\n    """Says what it is."""\n').replace("waiting", "waiting  # as it is")
    assert rules_digest(imported(folder, said.replace("(self)", "( self )"))) == first
    assert rules_digest(imported(folder, SOURCE.replace("self.waiting", "self.waiting * 1"))) != first
    assert rules_digest(Taxi) != first
    assert rules_digest(type("Typed", (Taxi,), {})) == ""


@pytest.mark.slow
def test_a_run_says_when_the_rules_have_changed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imported(folder, SOURCE)
    out = folder / "run"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert main(["train", "other_world:Other", *SMALL, "--out", str(out)]) == 0
        assert main(["evaluate", str(out), "--episodes", "8"]) == 0
    imported(folder, SOURCE.replace("self.waiting", "self.waiting * 1"))
    changed = "expected the rules of other_world:Other as the run was trained with, got a class that has changed"
    with pytest.warns(UserWarning, match=changed):
        assert main(["train", "other_world:Other", "--out", str(out), "--resume", "--episodes", "16"]) == 0
    with pytest.warns(UserWarning, match=changed):
        assert main(["evaluate", str(out), "--episodes", "8"]) == 0
    capsys.readouterr()


def test_a_world_of_the_running_program_is_not_found_elsewhere(tmp_path: Path) -> None:
    register("here", type("Here", (Taxi,), {"__module__": "__main__", "__qualname__": "Here"}))
    with pytest.warns(UserWarning, match="expected a world in a module that other processes can import, got __main__"):
        train(TrainConfig("here", episodes=8, num_envs=8, hidden=8), tmp_path / "run")


def test_a_configuration_brings_its_task_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    register("brought", Taxi, num_goals=6)
    config = TrainConfig("brought", episodes=8)
    stored = io.BytesIO(pickle.dumps(config))
    registration.forget("brought")
    assert pickle.load(stored) == config
    assert {task["name"]: task["parameters"] for task in _core.tasks()}["brought"]["num_goals"] == 6
