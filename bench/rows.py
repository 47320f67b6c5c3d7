"""What the benches of leaders share: the games they play, and results as lines of JSON that grow run by run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from paymaster.validation.ranges import parse_json

GAMES = {
    "RC completion": ("resource_collection", "completion"),
    "RC advance": ("resource_collection", "advance"),
    "MB completion": ("multi_bonus_resource_collection", "completion"),
    "MB advance": ("multi_bonus_resource_collection", "advance"),
    "navigation": ("navigation", "advance"),
    "predator_prey": ("predator_prey", "advance"),
}
EVALUATED = 1_000


def stored(path: Path) -> list[dict[str, Any]]:
    """The rows that are there."""
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [parse_json(line, f"{path}: line {number}") for number, line in enumerate(lines, start=1)]
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise ValueError(f"{path}: line {number}: expected a JSON object, got {type(row).__name__}")
    return rows


def append(path: Path, row: dict[str, Any]) -> None:
    """Adds a row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")
