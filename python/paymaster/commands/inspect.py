"""paymaster inspect."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import tyro
from rich.console import Console

from paymaster.commands.options import Games, GamesSeed
from paymaster.terminal.printing import say

__all__ = ["Inspect"]


@dataclass(frozen=True)
class Inspect:
    """Look inside a trained leader: attention, termination, predicted against real actions, acceptance, option lengths,
    entropy. Writes inspection.json and inspection.png into the run directory.

    Attributes:
        run_directory: of a trained leader.
        episodes: to play, sampled.
        seed: of the games; none of them is one that training saw.
        out: another directory for the two files.
    """

    run_directory: tyro.conf.Positional[Path]
    episodes: Games = 200
    seed: GamesSeed = 0
    out: Path | None = None

    def run(self, console: Console) -> None:
        """Plays, looks and writes."""
        from paymaster.analysis.inspection import inspect_run
        from paymaster.analysis.inspection_plot import plot_inspection
        from paymaster.storage.atomic import write_text
        from paymaster.storage.run_directory import holds_run

        if not holds_run(self.run_directory):
            raise ValueError(f"run_directory: expected a trained leader's, got {str(self.run_directory)!r}")
        out = self.out or self.run_directory
        if not out.is_dir():
            raise ValueError(f"out: expected a directory, got {str(out)!r}")
        inspection = inspect_run(self.run_directory, self.episodes, self.seed)
        write_text(out / "inspection.json", json.dumps(inspection.to_json(), indent=2) + "\n")
        plot_inspection(inspection, out / "inspection.png")
        say(console, f"wrote {out / 'inspection.json'} and {out / 'inspection.png'}")
