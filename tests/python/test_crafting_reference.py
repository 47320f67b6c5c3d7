"""The crafting world in C++ against the slow reference in tests/reference."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for `reference`, which is not installed

import paymaster
from reference.cases import Case
from reference.crafting_cases import MAPS, CraftingOffers, crafting_cases, crafting_states
from reference.lockstep import Lockstep
from reference.random_states import OfferSource
from rest_slow import rest_slow

CASES = crafting_cases()


def make_vec(task: str, **parameters: Any) -> Any:
    """The package's environment, finished games staying as they are, as in the reference."""
    return paymaster.make_vec(task, autoreset_mode="Disabled", **parameters)


def test_enough_steps_are_compared() -> None:
    """The slow part of `test_whole_episodes` does not end a case before its number of steps is reached."""
    assert sum(case.steps for case in CASES) >= 100_000


@pytest.mark.parametrize(
    ("case", "share"),
    [
        *(pytest.param(case, 0.1, id=f"{case.name}-in part") for case in CASES[::35]),
        *(pytest.param(case, 1.0, id=case.name, marks=pytest.mark.slow) for case in CASES),
    ],
)
def test_whole_episodes(case: Case, share: float) -> None:
    """Each case up to a share of its steps, with offers of three kinds in turn."""
    both = Lockstep(make_vec, case.task, case.num_envs, case.num_threads, **case.parameters)
    rules = both.reference.rules
    rng = np.random.default_rng(case.seed)
    both.reset(seed=case.seed)
    kinds = (CraftingOffers(rng, rules, case.num_envs), *(OfferSource(rng, rules, case.num_envs, k) for k in (0, 0.9)))
    turn = 0
    while both.steps < share * case.steps:
        both.play_episode(kinds[turn % 3], rules.horizon)
        both.step(kinds[1].next())  # a finished game stays as it is
        both.reset()
        turn += 1


STATE_CASES = [
    (task, map_name, followers, decision)
    for task in ("crafting", "multi_bonus_crafting")
    for map_name in MAPS
    for followers in (2, 8, 16)
    for decision in ("employment", "employment_squared")
]


@pytest.mark.parametrize(
    ("task", "map_name", "followers", "decision"), rest_slow(STATE_CASES, STATE_CASES[::11].__contains__)
)
def test_steps_from_random_states(task: str, map_name: str, followers: int, decision: str) -> None:
    """Items are made, stations are spoilt, and two workers craft at one station in one step."""
    num_envs = 32
    rest: dict[str, Any] = {"map": MAPS[map_name], "decision": decision, "num_resources": 12, "noise": 0.1}
    both = Lockstep(make_vec, task, num_envs, num_followers=followers, **rest)
    both.reset(seed=followers)
    rng = np.random.default_rng(followers)
    rules = both.reference.rules
    made = spoilt = 0
    for _ in range(4):
        before = crafting_states(rng, rules, num_envs)
        both.set_state(before)
        source = CraftingOffers(rng, rules, num_envs)
        for _ in range(6):
            both.step(source.next())
        after = both.real.state()
        made += int(np.maximum(after["inventory"] - before["inventory"], 0)[:, 4:].sum())
        spoilt += int(((after["station_claimant"] >= 0) & (before["station_claimant"] < 0)).sum())
    assert made > 0 and spoilt > 0
