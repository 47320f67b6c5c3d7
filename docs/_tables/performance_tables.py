"""The tables of the performance page that are made from stored measurements."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from cells import table

BENCH = Path(__file__).resolve().parents[2] / "bench"
GROWS = {"N": "followers", "B": "games", "G": "goal types", "side": "side of the map", "T": "horizon"}


def instructions() -> list[str]:
    """Return instructions a step, by compiler; written by bench/instructions.py --update."""
    stored: dict[str, dict[str, int]] = json.loads((BENCH / "instructions.json").read_text("utf-8"))
    tasks = list(dict.fromkeys(task for counts in stored.values() for task in counts))
    rows = [(task, *(f"{counts[task]:,}" if task in counts else "-" for counts in stored.values())) for task in tasks]
    return table(("task", *stored), rows)


def growth() -> list[str]:
    """Return the cost of a step as one thing grows; written by bench/growth.py."""
    stored: list[dict[str, Any]] = json.loads((BENCH / "growth.json").read_text("utf-8"))
    rows = []
    for (task, what), cells in itertools.groupby(stored, key=lambda row: (row["task"], row["grows"])):
        sizes, costs = zip(*((cell["size"], cell["microseconds"]) for cell in cells), strict=True)
        slope = float(np.log(costs[-1] / costs[-2]) / np.log(sizes[-1] / sizes[-2]))
        shown = ", ".join(f"{size:,}: {cost:.2f}" for size, cost in zip(sizes, costs, strict=True))
        rows.append((f"`{task}`", GROWS[what], shown, f"{slope:.2f}"))
    return table(("task", "what grows", "microseconds a step at each size", "exponent of the last doubling"), rows)


def train_peers() -> list[str]:
    """Return rates of training and times to full information's gain, ours and others'; bench/train_peers.py."""
    lines = (BENCH / "train_peers.jsonl").read_text("utf-8").splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    cells = []
    for game in dict.fromkeys(row["game"] for row in rows):
        of_game = [row for row in rows if row["game"] == game]
        ours = float(np.median([_cpu_seconds(row) for row in of_game if row["learner"] == "ours"]))
        for learner in dict.fromkeys(row["learner"] for row in of_game):
            runs = [row for row in of_game if row["learner"] == learner]
            sooner = float(np.median([_cpu_seconds(row) for row in runs])) / ours
            least = "" if all(row["reached"] for row in runs) else "> "
            cells.append(
                (
                    f"{game}, {runs[0]['level']:.2f}",
                    learner,
                    f"{runs[0]['weights']:,}",
                    runs[0]["settings"],
                    len(runs),
                    f"{np.median([row['steps'] / row['cpu_seconds'] for row in runs]):,.0f}",
                    _reached(runs, "cpu_seconds"),
                    _reached(runs, "wall_seconds"),
                    _reached(runs, "episodes"),
                    "" if learner == "ours" else f"{least}{sooner:,.0f}",
                    _gain_in_the_end(runs),
                )
            )
    head = (
        "game, level",
        "learner",
        "weights",
        "an update",
        "seeds",
        "steps per CPU second",
        "CPU seconds to the level",
    )
    return table((*head, "seconds by the clock", "episodes", "over ours", "gain in the end"), cells)


def _cpu_seconds(run: dict[str, Any]) -> float:
    """Return the CPU seconds to the level; of a run that has not reached it, all it had."""
    return float(run["reached"]["cpu_seconds"] if run["reached"] else run["cpu_seconds"])


def _reached(runs: Sequence[dict[str, Any]], what: str) -> str:
    """Return median, lowest and highest of what runs took to the level; ">" where one has not reached it."""
    if not all(run["reached"] for run in runs):
        return "> " + ", ".join(f"{run[what]:,.0f}" + (" (cut short)" if run["cut"] else "") for run in runs)
    took = [run["reached"][what] for run in runs]
    digits = 0 if what == "episodes" else 2
    if len(took) == 1:
        return f"{took[0]:,.{digits}f}"
    return f"{np.median(took):,.{digits}f} ({min(took):,.{digits}f} to {max(took):,.{digits}f})"


def _gain_in_the_end(runs: Sequence[dict[str, Any]]) -> str:
    """Return the mean gain of the last 256 episodes of each run."""
    return ", ".join(f"{run['last_gain']:.1f}" for run in runs)


TABLES = {"instructions": instructions, "growth": growth, "train peers": train_peers}
