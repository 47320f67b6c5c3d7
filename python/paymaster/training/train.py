"""The training loop, on one page."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch

from paymaster.algorithms.process_group import Ranks, join_ranks
from paymaster.algorithms.protocol import LeaderAlgorithm, LearnsOnRanks
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.networks.torch_defaults import threads_of_torch, usual_torch
from paymaster.play.episode import EpisodeTotals
from paymaster.play.rollout import Rollout
from paymaster.storage.checkpoint import list_checkpoints
from paymaster.storage.run_directory import RunDirectory
from paymaster.training.allocator import keep_freed_memory
from paymaster.training.config import TrainConfig
from paymaster.training.divergence import naming_divergence
from paymaster.training.merged_history import MergedStatistics
from paymaster.training.progress import TrainingProgress
from paymaster.training.run_state import RunParts, load_run_state, save_run_state
from paymaster.training.setup import (
    choose_device,
    make_env,
    make_followers,
    make_leader,
    make_rank_env,
    stored_config,
)
from paymaster.validation.finite import check_metrics

__all__ = ["make_parts", "train"]


def train(
    config: TrainConfig,
    out: Path,
    *,
    resume: bool = False,
    given: Collection[str] | None = None,
    on_start: Callable[[int], None] | None = None,
    leader: Callable[[TrainConfig, LeaderVectorEnv], LeaderAlgorithm] = make_leader,
) -> TrainConfig:
    """Trains a leader in ``out``; the same configuration gives the same numbers, interrupted or not.

    Settings of torch that the program around it has changed (default dtype and device, autocast, threads, generators)
    are left as found and change no number. Only glibc's malloc is told, for good, to reuse freed memory.

    Under torchrun, with R ranks, each plays its share of the games and all learn together; rank 0 alone writes. Then
    the same configuration and the same R give the same numbers.

    Args:
        config: what to train. With ``resume`` the stored run's, but for what :meth:`TrainConfig.resumed_from` allows.
        out: the run directory. It comes to hold `config.json`, `metrics.jsonl`, TensorBoard events and checkpoints.
        resume: continue the run that is there, from its last checkpoint; with draws begun anew if it was on the CPU
            and goes on on a GPU, or the other way round.
        given: with ``resume``, names of the configuration's fields that count (:meth:`TrainConfig.resumed_from`).
        on_start: is called once, with the number of episodes done so far, when nothing can be refused any more and
            before the first step; under torchrun on rank 0 alone.
        leader: makes the leader for the games it is given. One of your own (``docs/examples/own_leader.py``) takes from
            the configuration what it likes; the ``paymaster`` command knows only ours.

    Returns:
        The configuration trained with.

    Raises:
        ValueError: a configuration that makes no sense, a damaged checkpoint.
        TypeError: on several ranks, a leader that does not learn on ranks.
        RunDirectoryError: ``out`` holds another run, or cannot be written.
        RankError: another rank has ended or hangs.
        DivergenceError: a loss, gradient, weight or gain is NaN or infinite; the last checkpoint is as it was.
    """
    if resume:
        config = config.resumed_from(stored_config(out), given)
    config.validate()
    keep_freed_memory()
    with usual_torch(), threads_of_torch(1), join_ranks(choose_device(config.device)) as ranks:
        parts = make_parts(config, leader, ranks)
        with _run_directory(config, out, ranks, resume=resume) as run:
            ranks.wait()  # until the run directory is tidy
            done = load_run_state(out, config.seed, parts) if resume and list_checkpoints(out) else 0
            if resume and run is not None:
                _take_up(run, config, done)
            if on_start is not None and ranks.rank == 0:
                on_start(done)
            _training_loop(config, out, run, parts, done)
    return config


def _take_up(run: RunDirectory, config: TrainConfig, done: int) -> None:
    """Makes a run directory ready to go on from a checkpoint of ``done`` episodes: its rows, its configuration.

    Raises:
        ValueError: the configuration has fewer episodes than the checkpoint, and is not the stored one.
        RunDirectoryError: the directory cannot be written.
    """
    if config.episodes < done and config.episodes != run.stored.config["episodes"]:
        raise ValueError(
            f"episodes: expected at least the {done} that {run.path} has trained on, got {config.episodes}"
        )
    run.truncate_metrics(done)
    run.change_config(config.to_json(), done)


def make_parts(
    config: TrainConfig, leader: Callable[[TrainConfig, LeaderVectorEnv], LeaderAlgorithm], ranks: Ranks
) -> RunParts:
    """All with initial weights, which are the same on all ranks; draws, which are not."""
    env = make_rank_env(config, ranks)
    learner, followers = leader(config, env), make_followers(config, env)
    if ranks.size > 1:
        if not isinstance(learner, LearnsOnRanks):
            raise TypeError(
                f"leader: on {ranks.size} ranks expected one with an attribute ranks, by which to add up its gradients "
                f"(paymaster.algorithms.protocol.LearnsOnRanks), got a {type(learner).__name__} without"
            )
        learner.ranks = ranks
        if followers is not None:
            followers.followers.ranks = ranks
    generator = torch.Generator(learner.device).manual_seed(config.seed)
    parts = RunParts(learner, env, generator, followers, ranks, lambda: make_env(config, config.num_envs, config.seed))
    if ranks.rank > 0:  # rank 0 draws as a run of one process
        parts.own_draws(config.seed, 0)
    return parts


def _run_directory(
    config: TrainConfig, out: Path, ranks: Ranks, *, resume: bool
) -> AbstractContextManager[RunDirectory | None]:
    """The run's on rank 0, which alone writes; elsewhere None."""
    if ranks.rank > 0:
        return nullcontext()
    return RunDirectory.resume(out) if resume else RunDirectory.create(out, config.to_json())


def _training_loop(config: TrainConfig, out: Path, run: RunDirectory | None, parts: RunParts, done: int) -> None:
    """Trains a leader to the end.

    Args:
        config: what to train.
        out: the run directory.
        run: the same, to write to; None on ranks other than 0.
        parts: of the run.
        done: episodes behind it.
    """
    total, saved, leader, followers = config.updates * config.num_envs, done, parts.leader, parts.followers
    rollout = Rollout(parts.env, leader, parts.generator)
    table = MergedStatistics(parts.env.statistics, parts.ranks)
    if followers is not None:
        followers.explore, followers.keep = config.follower_learner.explore, True
    with nullcontext() if run is None else TrainingProgress(total, start=done) as progress:
        while done < total:
            start = time.perf_counter()
            with naming_divergence(config, out, done):
                episodes, totals = rollout.play(explore=leader.exploration_rate(done))
                assert episodes is not None
                with threads_of_torch(config.torch_threads):
                    metrics = leader.update(episodes, done / total)
                    if followers is not None:
                        metrics |= followers.followers.update(followers.lived())
                row = {**parts.ranks.mean(_means_of(totals)), **metrics}
                check_metrics(row)
            table.merge()
            done += config.num_envs
            timings = {"episodes_per_second": config.num_envs / (time.perf_counter() - start)}
            if run is not None:
                run.log(done, row, timings=timings)
            if progress is not None:
                progress.update(done, gain=row["gain"])
            if done - saved >= config.checkpoint_every or done >= total:
                with naming_divergence(config, out, done):
                    save_run_state(run, done, parts)
                saved = done


def _means_of(totals: EpisodeTotals) -> dict[str, float]:
    """Means over the batch's episodes, as they go into `metrics.jsonl`."""
    values = {**vars(totals), "completions": totals.completions.sum(axis=-1)}
    names = ("gain", "payments", "incentive", "completions", "follower_reward", "length")
    return {name: float(values[name].mean()) for name in names}
