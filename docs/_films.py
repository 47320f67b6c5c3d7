"""Plays and draws the episodes that the pages show: `python docs/_films.py`.

A slow test compares them with the code.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import paymaster
from paymaster.analysis.render import open_leader, render
from paymaster.worlds.games import GAMES

HERE = Path(__file__).resolve().parent
FILMS = HERE / "films"
SEED, WIDTH = 6, 720


def tasks() -> Iterator[str]:
    """Yield the tasks that have a film: all of the package's, and the taxi world."""
    sys.path.append(str(HERE / "examples"))
    from taxi_world import Taxi

    yield from (task.name for task in paymaster.tasks() if task.name not in GAMES)
    paymaster.register("taxi", Taxi, num_goals=6)
    yield "taxi"


def main() -> None:
    """Writes docs/films/TASK.gif."""
    FILMS.mkdir(exist_ok=True)
    for task in tasks():
        env, leader, title = open_leader("full_information", task, SEED)
        render(env, leader, title, FILMS / f"{task}.gif", width=WIDTH)


if __name__ == "__main__":
    main()
