"""What the benches of leaders share: the games they play, and results as lines of JSON that grow run by run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def append(path: Path, row: dict[str, Any]) -> None:
    """Adds a row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")
