"""paymaster evaluate."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from annotated_types import Interval
from rich.console import Console

from paymaster.commands.options import Games, GamesSeed, expanded, with_map
from paymaster.envs.replacement import Change, Replacement
from paymaster.training.config import Count, TaskParameters

if TYPE_CHECKING:
    from paymaster.training.change_tests import ChangeTest

__all__ = ["Evaluate"]


@dataclass(frozen=True)
class Evaluate:
    """Evaluate a trained leader, or a scripted leader, which needs no training.

    The parameters of the task are options, too: paymaster evaluate DIR --help, or with --task TASK, lists them.

    Attributes:
        leader: a scripted leader's name, module:Class of one of your own, or run directory of a trained leader.
        task: its name, or a file that defines it; by default a trained leader's own.
        episodes: to play; by default 1,000, or those of the change test.
        seed: of the games; none of them is one that training saw.
        greedy: a trained leader's most likely offers instead of draws. Only for a trained leader.
        strangers: the leader's statistics of the followers start empty and fill as it plays, for followers it has not
            met (--population-seed). Only for a trained leader.
        replace: share of the population's members who are replaced, drawn anew each time, with --replace-every. A
            trained leader then starts as with --strangers, which is refused beside this; a scripted leader of the same
            seed plays the very same games.
        replace_every: episodes from one replacement to the next.
        replace_what: "people" (by default), new followers with other traits take their places, of whom a trained leader
            knows nothing; or "statistics", they stay, and only what the leader knows of them is cleared.
        change_test: one of M3RL's tests in which one team, the whole population, changes: it sets --episodes,
            --replace, --replace-every, --replace-what and --population-size.
        population: run directory whose followers, which learned there, play; by default a trained leader's own.
        parameters: of the task, in place of its own, or of the training run's.
        all: all measures in the table, however narrow the terminal; a narrow one also shows fewer decimals.
        json: print one JSON object instead of a table.
    """

    leader: tyro.conf.Positional[str]
    task: str | None = None
    episodes: Games | None = None
    seed: GamesSeed = 0
    greedy: bool = False
    strangers: bool = False
    replace: Annotated[float, Interval(gt=0, le=1)] | None = None
    replace_every: Count | None = None
    replace_what: Change | None = None
    change_test: str | None = None
    population: Path | None = None
    parameters: Annotated[TaskParameters, tyro.conf.arg(name="")] = field(default_factory=dict)
    all: bool = False
    json: bool = False

    def run(self, console: Console) -> None:
        """Evaluates and prints."""
        from paymaster.analysis.evaluate import evaluate_run, evaluate_scripted
        from paymaster.analysis.open_run import is_scripted
        from paymaster.analysis.tables import print_evaluations

        if self.all and self.json:
            raise ValueError("all: expected it only for a table, got --json, which has all measures anyway")
        if self.population is not None and self.parameters.get("followers") == "rule":
            raise ValueError(
                f"population: expected followers that learned to play, got --followers rule beside {self.population}"
            )
        test, replacement = self._test(), self._replacement()
        leader = expanded(self.leader)
        scripted = is_scripted(leader, self.task, greedy=self.greedy, strangers=self.strangers)
        games: dict[str, Any] = {
            "task": self.task,
            "episodes": self.episodes or 1_000,
            "seed": self.seed,
            "parameters": with_map(self.parameters),
            "population": self.population,
            "replacement": replacement,
        }
        if test is not None:
            games |= {"episodes": self.episodes or test.episodes, "replacement": test.replacement}
            games["parameters"] = {**test.games_of(self._task_parameters(scripted=scripted)), **games["parameters"]}
        if scripted:
            result = evaluate_scripted(leader, **games)
        else:
            result = evaluate_run(Path(leader), greedy=self.greedy, strangers=self.strangers, **games)
        if self.json:
            print(json.dumps(result.to_json()))
        else:
            print_evaluations(console, f"{result.task}, {result.episodes} episodes", [result], every=self.all)

    def _task_parameters(self, *, scripted: bool) -> TaskParameters:
        from paymaster.training.config import TrainConfig
        from paymaster.training.setup import stored_config

        config = None if scripted else stored_config(Path(expanded(self.leader)))
        if config is None or self.task not in (None, config.task):
            assert self.task is not None  # a scripted leader has one
            config = TrainConfig(self.task)
        return {**config.task_parameters(), **self.parameters}

    def _test(self) -> ChangeTest | None:
        from paymaster.training.change_tests import change_test

        if self.change_test is None:
            return None
        given: dict[str, Any] = {
            "replace": self.replace,
            "replace_every": self.replace_every,
            "replace_what": self.replace_what,
        }
        given |= {"strangers": self.strangers or None, "population": self.population}
        for name, value in given.items():
            if value is not None:
                raise ValueError(f"{name}: expected it only without --change-test, got {value} beside it")
        return change_test(self.change_test, "evaluation")

    def _replacement(self) -> Replacement | None:
        if self.strangers and self.replace is not None:
            raise ValueError(
                "strangers: expected it only without --replace, which implies it, got it beside --replace "
                f"{self.replace:g}"
            )
        return Replacement.of(self.replace, self.replace_every, self.replace_what)
