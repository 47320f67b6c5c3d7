"""Gains of the scripted leaders and the upper bound: `python bench/scripted.py` measures all and stores two files.

`scripted.json`: each leader plays 1,000 episodes of every task under both payment rules, in the games of `paymaster
evaluate NAME --task TASK --payment RULE`; the upper bound (`paymaster.exact`) is that of the same episodes. The task
pages of the documentation show these gains (`python docs/_tables`).

`python/paymaster/scripted/told_best.json`: each told rule plays 1,000 other episodes under every payment rule; the
scripted leader `told_best` plays the one that gains most. `python bench/scripted.py TASK ...` measures these tasks
alone and keeps what is stored of others.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Any

from paymaster import tasks
from paymaster.analysis.evaluate import evaluate_bound, evaluate_scripted
from paymaster.analysis.intervals import Interval, mean_ci95
from paymaster.scripted import SCRIPTED
from paymaster.scripted.told_best import RULES
from paymaster.scripted.told_best import STORED as RULES_STORED
from paymaster.worlds.games import GAMES

STORED = Path(__file__).with_name("scripted.json")
EPISODES = 1_000
PAYMENTS = ("completion", "advance")
EVERY_PAYMENT = (*PAYMENTS, "advance_once", "outcome")
BOUND = "upper_bound"
_CHOSEN_ON = 1  # seed of the games on which rules are chosen; evaluations have 0


def rules(task: str) -> dict[str, dict[str, float]]:
    """Return payment rule -> told rule -> mean gain."""
    found: dict[str, dict[str, float]] = {}
    for payment, rule in itertools.product(EVERY_PAYMENT, RULES):
        gain = evaluate_scripted(rule, task, EPISODES, _CHOSEN_ON, {"payment": payment}).gain
        found.setdefault(payment, {})[rule] = round(float(gain.mean()), 3)
    return found


def gain_of(leader: str, task: str, payment: str) -> Interval:
    """Return the mean gain of a scripted leader, or the mean of the bound."""
    if leader == BOUND:
        return mean_ci95(evaluate_bound(task, EPISODES, parameters={"payment": payment}))
    return evaluate_scripted(leader, task, EPISODES, parameters={"payment": payment}).intervals()["gain"]


def main() -> None:
    """Measure and store, a task at a time."""
    names = [task.name for task in tasks() if task.name not in GAMES]
    measured = sys.argv[1:] or names
    chosen: dict[str, Any] = json.loads(RULES_STORED.read_text("utf-8")) if RULES_STORED.exists() else {}
    for task in measured:
        chosen[task] = rules(task)
        print(f"{task}: {chosen[task]}", flush=True)
    kept = {name: chosen[name] for name in names if name in chosen}
    RULES_STORED.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
    rows = {(row["task"], row["payment"], row["leader"]): row for row in json.loads(STORED.read_text("utf-8"))}
    every = list(itertools.product(names, PAYMENTS, (*SCRIPTED, BOUND)))
    for task, payment, leader in every:
        if task in measured:
            gain = gain_of(leader, task, payment)
            about = {"task": task, "payment": payment, "leader": leader}
            rows[task, payment, leader] = {**about, "gain": gain.mean, "ci95": gain.half_width}
            print(f"{task}, {payment}, {leader}: {gain}", flush=True)
    STORED.write_text(json.dumps([rows[key] for key in every if key in rows], indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
