"""paymaster diagnose."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import tyro
from rich.console import Console
from rich.table import Table

__all__ = ["Diagnose"]


@dataclass(frozen=True)
class Diagnose:
    """How near a leader and its followers are to an equilibrium: what a follower could gain by answering better (its
    regret), what the leader would lose by that, what it spends by completed contract, which offers are accepted.

    Attributes:
        run_directory: of a trained leader.
        population: another run directory, whose followers, which learned there, play.
        episodes: of each evaluation; the same games each time.
        retrain: episodes in which challengers, one in each game, learn to answer better; for followers that learned.
        seed: of the games; none of them is one that training saw.
        json: print one JSON object instead of a table.
    """

    run_directory: tyro.conf.Positional[Path]
    population: Path | None = None
    episodes: int = 1_000
    retrain: int = 2_000
    seed: int = 0
    json: bool = False

    def run(self, console: Console) -> None:
        """Diagnoses and prints."""
        from paymaster.experiments.diagnosis import diagnose_run

        if not self.run_directory.is_dir():
            raise ValueError(f"run_directory: expected a trained leader's, got {str(self.run_directory)!r}")
        d = diagnose_run(self.run_directory, self.episodes, self.retrain, self.seed, population=self.population)
        if self.json:
            print(json.dumps(d.to_json()))
            return
        table = Table(
            title=f"{d.task}, followers: {d.followers}, {d.episodes} episodes",
            title_justify="left",
            caption="means per episode ± 95 % interval",
            caption_justify="left",
        )
        table.add_column("measure")
        table.add_column("", justify="right")
        table.add_row("leader's gain", f"{d.gain:.2f}")
        table.add_row("payments by completed contract", f"{d.spend:.2f}")
        table.add_row("a follower's reward", f"{d.follower_reward:.2f}")
        table.add_row("a follower's incentive", f"{d.incentive:.2f}")
        for level, share in enumerate(d.acceptance):
            table.add_row(f"offers of bonus {level + 1} accepted", f"{share:.0%}")
        if d.regret is not None and d.loss is not None:
            table.add_row(f"a follower's regret ({d.retrained:,} episodes)", f"{d.regret:.2f}")
            table.add_row("leader's loss if all answered better", f"{d.loss:.2f}")
        console.print(table)
