"""The command line at its edges: every number has a range, every error is a line, nothing is left behind or lost."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from annotated_types import Ge, GroupedMetadata, Gt, Le, Lt

import paymaster
from paymaster.algorithms import LEADERS, EBPGConfig, leader_kind
from paymaster.algorithms.followers import FollowerLearning
from paymaster.algorithms.process import OptionRules
from paymaster.commands import main as cli
from paymaster.commands.bench import Bench
from paymaster.commands.diagnose import Diagnose
from paymaster.commands.evaluate import Evaluate
from paymaster.commands.inspect import Inspect
from paymaster.commands.main import main
from paymaster.commands.render import Render
from paymaster.commands.reproduce import Reproduce
from paymaster.commands.run_directories import begun_in, claim, default_name
from paymaster.commands.train import Train
from paymaster.terminal.printing import printable
from paymaster.training.config import TaskConfig, TrainConfig
from paymaster.training.setup import stored_config
from rest_slow import rest_slow

TASK = "resource_collection"
SMALL = ["--episodes", "16", "--num-envs", "8", "--hidden", "8", "--evaluate", "0"]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def error_of(args: list[str], capsys: pytest.CaptureFixture[str], status: int = 2) -> str:
    """The one line of an error; nothing is left behind."""
    before = sorted(Path().rglob("*"))
    assert main(args) == status
    printed = capsys.readouterr().err
    assert printed.startswith("paymaster: error: ") and printed.count("\n") == 1 and "Traceback" not in printed
    assert sorted(Path().rglob("*")) == before
    return printed.removeprefix("paymaster: error: ").rstrip()


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
    "command", ["train", "evaluate", "render", "inspect", "diagnose", "reproduce", "tasks", "bench"]
)
def test_help_has_no_markup_and_no_none(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of([command], capsys)
    assert "``" not in text and ":mod:" not in text and ":class:" not in text
    assert "None" not in text


def test_help_lists_choices_ranges_and_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of(["train"], capsys)
    for leader in LEADERS:
        assert leader in text
    for task in paymaster.tasks():
        assert task.name in text
    assert "--payment {completion,advance,advance_once}" in text
    assert "--followers {rule,meta,primitive}" in text and "--settings {tuned,paper}" in text
    assert "(a whole number in [1, 4,096]; default: 32)" in text  # --hidden
    assert "(a number in [0, 1]; default: the preset's)" in text  # --noise
    assert "{random,fixed,preference,full_information,DIR}" in help_of(["evaluate"], capsys)


def test_help_shows_the_defaults_of_the_leader_and_its_settings(capsys: pytest.CaptureFixture[str]) -> None:
    def learning_rate(args: list[str]) -> str:
        return help_of(["train", *args], capsys).partition("--learner.learning-rate FLOAT")[2].partition("--")[0]

    assert "default: 0.006" in learning_rate([])
    assert "default: 0.001" in learning_rate(["--leader", "m3rl"])
    assert "default: 0.001" in learning_rate(["--leader", "ebpg", "--leader=m3rl"])  # the last one counts
    assert "default: 0.0003" in learning_rate(["--leader=m3rl", "--settings", "paper"])


# ---- ranges


def settings_of(kind: Any, prefix: str = "") -> Iterator[tuple[str, Any, list[Any]]]:
    """Every number of a dataclass and of those in it: name, type, limits."""
    for name, declared in get_type_hints(kind, include_extras=True).items():
        notes: list[Any] = []
        inner = declared
        while get_args(inner):
            notes += getattr(inner, "__metadata__", ())
            inner = get_args(inner)[0]
        if dataclasses.is_dataclass(inner):
            yield from settings_of(inner, "" if name in ("parameters", "config") and not prefix else f"{prefix}{name}.")
        elif inner in (int, float):
            flat = [one for note in notes for one in (note if isinstance(note, GroupedMetadata) else [note])]
            yield f"{prefix}{name}", inner, [one for one in flat if isinstance(one, Ge | Gt | Le | Lt)]


COMMANDS: dict[str, tuple[Any, list[str]]] = {
    "train": (Train, [TASK]),
    "evaluate": (Evaluate, ["random", "--task", TASK]),
    "render": (Render, ["random", "--task", TASK]),
    "inspect": (Inspect, ["."]),
    "diagnose": (Diagnose, ["."]),
    "reproduce": (Reproduce, ["fig3"]),
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
    assert len(NUMBERS) > 60
    for kind in (EBPGConfig, FollowerLearning, OptionRules):
        assert all(limits for _, _, limits in settings_of(kind))


@pytest.mark.parametrize("ends", ["one in turn", pytest.param("both", marks=pytest.mark.slow)])
@pytest.mark.parametrize("command", COMMANDS)
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


@pytest.mark.parametrize("field", [name for name, _, _ in settings_of(TaskConfig)])
def test_the_ranges_shown_are_those_of_the_core(field: str) -> None:
    (limits,) = (limits for name, _, limits in settings_of(TaskConfig) if name == field)
    kind = {name: kind for name, kind, _ in settings_of(TaskConfig)}[field]
    presets = [task.name for task in paymaster.tasks() if field in task.parameters]
    assert presets
    accepted: set[float] = set()
    for limit in limits:
        edge = next(getattr(limit, name) for name in ("ge", "gt", "le", "lt") if hasattr(limit, name))
        inside = edge - 1 if isinstance(limit, Lt) else edge
        outside = inside + (1 if isinstance(limit, Le | Lt) else -1) * (1 if kind is int else 0.001)
        for task in presets:
            with pytest.raises((ValueError, TypeError, OverflowError), match=f"^{field}: "):
                paymaster.make_vec(task, 1, **{field: outside})
            try:
                paymaster.make_vec(task, 1, **{field: inside})
            except ValueError as error:
                if f"{field}: expected a value in" in str(error):
                    continue
            accepted.add(inside)
        assert inside in accepted


# ---- values that cannot be read


@pytest.mark.parametrize("command", COMMANDS)
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
        (["train", TASK, "--payment=never"], "payment: expected one of completion, advance, advance_once, got 'never'"),
        (["train", TASK, "--settings", "x"], "settings: expected one of tuned, paper, got 'x'"),
        (["train", TASK, "--abstain", "3"], "abstain: expected true or false, got '3'"),
        (["reproduce", "fig9"], "name: expected one of fig3, fig4, table1,"),
        (["reproduce", "all", "--scale", "big"], "scale: expected one of smoke, cpu, paper, got 'big'"),
        (
            ["train", TASK, "--episodes", "9" * 5_000],
            "episodes: expected a whole number in [1, 1,000,000,000], got '99",
        ),
        (
            ["train", TASK, "--episode", "3"],
            "unrecognized options: --episode, 3; perhaps you meant --episodes; see pay",
        ),
        (["train", TASK, "--resume=3"], "unrecognized options: --resume=3; see paymaster train --help"),
        (["tasks", "--json=3"], "unrecognized options: --json=3; see paymaster tasks --help"),
        (["evaluate"], "missing from paymaster evaluate: "),
        (["train", TASK, "--episodes"], "missing value for argument '--episodes'"),
        (
            ["trian"],
            "unrecognized options: trian; expected one of train, evaluate, render, inspect, diagnose, reproduc",
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
        (["train", TASK, "--seeds", "2", "--followers", "meta"], "seeds: "),
        (["train", TASK, "--seeds", "2", "--seed", "999999999"], "seed: "),
    ],
)
def test_options_without_an_effect_are_refused(args: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert error_of(args, capsys).startswith(error)


def test_retraining_followers_that_do_not_learn_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", TASK, *SMALL, "--out", "run"]) == 0
    capsys.readouterr()
    assert error_of(["diagnose", "run", "--retrain", "8"], capsys).startswith("retrain: ")


# ---- run directories


def test_jobs_started_at_once_get_a_directory_each(tmp_path: Path) -> None:
    claimed: list[Path] = []
    barrier = threading.Barrier(8)

    def take() -> None:
        barrier.wait()
        claimed.extend(claim(tmp_path / "runs" / "run") for _ in range(8))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 64
    assert {path.name for path in claimed} == {"run", *(f"run-{number}" for number in range(2, 65))}


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (TrainConfig(TASK), f"{TASK}-ebpg-expiring-seed0"),
        (TrainConfig(TASK, episodes=7, device="cpu", checkpoint_every=9, seed=3), f"{TASK}-ebpg-expiring-seed3"),
        (TrainConfig(TASK, parameters=TaskConfig(payment="completion")), f"{TASK}-ebpg-expiring-seed0"),  # the preset's
        (TrainConfig(TASK, parameters=TaskConfig(payment="advance")), f"{TASK}-ebpg-expiring-payment=advance-seed0"),
        (TrainConfig(TASK, leader="m3rl", settings="paper"), f"{TASK}-m3rl-paper-seed0"),
        (
            TrainConfig(TASK, settings="paper", parameters=TaskConfig(followers="meta")),
            f"{TASK}-ebpg-expiring-paper-followers=meta-seed0",
        ),
        (TrainConfig(TASK, leader="fixed-interval(3)"), f"{TASK}-fixed-interval-3-seed0"),
        (
            TrainConfig(TASK, learner=dataclasses.replace(leader_kind("ebpg-expiring").learner, gamma=0.5)),
            f"{TASK}-ebpg-expiring-gamma=0.5-seed0",
        ),
    ],
)
def test_a_directory_is_named_after_what_is_special(config: TrainConfig, name: str) -> None:
    assert default_name(config) == name


def test_names_are_short_and_safe_for_file_systems() -> None:
    every = TaskConfig(**{name: 1 for name, kind, _ in settings_of(TaskConfig)}, map="#" * 9_000)  # type: ignore[arg-type]
    long, other = (default_name(TrainConfig(TASK, parameters=every, hidden=hidden)) for hidden in (8, 9))
    assert len(long) < 200 and long != other
    assert set(long) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.=+-")


def fail_in(bases: list[Path], file: str, *, numbered: bool) -> None:
    """A run that cannot start, having made a file."""
    with begun_in(bases, numbered=numbered) as directories:
        for path in directories:
            path.mkdir(parents=True, exist_ok=True)
            (path / file).touch()
        raise KeyError


def test_what_could_not_start_leaves_no_directory(tmp_path: Path) -> None:
    (tmp_path / "runs" / "old").mkdir(parents=True)
    for bases, numbered in (([Path("runs/new"), Path("runs/new")], True), ([Path("deep/er/new")], False)):
        with pytest.raises(KeyError):
            fail_in(bases, ".lock", numbered=numbered)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["old", "runs"]
    with pytest.raises(KeyError):
        fail_in([Path("begun")], "metrics.jsonl", numbered=False)
    assert (tmp_path / "begun" / "metrics.jsonl").exists()


def test_paths_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "map.txt").write_text("\ufeff#######\n#.....#\n#.###.#\n#.....#\n#.....#\n#######\n")
    assert main(["train", TASK, *SMALL, "--num-resources", "4", "--map=~/map.txt", "--out=~/run"]) == 0
    assert (tmp_path / "home" / "run" / "config.json").exists()
    assert main(["evaluate", "~/run", "--episodes", "2"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]


def test_an_empty_path_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert error_of(["train", TASK, "--out="], capsys) == "out: expected a path, got an empty text"


@pytest.mark.parametrize("path", ["a\nb", "a\x1b[31mb", "\x9bb", "a\u202eb", "a\udcffb"])
@pytest.mark.parametrize(
    ("args", "option"),
    [
        (["train", TASK, "--out"], "out"),
        (["train", TASK, "--resume", "--out"], "out"),
        (["train", TASK, "--map"], "map"),
        (["evaluate"], "leader"),
        (["evaluate", "random", "--task", TASK, "--population"], "population"),
        (["render"], "leader"),
        (["render", "random", "--task", TASK, "--out"], "out"),
        (["inspect"], "run_directory"),
        (["diagnose"], "run_directory"),
        (["reproduce", "fig3", "--out"], "out"),
        (["tasks"], ""),
    ],
)
def test_no_control_character_of_a_user_reaches_the_terminal(
    args: list[str], option: str, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = error_of([*args, path], capsys)
    assert shown == printable(shown) and shown.startswith(f"{option}: expected " if option else "unrecognized options")


def test_a_directory_of_any_language_is_as_good_as_another(capsys: pytest.CaptureFixture[str]) -> None:
    out = "\u00fcbung \u5b66\u7fd2\u3000\U0001f469\u200d\U0001f4bb"
    assert main(["train", TASK, *SMALL, "--out", out]) == 0
    assert out in capsys.readouterr().out
    assert main(["evaluate", out, "--episodes", "2"]) == 0


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


# ---- resuming


def test_resuming_says_which_option_differs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", TASK, *SMALL, "--out", "run", "--leader", "m3rl", "--seed", "3"]) == 0
    before = Path("run/metrics.jsonl").read_bytes()
    capsys.readouterr()
    for given, message in (
        (["--hidden", "32"], "hidden: expected 8 as in the run to resume, got 32"),  # also where it is the default
        (["--leader", "ebpg-expiring"], "leader: expected 'm3rl' as in the run to resume, got 'ebpg-expiring'"),
        (["--seed", "0"], "seed: expected 3 as in the run to resume, got 0"),
        (["--payment", "advance"], "payment: expected 'completion' as in the run to resume, got 'advance'"),
        (["--learner.gamma", "0.5"], "learner.gamma: expected 1.0 as in the run to resume, got 0.5"),
        (["--settings", "paper"], "settings: expected 'tuned' as in the run to resume, got 'paper'"),
    ):
        message_shown = error_of(["train", TASK, "--out", "run", "--resume", *given], capsys)
        assert message_shown.startswith(message)
    assert error_of(["train", "navigation", "--out", "run", "--resume"], capsys).startswith("task: expected")
    assert main(["train", TASK, "--out", "run", "--resume", "--evaluate", "0", "--hidden", "8"]) == 0
    assert Path("run/metrics.jsonl").read_bytes() == before
    assert main(["train", TASK, "--out", "run", "--resume", "--evaluate", "0", "--episodes", "24"]) == 0
    assert "training m3rl with its tuned settings but num_envs=8, hidden=8" in capsys.readouterr().out


def test_the_default_number_of_episodes_counts_where_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    import paymaster.training.train as training

    assert main(["train", TASK, *SMALL, "--out", "run"]) == 0
    resumed: list[TrainConfig] = []

    def pretend(
        config: TrainConfig, out: Path, *, resume: bool, given: set[str], on_start: Callable[[int], None]
    ) -> TrainConfig:
        assert resume and on_start is not None
        stored = stored_config(out)
        resumed.append(config.resumed_from(stored, given))
        return stored

    monkeypatch.setattr(training, "train", pretend)
    for extra in ([], ["--episodes", "10000"], ["--episodes", "24"]):
        assert main(["train", TASK, "--out", "run", "--resume", "--evaluate", "0", *extra]) == 0
    assert [config.episodes for config in resumed] == [16, 10_000, 24]
    assert {config.num_envs for config in resumed} == {8}


def test_a_run_that_is_complete_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    run = ["train", TASK, "--num-envs", "8", "--hidden", "8", "--evaluate", "0", "--out", "run"]
    assert main([*run, "--episodes", "15"]) == 0
    assert "training ebpg-expiring" in capsys.readouterr().out
    before = [path.read_bytes() for path in sorted(Path("run").glob("*.*"))]
    for given in ([], ["--episodes", "15"]):
        assert main([*run, "--resume", *given]) == 0
        assert capsys.readouterr().out.startswith(
            "the training in run is complete, 16 of 16 episodes (15 in batches of 8): to prolong it, give more"
        )
    # 9 would be rounded up to the 16 that are done.
    for few in ("9", "14", "8", "1"):
        assert error_of([*run, "--resume", "--episodes", few], capsys) == (
            f"episodes: expected at least the 16 that run has trained on, got {few}"
        )
    assert before[0] == sorted(Path("run").glob("*.*"))[0].read_bytes()
    assert main([*run, "--resume", "--episodes", "16"]) == 0
    assert "is complete, 16 of 16 episodes: to prolong" in capsys.readouterr().out
    assert main([*run, "--resume", "--episodes", "17"]) == 0
    assert "training ebpg-expiring" in capsys.readouterr().out


@pytest.mark.parametrize(
    "args",
    [
        ["--out", "run"],
        ["--out", "run", "--resume", "--episodes", "8"],
        ["--out", "run", "--resume", "--hidden", "9"],
        ["--out", "new", "--num-targets", "3"],
        ["--out", "new", "--population-size", "2"],
        ["--out", "new", "--seeds", "2", "--followers", "meta"],
        ["--out", "seeds", "--seeds", "2"],
        ["--out", "seeds", "--seeds", "2", "--resume", "--episodes", "8"],
    ],
)
def test_training_is_announced_when_nothing_is_refused_any_more(
    args: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", TASK, *SMALL, *(["--seeds", "2"] if "seeds" in args else []), "--out", args[1]]) == 0
    if args[1] == "new":
        shutil.rmtree("new")
    capsys.readouterr()
    assert main(["train", TASK, *SMALL, *args]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.startswith("paymaster: error: ")


def test_several_seeds_are_resumed(capsys: pytest.CaptureFixture[str]) -> None:
    several = ["train", TASK, "--seeds", "2", "--seed", "4", "--out", "runs"]
    assert main([*several, *SMALL]) == 0
    capsys.readouterr()
    assert "hidden: expected 8" in error_of([*several, "--resume", "--hidden", "9"], capsys)
    assert main([*several, "--resume", "--episodes", "24", "--evaluate", "0"]) == 0
    for seed in (4, 5):
        assert len(Path(f"runs/seed{seed}/metrics.jsonl").read_text().splitlines()) == 3


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


@pytest.mark.parametrize("line", rest_slow(LINES, lambda line: line == LINES[0]))  # each imports for two seconds
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
