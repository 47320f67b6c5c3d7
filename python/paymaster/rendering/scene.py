"""What one game's state says, in the terms of a picture: followers, offers, answers, whatever the world is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from paymaster.rendering.worlds import DRAWN_FIELDS, ON_GRID, World, resources, stations, world_of

__all__ = ["Follower", "Scene", "price_of", "read_scene"]

_GRID_ACTIONS = ("moved ahead", "turned left", "turned right", "dug", "stood still")
_CRAFTING_ACTIONS = ("moved ahead", "turned left", "turned right", "dug", "crafted", "stood still")
_PARTICLE_ACTIONS = ("coasted", "pushed left", "pushed right", "pushed down", "pushed up")
_AS_IN_THE_STATE = (
    "identity",
    "preference",
    "reservation",
    "committed",
    "completed",
    "contract_age",
    "contract_running",
)


@dataclass(frozen=True)
class Follower:
    """One follower after a step.

    Attributes:
        number: k, its index in the game.
        identity: who it is in the population.
        skill: which goal types it can complete.
        preference, reservation: the goal type it prefers and what that is worth to it.
        goal, bonus, pays: its last offer, -1 for none, and what that pays.
        refused: that offer was beyond the leader's means, and so none.
        utility, cost: by goal type, what reaching it is worth to the follower by itself, and what each step of its way
            costs; () in games in which nobody has that.
        committed: it accepted that offer in the last step.
        completed: goal type of the contract that it completed in the last step, -1 for none.
        contract_age: steps its contract has run, 0 without one.
        contract_running: it has one.
        action: what it did in the last step, in words; "" before the first.
        left: goals of the offered type that it may still take; None where the world is not known here.
    """

    number: int
    identity: int
    skill: tuple[bool, ...]
    preference: int
    reservation: float
    goal: int
    bonus: int
    pays: float
    refused: bool
    utility: tuple[float, ...]
    cost: tuple[float, ...]
    committed: bool
    completed: int
    contract_age: int
    contract_running: bool
    action: str
    left: int | None


@dataclass(frozen=True)
class Scene:
    """One game after a step.

    Attributes:
        world: which kind of world it is; "other" where it is not known here.
        followers: all N of them.
        step: t.
        goal_reward: w of each goal type, () where the caller has not said.
        state, parameters: all that is known of the game.
    """

    world: World
    followers: tuple[Follower, ...]
    step: int
    goal_reward: tuple[float, ...]
    state: Mapping[str, Any]
    parameters: Mapping[str, Any]

    @property
    def on_employment(self) -> bool:
        """Whether rule-based followers decide on employment."""
        return str(self.parameters.get("decision", "utility")) != "utility"


def read_scene(state: Mapping[str, Any], parameters: Mapping[str, Any]) -> Scene:
    """The scene of one game.

    Args:
        state: of one game, as ``LeaderEnv.state()`` returns it.
        parameters: of the game, with ``goal_reward`` and ``prices`` as they are in force, and the population's
            ``utility`` and ``cost`` where it has them.

    Raises:
        ValueError: a state that lacks a field, or of a whole batch.
    """
    for name in DRAWN_FIELDS:
        if name not in state:
            raise ValueError(f"state: expected the field {name!r}, got none")
    world = world_of(state, parameters)
    if np.ndim(state["identity"]) != 1:
        raise ValueError(f"state: expected one game's (identity int[N]), got shape {np.shape(state['identity'])}")
    return Scene(
        world=world,
        followers=tuple(_follower(state, k, world, parameters) for k in range(len(state["identity"]))),
        step=int(state["step"]),
        goal_reward=_rewards(parameters, len(state["skill"][0])),
        state=state,
        parameters=parameters,
    )


def _rewards(parameters: Mapping[str, Any], goals: int) -> tuple[float, ...]:
    given = np.atleast_1d(np.asarray(parameters.get("goal_reward", ()), dtype=np.float64))
    return tuple(float(w) for w in np.broadcast_to(given, (goals,))) if given.any() else ()


def price_of(bonus: int, parameters: Mapping[str, Any]) -> float:
    """What a bonus level pays; 0 without an offer."""
    prices = np.atleast_1d(np.asarray(parameters.get("prices", ()), dtype=np.float64))
    return 0.0 if bonus < 0 else float(prices[bonus]) if bonus < len(prices) else bonus + 1.0


def _follower(state: Mapping[str, Any], k: int, world: World, parameters: Mapping[str, Any]) -> Follower:
    goal, bonus = (int(part) for part in state["offer"][k])
    return Follower(
        number=k,
        skill=tuple(bool(can) for can in state["skill"][k]),
        goal=goal,
        bonus=bonus,
        pays=price_of(bonus, parameters),
        refused=bool(state["refused"][k]) if "refused" in state else False,
        utility=_taste("utility", state, k, parameters),
        cost=_taste("cost", state, k, parameters),
        action=_action(int(state["action"][k]), world),
        left=_left(state, k, goal, world),
        **{name: np.asarray(state[name])[k].item() for name in _AS_IN_THE_STATE},
    )


def _taste(name: str, state: Mapping[str, Any], k: int, parameters: Mapping[str, Any]) -> tuple[float, ...]:
    table = parameters.get(name)
    return () if table is None or not np.any(table) else tuple(map(float, table[int(state["identity"][k])]))


def _action(action: int, world: World) -> str:
    if action < 0:
        return ""
    words = {"grid": _GRID_ACTIONS, "crafting": _CRAFTING_ACTIONS}.get(world, _PARTICLE_ACTIONS)
    return words[action] if world != "other" and action < len(words) else f"took action {action}"


def _left(state: Mapping[str, Any], k: int, goal: int, world: World) -> int | None:
    if world == "other":
        return None
    if world not in ON_GRID:
        return list(state["goal_type"]).count(goal)
    left = sum(bool(there) and kind == goal and owner in (-1, k) for kind, _, there, owner in resources(state))
    return left + sum(item == goal and owner in (-1, k) for item, _, owner in stations(state))
