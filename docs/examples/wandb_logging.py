"""A training that logs to Weights & Biases, offline: `pip install wandb`, then

    python docs/examples/wandb_logging.py

`wandb sync wandb/offline-run-*` uploads it later; without mode="offline" it goes there at once.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import wandb

import paymaster
from paymaster.training.callbacks import Row, TrainingStart


class WandbLogging(paymaster.Callback):
    """Log every row of a run's metrics. A resumed run goes on in the same W&B run."""

    def __init__(self, project: str = "paymaster", mode: str = "offline") -> None:
        self.project, self.mode = project, mode

    def on_start(self, start: TrainingStart) -> None:
        self.run = wandb.init(
            project=self.project,
            mode=self.mode,
            id=f"{start.out.name}-seed{start.config.seed}",
            resume="allow",
            config=start.config.to_json(),
            dir=str(start.out),
        )

    def on_update(self, done: int, row: Row) -> None:
        self.run.log(dict(row), step=done)  # an evaluation's measures are in the same row

    def on_checkpoint(self, done: int, path: Path) -> None:
        self.run.summary["checkpoint"] = path.name

    def on_end(self, done: int) -> None:
        self.run.finish()


def main(episodes: int = 2_000, out: Path | None = None) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        config = paymaster.TrainConfig("resource_collection", episodes=episodes, evaluate_every=320)
        paymaster.train(config, out or Path(scratch) / "run", callbacks=[WandbLogging()])


if __name__ == "__main__":
    main()
