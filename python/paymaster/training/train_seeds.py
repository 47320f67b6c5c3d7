"""Training of several seeds in one process: as :mod:`paymaster.training.train`, but all at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from paymaster.algorithms import EBPG
from paymaster.algorithms.leader_stack import LeaderStack
from paymaster.algorithms.process_group import SINGLE_PROCESS, launched
from paymaster.networks.draws import SeedDraws
from paymaster.networks.torch_defaults import threads_of_torch, usual_torch
from paymaster.play.rollout import Rollout
from paymaster.play.seed_games import SeedGames
from paymaster.storage.checkpoint import episode_of, list_checkpoints
from paymaster.storage.run_config import read_run_config
from paymaster.storage.run_directory import RunDirectory, holds_run, refuse_a_run
from paymaster.training.allocator import keep_freed_memory
from paymaster.training.config import TrainConfig
from paymaster.training.run_state import load_run_state
from paymaster.training.setup import make_leader, stored_config
from paymaster.training.train import make_parts, take_up, training_loop

__all__ = ["common_episode", "train_seeds"]


@usual_torch()
def train_seeds(
    configs: Sequence[TrainConfig],
    outs: Sequence[Path],
    *,
    resume: bool = False,
    given: Collection[str] | None = None,
    on_start: Callable[[int], None] | None = None,
) -> list[TrainConfig]:
    """Trains leaders that differ in nothing but their seed, each in a run directory of its own.

    Each is what :func:`~paymaster.training.train.train` makes of its seed, up to rounding, with its own games,
    weights, draws and statistics; so one of them can be gone on with alone, and runs that were trained alone, together.
    The same configurations give the same numbers, interrupted or not.

    Args:
        configs: what to train, as for single runs.
        outs: the run directories.
        resume: continue the runs that are there, from the newest episode of which all have a checkpoint.
        given: with ``resume``, names of the configurations' fields that count (:meth:`TrainConfig.resumed_from`).
        on_start: is called once, with the number of episodes that each has done so far, when nothing can be refused any
            more and before the first step.

    Returns:
        The configurations trained with.

    Raises:
        ValueError: no seed, a configuration that makes no sense, runs that differ in more than their seed, followers
            that learn, a job of several ranks; runs to resume without a checkpoint of the same episode, or a damaged
            one.
        RunDirectoryError: a directory holds another run, or cannot be written.
        DivergenceError: a loss, gradient, weight or gain of a seed is NaN or infinite; all last checkpoints are as they
            were.
    """
    if not configs:
        raise ValueError("seeds: expected at least 1, got 0")
    if resume:
        configs = _stored(configs, outs, given)
    _check(configs, outs)
    keep_freed_memory()
    parts = [make_parts(one, make_leader, SINGLE_PROCESS) for one in configs]
    stack = LeaderStack([part.leader for part in parts if isinstance(part.leader, EBPG)])
    if not resume:
        for out in outs:
            refuse_a_run(out)  # before any other is begun
    named = list(zip(configs, outs, strict=True))
    with threads_of_torch(1), ExitStack() as closing:
        runs = [
            closing.enter_context(
                RunDirectory.resume(out) if resume and holds_run(out) else RunDirectory.create(out, one.to_json())
            )
            for one, out in named
        ]
        done = common_episode(outs) if resume else 0
        if done > 0:
            for (one, out), part in zip(named, parts, strict=True):
                load_run_state(out, one.seed, part, done)
            stack.collect_optimizers()
        if resume:
            for run, one in zip(runs, configs, strict=True):
                take_up(run, one, done)
        if on_start is not None:
            on_start(done)
        games = SeedGames([part.env for part in parts])
        rollout = Rollout(games, stack, SeedDraws([part.generator for part in parts], games.playing))
        training_loop(named, runs, parts, stack, rollout, done)
    return list(configs)


def _stored(configs: Sequence[TrainConfig], outs: Sequence[Path], given: Collection[str] | None) -> list[TrainConfig]:
    """As the runs have them; as the first of them, where a process was killed before it had made the directory."""
    there = [holds_run(out) for out in outs]
    if not any(there):
        stored_config(outs[0])  # says that there is none
    pending = _pending_changes([out for out, found in zip(outs, there, strict=True) if found])
    stored = [
        config.resumed_from(dataclasses.replace(stored_config(out), **pending), given) if found else None
        for config, out, found in zip(configs, outs, there, strict=True)
    ]
    first = next(config for config in stored if config is not None)
    return [
        dataclasses.replace(first, seed=config.seed) if found is None else found
        for config, found in zip(configs, stored, strict=True)
    ]


def _pending_changes(outs: Sequence[Path]) -> dict[str, Any]:
    """Fields that a process has changed in some of the runs, when it was killed before it had changed the others.

    It changes them all before the first step, so no run has a checkpoint later than the one it was changed at.
    """
    stored = [read_run_config(out) for out in outs]
    most = max((one.changes for one in stored), key=len)
    fewest = min(len(one.changes) for one in stored)
    last = max((episode_of(path) for out in outs for path in list_checkpoints(out)), default=0)
    pending = most[fewest:]
    if any(one.changes != most[: len(one.changes)] for one in stored) or any(one.episode < last for one in pending):
        return {}
    return {change.field: change.now for change in pending}


def _check(configs: Sequence[TrainConfig], outs: Sequence[Path]) -> None:
    if launched()[1] > 1:
        raise ValueError(
            f"seeds: expected one process, got {launched()[1]} ranks of torchrun, which train one leader together; "
            "leave out --seeds, or start without torchrun"
        )
    for config, out in zip(configs, outs, strict=True):
        config.validate()
        for part in dataclasses.fields(config):
            first, other = getattr(configs[0], part.name), getattr(config, part.name)
            if part.name != "seed" and first != other:
                raise ValueError(
                    f"seeds: expected runs that differ in nothing but their seed, got {part.name} {first!r} in "
                    f"{outs[0]} and {other!r} in {out}"
                )
    if configs[0].followers_learn:
        raise ValueError(
            f"seeds: expected followers that decide by rule, got followers {configs[0].parameters.followers!r}, whose "
            "networks learn one seed at a time; leave out --seeds"
        )


def common_episode(outs: Sequence[Path]) -> int:
    """The newest at which all have a checkpoint. Raises ValueError where there is none.

    A process that was killed while it wrote them has written some. At its first ones, all begin anew.
    """
    episodes = [[episode_of(path) for path in list_checkpoints(out)] if out.is_dir() else [] for out in outs]
    common = set(episodes[0]).intersection(*episodes[1:])
    if common:
        return max(common)
    if not all(episodes) and all(len(each) <= 1 for each in episodes):
        return 0
    listed = "; ".join(
        f"{', '.join(map(str, each)) or 'none'} in {out}" for each, out in zip(episodes, outs, strict=True)
    )
    raise ValueError(
        f"resume: expected checkpoints of the same episode in all runs, got {listed}. Continue those that are behind "
        "alone, with --resume and --episodes up to where the others are"
    )
