"""paymaster reproduce."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from annotated_types import Interval
from rich.console import Console

from paymaster.reproduction.names import FIGURE_NAMES, EngineName, FigureName, ScaleName
from paymaster.storage.atomic import write_text
from paymaster.terminal.printing import say

__all__ = ["Reproduce"]


@dataclass(frozen=True)
class Reproduce:
    """Run the paper's experiments, and ours, and say of each claim: holds, does not hold, undecided.

    A figure or table becomes runs, each made once however many figures it belongs to. What is there is not run again:
    started again after it was stopped or killed, it goes on (after a change of the code give another --out). Ends by
    writing NAME.md (claims, numbers with intervals, verdicts), NAME.png and NAME.csv for each figure, and for all of
    them report.md.

    Attributes:
        name: of the paper's figures and tables, fig3 to number-of-followers, or all of them; or of ours. leaders: all
            of them beside each other; tuning: each with the same choice of settings; generalisation: games it was not
            trained in; prediction: what the follower-aware module foresees; termination: what a learned one is worth
            among strangers; frozen-leader: followers that learn against one that does not; broken-contracts: payment
            and exploration of learning followers; ten-times: more training.
        scale: "smoke" takes minutes and shows that the machinery works; "cpu" (5,000 episodes a run) takes, for
            all, about four hours on two cores; "paper" (250,000) is for a GPU.
        seeds: of training, from 0 up; by default 5, 2 at smoke.
        jobs: runs at a time; by default one a core, with Ray one a CPU of the cluster.
        out: directory; by default runs/reproduce-SCALE. With Ray on several nodes, one that all of them see.
        engine: "local" is processes of this machine; "ray" (pip install 'paymaster[ray]') can have other machines too.
        address: of a Ray that runs already: "auto", or HOST:PORT; by default one is started on this machine.
        write_tuned: with tuning, a file for each leader's best settings; the package has its own in
            algorithms/tuned.json.
    """

    name: tyro.conf.Positional[FigureName | Literal["all"]]
    scale: ScaleName = "cpu"
    seeds: Annotated[int, Interval(ge=1, le=1_000)] | None = None
    jobs: Annotated[int, Interval(ge=1, le=1_024)] | None = None
    out: Path | None = None
    engine: EngineName = "local"
    address: str | None = None
    write_tuned: Path | None = None

    def run(self, console: Console) -> None:
        """Runs, draws and judges."""
        from paymaster.reproduction.ours import tuned_by
        from paymaster.reproduction.reproduce import reproduce
        from paymaster.reproduction.results import Results
        from paymaster.reproduction.scales import SCALES

        if self.write_tuned is not None and self.name != "tuning":
            raise ValueError(f"write_tuned: expected none but with tuning, got one with {self.name}")

        scale = SCALES[self.scale]
        names = FIGURE_NAMES if self.name == "all" else (self.name,)
        seeds = self.seeds or scale.seeds
        out = self.out or Path("runs") / f"reproduce-{self.scale}"
        report = reproduce(names, scale, seeds, self.jobs, out, console, engine=self.engine, address=self.address)
        say(console, f"report: {report}")
        if self.write_tuned is not None:
            write_text(self.write_tuned, json.dumps(tuned_by(Results(out, scale, seeds)), indent=2) + "\n")
