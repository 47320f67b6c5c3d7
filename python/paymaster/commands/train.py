"""paymaster train."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from paymaster.commands.options import with_map
from paymaster.experiments.config import TrainConfig

__all__ = ["Train"]


@dataclass(frozen=True)
class Train:
    """Train a leader; ends with a table of it beside the reference leaders.

    The run directory gets config.json, metrics.jsonl, TensorBoard events, checkpoint-*.safetensors, learning_curve.png.
    A run that was killed goes on with --resume and ends with the same numbers. Several processes or GPUs:
    torchrun --nproc-per-node R -m paymaster train ... plays --num-envs / R games in each. Several seeds at once:
    --seeds S trains S leaders in one process, each with games and a run directory of its own.

    Attributes:
        config: what to train.
        out: run directory; by default the first free one of runs/TASK-LEADER-seedS, -2, -3, ... With --seeds, OUT/seedS
            for each seed.
        resume: continue the run in --out (by default the newest of those) from its last checkpoint.
        evaluate: episodes of the evaluation at the end; 0 for none.
        seeds: train so many at once, --seed and those after it; each learns what it would learn alone, up to rounding.
            Five take less time than two where an update has one game. Only with followers that decide by rule.
    """

    config: Annotated[TrainConfig, tyro.conf.arg(name="")]
    out: Path | None = None
    resume: bool = False
    evaluate: int = 1_000
    seeds: int | None = None

    def run(self, console: Console) -> None:
        """Trains, then evaluates."""
        from paymaster.experiments.report import report_runs
        from paymaster.experiments.train import train
        from paymaster.ranks import launched

        if self.evaluate < 0:
            raise ValueError(f"evaluate: expected at least 0, got {self.evaluate}")
        config = dataclasses.replace(self.config, options=with_map(self.config.options))
        config.validate()
        if self.seeds is not None:
            self._train_seeds(config, self.seeds, console)
            return
        out = self.out or _default_directory(config, resume=self.resume)
        rank, ranks = launched()
        if rank == 0:
            on = f", {ranks} ranks" if ranks > 1 else ""
            console.print(f"training {config.leader} on {config.task} in {out}{on}")
        config = train(config, out, resume=self.resume)
        if rank == 0:
            report_runs([(config, out)], self.evaluate, console)

    def _train_seeds(self, config: TrainConfig, seeds: int, console: Console) -> None:
        from paymaster.experiments.report import report_runs
        from paymaster.experiments.train_seeds import train_seeds

        if seeds < 1:
            raise ValueError(f"seeds: expected at least 1, got {seeds}")
        each = [dataclasses.replace(config, seed=config.seed + number) for number in range(seeds)]
        outs = [
            _default_directory(one, resume=self.resume) if self.out is None else self.out / f"seed{one.seed}"
            for one in each
        ]
        console.print(f"training {config.leader} on {config.task}, {seeds} seeds at once, in {outs[0]} to {outs[-1]}")
        configs = train_seeds(each, outs, resume=self.resume)
        report_runs(list(zip(configs, outs, strict=True)), self.evaluate, console)


def _default_directory(config: TrainConfig, *, resume: bool) -> Path:
    """runs/TASK-LEADER-seedS, or with -2, -3, ... the first free one; to resume, the last one there is."""
    base = Path("runs") / f"{config.task}-{config.leader}-seed{config.seed}"
    number, candidate = 1, base
    newest: Path | None = None
    while candidate.exists():
        newest, number = candidate, number + 1
        candidate = base.with_name(f"{base.name}-{number}")
    if not resume:
        return candidate
    if newest is None:
        raise ValueError(f"resume: expected a run in {base}, got none; name another with --out")
    return newest
