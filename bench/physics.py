"""Steps per second of the particle physics alone, float64 against float32: `python bench/physics.py`.

B worlds of N followers, M preys and two obstacles, bodies as in predator_prey, random actions; no game around them.
CPU time of this thread, medians over repetitions.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from paymaster import _core
from paymaster.terminal.markdown import markdown_table

WORLDS, STEPS, REPEATS = 1024, 50, 7


def rate(kind: type[_core.ParticleWorld], followers: int, preys: int, obstacles: int) -> float:
    """World steps per second."""
    counts = (followers, preys, obstacles)
    bodies = sum(counts)
    world = kind(
        num_worlds=WORLDS,
        size=np.repeat([0.075, 0.05, 0.2], counts),
        acceleration=np.repeat([3.0, 3.0, 0.0], counts),
        max_speed=np.repeat([1.0, 0.975, np.inf], counts),
        movable=np.repeat([True, True, False], counts),
        collides=np.full(bodies, True),
    )
    random = np.random.default_rng(0)
    half = max(1.0, (followers / 4) ** 0.5)
    rates = []
    for _ in range(REPEATS):
        world.set(random.uniform(-half, half, (WORLDS, bodies, 2)), np.zeros((WORLDS, bodies, 2)))
        actions = random.integers(0, 5, (WORLDS, bodies))
        start = time.thread_time()
        for _ in range(STEPS):
            world.step(actions)
        rates.append(WORLDS * STEPS / (time.thread_time() - start))
    return statistics.median(rates)


def main() -> None:
    rows = []
    for counts in ((4, 0, 0), (4, 6, 2), (16, 16, 2), (64, 64, 2)):
        exact, rough = (rate(kind, *counts) for kind in (_core.ParticleWorld, _core.ParticleWorld32))
        rows.append((*counts, f"{exact:,.0f}", f"{rough:,.0f}", f"{rough / exact:.2f}"))
    headings = ("followers", "preys", "obstacles", "float64, steps/s", "float32, steps/s", "ratio")
    print(markdown_table(headings, rows), end="")


if __name__ == "__main__":
    main()
