"""paymaster train."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from annotated_types import Interval
from rich.console import Console

from paymaster.algorithms import FIELD
from paymaster.commands.idle_options import refuse_idle_settings
from paymaster.commands.options import with_map
from paymaster.terminal.printing import say
from paymaster.training.config import MAY_CHANGE, TrainConfig
from paymaster.validation.imports import is_import_path

__all__ = ["Train"]


@dataclass(frozen=True)
class Train:
    """Train a leader, in about a minute unless told otherwise; ends with a table of it beside the scripted leaders.

    The run directory gets config.json, metrics.jsonl, TensorBoard events, checkpoint-*.safetensors, learning_curve.png.
    The parameters of the task are options, too: paymaster train TASK --help lists them.
    A run that was killed goes on with --resume and ends with the same numbers. Several processes or GPUs:
    torchrun --nproc-per-node R -m paymaster train ... plays --num-envs / R games in each.

    Attributes:
        config: what to train.
        config_file: TOML or JSON file of a configuration; what is given beside it wins. Its entries are those of
            config.json, of which any but the task, which may also be given beside it, can be left out.
        out: run directory; by default the first free one of runs/TASK-LEADER-...-seedS, -2, -3, ..., with what differs
            from the preset and the leader's settings in its name. With --seeds, OUT/seedS for each seed.
        resume: continue the run in --out (by default the newest of those) from its last checkpoint, as it was begun:
            only --episodes, which may not be fewer than are done, and --device may be other ones.
        change_test: one of M3RL's tests in which everybody changes while training: it sets --episodes, --replace,
            --replace-every, --replace-what and lasting exploration; what is given beside it wins.
        evaluate: episodes of the evaluation at the end; 0 for none.
        all: all measures in the table, however narrow the terminal; a narrow one also shows fewer decimals.
        seeds: train so many leaders, one after the other: --seed and those after it.
    """

    config: Annotated[TrainConfig, tyro.conf.arg(name="")]
    config_file: Annotated[Path | None, tyro.conf.arg(name="config")] = None
    out: Path | None = None
    resume: bool = False
    change_test: str | None = None
    evaluate: Annotated[int, Interval(ge=0, le=10**7)] = 1_000
    all: bool = False
    seeds: Annotated[int, Interval(ge=1, le=1_000)] | None = None

    def run(self, console: Console, parse_again: Callable[[TrainConfig], Train]) -> None:
        """Trains, then evaluates.

        Args:
            console: where to print.
            parse_again: parses the command with another configuration's values as defaults. By it a run that is resumed
                has what it was begun with wherever nothing else is given.
        """
        if self.resume and self.config_file is not None:
            raise ValueError("config: expected none with --resume, which goes on as the run was begun, got a file")
        if self.resume and self.change_test is not None:
            raise ValueError("change_test: expected none with --resume, which goes on as the run was begun, got one")
        if self.all and self.evaluate == 0:
            raise ValueError("all: expected an evaluation whose measures to show, got --evaluate 0")
        config = _with_map(self.config)
        config.validate()
        if self.resume:
            self._resume(config, console, parse_again)
        else:
            self._start(config, console)

    def _start(self, config: TrainConfig, console: Console) -> None:
        from paymaster.algorithms.process_group import launched
        from paymaster.commands.run_directories import begun_in, default_name
        from paymaster.storage.run_directory import refuse_a_run
        from paymaster.training.setup import choose_device

        choose_device(config.device)
        refuse_idle_settings(config)
        each = self._each(config)
        outs = self._outs(each)
        if outs is not None:
            for out in outs:
                refuse_a_run(out)  # before the first seed has been trained for nothing
        bases = outs or [Path("runs") / default_name(one) for one in each]
        alone = launched()[0] == 0  # rank 0 writes, no other
        with begun_in(bases, numbered=outs is None) if alone else nullcontext(bases) as directories:
            self._train(each, directories, console)

    def _resume(self, config: TrainConfig, console: Console, parse_again: Callable[[TrainConfig], Train]) -> None:
        from paymaster.commands.run_directories import default_name, newest
        from paymaster.storage.run_config import read_run_config
        from paymaster.storage.run_directory import holds_run
        from paymaster.training.setup import stored_config

        each = self._each(config)
        outs = self._outs(each) or [newest(Path("runs") / default_name(one)) for one in each]
        begun = [out for out in outs if holds_run(out)]
        if not begun:
            raise ValueError(
                f"resume: expected a run in {outs[0]}, got none; check --out, or start a run there without --resume"
            )
        # A kill may have left some seeds without the change that others had, or not begun at all.
        stored = stored_config(max(begun, key=lambda out: len(read_run_config(out).changes)))
        config.resumed_from(stored, {"task"})  # the options are those of the stored task
        config = _with_map(parse_again(stored).config)
        given = set(config.differences(stored)) - ({"seed"} if self.seeds is not None else set())
        config = config.resumed_from(stored, given)
        each = [dataclasses.replace(config, seed=one.seed) for one in each] if self.seeds is not None else [config]
        for one, out in zip(each, outs, strict=True):
            if out in begun:
                one.resumed_from(its := stored_config(out), one.differences(its))  # refuses what may not change
        self._train(each, outs, console)

    def _train(self, each: list[TrainConfig], outs: list[Path], console: Console) -> None:
        from paymaster.algorithms.process_group import launched
        from paymaster.analysis.report import report_runs
        from paymaster.storage.run_directory import holds_run
        from paymaster.training.callbacks import Callback, TrainingStart
        from paymaster.training.train import train

        rank, ranks = launched()

        class FirstLine(Callback):
            """Say what is trained."""

            def on_start(self, start: TrainingStart) -> None:
                say(console, _first_line(start.config, start.out, ranks, start.done))

        for config, out in zip(each, outs, strict=True):
            resume = self.resume and holds_run(out)
            train(config, out, resume=resume, given=MAY_CHANGE, callbacks=[FirstLine()])
        if rank == 0:
            report_runs(list(zip(each, outs, strict=True)), self.evaluate, console, every=self.all)

    def _each(self, config: TrainConfig) -> list[TrainConfig]:
        """Of every seed. Raises ValueError where one is too large, or for ranks, which train one leader together."""
        from paymaster.algorithms.process_group import launched

        if self.seeds is not None and launched()[1] > 1:
            raise ValueError(
                f"seeds: expected one process, got {launched()[1]} ranks of torchrun, which train one leader together; "
                "leave out --seeds, or start without torchrun"
            )
        each = [dataclasses.replace(config, seed=config.seed + number) for number in range(self.seeds or 1)]
        each[-1].validate()
        return each

    def _outs(self, each: list[TrainConfig]) -> list[Path] | None:
        """The run directories as given."""
        if self.out is None:
            return None
        return [self.out] if self.seeds is None else [self.out / f"seed{one.seed}" for one in each]


def _with_map(config: TrainConfig) -> TrainConfig:
    return dataclasses.replace(config, parameters=with_map(config.parameters))


def _first_line(config: TrainConfig, out: Path, ranks: int, done: int) -> str:
    total = config.updates * config.num_envs
    if done >= total:
        batches = "" if total == config.episodes else f" ({config.episodes:,} in batches of {config.num_envs:,})"
        return (
            f"the training in {out} is complete, {done:,} of {total:,} episodes{batches}: to prolong it, give more "
            "with --episodes"
        )
    settings = {"tuned": "with its tuned settings", "paper": "with the paper's settings"}[config.settings]
    but = "but"
    if config.leader in FIELD:  # of which nothing is tuned
        settings = {"tuned": "with its settings", "paper": "in the paper's regime"}[config.settings]
    if is_import_path(config.leader):  # which has no settings of ours
        settings, but = {"tuned": ("", "with"), "paper": ("in the paper's regime", "but")}[config.settings]
    changes = {name: "a map" if name == "map" else value for name, value in config.departures.items()}
    said = [
        settings,
        *([f"{but} {', '.join(f'{name}={value}' for name, value in changes.items())}"] if changes else []),
    ]
    how = "".join(f" {part}" for part in said if part)
    on = f", {ranks} ranks" if ranks > 1 else ""
    return f"training {config.leader}{how} on {config.task} in {out}{on}"
