"""Presets in which coordination is expensive: `python bench/presets.py` measures candidates and stores `presets.json`.

Each candidate departs from `resource_collection` by parameters. `random`, `nearest_hold` and the told rules play 1,000
episodes of it under both payment rules; the bound is that of the same episodes. What a leader can learn to be worth is
the *separation*: the gain of the best told rule less that of `nearest_hold`, as a share of the bound. The documentation
shows the table (`python docs/_tables`, page tasks/index.md).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from paymaster.analysis.evaluate import evaluate_bound, evaluate_scripted
from paymaster.scripted.told_best import RULES

STORED = Path(__file__).with_name("presets.json")
EPISODES = 1_000
PAYMENTS = ("completion", "advance")
LEADERS = ("random", "nearest_hold", *RULES)

_ONE: Final = {"skills_per_follower": 1, "preference_among_skills": False}
_FOUR: Final = {**_ONE, "num_bonuses": 4, "max_reservation": 3}
_HALL, _WALLED = "#.............#", "#......#......#"
_ROOM: Final = [_WALLED, _WALLED, _HALL, _WALLED, _WALLED, _WALLED]
_ROOMS: Final = "\n".join(["#" * 15, *_ROOM, "###.#######.###", *reversed(_ROOM), "#" * 15])

CANDIDATES: Final[dict[str, dict[str, Any]]] = {
    "three of four skills": {},
    "one skill": _ONE,
    "one skill of eight": {**_ONE, "num_goals": 8},
    "one skill, high reservations": {**_ONE, "num_bonuses": 6, "max_reservation": 5, "goal_reward": 8.0},
    "one skill, reservations 1 to 3": _FOUR,
    "one skill, scarce goals": {**_FOUR, "num_resources": 5},
    "one skill, far goals": {**_FOUR, "map": _ROOMS, "horizon": 40},
    "one skill, scarce and far goals": {**_FOUR, "map": _ROOMS, "horizon": 40, "num_resources": 5},
    "one skill, eight followers": {**_FOUR, "num_followers": 8},
    "effort 0.2 a step": {"num_bonuses": 4, "effort_cost": 0.2},
    "one skill, effort 0.2 a step": {**_FOUR, "effort_cost": 0.2},
    "one skill of eight, reservations 1 to 3": {**_FOUR, "num_goals": 8},
    "one skill of eight, reservations 1 to 3, effort 0.2 a step": {**_FOUR, "num_goals": 8, "effort_cost": 0.2},
    "one skill, paid by outcome": {**_FOUR, "payment": "outcome"},
}
"""Candidate -> departures from `resource_collection`."""


def measured(name: str, parameters: dict[str, Any], payment: str, episodes: int = EPISODES) -> dict[str, Any]:
    """Return the mean gains of the leaders and the mean bound of a candidate."""
    games = {"payment": payment, **parameters}
    gains = {
        leader: float(evaluate_scripted(leader, "resource_collection", episodes, parameters=games).gain.mean())
        for leader in LEADERS
    }
    bound = float(evaluate_bound("resource_collection", episodes, parameters=games).mean())
    gains = {leader: round(gain, 3) for leader, gain in gains.items()}
    return {"preset": name, "payment": games["payment"], **gains, "upper_bound": round(bound, 3)}


def main() -> None:
    """Measure and store."""
    rows = []
    for name, parameters in CANDIDATES.items():
        for payment in PAYMENTS[: 1 if "payment" in parameters else None]:
            rows.append(measured(name, parameters, payment))
            print(rows[-1], flush=True)
    STORED.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
