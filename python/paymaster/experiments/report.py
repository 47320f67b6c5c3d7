"""What a run leaves for people: a table of the leader beside the references, and its learning curve."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from rich.console import Console

from paymaster.experiments.config import TrainConfig
from paymaster.experiments.evaluate import evaluate_reference, evaluate_run
from paymaster.experiments.learning_curve import plot_learning_curve
from paymaster.experiments.tables import evaluation_table
from paymaster.references import REFERENCES

__all__ = ["report_run"]


def report_run(config: TrainConfig, out: Path, episodes: int, console: Console) -> None:
    """Evaluates the run's leader and the references on the same task, prints the table, draws the curve.

    Args:
        config: of the run.
        out: the run directory; gets ``learning_curve.png``.
        episodes: for each evaluation; 0 draws the curve alone.
        console: where the table goes.
    """
    references: dict[str, float] = {}
    if episodes > 0:
        # Its run directory's name would leave the table no room.
        trained = dataclasses.replace(evaluate_run(out, episodes), leader=f"{config.leader}, trained")
        evaluations = [
            evaluate_reference(
                name,
                config.task,
                episodes,
                options=config.options.options(),
                population=out if config.followers_learn else None,
            )
            for name in REFERENCES
        ]
        references = {e.leader: float(e.gain.mean()) for e in evaluations}
        title = f"{config.task}, {episodes} episodes that training did not see, traits hidden from the trained leader"
        console.print(evaluation_table([trained, *evaluations], title))
    curve = out / "learning_curve.png"
    plot_learning_curve(out / "metrics.jsonl", curve, references, title=config.task, leader=config.leader)
    console.print(f"learning curve: {curve}")
