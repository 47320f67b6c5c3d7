"""The tasks by world, for tests that hold in all of them."""

from __future__ import annotations

from typing import Any

import paymaster
from paymaster.worlds.games import GAMES

IN_CPP = [task for task in paymaster.tasks() if task.name not in GAMES]  # games have files of tests of their own
TASKS = [task.name for task in IN_CPP]
CRAFTING = [name for name in TASKS if "crafting" in name]
GRIDS = [task.name for task in IN_CPP if "map" in task.parameters and task.name not in CRAFTING]
PARTICLES = [name for name in TASKS if name not in (*GRIDS, *CRAFTING)]
FIXED_IN_CRAFTING = ("num_goals", "skills_per_follower", "preference_among_skills", "new_preferences")
_OF_OTHERS = ("map", "goal_reward", "prices", *FIXED_IN_CRAFTING)


def by_utility(task: str) -> dict[str, Any]:
    """Parameters under which followers decide in the crafting world as in all others, and no price is 0."""
    return {"decision": "utility", "prices": [1, 2, 3, 4, 5][: 5 if "multi" in task else 3]} if task in CRAFTING else {}


def fitting(task: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """A grid's parameters for this task: in the plane there is no map, and goals are called targets; in the crafting
    world there is one number of goal types, and materials for two top-level items."""
    if task in GRIDS:
        return parameters
    if task in CRAFTING:
        own = {name: value for name, value in parameters.items() if name not in _OF_OTHERS}
        if "num_resources" in own:
            own["num_resources"] = min(max(8, own["num_resources"]), 50)
        if "population_size" in own:
            own["population_size"] = max(own["population_size"], own.get("num_followers", 8))
        if "num_bonuses" in own:
            own["prices"] = list(range(own["num_bonuses"]))
        return own
    renamed = {"num_resources": "num_targets"}
    return {renamed.get(name, name): value for name, value in parameters.items() if name != "map"}
