"""Followers who leave the population for others: who goes, what stays, and when it may happen."""

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
from paymaster.cli import main
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.experiments.config import TaskConfig, TrainConfig
from paymaster.experiments.evaluate import EVALUATION_SEED, evaluate_reference, evaluate_run
from paymaster.experiments.replacement import Replacement
from paymaster.experiments.train import train
from play import MB, MODES, RC, make, same, trace
from worlds import TASKS

LEAVING = [3, 39, 0, 17]
STAYING = [i for i in range(40) if i not in LEAVING]


def ended(task: str = MB, **options: Any) -> Any:
    """A batch all of whose games have been played to their end."""
    env = make(task, horizon=12, **options)
    env.reset()
    trace(env, 12)
    assert env.state("done")["done"].all()
    return env


# ---- LeaderVectorEnv.replace_followers


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("frozen", [False, True])
def test_new_traits_and_an_empty_row_for_those_who_come_nothing_new_for_the_others(task: str, frozen: bool) -> None:
    env = ended(task, num_envs=100)
    before, table = env.population, env.statistics.arrays()
    assert all(table["acceptance_count"].sum(axis=(1, 2))[LEAVING] > 0)
    env.statistics.frozen = frozen
    games = env.state()
    env.replace_followers(LEAVING, seed=5)
    drawn = make(task, population_seed=5).population
    for name, traits in env.population.items():
        same(traits[STAYING], before[name][STAYING])
        same(traits[LEAVING], drawn[name][LEAVING])
    assert any((drawn[name][LEAVING] != before[name][LEAVING]).any() for name in drawn)
    for name, entries in env.statistics.arrays().items():
        same(entries[STAYING], table[name][STAYING])
        assert not entries[LEAVING].any()
    same(env.state(), games)
    assert env.statistics.frozen is frozen


def test_next_episodes_are_those_of_the_new_population() -> None:
    """Everything that follows is what follows in games made with this population, whatever the number of threads."""
    env = ended(num_threads=1)
    env.replace_followers(LEAVING, 5)
    snapshot = env.snapshot()
    for threads in (1, 3):
        twin = make(MB, seed=99, num_threads=threads, population=env.population, **env.options)
        twin.restore(snapshot)
        same(twin.reset(), env.reset())
        same(trace(twin, 12), trace(env, 12))
        assert twin.snapshot() == env.snapshot()
        env.restore(snapshot)
    everybody = env.population
    observation, _ = env.reset()
    for name, traits in env.state("skill", "preference", "reservation").items():
        same(traits, everybody[name][observation["identity"]])


def test_threads_do_not_matter() -> None:
    def snapshots(threads: int) -> list[bytes]:
        env, out = make(MB, 30, num_threads=threads, horizon=7), []
        for number in range(4):
            env.reset()
            trace(env, 7, seed=number)
            env.replace_followers([number, 20 + number], seed=number)
            out.append(env.snapshot())
        return out

    assert snapshots(1) == snapshots(2) == snapshots(5)


@pytest.mark.parametrize("mode", MODES)
def test_games_never_reset_are_those_made_with_the_new_population(mode: str) -> None:
    env = make(MB, autoreset_mode=mode)
    env.replace_followers(LEAVING, 5)
    twin = make(MB, autoreset_mode=mode, population=env.population)
    assert env.snapshot() == twin.snapshot()
    for each in (env, twin):
        trace(each, 35)  # without a reset, too
    assert env.snapshot() == twin.snapshot()


def test_a_population_that_was_given_gets_members_as_the_task_draws_them() -> None:
    given_skill = np.ones((6, 4), dtype=bool)
    env = make(RC, population={"skill": given_skill, "preference": [0] * 6, "reservation": [7.5] * 6})
    env.replace_followers([2, 5], 3)
    assert env.population["skill"].sum(axis=1).tolist() == [4, 4, 3, 4, 4, 3]
    assert env.population["reservation"].tolist() == [7.5, 7.5, 1, 7.5, 7.5, 1]


def test_all_or_none_may_leave() -> None:
    env = ended()
    before, snapshot = env.population, env.snapshot()
    env.replace_followers([], 5)
    assert env.snapshot() == snapshot
    env.replace_followers(np.arange(40, dtype=np.uint8), 5)
    same(env.population, make(MB, population_seed=5).population)
    assert not any(array.any() for array in env.statistics.arrays().values())
    env.replace_followers(range(40), 0)
    same(env.population, before)


def test_a_snapshot_belongs_to_its_population() -> None:
    env = ended()
    snapshot = env.snapshot()
    env.replace_followers([1], 5)
    now = env.snapshot()
    with refused(ValueError, "snapshot"):
        env.restore(snapshot)
    assert env.snapshot() == now
    env.restore(now)


@pytest.mark.parametrize(
    ("identities", "seed", "error", "name", "came"),
    [
        ([40], 0, ValueError, "identities", "40"),
        ([1, -1], 0, ValueError, "identities", "-1"),
        (np.array([2**63], dtype=np.uint64), 0, ValueError, "identities", str(2**63)),
        ([3, 4, 3], 0, ValueError, "identities", "3 twice"),
        ([[1, 2]], 0, ValueError, "identities", "(1, 2)"),
        (3, 0, ValueError, "identities", "()"),
        ([[1], [2, 3]], 0, ValueError, "identities", "different lengths"),
        ([1.0], 0, TypeError, "identities", "float64"),
        ([True], 0, TypeError, "identities", "bool"),
        (["1"], 0, TypeError, "identities", "<U1"),
        (None, 0, ValueError, "identities", "()"),
        ([1, None], 0, TypeError, "identities", "object"),
        ([1], -1, ValueError, "seed", "-1"),
        ([1], 2**63, ValueError, "seed", str(2**63)),
        ([1], 1.0, TypeError, "seed", "float"),
        ([1], True, TypeError, "seed", "bool"),
        ([1], None, TypeError, "seed", "NoneType"),
    ],
)
def test_impossible_replacements(identities: Any, seed: Any, error: Any, name: str, came: str) -> None:
    env = ended()
    people, before = env.population, env.snapshot()
    with refused(error, name, came):
        env.replace_followers(identities, seed)
    same(env.population, people)
    assert env.snapshot() == before


def test_nobody_leaves_in_the_middle_of_an_episode() -> None:
    env = make(RC, 2, autoreset_mode="Disabled", horizon=3)
    env.reset()
    for step in range(3):
        before = env.snapshot()
        with refused(ValueError, "replace_followers", f"game 0 at step {step} of episode 0"):
            env.replace_followers([1], 0)
        assert env.snapshot() == before
        trace(env, 1)
    env.reset(options={"reset_mask": np.array([False, True])})
    with refused(ValueError, "replace_followers", "game 1 at step 0 of episode 1"):
        env.replace_followers([1], 0)
    trace(env, 3)
    env.replace_followers([1], 0)


# ---- Replacement: the share and the period


class Ledger:
    """Stands in for an environment's replacements and plays nothing: what was asked of it, round by round."""

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
    options = {"horizon": 1, "population_size": 12}
    with pytest.MonkeyPatch.context() as patch:
        ledger = Ledger(patch)
        result = evaluate_reference(
            "preference", RC, episodes, seed, options, replacement=Replacement(members / 12, every)
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
    options = TaskConfig(horizon=10, num_followers=3)
    train(TrainConfig(MB, episodes=64, num_envs=16, hidden=8, options=options), out)
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
                "paymaster.experiments.setup.make_vec",
                lambda task, games, seed, **options: make_vec(task, games, seed, threads, **options),
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
    options = {"horizon": 10, "num_followers": 3}
    for name in ("full_information", "random"):
        told(name, lambda name=name: evaluate_reference(name, MB, 45, 3, options, replacement=QUARTER))
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
        lambda: evaluate_reference("random", MB, 20, replacement=nobody),
    ):
        with refused(ValueError, "replacement share", "0.01 (0.4)"):
            evaluate()


def test_on_the_command_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changing = ["--episodes", "30", "--replace", "0.25", "--replace-every", "10", "--json"]
    assert main(["evaluate", str(run), "--population-seed", "3", *changing]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == evaluate_run(run, 30, options={"population_seed": 3}, replacement=QUARTER).to_json()
    assert main(["evaluate", "preference", "--task", MB, *changing]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == evaluate_reference("preference", MB, 30, replacement=QUARTER).to_json()


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["--strangers"], "strangers: expected a run directory with --strangers, got reference leader 'random'"),
        (["--greedy"], "greedy: expected a run directory with --greedy, got reference leader 'random'"),
        (["--replace", "0.25"], "replace_every: expected --replace-every E with --replace 0.25, got none"),
        (["--replace-every", "5"], "replace: expected --replace SHARE with --replace-every 5, got none"),
        (["--replace", "nan", "--replace-every", "5"], "replacement share: expected a share of the population in (0"),
        (["--replace", "0.01", "--replace-every", "5"], "replacement share: expected at least one of 40 members, got"),
        (["--replace", "0.5", "--replace-every", "0"], "replacement every: expected a value in [1, "),
    ],
)
def test_errors_on_the_command_line(args: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "random", "--task", RC, "--episodes", "10", *args]) == 2
    assert capsys.readouterr().err.startswith(f"paymaster: error: {error}")


def test_render_refuses_greedy_for_a_reference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "film.gif")
    assert main(["render", "random", "--task", RC, "--greedy", "--out", out]) == 2
    assert "greedy: expected a run directory with --greedy, got reference leader 'random'" in capsys.readouterr().err
