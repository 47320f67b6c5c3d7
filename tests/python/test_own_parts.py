"""Leaders, followers and games of one's own: named by import path in a run, and found again by it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import paymaster
from command_line import error_of
from own_parts import LEADER, OBEDIENT, PICKY, WELL_PAID, LearnsNothing, Picky, obedient
from paymaster import integrations
from paymaster.analysis.equilibrium import diagnose_run
from paymaster.analysis.evaluate import evaluate_run, evaluate_scripted
from paymaster.analysis.inspection import inspect_run
from paymaster.analysis.render import open_leader
from paymaster.commands.main import main
from paymaster.play.recorded_episode import record_episode
from paymaster.scripted import make_scripted
from paymaster.storage.run_config import read_config
from paymaster.training.config import TrainConfig
from paymaster.training.own_parts import named
from paymaster.training.setup import stored_config
from paymaster.training.train import train
from small_runs import SMALL, TASK, Killed, die_at

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
TINY = ["--episodes", "16", "--num-envs", "8", "--evaluate", "0"]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(EXAMPLES)


def rows(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


# ---- leaders


def test_a_leader_of_ones_own_is_trained_and_found_again(capsys: pytest.CaptureFixture[str]) -> None:
    """By the command, and then by all that look at a run, without being told of it."""
    assert main(["train", TASK, "--leader", LEADER, *TINY, "--out", "run"]) == 0
    assert f"training {LEADER} with num_envs=8 on {TASK} in run" in capsys.readouterr().out
    run = Path("run")
    assert read_config(run)["leader"] == LEADER
    assert main(["evaluate", "run", "--episodes", "8", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    result = evaluate_run(run, 8)
    assert told["gain"]["mean"] == pytest.approx(result.gain.mean())
    assert main(["render", "run", "--step", "2", "--out", "picture.png"]) == 0
    assert main(["inspect", "run", "--episodes", "4"]) == 0
    assert json.loads(Path("run/inspection.json").read_text())["attention"] is None
    assert main(["diagnose", "run", "--episodes", "4", "--json"]) == 0
    capsys.readouterr()
    assert main(["compare", "run", PICKY, "--episodes", "8", "--json"]) == 0
    labels = [leader["leader"] for leader in json.loads(capsys.readouterr().out)["leaders"]]
    assert labels == [LEADER, PICKY]


def test_from_python_it_is_the_same(tmp_path: Path) -> None:
    """A class is stored by its path, and a run of it is resumed without naming it."""
    from own_leader import OwnLeader

    config = TrainConfig(TASK, episodes=32, num_envs=8, checkpoint_every=8)
    train(config, tmp_path / "class", leader=OwnLeader)
    train(replace(config, leader=LEADER), tmp_path / "path")
    assert (tmp_path / "class/metrics.jsonl").read_bytes() == (tmp_path / "path/metrics.jsonl").read_bytes()
    assert stored_config(tmp_path / "class") == replace(config, leader=LEADER)
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, OwnLeader, "update", 3)
        with pytest.raises(Killed):
            train(config, tmp_path / "killed", leader=OwnLeader)
    train(TrainConfig(TASK), tmp_path / "killed", resume=True)
    assert (tmp_path / "killed/metrics.jsonl").read_bytes() == (tmp_path / "path/metrics.jsonl").read_bytes()
    with pytest.raises(ValueError, match="leader: expected 'own_leader:OwnLeader' as in the run to resume"):
        train(TrainConfig(TASK), tmp_path / "killed", resume=True, leader="ebpg")


def test_a_class_that_only_this_process_has(tmp_path: Path) -> None:
    """It is found as long as the process lives; afterwards the run says what is missing."""
    from own_leader import OwnLeader

    class Local(OwnLeader):
        """Cannot be imported."""

    train(TrainConfig(TASK, episodes=8, num_envs=8), tmp_path / "run", leader=Local)
    assert "<locals>.Local" in read_config(tmp_path / "run")["leader"]
    assert evaluate_run(tmp_path / "run", 4).episodes == 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("paymaster.validation.imports._given", {})
        with pytest.raises(ValueError, match="leader: expected 'module:Class' that can be imported, got 'test_own"):
            evaluate_run(tmp_path / "run", 4)


def test_learner_settings_are_the_own_leaders_to_read() -> None:
    """Those of another leader are not carried over, those that were given are."""
    plain, given = TrainConfig(TASK, leader="m3rl"), TrainConfig(TASK, leader="m3rl")
    assert named(plain, leader=LEADER) == TrainConfig(TASK, leader=LEADER)
    given = replace(given, learner=replace(given.learner, gamma=0.5))
    assert named(given, leader=LEADER).learner.gamma == 0.5


@pytest.mark.parametrize(
    ("leader", "error"),
    [
        (
            "no_such_module:Leader",
            "leader: expected 'module:Class' that can be imported, got 'no_such_module:Leader' (Mod",
        ),
        ("own_parts:Nobody", "leader: expected 'module:Class' that can be imported, got 'own_parts:Nobody' (Attribute"),
        ("own_parts:LEADER", "leader: expected a class, got str by 'own_parts:LEADER'"),
        ("own_parts:LearnsNothing", "leader: expected one with device"),
        (PICKY, "leader: expected one that learns, or followers that do (meta, primitive, q), got 'own_parts:Picky'"),
        ("boss", "leader: expected one of ebpg,"),
    ],
)
def test_leaders_that_cannot_be_trained(leader: str, error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert error_of(["train", TASK, "--leader", leader, *TINY, "--out", "run"], capsys).startswith(error)
    assert not Path("run").exists()


def test_no_class_at_all(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="leader: expected a class, a function or its import path, got int"):
        train(SMALL, tmp_path / "run", leader=3)  # type: ignore[arg-type]
    assert isinstance(LearnsNothing(None, None).update(None), dict)


# ---- scripted leaders


def test_a_scripted_leader_of_ones_own_works_like_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(make_scripted(PICKY, 3), Picky)
    result = evaluate_scripted(PICKY, TASK, 20, 5)
    assert main(["evaluate", PICKY, "--task", TASK, "--episodes", "20", "--seed", "5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["gain"]["mean"] == pytest.approx(result.gain.mean())
    assert main(["render", PICKY, "--task", TASK, "--step", "1"]) == 0
    assert Path(f"{TASK}-own_parts-Picky-seed0.png").exists()
    env, leader, title = open_leader(PICKY, TASK)
    assert title.endswith("leader: own parts:Picky") and len(record_episode(env, leader).record.steps) > 1
    game = integrations.FollowerEnv(TASK, seed=0, leader=PICKY)
    game.reset(seed=1)
    assert "scripted" in error_of(["evaluate", LEADER, "--task", TASK], capsys)
    assert error_of(["evaluate", PICKY], capsys).startswith("task: expected --task TASK with a scripted leader")
    wanted = "leader: expected a class with start(env) and offers(env, observation), which takes a seed or nothing, "
    for given, got in (
        (OBEDIENT, f"or a function that makes one, got '{OBEDIENT}', which raises TypeError: 'int' object is not"),
        (WELL_PAID, f"got '{WELL_PAID}', which takes (num_envs: int, seed: int, num_threads: int = 0, **arguments"),
        ("own_parts:LEADER", "got 'own_parts:LEADER'"),
    ):
        assert error_of(["evaluate", given, "--task", TASK], capsys).startswith(wanted + got)


def test_a_scripted_leaders_settings_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    run = ["train", TASK, "--leader", PICKY, "--followers", "q", *TINY]
    assert error_of([*run, "--learner.gamma", "0.5"], capsys).startswith(
        "learner.gamma: expected it only with a leader"
    )
    assert error_of([*run, "--hidden", "8"], capsys).startswith("hidden: expected it only with a leader that learns")


def test_a_scripted_leader_plays_while_followers_learn(tmp_path: Path) -> None:
    """Its draws follow from the run's seed: a run that is killed ends the same."""
    config = replace(SMALL, parameters={"followers": "q"})
    train(config, tmp_path / "whole", leader=Picky)
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, paymaster.algorithms.q_learning.QFollowers, "update", 6)
        with pytest.raises(Killed):
            train(config, tmp_path / "killed", leader=Picky)
    train(TrainConfig(TASK), tmp_path / "killed", resume=True)
    assert (tmp_path / "killed/metrics.jsonl").read_bytes() == (tmp_path / "whole/metrics.jsonl").read_bytes()
    assert evaluate_run(tmp_path / "whole", 8).gain.shape == (8,)
    assert inspect_run(tmp_path / "whole", 4).attention is None
    assert diagnose_run(tmp_path / "whole", 4, 8).regret is not None


def test_offers_out_of_range_are_refused(tmp_path: Path) -> None:
    class Generous(Picky):
        def offers(self, env: Any, observation: Any) -> Any:
            return super().offers(env, observation) + np.array([0, 2])

    class Short(Picky):
        def offers(self, env: Any, observation: Any) -> Any:
            return super().offers(env, observation)[:, :2]

    config = replace(SMALL, parameters={"followers": "q"})
    with pytest.raises(ValueError, match=r"^actions\[0, 0, 1\]: .*expected|bonus"):
        train(config, tmp_path / "a", leader=Generous)
    with pytest.raises(ValueError, match=r"the leader's offers: expected shape \(8, 4, 2\)"):
        train(config, tmp_path / "b", leader=Short)
    assert list(tmp_path.iterdir()) == []


# ---- followers


def test_followers_of_ones_own_are_trained_against_and_found_again(capsys: pytest.CaptureFixture[str]) -> None:
    run = ["train", TASK, "--followers", OBEDIENT, *TINY, "--hidden", "8"]
    assert main([*run, "--out", "command"]) == 0
    config = TrainConfig(TASK, episodes=16, num_envs=8, hidden=8)
    train(config, Path("function"), followers=obedient)
    assert rows(Path("function")) == rows(Path("command"))
    assert read_config(Path("function"))["parameters"]["followers"] == OBEDIENT
    obeyed, ruled = evaluate_run(Path("function"), 20), evaluate_scripted("fixed", TASK, 20)
    assert obeyed.gain.mean() != ruled.gain.mean()
    fixed = evaluate_scripted("fixed", TASK, 20, parameters={"followers": OBEDIENT, "payment": "advance"})
    assert (fixed.new_offers == 4).all() and (fixed.payments >= 4 * 2).all()  # all take their offer, paid in advance
    assert diagnose_run(Path("function"), 4).regret is None
    told = ["evaluate", "fixed", "--task", TASK, "--followers", OBEDIENT, "--payment", "advance", "--episodes", "20"]
    capsys.readouterr()
    assert main([*told, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["payments"]["mean"] == pytest.approx(fixed.payments.mean())


def test_a_run_with_followers_of_ones_own_ends_the_same_after_a_kill(tmp_path: Path) -> None:
    train(SMALL, tmp_path / "whole", followers=obedient)
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, paymaster.algorithms.EBPG, "update", 6)
        with pytest.raises(Killed):
            train(SMALL, tmp_path / "killed", followers=obedient)
    train(TrainConfig(TASK), tmp_path / "killed", resume=True)
    assert (tmp_path / "killed/metrics.jsonl").read_bytes() == (tmp_path / "whole/metrics.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("decide", "error"),
    [
        (lambda seen: seen["offered"], r"followers: expected shape \(8, 4\) from .*, got \(8, 4, 2\)"),
        (lambda seen: seen["preference"] + 2, r"followers: expected answers in \[0, 4\] from .*, got"),
        (lambda seen: seen["preference"] - 9, r"followers: expected answers in \[0, 4\] from .*, got -"),
        (lambda seen: seen["reservation"], "followers: expected integers from .*, got dtype float32"),
        (lambda seen: seen["price"], "'price'"),
    ],
)
def test_answers_that_make_no_sense(decide: Any, error: str, tmp_path: Path) -> None:
    with pytest.raises((ValueError, TypeError, KeyError), match=error):
        train(SMALL, tmp_path / "run", followers=decide)
    assert list(tmp_path.iterdir()) == []


def test_followers_that_nobody_knows(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["train", TASK], ["evaluate", "random", "--task", TASK]):
        error = error_of([*command, "--followers", "sheep"], capsys)
        assert error == "followers: expected one of rule, meta, primitive, q, module:function, got 'sheep'"
    error = error_of(["train", TASK, "--followers", "own_parts:LEADER"], capsys)
    assert error.startswith("followers: expected a function decide(observation) -> int[B, N], got str")
    error_of(["train", TASK, "--followers", "own_parts:greedy_for_more", *TINY], capsys)  # which leaves nothing behind


# ---- names


def test_the_environment_of_numpy_alone() -> None:
    """What the package has without torch imports none, though its names of training are there."""
    import subprocess
    import sys

    code = "import paymaster, sys; paymaster.make('navigation')"
    code += "; assert 'train' in dir(paymaster) and 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert np.array([hasattr(paymaster, name) for name in paymaster.__all__]).all()
    with pytest.raises(AttributeError, match="module 'paymaster' has no attribute 'trian'"):
        paymaster.trian  # noqa: B018
