"""Short episodes as text that a person can read, kept in tests/golden and played again here.

Every change of the rules, of the random numbers or of the drawing shows as a difference to the text. When it is meant,

    PAYMASTER_UPDATE_GOLDEN=1 python -m pytest tests/python/test_golden.py

writes the files anew (and the tests are skipped); read the difference before committing it.

A file begins with how the game is made. Then come, for every step, the game as ``render()`` draws it, the offers made
in it (goal type a, b, ... and the bonus level from 1, which is its price unless others are given; ``-`` is none), what
is left of the budget, and a line a follower: the primitive action it played, the contract it signed, completed or gave
up, whether its offer was refused, what it claimed, collected, was paid and earned; at the end the totals. The slow
reference plays the same, to the same numbers.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for `reference`, which is not installed

import paymaster
from reference.lockstep import Lockstep

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
UPDATE = os.environ.get("PAYMASTER_UPDATE_GOLDEN", "") not in ("", "0")
ACTIONS = ("moves", "turns left", "turns right", "digs", "stops")


@dataclass(frozen=True)
class Episode:
    """A game and the leader's offers in it.

    Attributes:
        task, seed, parameters: what the game is made of.
        offers: step -> offers from then on, a word a follower: "a2" is goal type a at the second level, "-" none.
    """

    task: str
    seed: int
    offers: dict[int, str]
    parameters: dict[str, Any] = field(default_factory=dict)


EPISODES = {
    "resource_collection_eight_types": Episode(
        "resource_collection_eight_types",
        seed=3,
        offers={0: "a1 c1 f2 h1", 3: "e1 c1 g2 h1", 5: "e1 b2 g2 d1"},
        parameters={"horizon": 9},
    ),
    "multi_bonus_resource_collection_effort": Episode(
        "multi_bonus_resource_collection_effort",
        seed=3,
        offers={0: "a1 c4 f2 h3", 3: "e2 c4 g3 h3", 5: "e4 b2 g3 d1"},
        parameters={"horizon": 9},
    ),
    "resource_collection_paid_on_completion": Episode(
        "resource_collection",
        seed=7,
        offers={0: "c2 d1 c1 c2", 2: "b1 d1 c1 c2", 4: "b1 d1 a2 b1"},
        parameters={"horizon": 8},
    ),
    "multi_bonus_paid_in_advance": Episode(
        "multi_bonus_resource_collection",
        seed=7,
        offers={0: "b4 a2 c1", 2: "b4 - c3", 4: "b4 d4 c3", 6: "a1 d4 c3"},
        parameters={
            "map": "########\n#......#\n#.##...#\n#......#\n#...#..#\n########",
            "num_followers": 3,
            "num_resources": 5,
            "horizon": 8,
            "noise": 0.1,
            "abstain": True,
        },
    ),
    "economy_of_a_small_budget": Episode(
        "resource_collection",
        seed=7,
        offers={0: "c2 d1 c1 c2", 2: "d2 d1 c1 c2", 5: "d1 c2 - b2", 7: "a2 c2 b1 b2"},
        parameters={
            "prices": [0.5, 1.75],
            "goal_reward": [3.0, 2.5, 4.0, 6.0],
            "budget": 5.0,
            "effort_cost": 0.125,
            "weight_welfare": 0.5,
            "weight_equality": 2.0,
            "horizon": 12,
            "abstain": True,
        },
    ),
}


def play(episode: Episode) -> Iterator[str]:
    """The lines of a golden file."""
    env = paymaster.make(episode.task, seed=episode.seed, render_mode="ansi", **episode.parameters)
    yield f"{episode.task}, seed {episode.seed}"
    for name, value in episode.parameters.items():
        yield f"{name}:" + ("\n    " + value.replace("\n", "\n    ") if name == "map" else f" {value}")
    env.reset()
    words: list[str] = []
    terminated = False
    while not terminated:
        yield ""
        before = env.state()
        yield from env.render().splitlines()
        if "budget" in episode.parameters:
            yield f"budget left: {env.batch.observe()['budget_left'][0]:g}"
        words = episode.offers.get(int(before["step"]), " ".join(words)).split()
        yield "offers: " + " ".join(words)
        _, reward, terminated, _, info = env.step(actions_of(words, env.batch.parameters["num_goals"]))
        for k in range(len(words)):
            yield f"  {k:x} " + ", ".join(events(before, env.state(), info, k))
        yield f"leader: {reward:+g}"
    yield ""
    yield from env.render().splitlines()
    yield ""
    for name, value in info["totals"].items():
        yield f"{name}: {value.tolist() if value.ndim else f'{value:g}'}"


def actions_of(words: list[str], num_goals: int) -> np.ndarray[Any, Any]:
    return np.array([(num_goals, 0) if w == "-" else (ord(w[0]) - ord("a"), int(w[1:]) - 1) for w in words])


def events(before: Any, after: Any, info: Any, k: int) -> Iterator[str]:
    """What a step was for follower k."""
    yield ACTIONS[info["follower_action"][k]]
    same = (before["offer"][k] == after["offer"][k]).all()
    if info["committed"][k] and not (same and before["contract_running"][k]):
        yield "signs"
    if "refused" in info and info["refused"][k]:
        yield "has its offer refused"
    if before["contract_running"][k] and not info["committed"][k]:
        yield "gives its contract up" if same else "has its contract ended"
    mine = after["resource_claimant"] == k
    for i in np.flatnonzero(mine & (before["resource_claimant"] != k)):
        yield f"claims {chr(ord('a') + after['resource_type'][i])}"
    for i in np.flatnonzero(mine & before["resource_present"] & ~after["resource_present"]):
        yield f"collects {chr(ord('a') + after['resource_type'][i])}"
    if info["completed"][k] >= 0:
        yield f"completes its contract for {chr(ord('a') + info['completed'][k])}"
    if info["payment"][k]:
        yield f"is paid {info['payment'][k]:g}"
    if info["follower_reward"][k]:
        yield f"earns {info['follower_reward'][k]:g}"


@pytest.mark.parametrize("name", EPISODES)
def test_played_as_written(name: str) -> None:
    path = GOLDEN / f"{name}.txt"
    played = "\n".join(play(EPISODES[name])) + "\n"
    if UPDATE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(played, encoding="utf-8")
        pytest.skip(f"wrote {path}")
    written = path.read_text(encoding="utf-8")
    difference = "".join(
        difflib.unified_diff(
            written.splitlines(keepends=True), played.splitlines(keepends=True), f"golden/{path.name}", "played"
        )
    )
    if difference:
        pytest.fail(
            f"{difference}\nIf this is meant: PAYMASTER_UPDATE_GOLDEN=1 (see the module's docstring)", pytrace=False
        )


@pytest.mark.parametrize("name", EPISODES)
def test_the_slow_reference_plays_it_too(name: str) -> None:
    episode = EPISODES[name]
    both = Lockstep(make_vec, episode.task, 1, seed=episode.seed, **episode.parameters)
    both.reset()
    words: list[str] = []
    for step in range(both.reference.rules.horizon):
        words = episode.offers.get(step, " ".join(words)).split()
        both.step(actions_of(words, both.reference.rules.num_goals)[None])
    assert both.reference.state()["done"].all()


def make_vec(task: str, **parameters: Any) -> Any:
    return paymaster.make_vec(task, autoreset_mode="Disabled", **parameters)


def test_every_golden_file_is_played() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(EPISODES)
