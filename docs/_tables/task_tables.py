"""The tables of the task pages: parameters as the core knows them, gains of the scripted leaders as stored."""

from __future__ import annotations

import json
import re
from functools import cache, partial
from pathlib import Path
from typing import Any

from cells import table

import paymaster
from paymaster import _core
from paymaster.envs.tasks import parameter_meanings
from paymaster.rendering.palette import goal_letter
from paymaster.scripted import SCRIPTED
from paymaster.scripted.told_best import RULES
from paymaster.worlds.games import GAMES

GAINS = Path(__file__).resolve().parents[2] / "bench" / "scripted.json"  # written by bench/scripted.py
PRESETS = GAINS.with_name("presets.json")  # written by bench/presets.py
PAYMENTS = ("completion", "advance")
IN_CPP = [task for task in paymaster.tasks() if task.name not in GAMES]  # games have a page of their own


@cache
def gains() -> dict[tuple[str, str, str], tuple[float, float]]:
    """Return (task, payment rule, scripted leader) -> mean gain and half of its 95 % interval."""
    rows = json.loads(GAINS.read_text("utf-8"))
    return {(row["task"], row["payment"], row["leader"]): (row["gain"], row["ci95"]) for row in rows}


def expected(task: str, name: str, default: Any) -> str:
    """Return what a parameter's error message says is expected, as a cell."""
    if name == "map":
        return "text of `#` and `.`"
    wrong: Any = -1e9 if isinstance(default, float) else -(10**9) if type(default) is int else "?"
    if isinstance(default, bool):
        wrong = 2
    if isinstance(default, list):
        wrong = [-1e9] * {entry.name: entry for entry in paymaster.tasks()}[task].parameters["num_bonuses"]
    try:
        paymaster.make_vec(task, **{name: wrong})
    except (TypeError, ValueError) as error:
        said = re.search(r"expected (?:a value in )?(.*), got", str(error))
        if said is None:
            raise
        if isinstance(default, bool):
            return "`True` or `False`"
        return said[1].replace("'", "`").replace("9223372036854775807", "2⁶³ - 1").replace("1e+06", "1,000,000")
    raise AssertionError(f"{task}: {name}={wrong} was accepted")


def parameters(task: paymaster.Task) -> list[str]:
    """Return a line for each parameter: default, range, meaning."""
    meanings = parameter_meanings()
    rows = [
        (f"`{name}`", f"`{default!r}`", expected(task.name, name, default), meanings[name])
        for name, default in task.parameters.items()
    ]
    rows.append(("`population`", "drawn", "a dict of arrays", meanings["population"]))
    return table(("parameter", "default", "range", "meaning"), rows)


def scripted(task: str) -> list[str]:
    """Return a line for each payment rule: the upper bound, and the scripted leaders' gains."""
    leaders = ("upper_bound", *reversed(SCRIPTED))
    rows = []
    for payment in PAYMENTS:
        cells = [gains()[task, payment, leader] for leader in leaders]
        rows.append((f"`{payment}`", *(f"{mean:.2f} ± {half:.2f}" for mean, half in cells)))
    names = ("upper bound", *(f"`{leader}`" for leader in leaders[1:]))
    return table(("payment", *names), rows)


def overview() -> list[str]:
    """Return a line for each task."""
    rows = []
    for task in IN_CPP:
        of = task.parameters
        reservation = f"1 to {of['max_reservation']}" if of["max_reservation"] > 1 else "1"
        rows.append(
            (
                f"[`{task.name}`]({task.name}.md)",
                "crafting" if "crafting" in task.name else "grid" if "map" in of else "plane",
                of["horizon"],
                of["num_bonuses"],
                reservation,
                f"{of['skills_per_follower']} of {of['num_goals']}",
                f"`{of['payment']}`",
            )
        )
    return table(("task", "world", "steps", "bonus levels", "reservation", "skills", "payment"), rows)


def expensive() -> list[str]:
    """Return a line for each candidate preset and payment rule, those that separate leaders most first."""
    rows = []
    for row in json.loads(PRESETS.read_text("utf-8")):
        bound, told = row["upper_bound"], max(row[rule] for rule in RULES)
        hold = row["nearest_hold"]
        shares = (f"{hold / bound:.2f}", f"{told / bound:.2f}", f"{(told - hold) / bound:.2f}", f"{bound:.1f}")
        rows.append((row["preset"], f"`{row['payment']}`", f"{row['random']:.1f}", *shares))
    rows.sort(key=lambda cells: -float(cells[-2]))
    return table(("preset", "payment", "`random`", "`nearest_hold`", "`told_best`", "separation", "upper bound"), rows)


def recipes() -> list[str]:
    """Return a line for each item of the crafting world, as the core has them."""
    items = _core.CRAFTING_RECIPES
    top = [item for item in items if not any(item in parts for parts in items.values())]
    rows = [
        (
            f"{item} ({goal_letter(item)})",
            " + ".join(f"{part} ({goal_letter(part)})" for part in parts),
            f"row {_core.CRAFTING_STATIONS[item][0]}, column {_core.CRAFTING_STATIONS[item][1]}",
            "top-level" if item in top else "intermediate",
        )
        for item, parts in items.items()
    ]
    return table(("item", "made of", "station", ""), rows)


TABLES = {"tasks": overview, "recipes": recipes, "expensive coordination": expensive}
for _task in IN_CPP:
    TABLES[f"parameters of {_task.name}"] = partial(parameters, _task)
    TABLES[f"scripted leaders on {_task.name}"] = partial(scripted, _task.name)
