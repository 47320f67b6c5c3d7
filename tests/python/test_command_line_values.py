"""The command line: help, ranges, values that cannot be read, options without an effect."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path
from typing import Any

import pytest
from annotated_types import Ge, Gt, Lt

import paymaster
from command_line import SMALL, TASK, error_of, own_folder, settings_of  # noqa: F401 (a fixture)
from paymaster.algorithms import FIELD, LEADERS, ORIGINALS, EBPGConfig, OriginalLearning
from paymaster.algorithms.followers import FollowerLearning
from paymaster.algorithms.process import OptionRules
from paymaster.commands.bench import Bench
from paymaster.commands.compare import Compare
from paymaster.commands.diagnose import Diagnose
from paymaster.commands.evaluate import Evaluate
from paymaster.commands.inspect import Inspect
from paymaster.commands.main import main
from paymaster.commands.render import Render
from paymaster.commands.reproduce import Reproduce
from paymaster.commands.train import Train
from paymaster.commands.verify import Verify
from paymaster.scripted import SCRIPTED
from paymaster.validation.parameters import check_parameters, parameters_of
from rest_slow import rest_slow
from worlds import TASKS

# ---- help


def test_alone_it_prints_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 0
    assert "evaluate" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"paymaster {paymaster.__version__}\n"


def help_of(args: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*args, "--help"])
    assert ended.value.code == 0
    return " ".join(capsys.readouterr().out.replace("│", " ").split())


@pytest.mark.parametrize(
    "command",
    ["train", "evaluate", "compare", "render", "inspect", "diagnose", "reproduce", "verify", "tasks", "bench"],
)
def test_help_has_no_markup_and_no_none(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of([command], capsys)
    assert "``" not in text and ":mod:" not in text and ":class:" not in text
    assert "None" not in text


def test_help_says_what_each_leader_is(capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of(["train"], capsys)
    for name, kind in {**LEADERS, **FIELD, **ORIGINALS}.items():
        assert f"- {name}: {kind.meaning}" in text
    untuned = text.index("with the original's settings, none of them tuned")
    assert all((text.index(f"- {name}: ") > untuned) == (name in ORIGINALS) for name in (*LEADERS, *ORIGINALS))
    for field in dataclasses.fields(OriginalLearning):
        assert f"--original.{field.name.replace('_', '-')}" in text
    of_crafting = help_of(["train", "crafting", "--leader", "m3rl-original"], capsys)
    assert "10,000 in Crafting. (a whole number in [0, 1,000,000,000]; default: 10000)" in of_crafting
    assert "- m3rl-original: " not in help_of(["evaluate"], capsys)


def test_help_lists_choices_ranges_and_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of(["train", TASK], capsys)
    for leader in LEADERS:
        assert leader in text
    assert all(task.name in help_of(["train"], capsys) for task in paymaster.tasks())
    assert "--payment {completion,advance,advance_once,outcome}" in text
    assert "--followers {rule,meta,primitive,q,module:function}" in text and "--settings {tuned,paper}" in text
    assert "(a whole number in [1, 4,096]; default: 32)" in text  # --hidden
    assert "(a number in [0, 1]; default: 0.0)" in text  # --noise
    leaders = ",".join(SCRIPTED)
    assert f"{{{leaders},DIR,module:Class}}" in help_of(["evaluate"], capsys)


def test_help_shows_the_defaults_of_the_leader_and_its_settings(capsys: pytest.CaptureFixture[str]) -> None:
    def learning_rate(args: list[str]) -> str:
        return help_of(["train", *args], capsys).partition("--learner.learning-rate FLOAT")[2].partition("--")[0]

    assert "default: 0.006" in learning_rate([])
    assert "default: 0.001" in learning_rate(["--leader", "m3rl"])
    assert "default: 0.001" in learning_rate(["--leader", "ebpg", "--leader=m3rl"])  # the last one counts
    assert "default: 0.0003" in learning_rate(["--leader=m3rl", "--settings", "paper"])


# ---- ranges


COMMANDS: dict[str, tuple[Any, list[str]]] = {
    "train": (Train, [TASK]),
    "evaluate": (Evaluate, ["random", "--task", TASK]),
    "compare": (Compare, ["random", "fixed", "--task", TASK]),
    "render": (Render, ["random", "--task", TASK]),
    "inspect": (Inspect, ["."]),
    "diagnose": (Diagnose, ["."]),
    "reproduce": (Reproduce, ["fig3"]),
    "verify": (Verify, ["matrix_game"]),
    "bench": (Bench, []),
}
NUMBERS = [
    (command, name, kind, limits)
    for command, (declared, _) in COMMANDS.items()
    for name, kind, limits in settings_of(declared)
]


def beyond(kind: type, limits: list[Any]) -> list[str]:
    """Numbers that are out of the range, and what is no number."""
    out = ["nan", "inf"] if kind is float else ["9" * 30]
    for limit in limits:
        low = isinstance(limit, Ge | Gt)
        edge = next(getattr(limit, name) for name in ("ge", "gt", "le", "lt") if hasattr(limit, name))
        step = 1 if kind is int else 1e-6 * max(1.0, abs(edge))
        out.append(str(edge if isinstance(limit, Gt | Lt) else edge - step if low else edge + step))
    return out


def test_there_is_no_number_without_a_range() -> None:
    assert {(command, name) for command, name, _, limits in NUMBERS if not limits} == set()
    assert len(NUMBERS) > 50
    for kind in (EBPGConfig, FollowerLearning, OptionRules):
        assert all(limits for _, _, limits in settings_of(kind))


@pytest.mark.parametrize(
    ("command", "ends"),
    [
        *((command, "one in turn") for command in COMMANDS if command != "train"),
        *(pytest.param(command, "both", marks=pytest.mark.slow) for command in COMMANDS),
    ],
)
def test_numbers_beyond_their_range_are_refused(command: str, ends: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By the command, which takes a tenth of a second for each; other values in the tests of ranges."""
    for place, (whose, name, kind, limits) in enumerate(NUMBERS):
        if whose != command:
            continue
        parts = name.replace("_", "-")
        values = beyond(kind, limits)[-2:]
        for value in values if ends == "both" else [values[place % len(values)]]:
            message = error_of([command, *COMMANDS[command][1], f"--{parts}={value}"], capsys)
            assert message.startswith(f"{name}: expected "), message


@pytest.mark.parametrize("task", TASKS)
def test_the_ranges_shown_are_those_of_the_core(task: str) -> None:
    for name, about in parameters_of(task).items():
        if about.low is None or about.high is None or isinstance(about.default, bool):
            continue
        step = 1 if isinstance(about.default, int) else 0.001
        for inside, outside in ((about.low, about.low - step), (about.high, about.high + step)):
            if math.isfinite(outside):
                with pytest.raises((ValueError, TypeError, OverflowError), match=f"^{name}: "):
                    paymaster.make_vec(task, 1, **{name: outside})
                with pytest.raises(ValueError, match=f"^{name}: expected "):
                    check_parameters(task, {name: outside})
            if math.isfinite(inside):  # JSON has no infinity, and a run that is not limited says nothing
                check_parameters(task, {name: inside})
            try:
                paymaster.make_vec(task, 1, **{name: inside})
                said = ""
            except ValueError as error:  # it does not fit the others
                said = str(error)
            assert f"{name}: expected a value in" not in said


# ---- values that cannot be read


@pytest.mark.parametrize("command", rest_slow(COMMANDS, lambda command: command != "train"))
def test_values_that_are_no_numbers_are_refused(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    for whose, name, kind, _ in NUMBERS:
        if whose == command:
            args = [command, *COMMANDS[command][1], f"--{name.replace('_', '-')}=0x1g"]
            expected = "a whole number" if kind is int else "a number"
            assert re.fullmatch(rf"{name}: expected {expected}.*, got '0x1g'", error_of(args, capsys))


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["train", TASK, "--episodes=nan"], "episodes: expected a whole number in [1, 1,000,000,000], got 'nan'"),
        (
            ["train", TASK, "--payment=never"],
            "payment: expected one of completion, advance, advance_once, outcome, got 'never'",
        ),
        (["train", TASK, "--settings", "x"], "settings: expected one of tuned, paper, got 'x'"),
        (["train", TASK, "--abstain", "3"], "abstain: expected true or false, got '3'"),
        (["reproduce", "fig9"], "name: expected one of fig3, fig4, table1,"),
        (["reproduce", "all", "--scale", "big"], "scale: expected one of smoke, cpu, paper, got 'big'"),
        (["verify", "no_game"], "name: expected one of escape_room, iterated_dilemma, contract_tree,"),
        (["verify", "all", "--scale", "big"], "scale: expected one of small, full, got 'big'"),
        (
            ["train", TASK, "--episodes", "9" * 5_000],
            "episodes: expected a whole number in [1, 1,000,000,000], got '99",
        ),
        (
            ["train", TASK, "--episode", "3"],
            "unrecognized options: --episode, 3; did you mean --episodes?; see paymaster",
        ),
        (["train", TASK, "--resume=3"], "unrecognized options: --resume=3; see paymaster train --help"),
        (["tasks", "--json=3"], "worlds: expected module:Class"),
        (["evaluate"], "missing from paymaster evaluate: "),
        (["train", TASK, "--episodes"], "missing value for argument '--episodes'"),
        (
            ["trian"],
            "unrecognized options: trian; expected one of train, evaluate, compare, render, inspect, diagnose",
        ),
    ],
)
def test_what_cannot_be_parsed_is_an_error_in_a_line(
    args: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert error_of(args, capsys).startswith(error)


def test_what_says_yes_or_no_may_be_written_in_any_case() -> None:
    for text in ("true", "True", "false"):
        assert main(["evaluate", "random", "--task", TASK, "--episodes", "2", "--abstain", text]) == 0


# ---- parameters without an effect


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["evaluate", "random", "--task", TASK, "--strangers"], "strangers: "),
        (["evaluate", ".", "--strangers", "--replace", "0.5", "--replace-every", "5"], "strangers: "),
        (["evaluate", "random", "--task", TASK, "--greedy"], "greedy: "),
        (["evaluate", "random", "--task", TASK, "--replace-every", "3"], "replace: "),
        (["evaluate", "random", "--task", TASK, "--replace", "0.5"], "replace_every: "),
        (["evaluate", "random", "--task", TASK, "--all", "--json"], "all: "),
        (["evaluate", "random", "--task", TASK, "--followers", "rule", "--population", "."], "population: "),
        (["render", "random", "--task", TASK, "--greedy"], "greedy: "),
        (["render", "random", "--task", TASK, "--step", "3", "--out", "x.gif"], "step: "),
        (["render", "random", "--task", TASK, "--out", "x.png", "--fps", "3"], "fps: "),
        (["render", "random", "--task", TASK, "--step", "3", "--fps", "3"], "fps: "),
        (["render", "random", "--task", TASK, "--out", "x.png", "--episodes", "2"], "episodes: "),
        (["reproduce", "fig3", "--address", "auto"], "address: "),
        (["train", TASK, "--all", "--evaluate", "0"], "all: "),
        (["train", TASK, "--follower-learner.gamma", "0.5"], "follower_learner.gamma: "),
        (["train", TASK, "--follower-learner.hidden", "8"], "follower_learner.hidden: "),
        (["train", TASK, "--learner.explore-episodes", "8"], "learner.explore_episodes: "),
        (["train", TASK, "--learner.epochs", "1", "--learner.clip", "0.1"], "learner.clip: "),
        (["train", TASK, "--leader", "m3rl", "--learner.lambda-termination", "0.1"], "learner.lambda_termination: "),
        (["train", TASK, "--leader", "no-prediction", "--learner.imitation-weight", "2"], "learner.imitation_weight: "),
        (["train", TASK, "--num-targets", "3"], "num_targets: "),
        (["train", "navigation", "--map", "#"], "map: "),
        (["train", TASK, "--seeds", "2", "--seed", "999999999"], "seed: "),
        (["train", TASK, "--equality", "poorest"], "equality: expected it only with weight_equality above 0"),
        (["train", TASK, "--weight-gain", "0"], "weight_gain: expected a value above 0, unless weight_welfare or"),
        (["train", TASK, "--opening-sum", "3"], "opening_sum: expected it only with max_share and payment"),
        (
            ["train", TASK, "--payment", "advance", "--max-share", "1"],
            "opening_sum: expected at least the lowest price",
        ),
        (["evaluate", "random", "--task", TASK, "--equality", "poorest"], "equality: "),
        (["render", "random", "--task", TASK, "--weight-gain", "0"], "weight_gain: "),
        (["compare", "random", "fixed", "--task", TASK, "--opening-sum", "3"], "opening_sum: "),
        (["compare", "random", "fixed", "--task", TASK, "--greedy"], "greedy: "),
    ],
)
def test_options_without_an_effect_are_refused(args: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert error_of(args, capsys).startswith(error)


def test_a_file_of_another_task_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    Path("run.toml").write_text('task = "navigation"\nhidden = 8\n[parameters]\nnoise = 0.5\n')
    words = ["--config", "run.toml", "--episodes", "8", "--num-envs", "8", "--evaluate", "0"]
    assert main(["train", TASK, *words]) == 0
    note = f"paymaster: note: task: {TASK} as given, in place of 'navigation' in run.toml, with the rest of that file\n"
    assert capsys.readouterr().err == note
    assert main(["train", "navigation", *words]) == main(["train", *words]) == 0
    assert capsys.readouterr().err == ""


def test_a_map_file_named_in_a_configuration() -> None:
    Path("room.txt").write_text("#######\n#.....#\n#.....#\n#.....#\n#######\n")
    Path("run.toml").write_text(f'task = "{TASK}"\nhidden = 8\n[parameters]\nmap = "room.txt"\nnum_resources = 4\n')
    assert main(["train", "--config", "run.toml", *SMALL[:4], "--evaluate", "0", "--out", "run"]) == 0


def test_retraining_followers_that_do_not_learn_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", TASK, *SMALL, "--out", "run"]) == 0
    capsys.readouterr()
    assert error_of(["diagnose", "run", "--retrain", "8"], capsys).startswith("retrain: ")
