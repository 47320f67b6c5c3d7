"""Measures the cost of a step as the game grows: `python bench/growth.py`, numbers in growth.json and a picture.

One thing grows at a time, the others stay as the task has them: followers N, games B, goal types G, the map's side (on
the grid), the horizon T. Rule-based followers, observations written, called from Python, one thread; microseconds of
CPU per step of one game, medians over rounds that take the cells in turn, so that a busy machine treats them alike.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import tyro

from paymaster.analysis.step_rate import step_rate
from paymaster.validation.ranges import parse_json

HERE = Path(__file__).parent
TASKS = ("resource_collection", "navigation", "predator_prey")
GAMES = 1_000


def square(side: int) -> str:
    """A map of side x side free cells."""
    wall = "#" * (side + 2)
    return "\n".join([wall, *["#" + "." * side + "#"] * side, wall])


def cells(task: str) -> list[tuple[str, int, dict[str, Any]]]:
    """What grows, its size, parameters."""
    grid = task == "resource_collection"
    followers = [("N", n, {"num_followers": n, "population_size": max(40, n)}) for n in (1, 2, 4, 8, 16, 32, 64)]
    followers = followers[:5] if grid else followers  # 16 at most
    games = [("B", b, {"num_envs": b}) for b in (1, 8, 64, 512, 4096, 32768)]
    goals = [("G", g, {"num_goals": g, "skills_per_follower": min(3, g)}) for g in (1, 2, 4, 8)]
    sides = [("side", side, {"map": square(side)}) for side in (5, 9, 14, 22, 34, 62)] if grid else []
    horizons = [("T", t, {"horizon": t}) for t in (10, 30, 100, 1000)]
    return [*followers, *games, *goals, *sides, *horizons]


def measure(seconds: float, rounds: int) -> list[dict[str, Any]]:
    """A row a cell."""
    every = [(task, *cell, list[float]()) for task in TASKS for cell in cells(task)]
    for _ in range(rounds):
        for task, _, _, parameters, costs in every:
            changes = {"num_envs": GAMES, **parameters}
            rate = step_rate(task, num_threads=1, seconds=seconds, repeats=1, **changes)
            costs.append(1e6 / rate.steps_per_cpu_second)
    shown = {"microseconds": statistics.median, "lowest": min, "highest": max}
    return [
        {"task": task, "grows": what, "size": size, **{name: round(of(costs), 4) for name, of in shown.items()}}
        for task, what, size, _, costs in every
    ]


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """A panel for everything that grows."""
    figure, panels = plt.subplots(1, 5, figsize=(17, 3.6), dpi=110, layout="constrained")
    for panel, what in zip(panels, ("N", "B", "G", "side", "T"), strict=True):
        for task in TASKS:
            same = [row for row in rows if (row["task"], row["grows"]) == (task, what)]
            if same:
                panel.loglog([r["size"] for r in same], [r["microseconds"] for r in same], "o-", label=task, base=2)
        panel.set_title(what)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("microseconds of CPU per step of one game")
    panels[0].legend(fontsize=7)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def main(
    seconds: float = 0.1,
    rounds: int = 5,
    out: Path = HERE / "growth.json",
    picture: Path = HERE / "pictures" / "growth.png",
    table: bool = False,
) -> None:
    """Measure, store and draw.

    Args:
        seconds: least time of one measurement.
        rounds: measurements a cell.
        out: results.
        picture: the plots.
        table: draw what is there, and measure nothing.
    """
    if not table:
        out.write_text(json.dumps(measure(seconds, rounds), indent=0) + "\n")
    draw(parse_json(out.read_bytes(), str(out)), picture)
    print(f"{out}, {picture}: written; `python docs/_tables` writes the table of them")


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
