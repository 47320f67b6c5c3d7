"""paymaster diagnose."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from annotated_types import Interval
from rich.console import Console

from paymaster.commands.options import GamesSeed
from paymaster.terminal.printing import print_table

__all__ = ["Diagnose"]


@dataclass(frozen=True)
class Diagnose:
    """How near a leader and its followers are to an equilibrium: what a follower could gain by answering better (its
    regret), what the leader would lose by that, what it spends by completed contract, which offers are accepted.

    Attributes:
        run_directory: of a trained leader.
        population: another run directory, whose followers, which learned there, play.
        episodes: of each evaluation; the same games each time.
        retrain: episodes in which challengers, one in each game, learn to answer better, 2,000 unless given; for
            followers that learned.
        seed: of the games; none of them is one that training saw.
        json: print one JSON object instead of a table.
    """

    run_directory: tyro.conf.Positional[Path]
    population: Path | None = None
    episodes: Annotated[int, Interval(ge=2, le=100_000)] = 1_000
    retrain: Annotated[int, Interval(ge=0, le=10**9)] | None = None
    seed: GamesSeed = 0
    json: bool = False

    def run(self, console: Console) -> None:
        """Diagnoses and prints."""
        from paymaster.analysis.equilibrium import diagnose_run
        from paymaster.storage.run_directory import holds_run
        from paymaster.training.setup import stored_config

        if not holds_run(self.run_directory):
            raise ValueError(f"run_directory: expected a trained leader's, got {str(self.run_directory)!r}")
        learned = self.population is not None or stored_config(self.run_directory).followers_learn
        if self.retrain is not None and not learned:
            raise ValueError(f"retrain: expected it only for followers that learned, got {self.retrain}")
        retrain = 2_000 if self.retrain is None else self.retrain
        d = diagnose_run(self.run_directory, self.episodes, retrain, self.seed, population=self.population)
        if self.json:
            print(json.dumps(d.to_json()))
            return
        rows = [
            ("leader's gain", f"{d.gain:.2f}"),
            ("payments by completed contract", f"{d.spend:.2f}"),
            ("a follower's reward", f"{d.follower_reward:.2f}"),
            ("a follower's incentive", f"{d.incentive:.2f}"),
        ]
        rows += [(f"offers of bonus {level + 1} accepted", f"{share:.0%}") for level, share in enumerate(d.acceptance)]
        if d.regret is not None and d.loss is not None:
            rows.append((f"a follower's regret ({d.retrained:,} episodes)", f"{d.regret:.2f}"))
            rows.append(("leader's loss if all answered better", f"{d.loss:.2f}"))
        title = f"{d.task}, followers: {d.followers}, {d.episodes} episodes"
        print_table(console, title, ("measure", ""), rows, caption="means per episode ± 95 % interval")
