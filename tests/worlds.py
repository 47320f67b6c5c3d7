"""The tasks by world, for tests that hold in all of them."""

from __future__ import annotations

from typing import Any

import paymaster

TASKS = [task.name for task in paymaster.tasks()]
GRIDS = [task.name for task in paymaster.tasks() if "map" in task.parameters]
PARTICLES = [name for name in TASKS if name not in GRIDS]


def fitting(task: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """A grid's parameters for this task: in the plane there is no map, and goals are called targets."""
    if task in GRIDS:
        return parameters
    renamed = {"num_resources": "num_targets"}
    return {renamed.get(name, name): value for name, value in parameters.items() if name != "map"}
