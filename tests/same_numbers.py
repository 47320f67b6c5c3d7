"""Compare the numbers of two installed versions bit by bit: short trainings of seeds 0 to 2, and evaluations.

    python tests/same_numbers.py OLD/bin/paymaster NEW/bin/paymaster [--work DIR]

Both commands run the same cases; NAMES translates what was renamed between them, in arguments of the old one and in
the results. Prints a line a case and ends with status 1 if any number differs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

NAMES: dict[str, str] = {"natural-ends": "ebpg-expiring", "natural-ends-only": "expiring-only"}
"""What the new version calls X, by the old version's name: options, leaders, metrics."""
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


def said(command: str, *arguments: str) -> str:
    return subprocess.run([command, *arguments], check=True, capture_output=True, text=True).stdout


def results(command: str, work: Path, *, old: bool) -> dict[str, Any]:
    """Case -> its numbers."""
    forward = {new: name for name, new in NAMES.items()}

    def asked(arguments: tuple[str, ...]) -> list[str]:
        return [forward.get(argument, argument) for argument in arguments] if old else list(arguments)

    out: dict[str, Any] = {}
    for name, arguments in TRAINED.items():
        given = asked(arguments)
        own = [part for part in SHORT if "--num-envs" not in given or part not in ("--num-envs", "32")]
        for seed in range(3):
            run = work / f"{len(out)}"
            said(command, "train", *given, *own, "--seed", str(seed), "--out", str(run))
            out[f"{name}, seed {seed}"] = rows_of(run)
            if seed == 0:
                answer = json.loads(said(command, "evaluate", str(run), "--episodes", "50", "--json"))
                out[f"{name}, evaluated"] = {key: part for key, part in answer.items() if key != "leader"}
    run = work / "seeds"
    said(command, "train", "resource_collection", *SHORT, "--seeds", "3", "--out", str(run))
    out["three seeds at once"] = [rows_of(each) for each in sorted(path.parent for path in run.glob("*/metrics.jsonl"))]
    for leader in SCRIPTED:
        for task in TASKS:
            answer = said(command, "evaluate", leader, "--task", task, "--episodes", "100", "--json")
            out[f"{leader} in {task}"] = json.loads(answer)
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
