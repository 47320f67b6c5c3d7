"""Leaders beside each other on the same games: paired differences, interquartile means, how likely each is better."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from paymaster.analysis.bootstrap import (
    REPETITIONS,
    Estimate,
    Floats,
    bootstrap,
    improvement,
    interquartile_mean,
)
from paymaster.analysis.compared_leaders import Competitor, Plays, assign_tasks, leaders_of
from paymaster.analysis.evaluate import Evaluation, evaluate_run, evaluate_scripted
from paymaster.analysis.intervals import in_json

if TYPE_CHECKING:
    import pandas

__all__ = ["Comparison", "compare", "paired_difference"]

Who: TypeAlias = "str | Path | type | Callable[..., Any]"
_SCALE = "full_information"  # whose return is 1, where returns of several tasks are averaged
_MOST_WEIGHTS = 5_000_000  # of episodes, drawn at once


@dataclass(frozen=True)
class Comparison:
    """Evaluations of L leaders on M tasks, on the same E games each; intervals are of 95 %.

    Attributes:
        leaders: their labels, the baseline first.
        tasks: names of the tasks.
        episodes: E.
        evaluations: by leader and task, one a training seed; scripted leaders have one, of seed None.
        scale: by task, the return that counts as 1 where returns of several tasks are averaged; 1 with a single task.

    Leaders are compared by what they are rewarded for: by their gain or, on a task with another objective, by that.
    Methods raise ValueError for a leader or a task that is not among them.
    """

    leaders: tuple[str, ...]
    tasks: tuple[str, ...]
    episodes: int
    evaluations: dict[tuple[str, str], list[tuple[int | None, Evaluation]]]
    scale: dict[str, float] = field(default_factory=dict)

    @property
    def baseline(self) -> str:
        """The leader from which differences are taken."""
        return self.leaders[0]

    def rewarded(self, task: str) -> str:
        """Return what leaders are compared by on a task: "gain", or "objective" where they are rewarded for that."""
        return self._of(self.baseline, task)[0].rewarded

    def returns(self, leader: str, task: str) -> Floats:
        """What a leader's seeds are rewarded in the games of a task, float [S, E], in the order of :meth:`gains`."""
        return np.array([evaluation.returns for evaluation in self._of(leader, task)], dtype=np.float64)

    def gains(self, leader: str, task: str) -> Floats:
        """Gains of a leader's seeds in the games of a task, float [S, E]; column e is the same game for all leaders."""
        return np.array([evaluation.gain for evaluation in self._of(leader, task)], dtype=np.float64)

    def scores(self, leader: str) -> Floats:
        """Mean returns of a leader's seeds on all tasks, in units of :attr:`scale`, float [S, M]."""
        columns = [self.returns(leader, task).mean(axis=1) / self.scale.get(task, 1.0) for task in self.tasks]
        return np.stack(columns, axis=1)

    def gain(self, leader: str, task: str) -> Estimate:
        """Mean gain; seeds and games are drawn anew for the interval."""
        return paired_difference(self.gains(leader, task))

    def mean_return(self, leader: str, task: str) -> Estimate:
        """Mean return: the gain, or the objective where leaders have another; its interval as that of :meth:`gain`."""
        return paired_difference(self.returns(leader, task))

    def difference(self, leader: str, task: str) -> Estimate:
        """Mean of how much higher the leader's return is than the baseline's in the same game."""
        return paired_difference(self.returns(leader, task), self.returns(self.baseline, task))

    def interquartile_mean(self, leader: str) -> Estimate:
        """Interquartile mean of the scores over seeds and tasks, with a bootstrap over seeds (Agarwal et al. 2021)."""
        return bootstrap(self.scores(leader), interquartile_mean)

    def improvement(self, leader: str) -> Estimate:
        """How likely a seed of the leader scores above one of the baseline, mean over tasks (Agarwal et al. 2021)."""
        return improvement(self.scores(leader), self.scores(self.baseline))

    def frame(self) -> pandas.DataFrame:
        """Return a row an episode: leader, task, seed, episode, and the episode's measures.

        A task whose leaders are rewarded for more than their gain has columns of its objective; others NaN in these.

        Raises:
            ImportError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError("pandas: expected it installed (pip install 'paymaster[pandas]')") from error
        parts = []
        for (leader, task), each in self.evaluations.items():
            for seed, evaluation in each:
                measures = {name: getattr(evaluation, name) for name in _MEASURES}
                measures["completions"] = evaluation.completions.sum(axis=-1)
                measures |= evaluation.objectives
                seeds = pandas.array([seed] * self.episodes, dtype="Int64")  # with a missing one for scripted leaders
                named = {"leader": leader, "task": task, "seed": seeds, "episode": np.arange(self.episodes)}
                parts.append(pandas.DataFrame({**named, **measures}))
        return pandas.concat(parts, ignore_index=True)

    def to_json(self) -> dict[str, Any]:
        """Return leaders, tasks and all estimates, each as ``{"value": ..., "ci95": [low, high]}``."""
        rows = []
        for leader in self.leaders:
            tasks = {
                task: {
                    "gain": _in_json(self.gain(leader, task)),
                    self.rewarded(task): _in_json(self.mean_return(leader, task)),
                    "difference": _in_json(self.difference(leader, task)),
                }
                for task in self.tasks
            }
            rows.append(
                {
                    "leader": leader,
                    "seeds": len(self.evaluations[leader, self.tasks[0]]),
                    "tasks": tasks,
                    "interquartile_mean": _in_json(self.interquartile_mean(leader)),
                    "improvement": _in_json(self.improvement(leader)),
                }
            )
        rewarded = {task: self.rewarded(task) for task in self.tasks}
        about = {"baseline": self.baseline, "episodes": self.episodes, "rewarded": rewarded, "scale": self.scale}
        return {**about, "leaders": rows}

    def _of(self, leader: str, task: str) -> list[Evaluation]:
        for name, known, given in (("leader", self.leaders, leader), ("task", self.tasks, task)):
            if given not in known:
                raise ValueError(f"{name}: expected one of {', '.join(known)}, got {given!r:.80}")
        return [evaluation for _, evaluation in self.evaluations[leader, task]]


_MEASURES = ("gain", "payments", "incentive", "follower_reward", "new_offers", "option_length")


def compare(
    leaders: Iterable[Who] | Mapping[str, Who | Sequence[Who]],
    tasks: Sequence[str] = (),
    *,
    episodes: int = 1_000,
    seed: int = 0,
    baseline: str | None = None,
    greedy: bool = False,
    parameters: Mapping[str, Any] | None = None,
    population: Path | None = None,
) -> Comparison:
    """Evaluate leaders on the same games that no training saw, and compare them.

    Args:
        leaders: run directories, folders that hold some, scripted leaders' names, classes or import paths of one's own.
            Runs that differ in nothing but seed and task are one leader, whose label names what sets it apart; with a
            mapping the keys are the labels.
        tasks: by default those that the runs were trained on. Where a leader has runs of a task, these play it; else
            all its runs do.
        episodes: E, of each evaluation.
        seed: of the games.
        baseline: label of the leader to compare with; by default the first.
        greedy: trained leaders' most likely offers in place of draws.
        parameters: departures from the games that the runs were trained in, for all leaders.
        population: a run directory, whose followers play; by default each run's own, where they learned.

    Raises:
        ValueError: nothing to compare, an unknown leader, task or baseline, runs of different games, two of the same
            seed; all that :func:`.evaluate_run` raises. TypeError: one leader or task alone, in no list.
    """
    for name, given in (("leaders", leaders), ("tasks", tasks)):
        if isinstance(given, str | Path | type) or not isinstance(given, Iterable):
            raise TypeError(f"{name}: expected several, in a list, got {given!r:.80} alone")
    found = leaders_of(leaders)
    if len(found) < 2:
        raise ValueError(f"leaders: expected at least two to compare, got {', '.join(found) or 'none'}")
    if greedy and all(one.config is None for each in found.values() for one in each):
        raise ValueError("greedy: expected it only with a trained leader among them, got scripted leaders alone")
    if baseline is not None and baseline not in found:
        raise ValueError(f"baseline: expected one of {', '.join(found)}, got {baseline!r:.80}")
    found = dict(sorted(found.items(), key=lambda item: item[0] != baseline))
    played = assign_tasks(found, tasks, parameters or {}, population)

    def evaluated(one: Competitor, task: str) -> Evaluation:
        changes = played[task].parameters
        if one.path is None:
            return evaluate_scripted(
                one.name, task, episodes, seed, changes, population=population, beside=played[task].beside
            )
        return evaluate_run(
            one.path, episodes, seed, greedy=greedy, task=task, parameters=changes, population=population
        )

    evaluations = {
        (label, task): [(one.seed, evaluated(one, task)) for one in plays.by[label]]
        for task, plays in played.items()
        for label in found
    }
    scale = _scale(played, evaluations, episodes, seed, population)
    return Comparison(tuple(found), tuple(played), episodes, evaluations, scale)


def _scale(
    played: Mapping[str, Plays],
    evaluations: Mapping[tuple[str, str], list[tuple[int | None, Evaluation]]],
    episodes: int,
    seed: int,
    population: Path | None,
) -> dict[str, float]:
    """By task, the return of the leader that sees everything in the same games."""
    if len(played) == 1:
        return {}
    scale = {}
    for task, plays in played.items():
        done = evaluations.get((_SCALE, task))
        evaluation = (
            done[0][1]
            if done
            else evaluate_scripted(
                _SCALE, task, episodes, seed, plays.parameters, population=population, beside=plays.beside
            )
        )
        scale[task] = float(evaluation.returns.mean())
        if not scale[task] > 0:
            raise ValueError(
                f"tasks: expected such on which {_SCALE} gains, so that several can be averaged, got {task}: "
                f"{scale[task]:.2f}"
            )
    return scale


def paired_difference(x: Floats, y: Floats | None = None, *, repetitions: int = REPETITIONS, seed: int = 0) -> Estimate:
    """Estimate the mean over seeds and games of x - y, with a percentile bootstrap interval of 95 %.

    For the interval the seeds of x and of y are drawn anew, independently of each other, and the games, the same for
    both. So it covers other games and, where there are several seeds, other trainings; with one seed it says nothing
    about these.

    Args:
        x: float [S, E], gains of S seeds in E games.
        y: float [S', E], of the others in the same games; None: 0.
        repetitions: of the bootstrap.
        seed: of its draws.

    Raises:
        ValueError: different numbers of games.
    """
    if y is not None and x.shape[1] != y.shape[1]:
        raise ValueError(f"y: expected {x.shape[1]} games as in x, got {y.shape[1]}")
    episodes = x.shape[1]
    value = float(x.mean() - (0.0 if y is None else y.mean()))
    if episodes < 2:
        return Estimate(value)
    rng, drawn = np.random.default_rng(seed), []
    most = max(_MOST_WEIGHTS // episodes, 1)
    for first in range(0, repetitions, most):
        size = min(most, repetitions - first)
        difference = _drawn_seeds(x, size, rng) - (0.0 if y is None else _drawn_seeds(y, size, rng))
        weights = rng.multinomial(episodes, np.full(episodes, 1 / episodes), size=size)
        drawn.append((difference * weights).sum(axis=1) / episodes)
    low, high = np.percentile(np.concatenate(drawn), (2.5, 97.5))
    return Estimate(value, float(low), float(high))


def _drawn_seeds(gains: Floats, size: int, rng: np.random.Generator) -> Floats:
    """Means over seeds that are drawn anew, float [size, E], or [1, E] of a single one."""
    if len(gains) == 1:
        return gains
    counts = rng.multinomial(len(gains), np.full(len(gains), 1 / len(gains)), size=size)
    return np.asarray(counts @ gains / len(gains))


def _in_json(estimate: Estimate) -> dict[str, Any]:
    value = None if math.isnan(estimate.value) else estimate.value
    return {"value": value, "ci95": in_json((estimate.low, estimate.high))}
