"""The ``paymaster`` command: train, evaluate, render, tasks, bench."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.table import Table

from paymaster.algorithms.leaders import DEFAULT_LEADER
from paymaster.experiments.config import TaskConfig, TrainConfig
from paymaster.references import REFERENCES

__all__ = ["main"]

_ABOUT = (
    "Expensive coordination: games in which a leader pays self-interested followers, and leaders that learn to pay "
    "well. Start with: paymaster train resource_collection"
)

# The commands are imported where they run: `paymaster tasks` should not wait for matplotlib and tensorboard.


@dataclass(frozen=True)
class Train:
    """Train a leader; ends with a table of it beside the reference leaders.

    The run directory gets config.json, metrics.jsonl, TensorBoard events, checkpoint-*/ and learning_curve.png.
    A run that was killed goes on with --resume and ends with the same numbers.

    Attributes:
        config: what to train.
        out: run directory; by default the first free one of runs/TASK-LEADER-seedS, -2, -3, ...
        resume: continue the run in --out (by default the newest of those) from its last checkpoint.
        evaluate: episodes of the evaluation at the end; 0 for none.
    """

    config: Annotated[TrainConfig, tyro.conf.arg(name="")]
    out: Path | None = None
    resume: bool = False
    evaluate: int = 1_000

    def run(self, console: Console) -> None:
        """Trains, then evaluates."""
        from paymaster.experiments.report import report_run
        from paymaster.experiments.train import train

        if self.evaluate < 0:
            raise ValueError(f"evaluate: expected at least 0, got {self.evaluate}")
        config = dataclasses.replace(self.config, options=_with_map(self.config.options))
        config.validate()
        out = self.out or _default_directory(config, resume=self.resume)
        console.print(f"training {config.leader} on {config.task} in {out}")
        config = train(config, out, resume=self.resume)
        report_run(config, out, self.evaluate, console)


@dataclass(frozen=True)
class Evaluate:
    """Evaluate a trained leader, or a reference leader: random, fixed, preference, full_information.

    Attributes:
        leader: run directory of a trained leader, or a reference leader's name.
        task: name of a preset; by default a trained leader's own.
        episodes: to play.
        seed: of the games; none of them is one that training saw.
        greedy: a trained leader's most likely offers instead of draws.
        options: departures from the task's preset, or from the training run's.
        json: print one JSON object instead of a table.
    """

    leader: tyro.conf.Positional[str]
    task: str | None = None
    episodes: int = 1_000
    seed: int = 0
    greedy: bool = False
    options: Annotated[TaskConfig, tyro.conf.arg(name="")] = field(default_factory=TaskConfig)
    json: bool = False

    def run(self, console: Console) -> None:
        """Evaluates and prints."""
        from paymaster.experiments.evaluate import evaluate_reference, evaluate_run
        from paymaster.experiments.tables import evaluation_table

        options = _with_map(self.options).options()
        if self.leader in REFERENCES:
            if self.task is None:
                raise ValueError("task: expected --task TASK with a reference leader, got none")
            result = evaluate_reference(self.leader, self.task, self.episodes, self.seed, options)
        elif Path(self.leader).is_dir():
            result = evaluate_run(
                Path(self.leader),
                self.episodes,
                self.seed,
                greedy=self.greedy,
                task=self.task,
                options=options,
            )
        else:
            raise ValueError(f"leader: expected a run directory or one of {', '.join(REFERENCES)}, got {self.leader!r}")
        if self.json:
            print(json.dumps(result.to_json()))
        else:
            console.print(evaluation_table([result], f"{result.task}, {result.episodes} episodes"))


@dataclass(frozen=True)
class Render:
    """Draw an episode: a film (.gif, or .mp4 with imageio-ffmpeg), or with --step or a .png one picture of it.

    Shows the world, who the followers are, what each is offered and answers, the episode on a time line, payments and
    gain so far, and a trained leader's attention. A legend explains the signs. The games are those of `paymaster
    evaluate` with the same seed.

    Attributes:
        leader: run directory of a trained leader, or one of random, fixed, preference, full_information.
        task: name of a preset; by default a trained leader's own.
        out: file to write; by default TASK-LEADER-seedS.gif, or .png with --step.
        step: draw one picture, after this many steps; what comes later is faded. By default, in a .png, the last.
        episodes: to play, one after the other.
        seed: of the games and the leader's draws.
        greedy: a trained leader's most likely offers instead of draws.
        fps: steps a second.
        width: of the picture, in pixels.
        options: departures from the task's preset, or from the training run's.
    """

    leader: tyro.conf.Positional[str]
    task: str | None = None
    out: Path | None = None
    step: int | None = None
    episodes: int = 1
    seed: int = 0
    greedy: bool = False
    fps: float = 4.0
    width: int = 1280
    options: Annotated[TaskConfig, tyro.conf.arg(name="")] = field(default_factory=TaskConfig)

    def run(self, console: Console) -> None:
        """Plays, draws and writes."""
        from paymaster.experiments.render import open_leader, render

        options = _with_map(self.options).options()
        env, leader, title = open_leader(self.leader, self.task, self.seed, greedy=self.greedy, options=options)
        ending = "gif" if self.step is None else "png"
        out = self.out or Path(f"{env.task}-{Path(self.leader).resolve().name}-seed{self.seed}.{ending}")
        played = render(env, leader, title, out, episodes=self.episodes, step=self.step, fps=self.fps, width=self.width)
        gains = ", ".join(f"{sum(step.reward for step in episode.record.steps):g}" for episode in played)
        console.print(f"wrote {out} ({out.stat().st_size / 1e6:.1f} MB); gain {gains}", highlight=False)


@dataclass(frozen=True)
class Tasks:
    """List the tasks and their parameters.

    Attributes:
        json: print JSON instead of a table.
    """

    json: bool = False

    def run(self, console: Console) -> None:
        """Prints."""
        from paymaster.envs.registry import option_meanings, tasks

        presets = tasks()
        if self.json:
            print(json.dumps([dataclasses.asdict(task) for task in presets]))
            return
        for task in presets:
            console.print(f"[bold]{task.name}[/bold]: {task.meaning}")
        table = Table(title="parameters: make_vec(task, name=value)", title_justify="left")
        table.add_column("name", no_wrap=True)
        for task in presets:
            table.add_column(task.name.replace("_", " "))
        table.add_column("meaning")
        for name, meaning in option_meanings().items():
            values = [task.parameters.get(name) for task in presets]
            table.add_row(name, *("" if value is None else str(value) for value in values), meaning)
        console.print(table)


@dataclass(frozen=True)
class Bench:
    """Measure environment steps per second (each: N followers planned, moved and observed) on this machine.

    Attributes:
        task: name of a preset.
        seconds: least time of one repetition of one cell.
        repeats: repetitions; the table shows the median.
        json: print JSON instead of a table.
    """

    task: str = "resource_collection"
    seconds: float = 0.3
    repeats: int = 5
    json: bool = False

    def run(self, console: Console) -> None:
        """Measures and prints."""
        from paymaster.benchmark import step_rates

        if not 0 < self.seconds < 3600:
            raise ValueError(f"seconds: expected a value in (0, 3600), got {self.seconds}")
        if self.repeats < 1:
            raise ValueError(f"repeats: expected at least 1, got {self.repeats}")
        cells = step_rates(self.task, self.seconds, self.repeats)
        if self.json:
            print(json.dumps([cell.to_json() for cell in cells]))
            return
        table = Table(title=f"{self.task}: environment steps per second", title_justify="left")
        for heading in (
            "games",
            "threads",
            "steps/s",
            "lowest",
            "highest",
            "per CPU second",
            "against 1024 games, 1 thread",
        ):
            table.add_column(heading, justify="right")
        base = next(c.steps_per_second for c in cells if (c.num_envs, c.num_threads) == (1024, 1))
        for c in cells:
            rates = (f"{rate:,.0f}" for rate in (c.steps_per_second, c.lowest, c.highest, c.steps_per_cpu_second))
            table.add_row(str(c.num_envs), str(c.num_threads), *rates, f"{c.steps_per_second / base:.2f}")
        console.print(table)


def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status: 0, 2 after a clear error, 130 when interrupted."""
    args = sys.argv[1:] if args is None else args
    # Tables are wider than the 80 columns rich assumes when the output is not a terminal.
    console = Console(width=None if sys.stdout.isatty() else 140)
    try:
        _parse(args).run(console)
    except (ValueError, TypeError, OSError) as error:
        # Our own errors say what was expected and what came; a trace would only hide it.
        print(f"paymaster: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("paymaster: interrupted; go on with --resume", file=sys.stderr)
        return 130
    return 0


def _parse(args: Sequence[str]) -> Train | Evaluate | Render | Tasks | Bench:
    # A leader's name decides the defaults of --learner.*, so it is looked up before the rest.
    train = Train(TrainConfig(tyro.MISSING, leader=_leader_in(args)))
    commands = (
        Annotated[Train, tyro.conf.subcommand("train", default=train)]
        | Annotated[Evaluate, tyro.conf.subcommand("evaluate")]
        | Annotated[Render, tyro.conf.subcommand("render")]
        | Annotated[Tasks, tyro.conf.subcommand("tasks")]
        | Annotated[Bench, tyro.conf.subcommand("bench")]
    )
    parsed: Train | Evaluate | Render | Tasks | Bench = tyro.cli(
        commands, prog="paymaster", description=_ABOUT, args=args
    )
    return parsed


def _leader_in(args: Sequence[str]) -> str:
    for name, value in zip(args, [*args[1:], ""], strict=True):
        if name == "--leader":
            return value
        if name.startswith("--leader="):
            return name.partition("=")[2]
    return DEFAULT_LEADER


def _with_map(options: TaskConfig) -> TaskConfig:
    """The options with the map's text in place of a file's name."""
    if options.map is None or "\n" in options.map or "#" in options.map:
        return options
    try:
        return dataclasses.replace(options, map=Path(options.map).read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"map: expected a map's text or a readable file that holds it, got {error}") from None


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


if __name__ == "__main__":
    sys.exit(main())
