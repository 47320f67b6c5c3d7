"""Steps per second as Markdown, for bench/README.md: `python bench/step_rate.py [TASK] [SECONDS]` is the table of
`paymaster bench`; `python bench/step_rate.py tasks [SECONDS]` puts the tasks beside each other."""

from __future__ import annotations

import statistics
import sys

from paymaster.benchmark import step_rate, step_rates

TASKS = ("resource_collection", "multi_bonus_resource_collection", "navigation", "predator_prey")
ROUNDS = 5


def batches(task: str, seconds: float) -> None:
    """Batch sizes and threads, of one task."""
    cells = step_rates(task, seconds)
    base = next(c.steps_per_second for c in cells if (c.num_envs, c.num_threads) == (1024, 1))
    print("| games | threads | steps/s, median (lowest to highest) | per CPU second | against 1,024 games, 1 thread |")
    print("| --- | --- | --- | --- | --- |")
    for c in cells:
        print(
            f"| {c.num_envs:,} | {c.num_threads} | {c.steps_per_second:,.0f} ({c.lowest:,.0f} to {c.highest:,.0f}) "
            f"| {c.steps_per_cpu_second:,.0f} | {c.steps_per_second / base:.2f} |"
        )


def tasks(seconds: float) -> None:
    """All tasks, 1,024 games on one thread, in turn, so that a busy machine treats them alike."""
    rates: dict[str, list[float]] = {task: [] for task in TASKS}
    for _ in range(ROUNDS):
        for task in TASKS:
            rates[task].append(step_rate(task, 1024, 1, seconds, 3).steps_per_cpu_second)
    base = statistics.median(rates[TASKS[0]])
    print("| task | steps per CPU second, median (lowest to highest) | against the first |")
    print("| --- | --- | --- |")
    for task, of_task in rates.items():
        median = statistics.median(of_task)
        print(f"| `{task}` | {median:,.0f} ({min(of_task):,.0f} to {max(of_task):,.0f}) | {median / base:.2f} |")


def main() -> None:
    """Measures and prints."""
    what = sys.argv[1] if len(sys.argv) > 1 else "resource_collection"
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    if what == "tasks":
        tasks(seconds)
    else:
        batches(what, seconds)


if __name__ == "__main__":
    main()
