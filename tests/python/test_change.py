"""Populations that change: both readings of M3RL's tests, in an evaluation and while training."""
# Above 300 lines: one reading is only told from the other in all the places where a population can change.

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import paymaster
from command_line import error_of, own_folder  # noqa: F401 (a fixture)
from hostile import refused
from paymaster.algorithms import OriginalLeader
from paymaster.algorithms.process_group import Ranks
from paymaster.analysis.evaluate import evaluate_run, evaluate_scripted
from paymaster.analysis.open_run import open_run
from paymaster.commands.main import main
from paymaster.envs.replacement import Replacement
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.storage.metrics_file import METRICS, read_metrics
from paymaster.storage.run_config import read_config
from paymaster.training import train as training
from paymaster.training.change_tests import CHANGE_TESTS, change_test
from paymaster.training.config import TrainConfig
from paymaster.training.run_state import open_checkpoint
from paymaster.training.seeds import WHILE_TRAINING
from paymaster.training.setup import make_env, make_leader
from paymaster.training.train import make_parts, train
from play import MB, RC, make, same
from rest_slow import rest_slow
from small_runs import Killed, die_at

READINGS = ["people", "statistics"]
OURS, ORIGINAL = LEADERS = ["ebpg-expiring", "m3rl-original"]  # the latter keeps a performance history as well
GAMES = {"horizon": 10, "num_followers": 3}


def config_of(leader: str = OURS, **changes: Any) -> TrainConfig:
    sizes = {"num_envs": 4, "hidden": 8} if leader == OURS else {}
    given = {"episodes": 24, "checkpoint_every": 8, "device": "cpu", **sizes, **changes}
    return TrainConfig(MB, leader=leader, parameters=GAMES, **given)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of each leader."""
    folder = tmp_path_factory.mktemp("runs")
    for leader in LEADERS:
        train(config_of(leader), folder / leader)
    return {leader: folder / leader for leader in LEADERS}


Change = tuple[list[int], dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]


@contextmanager
def noted() -> Iterator[list[Change]]:
    """Who is replaced; population before and after, statistics before and after."""
    seen: list[Change] = []
    apply = Replacement.apply

    def noting(self: Replacement, env: LeaderVectorEnv, *given: Any) -> NDArray[np.int64]:
        people, table = env.population, env.statistics.arrays()
        members = apply(self, env, *given)
        seen.append((members.tolist(), people, env.population, table, env.statistics.arrays()))
        return members

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Replacement, "apply", noting)
        yield seen


def check_changes(seen: list[Change], change: str, share: int) -> None:
    """Those replaced have no statistics left; with "people" they have other traits; nobody else changes."""
    for members, people, new_people, table, new_table in seen:
        assert len(set(members)) == len(members) == share
        others = [i for i in range(40) if i not in members]
        for name, traits in people.items():
            same(new_people[name][others], traits[others])
        changed = any((new_people[name][members] != traits[members]).any() for name, traits in people.items())
        assert changed == (change == "people")
        for name, entries in table.items():
            same(new_table[name][others], entries[others])
            assert not new_table[name][members].any()
    assert any(table["acceptance_count"][members].any() for members, _, _, table, _ in seen)


# ---- statistics of some members


@pytest.mark.parametrize("performance", [False, True])
def test_what_is_known_of_some_members_is_cleared(performance: bool) -> None:
    env = make(MB, horizon=12, num_envs=50)
    if performance:
        env.statistics.keep_performance()
    env.reset()
    for _ in range(12):
        env.step(env.action_space.sample())
    before = env.statistics.arrays()
    assert len(before) == (7 if performance else 5)
    assert all(before[name][[3, 39]].any() for name in before if name.endswith(("acceptance", "acceptance_count")))
    env.statistics.clear([3, 39])
    for name, entries in env.statistics.arrays().items():
        wanted = before[name].copy()
        wanted[[3, 39]] = 0
        same(entries, wanted)
    env.statistics.clear()
    assert not any(entries.any() for entries in env.statistics.arrays().values())


@pytest.mark.parametrize(
    ("identities", "error", "came"),
    [([40], ValueError, "40"), ([-1], ValueError, "-1"), ([0.5], TypeError, "float64"), ([[1]], ValueError, "(1, 1)")],
)
def test_members_that_are_none_are_refused(identities: Any, error: Any, came: str) -> None:
    env = make(RC)
    env.statistics.set(outcome=np.full((40, 4), 0.5, np.float32))
    with refused(error, "identities", came):
        env.statistics.clear(identities)
    assert (env.statistics.outcome == 0.5).all()


# ---- evaluation


@pytest.mark.parametrize("leader", LEADERS)
@pytest.mark.parametrize("change", READINGS)
def test_an_evaluation_changes_what_its_reading_says(runs: dict[str, Path], leader: str, change: Any) -> None:
    with noted() as seen:
        evaluate_run(runs[leader], 30, replacement=Replacement(0.75, 10, change))
    assert len(seen) == 2
    check_changes(seen, change, 30)
    assert (leader == ORIGINAL) == ("performance_acceptance" in seen[0][3])
    if leader == ORIGINAL:
        assert seen[0][3]["performance_acceptance"][seen[0][0]].any()


@pytest.mark.parametrize("leader", LEADERS)
def test_both_readings_replace_the_same_members_and_differ_from_then_on(runs: dict[str, Path], leader: str) -> None:
    found, members = {}, {}
    for change in READINGS:
        replacement = Replacement(0.75, 10, change)  # type: ignore[arg-type]
        with noted() as seen:
            found[change] = evaluate_run(runs[leader], 30, replacement=replacement)
        members[change] = [one[0] for one in seen]
        same(found[change].to_json(), evaluate_run(runs[leader], 30, replacement=replacement).to_json())
    assert members["people"] == members["statistics"]
    same(found["people"].gain[:10], found["statistics"].gain[:10])
    assert (found["people"].gain[10:] != found["statistics"].gain[10:]).any()


def test_a_scripted_leader_is_none_the_worse_for_cleared_statistics() -> None:
    """It does not use them, and nobody else comes."""
    stays, cleared, others = (
        evaluate_scripted("full_information", MB, 30, parameters=GAMES, replacement=replacement).gain
        for replacement in (Replacement(1.0, 30), Replacement(1.0, 10, "statistics"), Replacement(1.0, 10))
    )
    same(cleared, stays)
    assert (others[10:] != stays[10:]).any()


@pytest.mark.parametrize("change", ["traits", "", None, 3])
def test_a_change_that_there_is_not(change: Any) -> None:
    with refused(ValueError, "replacement change", repr(change)):
        Replacement(0.5, 10, change)


@pytest.mark.parametrize("leader", LEADERS)
def test_strangers_may_be_of_another_number(runs: dict[str, Path], leader: str) -> None:
    """Nothing is known of them, so nothing has to fit; with the run's own statistics it has to."""
    team = {"population_size": 3}
    assert evaluate_run(runs[leader], 12, parameters=team, strangers=True).episodes == 12
    with pytest.raises(ValueError, match="population_size: expected 40 as in the run's games, got 3"):
        evaluate_run(runs[leader], 12, parameters=team)


# ---- training


@pytest.mark.parametrize("change", READINGS)
@pytest.mark.parametrize("leader", LEADERS)
def test_a_training_changes_what_its_reading_says(leader: str, change: str, tmp_path: Path) -> None:
    config = config_of(leader, replace=0.5, replace_every=8, replace_what=change)
    with noted() as seen:
        train(config, tmp_path / "run")
    assert len(seen) == 2  # before episodes 9 and 17; after 24 there are none
    check_changes(seen, change, 20)
    draws = [Replacement(0.5, 8).draw(40, 0, number)[0].tolist() for number in (1, 2)]
    assert [members for members, *_ in seen] == draws
    env, _ = open_run(tmp_path / "run", 2, 5)
    same(env.population, seen[-1][2])  # those of the end of training play on
    checkpoint = open_checkpoint(tmp_path / "run").tensors["statistics"]
    same(env.statistics.arrays(), {name: values.numpy() for name, values in checkpoint.items()})


CASES = [(leader, change, call) for leader in LEADERS for change in READINGS for call in (1, 2, 3)]
FAST = [(OURS, "people", 2), (OURS, "people", 3)]


@pytest.mark.parametrize(("leader", "change", "call"), rest_slow(CASES, FAST.__contains__))
def test_a_killed_training_ends_with_the_same_bits(
    leader: str, change: str, call: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the last checkpoint is of just before a replacement, or of between two of them."""
    config = config_of(leader, replace=0.5, replace_every=8, replace_what=change, evaluate_every=4, evaluate_episodes=6)
    config = dataclasses.replace(config, checkpoint_every=4 if call == 3 else 8)
    train(config, tmp_path / "whole")
    with monkeypatch.context() as patch:
        die_at(patch, training, "save_run_state", call + (call == 3))
        with pytest.raises(Killed):
            train(config, tmp_path / "killed")
    train(config, tmp_path / "killed", resume=True)
    whole, killed = (open_checkpoint(tmp_path / run) for run in ("whole", "killed"))
    for group, tensors in whole.tensors.items():
        for entry, tensor in tensors.items():
            assert torch.equal(tensor, killed.tensors[group][entry]), f"{group}/{entry}"
    rows = [read_metrics(tmp_path / run / METRICS) for run in ("whole", "killed")]
    assert rows[0] == rows[1]
    last = evaluate_run(tmp_path / "whole", 6, seed=WHILE_TRAINING)
    assert rows[0][-1]["evaluation_gain"] == pytest.approx(last.gain.mean(), abs=1e-6)


def test_all_seeds_have_the_same_people_and_scripted_leaders_meet_them(tmp_path: Path) -> None:
    for seed in (0, 1):
        train(config_of(replace=0.5, replace_every=8, seed=seed), tmp_path / "runs" / f"seed{seed}")
    people = [open_run(tmp_path / "runs" / f"seed{seed}", 1, 0)[0].population for seed in (0, 1)]
    same(*people)
    assert (people[0]["preference"] != make(MB, **GAMES).population["preference"]).any()

    def met(**given: Any) -> list[Any]:
        found: list[Any] = []
        reset = LeaderVectorEnv.reset

        def noting(env: LeaderVectorEnv, **settings: Any) -> Any:
            found.append(env.population)
            return reset(env, **settings)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LeaderVectorEnv, "reset", noting)
            paymaster.compare([tmp_path / "runs", "preference"], episodes=4, **given)
        assert len(found) >= 3
        return found

    for one in met():
        same(one, people[0])
    for one in met(parameters={"population_seed": 0}):  # the one they began with
        same(one, people[0])
    for one in met(parameters={"population_seed": 7}):
        same(one, make(MB, population_seed=7, **GAMES).population)
    train(config_of(), tmp_path / "other")
    with pytest.raises(ValueError, match="replace: expected runs whose populations changed alike"):
        paymaster.compare([tmp_path / "runs" / "seed0", tmp_path / "other"], episodes=4)


@pytest.mark.slow
def test_newcomers_are_explored_anew(tmp_path: Path) -> None:
    """Their episodes are counted from 0, those of followers who stay go on."""
    counted = {}
    for change in READINGS:
        train(config_of(ORIGINAL, replace=1.0, replace_every=16, replace_what=change), tmp_path / change)
        counted[change] = int(open_checkpoint(tmp_path / change).tensors["progress"]["of_follower"].sum())
    assert counted == {"people": 3 * 8, "statistics": 3 * 24}  # episodes since the last replacement, and all
    config = config_of(ORIGINAL)
    leader = make_leader(config, make_env(config, 1, 0))
    assert isinstance(leader, OriginalLeader)
    leader._progress.of_follower += 7
    leader.forget_followers(np.array([2, 5]))
    assert leader._progress.of_follower.tolist() == [0 if i in (2, 5) else 7 for i in range(40)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"replace": 0.5}, "replace_every: expected --replace-every E with --replace 0.5, got none"),
        ({"replace_every": 8}, "replace: expected --replace SHARE with --replace-every 8, got none"),
        ({"replace_what": "people"}, "replace_what: expected it only with --replace"),
        ({"replace": 0.5, "replace_every": 10}, "replace_every: expected a multiple of num_envs = 4"),
        ({"replace": 0.001, "replace_every": 8}, "replacement share: expected at least one of 40 members"),
        ({"replace": 1.5, "replace_every": 8}, r"replace: expected a number in \(0, 1\] or null, got 1.5"),
        ({"replace": 0.5, "replace_every": 8, "replace_what": "skills"}, "replace_what: expected one of people, stat"),
    ],
)
def test_trainings_that_make_no_sense_are_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    config = config_of(**changes)
    with pytest.raises(ValueError, match=message):
        train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_followers_that_learn_do_not_change() -> None:
    config = TrainConfig(MB, parameters={"followers": "meta"}, replace=0.5, replace_every=32)
    with pytest.raises(ValueError, match="replace: expected it only with followers that decide by rule, got followers"):
        config.validate()


class TwoRanks(Ranks):
    """A job of two processes, of which this is one."""

    size = 2


def test_several_processes_are_refused() -> None:
    with pytest.raises(ValueError, match="replace: expected one process where the population changes, got 2 ranks"):
        make_parts(config_of(replace=0.5, replace_every=8), TwoRanks())


def test_configurations_hold_it() -> None:
    config = config_of(replace=0.5, replace_every=8)
    assert TrainConfig.from_json(config.to_json()) == config
    assert config.departures["replace"] == 0.5 and config.replacement == Replacement(0.5, 8, "people")
    assert "replace" not in config_of().to_json() and config_of().replacement is None


# ---- M3RL's tests by name


def test_the_tests_are_the_originals() -> None:
    assert len(CHANGE_TESTS) == 4
    for reading, change in (("new-people", "people"), ("cleared-statistics", "statistics")):
        team, skills = CHANGE_TESTS[f"m3rl-team-{reading}"], CHANGE_TESTS[f"m3rl-skills-{reading}"]
        assert team.replacement == Replacement(0.75, 2_000, change)  # type: ignore[arg-type]
        assert (team.during, team.episodes, team.replacement.leaving(4)) == ("evaluation", 10_000, 3)
        assert team.games_of({"num_followers": 4}) == {"population_size": 4, "named_population": "drawn"}
        with pytest.raises(ValueError, match="change_test: expected one of training"):
            team.config_of(TrainConfig(RC))
        assert skills.replacement == Replacement(1.0, 100_000, change)  # type: ignore[arg-type]
        assert (skills.during, skills.episodes) == ("training", 400_000)
        assert skills.replacement.before(skills.episodes) == 3  # four phases
        made = skills.config_of(TrainConfig(RC, leader=ORIGINAL))
        assert made.replacement == skills.replacement and made.episodes == 400_000
        assert made.original.explore_goals == 0.1 and made.original.explore_goals_episodes > 400_000  # throughout
        assert skills.config_of(TrainConfig(RC, leader="ebpg")).original == TrainConfig(RC, leader="ebpg").original
        made.validate()
    with pytest.raises(ValueError, match="change_test: expected one of m3rl-team-new-people, m3rl-team-cleared-stat"):
        change_test("m3rl-skills-new-people", "evaluation")


@pytest.mark.parametrize("reading", ["new-people", "cleared-statistics"])
def test_the_teams_test_on_the_command_line(
    reading: str, runs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run, name = runs[ORIGINAL], f"m3rl-team-{reading}"
    test = CHANGE_TESTS[name]
    assert main(["evaluate", str(run), "--change-test", name, "--episodes", "12", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    team = {"population_size": 3, "named_population": "drawn"}
    assert told == evaluate_run(run, 12, parameters=team, replacement=test.replacement).to_json()
    short = dataclasses.replace(test.replacement, every=4)
    with noted() as seen, pytest.MonkeyPatch.context() as patch:
        patch.setitem(CHANGE_TESTS, name, dataclasses.replace(test, replacement=short, episodes=8))
        assert main(["evaluate", "random", "--task", RC, "--change-test", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["episodes"] == 8
    assert [len(members) for members, *_ in seen] == [3] and len(seen[0][1]["preference"]) == 4


@pytest.mark.slow
def test_the_skills_test_on_the_command_line(tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    args = ["train", RC, "--leader", ORIGINAL, "--change-test", "m3rl-skills-cleared-statistics", "--evaluate", "0"]
    assert main([*args, "--episodes", "6", "--replace-every", "2", "--out", out]) == 0
    stored = read_config(Path(out))
    assert (stored["replace"], stored["replace_every"], stored["replace_what"]) == (1.0, 2, "statistics")
    assert (stored["episodes"], stored["original"]["explore_goals_episodes"]) == (6, 10**9)
    assert main(["train", RC, "--resume", "--episodes", "8", "--evaluate", "0", "--out", out]) == 0
    assert read_config(Path(out))["replace_every"] == 2


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["evaluate", "random", "--task", RC, "--change-test", "none"], "change_test: expected one of m3rl-team-new"),
        (["train", RC, "--change-test", "m3rl-team-new-people"], "change_test: expected one of m3rl-skills-new"),
        (
            ["evaluate", "random", "--task", RC, "--change-test", "m3rl-team-new-people", "--replace", "0.5"],
            "replace: expected it only without --change-test, got 0.5 beside it",
        ),
        (
            ["evaluate", "random", "--task", RC, "--replace", "0.5", "--replace-every", "5", "--replace-what", "all"],
            "replace_what: expected one of people, statistics, got 'all'",
        ),
        (["train", RC, "--resume", "--change-test", "m3rl-skills-new-people"], "change_test: expected none with"),
    ],
)
def test_wrong_options_are_named(args: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert message in error_of(args, capsys)
