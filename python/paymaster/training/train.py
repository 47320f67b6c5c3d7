"""The training loop, on one page.

Longer than other files: a training from its parts to its last row, in the order in which it happens.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeAlias

import torch

from paymaster.algorithms import leader_kind
from paymaster.algorithms.process_group import Ranks, join_ranks
from paymaster.algorithms.protocol import KnowsFollowers, LearnsOnRanks
from paymaster.envs.replacement import Replacement
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.networks.torch_defaults import threads_of_torch, usual_torch
from paymaster.play.rollout import Rollout
from paymaster.play.scripted_player import ScriptedPlayer
from paymaster.storage.checkpoint import delete_older, list_checkpoints
from paymaster.storage.metrics_file import METRICS, read_metrics
from paymaster.storage.run_directory import RunDirectory
from paymaster.training.allocator import keep_freed_memory
from paymaster.training.callbacks import Callback, Callbacks, TrainingStart
from paymaster.training.config import TrainConfig
from paymaster.training.divergence import naming_divergence
from paymaster.training.held_out import HeldOutGames
from paymaster.training.measures import means_of
from paymaster.training.merged_history import MergedStatistics
from paymaster.training.own_parts import check_games, named, seat_own_followers
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
from paymaster.training.updates import Updates
from paymaster.validation.finite import check_metrics
from paymaster.validation.imports import is_import_path

__all__ = ["make_parts", "train"]

_REFUSALS = (ValueError, TypeError, LookupError, AttributeError, ImportError)  # of what a user has written
MakesGames: TypeAlias = Callable[..., LeaderVectorEnv]


def train(
    config: TrainConfig,
    out: Path,
    *,
    env: str | MakesGames | LeaderVectorEnv | None = None,
    leader: str | Callable[..., Any] | None = None,
    followers: str | Callable[..., Any] | None = None,
    callbacks: Sequence[Callback] = (),
    resume: bool = False,
    given: Collection[str] | None = None,
) -> TrainConfig:
    """Trains a leader in ``out``; the same configuration gives the same numbers, interrupted or not.

    Settings of torch that the program around it has changed (default dtype and device, autocast, threads, generators)
    are left as found and change no number. Only glibc's malloc is told, for good, to reuse freed memory.

    Under torchrun, with R ranks, each plays its share of the games and all learn together; rank 0 alone writes. Then
    the same configuration and the same R give the same numbers.

    Args:
        config: what to train. With ``resume`` the stored run's, but for what :meth:`TrainConfig.resumed_from` allows.
        out: the run directory. It comes to hold `config.json`, `metrics.jsonl`, TensorBoard events and checkpoints.
        env: makes the games: a function, or its import path, that takes the arguments of :func:`~paymaster.make_vec`
            but the task, and returns a batch of games of ``config.task``. Or a batch of ``config.num_envs`` games with
            ``autoreset_mode="Disabled"``: such a run can be resumed with a batch like it, but not evaluated, since
            nobody can make its games again.
        leader: a name, a class of one's own or its import path: one that learns is made by ``leader(config, env)``
            (``docs/examples/own_leader.py``); one with ``start`` and ``offers`` plays while followers learn.
        followers: a name ("rule", "meta", "primitive", "q"), or a rule of one's own,
            ``decide(observation) -> int[B, N]``, or its import path.
        callbacks: are called as training goes on (:class:`.Callback`).
        resume: continue the run that is there, from its last checkpoint; with draws begun anew if it was on the CPU
            and goes on on a GPU, or the other way round.
        given: with ``resume``, names of the configuration's fields that count (:meth:`TrainConfig.resumed_from`).

    `config.json` holds ``env``, ``leader`` and ``followers`` by import path: so another process can resume the run,
    evaluate, render, inspect and diagnose it, if it can import them.

    Returns:
        The configuration trained with.

    Raises:
        ValueError: a configuration that makes no sense, a damaged checkpoint.
        TypeError: an env, a leader or followers that lack something; on several ranks, a leader that does not learn on
            ranks.
        RunDirectoryError: ``out`` holds another run, or cannot be written.
        RankError: another rank has ended or hangs.
        DivergenceError: a loss, gradient, weight or gain is NaN or infinite; the last checkpoint is as it was.

    What is refused before the first update is over, also by a callback's ``on_start`` or for what a leader or followers
    of one's own answer in the first episodes, leaves no run directory behind.
    """
    config = named(config, leader, followers, env)
    listeners = Callbacks(callbacks)
    if resume:
        if given is not None:
            own = {"leader": leader, "parameters.followers": followers, "env": env}
            given = {*given, *(name for name, value in own.items() if value is not None)}
        config = config.resumed_from(stored_config(out), given)
    config.validate()
    if config.defined_as is not None and config.defined_as.task.startswith("__main__:"):
        warnings.warn(
            f"task: expected a world in a module that other processes can import, got {config.defined_as.task}, which "
            "only this program has: the run can be neither resumed nor evaluated elsewhere",
            stacklevel=2,
        )
    keep_freed_memory()
    with usual_torch(), threads_of_torch(1), join_ranks(choose_device(config.device)) as ranks:
        parts = make_parts(config, ranks, env if isinstance(env, LeaderVectorEnv) else None)
        held_out = None if config.evaluate_every is None or ranks.rank > 0 else HeldOutGames(config, parts)
        with _run_directory(config, out, ranks, resume=resume) as run:
            ranks.wait()  # until the run directory is tidy
            done = 0
            if resume and list_checkpoints(out):
                done = load_run_state(out, config.seed, parts, replacement=config.replacement)
            if resume and run is not None:
                _take_up(run, config, done)
            try:
                _training_loop(config, out, run, parts, done, listeners, held_out)
            except _REFUSALS:
                if run is not None:
                    run.take_back()  # unless something has been learned
                raise
    return config


def _take_up(run: RunDirectory, config: TrainConfig, done: int) -> None:
    """Makes a run directory ready to go on from a checkpoint of ``done`` episodes: rows, configuration, files.

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
    delete_older(run.path, done)


def make_parts(config: TrainConfig, ranks: Ranks, batch: LeaderVectorEnv | None = None) -> RunParts:
    """All with initial weights, which are the same on all ranks; draws, which are not.

    Args:
        config: of the run.
        ranks: who trains together.
        batch: games to train in; by default such as the configuration asks for.

    Raises:
        ValueError, TypeError: games, leader or followers of one's own that do not fit; nothing that could learn.
    """
    if ranks.size > 1 and leader_kind(config.leader).inputs == "planes":
        raise ValueError(
            f"leader: expected one process with {config.leader}, which learns from one episode at a time, got "
            f"{ranks.size} ranks of torchrun"
        )
    if ranks.size > 1 and config.performance_history:
        raise ValueError(
            "performance_history: expected it in one process, since ranks merge history statistics alone, got "
            f"{ranks.size} ranks of torchrun"
        )
    if ranks.size > 1 and config.replacement is not None:
        raise ValueError(
            f"replace: expected one process where the population changes, got {ranks.size} ranks of torchrun"
        )
    env = make_rank_env(config, ranks) if batch is None else _own_batch(config, ranks, batch)
    learner, followers = make_leader(config, env), make_followers(config, env)
    if followers is None and isinstance(learner, ScriptedPlayer):
        raise ValueError(
            f"leader: expected one that learns, or followers that do (meta, primitive, q), got {config.leader!r:.80}, "
            f"which needs no training: paymaster evaluate {config.leader} --task {config.task}"
        )
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


def _own_batch(config: TrainConfig, ranks: Ranks, batch: LeaderVectorEnv) -> LeaderVectorEnv:
    if ranks.size > 1:
        raise ValueError(f"env: expected a function that makes games for each of {ranks.size} ranks, got a batch")
    if config.evaluate_every is not None:
        raise ValueError("evaluate_every: expected it only with games that can be made again, got a batch as env")
    check_games(batch, config.task, config.num_envs, config.followers)
    if is_import_path(config.followers):
        seat_own_followers(batch, config.followers)
    return batch


def _run_directory(
    config: TrainConfig, out: Path, ranks: Ranks, *, resume: bool
) -> AbstractContextManager[RunDirectory | None]:
    """The run's on rank 0, which alone writes; elsewhere None."""
    if ranks.rank > 0:
        return nullcontext()
    return RunDirectory.resume(out) if resume else RunDirectory.create(out, config.to_json())


def _training_loop(
    config: TrainConfig,
    out: Path,
    run: RunDirectory | None,
    parts: RunParts,
    done: int,
    callbacks: Callbacks,
    held_out: HeldOutGames | None,
) -> None:
    """Trains a leader to the end, or until a callback stops it.

    Args:
        config: what to train.
        out: the run directory.
        run: the same, to write to; None on ranks other than 0.
        parts: of the run.
        done: episodes behind it.
        callbacks: are called on rank 0.
        held_out: games to evaluate in, on rank 0; None: no evaluation.
    """
    total, saved, leader, followers = config.updates * config.num_envs, done, parts.leader, parts.followers
    replacement = config.replacement
    rollout = Rollout(parts.env, leader, parts.generator)
    table = MergedStatistics(parts.env.statistics, parts.ranks)
    if followers is not None:
        followers.explore, followers.keep = followers.followers.config.explore, True

    def any_stops(stops: bool) -> bool:
        """Whether one of rank 0's callbacks does: all ranks must know."""
        return len(callbacks) > 0 and parts.ranks.mean({"stopped": float(stops)})["stopped"] > 0

    with (
        nullcontext(False) if run is None else _told(callbacks, config, run, lambda: done) as stops,
        nullcontext() if run is None else TrainingProgress(total, start=done) as progress,
        Updates.of(parts, config.torch_threads) as updates,
    ):
        stopped = any_stops(stops)
        while done < total and not stopped:
            start = time.perf_counter()
            if replacement is not None and done > 0 and done % replacement.every == 0:
                _replace(replacement, parts, done // replacement.every)
            with naming_divergence(config, out, done):
                episodes, totals = rollout.play(explore=leader.exploration_rate(done))
                assert episodes is not None
                metrics = updates.learn(episodes, done / total)
                row = {**parts.ranks.mean(means_of([totals])), **metrics}
                check_metrics(row)
            table.merge()
            before, done = done, done + config.num_envs
            timings = {"episodes_per_second": config.num_envs / (time.perf_counter() - start)}
            if evaluated := held_out is not None and held_out.due(before, done):
                row |= held_out.evaluate(done)
            if run is not None:
                run.log(done, row, timings=timings)
                stops = callbacks.on_row(done, row, evaluated=evaluated)
            stopped = any_stops(stops)
            if progress is not None:
                progress.update(done, gain=row["gain"], objective=row.get("objective"))
            if done - saved >= config.checkpoint_every or done >= total or stopped:
                with naming_divergence(config, out, done):
                    path = save_run_state(run, done, parts)
                saved = done
                if path is not None:
                    callbacks.on_checkpoint(done, path)


def _replace(replacement: Replacement, parts: RunParts, number: int) -> None:
    """Change the population of a training between two batches of episodes, for the ``number``-th time (from 1)."""
    members = replacement.apply(parts.env, parts.env.parameters["population_seed"], number)
    if replacement.change == "people" and isinstance(parts.leader, KnowsFollowers):
        parts.leader.forget_followers(members)


@contextmanager
def _told(callbacks: Callbacks, config: TrainConfig, run: RunDirectory, done: Callable[[], int]) -> Iterator[bool]:
    """Let callbacks know of a training's start and end, whatever ends it; gives whether they stop it at once."""
    metrics = run.path / METRICS
    rows = read_metrics(metrics) if len(callbacks) > 0 and metrics.exists() else []
    stops = callbacks.on_start(TrainingStart(config, run.path, done(), rows))
    try:
        yield stops
    finally:
        callbacks.on_end(done())
