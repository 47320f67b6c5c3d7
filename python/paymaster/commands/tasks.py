"""paymaster tasks."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

__all__ = ["Tasks"]


@dataclass(frozen=True)
class Tasks:
    """List the tasks and their parameters.

    Attributes:
        json: print JSON instead of a table.
    """

    json: bool = False

    def run(self, console: Console) -> None:
        """Prints."""
        from paymaster.envs.registry import option_meanings, tasks

        presets = tasks()
        if self.json:
            print(json.dumps([dataclasses.asdict(task) for task in presets]))
            return
        for task in presets:
            console.print(f"[bold]{task.name}[/bold]: {task.meaning}")
        table = Table(title="parameters: make_vec(task, name=value)", title_justify="left")
        table.add_column("name", no_wrap=True)
        for task in presets:
            table.add_column(task.name.replace("_", " "))
        table.add_column("meaning")
        for name, meaning in option_meanings().items():
            values = [task.parameters.get(name) for task in presets]
            table.add_row(name, *("" if value is None else str(value) for value in values), meaning)
        console.print(table)
