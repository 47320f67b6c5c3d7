"""The vector environment: spaces, Gymnasium's conventions, resets, determinism, copies, snapshots, state, books."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import gymnasium.wrappers.vector as wrappers
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import paymaster
from worlds import GRIDS, PARTICLES, TASKS, fitting

RC, MB = "resource_collection", "multi_bonus_resource_collection"
INFO = ("committed", "completed", "payment", "follower_reward", "follower_action")
MODES = tuple(AutoresetMode)

# Few goals close together: most games end before the horizon, at different steps.
SMALL = {"map": "######\n#....#\n#....#\n#....#\n######", "num_resources": 2, "num_followers": 2, "horizon": 11}


def make(task: str = RC, num_envs: int = 3, seed: int = 0, num_threads: int = 1, **options: Any) -> Any:
    """One thread unless said otherwise; finished games stay unless said otherwise."""
    return paymaster.make_vec(task, num_envs, seed, num_threads, **{"autoreset_mode": "Disabled", **options})


def offer_stream(env: Any, steps: int, seed: int = 0, keep: float = 0.85) -> Iterator[NDArray[np.int64]]:
    """Random offers int[B, N, 2], each kept from step to step with probability ``keep``."""
    rng = np.random.default_rng(seed)
    goals, bonuses = env.options["num_goals"] + env.options["abstain"], env.options["num_bonuses"]
    shape = (env.num_envs, env.num_followers)

    def fresh() -> NDArray[np.int64]:
        return np.stack((rng.integers(goals, size=shape), rng.integers(bonuses, size=shape)), axis=-1)

    offers = fresh()
    for _ in range(steps):
        yield offers
        offers = np.where(rng.random((*shape, 1)) < keep, offers, fresh())


def trace(env: Any, steps: int, seed: int = 0) -> list[Any]:
    """Everything that random play from here on gives."""
    return [env.step(offers) for offers in offer_stream(env, steps, seed)]


def leaves(value: Any) -> Iterator[NDArray[Any]]:
    """The arrays in nested dicts, lists, tuples and object arrays."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, np.ndarray) and value.dtype == object:
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from leaves(part)
    elif isinstance(value, np.ndarray):
        yield value


def same(actual: Any, expected: Any) -> None:
    """Equal numbers in equal nesting."""
    np.testing.assert_equal(actual, expected)


def row(value: Any, i: int) -> Any:
    """Game i's part of nested arrays."""
    return {name: row(part, i) for name, part in value.items()} if isinstance(value, dict) else value[i]


# ---- spaces, results


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_followers": 1, "num_resources": 64, "horizon": 1},
        {"num_followers": 16, "num_bonuses": 7, "abstain": True, "noise": 0.5},
        {"num_goals": 8, "payment": "advance", "population_size": 5, "horizon": 40},
        {"num_goals": 1, "skills_per_follower": 1, "num_bonuses": 1},
        {"map": "#" * 40 + "\n" + ("#" + "." * 38 + "#\n") * 3 + "#" * 40, "horizon": 45},
        SMALL,
    ],
    ids=["default", "one follower", "sixteen", "eight goals", "one goal", "wide map", "small"],
)
def test_spaces_contain_what_is_seen_and_done(task: str, options: dict[str, Any]) -> None:
    env = make(task, autoreset_mode=AutoresetMode.SAME_STEP, **fitting(task, options))
    env.action_space.seed(1)
    seen, info = env.reset(seed=5)
    assert info == {}
    n, goals = env.num_followers, env.options["num_goals"]
    assert env.action_space.shape == (3, n, 2)
    assert env.single_action_space.nvec[0].tolist() == [goals + env.options["abstain"], env.options["num_bonuses"]]
    for _ in range(env.options["horizon"] + 2):
        assert env.observation_space.contains(seen)
        assert all(space.shape == seen[name].shape[1:] for name, space in env.single_observation_space.items())
        assert {array.dtype.name for array in seen.values()} == ({"int16"} if task in GRIDS else {"int16", "float32"})
        seen, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert (reward.dtype, terminated.dtype, truncated.dtype) == (np.float64, np.bool_, np.bool_)
        assert reward.shape == terminated.shape == truncated.shape == (3,)
        assert not truncated.any()
        assert {name: (info[name].dtype.name, info[name].shape) for name in INFO} == {
            "committed": ("bool", (3, n)),
            "completed": ("int16", (3, n)),
            "payment": ("float32", (3, n)),
            "follower_reward": ("float32", (3, n)),
            "follower_action": ("int16", (3, n)),
        }
    for name in ("gain", "payments", "incentive", "follower_reward", "events", "length"):
        assert info["totals"][name].shape == (3,)
    assert info["totals"]["completions"].shape == (3, goals)


def test_none_is_an_action_only_where_the_leader_may_abstain() -> None:
    env = make(abstain=True)
    env.reset()
    assert env.action_space.contains(np.full((3, 4, 2), [4, 0]))
    seen, reward, *_, info = env.step(np.full((3, 4, 2), [4, 1]))
    assert (seen["offer"] == -1).all()
    assert not info["committed"].any()
    assert not reward.any()
    assert not make().action_space.contains(np.full((3, 4, 2), [4, 0]))


def test_meanings_name_every_field() -> None:
    env = make()
    seen, _ = env.reset()
    assert list(env.observation_meanings) == list(seen)
    assert set(env.observation_space) == set(seen)
    state = env.state()
    assert list(env.state_meanings) == list(state)
    for name, array in state.items():
        assert env.state_meanings[name].startswith(f"{array.dtype}[")
    assert list(env.state("step", "identity")) == ["step", "identity"]


def test_tasks_are_copies_of_the_presets() -> None:
    first = paymaster.tasks()
    assert {GRIDS[0], MB, "navigation", "predator_prey"} <= {task.name for task in first}
    first[0].parameters["num_followers"] = 9
    assert paymaster.tasks()[0].parameters["num_followers"] == 4
    for task in paymaster.tasks():
        assert make(task.name).options == task.parameters
        assert make(task.name, **task.parameters).options == task.parameters


@pytest.mark.parametrize("mode", MODES)
def test_mode_is_declared(mode: AutoresetMode) -> None:
    for argument in (mode, mode.value):
        env = make(autoreset_mode=argument)
        assert isinstance(env, VectorEnv)
        assert env.metadata["autoreset_mode"] is mode
        assert env.autoreset_mode is mode
    assert paymaster.make_vec(RC).metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP


# ---- Gymnasium's conventions, against its own vector environment of single games


def twins(mode: AutoresetMode, **options: Any) -> tuple[Any, SyncVectorEnv]:
    """Five games of ours, and Gymnasium's of the same games."""
    ours = make(num_envs=5, seed=3, autoreset_mode=mode, **options)
    games = [lambda i=i: paymaster.make(RC, seed=3, index=i, **options) for i in range(5)]
    return ours, SyncVectorEnv(games, autoreset_mode=mode)


def same_info(ours: dict[str, Any], theirs: dict[str, Any], present: NDArray[np.bool_]) -> None:
    """Equal entries for the games in ``present``, the only ones of which Gymnasium's info says something."""
    for name in INFO:
        same(ours[name][present], theirs[name][present])
    for name, values in ours["totals"].items():
        same(values[present], theirs["totals"][name][present])


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_autoreset_as_gymnasium_does_it(mode: AutoresetMode) -> None:
    ours, theirs = twins(mode, **SMALL)
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    same(ours.reset()[0], theirs.reset()[0])
    ended, lengths = np.zeros(5, dtype=np.bool_), set()
    for offers in offer_stream(ours, 60):
        fresh = ended if mode is AutoresetMode.NEXT_STEP else np.zeros(5, dtype=np.bool_)
        *results, info = ours.step(offers)
        *expected, expected_info = theirs.step(offers)
        same(results, expected)
        ended = results[2]
        lengths |= set(info["totals"]["length"][ended].tolist())
        same_step = mode is AutoresetMode.SAME_STEP
        same_info(info, expected_info, ~fresh & ~(ended & same_step))
        assert ("final_obs" in info) == (same_step and ended.any())
        if "final_obs" in info:
            same(info["_final_obs"], expected_info["_final_obs"])
            same(info["final_obs"].tolist(), expected_info["final_obs"].tolist())
            same(info["_final_info"], expected_info["_final_info"])
            same_info(info["final_info"], expected_info["final_info"], ended)
    assert len(lengths) > 3, "the games were to end at different steps"


def test_disabled_autoreset_with_reset_mask_as_gymnasium_does_it() -> None:
    ours, theirs = twins(AutoresetMode.DISABLED, **SMALL)
    same(ours.reset(seed=[4] * 5)[0], theirs.reset(seed=[4] * 5)[0])
    resets = 0
    for offers in offer_stream(ours, 60):
        *results, info = ours.step(offers)
        *expected, expected_info = theirs.step(offers)
        same(results, expected)
        same_info(info, expected_info, np.ones(5, dtype=np.bool_))
        if (ended := results[2]).any():
            got, got_info = ours.reset(options={"reset_mask": ended.copy()})
            same(got, theirs.reset(options={"reset_mask": ended.copy()})[0])
            assert got_info == {}
            resets += 1
    assert resets > 10


def test_next_step_ignores_the_offer_that_only_resets() -> None:
    env = make(autoreset_mode="NextStep", horizon=3)
    env.reset(seed=1)
    offers = np.full((3, 4, 2), [1, 1])
    results = [env.step(offers) for _ in range(4)]
    assert [result[2].tolist() for result in results] == [[False] * 3, [False] * 3, [True] * 3, [False] * 3]
    assert results[2][4]["totals"]["length"].tolist() == [3, 3, 3]
    seen, reward, *_, info = results[3]
    assert not reward.any()
    assert not seen["step"].any()
    assert (seen["offer"] == -1).all()
    assert (info["follower_action"] == -1).all()
    assert not info["committed"].any()
    assert not info["totals"]["length"].any()
    assert env.state("episode")["episode"].tolist() == [1, 1, 1]


def test_same_step_shows_the_next_episode_and_keeps_the_last_observation() -> None:
    env, twin = make(autoreset_mode="SameStep", horizon=3), make(horizon=3)
    env.reset(seed=1)
    twin.reset(seed=1)
    for offers in offer_stream(env, 3):
        seen, reward, terminated, _, info = env.step(offers)
        last, expected, *_, expected_info = twin.step(offers)
    assert terminated.all()
    same(reward, expected)
    same({name: info[name] for name in INFO}, {name: expected_info[name] for name in INFO})
    same(info["totals"], expected_info["totals"])
    same(info["final_obs"].tolist(), [row(last, i) for i in range(3)])
    same(seen, twin.reset()[0])


def test_final_observations_are_in_the_space_of_one_game() -> None:
    env = make(autoreset_mode="SameStep", horizon=2)
    env.reset()
    *_, info = trace(env, 2)[-1]
    assert all(env.single_observation_space.contains(final) for final in info["final_obs"])


def test_finished_game_stays_as_it_is_until_it_is_reset() -> None:
    env = make(horizon=2)
    env.reset(seed=1)
    *_, last = trace(env, 2)
    before = env.snapshot()
    seen, reward, terminated, _, info = env.step(np.zeros((3, 4, 2), dtype=int))
    assert terminated.all()
    assert not reward.any()
    assert (info["completed"] == -1).all()
    assert (info["follower_action"] == -1).all()
    same(seen, last[0])
    same(info["totals"], last[4]["totals"])
    assert env.snapshot() == before


# ---- Gymnasium's wrappers


@pytest.mark.parametrize("mode", MODES)
def test_record_episode_statistics(mode: AutoresetMode) -> None:
    env = wrappers.RecordEpisodeStatistics(make(autoreset_mode=mode, **SMALL))
    env.reset(seed=2)
    ended = 0
    for offers in offer_stream(env.unwrapped, 40):
        *_, terminated, _, info = env.step(offers)
        if terminated.any():
            episode, totals = info["episode"], info["totals"]
            ended += int(terminated.sum())
            same(episode["r"][terminated], totals["gain"][terminated].astype(np.float64))
            same(episode["l"][terminated], totals["length"][terminated])
        if mode is AutoresetMode.DISABLED and terminated.any():
            env.reset(options={"reset_mask": terminated.copy()})
    assert ended == env.episode_count > 6


def test_wrappers_of_observation_reward_and_info() -> None:
    base = make(autoreset_mode="NextStep", horizon=4)
    env = wrappers.DictInfoToList(wrappers.TransformReward(wrappers.FlattenObservation(base), lambda r: 2 * r))
    plain = make(autoreset_mode="NextStep", horizon=4)
    seen, _ = env.reset(seed=3)
    plain.reset(seed=3)
    for offers in offer_stream(base, 9):
        assert env.observation_space.contains(seen)
        seen, reward, terminated, _, info = env.step(offers)
        _, expected, expected_terminated, _, expected_info = plain.step(offers)
        same(reward, 2 * expected)
        same(terminated, expected_terminated)
        same([one["payment"] for one in info], list(expected_info["payment"]))
    only = wrappers.FilterObservation(make(), ["distance", "step"])
    assert list(only.reset()[0]) == ["distance", "step"]
    assert only.observation_space.contains(only.reset()[0])


# ---- reset


def starts(env: Any, episodes: int) -> list[Any]:
    return [env.reset()[0] for _ in range(episodes)]


def test_unseeded_resets_are_episodes_0_1_2_under_the_constructors_seed() -> None:
    first, second, third = starts(make(seed=7), 3)
    again = make(seed=1)
    same(again.reset(seed=7)[0], first)
    same(starts(again, 2), [second, third])
    with np.testing.assert_raises(AssertionError):
        same(first, second)
    env = make(seed=7)
    env.reset()
    trace(env, 5)
    same(env.reset()[0], second)  # also in mid-episode
    assert env.state("episode")["episode"].tolist() == [1, 1, 1]
    same(env.reset(seed=7)[0], first)
    assert env.state("episode")["episode"].tolist() == [0, 0, 0]


def test_list_of_seeds_is_one_a_game() -> None:
    env = make()
    seen, _ = env.reset(seed=[5, 9, 2**64 - 1])
    for i, seed in enumerate((5, 9, 2**64 - 1)):
        same(row(seen, i), paymaster.make(RC, seed=seed, index=i).reset()[0])
    same(env.reset(seed=np.array([5, 9, 5]))[0]["identity"][:2], seen["identity"][:2])
    after = starts(env, 1)
    env.reset(seed=(5, 9, 5))
    same(env.reset(seed=[None, None, None])[0], after[0])  # no seeds: the next episode


def test_reset_mask_restarts_only_the_games_it_names() -> None:
    env, twin = make(), make()
    for each in (env, twin):
        each.reset(seed=4)
        trace(each, 6)
    before = env.state()
    seen, _ = env.reset(options={"reset_mask": np.array([False, True, False])})
    fresh, after = twin.reset()[0], env.state()
    for i, expected in enumerate((before, twin.state(), before)):
        same(row(after, i), row(expected, i))
    same(row(seen, 1), row(fresh, 1))
    assert after["episode"].tolist() == [0, 1, 0]


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_autoreset_goes_through_the_same_episodes(mode: AutoresetMode) -> None:
    env = make(autoreset_mode=mode, horizon=3, num_envs=1)
    seen = [env.reset(seed=8)[0], *(result[0] for result in trace(env, 15))]
    begun = [one for one in seen if one["step"][0] == 0]
    assert len(begun) >= 4
    twin = make(horizon=3, num_envs=1)
    same(begun, [twin.reset(seed=8)[0], *starts(twin, len(begun) - 1)])


def test_a_refused_call_does_not_use_up_the_first_episode() -> None:
    env, twin = make(), make()
    with pytest.raises(ValueError, match="actions"):
        env.step(np.full((3, 4, 2), 99))
    with pytest.raises(ValueError, match="seed"):
        env.reset(seed=-1)
    with pytest.raises(ValueError, match="snapshot"):
        env.restore(b"")
    with pytest.raises(ValueError, match="heading"):
        env.set_state(heading=np.full((3, 4), 9))
    same(env.reset()[0], twin.reset()[0])
    same(env.state(), twin.state())


# ---- determinism


@pytest.mark.parametrize(
    ("task", "mode"),
    [(RC, "NextStep"), (MB, "SameStep"), (TASKS[3], "Disabled"), *((t, "NextStep") for t in PARTICLES)],
)
def test_threads_make_no_difference(task: str, mode: str) -> None:
    """Also with the live table, which all games of the batch share."""
    options = {"noise": 0.2, "horizon": 9, "population_size": 10, "autoreset_mode": mode}
    plays = {}
    for threads in (1, 2, 4):
        env = make(task, num_envs=37, num_threads=threads, **options)
        assert env.num_threads == threads
        plays[threads] = (env.reset(seed=6), trace(env, 40), env.state(), env.statistics.arrays(), env.snapshot())
    assert plays[1][3]["outcome_count"].sum() > 50
    for threads in (2, 4):
        *arrays, snapshot = plays[threads]
        *expected, expected_snapshot = plays[1]
        for values, wanted in zip(leaves(arrays), leaves(expected), strict=True):
            np.testing.assert_array_equal(values, wanted)
        assert snapshot == expected_snapshot


@pytest.mark.parametrize("task", TASKS)
def test_game_i_of_a_batch_is_the_single_game_of_that_index(task: str) -> None:
    batch = make(task, num_envs=6, seed=12, num_threads=2, noise=0.1)
    batch.statistics.frozen = True
    games = [paymaster.make(task, seed=12, index=i, noise=0.1) for i in range(6)]
    for game in games:
        game.batch.statistics.frozen = True
    for episode in range(2):
        seen, _ = batch.reset()
        same([row(seen, i) for i in range(6)], [game.reset()[0] for game in games])
        for offers in offer_stream(batch, 30, seed=episode):
            *results, info = batch.step(offers)
            for i, game in enumerate(games):
                *single, single_info = game.step(offers[i])
                same(single, [row(part, i) for part in results])
                same(single_info, row(info, i))
                same(game.state(), row(batch.state(), i))


def test_a_batch_can_be_split_by_first_index() -> None:
    whole = make(num_envs=7, seed=2, noise=0.3, first_index=100)
    parts = [make(num_envs=b, seed=2, noise=0.3, first_index=i) for i, b in ((100, 3), (103, 4))]
    slices = (slice(0, 3), slice(3, 7))
    for each in (whole, *parts):
        each.statistics.frozen = True
    seen, _ = whole.reset()
    same([part.reset()[0] for part in parts], [{name: v[s] for name, v in seen.items()} for s in slices])
    for offers in offer_stream(whole, 30):
        seen, reward, *_ = whole.step(offers)
        for part, s in zip(parts, slices, strict=True):
            got, got_reward, *_ = part.step(offers[s])
            same(got, {name: v[s] for name, v in seen.items()})
            same(got_reward, reward[s])


def test_same_seed_same_numbers_and_no_others() -> None:
    """Starts of all seeds, games and episodes differ, and each comes back."""
    seen: dict[bytes, tuple[int, int, int]] = {}
    for seed in (0, 1, 2**32, 2**63, 2**64 - 1):
        env = make(num_envs=8, seed=seed)
        for episode in range(5):
            start, _ = env.reset()
            for i in range(8):
                key = b"".join(start[name][i].tobytes() for name in start)
                assert seen.setdefault(key, (seed, i, episode)) == (seed, i, episode)
        same(env.reset(seed=seed)[0], make(num_envs=8, seed=seed).reset()[0])
    assert len(seen) == 5 * 8 * 5


def test_noise_depends_on_seed_index_episode_and_step() -> None:
    env = make(num_envs=4, noise=1.0)
    env.reset(seed=0)
    state = {name: np.repeat(array[:1], 4, axis=0) for name, array in env.state().items() if name != "episode"}
    actions = set()
    for seed in (0, 1):
        env.reset(seed=seed)
        for _ in range(2):
            for step in (0, 1):
                env.set_state(**{**state, "step": np.full(4, step)})
                *_, info = env.step(np.zeros((4, 4, 2), dtype=int))
                actions |= {tuple(played) for played in info["follower_action"].tolist()}
            env.reset()
    assert len(actions) > 20  # of 4 * 2 * 2 * 2 draws from 4 ** 4


# ---- copies


def test_returned_arrays_never_change_afterwards() -> None:
    env = make(autoreset_mode="SameStep", horizon=5, noise=0.2)
    kept: list[Any] = [env.reset(seed=1), env.state(), env.statistics.arrays(), env.population, env.observe()]
    for t, offers in enumerate(offer_stream(env, 12)):
        handed = offers.copy()
        kept.append(env.step(handed))
        same(handed, offers)
        handed[:] = -7  # nor does the environment keep what it was given
        kept.append((env.observe(), env.state(), env.statistics.arrays()))
        if t == 6:
            snapshot = env.snapshot()
    before = [array.copy() for array in leaves(kept)]
    trace(env, 20)
    kept.append(env.restore(snapshot))
    env.set_state(heading=np.zeros((3, 4), dtype=int))
    env.statistics.clear()
    env.reset()
    del env
    gc.collect()
    after = list(leaves(kept))
    assert len(after) > 500
    for array, copy in zip(after, before, strict=False):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("mode", MODES)
def test_without_copies_the_same_arrays_come_again(mode: AutoresetMode) -> None:
    env = make(copy=False, autoreset_mode=mode, horizon=5)
    twin = make(autoreset_mode=mode, horizon=5)
    first, _ = env.reset(seed=1)
    same(first, twin.reset(seed=1)[0])
    for offers in offer_stream(env, 14):
        *results, info = env.step(offers)
        *expected, expected_info = twin.step(offers)
        same(results, expected)
        same({name: info[name] for name in (*INFO, "totals")}, {n: expected_info[n] for n in (*INFO, "totals")})
        assert all(np.shares_memory(first[name], array) for name, array in results[0].items())
        same(first, results[0])
    assert "copy" in paymaster.LeaderVectorEnv.__doc__


# ---- snapshots


def everything(env: Any) -> tuple[Any, ...]:
    return env.state(), env.statistics.arrays(), env.observe()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("task", [RC, *TASKS[3:]])
def test_restored_games_play_on_exactly(task: str, mode: AutoresetMode) -> None:
    options = {"noise": 0.2, "autoreset_mode": mode, "horizon": 13}
    env = make(task, num_envs=5, seed=9, num_threads=2, **options)
    env.reset()
    trace(env, 20)
    snapshot, now = env.snapshot(), everything(env)
    future = [trace(env, 20, seed=1), everything(env), env.reset(), env.snapshot()]
    assert env.snapshot() != snapshot
    for other in (env, make(task, num_envs=5, seed=77, num_threads=4, first_index=50, **options)):
        restored = other.restore(snapshot)
        same(restored, now[2])
        same(everything(other), now)
        assert other.snapshot() == snapshot
        again = [trace(other, 20, seed=1), everything(other), other.reset(), other.snapshot()]
        for values, wanted in zip(leaves(again), leaves(future), strict=True):
            np.testing.assert_array_equal(values, wanted)
        assert again[3] == future[3]


def test_snapshots_go_between_autoreset_modes_and_copy_settings() -> None:
    env = make()
    env.reset(seed=3)
    trace(env, 10)
    snapshot = env.snapshot()
    future = trace(env, 15)
    for mode in MODES:
        other = make(autoreset_mode=mode, copy=False, num_threads=2)
        other.restore(snapshot)
        assert other.snapshot() == snapshot
        for offers, (seen, reward, *_) in zip(offer_stream(other, 15), future, strict=True):
            got, got_reward, *_ = other.step(offers)
            same(got, seen)
            same(got_reward, reward)


def test_snapshot_holds_the_table_and_whether_it_is_frozen() -> None:
    env, other = make(), make()
    env.reset()
    trace(env, 30)
    env.statistics.frozen = True
    other.restore(env.snapshot())
    assert other.statistics.frozen
    same(other.statistics.arrays(), env.statistics.arrays())
    env.statistics.frozen = False
    other.restore(env.snapshot())
    assert not other.statistics.frozen


def test_snapshot_of_a_new_batch_is_followed_by_the_same_reset() -> None:
    env, other = make(seed=1), make(seed=2)
    other.restore(env.snapshot())
    same(other.reset()[0], env.reset()[0])


# ---- state


@settings(max_examples=25, deadline=None)
@given(
    task=st.sampled_from(TASKS),
    steps=st.integers(0, 33),
    seed=st.integers(0, 2**64 - 1),
    noise=st.sampled_from([0, 0.3]),
)
def test_setting_the_state_that_is_changes_nothing(task: str, steps: int, seed: int, noise: float) -> None:
    env = make(task, num_envs=4, noise=noise, abstain=True)
    env.reset(seed=seed)
    trace(env, steps, seed % 1000)
    snapshot, state = env.snapshot(), env.state()
    env.set_state(**state)
    assert env.snapshot() == snapshot
    for name, array in state.items():
        env.set_state(**{name: array})
    assert env.snapshot() == snapshot


@pytest.mark.parametrize("task", [RC, MB])
def test_state_carries_a_game_to_another_batch(task: str) -> None:
    env, other = (make(task, num_envs=4, seed=5, noise=0.2) for _ in range(2))
    env.reset()
    other.reset(seed=5)
    trace(env, 11)
    other.set_state(**env.state())
    other.statistics.set(**env.statistics.arrays())
    same(everything(other), everything(env))
    for (*results, info), (*expected, expected_info) in zip(trace(other, 25), trace(env, 25), strict=True):
        same(results, expected)
        same([info[name] for name in INFO], [expected_info[name] for name in INFO])
    same(everything(other), everything(env))
    same(other.reset()[0], env.reset()[0])


def test_a_field_set_is_the_only_one_that_changes() -> None:
    env = make()
    env.reset(seed=1)
    trace(env, 8)
    before = env.state()
    changes: dict[str, Any] = {
        "identity": np.array([[11, 12, 13, 14]] * 3),
        "skill": ~before["skill"],
        "preference": (before["preference"] + 1) % 4,
        "reservation": np.full((3, 4), 2.5),
        "action": np.full((3, 4), 2),
        "completed": np.full((3, 4), 3),
        "step": np.full(3, 29),
        "episode": np.full(3, 2**62),
        "heading": (before["heading"] + 1) % 4,
        "resource_type": 3 - before["resource_type"],
        "resource_claimant": np.full((3, 10), 2),
    }
    for name, value in changes.items():
        env.set_state(**before)
        env.set_state(**{name: value})
        same(env.state(), {**before, name: value})
    env.set_state(**before)
    env.set_state(step=np.full(3, 30))  # the horizon: `done` follows
    same(env.state(), {**before, "step": np.full(3, 30), "done": np.ones(3, dtype=np.bool_)})


def test_state_set_is_what_is_observed_and_played() -> None:
    env = make()
    env.reset(seed=1)
    env.set_state(resource_present=np.zeros((3, 10), dtype=np.bool_))
    seen = env.observe()
    assert (seen["resource_type"] == -1).all()
    assert (seen["distance"] == -1).all()
    assert not seen["available"].any()
    assert env.state("done")["done"].all()
    _, reward, terminated, *_ = env.step(np.zeros((3, 4, 2), dtype=int))
    assert terminated.all()
    assert not reward.any()


# ---- the books: payments, rewards, and what holds in every state


@pytest.mark.parametrize("payment", ["completion", "advance"])
@pytest.mark.parametrize(
    ("task", "options"),
    [(RC, {"goal_reward": 2.5}), (MB, {"abstain": True, "noise": 0.2}), (RC, {**SMALL, "num_resources": 6})],
    ids=["own goal reward", "abstain and noise", "small"],
)
def test_payments_add_up(task: str, options: dict[str, Any], payment: str) -> None:
    env = make(task, num_envs=16, payment=payment, **options)
    env.reset(seed=3)
    w = options.get("goal_reward", min(env.options["num_bonuses"] + 1, 5))
    assert env.goal_reward == w
    sums: dict[str, Any] = dict.fromkeys(("gain", "payments", "incentive", "follower_reward", "events", "length"), 0)
    counts, before, completions = np.zeros((16, env.options["num_goals"]), dtype=int), env.state(), 0
    for offers in offer_stream(env, 30):
        _, reward, terminated, _, info = env.step(offers)
        after = env.state()
        played, done = ~before["done"], info["completed"] >= 0
        price = np.where(after["offer"][..., 0] >= 0, after["offer"][..., 1] + 1.0, 0.0)
        new = (after["offer"] != before["offer"]).any(-1) | ~before["contract_running"]
        due = done if payment == "completion" else info["committed"] & new
        same(info["payment"], np.where(due, price, 0.0))
        same(reward, w * done.sum(-1) - info["payment"].astype(np.float64).sum(-1))
        own = reached_own(before, after)
        same(info["follower_reward"], info["payment"] + np.where(own, after["reservation"], 0.0))
        assert (info["completed"][done] == after["offer"][..., 0][done]).all()
        changed = (after["offer"] != before["offer"]).any(-1) | (before["step"] == 0)[:, None]
        sums = {
            "gain": sums["gain"] + reward,
            "payments": sums["payments"] + info["payment"].sum(-1),
            "incentive": sums["incentive"] + np.where(done, price, 0.0).sum(-1),
            "follower_reward": sums["follower_reward"] + info["follower_reward"].sum(-1),
            "events": sums["events"] + (changed & played[:, None]).sum(-1),
            "length": sums["length"] + played,
        }
        np.add.at(counts, (np.nonzero(done)[0], info["completed"][done]), 1)
        for name, total in sums.items():
            np.testing.assert_allclose(info["totals"][name], total, rtol=1e-6, err_msg=name)
        same(info["totals"]["completions"], counts)
        same(info["totals"]["length"], after["step"])
        same(terminated, after["done"])
        completions += int(done.sum())
        before = after
    assert completions > 10


def reached_own(before: Any, after: Any) -> NDArray[np.bool_]:
    """Followers that removed a resource of the type they prefer, bool[B, N]."""
    gone = before["resource_present"] & ~after["resource_present"]
    own = np.zeros(before["identity"].shape, dtype=np.bool_)
    for game, i in np.argwhere(gone):
        digger = after["resource_claimant"][game, i]
        own[game, digger] |= before["resource_type"][game, i] == before["preference"][game, digger]
    return own


@settings(max_examples=12, deadline=None)
@given(
    task=st.sampled_from(GRIDS),
    seed=st.integers(0, 2**32),
    followers=st.integers(1, 8),
    walls=st.integers(0, 2**32),
    noise=st.sampled_from([0.0, 0.5, 1.0]),
    keep=st.sampled_from([0.0, 0.9]),
)
def test_invariants_of_any_play(task: str, seed: int, followers: int, walls: int, noise: float, keep: float) -> None:
    wall = np.random.default_rng(walls).random((9, 8)) < 0.2
    wall[[0, -1], :] = wall[:, [0, -1]] = True
    text = "\n".join("".join(" #"[int(cell)] for cell in line) for line in wall)
    env = make(task, num_envs=4, map=text, num_followers=followers, num_resources=8, noise=noise, horizon=25)
    seen, _ = env.reset(seed=seed)
    before = env.state()
    check_state(before, seen, wall)
    for offers in offer_stream(env, 26, seed % 100, keep):
        seen, *_, info = env.step(offers)
        after = env.state()
        check_state(after, seen, wall)
        claimed = before["resource_claimant"] >= 0
        assert (after["resource_claimant"] == before["resource_claimant"])[claimed].all(), "a claim is for good"
        assert not (after["resource_present"] & ~before["resource_present"]).any()
        assert (after["resource_claimant"][before["resource_present"] & ~after["resource_present"]] >= 0).all()
        moved = np.abs(after["position"] - before["position"]).sum(-1)
        assert (moved == (moved > 0)).all()
        assert (info["follower_action"][moved > 0] == 0).all()
        same(after["identity"], before["identity"])
        before = after


def check_state(state: Any, seen: Any, wall: NDArray[np.bool_]) -> None:
    """What holds in every state of a game, and what the leader sees of it."""
    for b in range(len(state["step"])):
        game = row(state, b)
        present = game["resource_present"]
        cells = [tuple(cell) for cell in [*game["position"].tolist(), *game["resource_position"][present].tolist()]]
        assert len(set(cells)) == len(cells), "two in a cell"
        assert not any(wall[cell] for cell in cells), "in a wall"
        assert len(set(game["identity"].tolist())) == len(game["identity"])
        free = present & (game["resource_claimant"] < 0)
        same(seen["available"][b], np.bincount(game["resource_type"][free], minlength=seen["available"].shape[1]))
        assert game["done"] == (not present.any() or game["step"] == 25)
    assert (state["committed"] >= state["contract_running"]).all()
    assert (state["contract_age"] <= state["step"][:, None]).all()
    assert (state["contract_age"][~state["contract_running"]] == 0).all()
    assert (state["offer"][state["committed"]] >= 0).all()
    here = state["resource_present"]
    same(seen["resource_type"], np.where(here, state["resource_type"], -1))
    same(seen["resource_claimant"], np.where(here, state["resource_claimant"], -1))
    same(seen["resource_position"], np.where(here[..., None], state["resource_position"], -1))
    for name in ("identity", "position", "heading", "offer", "committed", "contract_running", "contract_age", "step"):
        same(seen[name], state[name])
