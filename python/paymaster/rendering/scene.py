"""What one game's state says, in the terms of a picture: followers, offers, answers, whatever the world is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from paymaster.rendering.worlds import DRAWN_FIELDS, World, world_of

__all__ = ["Follower", "Scene", "read_scene"]

_GRID_ACTIONS = ("moved ahead", "turned left", "turned right", "dug", "stood still")
_PARTICLE_ACTIONS = ("coasted", "pushed left", "pushed right", "pushed down", "pushed up")


@dataclass(frozen=True)
class Follower:
    """One follower after a step.

    Attributes:
        number: k, its index in the game.
        identity: who it is in the population.
        skill: which goal types it can complete.
        preference, reservation: the goal type it prefers and what that is worth to it.
        goal, bonus: its last offer, -1 for none.
        committed: it accepted that offer in the last step.
        completed: goal type of the contract that it completed in the last step, -1 for none.
        contract_age: steps its contract has run, 0 without one.
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
    committed: bool
    completed: int
    contract_age: int
    action: str
    left: int | None


@dataclass(frozen=True)
class Scene:
    """One game after a step.

    Attributes:
        world: which kind of world it is; "other" where it is not known here.
        followers: all N of them.
        step, horizon: t and T.
        done: the episode is over.
        num_goals: G.
        payment: "completion", "advance" or "advance_once".
        goal_reward: w, 0 where the caller has not said.
    """

    world: World
    followers: tuple[Follower, ...]
    step: int
    horizon: int
    done: bool
    num_goals: int
    payment: str
    goal_reward: float


def read_scene(state: Mapping[str, Any], parameters: Mapping[str, Any]) -> Scene:
    """The scene of one game.

    Args:
        state: of one game, as ``LeaderEnv.state()`` returns it.
        parameters: of the game, with ``goal_reward`` as it is in force.

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
        followers=tuple(_follower(state, k, world) for k in range(len(state["identity"]))),
        step=int(state["step"]),
        horizon=int(parameters["horizon"]),
        done=bool(state["done"]),
        num_goals=int(parameters["num_goals"]),
        payment=str(parameters["payment"]),
        goal_reward=float(parameters.get("goal_reward", 0.0)),
    )


def _follower(state: Mapping[str, Any], k: int, world: World) -> Follower:
    goal, bonus = (int(part) for part in state["offer"][k])
    action = int(state["action"][k])
    return Follower(
        number=k,
        identity=int(state["identity"][k]),
        skill=tuple(bool(can) for can in state["skill"][k]),
        preference=int(state["preference"][k]),
        reservation=float(state["reservation"][k]),
        goal=goal,
        bonus=bonus,
        committed=bool(state["committed"][k]),
        completed=int(state["completed"][k]),
        contract_age=int(state["contract_age"][k]),
        action=_action(action, world),
        left=_left(state, k, goal, world),
    )


def _action(action: int, world: World) -> str:
    if action < 0:
        return ""
    words = _GRID_ACTIONS if world == "grid" else _PARTICLE_ACTIONS
    return words[action] if world != "other" and action < len(words) else f"took action {action}"


def _left(state: Mapping[str, Any], k: int, goal: int, world: World) -> int | None:
    if world == "other":
        return None
    if world != "grid":
        return int((np.asarray(state["goal_type"]) == goal).sum())
    claimant = np.asarray(state["resource_claimant"])
    free = np.asarray(state["resource_present"], dtype=bool) & ((claimant < 0) | (claimant == k))
    return int((free & (np.asarray(state["resource_type"]) == goal)).sum())
