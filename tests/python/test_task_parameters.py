"""Every parameter that the core lists is a parameter of runs and an option of the commands, for every task."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

import paymaster
from command_line import SMALL, TASK, error_of, own_folder  # noqa: F401 (a fixture)
from own_worlds import Taxi
from paymaster.commands.command_line import _value
from paymaster.commands.main import main
from paymaster.training.config import TrainConfig
from paymaster.training.setup import make_env, stored_config
from paymaster.validation.parameters import TaskParameter, check_parameters, parameters_of
from paymaster.validation.ranges import check_value, described
from reference.crafting_cases import OBSTACLES
from worlds import CRAFTING, FIXED_IN_CRAFTING

TASKS = [task.name for task in paymaster.tasks()]
WIDE = "########\n" + "#......#\n" * 6 + "########\n"

NEEDED: dict[str, dict[str, Any]] = {
    "opening_sum": {"payment": "advance", "max_share": 0.5},
    "max_share": {"payment": "completion"},
    "equality": {"weight_equality": 1.0},
    "effort_cost": {"decision": "utility"},
    "num_bonuses": {"prices": []},
}
"""Beside which a parameter has an effect."""


def another(about: TaskParameter) -> Any:
    """A value that is not the default."""
    default = about.default
    if isinstance(default, bool):
        return not default
    if isinstance(default, str):
        return next(choice for choice in about.choices if choice != default) if about.choices else WIDE
    if default == math.inf:
        return 5.0
    if isinstance(default, list):  # of prices, or of w
        return [0.5 + level for level in range(len(default) or 2)]
    return default + 1 if default + 1 <= about.high else default + 0.25  # type: ignore[operator]


def changeable(task: str) -> dict[str, TaskParameter]:
    """The parameters that may have another value than the default."""
    fixed = FIXED_IN_CRAFTING if task in CRAFTING else ()
    return {name: about for name, about in parameters_of(task).items() if name not in fixed}


def others(task: str) -> dict[str, Any]:
    """For every parameter another value."""
    values = {name: another(about) for name, about in changeable(task).items()}
    values["payment"] = "advance_once"  # with an opening sum
    values |= {"decision": "utility"} if values["decision"] != "utility" else {}  # with costs of effort
    if task in CRAFTING:
        values |= {"named_population": "drawn", "map": OBSTACLES}
    else:
        values |= {"skills_per_follower": 2, "named_population": "drawn"}  # of 5 goal types
    return values | {"prices": [0.5 + level for level in range(values["num_bonuses"])]}


def options(values: dict[str, Any]) -> list[str]:
    def text(value: Any) -> str:
        return ",".join(map(str, value)) if isinstance(value, list) else str(value)

    return [f"--{name.replace('_', '-')}={text(value)}" for name, value in values.items()]


@pytest.mark.parametrize("task", TASKS)
def test_runs_take_every_parameter(task: str) -> None:
    preset = next(one.parameters for one in paymaster.tasks() if one.name == task)
    for name, about in changeable(task).items():
        value = another(about)
        if task in CRAFTING and name in ("map", "named_population"):
            value = {"map": OBSTACLES, "named_population": "m3rl_crafting_v1"}[name]
        assert value != preset[name] == about.default and about.meaning
        needed = {"num_bonuses": len(value)} if name == "prices" else NEEDED.get(name, {})
        config = TrainConfig.from_dict({"task": task, "parameters": {name: value, **needed}})
        assert config == TrainConfig.from_json(config.to_json())
        assert config.task_parameters()[name] == value
        assert make_env(config, 1, 0).parameters[name] == value


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_commands_take_every_parameter(task: str, capsys: pytest.CaptureFixture[str]) -> None:
    values = others(task)
    for_train = {name: value for name, value in values.items() if name != "observe_routes"}
    assert main(["train", task, *SMALL, "--no-observe-routes", *options(for_train), "--out", "run"]) == 0
    stored = stored_config(Path("run"))
    assert stored.parameters == for_train and not stored.observe_routes and stored.followers_learn
    values["observe_routes"] = False  # else the leader's network would see more than in training
    games = ["--episodes", "2", "--json"]
    capsys.readouterr()
    assert main(["evaluate", "run", *games, *options(values)]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert main(["evaluate", "run", *games]) == 0
    assert json.loads(capsys.readouterr().out) == whole
    assert main(["render", "run", "--out", "a.png", *options(values)]) == 0
    scripted = {**values, "followers": "rule", "observe_routes": True}
    assert main(["evaluate", "random", "--task", task, *games, *options(scripted)]) == 0
    assert main(["render", "random", "--task", task, "--out", "b.png", *options(scripted)]) == 0


def help_of(args: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*args, "--help"])
    assert ended.value.code == 0
    return " ".join(capsys.readouterr().out.replace("│", " ").split())


@pytest.mark.parametrize("args", [["train", "TASK"], ["evaluate", "random", "--task", "TASK"]])
@pytest.mark.parametrize("task", [TASK, "navigation"])
def test_help_lists_the_parameters_of_the_task(args: list[str], task: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of([arg.replace("TASK", task) for arg in args], capsys)
    mine = parameters_of(task)
    for name, about in mine.items():
        flag = name == "observe_routes" and args[0] == "train"
        _, option, after = text.partition(f"--{name.replace('_', '-')}{',' if flag else ' '}")
        assert option, name
        if isinstance(about.default, int | float) and not isinstance(about.default, bool):
            assert f"({described(about.kind)}; default: {about.default})".replace(" ", "") in after[:400].replace(
                " ", ""
            )
    for other in TASKS:
        for name in parameters_of(other):
            assert (name in mine) or f"--{name.replace('_', '-')} " not in text


def test_help_shows_the_values_of_the_games(capsys: pytest.CaptureFixture[str]) -> None:
    def noise(args: list[str]) -> str:
        return help_of(args, capsys).partition("--noise FLOAT")[2][:200]

    assert main(["train", TASK, *SMALL, "--noise", "0.25", "--out", "run"]) == 0
    capsys.readouterr()
    assert "default: 0.25)" in noise(["evaluate", "run"])
    assert "default: 0.3)" in noise(["train", "--settings", "paper", "--episodes", "8", TASK])
    assert "default: 0.0)" in noise(["train", TASK])


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["--num-goal", "3"], "unrecognized options: --num-goal, 3; did you mean --num-goals?"),
        (["--num-goals", "9"], "num_goals: expected a whole number in [1, 8], got 9"),
        (["--num-goals", "x"], "num_goals: expected a whole number in [1, 8], got 'x'"),
        (["--noise", "2"], "noise: expected a number in [0, 1], got 2.0"),
        (["--payment", "never"], "payment: expected one of completion, advance, advance_once, outcome, got 'never'"),
        (
            ["--reach-by", "any"],
            "reach_by: expected a parameter of resource_collection, got one of navigation, predator",
        ),
        (["--population-size", "3"], "num_followers: expected at most population_size = 3, got 4"),
    ],
)
def test_a_wrong_option_names_itself(args: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["train", TASK], ["evaluate", "random", "--task", TASK], ["render", "random", "--task", TASK]):
        assert error_of([*command, *args], capsys).startswith(error)


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"num_goal": 3}, r"^num_goal: expected a parameter of resource_collection \(did you mean num_goals\?\)"),
        ({"reach_by": "any"}, "^reach_by: expected a parameter of resource_collection, got one of navigation, pred"),
        ({"qqqqqqq": 1}, "^qqqqqqq: expected one of num_followers, num_goals, .*, got another name"),
        ({"noise": 1.5}, r"^noise: expected a number in \[0, 1\], got 1.5"),
        ({"noise": float("nan")}, r"^noise: expected a number in \[0, 1\], got nan"),
        ({"num_followers": True}, r"^num_followers: expected a whole number in \[1, 16\], got True"),
        ({"population_seed": 2**63}, r"^population_seed: expected a whole number in \[0, 2\^63\), got"),
        ({"abstain": 1}, "^abstain: expected true or false, got 1"),
    ],
)
def test_a_wrong_parameter_names_itself(parameters: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        TrainConfig(TASK, parameters=parameters).validate()
    with pytest.raises(ValueError, match=error):
        check_parameters(TASK, parameters)


def test_a_keyword_that_is_near_another_says_which() -> None:
    with pytest.raises(TypeError, match=r"num_goal: expected .*\(did you mean num_goals\?\), got an unexpected"):
        paymaster.make(TASK, num_goal=3)
    with pytest.raises(TypeError, match=r"reach_by: expected a parameter of .*, got one of navigation, predator_prey"):
        paymaster.make(TASK, reach_by="any")


def test_a_list_of_numbers_may_be_one_number() -> None:
    kind = TaskParameter("prices", [1.0, 2.0], "prices", 0.0, 10.0, several=True).kind
    assert _value(kind, "1,2.5,4") == [1.0, 2.5, 4.0] and _value(kind, "3") == 3.0
    assert check_value(kind, [1, 2.5], "prices") == [1.0, 2.5] and check_value(kind, 3, "prices") == 3.0
    for value, error in (
        ([1, 11], r"prices\[1\]: expected a number in \[0, 10\], got 11"),
        ("a", "prices: expected a n"),
    ):
        with pytest.raises(ValueError, match=error):
            check_value(kind, value, "prices")


def test_the_task_is_found_wherever_it_stands() -> None:
    for args in (
        ["--num-followers", "2", TASK, "--noise=0.5", *SMALL],
        ["--no-observe-routes", "--num_followers", "2", TASK, *SMALL],
    ):
        assert main(["train", *args, f"--out={args[0]}"]) == 0
        assert stored_config(Path(args[0])).parameters["num_followers"] == 2


@pytest.fixture
def odd_names() -> str:
    """A world with parameters of the names of options."""
    about = {name: paymaster.Parameter(3, "odd", low=1, high=5) for name in ("width", "hidden", "episodes")}
    paymaster.register("odd_names", type("Odd", (Taxi,), {"parameters": {**Taxi.parameters, **about}}))
    return "odd_names"


def test_a_parameter_of_the_name_of_an_option(odd_names: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", odd_names, *SMALL, "--parameters.hidden", "4", "--width", "2", "--out", "run"]) == 0
    stored = json.loads(Path("run/config.json").read_text())["config"]
    assert stored["parameters"] == {"hidden": 4, "width": 2} and stored["hidden"] == 8
    assert main(["render", "random", "--task", odd_names, "--parameters.width", "2", "--out", "a.png"]) == 0
    with pytest.raises(SystemExit):
        main(["evaluate", "random", "--task", odd_names, "--help"])
    assert "--parameters.episodes INT" in capsys.readouterr().out
    assert error_of(["train", odd_names, "--parameters.hidden", "9"], capsys).startswith("hidden: expected a whole")
