"""Gains of the scripted leaders: `python bench/scripted.py` plays all of them and stores `scripted.json`.

Each plays 1,000 episodes of every task under both payment rules, in the games of `paymaster evaluate NAME --task TASK
--payment RULE`. The task pages of the documentation show these gains (`python docs/_tables`).
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path

from paymaster import tasks
from paymaster.analysis.evaluate import evaluate_scripted
from paymaster.scripted import SCRIPTED
from paymaster.worlds.games import GAMES

STORED = Path(__file__).with_name("scripted.json")
EPISODES = 1_000
PAYMENTS = ("completion", "advance")


def main() -> None:
    """Plays and stores."""
    rows = []
    played = [task for task in tasks() if task.name not in GAMES]
    for task, payment, leader in itertools.product(played, PAYMENTS, SCRIPTED):
        gain = evaluate_scripted(leader, task.name, EPISODES, parameters={"payment": payment}).intervals()["gain"]
        rows.append(
            {"task": task.name, "payment": payment, "leader": leader, "gain": gain.mean, "ci95": gain.half_width}
        )
        print(f"{task.name}, {payment}, {leader}: {gain}", flush=True)
    STORED.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
