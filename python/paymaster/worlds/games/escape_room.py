"""The Escape Room of LIO (Yang et al., NeurIPS 2020): some pull the lever, at their own cost, for others to leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from paymaster.worlds.draws import Draws
from paymaster.worlds.games.traits import able_and_free
from paymaster.worlds.parameter import Parameter
from paymaster.worlds.world import Move, Moved, World

__all__ = ["DOOR", "LEVER", "START", "EscapeRoom", "equilibrium"]

LEVER, START, DOOR = range(3)
_PLACES = 3
_MOVE, _ESCAPE = -1.0, 10.0  # a follower's own reward for another place, and for the open door
_PAID = 1.1  # what each bonus level above 0 pays, in the task


class EscapeRoom(World):
    """room; a door opens while M followers pull a lever at a cost of 1 each, and others leave by it for 10 (LIO)"""

    num_actions = 3
    max_goals = 3
    parameters: Mapping[str, Any] = {
        "levers": Parameter(1, "M, followers that must choose the lever for the door to open", 1, 1024)
    }
    defaults: ClassVar[Mapping[str, Any]] = {
        "num_followers": 2,
        "population_size": 2,
        "num_goals": 3,
        "num_bonuses": 2,
        "horizon": 5,
        "prices": [0.0, _PAID],
        "goal_reward": [0.0, 0.0, 0.0],
        "weight_welfare": 1.0,
    }

    at: NDArray[np.bool_]
    levers: NDArray[np.int16]
    escaped: NDArray[np.bool_]

    def setup(self) -> None:
        """Declare where everybody is, and whether somebody has left."""
        if self.num_goals != _PLACES:
            raise ValueError(f"num_goals: expected 3 in escape_room, lever, start and door, got {self.num_goals}")
        if self.parameters["levers"] >= self.num_followers:
            raise ValueError(
                f"levers: expected fewer than the {self.num_followers} followers, so that somebody can leave, got "
                f"{self.parameters['levers']}"
            )
        at = "place of each follower: lever, start, door"
        self.array("at", (self.num_followers, _PLACES), "bool", at, feature="follower")
        self.array("levers", meaning="M, followers that must choose the lever", low=1, high=1024)
        self.array("escaped", (), "bool", "somebody has left through the open door")

    def reset(self, games: NDArray[np.bool_], draws: Draws) -> None:
        """Everybody is at the start."""
        self.at[games] = np.arange(_PLACES) == START
        self.levers[games] = self.parameters["levers"]
        self.escaped[games] = False

    def distance(self) -> NDArray[np.integer[Any]]:
        """Each place is one action away, that where one is, too."""
        return np.zeros(self.at.shape, np.int16)

    def plan(self, chosen: NDArray[np.int8]) -> NDArray[np.integer[Any]]:
        """Go to the chosen place; stay without one."""
        return np.where(chosen < 0, self.at.argmax(-1), chosen)

    def exhausted(self) -> NDArray[np.bool_]:
        """A game ends when somebody leaves."""
        return np.array(self.escaped)

    def move(self, step: Move) -> Moved:
        """All move at once; the door is open in this step iff M have chosen the lever in it."""
        there = np.clip(step.action, 0, _PLACES - 1)[..., None] == np.arange(_PLACES)
        is_open = there[:, :, LEVER].sum(1) >= self.parameters["levers"]
        leaves = there[:, :, DOOR] & is_open[:, None]
        earned = np.where(leaves, _ESCAPE, np.where((there & self.at).any(-1), 0.0, _MOVE))
        self.at = np.where(step.playing[:, None, None], there, self.at)
        self.escaped = np.where(step.playing, leaves.any(1), self.escaped)
        return Moved(there & step.skill, earned)

    @classmethod
    def population(cls, parameters: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """Return N followers who can go everywhere and prefer nothing: their own rewards are the room's."""
        return able_and_free(parameters)


def equilibrium(observation: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Return what followers choose who know the room, reason about each other and look no further than this step.

    An equilibrium of the step: whoever the lever is worth more to than any other place behind a closed door pulls, the
    first M of them; the others take what is best for them, given whether it opens. Each bonus level above 0 pays 1.1.

    Args:
        observation: what :meth:`.TwoPhaseVectorEnv.offer` returns, of B games of N followers.

    Returns:
        Places, int64 [B, N]; the name of these followers is ``paymaster.worlds.games.escape_room:equilibrium``.
    """
    goal, bonus = np.moveaxis(observation["offered"], -1, 0)
    paid = (goal[..., None] == np.arange(_PLACES)) * np.where(bonus > 0, _PAID, 0.0)[..., None]
    worth = paid + np.where(observation["at"], 0.0, _MOVE)
    levers = observation["levers"].reshape(-1, 1)
    pulls = worth.argmax(-1) == LEVER
    pulls &= pulls.cumsum(1) <= levers
    is_open = pulls.sum(1, keepdims=True) >= levers
    worth[:, :, DOOR] = np.where(is_open, _ESCAPE + paid[:, :, DOOR], worth[:, :, DOOR])
    worth[:, :, LEVER] = np.where(is_open & ~pulls, -np.inf, worth[:, :, LEVER])
    answer: NDArray[np.int64] = np.where(pulls, LEVER, worth.argmax(-1))
    return answer
