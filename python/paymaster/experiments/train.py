"""The training loop, on one page."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from paymaster.algorithms.protocol import LeaderAlgorithm
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.experiments.checkpoint import list_checkpoints
from paymaster.experiments.config import TrainConfig
from paymaster.experiments.memory import keep_freed_memory
from paymaster.experiments.progress import TrainingProgress
from paymaster.experiments.run_directory import RunDirectory, read_config
from paymaster.experiments.run_state import load_run_state, save_run_state
from paymaster.experiments.setup import make_env, make_followers, make_leader
from paymaster.followers_at_play import FollowersAtPlay
from paymaster.rollout import EpisodeTotals, Rollout

__all__ = ["train"]


def train(
    config: TrainConfig,
    out: Path,
    *,
    resume: bool = False,
    leader: Callable[[TrainConfig, LeaderVectorEnv], LeaderAlgorithm] = make_leader,
) -> TrainConfig:
    """Trains a leader in ``out``; the same configuration gives the same numbers, interrupted or not.

    Args:
        config: what to train. With ``resume`` the stored run's, but for what :meth:`TrainConfig.resumed_from` allows.
        out: the run directory. It comes to hold `config.json`, `metrics.jsonl`, TensorBoard events and checkpoints.
        resume: continue the run that is there, from its last checkpoint.
        leader: makes the leader for the games it is given. One of your own (``docs/examples/own_leader.py``) takes from
            the configuration what it likes; the ``paymaster`` command knows only ours.

    Returns:
        The configuration trained with.

    Raises:
        ValueError: a configuration that makes no sense, a damaged checkpoint.
        RunDirectoryError: ``out`` holds another run, or cannot be written.
    """
    if resume:
        config = config.resumed_from(TrainConfig.from_json(read_config(out)))
    config.validate()
    torch.set_num_threads(config.torch_threads)
    keep_freed_memory()
    env = make_env(config, config.num_envs, config.seed)
    learner, followers = leader(config, env), make_followers(config, env)
    generator = torch.Generator(learner.device).manual_seed(config.seed)
    run = RunDirectory.resume(out) if resume else RunDirectory.create(out, config.to_json())
    with run:
        done = 0
        if resume:
            if list_checkpoints(out):
                done = load_run_state(out, learner, env, generator, followers)
            run.truncate_metrics(done)
        _loop(config, run, env, learner, followers, generator, done)
    return config


def _loop(
    config: TrainConfig,
    run: RunDirectory,
    env: LeaderVectorEnv,
    leader: LeaderAlgorithm,
    followers: FollowersAtPlay | None,
    generator: torch.Generator,
    done: int,
) -> None:
    rollout = Rollout(env, leader, generator)
    if followers is not None:
        followers.explore, followers.keep = config.follower_learner.explore, True
    total = config.updates * config.num_envs
    saved = done
    with TrainingProgress(total, start=done) as progress:
        while done < total:
            start = time.perf_counter()
            episodes, totals = rollout.play(explore=leader.exploration_rate(done))
            assert episodes is not None
            metrics = leader.update(episodes, done / total)
            if followers is not None:
                metrics |= followers.followers.update(followers.lived())
            done += config.num_envs
            row = {**_means(totals), **metrics}
            run.log(done, row, timings={"episodes_per_second": config.num_envs / (time.perf_counter() - start)})
            progress.update(done, gain=row["gain"])
            if done - saved >= config.checkpoint_every or done >= total:
                run.sync()
                save_run_state(run.path, done, leader, env, generator, followers)
                saved = done


def _means(totals: EpisodeTotals) -> dict[str, Any]:
    """Means over the batch's episodes, as they go into `metrics.jsonl`."""
    completed = totals.completions.sum(axis=-1)
    return {
        "gain": float(totals.gain.mean()),
        "payments": float(totals.payments.mean()),
        "incentive": float(totals.incentive.mean()),
        "completions": float(completed.mean()),
        "follower_reward": float(totals.follower_reward.mean()),
        "length": float(totals.length.mean()),
    }
