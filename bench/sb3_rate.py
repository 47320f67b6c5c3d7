"""Steps per second that PPO of Stable-Baselines3 trains, on the batch and on single copies: `python bench/sb3_rate.py`.

The single copies are 16 `LeaderVectors` in a `DummyVecEnv` (SB3's `make_vec_env`), the batch is
`integrations.sb3_vec_env`. Both make as many steps an update and learn from them with the same minibatches, epochs and
network (`MlpPolicy`, two hidden layers of 64). One core, by CPU seconds, in turn over some rounds, so that a busy
machine treats them alike. "Same": over 16 single copies with the same minibatches and epochs; "default": over 16 single
copies with SB3's default ones (64, 10 epochs).
"""

from __future__ import annotations

import statistics
import time
import warnings

import torch
import tyro

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of versions
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.vec_env import VecEnv

import paymaster
from paymaster import integrations
from paymaster.terminal.markdown import markdown_table

SINGLE = 16  # copies
LEARNING = {"default": (64, 10), "large": (4_096, 4)}  # steps in a minibatch, epochs


def rate(env: VecEnv, steps: int, batch: int, epochs: int) -> float:
    """Steps per CPU second of one update: `steps` made and learned from."""
    model = PPO(
        "MlpPolicy", env, n_steps=steps // env.num_envs, batch_size=batch, n_epochs=epochs, device="cpu", seed=0
    )
    start = time.process_time()
    model.learn(steps)
    return steps / (time.process_time() - start)


def main(
    task: str = "resource_collection", games: tuple[int, ...] = (16, 128, 1_024), steps: int = 16_384, rounds: int = 3
) -> None:
    """Measure and print.

    Args:
        task: name of a preset.
        games: of the batches.
        steps: of all games together, an update; a multiple of the largest batch.
        rounds: measurements of each.
    """
    torch.set_num_threads(1)
    single = make_vec_env(
        lambda seed: integrations.LeaderVectors(paymaster.make(task, seed)), SINGLE, env_kwargs={"seed": 0}
    )
    envs = {f"{SINGLE} single copies": single}
    envs |= {f"a batch of {size:,}": integrations.sb3_vec_env(task, size, 0, 1) for size in games}
    rates: dict[tuple[str, str], list[float]] = {(name, how): [] for how in LEARNING for name in envs}
    for _ in range(rounds):
        for (name, how), measured in rates.items():
            few = steps if how == "large" else max(steps // 4, envs[name].num_envs)  # they take as long
            measured.append(rate(envs[name], few, *LEARNING[how]))
    rows = []
    first = next(iter(envs))
    for (name, how), measured in rates.items():
        batch, epochs = LEARNING[how]
        median, same, default = (statistics.median(rates[of]) for of in ((name, how), (first, how), (first, "default")))
        spread = f"{median:,.0f} ({min(measured):,.0f} to {max(measured):,.0f})"
        rows.append((name, f"{batch:,}", epochs, spread, f"{median / same:.1f}", f"{median / default:.1f}"))
    head = (
        "games",
        "minibatch",
        "epochs",
        "steps per CPU second, median (lowest to highest)",
        "over same",
        "over default",
    )
    print(markdown_table(head, rows), end="")


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
