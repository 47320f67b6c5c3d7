"""Evaluations side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from rich.console import Console

from paymaster.analysis.compare import Comparison
from paymaster.analysis.evaluate import Evaluation
from paymaster.analysis.intervals import Interval
from paymaster.terminal.printing import TableLayout, print_layout, print_table

__all__ = ["print_comparison", "print_evaluations"]

_MEASURES: Final[dict[str, str]] = {
    "gain": "gain",
    "payments": "payments",
    "completions": "completed",
    "follower_reward": "followers'\nreward",
    "incentive": "incentive",
    "new_offers": "new offers",
    "option_length": "option\nlength",
}
_OBJECTIVES: Final = ("objective", "welfare", "equality")  # where a leader is rewarded for more than its gain
_FEW = ("gain", "payments", "completions", "follower_reward")  # where a terminal has no room for all


def print_evaluations(console: Console, title: str, evaluations: Sequence[Evaluation], *, every: bool = False) -> None:
    """Print a row a leader: mean ± half the 95 % interval of each measure per episode, completions by goal type last.

    Where leaders are rewarded for more than their gain, the objective and its parts stand beside it. A terminal that
    has no room for all measures gets the gain, payments, completed contracts and followers' reward; still less room,
    fewer decimals; then a block a leader.

    Args:
        console: where to.
        title: stands above it.
        evaluations: of the leaders.
        every: all measures, however narrow the terminal.
    """

    def layout(names: Sequence[str], show: Callable[[Interval], str], *, by_type: bool) -> TableLayout:
        rows = []
        for evaluation in evaluations:
            intervals = evaluation.intervals()
            types = ["/".join(f"{mean:.1f}" for mean in evaluation.completions.mean(axis=0))]
            rows.append([evaluation.leader, *(show(intervals[name]) for name in names), *(types if by_type else [])])
        headings = ["leader", *(_MEASURES.get(name, name) for name in names), *(["by type"] if by_type else [])]
        return TableLayout(headings, rows)

    own = tuple(name for name in _OBJECTIVES if all(name in evaluation.objectives for evaluation in evaluations))
    layouts = [layout((*own, *_MEASURES), _wide, by_type=True)]
    if not every:
        layouts += [layout((*own[:1], *_FEW), show, by_type=False) for show in (_wide, _narrow)]
    chosen = next((one for one in layouts if one.fits(console)), layouts[0] if every else layouts[1])
    print_layout(console, title, chosen, "means per episode ± 95 % interval")


def _wide(interval: Interval) -> str:
    return f"{interval:.2f}"


def _narrow(interval: Interval) -> str:
    return f"{interval:.1f}".replace(" ", "")


def print_comparison(console: Console, comparison: Comparison) -> None:
    """Print a table a task, with gains, the objective where leaders are rewarded for another one, and what each leader
    gets more of that than the baseline; the last also has, of all tasks together, the interquartile mean and how likely
    each leader is better than the baseline.

    Args:
        console: where to.
        comparison: of the leaders.
    """
    tasks, baseline = comparison.tasks, comparison.baseline
    over_tasks = len(tasks) > 1
    for task in tasks:
        own = comparison.rewarded(task) != "gain"
        objective = ["objective"] if own else []
        headings, rows = (
            ["leader", "seeds", *objective, "gain", f"{'objective ' if own else ''}more than\n{baseline}"],
            [],
        )
        for leader in comparison.leaders:
            seeds = len(comparison.evaluations[leader, task])
            more = "" if leader == baseline else f"{comparison.difference(leader, task):+.2f}"
            returns = [f"{comparison.mean_return(leader, task):.2f}"] if own else []
            rows.append([leader, str(seeds), *returns, f"{comparison.gain(leader, task):.2f}", more])
        if not over_tasks:
            _add_to(headings, rows, comparison)
        caption = "" if over_tasks else "means per episode [95 % interval]"
        print_table(
            console, f"{task}, the same {comparison.episodes} episodes for all", headings, rows, caption=caption
        )
    if over_tasks:
        headings, rows = ["leader"], [[leader] for leader in comparison.leaders]
        _add_to(headings, rows, comparison)
        kinds = {comparison.rewarded(task) for task in tasks}
        what = "gains" if kinds == {"gain"} else "returns (gain or objective)"
        caption = f"{what} in units of full_information's, over seeds and tasks [95 % interval]"
        print_table(console, f"{len(tasks)} tasks", headings, rows, caption=caption)


def _add_to(headings: list[str], rows: list[list[str]], comparison: Comparison) -> None:
    """Columns about all tasks."""
    headings += ["interquartile\nmean", f"better than\n{comparison.baseline}"]
    for row, leader in zip(rows, comparison.leaders, strict=True):
        better = "" if leader == comparison.baseline else f"{comparison.improvement(leader):.2f}"
        row += [f"{comparison.interquartile_mean(leader):.2f}", better]
