"""The games and random draws of all ranks as one checkpoint holds them, so that any number of ranks can go on from it.

Between two batches of episodes a game is no more than its seed, index and episode, so the games of a whole job make one
batch, whoever played them; a checkpoint holds that batch's snapshot, as a run of one process writes it. Each rank draws
from a generator of its own: rank 0's goes by its name, rank r's by its name and r.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch

from paymaster.algorithms.process_group import Ranks
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.storage.checkpoint import bytes_to_tensor, tensor_to_bytes

__all__ = ["gather_state", "own_draws", "restore_state"]

Generators = Mapping[str, torch.Generator]


def own_draws(generators: Generators, seed: int, rank: int, episode: int) -> None:
    """Seeds the generators of a rank above 0 anew, so that no two ranks, and no two starts of one, draw the same.

    Args:
        generators: by name.
        seed: of the run.
        rank: rank 0's generators stay as they are.
        episode: at which this rank begins.
    """
    if rank == 0:
        return
    for number, generator in enumerate(generators.values()):
        drawn = np.random.SeedSequence([seed, rank, episode, number]).generate_state(1, np.uint64)
        generator.manual_seed(int(drawn[0] >> np.uint64(1)))


def gather_state(
    env: LeaderVectorEnv, generators: Generators, ranks: Ranks, whole_env: Callable[[], LeaderVectorEnv]
) -> dict[str, torch.Tensor] | None:
    """The games and generators of all ranks, to be kept in a checkpoint: on rank 0; None on the others.

    Args:
        env: this rank's games, between two batches of episodes.
        generators: this rank's, by name.
        ranks: all of whom call this.
        whole_env: makes the games of the whole job.
    """
    own = {name: generator.get_state() for name, generator in generators.items()}
    if ranks.size == 1:
        return {"games": bytes_to_tensor(env.snapshot()), **own}
    gathered = ranks.gather((env.state(), own))
    if gathered is None:
        return None
    games, fields = whole_env(), gathered[0][0]
    games.set_state(**{name: np.concatenate([state[name] for state, _ in gathered]) for name in fields})
    games.statistics.set(**env.statistics.arrays())
    state = {"games": bytes_to_tensor(games.snapshot())}
    for rank, (_, drawn) in enumerate(gathered):
        state |= {_key(name, rank): value for name, value in drawn.items()}
    return state


def restore_state(
    state: Mapping[str, torch.Tensor],
    env: LeaderVectorEnv,
    generators: Generators,
    ranks: Ranks,
    whole_env: Callable[[], LeaderVectorEnv],
) -> None:
    """Brings back this rank's games and generators, whatever the number of ranks that saved them.

    With as many ranks as then, exactly. With more, those that are new keep the generators that :func:`own_draws` gave
    them; with fewer, some generators are left out. Arguments as in :func:`gather_state`.

    Raises:
        KeyError, RuntimeError, ValueError: a state of other games or generators.
    """
    snapshot = tensor_to_bytes(state["games"])
    if ranks.size == 1:
        env.restore(snapshot)
    else:
        games, first = whole_env(), ranks.rank * env.num_envs
        games.restore(snapshot)
        env.set_state(**{name: values[first : first + env.num_envs] for name, values in games.state().items()})
        env.statistics.set(**games.statistics.arrays())
    for name, generator in generators.items():
        key = _key(name, ranks.rank)
        if ranks.rank == 0 or key in state:
            generator.set_state(state[key])


def _key(name: str, rank: int) -> str:
    return name if rank == 0 else f"{name}_{rank}"
