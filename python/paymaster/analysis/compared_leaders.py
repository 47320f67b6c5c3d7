"""Whom to compare, and on which games: runs found, grouped into leaders, and held against each other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from paymaster.analysis.open_run import OF_THE_POPULATION, names_others
from paymaster.envs.replacement import Replacement
from paymaster.scripted import SCRIPTED, names_scripted
from paymaster.storage.run_config import CONFIG
from paymaster.storage.run_directory import holds_run
from paymaster.training.config import TrainConfig
from paymaster.training.run_state import open_checkpoint
from paymaster.training.setup import stored_config
from paymaster.validation.imports import import_path

__all__ = ["Competitor", "Leaders", "Plays", "assign_tasks", "leaders_of"]


@dataclass(frozen=True)
class Competitor:
    """One trained run, or a scripted leader.

    Attributes:
        name: the run directory, or the scripted leader's name.
        config: the run's; None for a scripted leader.
    """

    name: str
    config: TrainConfig | None = None

    @property
    def path(self) -> Path | None:
        """The run directory; None for a scripted leader."""
        return None if self.config is None else Path(self.name)

    @property
    def seed(self) -> int | None:
        """The run's seed; None for a scripted leader."""
        return None if self.config is None else self.config.seed


Leaders: TypeAlias = dict[str, list[Competitor]]
"""Label -> runs of a leader, or the one scripted leader."""


@dataclass(frozen=True)
class Plays:
    """Who plays a task.

    Attributes:
        parameters: departures from the preset, the same for all.
        by: label -> who plays for that leader.
        beside: a run in whose population scripted leaders play, as it was when training ended; None: nobody changed it,
            or another is given.
    """

    parameters: dict[str, Any]
    by: Leaders
    beside: Path | None = None


def leaders_of(given: Iterable[Any] | Mapping[str, Any]) -> Leaders:
    """Find the leaders that are meant; arguments and errors as of :func:`.compare`."""
    if isinstance(given, Mapping):
        labelled = {label: _found(who) for label, who in given.items()}
    else:
        labelled = _grouped([one for who in given for one in _found(who)])
    for label, competitors in labelled.items():
        _check_seeds(label, competitors)
    return labelled


def assign_tasks(
    leaders: Leaders, tasks: Sequence[str], parameters: Mapping[str, Any], population: Path | None = None
) -> dict[str, Plays]:
    """Say who plays which task, with which parameters.

    Args:
        leaders: all of them.
        tasks: as given.
        parameters: given to all.
        population: a run whose followers play, whoever the runs' own were.

    Raises:
        ValueError: no task, a leader without a run of one, or runs of different games.
    """
    own = [one.config.task for each in leaders.values() for one in each if one.config is not None]
    names = list(dict.fromkeys(tasks or own))
    if not names:
        raise ValueError("task: expected at least one with scripted leaders alone, got none")
    played = {}
    for task in names:
        by = {}
        for label, each in leaders.items():
            trained_here = [one for one in each if one.config is None or one.config.task == task]
            if not trained_here and not tasks:
                raise ValueError(
                    f"leaders: expected a run of {label} on every task, got none on {task}; name the tasks"
                )
            by[label] = trained_here or each
        others = OF_THE_POPULATION if population is not None else ()
        common = {name: value for name, value in _common_games(task, by).items() if name not in others}
        given = {*parameters, *others}
        played[task] = Plays({**common, **parameters}, by, _changed(task, by, parameters))
        _check_games(task, by, given)
    for label in leaders:
        counts = {task: len(plays.by[label]) for task, plays in played.items()}
        if len(set(counts.values())) > 1:
            said = ", ".join(f"{count} on {task}" for task, count in counts.items())
            raise ValueError(f"leaders: expected as many runs of {label} on every task, got {said}")
    return played


def _found(who: Any) -> list[Competitor]:
    """All runs of a directory or below it, or a scripted leader."""
    if isinstance(who, (list, tuple)):
        return [one for each in who for one in _found(each)]
    name = str(who) if isinstance(who, Path) else import_path("leaders", who)
    path = Path(name)
    if name in SCRIPTED or (names_scripted(name) and not path.exists()):
        return [Competitor(name)]
    runs = [path] if holds_run(path) else sorted(found.parent for found in path.rglob(CONFIG)) if path.is_dir() else []
    if not runs:
        known = ", ".join(SCRIPTED)
        raise ValueError(f"leader: expected a run directory or one of {known}, module:Class, got {name!r:.80}")
    return [Competitor(str(run), stored_config(run)) for run in runs]


def _grouped(found: Sequence[Competitor]) -> Leaders:
    """Runs that differ in nothing but seed and task make one leader; its label says what not all runs have."""
    traits = [_traits(one.config) for one in found if one.config is not None]
    common = {
        name for name, value in (traits[0].items() if traits else ()) if all(t.get(name) == value for t in traits)
    }
    leaders: Leaders = {}
    for one in found:
        label = one.name
        if one.config is not None:
            own = {name: value for name, value in _traits(one.config).items() if name not in common}
            label = ", ".join([one.config.leader, *(f"{name}={value}" for name, value in own.items())])
        leaders.setdefault(label, []).append(one)
    return leaders


def _traits(config: TrainConfig) -> dict[str, Any]:
    """What sets a run apart from others of its leader, but for task and seed."""
    own = {"settings": config.settings, "episodes": config.episodes}
    return {**own, **{name: "..." if name == "map" else value for name, value in config.departures.items()}}


def _check_seeds(label: str, competitors: Sequence[Competitor]) -> None:
    seen: dict[tuple[str, int | None], str] = {}
    for one in competitors:
        key = ("" if one.config is None else one.config.task, one.seed)
        if key in seen:
            raise ValueError(
                f"leaders: expected one run of each seed of {label}, got {seen[key]} and {one.name}; give them labels "
                "of their own, NAME=DIR"
            )
        seen[key] = one.name


def _common_games(task: str, by: Leaders) -> dict[str, Any]:
    """Parameters of the runs that were trained on the task."""
    configs = (one.config for each in by.values() for one in each if one.config is not None)
    return next((config.parameters for config in configs if config.task == task), {})


def _changed(task: str, by: Leaders, given: Mapping[str, Any]) -> Path | None:
    """Return the first run whose followers changed while it trained, unless parameters ask for others.

    Raises:
        ValueError: runs whose followers have not changed alike.
    """
    first: tuple[Path, tuple[Replacement, int] | None] | None = None
    for one in (one for each in by.values() for one in each):
        if one.config is None or one.path is None or one.config.task != task:
            continue
        if names_others(given, one.config.task_parameters()):
            return None
        change, now = one.config.replacement, None
        if change is not None and change.change == "people":
            now = change, change.before(open_checkpoint(one.path).episode)
        first = first or (one.path, now)
        if first[1] != now:
            raise ValueError(
                f"replace: expected runs whose populations changed alike, got {first[1]} in {first[0]} and {now} in "
                f"{one.name}; give one population_seed to all of them"
            )
    return None if first is None or first[1] is None else first[0]


def _check_games(task: str, by: Leaders, given: Collection[str]) -> None:
    """Raise ValueError where two runs were trained in different games of a task, but for parameters that are given."""
    first: tuple[str, dict[str, Any]] | None = None
    for one in (one for each in by.values() for one in each):
        if one.config is None or one.config.task != task:
            continue
        games = one.config.task_parameters()
        first = first or (one.name, games)
        for name, value in games.items():  # but for what the leader sees of them
            if name not in (*given, "observe_routes") and first[1].get(name) != value:
                raise ValueError(
                    f"{name}: expected runs of the same games of {task}, got {first[1].get(name)!r:.80} in {first[0]} "
                    f"and {value!r:.80} in {one.name}; give one to all of them"
                )
