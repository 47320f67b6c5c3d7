"""The tables of the performance page that are made from stored measurements."""

from __future__ import annotations

import itertools
import json
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


TABLES = {"instructions": instructions, "growth": growth}
