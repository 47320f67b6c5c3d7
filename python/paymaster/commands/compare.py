"""paymaster compare."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro
from annotated_types import Interval
from rich.console import Console

from paymaster.commands.options import GamesSeed, expanded, with_map
from paymaster.terminal.printing import say
from paymaster.training.config import TaskParameters

__all__ = ["Compare"]


@dataclass(frozen=True)
class Compare:
    """Compare leaders on the same games: gain, paired difference to the first, interquartile mean, how likely each is
    better; with 95 % intervals. Where they are rewarded for another objective, they are compared by that.

    Attributes:
        leaders: at least two: run directories, folders that hold some, scripted leaders' names, module:Class of your
            own. Runs that differ in nothing but seed and task are one leader. NAME=DIR gives a label.
        task: tasks to play; by default those that the runs were trained on.
        episodes: to play, the same for all.
        seed: of the games; none of them is one that training saw.
        baseline: label of the leader to compare with; by default the first.
        greedy: trained leaders' most likely offers instead of draws.
        population: run directory whose followers, which learned there, play; by default each run's own.
        parameters: of the task, in place of those of the training runs, or of its own, for all leaders.
        plot: draw it into this .png file.
        json: print one JSON object instead of tables.
    """

    leaders: tyro.conf.Positional[tuple[str, ...]]
    task: tuple[str, ...] = ()
    episodes: Annotated[int, Interval(ge=2, le=100_000)] = 1_000
    seed: GamesSeed = 0
    baseline: str | None = None
    greedy: bool = False
    population: Path | None = None
    parameters: Annotated[TaskParameters, tyro.conf.arg(name="")] = field(default_factory=dict)
    plot: Path | None = None
    json: bool = False

    def run(self, console: Console) -> None:
        """Plays, compares and prints."""
        from paymaster.analysis.compare import compare
        from paymaster.analysis.tables import print_comparison

        if self.plot is not None and self.plot.suffix.lower() != ".png":
            raise ValueError(f"plot: expected a file name that ends in .png, got {str(self.plot)!r:.80}")
        if self.plot is not None and not self.plot.parent.is_dir():
            raise ValueError(f"plot: expected a file in a directory that exists, got {str(self.plot)!r:.80}")
        comparison = compare(
            self._labelled(),
            self.task,
            episodes=self.episodes,
            seed=self.seed,
            baseline=self.baseline,
            greedy=self.greedy,
            parameters=with_map(self.parameters),
            population=self.population,
        )
        if self.json:
            print(json.dumps(comparison.to_json()))
        else:
            print_comparison(console, comparison)
        if self.plot is not None:
            from paymaster.analysis.comparison_plot import plot_comparison

            plot_comparison(comparison, self.plot)
            if not self.json:
                say(console, f"wrote {self.plot}")

    def _labelled(self) -> Any:
        """The leaders as :func:`paymaster.compare` takes them: a mapping where one of them has a label."""
        given = [_label_of(text) for text in self.leaders]
        if all(label is None for label, _ in given):
            return [who for _, who in given]
        labelled: dict[str, list[str]] = {}
        for label, who in given:
            labelled.setdefault(label or who, []).append(who)
        return labelled


def _label_of(text: str) -> tuple[str | None, str]:
    """Split NAME=DIR; a directory whose own name holds a "=" is one."""
    label, given, who = text.partition("=")
    if not given or Path(text).expanduser().exists() or "/" in label:
        return None, expanded(text)
    if not label or not who:
        raise ValueError(f"leaders: expected NAME=DIR, got {text!r:.80}")
    return label, expanded(who)
