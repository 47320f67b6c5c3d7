"""All that a run needs to continue exactly, to and from its checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from paymaster.algorithms.followers import FollowerActorCritic
from paymaster.algorithms.protocol import LeaderAlgorithm
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.experiments.checkpoint import (
    Checkpoint,
    CheckpointError,
    checkpoint_path,
    latest_checkpoint,
    load_checkpoint,
    load_optimizer,
    optimizer_tensors,
    save_checkpoint,
)
from paymaster.experiments.rank_state import gather_state, own_draws, restore_state
from paymaster.followers_at_play import FollowersAtPlay
from paymaster.ranks import Ranks

__all__ = ["RunParts", "load_followers", "load_leader", "load_run_state", "save_run_state"]

# Groups of a checkpoint, a safetensors file each: the modules' weights under the modules' names, the optimisers'
# moments under "optimizer_" and their names, and these two.
_STATE, _STATISTICS = "state", "statistics"


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
    followers: FollowersAtPlay | None
    ranks: Ranks
    whole_env: Callable[[], LeaderVectorEnv]

    @property
    def generators(self) -> dict[str, torch.Generator]:
        """Of all random draws but the games', under the names checkpoints store them by."""
        if self.followers is None:
            return {"generator": self.generator}
        return {"generator": self.generator, "follower_generator": self.followers.generator}

    @property
    def learners(self) -> tuple[LeaderAlgorithm | FollowerActorCritic, ...]:
        """Leader and followers."""
        return (self.leader,) if self.followers is None else (self.leader, self.followers.followers)


def save_run_state(run: Path, episode: int, parts: RunParts) -> Path | None:
    """Writes a checkpoint between two batches of episodes; returns its directory, or None on ranks other than 0."""
    state = gather_state(parts.env, parts.generators, parts.ranks, parts.whole_env)
    if state is None:
        return None
    groups: dict[str, dict[str, torch.Tensor]] = {}
    settings = {}
    for learner in parts.learners:
        groups |= {name: dict(module.state_dict()) for name, module in learner.modules().items()}
        for name, optimizer in learner.optimizers().items():
            groups[f"optimizer_{name}"], settings[name] = optimizer_tensors(optimizer)
    groups[_STATE] = state
    groups[_STATISTICS] = {name: torch.from_numpy(values) for name, values in parts.env.statistics.arrays().items()}
    return save_checkpoint(run, episode, groups, {"optimizers": settings})


def load_run_state(run: Path, seed: int, parts: RunParts, episode: int | None = None) -> int:
    """Restores everything from the newest checkpoint, or that of an episode; returns the episodes done by then.

    Args:
        run: the run directory.
        seed: of the run, for the draws of ranks that it did not have when the checkpoint was written.
        parts: are restored.
        episode: of the checkpoint; None takes the newest.
    """
    checkpoint = load_checkpoint(latest_checkpoint(run) if episode is None else checkpoint_path(run, episode))
    with _naming(checkpoint):
        for learner in parts.learners:
            _load_modules(checkpoint, learner)
            for name, optimizer in learner.optimizers().items():
                settings = checkpoint.manifest["optimizers"][name]
                load_optimizer(optimizer, checkpoint.tensors[f"optimizer_{name}"], settings)
        own_draws(parts.generators, seed, parts.ranks.rank, checkpoint.episode)
        restore_state(checkpoint.tensors[_STATE], parts.env, parts.generators, parts.ranks, parts.whole_env)
    return checkpoint.episode


def load_leader(run: Path, leader: LeaderAlgorithm, env: LeaderVectorEnv | None = None) -> Checkpoint:
    """Restores the leader's weights from the newest checkpoint, and into ``env`` the run's history statistics."""
    checkpoint = load_checkpoint(latest_checkpoint(run))
    with _naming(checkpoint):
        _load_modules(checkpoint, leader)
        if env is not None:
            env.statistics.set(**{name: t.numpy() for name, t in checkpoint.tensors[_STATISTICS].items()})
    return checkpoint


def load_followers(run: Path, followers: FollowerActorCritic) -> None:
    """Restores the followers' weights from the newest checkpoint of a run in which they learned."""
    checkpoint = load_checkpoint(latest_checkpoint(run))
    with _naming(checkpoint):
        _load_modules(checkpoint, followers)


def _load_modules(checkpoint: Checkpoint, learner: LeaderAlgorithm | FollowerActorCritic) -> None:
    for name, module in learner.modules().items():
        module.load_state_dict(checkpoint.tensors[name])


class _naming:  # noqa: N801  (used like a function)
    """Turns what does not fit into a CheckpointError that names the checkpoint."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._path = checkpoint.path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (KeyError, RuntimeError, TypeError, ValueError)):
            raise CheckpointError(
                f"{self._path}: expected a checkpoint of this run's leader and games, got another: {error}"
            ) from error
