"""The ``paymaster`` command: train, evaluate, compare, render, inspect, diagnose, reproduce, verify, tasks, bench."""

from __future__ import annotations

import io
import os
import re
import signal
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, suppress
from functools import partial
from typing import Annotated, Any, get_args

import tyro
from rich.console import Console

from paymaster import __version__
from paymaster.algorithms import FIELD, LEADERS, ORIGINALS
from paymaster.algorithms.leaders import RenamedWarning
from paymaster.algorithms.process_group import RankError, launched
from paymaster.commands.bench import Bench
from paymaster.commands.command_line import UnreadableValueError, registry
from paymaster.commands.compare import Compare
from paymaster.commands.diagnose import Diagnose
from paymaster.commands.evaluate import Evaluate
from paymaster.commands.inspect import Inspect
from paymaster.commands.options import Note
from paymaster.commands.render import Render
from paymaster.commands.reproduce import Reproduce
from paymaster.commands.task_options import TaskOptions, options_of
from paymaster.commands.tasks import Tasks
from paymaster.commands.train import Train
from paymaster.commands.verify import Verify
from paymaster.envs.tasks import tasks
from paymaster.scripted import SCRIPTED
from paymaster.terminal.printing import printable
from paymaster.terminal.streams import open_console, quiet_streams, reader_has_gone
from paymaster.training.change_tests import CHANGE_TESTS
from paymaster.training.followers import FOLLOWERS
from paymaster.validation.finite import DivergenceError
from paymaster.validation.ranges import check_fields
from paymaster.worlds import WorldError

__all__ = ["main"]

_ABOUT = (
    "Expensive coordination: games in which a leader pays self-interested followers, and leaders that learn to pay "
    "well. Start with: paymaster train resource_collection"
)
_TRACEBACK = "PAYMASTER_TRACEBACK"  # environment variable: 1 shows where an error comes from

_OF_THE_MACHINE = (RuntimeError, MemoryError, ArithmeticError, ImportError)  # RecursionError, OverflowError among them

_Command = Train | Evaluate | Compare | Render | Inspect | Diagnose | Reproduce | Verify | Tasks | Bench
_Run = Callable[[Console], None]
_COMMANDS = tuple(kind.__name__.lower() for kind in get_args(_Command))


def main(args: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        args: what stands behind ``paymaster``; by default this process's arguments.

    Returns:
        The exit status: 0; 1 after an error of the machine or of this package, 2 after a clear error of the user's, 130
        when interrupted, 141 when whoever read the output has gone away.
    """
    args = sys.argv[1:] if args is None else args
    _interruptible()
    try:
        with quiet_streams(), _notes_in_a_line():
            return _main(args)
    except BrokenPipeError:
        return 128 + 13  # as if SIGPIPE had ended it, which shells do not report
    except OSError as error:  # of a last write, to a full disk
        return _failed(error, 2)


def _main(args: Sequence[str]) -> int:
    if "--version" in args[:1]:
        print(f"paymaster {__version__}")
        return 0
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # for worlds of one's own, module:Class
    try:
        _parse(args or ["--help"])(open_console())
    except BrokenPipeError as error:
        if reader_has_gone():
            raise
        return _failed(error, 1)  # of another pipe, such as to a process of ours
    except (ValueError, TypeError, OSError, DivergenceError, UnreadableValueError, WorldError) as error:
        # Our own errors say what was expected and what came; a trace would only hide it.
        return _failed(error, 2)
    except KeyboardInterrupt:
        print(
            "paymaster: interrupted; train goes on with --resume, reproduce and verify when started again",
            file=sys.stderr,
        )
        return 130
    except _OF_THE_MACHINE as error:
        if isinstance(error, MemoryError) or re.search(r"allocate memory|out of memory", str(error)):
            return _failed(error, 1, "not enough memory for this: fewer games or narrower networks need less")
        return _failed(error, 1, f"{type(error).__name__}: {error}")
    except Exception as error:
        return _failed(error, 1, f"this is a fault of paymaster, please report it: {type(error).__name__}: {error}")
    return 0


@contextmanager
def _notes_in_a_line() -> Iterator[None]:
    """Print notes, as that a name is an old one, in a line; other warnings as Python does."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **how: Any) -> None:
            if category in (RenamedWarning, Note):
                print(f"paymaster: note: {message}", file=sys.stderr)
            else:
                usual(message, category, *where, **how)

        for kind in (RenamedWarning, Note):
            warnings.filterwarnings("always", category=kind)
        warnings.showwarning = show
        yield


def _failed(error: BaseException, status: int, message: str | None = None) -> int:
    """Prints the error in a line. What is not explained by it goes into a file."""
    rank, ranks = 0, 1
    with suppress(ValueError):  # of variables that are no ranks
        rank, ranks = launched()
    who = "" if ranks == 1 or isinstance(error, RankError) else f"rank {rank} of {ranks}: "
    line = printable(" ".join((message or str(error) or type(error).__name__).split()))
    if os.environ.get(_TRACEBACK):
        traceback.print_exception(error, file=sys.stderr)
    elif message is not None:
        line += f" ({_written(error)})"
    print(f"paymaster: error: {who}{line}", file=sys.stderr)
    return status


def _written(error: BaseException) -> str:
    """Where to find the traceback."""
    try:
        handle, name = tempfile.mkstemp(prefix="paymaster-", suffix=".txt", text=True)
        with open(handle, "w", errors="backslashreplace") as file:
            traceback.print_exception(error, file=file)
    except OSError:
        return f"{_TRACEBACK}=1 shows where"
    return f"traceback in {name}"


def _interruptible() -> None:
    """Ctrl-C raises KeyboardInterrupt from here on, also where it ended the process during imports."""
    ours = getattr(sys.modules.get("paymaster._starting"), "end_at_once", None)
    if threading.current_thread() is threading.main_thread() and ours and signal.getsignal(signal.SIGINT) is ours:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _parse(args: Sequence[str]) -> _Run:
    options = options_of(args)
    command: _Command = _parsed(args, options)
    try:
        options.check(getattr(command.config if isinstance(command, Train) else command, "parameters", {}))
        for part in [command.config, command] if isinstance(command, Train) else [command]:
            check_fields(part)
    except ValueError as error:
        raise ValueError(str(error).replace(" or null, got ", ", got ")) from None  # nobody types null
    if options.note:
        warnings.warn(options.note, Note, stacklevel=2)
    if isinstance(command, Train):
        return partial(command.run, parse_again=lambda stored: _parsed(args, options_of(args, stored)))
    return command.run


def _parsed(args: Sequence[str], options: TaskOptions) -> Any:
    train = Annotated[Train, tyro.conf.subcommand(default=Train(options.train))]
    commands: Any = train | Evaluate | Compare | Render | Inspect | Diagnose | Reproduce | Verify | Tasks | Bench
    if args and args[0] in _COMMANDS:
        # After a mistake tyro reads the options of all commands that it knows: a second command is enough to have any.
        kinds = dict(zip(_COMMANDS, (train, *get_args(_Command)[1:]), strict=True))
        commands = kinds[args[0]] | (Bench if args[0] != "bench" else Tasks)
    complaint = io.StringIO()
    try:
        with registry(_choices(args), options.parameters, _meanings(args)), redirect_stderr(complaint):
            return tyro.cli(commands, prog="paymaster", description=_ABOUT, args=args)
    except SystemExit as end:
        if not end.code:  # after --help
            raise
        command = f" {args[0]}" if args and args[0] in _COMMANDS else ""
        said = _in_a_line(complaint.getvalue(), args)
        if said.startswith("unrecognized options"):
            options.refuse_others(args)
        raise ValueError(f"{said}; see paymaster{command} --help") from None


def _in_a_line(box: str, args: Sequence[str]) -> str:
    """What tyro's message in a frame says, without its title and most of its advice."""
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip(" │|") for line in box.splitlines()[1:]]
    parts: list[list[str]] = [[]]
    for line in lines:
        if re.fullmatch(r"[╭╰+].*|[─-]{3,}", line):  # its title, its end, or a rule within
            parts.append([])
        elif line:
            parts[-1].append(line)
    said = [" ".join(part) for part in parts if part] or ["expected other arguments"]
    text = f"{said[0][:1].lower()}{said[0][1:]}".rstrip(". ")
    for value in (arg.partition("=")[2] for arg in args if arg.startswith("--")):
        if value and text == f"unrecognized options: {value}":  # a flag was given one
            text = f"unrecognized options: {next(arg for arg in args if arg.endswith(f'={value}'))}"
    for advice in said[1:]:
        if advice.startswith("Perhaps you meant") and (nearest := re.search(r"--[a-z][a-z.-]+", advice)):
            text += f"; did you mean {nearest.group()}?"
        elif advice.startswith("Available subcommands"):
            text += f"; expected one of {', '.join(_COMMANDS)}"
    return text


def _choices(args: Sequence[str]) -> dict[str, str]:
    """What text parameters may be."""
    leaders = (*LEADERS, "fixed-interval(m)", *FIELD, *ORIGINALS) if "train" in args[:1] else (*SCRIPTED, "DIR")
    own = "module:Class"
    return {
        "leader": "{" + ",".join((*leaders, own)) + "}",
        "followers": "{" + ",".join((*FOLLOWERS, "module:function")) + "}",
        "leaders": f"{{{','.join((*SCRIPTED, 'DIR', own))}}} ...",
        "env": "module:function",
        "change_test": "{" + ",".join(_change_tests(args)) + "}",
        "task": "{" + ",".join(task.name for task in tasks()) + ",FILE}",
        "device": "{auto,cpu,cuda,cuda:N}",
        "map": "FILE",
        "run_directory": "DIR",
    }


def _change_tests(args: Sequence[str]) -> dict[str, str]:
    """The change tests of a command by name, with what they are."""
    during = "training" if "train" in args[:1] else "evaluation"
    return {name: test.meaning for name, test in CHANGE_TESTS.items() if test.during == during}


def _meanings(args: Sequence[str]) -> dict[str, str]:
    """More about options than stands in their docstrings."""
    tests = {"change_test": "\n".join(f"- {name}: {meaning}" for name, meaning in _change_tests(args).items())}
    if "train" not in args[:1]:
        return tests
    groups = {
        "With settings tuned for our regime:": LEADERS,
        "Methods of the field (docs/field.md), none of them tuned:": FIELD,
        "As the original had it (docs/original.md), with the original's settings, none of them tuned; --original.* has "
        "more of them:": ORIGINALS,
    }
    lines = []
    for title, leaders in groups.items():
        lines += [title, *(f"- {name}: {kind.meaning}" for name, kind in leaders.items())]
    return {"leader": "\n".join(lines), **tests}


if __name__ == "__main__":
    sys.exit(main())
