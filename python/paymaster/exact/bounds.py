r"""An upper bound of what any leader gains in an episode of the package's worlds.

**The claim.** In no episode does any leader gain more than :func:`upper_bound`: whatever it offers, knows or has
learned, under each payment rule, with or without "none", budget or cap, whoever the followers are, and whatever noise
does.

**Why.** *Gain is a sum over completions.* The leader earns w of a goal type only in the step in which a follower
reaches a goal of the type that it is offered. For each such completion one bonus is paid, and none is paid for two:
under ``completion`` and ``outcome`` in that step, under ``advance`` and ``advance_once`` when its contract started, and
a completed contract has to start, and be paid for, anew. Other payments (of contracts that are dropped) only lower the
gain. So the gain is at most the sum of w less the bonus over completions.

*The bonus has a least value.* In the step of a completion, a follower that decides by rule has preferred the offer.
Then the price beats what the work is worth to it by itself, even if no other type is within its reach: any price if it
offers what the follower prefers, else a price above 0 (by employment always above 0; with tastes, a price above the
cost of one step less what the type is worth to it). Followers that learn may take any price. The bound
grants that least price to every completion: another type within reach would only make it dearer, but claims and bodies
in the way can take it out of reach. What is left over is the most that a completion brings: the *profit* of a follower
and a type, nothing without the skill.

*The grid gives a goal once.* A resource is removed once, by a follower with the skill. A step is one action: to move,
to turn or to dig. So follower k can remove resource r only if it can face it and dig before the horizon; walls alone
count as in the way, while in the game other bodies and resources are, too. Between two removals r', r it needs at least
the fewest actions from a pose that faces r' to one that faces r, and a dig. With h(r) the least of that over all r'
that count for k, n removals take k at least the n smallest h and the least difference of a first way (and its dig) and
h. The largest n that fits in the horizon is k's capacity. The bound is the best assignment of resources to followers
within their capacities, solved exactly; every episode is such an assignment, so none gains more. Order, claims, waiting
and being in each other's way are relaxed.

*Crafting makes items of units.* An item takes one unit of each of its parts, is crafted at its station, at most one in
a step, and the episode ends after the step in which two top-level items are there. Of each type only so many are
reached as materials allow, and only if it can be done before the horizon: a unit after the fewest steps to dig it, an
item after its parts are there and its station is faced. Whatever a follower reaches by itself brings nothing and costs
nothing. The bound is the best number of each type under these constraints, by trying all of them.

*In the plane goals come back.* A follower completes at most one contract a step, and no more contracts are completed
in a step than there are goals on the field. The bound is the sum of that over all steps: true, and far above
what can be reached, since a goal may reappear anywhere. The best planner that is known there is ``told_best``
(:mod:`paymaster.scripted`), which is no bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster import _core
from paymaster.envs.tasks import make_vec
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.exact.crafting_bound import crafting_bound
from paymaster.exact.ways import FAR, ways_of
from paymaster.validation.arguments import check_int

__all__ = ["episode_bounds", "upper_bound"]

Floats = NDArray[np.float64]
State = Mapping[str, NDArray[Any]]

_WORLDS = {"grid", "crafting", "navigation", "predator_prey"}
_SLACK = 1e-6  # the core compares in float32 where followers have tastes
_GAMES = 250


def upper_bound(env: LeaderVectorEnv) -> Floats:
    """Return a gain that no leader exceeds in the episodes that have just begun, float64 [B].

    Gain is revenue less payments, whatever the leader is rewarded for. :mod:`paymaster.exact.bounds` has the proof.

    Args:
        env: B games of a task on the grid, in the crafting world or in the plane, all at step 0.

    Raises:
        ValueError: another world, or a game that is not at the beginning of its episode.
    """
    world = _core.world(env.task)
    if world not in _WORLDS:
        raise ValueError(f"task: expected one of the worlds {', '.join(sorted(_WORLDS))}, got {env.task!r} ({world})")
    state = env.state()
    begun = np.flatnonzero((state["step"] > 0) | state["contract_running"].any(-1))
    if len(begun):
        raise ValueError(f"env: expected games at step 0 without contracts, got another in game {begun[0]}")
    price = _least_price(env, state, world)
    profit = np.where(state["skill"], env.goal_reward.astype(np.float64) - price, -np.inf)
    horizon = int(env.parameters["horizon"])
    if world == "grid":
        return _grid_bound(state, profit, str(env.parameters["map"]), horizon)
    if world == "crafting":
        free = state["skill"] & (
            _acts(env, state)[..., None]
            | ("utility" in env.population)
            | (np.arange(profit.shape[-1]) == state["preference"][..., None])
        )
        return crafting_bound(state, profit, free, str(env.parameters["map"]), horizon)
    best = np.sort(np.maximum(profit.max(-1), 0.0), axis=-1)[:, ::-1]
    bound: Floats = horizon * best[:, : env.parameters["num_targets"]].sum(-1)
    return bound


def episode_bounds(task: str, episodes: int, seed: int = 0, **parameters: Any) -> Floats:
    """Return :func:`upper_bound` of the first episodes that 250 games play one after the other, float64 [E].

    Args:
        task: its name.
        episodes: E.
        seed, parameters: as for :func:`paymaster.make_vec`.

    Raises:
        ValueError: as there, and as :func:`upper_bound`.
    """
    episodes = check_int("episodes", episodes, 1, 2**31)
    env = make_vec(task, min(episodes, _GAMES), seed, **parameters)

    def rounds() -> Iterator[Floats]:
        for _ in range(0, episodes, env.num_envs):
            env.reset()
            yield upper_bound(env)

    return np.concatenate(list(rounds()))[:episodes]


def _acts(env: LeaderVectorEnv, state: State) -> NDArray[np.bool_]:
    """Followers that decide from outside, [B, N]."""
    acts: NDArray[np.bool_] = state["learns"] & (env.parameters["followers"] != "rule")
    return acts


def _least_price(env: LeaderVectorEnv, state: State, world: str) -> Floats:
    """The least bonus for which a completion by each follower of each type can be had, [B, N, G]; inf: none."""
    prices = env.prices.astype(np.float64)
    whole = np.append(prices, np.inf)
    above_zero = whole[np.searchsorted(prices, 0.0, side="right")]
    preferred = np.arange(env.parameters["num_goals"]) == state["preference"][..., None]
    employed = env.parameters["decision"] != "utility"
    on_outcome = env.parameters["payment"] == "outcome"
    if on_outcome and world in ("navigation", "predator_prey"):  # goals are taken in passing, whoever wants them
        return np.full(preferred.shape, prices[0])
    if employed:
        price = np.full(preferred.shape, above_zero)
        if on_outcome:  # who declines still goes for what it prefers, and is paid for the outcome
            price[preferred | _acts(env, state)[..., None]] = prices[0]
        return price
    people, identity = env.population, state["identity"]
    worth = np.where(preferred, state["reservation"][..., None].astype(np.float64), 0.0)
    if "utility" in people or "cost" in people:
        for name, sign in (("utility", 1.0), ("cost", -1.0)):
            if name in people:
                worth = worth + sign * people[name][identity].astype(np.float64)
        price = whole[np.searchsorted(prices, -worth - _SLACK, side="right")]
    else:
        price = np.where(worth > 0, prices[0], above_zero)
    price[_acts(env, state)] = prices[0]
    return price


def _grid_bound(state: State, profit: Floats, text: str, horizon: int) -> Floats:
    ways = ways_of(text)
    cell = ways.cells(state["resource_position"])
    pose = 4 * ways.cells(state["position"]) + state["heading"]
    kind = state["resource_type"].astype(np.int64)
    followers = profit.shape[1]
    first = ways.to(cell[:, None], pose[..., None]).astype(np.int64) + 1  # [B, N, M]
    of = np.broadcast_to(kind[:, None], first.shape)
    value = np.take_along_axis(profit, of, axis=-1)
    claimant = state["resource_claimant"][:, None]
    mine = state["resource_present"][:, None] & ((claimant < 0) | (claimant == np.arange(followers)[:, None]))
    value = np.where(mine & (first <= horizon), np.maximum(value, 0.0), 0.0)
    counts = value > 0
    step = ways.between(cell[:, :, None], cell[:, None, :]).astype(np.int64) + 1  # from r' to r
    step[:, np.arange(cell.shape[1]), np.arange(cell.shape[1])] = FAR
    after = np.where(counts[:, :, :, None], step[:, None], FAR).min(axis=2)  # h(r), [B, N, M]
    after = np.where(counts, after, FAR)
    start = np.where(counts, first - after, FAR).min(axis=-1)  # [B, N]
    total = np.cumsum(np.sort(after, axis=-1), axis=-1) + start[..., None]
    capacity = np.maximum((total <= horizon).sum(-1), counts.any(-1))
    chosen = _core.assign(np.ascontiguousarray(value.transpose(0, 2, 1)), capacity.astype(np.int32)).astype(np.int64)
    taken = np.take_along_axis(value.transpose(0, 2, 1), np.maximum(chosen, 0)[..., None], axis=-1)[..., 0]
    bound: Floats = np.where(chosen >= 0, taken, 0.0).sum(-1)
    return bound
