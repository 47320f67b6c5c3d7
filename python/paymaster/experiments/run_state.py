"""All that a run needs to continue exactly, to and from its checkpoints."""

from __future__ import annotations

from pathlib import Path

import torch

from paymaster.algorithms.followers import FollowerActorCritic
from paymaster.algorithms.protocol import LeaderAlgorithm
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.experiments.checkpoint import (
    Checkpoint,
    CheckpointError,
    bytes_to_tensor,
    latest_checkpoint,
    load_checkpoint,
    load_optimizer,
    optimizer_tensors,
    save_checkpoint,
    tensor_to_bytes,
)
from paymaster.followers_at_play import FollowersAtPlay

__all__ = ["load_followers", "load_leader", "load_run_state", "save_run_state"]

# Groups of a checkpoint, a safetensors file each: the modules' weights under the modules' names, the optimisers'
# moments under "optimizer_" and their names, and these two.
_STATE, _STATISTICS = "state", "statistics"


def save_run_state(
    run: Path,
    episode: int,
    leader: LeaderAlgorithm,
    env: LeaderVectorEnv,
    generator: torch.Generator,
    followers: FollowersAtPlay | None = None,
) -> Path:
    """Writes a checkpoint between two batches of episodes; returns its directory."""
    groups: dict[str, dict[str, torch.Tensor]] = {}
    settings = {}
    for learner in (leader, followers.followers) if followers is not None else (leader,):
        groups |= {name: dict(module.state_dict()) for name, module in learner.modules().items()}
        for name, optimizer in learner.optimizers().items():
            groups[f"optimizer_{name}"], settings[name] = optimizer_tensors(optimizer)
    groups[_STATE] = {"games": bytes_to_tensor(env.snapshot()), "generator": generator.get_state()}
    if followers is not None:
        groups[_STATE]["follower_generator"] = followers.generator.get_state()
    groups[_STATISTICS] = {name: torch.from_numpy(values) for name, values in env.statistics.arrays().items()}
    return save_checkpoint(run, episode, groups, {"optimizers": settings})


def load_run_state(
    run: Path,
    leader: LeaderAlgorithm,
    env: LeaderVectorEnv,
    generator: torch.Generator,
    followers: FollowersAtPlay | None = None,
) -> int:
    """Restores everything from the newest checkpoint; returns the episodes done by then."""
    checkpoint = load_leader(run, leader)
    with _naming(checkpoint):
        optimizers = dict(leader.optimizers())
        state = checkpoint.tensors[_STATE]
        if followers is not None:
            _load_modules(checkpoint, followers.followers)
            optimizers |= followers.followers.optimizers()
            followers.generator.set_state(state["follower_generator"])
        for name, optimizer in optimizers.items():
            load_optimizer(optimizer, checkpoint.tensors[f"optimizer_{name}"], checkpoint.manifest["optimizers"][name])
        env.restore(tensor_to_bytes(state["games"]))
        generator.set_state(state["generator"])
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
