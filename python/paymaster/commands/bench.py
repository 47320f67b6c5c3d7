"""paymaster bench."""

from __future__ import annotations

import json
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

__all__ = ["Bench"]


@dataclass(frozen=True)
class Bench:
    """Measure environment steps per second (each: N followers planned, moved and observed) on this machine.

    Attributes:
        task: name of a preset.
        seconds: least time of one repetition of one cell.
        repeats: repetitions; the table shows the median.
        json: print JSON instead of a table.
    """

    task: str = "resource_collection"
    seconds: float = 0.3
    repeats: int = 5
    json: bool = False

    def run(self, console: Console) -> None:
        """Measures and prints."""
        from paymaster.benchmark import step_rates

        if not 0 < self.seconds < 3600:
            raise ValueError(f"seconds: expected a value in (0, 3600), got {self.seconds}")
        if self.repeats < 1:
            raise ValueError(f"repeats: expected at least 1, got {self.repeats}")
        cells = step_rates(self.task, self.seconds, self.repeats)
        if self.json:
            print(json.dumps([cell.to_json() for cell in cells]))
            return
        table = Table(title=f"{self.task}: environment steps per second", title_justify="left")
        for heading in (
            "games",
            "threads",
            "steps/s",
            "lowest",
            "highest",
            "per CPU second",
            "against 1024 games, 1 thread",
        ):
            table.add_column(heading, justify="right")
        base = next(c.steps_per_second for c in cells if (c.num_envs, c.num_threads) == (1024, 1))
        for c in cells:
            rates = (f"{rate:,.0f}" for rate in (c.steps_per_second, c.lowest, c.highest, c.steps_per_cpu_second))
            table.add_row(str(c.num_envs), str(c.num_threads), *rates, f"{c.steps_per_second / base:.2f}")
        console.print(table)
