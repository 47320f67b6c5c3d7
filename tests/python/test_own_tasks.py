"""Tasks of one's own without a world: a preset, parameters and a population; by name, from files, elsewhere."""

from __future__ import annotations

import copy
import json
import math
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

import paymaster
from command_line import SMALL, error_of, own_folder  # noqa: F401 (a fixture)
from own_worlds import EXAMPLES, Taxi
from paymaster import integrations, load_task, register
from paymaster.commands.main import main
from paymaster.training.config import TrainConfig
from paymaster.training.setup import stored_config
from paymaster.training.train import train
from paymaster.worlds import registration
from play import offer_stream, same

PEOPLE: dict[str, Any] = {
    "skill": np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]], dtype=bool),
    "preference": np.array([0, 1, 2, 2]),
    "reservation": np.array([1.0, 1.0, 1.5, 0.1], dtype=np.float32),
}
ALL: dict[str, Any] = {**PEOPLE, "skill": np.ones((4, 4), dtype=bool)}
TOML = """
task = "navigation"
name = "{name}"
meaning = "couriers in the plane"

[parameters]
num_followers = 3
num_goals = 3
horizon = 12
abstain = true

[population]
skill = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]]
preference = [0, 1, 2, 2]
reservation = [1, 1, 1.5, 0.1]
"""
COURIERS = {"num_followers": 3, "num_goals": 3, "horizon": 12, "abstain": True}


def couriers(name: str = "couriers") -> str:
    register(name, "navigation", meaning="couriers in the plane", population=PEOPLE, **COURIERS)
    return name


def test_it_works_by_name_wherever_the_packages_tasks_do() -> None:
    couriers()
    expected = paymaster.make_vec("navigation", 5, seed=3, population=PEOPLE, **COURIERS)
    for env in (
        paymaster.make_vec("couriers", 5, seed=3),
        gymnasium.make_vec("paymaster/Couriers-v0", 5, seed=3),
        copy.deepcopy(paymaster.make_vec("couriers", 5, seed=3)),
    ):
        same(env.unwrapped.population, expected.population)
        same(env.reset()[0], expected.reset(seed=3)[0])
        for offers in offer_stream(expected, 6):
            same(env.step(offers), expected.step(offers))
    view = integrations.parallel_env("couriers", seed=1)
    view.reset()
    assert len(view.possible_agents) == 4
    (task,) = (task for task in paymaster.tasks() if task.name == "couriers")
    assert task.meaning == "couriers in the plane" and task.parameters["population_size"] == 4
    assert paymaster.make("couriers", num_followers=2).batch.num_followers == 2


def test_a_task_of_a_task_has_all_that_it_has() -> None:
    register("faster", couriers(), horizon=9)
    assert registration.definition_of("faster") == registration.Definition(
        "navigation",
        "couriers in the plane",
        {**COURIERS, "population_size": 4, "horizon": 9},
        {"skill": [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]], "preference": [0, 1, 2, 2],
         "reservation": PEOPLE["reservation"].tolist()},
    )  # fmt: skip
    with pytest.warns(UserWarning, match="name: expected a new one, or the same task again, got 'faster', which stood"):
        register("faster", "faster", population={name: values[:3] for name, values in PEOPLE.items()})
    assert len(paymaster.make_vec("faster").population["skill"]) == 3
    register("cabs", "own_worlds:Taxi", fare=0.5)
    assert paymaster.make("cabs").batch.parameters["fare"] == 0.5
    register("cabs", "own_worlds:Taxi", fare=0.5)  # the same again
    registration.forget("cabs")
    register("cabs", Taxi, population={**PEOPLE, "skill": np.ones((4, 4), bool)}, num_followers=2)
    assert paymaster.make_vec("cabs").population["skill"].all()


def test_learning_followers_as_the_tasks_own() -> None:
    register("learners", "resource_collection", followers="meta", payment="advance_once")
    assert type(paymaster.make_vec("learners", 2)) is paymaster.TwoPhaseVectorEnv
    assert (
        TrainConfig("learners").followers_learn
        and not TrainConfig("learners", parameters={"followers": "rule"}).followers_learn
    )
    assert type(paymaster.make_vec("learners", 2, followers="rule")) is paymaster.LeaderVectorEnv
    assert main(["train", "learners", *SMALL, "--out", "run"]) == 0
    assert main(["evaluate", "run", "--episodes", "2"]) == 0
    assert main(["evaluate", "random", "--task", "learners", "--population", "run", "--episodes", "2"]) == 0


@pytest.mark.parametrize(
    ("name", "task", "more", "error", "text"),
    [
        ("navigation", "navigation", {}, ValueError, "task: expected a name that is none of the package's own"),
        ("No", "navigation", {}, ValueError, "name: expected lower case letters"),
        ("x", "chess", {}, ValueError, "task: expected one of resource_collection,"),
        ("x", "no_module:Taxi", {}, ValueError, "task: expected 'module:Class' that can be imported"),
        ("x", 3, {}, TypeError, "world: expected a subclass of paymaster.World"),
        ("x", "navigation", {"noise": 2}, ValueError, r"noise: expected a value in \[0, 1\], got 2"),
        ("x", "navigation", {"num_targets": "a"}, TypeError, "num_targets: expected an int, got str"),
        ("x", "navigation", {"map": "#"}, ValueError, "map: expected a parameter of navigation, got one of resource_"),
        ("x", "navigation", {"budgte": 3}, ValueError, r"budgte: expected .* \(did you mean budget\?"),
        ("x", Taxi, {"fair": 3}, ValueError, r"fair: expected a parameter of Taxi \(did you mean fare\?"),
        ("x", "navigation", {"prices": [2, 1]}, ValueError, r"prices\[1\]: expected more than prices\[0\] = 2"),
        ("x", "navigation", {"population": ALL, "population_seed": 3}, ValueError, "population_seed: expected none"),
        ("x", Taxi, {"population": ALL, "max_reservation": 3}, ValueError, "max_reservation: expected none beside"),
        ("x", "navigation", {"population": ALL, "population_size": 3}, ValueError, "population_size: expected 4 as in"),
        ("x", "navigation", {"population": {**ALL, "weight": [1, 0, 0, 0]}}, ValueError, "weight: expected more"),
        ("x", Taxi, {"population": {**ALL, "weight": [1, 0, 0, 0]}}, ValueError, "weight: expected more"),
        ("x", "navigation", {"population": {**ALL, "cost": [1, 0, 2, 0]}, "effort_cost": 3}, ValueError, "effort_cost"),
        (
            "x", "navigation", {"population": {**ALL, "cost": [0.01]}}, ValueError,
            r"population cost: expected shape \(4, 4\), or \(4,\), got \(1,\)",
        ),
        ("x", "navigation", {"population": PEOPLE}, ValueError, r"population skill: expected shape \(4, 4\), got"),
        ("x", "navigation", {"population": {}}, ValueError, "population: expected the keys"),
        (
            "x", "navigation", {"population": PEOPLE, "num_goals": 3, "num_followers": 5}, ValueError,
            "num_followers: expected at most population_size = 4, got 5",
        ),
    ],
)  # fmt: skip
def test_what_register_refuses(name: str, task: Any, more: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        register(name, task, **more)
    assert not paymaster._core.has_task("x") and registration.definition_of("x") is None


@pytest.mark.parametrize("task", ["navigation", Taxi], ids=["preset", "world"])
def test_what_register_refuses_leaves_the_name_as_it_was(task: Any) -> None:
    register("x", task, horizon=9)
    for wrong in ({"population": {**ALL, "weight": [1, 0, 0, 0]}}, {"noise": 2}, {"budgte": 2}, {"weight_gain": 0}):
        with pytest.raises(ValueError, match="expected"):
            register("x", task, **wrong)
    assert paymaster.make("x").batch.parameters["horizon"] == 9
    assert [one["name"] for one in paymaster._core.tasks() if one["name"].startswith("(")] == []


def test_a_population_takes_the_place_of_a_draw() -> None:
    """Also where the task was to be drawn otherwise: its definition can be read again."""
    register("drawn", "navigation", population_seed=5)
    register("given", "drawn", population=ALL)
    definition = registration.definition_of("given")
    assert definition is not None and definition.parameters == {"population_size": 4}
    registration.forget("given")
    registration.find_defined("given", definition)
    same(paymaster.make_vec("given").population["skill"], ALL["skill"])
    register("few", "navigation", num_goals=2, skills_per_follower=2, population={
        "skill": np.ones((4, 2), bool), "preference": [0, 1, 1, 0], "reservation": [1, 1, 1, 1]})  # fmt: skip
    assert paymaster.make_vec("few").population["skill"].shape == (4, 2)


def test_what_would_draw_another_population_is_refused() -> None:
    couriers()
    with pytest.raises(
        ValueError, match="population_seed: expected none for couriers, which has a population of its own"
    ):
        paymaster.make_vec("couriers", population_seed=3)
    with pytest.raises(ValueError, match="max_reservation: expected none for couriers"):
        register("x", "couriers", max_reservation=2)
    with pytest.raises(ValueError, match="population_size: expected 4 as in population, got 9"):
        paymaster.make_vec("couriers", population_size=9)
    people = {**PEOPLE, "reservation": PEOPLE["reservation"] + 1}
    same(paymaster.make_vec("couriers", population=people).population["reservation"], people["reservation"])


# ---- files


def test_a_file_works_where_a_name_does(capsys: pytest.CaptureFixture[str]) -> None:
    couriers("by_hand")
    Path("couriers.toml").write_text(TOML.format(name="from_file"))
    assert load_task("couriers.toml") == "from_file"
    one, other = (registration.definition_of(name) for name in ("by_hand", "from_file"))
    assert one == other
    registration.forget("from_file")
    env = paymaster.make_vec("couriers.toml", 3, seed=1)
    assert env.task == "from_file"
    same(env.reset()[0], paymaster.make_vec("by_hand", 3, seed=1).reset()[0])
    Path("inside.json").write_text(json.dumps({"task": "by_hand", "parameters": {"horizon": 7}}))
    assert paymaster.make("inside.json").batch.parameters["horizon"] == 7
    assert paymaster.make("inside").batch.parameters["num_goals"] == 3
    assert type(paymaster.make_vec("couriers.toml", followers="meta")) is paymaster.TwoPhaseVectorEnv
    capsys.readouterr()
    assert main(["tasks", "couriers.toml", "--json"]) == 0
    assert "from_file" in [task["name"] for task in json.loads(capsys.readouterr().out)]
    assert main(["evaluate", "preference", "--task", "couriers.toml", "--episodes", "2"]) == 0
    assert main(["compare", "preference", "random", "--task", "couriers.toml", "--episodes", "2"]) == 0
    assert main(["bench", "--task", "couriers.toml", "--seconds", "0.001", "--repeats", "1"]) == 0


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('name = "x"', "couriers.toml: task: expected text, got nothing"),
        ('task = "navigation"\nname = 3', "couriers.toml: name: expected lower case letters, digits and underscores"),
        (
            'task = "navigation"\nnoise = 1',
            "couriers.toml: 'noise': expected one of the fields task, meaning",
        ),
        ('task = "chess"', "couriers.toml: task: expected one of resource_collection"),
        ('task = "other.toml"', "couriers.toml: task: expected the name of a task, got another file"),
        ('task = "navigation"\n[parameters]\nnoise = 2', "couriers.toml: noise: expected a value in [0, 1], got 2"),
        (
            'task = "navigation"\n[parameters]\nnoise = [{a = 1}]',
            "couriers.toml: parameters.noise[0]: expected a number",
        ),
        ('task = "navigation"\n[parameters]\nnoise = 1979-05-27', "couriers.toml: parameters.noise: expected "),
        ('task = "navigation"\n[population]\nskill = 3', "couriers.toml: population.skill: expected a list, got 3"),
        (
            'task = "navigation"\n[population]\nskill = [[1], [1, 0]]\npreference = [0]\nreservation = [1]',
            "couriers.toml: population skill: expected an array, got sequences of different lengths",
        ),
        (
            'task = "navigation"\n[population]\nskill = [[2, 0, 0, 1]]\npreference = [0]\nreservation = [1]',
            "couriers.toml: population skill: expected dtype bool, got int64",
        ),
        (
            'task = "navigation"\n[parameters]\nbudgte = 3',
            "couriers.toml: budgte: expected a parameter of navigation (did you mean budget?)",
        ),
        ('task = "navigation"\n[parameters]\nbudget = "much"', "couriers.toml: budget: expected a number, got str"),
        ("task = ", "couriers.toml: expected TOML, got something else or a damaged file"),
        ("a = " + "[" * 9_000, "couriers.toml: expected TOML, got something else or a damaged file"),
    ],
)
def test_what_a_file_says_wrong_is_named(text: str, error: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("couriers.toml").write_text(text)
    for command in (["train", "couriers.toml"], ["evaluate", "random", "--task", "couriers.toml"]):
        assert error_of(command, capsys).startswith(error)


@pytest.mark.parametrize(
    ("name", "limits"),
    [("free.toml", "budget = inf\nmax_share = 'inf'"), ("free.json", '"budget": "inf", "max_share": "inf"')],
)
def test_no_limit_can_be_said_in_files_and_on_command_lines(name: str, limits: str) -> None:
    register("poor", "navigation", budget=3, max_share=0.5, opening_sum=2)
    more = "opening_sum = 0" if name.endswith("toml") else '"opening_sum": 0'
    toml, json_text = 'task = "poor"\n[parameters]\n{}\n{}', '{{"task": "poor", "parameters": {{{}, {}}}}}'
    Path(name).write_text((toml if name.endswith("toml") else json_text).format(limits, more))
    assert math.isinf(paymaster.make(name).batch.parameters["budget"])
    assert main(["train", name, *SMALL, "--out", "run"]) == 0
    registration.forget("free")
    assert main(["evaluate", "run", "--episodes", "2"]) == 0
    limitless = ["--budget", "inf", "--max-share=inf", "--opening-sum", "0"]
    assert main(["train", "poor", *SMALL, *limitless, "--out", "other"]) == 0
    stored = stored_config(Path("other"))
    assert stored.parameters == {"budget": math.inf, "max_share": math.inf, "opening_sum": 0}
    assert TrainConfig.from_dict(stored.to_dict()) == stored == TrainConfig.from_dict({
        "task": "poor", **{name: value for name, value in stored.to_dict().items() if name != "task"}})  # fmt: skip
    assert TrainConfig("poor", parameters={"budget": math.inf}) == TrainConfig("poor", parameters={"budget": "inf"})
    assert main(["evaluate", "random", "--task", "poor", *limitless, "--episodes", "2"]) == 0
    assert main(["train", "poor", "--resume", "--episodes", "24", "--evaluate", "0", "--out", "other"]) == 0


def test_a_file_that_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("none.toml", "none.json", "a\0.toml"):
        with pytest.raises(ValueError, match="task: expected a file that can be read, got"):
            paymaster.make(name)
    with pytest.raises(ValueError, match=r"task: expected a file that ends in .toml or .json, got 'x.txt'"):
        load_task("x.txt")
    Path("list.json").write_text("[1]")
    Path("nan.json").write_text('{"task": "navigation", "parameters": {"noise": NaN}}')
    assert error_of(["train", "list.json"], capsys) == "list.json: expected an object, got another kind of JSON"
    assert error_of(["train", "nan.json"], capsys).startswith("nan.json: expected JSON, got something else")


# ---- runs


def in_another_process(*arguments: str) -> str:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_run_holds_the_definition_in_full() -> None:
    Path("couriers.toml").write_text(TOML.format(name="from_file"))
    assert main(["train", "couriers.toml", *SMALL, "--num-followers", "2", "--out", "run"]) == 0
    assert "[1, 1, 0]" in Path("run/config.json").read_text()  # readable: a list of numbers is a line
    prolonged = ["train", "couriers.toml", "--resume", "--episodes", "24", "--evaluate", "0", "--out"]
    assert main([*prolonged, "run"]) == 0

    Path("env").write_bytes(pickle.dumps(paymaster.make_vec("from_file", 2)))
    Path("couriers.toml").unlink()
    registration.forget("from_file")
    config = stored_config(Path("run"))
    assert config.task == "from_file" and config.parameters == {"num_followers": 2}
    assert TrainConfig.from_dict(config.to_dict()) == config
    registration.forget("from_file")
    assert main(["evaluate", "run", "--episodes", "4", "--noise", "0.5"]) == 0
    registration.forget("from_file")
    assert main(["train", "from_file", "--resume", "--episodes", "32", "--evaluate", "0", "--out", "run"]) == 0
    registration.forget("from_file")
    assert main(["train", "--config", "run/config.json", "--episodes", "8", "--evaluate", "0", "--out", "again"]) == 0
    play = "import pickle; env = pickle.load(open('env', 'rb')); print(env.population['preference'].tolist())"
    assert in_another_process("-c", play) == "[0, 1, 2, 2]\n"


@pytest.mark.slow
def test_another_process_prolongs_a_run_to_the_same_numbers() -> None:
    Path("couriers.toml").write_text(TOML.format(name="from_file"))
    assert main(["train", "couriers.toml", *SMALL, "--num-followers", "2", "--out", "run"]) == 0
    shutil.copytree("run", "elsewhere")
    prolonged = ["train", "couriers.toml", "--resume", "--episodes", "24", "--evaluate", "0", "--out"]
    assert main([*prolonged, "run"]) == 0
    in_another_process("-m", "paymaster", *prolonged, "elsewhere")
    assert Path("run/metrics.jsonl").read_bytes() == Path("elsewhere/metrics.jsonl").read_bytes()


def test_another_task_of_the_name_is_no_part_of_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", couriers(), *SMALL, "--out", "run"]) == 0
    with pytest.warns(UserWarning, match="got 'couriers', which stood for another task"):
        register("couriers", "navigation", horizon=13)
    capsys.readouterr()
    message = "config: task: expected 'couriers' as this configuration defines it, got another task of that name"
    assert message in error_of(["evaluate", "run"], capsys)
    registration.forget("couriers")
    couriers()
    assert main(["evaluate", "run", "--episodes", "2"]) == 0


def test_followers_of_a_run_with_a_population_of_its_own() -> None:
    assert main(["train", couriers(), *SMALL, "--followers", "meta", "--out", "run"]) == 0
    games = ["--num-goals", "3", "--num-followers", "2", "--episodes", "2"]
    assert main(["evaluate", "random", "--task", "navigation", *games, "--population", "run"]) == 0


def test_the_example_is_a_task_by_name_and_by_file(tmp_path: Path) -> None:
    file = load_task(EXAMPLES / "couriers.toml")
    assert file == "couriers" and paymaster.make_vec("couriers").num_followers == 8
    config = TrainConfig("couriers", episodes=64, num_envs=32, hidden=8)
    train(config, tmp_path / "run")
    assert stored_config(tmp_path / "run") == config
