"""All that a run needs to continue exactly, to and from its checkpoints, with any number of ranks.

Between two batches of episodes a game is no more than its seed, index and episode, so the games of a whole job make one
batch, whoever played them; a checkpoint holds that batch's snapshot, as a run of one process writes it. Each rank draws
from a generator of its own: rank 0's goes by its name, rank r's by its name and r.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from paymaster.algorithms.followers import FollowerAlgorithm
from paymaster.algorithms.process_group import Ranks
from paymaster.algorithms.protocol import LeaderAlgorithm
from paymaster.envs.replacement import Replacement
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.play.learning_followers import LearningFollowers
from paymaster.storage.checkpoint import (
    bytes_to_tensor,
    checkpoint_path,
    latest_checkpoint,
    load_checkpoint,
    save_checkpoint,
    tensor_to_bytes,
)
from paymaster.storage.checkpoint_format import Checkpoint, CheckpointError
from paymaster.storage.metrics_file import METRICS, check_mark
from paymaster.storage.optimizer_state import load_optimizer, optimizer_tensors
from paymaster.storage.run_config import CONFIG, difference, read_run_config
from paymaster.storage.run_directory import RunDirectory

__all__ = ["RunParts", "load_run_state", "load_weights", "open_checkpoint", "save_run_state"]

# Groups of a checkpoint's tensors: the modules' weights under the modules' names, the optimisers' moments under
# "optimizer_" and their names, and these two.
_STATE, _STATISTICS = "state", "statistics"

_DRAWS = {"cpu": 5056, "cuda": 16}  # bytes of a generator's state, by kind of device


@dataclass(frozen=True)
class RunParts:
    """What a run consists of, in one process of it.

    Attributes:
        leader: who is trained.
        env: its games, or this rank's share of them.
        generator: of the leader's draws.
        followers: that learn beside it; None where they decide by rule.
        ranks: who trains together.
        whole_env: makes the games of all ranks.
    """

    leader: LeaderAlgorithm
    env: LeaderVectorEnv
    generator: torch.Generator
    followers: LearningFollowers | None
    ranks: Ranks
    whole_env: Callable[[], LeaderVectorEnv]

    @property
    def generators(self) -> dict[str, torch.Generator]:
        """Of all random draws but the games', under the names checkpoints store them by."""
        if self.followers is None:
            return {"generator": self.generator}
        return {"generator": self.generator, "follower_generator": self.followers.generator}

    @property
    def learners(self) -> tuple[LeaderAlgorithm | FollowerAlgorithm, ...]:
        """Leader and followers."""
        return (self.leader,) if self.followers is None else (self.leader, self.followers.followers)

    def own_draws(self, seed: int, episode: int) -> None:
        """Seeds this rank's generators anew, so that no two ranks, and no two starts of one, draw the same.

        Args:
            seed: of the run.
            episode: at which this rank begins.
        """
        for number, generator in enumerate(self.generators.values()):
            drawn = np.random.SeedSequence([seed, self.ranks.rank, episode, number]).generate_state(1, np.uint64)
            generator.manual_seed(int(drawn[0] >> np.uint64(1)))


def open_checkpoint(run: Path, episode: int | None = None) -> Checkpoint:
    """Read the newest checkpoint of a run, or that of an episode, and check that it belongs to what lies beside it.

    Raises:
        CheckpointError: it is missing or damaged, or was saved by a run of another configuration.
        RunDirectoryError: `config.json` is damaged, or `metrics.jsonl` lacks rows that it had then, or has others.
    """
    stored = read_run_config(run)
    checkpoint = _newest(run) if episode is None else load_checkpoint(checkpoint_path(run, episode))
    differs = difference(stored.at(checkpoint.episode), checkpoint.header.config)
    if differs is not None:
        name, expected, got = differs
        raise CheckpointError(
            f"{checkpoint.path}: config.{name}: expected {expected!r} as in {CONFIG}, got {got!r}: the checkpoint is "
            f"another run's, or {CONFIG} was changed by hand. Put back the file that belongs here."
        )
    check_mark(run / METRICS, checkpoint.header.metrics, f"when {checkpoint.path.name} was saved")
    return checkpoint


def _newest(run: Path) -> Checkpoint:
    """Read the newest checkpoint; where a training that goes on has deleted it meanwhile, the one after it."""
    while True:
        path = latest_checkpoint(run)
        try:
            return load_checkpoint(path)
        except CheckpointError:
            if path.exists() or latest_checkpoint(run) == path:
                raise


def save_run_state(run: RunDirectory | None, episode: int, parts: RunParts) -> Path | None:
    """Writes a checkpoint between two batches of episodes, bound to the configuration and the metrics so far.

    Args:
        run: the run directory; None on ranks other than 0.
        episode: episodes done.
        parts: what is stored.

    Returns:
        The checkpoint's file; None on ranks other than 0.

    Raises:
        DivergenceError: a weight, or another number, is NaN or infinite.
        RunDirectoryError: it cannot be written.
    """
    state = gather_state(parts)
    if state is None or run is None:
        return None
    groups: dict[str, dict[str, torch.Tensor]] = {}
    optimizers = {}
    for learner in parts.learners:
        groups |= {name: dict(module.state_dict()) for name, module in learner.modules().items()}
        for name, optimizer in learner.optimizers().items():
            groups[f"optimizer_{name}"], optimizers[name] = optimizer_tensors(optimizer)
    groups[_STATE] = state
    groups[_STATISTICS] = {name: torch.from_numpy(values) for name, values in parts.env.statistics.arrays().items()}
    return save_checkpoint(
        run.path, episode, groups, config=run.stored.config, metrics=run.mark(), optimizers=optimizers
    )


def load_run_state(
    run: Path, seed: int, parts: RunParts, episode: int | None = None, *, replacement: Replacement | None = None
) -> int:
    """Restores everything from the newest checkpoint, or that of an episode; returns the episodes done by then.

    Args:
        run: the run directory.
        seed: of the run, for the draws of ranks that it did not have when the checkpoint was written.
        parts: are restored.
        episode: of the checkpoint; None takes the newest.
        replacement: by which the population has changed while training.

    Raises:
        CheckpointError, RunDirectoryError: as for :func:`open_checkpoint`, or it does not fit the parts.
    """
    checkpoint = open_checkpoint(run, episode)
    with _naming(checkpoint):
        _check_groups(checkpoint, parts)
        for learner in parts.learners:
            _load_modules(checkpoint, learner)
            for name, optimizer in learner.optimizers().items():
                state = checkpoint.header.optimizers[name]
                load_optimizer(optimizer, checkpoint.tensors.get(f"optimizer_{name}", {}), state)
        parts.own_draws(seed, checkpoint.episode)
        if replacement is not None:
            replacement.bring(parts.env, replacement.before(checkpoint.episode))
        restore_state(checkpoint.tensors[_STATE], parts)
        if (kept := parts.env.statistics.performance) is not None:  # which is no part of a snapshot
            parts.env.statistics.set(**{name: checkpoint.tensors[_STATISTICS][name].numpy() for name in kept.entries})
    return checkpoint.episode


def gather_state(parts: RunParts) -> dict[str, torch.Tensor] | None:
    """The games and generators of all ranks between two batches of episodes: on rank 0; None on the others."""
    env = parts.env
    own = {name: generator.get_state() for name, generator in parts.generators.items()}
    if parts.ranks.size == 1:
        return {"games": bytes_to_tensor(env.snapshot()), **own}
    gathered = parts.ranks.gather((env.state(), own))
    if gathered is None:
        return None
    games, fields = parts.whole_env(), gathered[0][0]
    games.set_state(**{name: np.concatenate([state[name] for state, _ in gathered]) for name in fields})
    games.statistics.set(**env.statistics.arrays())
    state = {"games": bytes_to_tensor(games.snapshot())}
    for rank, (_, drawn) in enumerate(gathered):
        state |= {_key(name, rank): value for name, value in drawn.items()}
    return state


def restore_state(state: Mapping[str, torch.Tensor], parts: RunParts) -> None:
    """Brings back this rank's games and generators, whatever the number of ranks that saved them.

    With as many ranks as then, exactly. With more, those that are new keep the draws that
    :meth:`RunParts.own_draws` gave them; with fewer, some generators are left out. On another kind of device than then,
    where a generator's state means nothing, all keep them.

    Raises:
        KeyError, RuntimeError, ValueError: a state of other games or generators.
    """
    env, rank, snapshot = parts.env, parts.ranks.rank, tensor_to_bytes(state["games"])
    if parts.ranks.size == 1:
        env.restore(snapshot)
    else:
        games, first = parts.whole_env(), rank * env.num_envs
        games.restore(snapshot)
        env.set_state(**{name: values[first : first + env.num_envs] for name, values in games.state().items()})
        env.statistics.set(**games.statistics.arrays())
    for name, generator in parts.generators.items():
        if rank > 0 and _key(name, rank) not in state:
            continue
        saved = state[_key(name, rank)]
        if len(saved) not in {size for kind, size in _DRAWS.items() if kind != generator.device.type}:
            generator.set_state(saved)


def _key(name: str, rank: int) -> str:
    return name if rank == 0 else f"{name}_{rank}"


def load_weights(run: Path, learner: LeaderAlgorithm | FollowerAlgorithm, env: LeaderVectorEnv | None = None) -> int:
    """Restores a learner's weights from the newest checkpoint, and into ``env`` the run's history statistics.

    Returns:
        Episodes done by then.

    Raises:
        CheckpointError, RunDirectoryError: as for :func:`open_checkpoint`, or it does not fit the learner.
    """
    checkpoint = open_checkpoint(run)
    with _naming(checkpoint):
        _load_modules(checkpoint, learner)
        if env is not None:
            arrays = {name: tensor.numpy() for name, tensor in checkpoint.tensors[_STATISTICS].items()}
            if missing := sorted(env.statistics.arrays().keys() - arrays.keys()):
                raise CheckpointError(f"{_STATISTICS}/{missing[0]}: expected a tensor, got none")
            env.statistics.set(**arrays)
    return checkpoint.episode


def _check_groups(checkpoint: Checkpoint, parts: RunParts) -> None:
    """Nothing may be there that nobody restores."""
    known = {_STATE, _STATISTICS}
    for learner in parts.learners:
        known |= learner.modules().keys() | {f"optimizer_{name}" for name in learner.optimizers()}
    if unknown := sorted(checkpoint.tensors.keys() - known):
        raise CheckpointError(f"{unknown[0]}: expected tensors of {', '.join(sorted(known))}, got others")


def _load_modules(checkpoint: Checkpoint, learner: LeaderAlgorithm | FollowerAlgorithm) -> None:
    for name, module in learner.modules().items():
        module.load_state_dict(checkpoint.tensors.get(name, {}))


@contextmanager
def _naming(checkpoint: Checkpoint) -> Iterator[None]:
    """Turn what does not fit into a CheckpointError that names the checkpoint."""
    try:
        yield
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{checkpoint.path}: expected a checkpoint of this run's leader and games, got another: {error}"
        ) from error
