"""paymaster bench."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Interval
from rich.console import Console

from paymaster.terminal.printing import print_table

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
    seconds: Annotated[float, Interval(gt=0, lt=3_600)] = 0.3
    repeats: Annotated[int, Interval(ge=1, le=1_000)] = 5
    json: bool = False

    def run(self, console: Console) -> None:
        """Measures and prints."""
        from paymaster.analysis.step_rate import step_rates

        cells = step_rates(self.task, self.seconds, self.repeats)
        if self.json:
            print(json.dumps([cell.to_json() for cell in cells]))
            return
        base = next(c.steps_per_second for c in cells if (c.num_envs, c.num_threads) == (1024, 1))
        rows = []
        for c in cells:
            rates = (f"{rate:,.0f}" for rate in (c.steps_per_second, c.lowest, c.highest, c.steps_per_cpu_second))
            rows.append((str(c.num_envs), str(c.num_threads), *rates, f"{c.steps_per_second / base:.2f}"))
        relative = "against\n1024\ngames,\n1 thread"
        headings = ("games", "threads", "steps/s", "lowest", "highest", "per CPU\nsecond", relative)
        print_table(console, f"{self.task}: environment steps per second", headings, rows)
