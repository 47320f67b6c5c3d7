"""The task that a command line is about: its parameters are options, which have to be known before the line is read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, get_args, get_origin, get_type_hints

import tyro

from paymaster import _core
from paymaster.algorithms import DEFAULT_LEADER
from paymaster.commands.command_line import a_path
from paymaster.commands.compare import Compare
from paymaster.commands.evaluate import Evaluate
from paymaster.commands.options import expanded, with_map
from paymaster.commands.render import Render
from paymaster.commands.train import Train
from paymaster.storage.run_directory import holds_run
from paymaster.training.change_tests import change_test
from paymaster.training.config import TrainConfig
from paymaster.training.followers import check_run_parameters
from paymaster.validation.keywords import unknown_parameter
from paymaster.validation.parameters import TaskParameter, parameters_of
from paymaster.validation.settings_file import read_settings
from paymaster.worlds.registration import find_known

__all__ = ["TaskOptions", "options_of", "value_of"]

_WITH_PARAMETERS: Final[dict[str, Any]] = {
    "train": Train,
    "evaluate": Evaluate,
    "compare": Compare,
    "render": Render,
}


@dataclass(frozen=True)
class TaskOptions:
    """What a command line is about.

    Attributes:
        train: of ``train``, the configuration of which nothing else was said than task, leader, settings and --config.
        task: its name; None where there is none, or the command takes no parameters.
        parameters: option's name -> parameter, with the games' values as defaults.
        note: what a user may not have meant; "" for nothing.
    """

    train: TrainConfig
    task: str | None = None
    parameters: Mapping[str, TaskParameter] = field(default_factory=dict)
    note: str = ""

    def check(self, values: Mapping[str, Any]) -> None:
        """Raise ValueError for a value that is out of its range."""
        if self.task is not None:
            check_run_parameters(self.task, values)

    def refuse_others(self, args: Sequence[str]) -> None:
        """Raise ValueError for an option that is a parameter, but not of this task, or of a task that is not known."""
        tasks = _core.tasks()
        for arg in args[1:] if args[:1] and args[0] in _WITH_PARAMETERS else ():
            name = arg[2:].partition("=")[0].replace("-", "_") if arg.startswith("--") else ""
            if not any(name in task["parameters"] for task in tasks):
                continue
            if self.task is None:
                _refuse_without_task(args)
            elif name not in (known := parameters_of(self.task)):
                raise ValueError(unknown_parameter(self.task, name, known))


def options_of(args: Sequence[str], resumed: TrainConfig | None = None) -> TaskOptions:
    """Find the task that a command line is about.

    Args:
        args: what stands behind ``paymaster``.
        resumed: of ``train --resume``, the stored configuration.

    Raises:
        ValueError: an unknown task, a file that defines none, a run directory or configuration that is damaged.
    """
    command = args[0] if args else ""
    if command == "train":
        config, note = (resumed, "") if resumed else _train_config(args)
        if config.task is tyro.MISSING:  # which tyro says
            return TaskOptions(config)
        return TaskOptions(config, config.task, _options(Train, config.task, config.task_parameters()), note)
    usual = TrainConfig(tyro.MISSING)
    if command not in _WITH_PARAMETERS:
        return TaskOptions(usual)
    task = value_of(args, "--task")
    leader = next(filter(_is_run, (word.rpartition("=")[2] for word in _words(args))), None)
    if task is not None:
        values = _core.task(task := find_known(task))["parameters"]
    elif leader is not None:
        from paymaster.training.setup import stored_config

        config = stored_config(Path(expanded(leader)))
        task, values = config.task, config.task_parameters()
    else:
        return TaskOptions(usual)
    return TaskOptions(usual, task, _options(_WITH_PARAMETERS[command], task, values))


def value_of(args: Sequence[str], option: str) -> str | None:
    """Return the last value of an option; None without one."""
    for name, following in reversed(list(zip(args, [*args[1:], ""], strict=True))):
        if name == option:
            return following
        if name.startswith(f"{option}="):
            return name.partition("=")[2]
    return None


def _train_config(args: Sequence[str]) -> tuple[TrainConfig, str]:
    """What a command line trains before its other options are read; also what to note of that."""
    config, note = _named_config(args)
    name = value_of(args, "--change-test")
    if name is None or config.task is tyro.MISSING:
        return config, note
    return change_test(name, "training").config_of(config), note


def _named_config(args: Sequence[str]) -> tuple[TrainConfig, str]:
    """Task, leader and settings decide defaults, so they are looked up before the rest; also what to note of them."""
    word, file = next(_words(args), None), value_of(args, "--config")
    if "--resume" in args:
        _find_stored(value_of(args, "--out"))
    if word is not None:
        find_known(word)  # refuses an unknown one before its parameters are unknown options
    said = {"task": word, "leader": value_of(args, "--leader"), "settings": value_of(args, "--settings")}
    given: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    if file is not None:
        path = a_path("config", file)
        entries = read_settings(path, "config")
        if isinstance(inside := entries.get("config"), dict) and "format" in entries:  # a run's config.json
            entries = inside
        if isinstance(parameters := entries.get("parameters"), dict):
            entries = {**entries, "parameters": with_map(parameters)}
        config = TrainConfig.from_dict({**entries, **given}, str(path))
        named = entries.get("task", config.task)
        if word in (None, named) or config.task == named:
            return config, ""
        return config, f"task: {config.task} as given, in place of {named!r:.80} in {file}, with the rest of that file"
    return TrainConfig(**{"task": tyro.MISSING, "leader": DEFAULT_LEADER, **given}), ""


def _find_stored(out: str | None) -> None:
    """Make the task of a run to resume known, which its `config.json` defines if it is one of the user's own."""
    if out is None:
        return
    from paymaster.training.setup import stored_config

    folder = Path(out).expanduser()
    runs = [folder, *sorted(folder.glob("seed*"))]  # with --seeds
    if run := next(filter(holds_run, runs), None):
        stored_config(run)


def _options(command: type, task: str, values: Mapping[str, Any]) -> dict[str, TaskParameter]:
    """Options by name. One that the command has already is --parameters.NAME; a field of the configuration is none."""
    kinds = (Train, TrainConfig) if command is Train else (command,)
    taken = {part.name for kind in kinds for part in dataclasses.fields(kind)}
    known = parameters_of(task)
    known["followers"] = dataclasses.replace(known["followers"], choices=())  # runs know others
    if command is Train:
        del known["observe_routes"]
    return {
        f"parameters.{name}" if name in taken else name: dataclasses.replace(about, default=values[name])
        for name, about in known.items()
    }


def _words(args: Sequence[str]) -> Iterator[str]:
    """What is no option and no option's value."""
    flags = {"--help", *_flags(_WITH_PARAMETERS[args[0]])}
    rest = iter(args[1:])
    for arg in rest:
        if arg.startswith("--"):
            if "=" not in arg and arg.replace("_", "-") not in flags:
                next(rest, None)
        elif not arg.startswith("-"):
            yield arg


def _flags(kind: Any, prefix: str = "") -> Iterator[str]:
    """Options that have no value: --NAME and --no-NAME of what is true or false."""
    for name, declared in get_type_hints(kind).items():
        inner = get_args(declared)[0] if get_origin(declared) is not None else declared
        if dataclasses.is_dataclass(inner):
            yield from _flags(inner, "" if name == "config" else f"{prefix}{name}.")
        elif declared is bool:
            option = name.replace("_", "-")
            yield f"--{prefix.replace('_', '-')}{option}"
            yield f"--{prefix.replace('_', '-')}no-{option}"


def _is_run(leader: str) -> bool:
    try:
        return holds_run(Path(expanded(leader)))
    except (ValueError, OSError):  # which the command says
        return False


def _refuse_without_task(args: Sequence[str]) -> None:
    """Raise ValueError for a leader that is none, or that has no task, if that is why parameters are unknown."""
    from paymaster.analysis.open_run import is_scripted

    leader = next(_words(args), None)
    if args[0] != "train" and leader is not None:
        is_scripted(expanded(leader), value_of(args, "--task"))
