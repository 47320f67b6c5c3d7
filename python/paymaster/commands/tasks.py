"""paymaster tasks."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tyro
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from paymaster.terminal.printing import TableLayout, print_layout, say

if TYPE_CHECKING:
    from paymaster.envs.tasks import Task

__all__ = ["Tasks"]


@dataclass(frozen=True)
class Tasks:
    """List the tasks and their parameters.

    Attributes:
        worlds: tasks and worlds of your own to list beside, each as module:Class or a file.
        json: print JSON instead of a table.
    """

    worlds: tyro.conf.Positional[tuple[str, ...]] = ()
    json: bool = False

    def run(self, console: Console) -> None:
        """Prints."""
        from paymaster.envs.tasks import parameter_meanings, tasks
        from paymaster.worlds.registration import find

        named = [find(world) for world in self.worlds]
        presets = tasks()
        for world in named:
            if world not in [task.name for task in presets]:
                raise ValueError(f"worlds: expected module:Class, or the name of an installed one, got {world!r:.80}")
        if self.json:
            print(json.dumps([_with_null(dataclasses.asdict(task)) for task in presets], allow_nan=False))
            return
        for task in presets:
            say(console, f"{task.name}: {task.meaning}")
        say(console, "")
        title = "parameters: make_vec(task, name=value)"
        meanings = parameter_meanings()
        rows = [
            (name, *(str(task.parameters.get(name, "")) for task in presets), meaning)
            for name, meaning in meanings.items()
        ]
        layout = TableLayout(("name", *(task.name.replace("_", "\n") for task in presets), "meaning"), rows)
        if layout.fits(console):
            print_layout(console, title, layout)
            return
        say(console, title)
        for name, meaning in meanings.items():
            console.print(Text(f"{name}: {meaning}"))
            for value, names in _by_value(name, presets).items():
                console.print(Padding(Text(f"{value} ({', '.join(names)})"), (0, 0, 0, 4)))


def _with_null(task: dict[str, Any]) -> dict[str, Any]:
    """A limit that is none, inf, as null: JSON has no infinity."""
    parameters = {name: None if value == math.inf else value for name, value in task["parameters"].items()}
    return {**task, "parameters": parameters}


def _by_value(name: str, presets: Sequence[Task]) -> dict[str, list[str]]:
    """Each value that an option has -> the tasks that have it."""
    values: dict[str, list[str]] = {}
    for task in presets:
        if name in task.parameters:
            values.setdefault(str(task.parameters[name]) or "''", []).append(task.name)
    return {value: ["all"] if len(names) == len(presets) else names for value, names in values.items()}
