"""Stored rows and reports of bench/, and how they become cells."""

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

BENCH = Path(__file__).resolve().parents[2] / "bench"
PAPER = BENCH / "paper"
GAMES = {name: (game.task, str(game.payment)) for name, game in OF_THE_PAPER.items()}
"""Name -> task and payment rule."""
GRID = tuple(GAMES)[:4]
"""The games of the paper's regime."""
ALL_BUT_TWO = (*GRID, "navigation", "predator_prey")
"""The names in bench/followers and in tuning, where games in the plane are paid in advance."""
COMPARED = ("ebpg-expiring", "ebpg", "no-ebpg", "no-attention", "m3rl")
NOT_MEASURED = ""


@cache
def numbers(figure: str) -> list[dict[str, str]]:
    """Return the rows of a figure's CSV file."""
    with (PAPER / f"{figure}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def over_seeds(figure: str, digits: int = 2, **where: str) -> str:
    """Return mean ± 95 % over seeds (Student's t) of the only row with these values; empty where it has no number."""
    rows = [row for row in numbers(figure) if all(row[name] == value for name, value in where.items())]
    if not rows:
        return NOT_MEASURED
    (row,) = {(row["game"], row["values"]): row for row in rows}.values()
    return mean_of((value for value in map(float, row["values"].split()) if not math.isnan(value)), digits)


@cache
def stored(name: str) -> list[dict[str, Any]]:
    """Return the rows of a file of JSON lines in bench."""
    return [json.loads(line) for line in (BENCH / name).read_text("utf-8").splitlines()]


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
