"""The ``paymaster`` command: train, evaluate, render, inspect, diagnose, reproduce, tasks, bench."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import tyro
from rich.console import Console

from paymaster.algorithms.finite import DivergenceError
from paymaster.algorithms.leaders import DEFAULT_LEADER
from paymaster.commands.bench import Bench
from paymaster.commands.diagnose import Diagnose
from paymaster.commands.evaluate import Evaluate
from paymaster.commands.inspect import Inspect
from paymaster.commands.render import Render
from paymaster.commands.reproduce import Reproduce
from paymaster.commands.tasks import Tasks
from paymaster.commands.train import Train
from paymaster.experiments.config import TrainConfig
from paymaster.ranks import RankError, launched

__all__ = ["main"]

_ABOUT = (
    "Expensive coordination: games in which a leader pays self-interested followers, and leaders that learn to pay "
    "well. Start with: paymaster train resource_collection"
)


_Command = Train | Evaluate | Render | Inspect | Diagnose | Reproduce | Tasks | Bench


def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status: 0, 2 after a clear error, 130 when interrupted."""
    args = sys.argv[1:] if args is None else args
    # Tables are wider than the 80 columns rich assumes when the output is not a terminal.
    console = Console(width=None if sys.stdout.isatty() else 140)
    try:
        _parse(args).run(console)
    except (ValueError, TypeError, OSError, DivergenceError) as error:
        # Our own errors say what was expected and what came; a trace would only hide it.
        rank, ranks = launched()
        who = "" if ranks == 1 or isinstance(error, RankError) else f"rank {rank} of {ranks}: "
        print(f"paymaster: error: {who}{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("paymaster: interrupted; train goes on with --resume, reproduce when started again", file=sys.stderr)
        return 130
    return 0


def _parse(args: Sequence[str]) -> _Command:
    # A leader's name decides the defaults of --learner.*, so it is looked up before the rest.
    train = Train(TrainConfig(tyro.MISSING, leader=_leader_in(args)))
    commands = (
        Annotated[Train, tyro.conf.subcommand("train", default=train)]
        | Annotated[Evaluate, tyro.conf.subcommand("evaluate")]
        | Annotated[Render, tyro.conf.subcommand("render")]
        | Annotated[Inspect, tyro.conf.subcommand("inspect")]
        | Annotated[Diagnose, tyro.conf.subcommand("diagnose")]
        | Annotated[Reproduce, tyro.conf.subcommand("reproduce")]
        | Annotated[Tasks, tyro.conf.subcommand("tasks")]
        | Annotated[Bench, tyro.conf.subcommand("bench")]
    )
    parsed: _Command = tyro.cli(commands, prog="paymaster", description=_ABOUT, args=args)
    return parsed


def _leader_in(args: Sequence[str]) -> str:
    for name, value in zip(args, [*args[1:], ""], strict=True):
        if name == "--leader":
            return value
        if name.startswith("--leader="):
            return name.partition("=")[2]
    return DEFAULT_LEADER


if __name__ == "__main__":
    sys.exit(main())
