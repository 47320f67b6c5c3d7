"""Five small games, played in the package's own grid world, whose best leader is known.

Each is one lesson about paying. ``best`` is a leader that has learned it and is told the traits; that no leader gains
more from any start is proved in ``python/test_tiny_games.py`` by dynamic programming and by trying every sequence of
offers. ``careless`` is the leader that has not learned it. Starts are random, so ``optimum`` is an expectation, but
over few kinds of start, and can be written down by hand. All games pay in advance: a contract is paid for when it
starts.

| game | followers | best leader | gain |
| --- | --- | --- | --- |
| reservation | one, promised 2 by what it cannot do | outbids that by one, while it is there | 0, 2 or 8, mean 3 |
| unskilled | one of two, skilled or not | pays the skilled one, never the other | 0 or 4, mean 2 |
| one_of_two | both at once, the unskilled one in the way | pays one of the two | 4 |
| hold | one | keeps one offer from beginning to end | 6 |
| switch_once | one | keeps its offer until it is done, then changes it once | 4 |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import paymaster
from paymaster.envs.vector import LeaderVectorEnv

__all__ = ["GAMES", "Script", "TinyGame", "gains"]

Offers = NDArray[np.int64]
Observation = Mapping[str, NDArray[Any]]
Script = Callable[[Observation], Offers]


@dataclass(frozen=True)
class TinyGame:
    """A game and what is known of it.

    Attributes:
        name: as tests are called by.
        lesson: what a leader has to learn.
        parameters: of ``make_vec``, the population among them.
        best: offers int64 [B, N, 2] of the best leader for an observation of B games.
        careless: the same of a leader that has not learned the lesson.
        optimum: expected gain of ``best``.
        task: the preset that ``parameters`` depart from.
    """

    name: str
    lesson: str
    parameters: dict[str, Any]
    best: Script
    careless: Script
    optimum: float
    task: str = "resource_collection"

    def make(self, num_envs: int, seed: int = 0, **changes: Any) -> LeaderVectorEnv:
        """B of these games, for whole episodes; ``changes`` of parameters."""
        return paymaster.make_vec(
            self.task, num_envs, seed, 1, autoreset_mode="Disabled", **{**self.parameters, **changes}
        )


def gains(env: LeaderVectorEnv, leader: Script) -> NDArray[np.float64]:
    """What a scripted leader gains in the next episode of every game, [B]."""
    observation, _ = env.reset()
    gain, ended = np.zeros(env.num_envs), np.zeros(env.num_envs, dtype=np.bool_)
    while not ended.all():
        observation, reward, ended, _, _ = env.step(leader(observation))
        gain += reward
    return gain


def _room(rows: int, columns: int) -> str:
    wall = "#" * (columns + 2)
    return "\n".join([wall, *["#" + "." * columns + "#"] * rows, wall])


def _population(*followers: tuple[list[bool], int, float]) -> dict[str, Any]:
    """Skill by goal type, preference and reservation of each follower."""
    skill, preference, reservation = zip(*followers, strict=True)
    return {"skill": np.array(skill), "preference": np.array(preference), "reservation": np.array(reservation)}


def _parameters(rows: int, columns: int, *, num_goals: int, **others: Any) -> dict[str, Any]:
    # The preset's three skills a follower would be refused where there are fewer goal types.
    skills = {"skills_per_follower": min(3, num_goals)}
    return {"map": _room(rows, columns), "payment": "advance", "num_goals": num_goals, **skills, **others}


def _offer(goal: NDArray[Any] | int, bonus: NDArray[Any] | int, seen: Observation) -> Offers:
    shape = seen["identity"].shape
    return np.stack((np.broadcast_to(goal, shape), np.broadcast_to(bonus, shape)), axis=-1).astype(np.int64)


def _outbid(seen: Observation) -> Offers:
    """Type 1 for 3 while the follower could have what is worth 2 to it, for 1 when not."""
    return _offer(1, np.where(seen["distance"][..., 0] >= 0, 2, 0), seen)


def _overbid(seen: Observation) -> Offers:
    """Type 1 at the price that always wins."""
    return _offer(1, 3, seen)


def _pay_the_first(seen: Observation) -> Offers:
    """Type 0 for 1 to the follower who is skilled, nothing to the other."""
    return _offer(seen["identity"], 0, seen)  # goal type 1 is one more than there are: "none"


def _pay_all(seen: Observation) -> Offers:
    """Type 0 for 1, whoever it is."""
    return _offer(0, 0, seen)


def _raise_and_lower(seen: Observation) -> Offers:
    """Type 0 for 1 and for 2 in turn: twice as many events, and each is paid for."""
    return _offer(0, seen["step"][:, None] % 2, seen)


def _keep_then_switch(seen: Observation) -> Offers:
    """The running contract's type; without one the nearest type there is."""
    distance = np.where(seen["distance"] >= 0, seen["distance"], np.iinfo(np.int16).max)
    return _offer(np.where(seen["contract_running"] > 0, seen["offer"][..., 0], distance.argmin(-1)), 0, seen)


def _never_switch(seen: Observation) -> Offers:
    """The type that was nearest at the start, for ever."""
    return np.where(seen["step"][:, None, None] > 0, seen["offer"], _keep_then_switch(seen)).astype(np.int64)


_SKILLED, _UNSKILLED = ([True], 0, 0.0), ([False], 0, 0.0)  # neither moves unless it is paid to

GAMES: dict[str, TinyGame] = {
    game.name: game
    for game in (
        # Two resources of two types: 2 (5 - 1) where both are of type 1, 5 - 3 where one is, nothing where none is.
        TinyGame(
            "reservation",
            "a follower must be paid the lowest bonus that beats what it can earn by itself, and not more",
            _parameters(
                2, 3, num_followers=1, num_goals=2, num_bonuses=4, goal_reward=5.0, num_resources=2, horizon=10,
                population=_population(([False, True], 0, 2.0)),
            ),
            _outbid, _overbid, optimum=0.25 * 8 + 0.5 * 2,
        ),
        # Two resources, 2 (3 - 1), in the half of the episodes that the skilled follower is drawn for.
        TinyGame(
            "unskilled",
            "a follower who accepts, goes and never finishes must not be paid",
            _parameters(
                2, 3, num_followers=1, num_goals=1, num_bonuses=2, goal_reward=3.0, num_resources=2, horizon=12,
                abstain=True, population=_population(_SKILLED, _UNSKILLED),
            ),
            _pay_the_first, _pay_all, optimum=0.5 * 4,
        ),
        # The skilled follower has time for both resources, 2 (3 - 1); the other would claim one of them for ever.
        TinyGame(
            "one_of_two",
            "of two followers after the same goals, pay the one who is worth it",
            _parameters(
                3, 3, num_followers=2, num_goals=1, num_bonuses=1, goal_reward=3.0, num_resources=2, horizon=12,
                abstain=True, population=_population(_SKILLED, _UNSKILLED),
            ),
            _pay_the_first, _pay_all, optimum=4.0,
        ),
        # Three resources at the lowest price, 3 (3 - 1). Any change of the offer is a new contract, paid for again.
        TinyGame(
            "hold",
            "every change of the offer loses money",
            _parameters(
                3, 3, num_followers=1, num_goals=1, num_bonuses=2, goal_reward=3.0, num_resources=3, horizon=16,
                population=_population(_SKILLED),
            ),
            _pay_all, _raise_and_lower, optimum=6.0,
        ),
        # Two resources, 2 (3 - 1), in three quarters of the episodes of different types: one change of the offer,
        # when the first is done. Earlier it loses the contract's price, without it the second is lost.
        TinyGame(
            "switch_once",
            "wait until the contract is done, then change the offer once",
            _parameters(
                3, 3, num_followers=1, num_goals=4, num_bonuses=1, goal_reward=3.0, num_resources=2, horizon=14,
                population=_population(([True] * 4, 0, 0.0)),
            ),
            _keep_then_switch, _never_switch, optimum=4.0,
        ),
    )
}  # fmt: skip
