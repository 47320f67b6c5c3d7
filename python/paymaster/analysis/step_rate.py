"""Steps per second of the simulator, as a caller from Python sees them.

One step = N followers have decided, planned and moved in one game, and its observation is written.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster.envs.tasks import make_vec
from paymaster.features.leader import FeatureEncoder
from paymaster.training.cores import available_cores

__all__ = ["OBSERVATIONS", "StepRate", "step_rate", "step_rates"]

OBSERVATIONS = ("reused", "fresh", "routes", "features")


@dataclass(frozen=True)
class StepRate:
    """One cell of the benchmark.

    Attributes:
        task: name of the preset.
        num_envs: B.
        num_threads: worker threads.
        num_followers: N.
        steps_per_second: environment steps a second, median over repetitions.
        lowest, highest: over the repetitions.
        steps_per_cpu_second: the same per second of processor time (of all threads together), median: what one
            core does, also on a machine that is busy with other things.
    """

    task: str
    num_envs: int
    num_threads: int
    num_followers: int
    steps_per_second: float
    lowest: float
    highest: float
    steps_per_cpu_second: float

    def to_json(self) -> dict[str, Any]:
        """As a dict."""
        return asdict(self)


def step_rate(
    task: str,
    num_envs: int,
    num_threads: int,
    seconds: float = 0.3,
    repeats: int = 5,
    observation: str = "reused",
    **parameters: Any,
) -> StepRate:
    """Measures one cell: offers are kept for ten steps, games reset themselves.

    Args:
        task: name of a preset.
        num_envs: B.
        num_threads: worker threads.
        seconds: least time of one repetition.
        repeats: repetitions; the median counts.
        observation: of :data:`OBSERVATIONS`: in the same arrays every time (``copy=False``), in fresh arrays, with the
            planner's routes (``observe_routes``), or made into the networks' features.
        parameters: of the task.

    Raises:
        ValueError: an unknown kind of observation.
    """
    if observation not in OBSERVATIONS:
        raise ValueError(f"observation: expected one of {', '.join(OBSERVATIONS)}, got {observation!r:.80}")
    if observation == "routes":
        parameters = {**parameters, "observe_routes": True}
    env = make_vec(task, num_envs, 0, num_threads, copy=observation == "fresh", **parameters)
    seen, _ = env.reset()
    encoder = FeatureEncoder(env)
    buffers = *encoder.encode(seen), np.zeros((num_envs, env.num_followers), dtype=np.bool_)

    def step(offers: NDArray[np.int64]) -> None:
        seen = env.step(offers)[0]
        if observation == "features":
            encoder.encode_into(seen, *buffers)

    rng = np.random.default_rng(0)
    shape = (num_envs, env.num_followers)
    goals, bonuses = env.parameters["num_goals"], env.parameters["num_bonuses"]
    offers = [np.stack((rng.integers(goals, size=shape), rng.integers(bonuses, size=shape)), axis=-1) for _ in range(8)]
    for t in range(30):  # a whole episode, so that repetitions start from games in all stages
        step(offers[t // 10 % len(offers)])
    rates, cpu_rates, t = [], [], 0
    for _ in range(repeats):
        start, cpu_start, first, elapsed = time.perf_counter(), time.process_time(), t, 0.0
        while elapsed < seconds:
            for _ in range(10):
                step(offers[t // 10 % len(offers)])
                t += 1
            elapsed = time.perf_counter() - start
        rates.append((t - first) * num_envs / elapsed)
        cpu_rates.append((t - first) * num_envs / (time.process_time() - cpu_start))
    return StepRate(
        task=task,
        num_envs=num_envs,
        num_threads=num_threads,
        num_followers=env.num_followers,
        steps_per_second=statistics.median(rates),
        lowest=min(rates),
        highest=max(rates),
        steps_per_cpu_second=statistics.median(cpu_rates),
    )


def step_rates(task: str, seconds: float = 0.3, repeats: int = 5) -> list[StepRate]:
    """The table of ``paymaster bench``: several B on one thread, the larger ones on all cores too."""
    cores = available_cores()
    cells = [(b, 1) for b in (1, 32, 1024, 8192)]
    cells += [(b, threads) for threads in sorted({2, cores} - {1}) if threads <= cores for b in (1024, 8192)]
    return [step_rate(task, b, threads, seconds, repeats) for b, threads in cells]
