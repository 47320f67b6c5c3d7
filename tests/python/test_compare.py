"""Leaders beside each other: the same games, differences and intervals, labels, frames, tables and pictures."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import paymaster
from own_parts import PICKY, Picky
from paymaster.analysis.bootstrap import bootstrap, improvement, interquartile_mean
from paymaster.analysis.compare import paired_difference
from paymaster.analysis.compared_leaders import leaders_of
from paymaster.analysis.comparison_plot import plot_comparison
from paymaster.analysis.evaluate import evaluate_run, evaluate_scripted
from paymaster.commands.main import main
from paymaster.training.config import TrainConfig
from paymaster.training.train import train
from small_runs import SMALL, TASK

SHORT = replace(SMALL, episodes=16)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of runs: two leaders, the first also with another setting and on another task; two seeds each."""
    folder = tmp_path_factory.mktemp("compared")
    for seed in (0, 1):
        usual = replace(SHORT, seed=seed)
        train(usual, folder / "usual" / f"seed{seed}")
        train(replace(usual, learner=replace(usual.learner, gamma=0.5)), folder / "short sighted" / f"seed{seed}")
        train(
            TrainConfig(TASK, leader="m3rl", episodes=16, num_envs=8, hidden=8, seed=seed), folder / "m3rl" / f"{seed}"
        )
        train(replace(usual, task="navigation"), folder / "elsewhere" / f"seed{seed}")
    return folder


def test_everybody_plays_the_same_games(runs: Path) -> None:
    """Each leader's gains are those of its evaluation, episode by episode."""
    comparison = paymaster.compare([runs / "usual", "preference", Picky], episodes=30, seed=4)
    assert comparison.leaders == ("ebpg-expiring", "preference", PICKY) and comparison.tasks == (TASK,)
    gains = comparison.gains("ebpg-expiring", TASK)
    for row, seed in zip(gains, (0, 1), strict=True):
        assert (row == evaluate_run(runs / "usual" / f"seed{seed}", 30, 4).gain).all()
    assert (comparison.gains("preference", TASK) == evaluate_scripted("preference", TASK, 30, 4).gain).all()
    difference = comparison.difference("preference", TASK)
    assert difference.value == pytest.approx(float((comparison.gains("preference", TASK) - gains.mean(axis=0)).mean()))
    assert difference.low < difference.value < difference.high
    assert comparison.interquartile_mean("ebpg-expiring") == bootstrap(gains.mean(axis=1), interquartile_mean)
    scores = [comparison.scores(leader) for leader in ("preference", "ebpg-expiring")]
    assert comparison.improvement("preference") == improvement(*scores)


def test_a_leader_beside_itself_differs_by_nothing() -> None:
    comparison = paymaster.compare({"a": "random", "b": "random"}, [TASK], episodes=20)
    assert comparison.difference("b", TASK) == paymaster.analysis.bootstrap.Estimate(0.0, 0.0, 0.0)
    assert comparison.improvement("b").value == 0.5


def test_pairs_are_worth_more_than_two_intervals() -> None:
    """What games have in common drops out of a difference, in its interval as well."""
    rng = np.random.default_rng(0)
    common = rng.normal(0, 5, 400)
    x, y = common + 1 + rng.normal(0, 0.5, (1, 400)), common + rng.normal(0, 0.5, (1, 400))
    paired, alone = paired_difference(x, y), paired_difference(x)
    assert paired.low < 1 < paired.high and paired.high - paired.low < 0.2
    assert alone.high - alone.low > 0.9
    assert paired_difference(x, y, seed=0) == paired


def test_an_interval_is_that_of_a_bootstrap_by_hand() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(3, 1, (4, 60)), rng.normal(2, 1, (3, 60))
    drawn = []
    for _ in range(4_000):
        games = rng.integers(60, size=60)
        drawn.append(
            x[rng.integers(4, size=4)].mean(0)[games].mean() - y[rng.integers(3, size=3)].mean(0)[games].mean()
        )
    expected, found = np.percentile(drawn, (2.5, 97.5)), paired_difference(x, y)
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.03)
    assert paired_difference(x[:, :1], y[:, :1]).value == pytest.approx(float(x[:, 0].mean() - y[:, 0].mean()))
    with pytest.raises(ValueError, match="y: expected 60 games as in x, got 59"):
        paired_difference(x, y[:, 1:])


def test_means_cover_what_they_should() -> None:
    """Of 200 samples of 8 seeds in 40 games, the interval misses the truth somewhat more often than it says."""
    rng, missed = np.random.default_rng(2), 0
    for _ in range(200):
        gains = rng.normal(0, 1, (8, 1)) + rng.normal(0, 1, (1, 40)) + rng.normal(0, 1, (8, 40))
        found = paired_difference(gains, repetitions=400)
        missed += not found.low < 0 < found.high
    assert missed < 35


def test_labels_say_what_sets_runs_apart(runs: Path) -> None:
    found = leaders_of([runs / "usual", runs / "short sighted", runs / "m3rl", "random"])
    assert list(found) == ["ebpg-expiring", "ebpg-expiring, learner.gamma=0.5", "m3rl", "random"]
    assert [one.seed for one in found["m3rl"]] == [0, 1]
    assert list(leaders_of([runs / "usual" / "seed0", runs / "usual" / "seed1"])) == ["ebpg-expiring"]
    named = leaders_of({"one": runs / "usual" / "seed0", "other": [runs / "usual" / "seed1"]})
    assert [[one.seed for one in each] for each in named.values()] == [[0], [1]]


def test_several_tasks_count_alike(runs: Path) -> None:
    """A leader's runs play the task that they were trained on; gains are in units of what full information gains."""
    comparison = paymaster.compare({"learned": [runs / "usual", runs / "elsewhere"], "none": "fixed"}, episodes=20)
    assert comparison.tasks == ("resource_collection", "navigation")
    for column, (task, folder) in enumerate(zip(comparison.tasks, ("usual", "elsewhere"), strict=True)):
        gains = [evaluate_run(runs / folder / f"seed{seed}", 20).gain.mean() for seed in (0, 1)]
        scale = evaluate_scripted("full_information", task, 20).gain.mean()
        assert comparison.scores("learned")[:, column] == pytest.approx(np.array(gains) / scale)
    assert comparison.interquartile_mean("learned") == bootstrap(comparison.scores("learned"), interquartile_mean)
    one_skill = "resource_collection_one_skill"  # no run was trained on it: all play it
    transfer = paymaster.compare({"learned": runs / "usual", "none": "fixed"}, [one_skill], episodes=10)
    assert (
        transfer.gains("learned", one_skill)[0] == evaluate_run(runs / "usual/seed0", 10, task=one_skill).gain
    ).all()


def test_a_frame_has_a_row_an_episode(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = pytest.importorskip("pandas")
    comparison = paymaster.compare([runs / "usual", "preference"], episodes=12)
    frame = comparison.frame()
    assert len(frame) == 3 * 12 and frame["seed"].isna().sum() == 12
    means = frame.groupby(["leader", "seed"], dropna=False)["gain"].mean()
    assert means["ebpg-expiring", 1] == pytest.approx(comparison.gains("ebpg-expiring", TASK)[1].mean())
    wide = frame.pivot_table(index="episode", columns="leader", values="gain")
    difference = (wide["preference"] - wide["ebpg-expiring"]).mean()
    assert difference == pytest.approx(comparison.difference("preference", TASK).value)
    assert isinstance(frame, pandas.DataFrame)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pandas: expected it installed \(pip install 'paymaster\[pandas\]'\)"):
        comparison.frame()


@pytest.mark.slow
def test_the_command(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["compare", str(runs / "usual"), str(runs / "m3rl"), "preference", "--episodes", "20"]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    expected = paymaster.compare([runs / "usual", runs / "m3rl", "preference"], episodes=20)
    assert told == expected.to_json()
    assert [leader["seeds"] for leader in told["leaders"]] == [2, 2, 1]
    assert main([*words, "--baseline", "preference", "--plot", str(tmp_path / "picture.png")]) == 0
    out = capsys.readouterr().out
    assert out.index("preference") < out.index("m3rl") and "more than" in out and "interquartile" in out
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    labelled = [f"old={runs / 'usual' / 'seed0'}", f"new={runs / 'usual' / 'seed1'}"]
    assert main(["compare", *labelled, "--episodes", "10"]) == 0
    assert "more than" in (out := capsys.readouterr().out) and "old" in out and "new" in out
    assert main(["compare", "random", "fixed", "--task", TASK, "navigation", "--episodes", "10"]) == 0
    assert "2 tasks" in capsys.readouterr().out


@pytest.mark.slow
def test_a_picture_is_the_same_each_time(tmp_path: Path) -> None:
    comparison = paymaster.compare(["random", "fixed"], [TASK, "navigation"], episodes=10)
    for name in ("a.png", "b.png"):
        plot_comparison(comparison, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_what_cannot_be_compared(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    advance = replace(SHORT, parameters={"payment": "advance"})
    train(advance, tmp_path / "advance")
    usual, m3rl = runs / "usual", runs / "m3rl"
    calls: list[tuple[Any, dict[str, Any], str]] = [
        (["random"], {"tasks": [TASK]}, "leaders: expected at least two to compare, got random"),
        (["random", "fixed"], {}, "task: expected at least one with scripted leaders alone, got none"),
        (
            ["random", "nobody"],
            {"tasks": [TASK]},
            "leader: expected a run directory or one of random, .*, got 'nobody'",
        ),
        (["random", tmp_path], {"baseline": "x"}, "baseline: expected one of random, ebpg-expiring, got 'x'"),
        (
            [usual, usual / "seed0", "random"],
            {},
            "leaders: expected one run of each seed of ebpg-expiring, got .*seed0",
        ),
        ([usual, tmp_path], {}, "payment: expected runs of the same games of resource_collection, got 'completion' in"),
        (
            [usual, runs / "elsewhere", m3rl],
            {},
            "leaders: expected a run of m3rl on every task, got none on navigation",
        ),
        ([usual, "fixed"], {"tasks": ["chess"]}, "expected one of"),
        ([usual, "fixed"], {"episodes": 0}, "episodes: expected at least 1, got 0"),
    ]
    calls += [
        ("preference", {}, "leaders: expected several, in a list, got 'preference' alone"),
        (usual, {}, "leaders: expected several, in a list, got .*usual.* alone"),
        (3, {}, "leaders: expected several, in a list, got 3 alone"),
        (["random", "fixed"], {"tasks": TASK}, "tasks: expected several, in a list, got 'resource_collection' alone"),
        (["random", "fixed"], {"tasks": [TASK], "greedy": True}, "greedy: expected it only with a trained leader"),
    ]
    for leaders, arguments, error in calls:
        with pytest.raises((ValueError, TypeError), match=error):
            paymaster.compare(leaders, **arguments)
    comparison = paymaster.compare(["random", "fixed"], [TASK], episodes=4)
    with pytest.raises(ValueError, match="leader: expected one of random, fixed, got 'nope'"):
        comparison.difference("nope", TASK)
    with pytest.raises(ValueError, match="task: expected one of resource_collection, got 'nope'"):
        comparison.gain("fixed", "nope")
    assert paymaster.compare([usual, tmp_path], parameters={"payment": "completion"}, episodes=4).episodes == 4
    for words, error in (
        (["random", "fixed", "--task", TASK, "--plot", "x.gif"], "plot: expected a file name that ends in .png"),
        (["=random", "fixed", "--task", TASK], "leaders: expected NAME=DIR, got '=random'"),
        (["random", "fixed", "--task", TASK, "--episodes", "1"], "episodes: expected a whole number in [2, 100,000]"),
    ):
        assert main(["compare", *words]) == 2
        assert capsys.readouterr().err.startswith(f"paymaster: error: {error}")
