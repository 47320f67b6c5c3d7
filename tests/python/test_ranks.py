"""Several ranks learn as one: gradients, metrics, statistics, games. Here ranks are threads (`thread_ranks`).

One long file, because all parts need the same ranks.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import paymaster.training.train as training
from paymaster import make_vec
from paymaster.algorithms import EBPG, LEADERS, EBPGConfig
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.followers import FollowerActorCritic, FollowerEpisodes, FollowerLearning
from paymaster.algorithms.process_group import SINGLE_PROCESS, Ranks, join_ranks
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.networks import LeaderConfig
from paymaster.networks.follower_policy import FollowerConfig
from paymaster.training.config import TrainConfig
from paymaster.training.merged_history import MergedStatistics, _contribution, _merged
from paymaster.training.run_state import RunParts, gather_state, restore_state
from paymaster.training.setup import make_rank_env
from rest_slow import rest_slow
from signal_game import LEADER, B, T, padded, play
from thread_ranks import ThreadRanks, together

TASK = "resource_collection"


def part_of(episodes: Episodes, begin: int, end: int) -> Episodes:
    """Games begin..end-1, up to the end of the longest of them, as a rank that plays them sees them."""
    steps = int(episodes.valid[:, begin:end].any(1).sum())
    arrays = {f.name: getattr(episodes, f.name) for f in fields(episodes)}
    whole = ("goal_reward", "price", "explore")
    cut = {name: array[:steps, begin:end] for name, array in arrays.items() if name not in whole and array is not None}
    return replace(episodes, **cut)


def gradient(network: nn.Module) -> Tensor:
    return torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])


def parameters(network: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def leader_and_config(name: str) -> tuple[LeaderConfig, EBPGConfig]:
    """Of that name, for the signal game."""
    kind = LEADERS[name]
    return kind.sized(LEADER), replace(kind.untuned, learning_rate=3e-3)


@pytest.mark.parametrize(
    ("name", "norm"),
    rest_slow(
        ((name, norm) for name in LEADERS for norm in (1e-3, 1e3)),
        lambda case: (list(LEADERS).index(case[0]) % 2 == 0) == (case[1] < 1),  # each leader once, each norm with some
    ),
)
def test_ranks_with_a_share_of_the_games_learn_as_one_with_all(name: str, norm: float) -> None:
    """Gradient and metrics of two, and of four, on one batch of episodes of many lengths."""
    leader, config = leader_and_config(name)
    config = replace(config, max_gradient_norm=norm, epochs=1)
    lengths = torch.randint(1, T + 1, (B,), generator=torch.Generator().manual_seed(1))
    lengths[: B // 4] = 2  # the first quarter ends before the others
    explore = 0.2
    episodes = padded(play(EBPG(leader, config), torch.Generator().manual_seed(2), explore=explore), lengths, 0, 3)
    alone = EBPG(leader, config)
    metrics = alone.update(episodes, 0.3)
    whole = gradient(alone.network)

    for size in (2, 4):
        learners = [EBPG(leader, config) for _ in range(size)]

        def learn(ranks: Ranks, learners: list[EBPG] = learners) -> tuple[Tensor, dict[str, float]]:
            one = learners[ranks.rank]
            one.ranks = ranks
            games = B // ranks.size
            reported = one.update(part_of(episodes, ranks.rank * games, (ranks.rank + 1) * games), 0.3)
            return gradient(one.network), reported

        results = together(size, learn)
        for summed, reported in results:
            assert torch.equal(summed, results[0][0])
            assert (summed - whole).norm() < 1e-6 * whole.norm()
            assert list(reported) == list(metrics)
            assert reported == pytest.approx(metrics, rel=2e-5, abs=1e-6)


def test_ranks_stay_equal_over_clipped_epochs() -> None:
    """To the bit, update after update, each with games of its own."""
    leader, config = leader_and_config("ebpg-expiring")
    learners = [EBPG(leader, config) for _ in range(2)]

    def learn(ranks: Ranks) -> Tensor:
        one = learners[ranks.rank]
        one.ranks = ranks
        generator = torch.Generator().manual_seed(ranks.rank)
        for _ in range(3):
            one.update(play(one, generator))
        return parameters(one.network)

    one, other = together(2, learn)
    assert torch.equal(one, other)
    assert not torch.equal(one, parameters(EBPG(leader, config).network))


NETWORK = FollowerConfig(population=6, num_goals=3, num_actions=4, meta=True, own_features=2, goal_features=2, hidden=8)


def lived(acts: Tensor) -> FollowerEpisodes:
    steps, games, n = acts.shape
    generator = torch.Generator().manual_seed(4)
    return FollowerEpisodes(
        own=torch.randn(steps, games, n, 2, generator=generator),
        goal=torch.randn(steps, games, n, 3, 2, generator=generator),
        identity=torch.stack([torch.randperm(6, generator=generator)[:n] for _ in range(games)]),
        action=torch.randint(0, 4, (steps, games, n), generator=generator),
        reward=torch.randn(steps, games, n, generator=generator),
        acts=acts,
        explore=0.1,
    )


@pytest.mark.parametrize("identities", ["embedded", "separate"])
@pytest.mark.parametrize("idle", [False, True], ids=["all-act", "a-rank-without"])
def test_followers_learn_on_ranks_as_on_one(identities: Any, idle: bool) -> None:
    """Also where none of one rank's followers acted at all."""
    acts = torch.arange(5)[:, None, None] < torch.randint(1, 6, (8, 3), generator=torch.Generator().manual_seed(5))
    if idle:
        acts[:, 4:] = False
    episodes, learning = lived(acts), FollowerLearning(epochs=1, max_gradient_norm=1e3)
    network = replace(NETWORK, identities=identities)
    alone = FollowerActorCritic(network, learning)
    metrics = alone.update(episodes)
    learners = [FollowerActorCritic(network, learning) for _ in range(2)]

    def learn(ranks: Ranks) -> tuple[Tensor, dict[str, float]]:
        one = learners[ranks.rank]
        one.ranks = ranks
        half = slice(4 * ranks.rank, 4 * ranks.rank + 4)
        cut = {
            f.name: getattr(episodes, f.name)[:, half]
            for f in fields(episodes)
            if f.name not in ("identity", "explore")
        }
        reported = one.update(replace(episodes, identity=episodes.identity[half], **cut))
        return gradient(one.network), reported

    whole = gradient(alone.network)
    for summed, reported in together(2, learn):
        assert (summed - whole).norm() < 1e-6 * whole.norm()
        assert reported == pytest.approx(metrics, rel=1e-5, abs=1e-6)


def games_of(ranks: Ranks) -> LeaderVectorEnv:
    """This rank's share of 8."""
    return make_rank_env(TrainConfig(TASK, num_envs=8, seed=7), ranks)


def play_randomly(env: LeaderVectorEnv, seed: int) -> dict[str, np.ndarray]:
    """One episode of every game; its first observation."""
    rng = np.random.default_rng(seed)
    observation, _ = env.reset()
    first = {name: values.copy() for name, values in observation.items()}
    ended = np.zeros(env.num_envs, dtype=bool)
    while not ended.all():
        _, _, ended, _, _ = env.step(rng.integers(0, [4, 2], (env.num_envs, 4, 2)))
    return first


def test_tables_are_the_same_on_all_ranks_after_a_merge() -> None:
    """Twice; counts are exact, and an entry that one rank alone has tried is that rank's."""

    def work(ranks: Ranks) -> list[tuple[dict[str, np.ndarray], ...]]:
        env = games_of(ranks)
        merged, tables = MergedStatistics(env.statistics, ranks), []
        for number in range(2):
            before = env.statistics.arrays()
            play_randomly(env, 10 * ranks.rank + number)
            after = env.statistics.arrays()
            merged.merge()
            tables.append((before, after, env.statistics.arrays()))
        return tables

    one, other = together(2, work)
    for (before, mine, merged), (also_before, theirs, also_merged) in zip(one, other, strict=True):
        for name, values in merged.items():
            assert np.array_equal(values, also_merged[name]) and np.array_equal(before[name], also_before[name])
        for average, count in (("acceptance", "acceptance_count"), ("outcome", "outcome_count")):
            new = [table[count] - before[count] for table in (mine, theirs)]
            assert np.array_equal(merged[count], before[count] + new[0] + new[1])
            for own, others, table in ((new[0], new[1], mine), (new[1], new[0], theirs)):
                only = (own > 0) & (others == 0)
                assert only.any()
                np.testing.assert_allclose(merged[average][only], table[average][only], atol=1e-6)
            assert np.array_equal(merged[average][new[0] + new[1] == 0], before[average][new[0] + new[1] == 0])
        ours, others = (table["completion"] != before["completion"] for table in (mine, theirs))
        curve = merged["completion"]
        np.testing.assert_allclose(curve[ours & ~others], mine["completion"][ours & ~others], atol=1e-6)
        np.testing.assert_allclose(curve[others & ~ours], theirs["completion"][others & ~ours], atol=1e-6)
        assert np.array_equal(curve[~ours & ~others], before["completion"][~ours & ~others])
        both = ours & others
        assert both.any()
        low, high = (f(mine["completion"], theirs["completion"])[both] for f in (np.minimum, np.maximum))
        assert (curve[both] >= low - 1e-6).all() and (curve[both] <= high + 1e-6).all()


def test_trials_of_one_outcome_merge_to_what_one_table_would_hold() -> None:
    """Three trials on one rank and four on the other, all accepted: seven in a row."""
    env = make_vec(TASK, 1, 0, 1)
    before = env.statistics.arrays()
    before["acceptance"][0, 0, 0] = 0.2

    def after(trials: int) -> dict[str, np.ndarray]:
        table = {name: values.copy() for name, values in before.items()}
        for _ in range(trials):
            table["acceptance"][0, 0, 0] += np.float32(0.1) * (1 - table["acceptance"][0, 0, 0])
            table["acceptance_count"][0, 0, 0] += 1
        return table

    parts = [_contribution(before, after(trials)) for trials in (3, 4)]
    merged = _merged(before, {name: parts[0][name] + parts[1][name] for name in parts[0]})
    for name, values in after(7).items():
        np.testing.assert_allclose(merged[name], values, atol=1e-6)
        assert merged[name].dtype == values.dtype


def test_the_table_of_one_rank_stays_as_it_is() -> None:
    """To the bit; the merge's formula, were it applied, would leave it but for rounding."""
    env = games_of(SINGLE_PROCESS)
    merged, before = MergedStatistics(env.statistics, SINGLE_PROCESS), env.statistics.arrays()
    play_randomly(env, 1)
    after = env.statistics.arrays()
    merged.merge()
    for name, values in env.statistics.arrays().items():
        assert np.array_equal(values, after[name])
    for name, values in _merged(before, _contribution(before, after)).items():
        np.testing.assert_allclose(values, after[name], atol=1e-6)


@pytest.mark.parametrize(("then", "now"), [(1, 2), (2, 1), (2, 4), (4, 2), (2, 2)])
def test_another_number_of_ranks_goes_on_with_the_same_games(then: int, now: int) -> None:
    """Saved by some ranks, restored by others: the next episodes, the table, and the draws of ranks that were there."""

    def whole() -> LeaderVectorEnv:
        return games_of(SINGLE_PROCESS)

    def parts_of(ranks: Ranks) -> RunParts:
        nobody: Any = None
        return RunParts(nobody, games_of(ranks), torch.Generator().manual_seed(7), None, ranks, whole)

    def save(ranks: Ranks) -> Any:
        parts = parts_of(ranks)
        env = parts.env
        parts.own_draws(7, 0)
        merged = MergedStatistics(env.statistics, ranks)
        for number in range(2):
            play_randomly(env, 10 * ranks.rank + number)
            torch.rand(3, generator=parts.generator)
        merged.merge()
        state, table, games = gather_state(parts), env.statistics.arrays(), env.state()
        return state, table, games, play_randomly(env, 0), torch.rand(3, generator=parts.generator)

    def load(ranks: Ranks) -> Any:
        parts = parts_of(ranks)
        parts.own_draws(7, 16)
        restore_state(state, parts)
        env, table, games = parts.env, parts.env.statistics.arrays(), parts.env.state()
        return None, table, games, play_randomly(env, 0), torch.rand(3, generator=parts.generator)

    saved = together(then, save) if then > 1 else [save(SINGLE_PROCESS)]
    state = saved[0][0]
    assert all(result[0] is None for result in saved[1:])
    loaded = together(now, load) if now > 1 else [load(SINGLE_PROCESS)]
    for name, values in saved[0][1].items():
        assert all(np.array_equal(result[1][name], values) for result in loaded)
    for part in (2, 3):  # the games as they stood, and as their next episodes begin
        for name in saved[0][part]:
            old, new = (np.concatenate([result[part][name] for result in results]) for results in (saved, loaded))
            assert np.array_equal(old, new), name
    draws = [result[4] for result in loaded]
    for rank in range(min(then, now)):
        assert torch.equal(draws[rank], saved[rank][4])
    assert len({tuple(drawn.tolist()) for drawn in draws}) == now


def two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes `train` believe in a second rank, which it must not come to wait for."""
    monkeypatch.setattr(training, "join_ranks", lambda _: nullcontext(ThreadRanks(0, 2, None, [])))  # type: ignore[arg-type]


def test_games_that_cannot_be_shared_out_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    two(monkeypatch)
    with pytest.raises(ValueError, match=r"^num_envs: expected a multiple of the 2 ranks, .* got 7$"):
        training.train(TrainConfig(TASK, num_envs=7), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_leader_that_knows_no_ranks_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "docs" / "examples")
    two(monkeypatch)
    with pytest.raises(TypeError, match=r"^leader: on 2 ranks expected one with an attribute ranks.* got a OwnLeader"):
        training.train(TrainConfig(TASK, num_envs=8), tmp_path / "run", leader="own_leader:OwnLeader")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("device", "timeout", "error"),
    [
        (torch.device("cuda", 1), "20", r"^device: expected 'auto', 'cpu' or 'cuda' with 2 ranks, .* got 'cuda:1'"),
        (torch.device("cpu"), "soon", r"^PAYMASTER_RANK_TIMEOUT: expected seconds above 0 .* got 'soon'"),
        (torch.device("cpu"), "-1", r"^PAYMASTER_RANK_TIMEOUT: expected seconds above 0 .* got '-1'"),
    ],
)
def test_bad_jobs_are_refused_before_ranks_are_waited_for(
    monkeypatch: pytest.MonkeyPatch, device: torch.device, timeout: str, error: str
) -> None:
    for name, value in {"RANK": "0", "WORLD_SIZE": "2", "PAYMASTER_RANK_TIMEOUT": timeout}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=error), join_ranks(device):
        pass


def test_one_rank_joins_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With torchrun or without."""
    for environment in ({}, {"RANK": "0", "WORLD_SIZE": "1"}):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with join_ranks(torch.device("cpu")) as ranks:
            assert ranks is SINGLE_PROCESS
    assert not torch.distributed.is_initialized()
