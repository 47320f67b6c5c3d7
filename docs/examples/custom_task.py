"""A task of your own, without a world: a preset with other parameters and a population, by a name of its own.

    python docs/examples/custom_task.py

Couriers: eight bodies in the plane, three kinds of parcel, three bonus levels. Half of the couriers can carry only what
they like, the other half like what they cannot carry, and only the leader's bonus moves them. Paid in advance.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import gymnasium
import numpy as np

import paymaster
from paymaster.analysis.evaluate import evaluate_run, evaluate_scripted
from paymaster.training.config import TrainConfig
from paymaster.training.train import train

COURIERS, KINDS = 18, 3


def population() -> dict[str, np.ndarray]:
    """skill bool[P, G], preference int[P], reservation float[P]."""
    likes = np.arange(COURIERS) % KINDS
    specialist = np.arange(COURIERS) < COURIERS // 2
    likes_it = np.arange(KINDS) == likes[:, None]
    return {
        "skill": np.where(specialist[:, None], likes_it, ~likes_it),
        "preference": likes,
        "reservation": np.where(specialist, 1.0, 1.5).astype(np.float32),
    }


paymaster.register(
    "couriers",
    "navigation",
    meaning="plane; couriers of three kinds of parcel, half of whom can only carry what they do not like",
    population=population(),
    num_followers=8,
    num_targets=10,
    num_goals=KINDS,
    num_bonuses=3,
    horizon=80,
    payment="advance",
    abstain=True,
)


def main(games: int = 200, episodes: int = 2_000) -> None:
    print(gymnasium.make("paymaster/Couriers-v0").action_space)
    for name in ("random", "preference", "full_information"):
        print(f"{name}: gain {evaluate_scripted(name, 'couriers', games).gain.mean():.1f}")
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"  # it holds the task's definition: `paymaster evaluate RUN` needs nothing else
        train(TrainConfig("couriers", episodes=episodes), run)
        print(f"trained: gain {evaluate_run(run, games).gain.mean():.1f}")


if __name__ == "__main__":
    main()
