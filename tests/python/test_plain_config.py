"""Configurations from plain dicts and files, in which fields may be left out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from command_line import SMALL, TASK, error_of, own_folder  # noqa: F401 (a fixture)
from paymaster.algorithms import leader_kind
from paymaster.commands.main import main
from paymaster.storage.run_config import StoredConfig, read_run_config, write_run_config
from paymaster.training.config import TrainConfig
from paymaster.training.setup import stored_config


def test_what_is_left_out_is_as_the_leader_and_its_settings_say() -> None:
    assert TrainConfig.from_dict({"task": TASK}) == TrainConfig(TASK)
    for leader in ("m3rl", "ebpg"):
        tuned = leader_kind(leader).learner
        config = TrainConfig.from_dict({"task": TASK, "leader": leader, "learner": {"gamma": 0.99}})
        assert config == TrainConfig(TASK, leader=leader, learner=replace(tuned, gamma=0.99))
    paper = {"task": TASK, "settings": "paper", "learner": {"options": {"interval": 3}}, "parameters": {"horizon": 9}}
    config = TrainConfig.from_dict(paper)
    usual = TrainConfig(TASK, settings="paper", parameters={"horizon": 9})
    assert config == replace(usual, learner=replace(usual.learner, options=replace(usual.learner.options, interval=3)))
    assert config.num_envs == 1 and config.parameters == {"horizon": 9, "noise": 0.3}
    learning = TrainConfig.from_dict({"task": TASK, "settings": "paper", "parameters": {"followers": "meta"}})
    assert learning.parameters == {"followers": "meta"}
    assert TrainConfig.from_dict({"task": TASK, "parameters": {"observe_routes": False}}).observe_routes is False
    learning = TrainConfig.from_dict({"task": TASK, "parameters": {"followers": "q"}, "q_learner": {"gamma": 0.5}})
    assert learning.q_learner == replace(TrainConfig(TASK).q_learner, gamma=0.5)


def test_composed_as_by_hydra() -> None:
    """Groups of plain dicts, merged by the tool, with numbers as text nowhere."""
    groups: list[dict[str, Any]] = [
        {"task": "navigation", "parameters": {"num_followers": 6, "map": None}},
        {"learner": {"gamma": 0.98}},
        {"seed": 3, "episodes": 640},
    ]
    composed = {name: value for group in groups for name, value in group.items()}
    config = TrainConfig.from_dict(composed)
    assert (config.task, config.seed, config.learner.gamma) == ("navigation", 3, 0.98)
    assert config.parameters == {"num_followers": 6}
    assert TrainConfig.from_dict(config.to_dict()) == config
    assert json.loads(json.dumps(config.to_dict())) == config.to_dict()


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, "^task: expected text, got None"),
        ([1], "^given: expected fields by name, got list"),
        ({"task": 3}, "^task: expected text, got 3"),
        ({"task": "chess"}, "^task: expected one of resource_collection"),
        ({"task": TASK, "leader": "boss"}, "^leader: expected one of"),
        ({"task": TASK, "leader": None}, "^leader: expected text, got None"),
        ({"task": TASK, "settings": "best"}, "^settings: expected one of tuned, paper, got 'best'"),
        ({"task": TASK, "learner": {"gamma": 2}}, r"^learner\.gamma: expected a number in \[0, 1\], got 2"),
        ({"task": TASK, "learner": {"gama": 1}}, r"^learner\.'gama': expected one of the fields.*mean gamma\?"),
        ({"task": TASK, "learner": {"options": {"interval": "x"}}}, r"^learner\.options\.interval: expected a whole n"),
        ({"task": TASK, "learner": None}, "^learner: expected an object with the fields"),
        ({"task": TASK, "episodes": "8"}, r"^episodes: expected a whole number in \[1, 1,000,000,000\], got '8'"),
        ({"task": TASK, "episode": 8}, "^'episode': expected one of the fields task, leader,"),
        ({"task": TASK, "parameters": {"noise": 2}}, r"^parameters\.noise: expected a number in \[0, 1\], got 2"),
        ({"task": TASK, "parameters": {"nois": 1}}, r"^parameters\.nois: expected a parameter .*did you mean noise"),
        ({"task": TASK, "parameters": {"noise": {"a": 1}}}, r"^parameters\.noise: expected .*, got an object"),
        ({"task": TASK, "parameters": [1]}, "^parameters: expected an object, got a list of 1"),
        ({"task": TASK, "defined_as": {"task": TASK}}, r"^defined_as\.meaning: expected text, got nothing"),
    ],
)
def test_an_error_names_the_path_of_the_field(given: Any, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        TrainConfig.from_dict(given)
    with pytest.raises(ValueError, match=error.replace("^", "^somewhere: ").replace("somewhere: given", "somewhere")):
        TrainConfig.from_dict(given, "somewhere")


CONFIG = """
task = "resource_collection"
leader = "m3rl"
episodes = 16
num_envs = 8
hidden = 8

[parameters]
num_followers = 3
payment = "advance"

[learner]
gamma = 0.98
"""


@pytest.mark.slow
def test_the_command_takes_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("run.toml").write_text(CONFIG)
    assert main(["train", "--config", "run.toml", "--evaluate", "0", "--out", "run"]) == 0
    config = stored_config(Path("run"))
    tuned = leader_kind("m3rl").learner
    assert config == TrainConfig(
        TASK, leader="m3rl", episodes=16, num_envs=8, hidden=8, learner=replace(tuned, gamma=0.98),
        parameters={"num_followers": 3, "payment": "advance"},
    )  # fmt: skip
    beside = ["--leader", "ebpg", "--num-followers", "2", "--learner.clip", "0.1", "--evaluate", "0", "--out", "other"]
    assert main(["train", "--config=run.toml", *beside]) == 0
    other = stored_config(Path("other"))
    assert other == replace(
        config, leader="ebpg", parameters={"num_followers": 2, "payment": "advance"},
        learner=replace(leader_kind("ebpg").learner, gamma=0.98, clip=0.1),
    )  # fmt: skip
    Path("run.json").write_text(json.dumps(config.to_dict()))
    assert main(["train", TASK, "--config", "run.json", "--evaluate", "0", "--out", "again"]) == 0
    assert Path("again/metrics.jsonl").read_bytes() == Path("run/metrics.jsonl").read_bytes()
    capsys.readouterr()
    for args, error in (
        (["--config", "run.toml", "--resume", "--out", "run"], "config: expected none with --resume"),
        (["--config", "none.toml"], "config: expected a file that can be read, got 'none.toml'"),
        (["--config", "a.txt"], "config: expected a file that ends in .toml or .json, got 'a.txt'"),
        (["--config", ""], "config: expected a path, got an empty text"),
        (["navigation", "--config", "run.toml", "--num-goals", "99"], "num_goals: expected a whole number in [1, 8]"),
    ):
        assert error_of(["train", *args], capsys).startswith(error)
    Path("bad.toml").write_text('task = "navigation"\n[learner]\ngamma = 2\n')
    assert error_of(["train", "--config", "bad.toml"], capsys).startswith("bad.toml: learner.gamma: expected a number")
    assert main(["train", "--config", "run.toml", "--noise", "0.1", "--evaluate", "0"]) == 0
    assert Path(
        "runs/resource_collection-m3rl-num_envs=8-hidden=8-gamma=0.98-num_followers=3-payment=advance-noise=0.1-seed0"
    ).is_dir()


def test_a_run_of_the_first_development_version_opens() -> None:
    """It named every parameter that there was, and a world's own apart."""
    assert main(["train", TASK, *SMALL, "--noise", "0.5", "--out", "run"]) == 0
    config = stored_config(Path("run"))
    stored = read_run_config("run")
    old = {**stored.config, "parameters": {**dict.fromkeys(("payment", "horizon", "map")), "noise": 0.5}}
    write_run_config(Path("run"), StoredConfig(old))
    assert stored_config(Path("run")) == config
    named = {**old, "parameters": {**old["parameters"], "world": {"num_goals": 3}}}
    assert TrainConfig.from_json(named).parameters == {"noise": 0.5, "num_goals": 3}
