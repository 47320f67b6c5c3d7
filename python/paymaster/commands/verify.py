"""paymaster verify."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from annotated_types import Interval
from rich.console import Console

from paymaster.terminal.printing import say
from paymaster.verification.names import ANSWERS, AnswerName, VerifyScale

__all__ = ["Verify"]


@dataclass(frozen=True)
class Verify:
    """Compare exact solvers, and leaders that learn, with games whose best leader is known.

    Prints a line for each known answer: ours, the exact one, the published one with its source, and the verdict. Exact
    lines are computed each time, in seconds; leaders are trained, five seeds each, unless they are there already:
    started again after it was stopped or killed, it goes on. Writes the table into OUT/known_answers.md. Fails where an
    exact line differs; that a leader has not learned an answer is a result.

    Attributes:
        name: of a game with a known answer, or all of them; k_implementation: promises that make a joint action
            dominant.
        scale: "small" trains for 10,000 episodes in the two smaller escape rooms, in under ten minutes on two cores;
            "full" for 50,000, as published, in all four.
        jobs: runs at a time; by default one a core.
        out: directory; by default runs/verify-SCALE.
        exact_only: train nothing; compute the exact lines.
    """

    name: tyro.conf.Positional[AnswerName | Literal["all"]] = "all"
    scale: VerifyScale = "small"
    jobs: Annotated[int, Interval(ge=1, le=1_024)] | None = None
    out: Path | None = None
    exact_only: bool = False

    def run(self, console: Console) -> None:
        """Computes, trains and prints. Raises ValueError where an exact line differs."""
        from paymaster.verification.verify import verify

        names = ANSWERS if self.name == "all" else (self.name,)
        out = self.out or Path("runs") / f"verify-{self.scale}"
        lines = verify(names, self.scale, self.jobs, out, console, train=not self.exact_only)
        say(console, f"table: {out / 'known_answers.md'}")
        differing = [line for line in lines if not (line.learned or line.holds)]
        if differing:
            first = differing[0]
            raise ValueError(
                f"{first.answer}: {first.quantity}: expected {first.exact}, got {first.ours}; {len(differing)} exact "
                "lines differ in all"
            )
