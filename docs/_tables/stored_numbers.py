"""Stored rows and reports of bench/paper, and how they become cells."""

from __future__ import annotations

import csv
import gzip
import json
import math
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from task_tables import gains

from paymaster.analysis.intervals import mean_ci95
from paymaster.reproduction.specs import GAMES as OF_THE_PAPER

PAPER = Path(__file__).resolve().parents[2] / "bench" / "paper"
GAMES = {name: (game.task, str(game.payment)) for name, game in OF_THE_PAPER.items()}
"""Name -> task and payment rule."""
GRID = tuple(GAMES)[:4]
"""The games of the paper's regime."""
COMPARED = ("ebpg-expiring", "ebpg", "no-ebpg", "no-attention", "m3rl")
NOT_MEASURED = ""


@cache
def numbers(figure: str) -> list[dict[str, str]]:
    """Return the rows of a figure's CSV file."""
    with (PAPER / f"{figure}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def values_of(figure: str, **where: str) -> list[float]:
    """Return the seeds' values in the only row with these fields; none where there is no row, or no number in it."""
    rows = [row for row in numbers(figure) if all(row[name] == value for name, value in where.items())]
    if not rows:
        return []
    (row,) = {(row["game"], row["values"]): row for row in rows}.values()
    return [value for value in map(float, row["values"].split()) if not math.isnan(value)]


def over_seeds(figure: str, digits: int = 2, **where: str) -> str:
    """Return the mean of :func:`values_of` ± 95 % over seeds (Student's t); empty where there is none."""
    return mean_of(values_of(figure, **where), digits)


@cache
def runs() -> list[dict[str, Any]]:
    """Return the stored training runs of the paper's figures."""
    lines = gzip.decompress((PAPER / "rows.jsonl.gz").read_bytes()).decode().splitlines()
    return [row for row in map(json.loads, lines) if "training" in row]


def mean_of(values: Iterable[float | None], digits: int = 2) -> str:
    """Return mean ± 95 % of those that are there, empty where there is none."""
    there = [value for value in values if value is not None]
    return f"{mean_ci95(there):.{digits}f}" if there else NOT_MEASURED


def full_information_gain(task: str, payment: str, leader: str = "full_information") -> float:
    """Return a scripted leader's mean gain."""
    return gains()[task, payment, leader][0]
