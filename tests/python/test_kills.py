"""Runs that are killed while they are prolonged, and kills at random moments: nothing is lost, all ends the same."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kills import CASES, differences, run_files
from paymaster.commands.main import main
from paymaster.storage import checkpoint, run_config, run_directory
from paymaster.training.config import TrainConfig
from paymaster.training.setup import stored_config
from paymaster.training.train import train
from rest_slow import rest_slow
from small_runs import TASK, Killed, die_at

SHORT = TrainConfig(TASK, episodes=8, num_envs=8, checkpoint_every=8, hidden=8, seed=3)
MORE = TrainConfig(TASK, episodes=32)
LEARNING = dataclasses.replace(SHORT, parameters={"followers": "meta", "payment": "advance_once"})


def alone(config: TrainConfig) -> Callable[..., Any]:
    return lambda out, given, resume: train(config if given is None else given, out, resume=resume)


def seeds(out: Path, given: TrainConfig | None, resume: bool) -> None:
    """By the command."""
    several = ["train", TASK, "--seeds", "2", "--seed", "3", "--evaluate", "0", "--out", str(out)]
    begin = ["--episodes", "8", "--num-envs", "8", "--checkpoint-every", "8", "--hidden", "8"]
    prolong = ["--episodes", "32"] if given is MORE else []
    assert main([*several, *(["--resume", *prolong] if resume else begin)]) == 0


WAYS = {"alone": alone(SHORT), "learning": alone(LEARNING), "seeds": seeds}


MOMENTS: dict[str, tuple[Any, str, int]] = {
    "first step": (run_directory.RunDirectory, "log", 1),
    "later step": (run_directory.RunDirectory, "log", 3),
    "second configuration": (run_directory, "write_run_config", 2),
    "last checkpoint there, older one not gone": (checkpoint, "delete_older", 3),
}
KILLED = [(way, moment) for way in WAYS for moment in MOMENTS if way == "seeds" or "configuration" not in moment]
COVERING = {("alone", "first step"), ("learning", "later step"), ("seeds", "later step")}
COVERING |= {("alone", "last checkpoint there, older one not gone")}


@pytest.mark.parametrize(("way", "moment"), rest_slow(KILLED, COVERING.__contains__))
def test_a_prolonged_run_goes_on_to_its_new_number(way: str, moment: str, tmp_path: Path) -> None:
    """Killed in a step, and while configurations are written; resumed without a number."""
    go = WAYS[way]
    go(tmp_path / "short", None, resume=False)
    go(Path(shutil.copytree(tmp_path / "short", tmp_path / "whole")), MORE, resume=True)
    expected = run_files(tmp_path / "whole")
    out = tmp_path / "short"
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, *MOMENTS[moment])
        with pytest.raises(Killed):
            go(out, MORE, resume=True)
    assert any(stored_config(path.parent).episodes == 32 for path in out.rglob("config.json"))
    go(out, TrainConfig(TASK), resume=True)
    assert differences(expected, run_files(out)) == []


def test_killed_before_the_new_number_is_there(tmp_path: Path) -> None:
    """Then the run is the old one, whole."""
    out = tmp_path / "run"
    train(SHORT, out)
    before = run_files(out)
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, run_directory, "write_run_config", 1)
        with pytest.raises(Killed):
            train(MORE, out, resume=True)
    assert run_files(out) == before


def test_another_device_is_recorded_before_the_first_step(tmp_path: Path) -> None:
    out = tmp_path / "run"
    train(SHORT, out)
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, run_directory.RunDirectory, "log", 1)
        with pytest.raises(Killed):
            train(dataclasses.replace(MORE, device="cpu"), out, resume=True)
    fields = [change.field for change in run_config.read_run_config(out).changes]
    assert fields == ["episodes", "device"]
    assert train(TrainConfig(TASK), out, resume=True).device == "cpu"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_kills_at_random_moments() -> None:
    script = Path(__file__).parents[1] / "kills.py"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, str(script), "--kills", str(len(CASES))], env=environment, check=True)
