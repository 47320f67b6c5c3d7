"""Several seeds that learn at once learn what each learns alone: weights, offers, metrics, run directories.

One long file, because every part is held against the same runs of single seeds.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from paymaster.algorithms import EBPG, LEADERS
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.leader_stack import LeaderStack
from paymaster.algorithms.packed_steps import PackedSteps
from paymaster.commands.main import main
from paymaster.networks.draws import SeedDraws
from paymaster.networks.seed_recurrence import _Recurrence, recur_seeds
from paymaster.play.rollout import Rollout
from paymaster.play.seed_games import SeedGames
from paymaster.reproduction.specs import Arm, train_config
from paymaster.storage.checkpoint import episode_of, latest_checkpoint, list_checkpoints, load_checkpoint
from paymaster.storage.metrics_file import read_metrics
from paymaster.storage.run_directory import RunDirectoryError
from paymaster.training.config import TaskConfig, TrainConfig
from paymaster.training.setup import make_env, make_leader
from paymaster.training.train import train
from paymaster.training.train_seeds import train_seeds
from rest_slow import rest_slow
from signal_game import LEADER, B, T, padded, play

TASK = "resource_collection"
S = 3
SMALL = TrainConfig(TASK, episodes=24, num_envs=4, checkpoint_every=8, hidden=8, seed=3)


def parameters(network: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def gradients(network: nn.Module, seed: int | None = None) -> Tensor:
    return torch.cat([(p.grad if seed is None else p.grad[seed]).flatten() for p in network.parameters()])


def config_of(name: str, regime: str) -> TrainConfig:
    """Return a run of that regime, with few games and epochs; more games for one leader, which has most to pad."""
    usual = train_config(Arm("RC completion", name, regime), 0, 1_000)
    learner = dataclasses.replace(usual.learner, epochs=min(usual.learner.epochs, 2))
    most = 16 if name == "ebpg-expiring" else 5
    return dataclasses.replace(usual, num_envs=min(usual.num_envs, most), learner=learner)


def alone(config: TrainConfig, dtype: torch.dtype = torch.float32) -> tuple[Rollout, EBPG]:
    env = make_env(config, config.num_envs, config.seed)
    leader = make_leader(config, env)
    assert isinstance(leader, EBPG)
    leader.network.to(dtype)
    return Rollout(env, leader, torch.Generator().manual_seed(config.seed)), leader


def together(configs: list[TrainConfig], dtype: torch.dtype = torch.float32) -> tuple[Rollout, LeaderStack]:
    each = [alone(config, dtype) for config in configs]
    games = SeedGames([rollout.env for rollout, _ in each])
    stack = LeaderStack([leader for _, leader in each])
    return Rollout(games, stack, SeedDraws([rollout.generator for rollout, _ in each], games.playing)), stack


def in_double(episodes: Episodes) -> Episodes:
    changed = {
        field.name: value.double()
        for field in dataclasses.fields(episodes)
        if isinstance(value := getattr(episodes, field.name), Tensor) and value.dtype == torch.float32
    }
    return dataclasses.replace(episodes, **changed)


CASES = list(itertools.product(LEADERS, ("ours", "paper")))
COVERING = {
    *itertools.product(("ebpg", "ebpg-expiring"), ("ours", "paper")),
    ("m3rl", "ours"),
    ("fixed-interval", "ours"),
}


@pytest.mark.parametrize(("name", "regime"), rest_slow(CASES, COVERING.__contains__))
def test_each_seed_learns_what_it_learns_alone(name: str, regime: str) -> None:
    """Offers drawn to the bit while the weights are the same, gradients and metrics of one update to rounding.

    Not the weights in float32: Adam scales a gradient that is zero but for rounding up to a step. See the next test.
    """
    usual = config_of(name, regime)
    configs = [dataclasses.replace(usual, seed=seed) for seed in (5, 6, 7)]
    one_step = [dataclasses.replace(one, learner=dataclasses.replace(one.learner, epochs=1)) for one in configs]
    rollout, stack = together(one_step)
    for part in range(2):
        episodes, totals = rollout.play(explore=0.1)
        assert episodes is not None
        if part == 0:
            first = episodes
    games = usual.num_envs
    metrics = stack.update(first, 0.3)
    for seed, config in enumerate(one_step):
        own_rollout, leader = alone(config)
        here = slice(seed * games, (seed + 1) * games)
        for expected in (first, episodes):
            own, own_totals = own_rollout.play(explore=0.1)
            assert own is not None
            valid = expected.valid[:, here]
            assert not valid[own.num_steps :].any()
            assert torch.equal(valid[: own.num_steps], own.valid)
            for field in ("follower", "offer", "new_offer", "explored", "payment"):
                ours, theirs = getattr(expected, field)[: own.num_steps, here], getattr(own, field)
                assert torch.equal(ours[own.valid], theirs[own.valid]), field
            if expected is first:
                kept = own
        assert (totals.gain[here] == own_totals.gain).all()
        alone_metrics = leader.update(kept, 0.3)
        assert list(metrics[seed]) == list(alone_metrics)
        assert metrics[seed] == pytest.approx(alone_metrics, rel=1e-4, abs=1e-5)
        theirs = gradients(leader.network)
        # A unit at its kink, within rounding, may switch one step's part of the gradient on or off.
        assert (gradients(stack.network, seed) - theirs).norm() < 2e-3 * theirs.norm()


@pytest.mark.parametrize(("name", "regime"), rest_slow(CASES, COVERING.__contains__))
def test_weights_after_an_update_in_double_precision(name: str, regime: str) -> None:
    """All epochs; with the optimiser's own state, from which one seed then goes on alone."""
    usual = config_of(name, regime)
    configs = [dataclasses.replace(usual, seed=seed) for seed in (5, 6)]
    episodes = [alone(config)[0].play(explore=0.1)[0] for config in configs]
    steps = max(one.num_steps for one in episodes if one is not None)
    whole = together(configs)[0].play(explore=0.1)[0]
    assert whole is not None and whole.num_steps == steps
    _, stack = together(configs, torch.float64)
    again = [leader for _, leader in (alone(config, torch.float64) for config in configs)]
    for _ in range(2):
        stack.update(in_double(whole), 0.3)
        stack.share_optimizers()
        for leader, mine, own in zip(again, stack.leaders, episodes, strict=True):
            assert own is not None
            leader.update(in_double(own), 0.3)
            assert (parameters(leader.network) - parameters(mine.network)).abs().max() < 1e-8
            for ours, theirs in zip(mine.optimizer.state.values(), leader.optimizer.state.values(), strict=True):
                assert ours["step"] == theirs["step"]
                assert torch.allclose(ours["exp_avg"], theirs["exp_avg"], rtol=1e-7, atol=1e-12)
    for leader, mine, own in zip(again, stack.leaders, episodes, strict=True):
        assert own is not None
        leader.update(in_double(own))
        mine.update(in_double(own))
        assert (parameters(leader.network) - parameters(mine.network)).abs().max() < 1e-8


@pytest.mark.parametrize("name", LEADERS)
def test_what_stands_in_steps_not_played_changes_nothing(name: str) -> None:
    """Gradients of seeds with episodes of other lengths than their neighbours', with noise behind them."""
    kind = LEADERS[name]

    def leaders() -> list[EBPG]:
        config = dataclasses.replace(kind.untuned, epochs=1)
        return [EBPG(kind.sized(LEADER), config, seed=seed) for seed in range(2)]

    generator = torch.Generator().manual_seed(1)
    played = [play(leader, generator, explore=0.2) for leader in leaders()]
    lengths = [torch.randint(1, T + 1, (B,), generator=generator), torch.full((B,), 2)]
    results = []
    for noise in (1, 2):
        cut = [padded(one, length, 2, noise) for one, length in zip(played, lengths, strict=True)]
        joined = {
            field.name: torch.cat([getattr(one, field.name) for one in cut], dim=1)
            for field in dataclasses.fields(Episodes)
            if field.name not in ("goal_reward", "price", "explore")
        }
        stack = LeaderStack(leaders())
        metrics = stack.update(dataclasses.replace(cut[0], **joined))
        results.append((metrics, stack))
        for seed, (leader, own) in enumerate(zip(leaders(), cut, strict=True)):
            assert metrics[seed] == pytest.approx(leader.update(own), rel=1e-4, abs=1e-5)
            theirs = gradients(leader.network)
            # A unit at its kink, within rounding, may switch one step's part of the gradient on or off.
        assert (gradients(stack.network, seed) - theirs).norm() < 2e-3 * theirs.norm()
    assert torch.equal(parameters(results[0][1].network), parameters(results[1][1].network))


def test_packed_for_each_seed_and_back() -> None:
    """Values of the steps played return to where they were; others do not count."""
    valid = torch.arange(4)[:, None] < torch.tensor([3, 1, 2, 4])
    episode = play(EBPG(LEADERS["ebpg"].sized(LEADER), seed=0), torch.Generator().manual_seed(0))
    cut = {
        field.name: getattr(episode, field.name)[:4, :4]
        for field in dataclasses.fields(Episodes)
        if field.name not in ("goal_reward", "price", "explore", "valid")
    }
    episodes = dataclasses.replace(episode, **cut, valid=valid)
    steps = PackedSteps.of_seeds(episodes, 2)
    assert steps.batch_sizes.tolist() == [2, 2, 1, 1]
    assert steps.played is not None and steps.played.squeeze(-1).sum(1).tolist() == [4, 6]
    assert steps.step.flatten().tolist() == [0, 0, 1, 1, 2, 3]
    values = torch.randn(4, 4, 2)
    packed = steps.pack(values)
    assert torch.equal(steps.unpack(packed, valid.shape)[valid], values[valid])
    for seed, games in enumerate((slice(0, 2), slice(2, 4))):
        mean = values[:, games][valid[:, games]].mean()
        assert float(steps.mean(packed)[seed]) == pytest.approx(float(mean), abs=1e-6)


def test_the_recurrence_for_cuda_is_that_of_the_cpu() -> None:
    """Values and gradients of one batched operation a step, in double precision."""
    generator = torch.Generator().manual_seed(0)
    shapes = ((S, 12, 5), (S, 12, 4), (S, 12), (S, 12))
    arrays = [torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True) for shape in shapes]
    x = torch.randn(S, 9, 2, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    start = torch.randn(S, 4, 2, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    sizes, weigh = torch.tensor([4, 3, 2]), torch.randn(S, 9, 2, 4, generator=generator, dtype=torch.float64)
    wanted = (x, start, *arrays)
    here = recur_seeds(arrays, x, start, sizes)
    given = torch.baddbmm(arrays[2].unsqueeze(1), x.flatten(1, 2), arrays[0].mT)
    there = _Recurrence.apply(given, start.flatten(1, 2), arrays[1], arrays[3], (sizes * 2).tolist()).view(here.shape)
    assert torch.allclose(here, there, atol=1e-12)
    for one, other in zip(*(torch.autograd.grad((h * weigh).sum(), wanted) for h in (here, there)), strict=True):
        assert torch.allclose(one, other, atol=1e-12)


# --- run directories ---------------------------------------------------------------------------------------------


def train_all(config: TrainConfig, outs: list[Path], *, resume: bool = False) -> list[TrainConfig]:
    """Its seed and those after it."""
    configs = [dataclasses.replace(config, seed=config.seed + number) for number in range(len(outs))]
    return train_seeds(configs, outs, resume=resume)


def outs_in(path: Path, config: TrainConfig = SMALL) -> list[Path]:
    return [path / f"seed{config.seed + number}" for number in range(S)]


def assert_equal_runs(one: Path, other: Path) -> None:
    """To the bit."""
    assert (one / "metrics.jsonl").read_bytes() == (other / "metrics.jsonl").read_bytes()
    left, right = (load_checkpoint(latest_checkpoint(run)).tensors for run in (one, other))
    assert left.keys() == right.keys()
    for group, entries in left.items():
        for name, tensor in entries.items():
            assert torch.equal(tensor, right[group][name]), f"{group}/{name}"


@pytest.fixture(scope="module")
def stacked(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three seeds in one go."""
    outs = outs_in(tmp_path_factory.mktemp("stacked"))
    train_all(SMALL, outs)
    return outs


def test_run_directories_are_those_of_single_runs(stacked: list[Path], tmp_path: Path) -> None:
    """Files, configuration, names and shapes in the checkpoint; the games, while weights still agree."""
    for number, out in enumerate(stacked):
        config = dataclasses.replace(SMALL, seed=SMALL.seed + number)
        single = tmp_path / f"single{number}"
        train(config, single)
        assert (single / "config.json").read_bytes() == (out / "config.json").read_bytes()
        rows, theirs = read_metrics(out / "metrics.jsonl"), read_metrics(single / "metrics.jsonl")
        assert [list(row) for row in rows] == [list(row) for row in theirs]
        assert rows[0] == pytest.approx(theirs[0], rel=1e-4, abs=1e-5)
        ours, expected = (load_checkpoint(latest_checkpoint(run)) for run in (out, single))
        assert (
            dataclasses.replace(ours.header, metrics=expected.header.metrics) == expected.header
        )  # rows agree up to rounding
        assert ours.tensors.keys() == expected.tensors.keys()
        for group, entries in expected.tensors.items():
            assert {name: t.shape for name, t in ours.tensors[group].items()} == {
                name: t.shape for name, t in entries.items()
            }


def test_same_seeds_same_numbers_and_interrupted_or_not(stacked: list[Path], tmp_path: Path) -> None:
    """Of a learner for whom nothing falls over the length of the training, in two parts."""
    steady = dataclasses.replace(
        SMALL, learner=dataclasses.replace(SMALL.learner, entropy_end=1.0, learning_rate_end=1.0)
    )
    whole, parts, again = (outs_in(tmp_path / name) for name in ("whole", "parts", "again"))
    train_all(steady, whole)
    train_all(dataclasses.replace(steady, episodes=12), parts)
    configs = train_all(TrainConfig(TASK, episodes=24, seed=SMALL.seed), parts, resume=True)
    assert configs[1] == dataclasses.replace(steady, seed=SMALL.seed + 1)
    train_all(SMALL, again)
    for number in range(S):
        assert_equal_runs(whole[number], parts[number])
        assert_equal_runs(stacked[number], again[number])


def test_alone_and_together_go_on_from_each_other(tmp_path: Path) -> None:
    """Single runs in a stack; then one of them alone, as if it had been so all the time, up to rounding."""
    outs = outs_in(tmp_path)
    for number, out in enumerate(outs):
        train(dataclasses.replace(SMALL, seed=SMALL.seed + number, episodes=16), out)
    train_all(TrainConfig(TASK, episodes=24, seed=SMALL.seed), outs, resume=True)
    train(TrainConfig(TASK, episodes=32), outs[1], resume=True)
    rows = [read_metrics(out / "metrics.jsonl") for out in outs]
    assert [len(each) for each in rows] == [6, 8, 6]
    assert [row["episode"] for row in rows[1]] == list(range(4, 33, 4))
    next(path for path in list_checkpoints(outs[1]) if episode_of(path) == 24).unlink()
    with pytest.raises(ValueError, match=r"^resume: expected checkpoints of the same episode .* 32 in .*seed4; .*24"):
        train_all(TrainConfig(TASK, episodes=40, seed=SMALL.seed), outs, resume=True)


@pytest.mark.slow
def test_killed_and_resumed_equals_unbroken(tmp_path: Path) -> None:
    """kill -9 at some moment, twice; and once between the checkpoints of two seeds."""
    config = dataclasses.replace(SMALL, episodes=160, checkpoint_every=16)
    whole, outs = outs_in(tmp_path / "whole"), outs_in(tmp_path / "killed")
    train_all(config, whole)
    command = [
        sys.executable,
        "-m",
        "paymaster.commands.main",
        "train",
        TASK,
        "--seeds",
        str(S),
        "--seed",
        "3",
        "--evaluate",
        "0",
    ]
    command += ["--out", str(tmp_path / "killed")]
    first = ["--episodes", "160", "--num-envs", "4", "--checkpoint-every", "16", "--hidden", "8"]
    for lines, extra in ((10, first), (22, ["--resume"])):
        with subprocess.Popen([*command, *extra], stdout=subprocess.DEVNULL) as process:
            deadline, last = time.monotonic() + 120, outs[-1] / "metrics.jsonl"
            while not last.exists() or last.read_bytes().count(b"\n") < lines:
                assert process.poll() is None, "the run ended before it could be killed"
                assert time.monotonic() < deadline
                time.sleep(0.002)
            os.kill(process.pid, signal.SIGKILL)
    behind = list_checkpoints(outs[1])
    if len(behind) > 1:
        behind[-1].unlink()  # as if it had been killed before this one was written
    train_all(TrainConfig(TASK, seed=3), outs, resume=True)
    for one, other in zip(whole, outs, strict=True):
        assert_equal_runs(one, other)


def test_killed_while_it_began(tmp_path: Path) -> None:
    """With one directory not made yet, and the first checkpoint of one seed alone."""
    whole, outs = outs_in(tmp_path / "whole"), outs_in(tmp_path / "torn")
    config = dataclasses.replace(SMALL, episodes=8)
    train_all(config, whole)
    train_all(config, outs)
    shutil.rmtree(outs[2])
    latest_checkpoint(outs[1]).unlink()
    train_all(TrainConfig(TASK, seed=SMALL.seed), outs, resume=True)
    for one, other in zip(whole, outs, strict=True):
        assert_equal_runs(one, other)


def test_what_makes_no_sense_creates_nothing(stacked: list[Path], tmp_path: Path) -> None:
    learning = dataclasses.replace(SMALL, parameters=TaskConfig(followers="meta"))
    with pytest.raises(ValueError, match=r"^seeds: expected followers that decide by rule, got followers 'meta'"):
        train_all(learning, outs_in(tmp_path))
    with pytest.raises(ValueError, match=r"^seeds: expected at least 1, got 0"):
        train_all(SMALL, [])
    with pytest.raises(ValueError, match=r"^seed: expected a whole number in"):
        train_all(dataclasses.replace(SMALL, seed=2**63 - 2), outs_in(tmp_path))
    with pytest.raises(RunDirectoryError, match=r"holds a run already"):
        train_all(SMALL, [tmp_path / "new", stacked[1]])
    with pytest.raises(RunDirectoryError, match=r"expected a run directory"):
        train_all(SMALL, outs_in(tmp_path), resume=True)
    assert not list(tmp_path.iterdir())


def test_runs_that_differ_in_more_than_the_seed_are_refused(tmp_path: Path) -> None:
    outs = [tmp_path / "one", tmp_path / "other"]
    for number, out in enumerate(outs):
        train(dataclasses.replace(SMALL, seed=number, episodes=8, hidden=8 + number), out)
    with pytest.raises(
        ValueError, match=r"^seeds: expected runs that differ in nothing but their seed, got hidden 8 in"
    ):
        train_all(TrainConfig(TASK), outs, resume=True)


def test_ranks_do_not_take_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match=r"^seeds: expected one process, got 2 ranks"):
        train_all(SMALL, outs_in(tmp_path))


@pytest.mark.slow
def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    quick = ["--episodes", "8", "--num-envs", "4", "--hidden", "8", "--seeds", "2"]
    assert main(["train", TASK, *quick, "--seed", "1", "--evaluate", "4"]) == 0
    printed = capsys.readouterr().out
    assert "2 seeds at once" in printed and "trained, seed 2" in printed and "full_information" in printed
    for seed in (1, 2):
        run = tmp_path / "runs" / f"{TASK}-ebpg-expiring-num_envs=4-hidden=8-seed{seed}"
        assert (run / "learning_curve.png").exists()
        assert main(["evaluate", str(run), "--episodes", "4"]) == 0
    assert main(["train", TASK, *quick, "--out", "here", "--evaluate", "0"]) == 0
    assert (
        main(["train", TASK, "--seeds", "2", "--out", "here", "--resume", "--episodes", "12", "--evaluate", "0"]) == 0
    )
    assert [len(read_metrics(Path(f"here/seed{seed}/metrics.jsonl"))) for seed in (0, 1)] == [3, 3]
    capsys.readouterr()
    for wrong in ("0", "-1"):
        assert main(["train", TASK, "--seeds", wrong]) == 2
        assert f"seeds: expected a whole number in [1, 1,000], got {wrong}" in capsys.readouterr().err
