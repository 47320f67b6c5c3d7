"""Evaluation in a population whose members leave for others: the share, the period, the same for every leader."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import paymaster
from hostile import refused
from paymaster.analysis.evaluate import evaluate_run, evaluate_scripted
from paymaster.commands.main import main
from paymaster.envs.replacement import Replacement
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.training.config import TrainConfig
from paymaster.training.seeds import EVALUATION_SEED
from paymaster.training.train import train
from play import MB, RC, make, same

# ---- Replacement: the share and the period


class Ledger:
    """Notes rounds and replacements as an evaluation asks for them, and lets them happen."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rounds: list[int] = []
        self.played = 0
        self.replaced: list[tuple[int, list[int], int]] = []
        replace, reset = LeaderVectorEnv.replace_followers, LeaderVectorEnv.reset

        def note_replacement(env: LeaderVectorEnv, identities: NDArray[np.int64], seed: int) -> None:
            self.replaced.append((self.played, list(map(int, identities)), seed))
            replace(env, identities, seed)

        def note_round(env: LeaderVectorEnv, **given: Any) -> Any:
            self.rounds.append(env.num_envs)
            self.played += env.num_envs
            return reset(env, **given)

        monkeypatch.setattr(LeaderVectorEnv, "replace_followers", note_replacement)
        monkeypatch.setattr(LeaderVectorEnv, "reset", note_round)


@settings(max_examples=40, deadline=None)
@given(
    every=st.integers(1, 40),
    episodes=st.integers(1, 60),
    members=st.integers(1, 12),
    seed=st.integers(0, 2**40),
)
def test_share_and_period_are_exact(every: int, episodes: int, members: int, seed: int) -> None:
    """Before episodes E, 2 E, ... and at no other time; so many members each time, no one twice."""
    parameters = {"horizon": 1, "population_size": 12}
    with pytest.MonkeyPatch.context() as patch:
        ledger = Ledger(patch)
        result = evaluate_scripted(
            "preference", RC, episodes, seed, parameters, replacement=Replacement(members / 12, every)
        )
    assert result.episodes == episodes
    assert [played for played, _, _ in ledger.replaced] == list(range(every, episodes, every))
    assert all(len(set(who)) == len(who) == members for _, who, _ in ledger.replaced)
    assert all(games <= 10 and every % games == 0 for games in ledger.rounds)


@given(share=st.floats(0, 1, exclude_min=True), size=st.integers(1, 10_000))
def test_the_nearest_whole_number_of_members_leaves(share: float, size: int) -> None:
    leaving = Replacement(share, 50).leaving(size)
    assert 0 <= leaving <= size
    assert abs(leaving - share * size) <= 0.5


@given(most=st.integers(1, 30), every=st.integers(1, 500))
def test_rounds_fit_the_period_and_are_as_large_as_can_be(most: int, every: int) -> None:
    games = Replacement(0.5, every).round_of(most)
    assert games == max(d for d in range(1, most + 1) if every % d == 0)


def test_leavers_are_drawn_anew_and_from_everybody() -> None:
    draws = [Replacement(0.25, 50).draw(40, 7, number) for number in range(1, 200)]
    assert all(len(set(who.tolist())) == 10 for who, _ in draws)
    assert len({tuple(who.tolist()) for who, _ in draws}) == len({seed for _, seed in draws}) == len(draws)
    often = np.bincount(np.concatenate([who for who, _ in draws]), minlength=40)
    assert abs(often / len(draws) - 0.25).max() < 0.15  # 5 standard deviations
    again = Replacement(0.25, 50).draw(40, 7, 1)
    same((again[0].tolist(), again[1]), (draws[0][0].tolist(), draws[0][1]))
    assert Replacement(0.25, 50).draw(40, 8, 1)[0].tolist() != draws[0][0].tolist()


@pytest.mark.parametrize(
    ("share", "every", "error", "name", "came"),
    [
        (0.0, 50, ValueError, "replacement share", "0.0"),
        (-0.25, 50, ValueError, "replacement share", "-0.25"),
        (1.01, 50, ValueError, "replacement share", "1.01"),
        (float("nan"), 50, ValueError, "replacement share", "nan"),
        (float("inf"), 50, ValueError, "replacement share", "inf"),
        ("all", 50, TypeError, "replacement share", "str"),
        (True, 50, TypeError, "replacement share", "bool"),
        (0.25, 0, ValueError, "replacement every", "0"),
        (0.25, -5, ValueError, "replacement every", "-5"),
        (0.25, 2.5, TypeError, "replacement every", "float"),
        (0.25, None, TypeError, "replacement every", "NoneType"),
    ],
)
def test_impossible_shares_and_periods(share: Any, every: Any, error: Any, name: str, came: str) -> None:
    with refused(error, name, came):
        Replacement(share, every)


# ---- evaluation


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run in a task where it matters who the followers are."""
    out = tmp_path_factory.mktemp("runs") / "run"
    parameters = {"horizon": 10, "num_followers": 3}
    train(TrainConfig(MB, episodes=64, num_envs=16, hidden=8, parameters=parameters), out)
    return out


QUARTER = Replacement(0.25, 10)


def test_before_the_first_replacement_nothing_differs_and_after_it_all_is_reproducible(run: Path) -> None:
    strangers = evaluate_run(run, 40, strangers=True)
    replaced = evaluate_run(run, 40, replacement=QUARTER)
    same(replaced.gain[:10], strangers.gain[:10])
    assert (replaced.gain[10:] != strangers.gain[10:]).any()
    same(evaluate_run(run, 40, replacement=QUARTER, strangers=True).to_json(), replaced.to_json())
    assert evaluate_run(run, 40, 1, replacement=QUARTER).to_json() != replaced.to_json()


def test_evaluation_does_not_depend_on_threads(run: Path) -> None:
    def evaluated(threads: int) -> dict[str, Any]:
        with pytest.MonkeyPatch.context() as patch:
            make_vec = paymaster.make_vec
            patch.setattr(
                "paymaster.training.setup.make_vec",
                lambda task, games, seed, _, **parameters: make_vec(task, games, seed, threads, **parameters),
            )
            return evaluate_run(run, 40, replacement=QUARTER).to_json()

    assert evaluated(1) == evaluated(3)


def test_a_trained_and_a_reference_leader_meet_the_same_followers(run: Path) -> None:
    met: dict[str, list[Any]] = {}
    reset = LeaderVectorEnv.reset

    def told(name: str, play: Any) -> None:
        met[name] = []

        def noted(env: LeaderVectorEnv, **given: Any) -> Any:
            out = reset(env, **given)
            met[name].append((env.state(), env.population))
            return out

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LeaderVectorEnv, "reset", noted)
            play()

    told("trained", lambda: evaluate_run(run, 45, 3, replacement=QUARTER))
    parameters = {"horizon": 10, "num_followers": 3}
    for name in ("full_information", "random"):
        told(name, lambda name=name: evaluate_scripted(name, MB, 45, 3, parameters, replacement=QUARTER))
        same(met[name], met["trained"])
    assert len(met["trained"]) == 5
    populations = [people for _, people in met["trained"]]
    first = make(MB, population_seed=0).population
    same(populations[0], first)
    for number, (old, new) in enumerate(itertools.pairwise(populations), start=1):
        members, seed = QUARTER.draw(40, 3 + EVALUATION_SEED, number)
        drawn = make(MB, population_seed=seed).population
        for name in old:
            wanted = old[name].copy()
            wanted[members] = drawn[name][members]
            same(new[name], wanted)


def test_statistics_begin_empty_and_go_with_those_who_leave(run: Path) -> None:
    seen: list[tuple[Any, Any]] = []
    replace = LeaderVectorEnv.replace_followers

    def noted(env: LeaderVectorEnv, identities: Any, seed: int) -> None:
        before = env.statistics.arrays()
        replace(env, identities, seed)
        seen.append((before, env.statistics.arrays()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LeaderVectorEnv, "replace_followers", noted)
        evaluate_run(run, 30, replacement=QUARTER)
    assert len(seen) == 2
    trials = seen[0][0]["acceptance_count"].sum()
    assert 0 < trials <= 10 * 10 * 3, "of these ten episodes of ten steps, and not of the training run"
    for number, (before, after) in enumerate(seen, start=1):
        members, _ = QUARTER.draw(40, EVALUATION_SEED, number)
        for name in before:
            wanted = before[name].copy()
            wanted[members] = 0
            same(after[name], wanted)


def test_a_share_of_nobody_is_refused(run: Path) -> None:
    nobody = Replacement(0.01, 10)
    for evaluate in (
        lambda: evaluate_run(run, 20, replacement=nobody),
        lambda: evaluate_scripted("random", MB, 20, replacement=nobody),
    ):
        with refused(ValueError, "replacement share", "0.01 (0.4)"):
            evaluate()


def test_on_the_command_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changing = ["--episodes", "30", "--replace", "0.25", "--replace-every", "10", "--json"]
    assert main(["evaluate", str(run), "--population-seed", "3", *changing]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == evaluate_run(run, 30, parameters={"population_seed": 3}, replacement=QUARTER).to_json()
    assert main(["evaluate", "preference", "--task", MB, *changing]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == evaluate_scripted("preference", MB, 30, replacement=QUARTER).to_json()


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["--strangers"], "strangers: expected a run directory with --strangers, got scripted leader 'random'"),
        (["--greedy"], "greedy: expected a run directory with --greedy, got scripted leader 'random'"),
        (["--replace", "0.25"], "replace_every: expected --replace-every E with --replace 0.25, got none"),
        (["--replace-every", "5"], "replace: expected --replace SHARE with --replace-every 5, got none"),
        (["--replace", "nan", "--replace-every", "5"], "replace: expected a number in (0, 1], got nan"),
        (["--replace", "0.01", "--replace-every", "5"], "replacement share: expected at least one of 40 members, got"),
        (
            ["--replace", "0.5", "--replace-every", "0"],
            "replace_every: expected a whole number in [1, 1,000,000,000], got 0",
        ),
    ],
)
def test_errors_on_the_command_line(args: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "random", "--task", RC, "--episodes", "10", *args]) == 2
    assert capsys.readouterr().err.startswith(f"paymaster: error: {error}")


def test_render_refuses_greedy_for_a_reference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "film.gif")
    assert main(["render", "random", "--task", RC, "--greedy", "--out", out]) == 2
    assert "greedy: expected a run directory with --greedy, got scripted leader 'random'" in capsys.readouterr().err
