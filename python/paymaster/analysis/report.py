"""What runs leave for people: a table of the leaders beside the references, and learning curves."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from paymaster.analysis.evaluate import evaluate_run, evaluate_scripted
from paymaster.analysis.tables import print_evaluations
from paymaster.scripted import SCRIPTED
from paymaster.terminal.printing import say
from paymaster.training.config import TrainConfig
from paymaster.training.measures import rewarded

__all__ = ["report_runs"]


def report_runs(
    runs: Sequence[tuple[TrainConfig, Path]], episodes: int, console: Console, *, every: bool = False
) -> None:
    """Evaluates the runs' leaders and the references on the same task, prints the table, draws the curves.

    Args:
        runs: configuration and run directory of each, which gets ``learning_curve.png``; alike but for their seed.
        episodes: for each evaluation; 0 draws the curves alone.
        console: where the table goes.
        every: all measures in the table, however narrow the terminal.
    """
    config, first = runs[0]
    references: dict[str, float] = {}
    if episodes > 0:
        # Its run directory's name would leave the table no room.
        trained = [
            dataclasses.replace(
                evaluate_run(out, episodes),
                leader=f"{one.leader}, trained" if len(runs) == 1 else f"{one.leader}, trained, seed {one.seed}",
            )
            for one, out in runs
        ]
        evaluations = [
            evaluate_scripted(
                name,
                config.task,
                episodes,
                parameters=config.parameters,
                population=first if config.followers_learn else None,
                beside=first,
            )
            for name in SCRIPTED
        ]
        references = {e.leader: float(e.returns.mean()) for e in evaluations}
        title = f"{config.task}, {episodes} episodes that training did not see, traits hidden from the trained leader"
        print_evaluations(console, title, [*trained, *evaluations], every=every)
    for one, out in runs:
        _draw_curve(one, out, references, console)


def _draw_curve(config: TrainConfig, out: Path, references: Mapping[str, float], console: Console) -> None:
    """Draws a run's learning curve, or says why it could not: the run is done and its numbers are there."""
    curve = out / "learning_curve.png"
    try:
        from paymaster.analysis.learning_curve import plot_learning_curve  # here: matplotlib may be broken

        plot_learning_curve(
            out / "metrics.jsonl",
            curve,
            references,
            title=config.task,
            leader=config.leader,
            measure=rewarded(config),
        )
    except Exception as error:
        say(console, f"warning: no learning curve: {type(error).__name__}: {error}")
    else:
        say(console, f"learning curve: {curve}")
