"""That nobody exceeds the upper bound: `python bench/bounds.py` plays 100,000 episodes of every task and stores
`bounds.json`.

The episodes are shared out among all scripted leaders and the four payment rules. A row is a task under a payment rule:
the mean bound, the mean gain of the best leader, and the least that any episode's bound was above its gain. The script
fails where that is below 0. `python bench/bounds.py TASK ...` plays these tasks alone and keeps the other rows.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from paymaster import make_vec, tasks
from paymaster.exact import upper_bound
from paymaster.play.episode import play_to_end
from paymaster.scripted import SCRIPTED, make_scripted

STORED = Path(__file__).with_name("bounds.json")
EPISODES = 100_000
PAYMENTS = ("completion", "advance", "advance_once", "outcome")
_SEED = 10**6
_ROUNDING = 1e-3  # of gains, which are summed in float32


def measured(task: str, payment: str) -> dict[str, Any]:
    """Return the row of a task under a payment rule."""
    each = -(-EPISODES // (len(PAYMENTS) * len(SCRIPTED)))
    gains, least, bounds = {}, np.inf, np.zeros(0)
    for number, name in enumerate(SCRIPTED):
        seed = _SEED + number
        env, bounded = (make_vec(task, each, seed, autoreset_mode="Disabled", payment=payment) for _ in range(2))
        env.statistics.frozen = True
        bounded.reset()
        bound = upper_bound(bounded)
        gain = play_to_end(env, make_scripted(name)).gain.astype(np.float64)
        gains[name] = float(gain.mean())
        least, bounds = min(least, float((bound - gain).min())), np.append(bounds, bound)
    best = max(gains, key=gains.__getitem__)
    about = {"task": task, "payment": payment, "episodes": len(bounds), "upper_bound": round(float(bounds.mean()), 3)}
    return {**about, "best": best, "gain": round(gains[best], 3), "least": round(least, 3)}


def main() -> None:
    """Play, store after each task, and fail where a leader has exceeded the bound."""
    names = [task.name for task in tasks()]
    rows = {(row["task"], row["payment"]): row for row in json.loads(STORED.read_text())} if STORED.exists() else {}
    for task in sys.argv[1:] or names:
        for payment in PAYMENTS:
            rows[task, payment] = measured(task, payment)
            print(rows[task, payment], flush=True)
        every = [rows[name, payment] for name in names for payment in PAYMENTS if (name, payment) in rows]
        STORED.write_text(json.dumps(every, indent=1) + "\n", "utf-8")
    if any(row["least"] < -_ROUNDING for row in rows.values()):
        sys.exit("a leader has gained more than the bound")


if __name__ == "__main__":
    main()
