"""Compare the numbers of two installed versions bit by bit: short trainings of seeds 0 to 2, and evaluations.

    python tests/same_numbers.py OLD/bin/python NEW/bin/python [--work DIR]

Both run the same cases of the ``paymaster`` command, each version in one process. NAMES translates what was renamed
between them, in arguments of the old one and in the results. Prints a line a case and ends with status 1 if any number
differs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

NAMES: dict[str, str] = {
    "natural-ends": "ebpg-expiring",
    "natural-ends-only": "expiring-only",
    "events": "new_offers",
}
"""What the new version calls X, by the old version's name: parameters, leaders, metrics."""
SHORT = ("--episodes", "128", "--num-envs", "32", "--hidden", "16", "--evaluate", "0", "--checkpoint-every", "128")
TRAINED = {
    "default leader": ("resource_collection",),
    "the paper's leader, bonuses in advance": ("resource_collection", "--leader", "ebpg", "--payment", "advance"),
    "M3RL": ("multi_bonus_resource_collection", "--leader", "m3rl"),
    "an interval, in the plane": ("navigation", "--leader", "fixed-interval(5)"),
    "abstaining, with noise": ("predator_prey", "--abstain", "True", "--noise", "0.1", "--leader", "no-attention"),
    "followers that learn": ("resource_collection", "--followers", "meta", "--num-followers", "2"),
    "primitive followers": ("navigation", "--followers", "primitive"),
    "the paper's settings": ("resource_collection", "--settings", "paper", "--leader", "ebpg", "--num-envs", "4"),
}
SCRIPTED = ("random", "fixed", "preference", "full_information")
TASKS = ("resource_collection", "navigation", "predator_prey")


def renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {renamed(name): renamed(part) for name, part in value.items()}
    if isinstance(value, list):
        return [renamed(part) for part in value]
    return NAMES.get(value, value) if isinstance(value, str) else value


def rows_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def rounded(measure: Any) -> Any:
    """Round the ends of an interval to 12 digits: they come from a library's quantile, means do not."""
    if not isinstance(measure, dict):
        return measure
    return {**measure, "ci95": [end if end is None else f"{end:.12g}" for end in measure["ci95"]]}


RUN_ALL = """
import contextlib, io, json, sys
from importlib.metadata import entry_points
(command,) = entry_points(group="console_scripts", name="paymaster")
main, out = command.load(), []
for arguments in json.load(sys.stdin):
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert main(arguments) == 0, arguments
    out.append(printed.getvalue())
json.dump(out, sys.stdout)
"""


def run_all(python: str, commands: list[list[str]]) -> list[str]:
    """Return what each command printed."""
    asked = json.dumps(commands)
    done = subprocess.run([python, "-c", RUN_ALL], input=asked, check=True, stdout=subprocess.PIPE, text=True)
    answers: list[str] = json.loads(done.stdout)
    return answers


def results(python: str, work: Path, *, old: bool) -> dict[str, Any]:
    """Return the numbers of each case."""
    forward = {new: name for name, new in NAMES.items()}

    def asked(*arguments: str) -> list[str]:
        return [forward.get(argument, argument) for argument in arguments] if old else list(arguments)

    trainings, evaluations, runs = [], {}, {}
    for name, arguments in TRAINED.items():
        own = [part for part in SHORT if "--num-envs" not in arguments or part not in ("--num-envs", "32")]
        for seed in range(3):
            run = runs[f"{name}, seed {seed}"] = work / str(len(runs))
            trainings.append(asked("train", *arguments, *own, "--seed", str(seed), "--out", str(run)))
        evaluations[f"{name}, evaluated"] = asked("evaluate", str(run), "--episodes", "50", "--json")
    trainings.append(asked("train", "resource_collection", *SHORT, "--seeds", "3", "--out", str(work / "seeds")))
    for leader in SCRIPTED:
        for task in TASKS:
            evaluations[f"{leader} in {task}"] = asked(
                "evaluate", leader, "--task", task, "--episodes", "100", "--json"
            )
    answers = run_all(python, [*trainings, *evaluations.values()])[len(trainings) :]
    out: dict[str, Any] = {name: rows_of(run) for name, run in runs.items()}
    out["three seeds"] = [rows_of(path.parent) for path in sorted((work / "seeds").glob("*/metrics.jsonl"))]
    for name, answer in zip(evaluations, answers, strict=True):
        out[name] = {key: rounded(part) for key, part in json.loads(answer).items() if key != "leader"}
    return renamed(out) if old else out


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--work", type=Path, help="where runs are kept; by default they are deleted")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = given.work or Path(temporary)
        before = results(given.old, work / "old", old=True)
        after = results(given.new, work / "new", old=False)
    differ = [name for name in before if before[name] != after.get(name)]
    for name in before:
        print(f"{'DIFFERS' if name in differ else 'same   '} {name}")
    print(f"{len(before)} cases, {len(differ)} differ")
    return bool(differ)


if __name__ == "__main__":
    sys.exit(main())
