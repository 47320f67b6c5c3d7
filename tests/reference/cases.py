"""Maps and parameters on which whole episodes are compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from .rules import DEFAULT_MAP, PRESETS

OBSTACLES = """
#############
#...#.......#
#.#.#.#####.#
#.#...#.....#
#.###.#.###.#
#.....#...#.#
#.#.#####.#.#
#.#.........#
#############
"""
ROOMS = """
###########
#...#.....#
#...#.....#
#...#.....#
#####.....#
#.........#
#..####.###
#..#....#.#
#..#....#.#
###########
"""
CORRIDOR_129 = "\n".join(["#" * 43, "#" + "." * 41 + "#", "#" * 43])
EXACTLY_128 = "\n".join(["#" * 16] + ["#......#.......#"] * 2 + ["#..............#"] * 4 + ["#" * 16])
HALL_221 = "\n".join(["#" * 17] + ["#...............#", "#.##.###.###.##.#"] * 5 + ["#...............#", "#" * 17])
TALL_129 = "\n".join(["###"] + ["#.#"] * 41 + ["###"])

MAPS = {
    "open": DEFAULT_MAP,
    "obstacles": OBSTACLES,
    "rooms": ROOMS,
    "corridor_129": CORRIDOR_129,
    "exactly_128": EXACTLY_128,
    "hall_221": HALL_221,
    "tall_129": TALL_129,
}
VARIANTS: list[dict[str, Any]] = [
    {},
    {"horizon": 7, "num_resources": 3},
    {"num_goals": 3},
    {"num_goals": 6, "num_bonuses": 5, "max_reservation": 4},
    {"num_resources": 20, "horizon": 50},
    {"population_seed": 7, "population_size": 24, "goal_reward": 2.5},
    {"num_resources": 1, "horizon": 12},
    {"num_goals": 2, "skills_per_follower": 1, "num_bonuses": 1, "max_reservation": 1},
]
STEPS = {1: 1000, 2: 900, 4: 700, 8: 400, 16: 200}  # least number compared in a case, by number of followers


@dataclass(frozen=True)
class Case:
    """One configuration: at least `steps` steps of 8 games are compared."""

    name: str
    task: str
    parameters: dict[str, Any]
    steps: int
    num_threads: int = 1
    seed: int = 0
    num_envs: int = 8


def crossed_cases() -> list[Case]:
    """Presets x payment x noise x abstain x followers; maps and further parameters are dealt out in turn."""
    cases = []
    crossing = product(PRESETS, ("completion", "advance"), (0.0, 0.3), (False, True), STEPS)
    for i, (task, rule, noise, abstain, followers) in enumerate(crossing):
        payment = "advance_once" if rule == "advance" and i % 3 == 0 else rule
        map_name = list(MAPS)[i % len(MAPS)]
        variant = (i + i // 40) % len(VARIANTS)
        parameters = {"payment": payment, "noise": noise, "abstain": abstain, "num_followers": followers}
        parameters |= {"map": MAPS[map_name], "first_index": 3 * i, "observe_routes": i % 2 == 1, **VARIANTS[variant]}
        words = [task, payment, f"noise{noise}", "abstain" if abstain else "always", f"N{followers}"]
        name = "-".join([*words, map_name, f"variant{variant}"])
        cases.append(Case(name, task, parameters, STEPS[followers], 1 + i % 2, seed=1_000_003 * i))
    return cases


def few_kinds_population() -> dict[str, Any]:
    """Eight followers of three kinds, too few of two of them for neighbours in the draw always to differ."""
    skill = [[True, False, False, False]] * 6 + [[False, True, True, False]] + [[True] * 4]
    return {
        "skill": np.array(skill),
        "preference": np.array([0, 1, 2, 3, 0, 1, 2, 3], dtype=np.int32),
        "reservation": np.array([0.0, 0.5, 1.0, 1.5, 2.0, 2.7, 1.0, 0.3], dtype=np.float32),
    }


def further_cases() -> list[Case]:
    """Presets untouched, a population given as arrays, a large seed."""
    cases = [Case(f"{task}-defaults", task, {}, 800) for task in PRESETS]
    given = {"population": few_kinds_population(), "num_followers": 7}
    cases.append(Case("population-given", "multi_bonus_resource_collection", given, 800))
    cases.append(Case("large-seed", "resource_collection", {"noise": 0.3}, 400, seed=2**62 + 12345))
    return cases


def people_with_tastes() -> dict[str, Any]:
    """Twelve followers with utilities, costs and weights; some are never drawn, some utilities are negative."""
    rng = np.random.default_rng(5)
    return {
        "skill": rng.random((12, 4)) < 0.7,
        "preference": rng.integers(4, size=12).astype(np.int32),
        "reservation": rng.integers(0, 3, size=12).astype(np.float32),
        "utility": (rng.integers(-2, 4, size=(12, 4)) / 2).astype(np.float32),
        "cost": (rng.integers(0, 4, size=(12, 4)) / 16).astype(np.float32),
        "weight": np.array([1, 0, 2, 0.5, 3, 1, 0, 1, 1, 10, 1, 0.1], dtype=np.float32),
    }


ECONOMIES: dict[str, dict[str, Any]] = {
    "prices-and-w-by-type": {"prices": (0.0, 0.7, 1.3, 2.9), "goal_reward": (5.0, 0.0, 2.5, 3.3), "num_bonuses": 4},
    "budget": {"budget": 8.0},
    "budget-of-real-prices": {"budget": 2.0, "prices": (0.1, 0.3), "num_bonuses": 2},
    "nothing-to-spend": {"budget": 0.0, "abstain": True},
    "share": {"max_share": 0.4, "goal_reward": 3.0, "num_bonuses": 4, "abstain": True},
    "share-and-budget": {"max_share": 0.75, "budget": 20.0, "goal_reward": (1.0, 2.0, 3.0, 4.0)},
    "effort": {"effort_cost": 0.125},
    "tastes": {"population": people_with_tastes(), "num_bonuses": 4},
    "tastes-and-budget": {"population": people_with_tastes(), "budget": 10.0, "prices": (0.0, 1.5), "num_bonuses": 2},
    "welfare": {"weight_welfare": 0.5},
    "welfare-alone": {"weight_gain": 0.0, "weight_welfare": 1.0, "effort_cost": 0.25},
    "gini": {"weight_equality": 4.0, "num_followers": 6},
    "poorest": {"weight_equality": 2.0, "equality": "poorest", "effort_cost": 0.1},
}
"""Name -> parameters of an economy."""


def limited_cases() -> list[Case]:
    """The economies with a limit or an objective, played by followers that learn."""
    kept = ("budget", "share", "nothing", "tastes-and", "gini", "poorest")
    return [
        replace(case, name=f"{case.name}-meta", parameters={**case.parameters, "followers": "meta"})
        for case in economy_cases()
        if case.name.startswith(kept)
    ]


def economy_cases() -> list[Case]:
    """Every economy under every payment rule, with noise in every other; an opening sum where one can be."""
    cases = []
    for i, (name, economy) in enumerate(ECONOMIES.items()):
        for j, payment in enumerate(("completion", "advance", "advance_once", "outcome")):
            parameters: dict[str, Any] = {"payment": payment, "noise": 0.2 * ((i + j) % 2), **economy}
            if "max_share" in economy and payment.startswith("advance"):
                parameters["opening_sum"] = 6.5
            task = "multi_bonus_resource_collection" if economy.get("num_bonuses") == 4 else "resource_collection"
            cases.append(Case(f"{name}-{payment}", task, parameters, 400, 1 + i % 2, seed=1_000_003 * i + j))
    return cases
