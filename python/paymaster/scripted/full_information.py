"""Scripted leaders that see everything: traits, and the planners' distances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster import _core
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.scripted.crafting import CraftingPlan, plays_crafting
from paymaster.scripted.means import Means, lowest_level

__all__ = ["FullInformation", "ToldAlone", "ToldLowest"]

Actions = NDArray[np.int64]
Observation = Mapping[str, NDArray[Any]]


class FullInformation:
    """At every step the assignment of followers to goal types, each at the cheapest bonus that wins the follower, with
    the largest sum of net profit (w of the type less the bonus) per step needed. No more followers are sent to a type
    than there are goals of it; in the plane, where everybody heads for the nearest goal of its type, no two to one.

    Where bonuses are paid in advance, a running contract is kept as long as the follower stays committed to it: a
    change would be paid for again. Under a budget or a cap the profit counts by the money that it takes. The leader
    knows what is left, and puts "none" (without ``abstain`` the cheapest offer) in place of an offer that does not fit.

    In the crafting world, where only what many do together is worth something, it follows a plan instead
    (:class:`~paymaster.scripted.crafting.CraftingPlan`), and leaves whom it does not need to collect for nothing.

    Args:
        seed: unused, for the scripted leaders' common signature.
    """

    _assigns = True  # followers are held against each other
    _lowest_only = False  # offers of the lowest bonus alone

    def __init__(self, seed: int = 0) -> None:
        self._traits: dict[str, NDArray[Any]] = {}
        self._means: Means | None = None

    def start(self, env: LeaderVectorEnv) -> None:
        """Reads the followers' traits."""
        state = env.state("identity", "skill", "preference", "reservation")
        people = env.population
        self._traits = dict(state)
        for name in ("utility", "cost"):
            if name in people:
                self._traits[name] = people[name][state["identity"]]
        self._means = Means.of(env)

    def offers(self, env: LeaderVectorEnv, observation: Observation) -> Actions:
        """The best assignment for this step."""
        bonus = self._cheapest_bonus(env, observation)
        actions = (
            self._by_plan(env, observation, bonus)
            if plays_crafting(observation)
            else self._by_profit(env, observation, bonus)
        )
        return actions if self._means is None else self._means.within(actions, observation, _none(env))

    def _by_plan(self, env: LeaderVectorEnv, observation: Observation, bonus: NDArray[np.int64]) -> Actions:
        """Offers of the crafting world's plan; "no employment" to the rest."""
        prices = np.append(env.prices.astype(np.float64), np.inf)
        goal = CraftingPlan().assign_all(observation, self._traits, prices[bonus], env.parameters["horizon"])
        level = _of_type(bonus, np.maximum(goal, 0))
        if env.parameters["payment"] in ("advance", "advance_once"):  # another level would be paid anew
            stays = (observation["contract_running"] > 0) & (observation["offer"][..., 0] == goal)
            level = np.where(stays & (observation["offer"][..., 1] >= level), observation["offer"][..., 1], level)
        none = _none(env)
        rest = self._traits["preference"].astype(np.int64) if none is None else none
        return np.stack((np.where(goal >= 0, goal, rest), np.where(goal >= 0, level, 0)), axis=-1).astype(np.int64)

    def _by_profit(self, env: LeaderVectorEnv, observation: Observation, bonus: NDArray[np.int64]) -> Actions:
        """Offers of the best assignment."""
        value = self._profit_per_step(env, observation, bonus)
        if self._lowest_only:
            value[bonus > lowest_level(env)] = 0.0
        seat, room = _seats(observation)
        kept = np.zeros(value.shape[:2], dtype=np.bool_)
        if env.parameters["payment"] in ("advance", "advance_once"):
            kept = self._worth_keeping(observation, bonus)
            games, followers = np.nonzero(kept)
            taken = seat[games, followers, observation["offer"][games, followers, 0]]
            np.subtract.at(room, (games, taken), 1)
            value[kept] = 0.0
        chosen = _assign(value, seat, np.maximum(room, 0)) if self._assigns else _each_alone(value)
        level = _of_type(bonus, np.maximum(chosen, 0))
        actions = np.where(
            (chosen >= 0)[..., None], np.stack((chosen, level), axis=-1), self._for_the_rest(env, observation)
        )
        kept_or_new: Actions = np.where(kept[..., None], observation["offer"], actions).astype(np.int64)
        return kept_or_new

    def _cheapest_bonus(self, env: LeaderVectorEnv, observation: Observation) -> NDArray[np.int64]:
        """The lowest level that makes each goal type the follower's strict choice, [B, N, G]: with its price the type
        is worth more than nothing, and than any other type within reach. A level of K or more does not exist."""
        prices = env.prices.astype(np.float64)
        if env.parameters["decision"] != "utility":
            return self._cheapest_employment(env.parameters["decision"], observation, prices)
        worth = self._worth(observation)
        best = np.partition(worth, -2, axis=-1)[..., -2:] if worth.shape[-1] > 1 else worth[..., [0, 0]]
        others = np.where(worth == best[..., 1:], best[..., :1], best[..., 1:])  # the best of the other types
        if worth.shape[-1] == 1:
            others = np.full_like(worth, -np.inf)
        needed = np.maximum(others, 0.0) - np.where(np.isfinite(worth), worth, 0.0)
        return np.searchsorted(prices, needed, side="right")

    def _cheapest_employment(
        self, decision: str, observation: Observation, prices: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """The same of followers that decide on employment: a price above 0, and above c while they reach what they
        prefer."""
        likes = _of_type(observation["distance"], self._traits["preference"].astype(np.int64)) >= 0
        weighed = prices**2 if decision == "employment_squared" else prices
        least = np.where(likes, self._traits["reservation"].astype(np.float64), 0.0)
        level = np.searchsorted(weighed, least, side="right")  # prices increase, so weighed ones do
        return np.broadcast_to(level[..., None], observation["distance"].shape)

    def _worth(self, observation: Observation) -> NDArray[np.float64]:
        """What each goal type is worth to each follower without pay, [B, N, G]; -inf out of reach."""
        traits, distance = self._traits, observation["distance"]
        preferred = np.arange(distance.shape[-1]) == traits["preference"][..., None]
        worth = np.where(preferred, traits["reservation"][..., None].astype(np.float64), 0.0)
        worth = worth + traits.get("utility", np.float32(0)).astype(np.float64)
        worth -= traits.get("cost", np.float32(0)).astype(np.float64) * (distance + 1)
        return np.where(distance >= 0, worth, -np.inf)

    def _profit_per_step(
        self, env: LeaderVectorEnv, observation: Observation, bonus: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        distance = observation["distance"].astype(np.float64)
        possible = self._traits["skill"] & _in_time(env, observation) & (bonus < env.parameters["num_bonuses"])
        prices = env.prices.astype(np.float64)
        price = prices[np.minimum(bonus, len(prices) - 1)]
        profit = env.goal_reward.astype(np.float64) - price
        # The way and the action that reaches the goal. On the grid that is a dig, and one step more: a follower has to
        # turn or move before it can dig again.
        steps = distance + (2 if "heading" in observation else 1)
        if self._means is not None:  # money is scarce as well: the best use of it goes first
            profit = profit / np.maximum(price, 1e-3 * prices[-1])
        return np.where(possible, profit / np.maximum(steps, 1), 0.0)

    def _worth_keeping(self, observation: Observation, bonus: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Running contracts that can still be completed and whose followers stay committed, [B, N]. One that was won
        cheaply, without its preferred goal on the field, is lost when that returns."""
        goal, level = np.moveaxis(np.maximum(observation["offer"], 0), -1, 0)
        reachable = _of_type(observation["distance"], goal) >= 0
        stays = level >= _of_type(bonus, goal)
        keeping: NDArray[np.bool_] = (
            (observation["contract_running"] > 0) & reachable & stays & _of_type(self._traits["skill"], goal)
        )
        return keeping

    def _for_the_rest(self, env: LeaderVectorEnv, observation: Observation) -> Actions:
        """Offers to the followers without an assignment, [B, N, 2].

        One that can complete what it prefers is going there anyway: it gets that at the lowest bonus. Any other
        gets an offer that it refuses (a type it cannot reach, or less than what it prefers is worth to it), so that
        nobody works on, and claims, what it cannot complete, and nobody is paid in advance for what it cannot finish.
        """
        preference = self._traits["preference"].astype(np.int64)
        able = _of_type(self._traits["skill"] & _in_time(env, observation), preference)
        goals = env.parameters["num_goals"]
        unreachable = observation["distance"] < 0
        refused = np.where(unreachable.any(-1), unreachable.argmax(-1), (preference + 1) % goals)
        if env.parameters["abstain"]:
            refused = np.full_like(preference, goals)
        goal = np.where(able, preference, refused)
        return np.stack((goal, np.zeros_like(goal)), axis=-1)


class ToldAlone(FullInformation):
    """At every step each follower's own best goal type by net profit per step needed, at the cheapest bonus that wins
    it, whatever the others do. Else as :class:`FullInformation`, in the crafting world the same.

    Args:
        seed: unused, for the scripted leaders' common signature.
    """

    _assigns = False


class ToldLowest(ToldAlone):
    """The same of offers at the lowest bonus that pays anything: those that followers take for so little.

    Args:
        seed: unused, for the scripted leaders' common signature.
    """

    _lowest_only = True


def _each_alone(value: NDArray[np.float64]) -> NDArray[np.int64]:
    """The goal type of each follower that is worth most, [B, N]; -1 where none is worth anything."""
    return np.where(value.max(axis=-1) > 0, value.argmax(axis=-1), -1).astype(np.int64)


def _none(env: LeaderVectorEnv) -> int | None:
    return int(env.parameters["num_goals"]) if env.parameters["abstain"] else None


def _of_type(values: NDArray[Any], goal: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """values [B, N, G] at each follower's goal type [B, N]."""
    return np.take_along_axis(values, goal[..., None].astype(np.int64), axis=-1)[..., 0]


def _in_time(env: LeaderVectorEnv, observation: Observation) -> NDArray[np.bool_]:
    """A goal of the type can be reached before the horizon, [B, N, G]."""
    steps_left = (env.parameters["horizon"] - observation["step"])[:, None, None]
    reachable: NDArray[np.bool_] = (observation["distance"] >= 0) & (observation["distance"] < steps_left)
    return reachable


def _seats(observation: Observation) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """What only so many followers can have: seat int64[B, N, G] that a follower takes when it goes for a type, and the
    room on each seat int32[B, S]. On the grid a seat is a goal type with as much room as there are goals of it; in the
    plane it is the goal of that type which is nearest to the follower (the first goal where there is none)."""
    distance = observation["distance"]
    if "goal_position" not in observation:
        seat = np.broadcast_to(np.arange(distance.shape[-1]), distance.shape)
        return seat, observation["available"].astype(np.int32)
    way = observation["position"][:, :, None] - observation["goal_position"][:, None]
    away = np.square(way).sum(-1)  # [B, N, M]
    kinds = observation["goal_type"][:, None]
    seat = np.stack([np.where(kinds == g, away, np.inf).argmin(-1) for g in range(distance.shape[-1])], axis=-1)
    return seat, np.ones(observation["goal_type"].shape, dtype=np.int32)


def _assign(value: NDArray[np.float64], seat: NDArray[np.int64], room: NDArray[np.int32]) -> NDArray[np.int64]:
    """The goal type of each follower in the best assignment to seats, [B, N]; -1 for none."""
    games, n, goals = value.shape
    seats = np.zeros((games, n, room.shape[1]))
    type_of = np.zeros(seats.shape, dtype=np.int64)
    b, k = np.ogrid[:games, :n]
    for g in range(goals):
        better = value[..., g] > seats[b, k, seat[..., g]]
        seats[b, k, seat[..., g]] = np.where(better, value[..., g], seats[b, k, seat[..., g]])
        type_of[b, k, seat[..., g]] = np.where(better, g, type_of[b, k, seat[..., g]])
    taken = _core.assign(seats, room).astype(np.int64)
    return np.where(taken >= 0, _of_type(type_of, np.maximum(taken, 0)), -1)
