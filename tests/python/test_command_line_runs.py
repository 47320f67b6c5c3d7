"""The command line: where runs go, and how they are resumed; nothing is left behind or lost."""

from __future__ import annotations

import dataclasses
import shutil
import threading
from pathlib import Path

import pytest

from command_line import SMALL, TASK, error_of, own_folder  # noqa: F401 (a fixture)
from paymaster.algorithms import leader_kind
from paymaster.commands.main import main
from paymaster.commands.run_directories import begun_in, claim, default_name
from paymaster.storage.metrics_file import read_metrics
from paymaster.terminal.printing import printable
from paymaster.training.callbacks import Callback
from paymaster.training.config import TrainConfig
from paymaster.training.setup import stored_config
from paymaster.validation.parameters import parameters_of

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
        (TrainConfig(TASK, parameters={"payment": "completion"}), f"{TASK}-ebpg-expiring-seed0"),  # the preset's
        (TrainConfig(TASK, parameters={"payment": "advance"}), f"{TASK}-ebpg-expiring-payment=advance-seed0"),
        (TrainConfig(TASK, leader="m3rl", settings="paper"), f"{TASK}-m3rl-paper-seed0"),
        (
            TrainConfig(TASK, settings="paper", parameters={"followers": "meta"}),
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
    every = {name: 1 for name, about in parameters_of(TASK).items() if isinstance(about.default, int | float)}
    every["map"] = "#" * 9_000
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
        (["tasks"], "worlds"),
    ],
)
def test_no_control_character_of_a_user_reaches_the_terminal(
    args: list[str], option: str, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = error_of([*args, path], capsys)
    assert shown == printable(shown) and shown.replace("[0]", "", 1).startswith(f"{option}: expected ")


def test_a_directory_of_any_language_is_as_good_as_another(capsys: pytest.CaptureFixture[str]) -> None:
    out = "\u00fcbung \u5b66\u7fd2\u3000\U0001f469\u200d\U0001f4bb"
    assert main(["train", TASK, *SMALL, "--out", out]) == 0
    assert out in capsys.readouterr().out
    assert main(["evaluate", out, "--episodes", "2"]) == 0


# ---- resuming


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_default_number_of_episodes_counts_where_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    import paymaster.training.train as training

    assert main(["train", TASK, *SMALL, "--out", "run"]) == 0
    resumed: list[TrainConfig] = []

    def pretend(
        config: TrainConfig, out: Path, *, resume: bool, given: set[str], callbacks: list[Callback]
    ) -> TrainConfig:
        assert resume and len(callbacks) == 1
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
        ["--out", "new", "--seeds", "2", "--num-targets", "3"],
        ["--out", "seeds", "--seeds", "2"],
        ["--out", "seeds", "--seeds", "2", "--resume", "--episodes", "8"],
    ],
)
def test_training_is_announced_when_nothing_is_refused_any_more(
    args: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    if args[1] != "new":
        assert main(["train", TASK, *SMALL, *(["--seeds", "2"] if "seeds" in args else []), "--out", args[1]]) == 0
    capsys.readouterr()
    assert main(["train", TASK, *SMALL, *args]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.startswith("paymaster: error: ")


def runs_of(folder: str) -> list[list[float]]:
    """Gains of seeds 4 and 5."""
    return [[row["gain"] for row in read_metrics(Path(f"{folder}/seed{seed}/metrics.jsonl"))] for seed in (4, 5)]


@pytest.mark.slow
def test_several_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    """Each is the run of that seed alone; they are resumed and prolonged, also where one was not begun yet."""
    several = ["train", TASK, "--seeds", "2", "--seed", "4"]
    assert main([*several, *SMALL, "--out", "runs", "--evaluate", "4"]) == 0
    shown = capsys.readouterr().out
    assert "in runs/seed4" in shown and "in runs/seed5" in shown and "trained, seed 5" in shown
    assert main(["train", TASK, *SMALL, "--seed", "5", "--out", "alone/seed5"]) == 0
    assert Path("alone/seed5/metrics.jsonl").read_bytes() == Path("runs/seed5/metrics.jsonl").read_bytes()
    assert "hidden: expected 8" in error_of([*several, "--out", "runs", "--resume", "--hidden", "9"], capsys)
    shutil.copytree("runs/seed4", "begun/seed4")
    prolonged = ["--resume", "--episodes", "24", "--evaluate", "0"]
    assert main([*several, "--out", "runs", *prolonged]) == 0
    assert list(map(len, runs_of("runs"))) == [3, 3]
    assert main([*several, "--out", "begun", *prolonged]) == 0
    assert runs_of("begun") == runs_of("runs")


def test_several_seeds_that_differ_in_more_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", TASK, *SMALL, "--seed", "4", "--out", "runs/seed4", "--evaluate", "0"]) == 0
    another = ["--num-envs", "4", "--episodes", "8", "--evaluate", "0"]
    assert main(["train", TASK, *another, "--seed", "5", "--out", "runs/seed5"]) == 0
    several = ["train", TASK, "--seeds", "2", "--seed", "4", "--out", "runs", "--resume"]
    assert "expected 4 as in the run to resume" in error_of(several, capsys)
    assert len(read_metrics(Path("runs/seed4/metrics.jsonl"))) == 2


def test_ranks_do_not_take_seeds(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert "seeds: expected one process, got 2 ranks" in error_of(["train", TASK, "--seeds", "2"], capsys)
