"""B games stepped one after the other, sharing one statistics table; arrays named as ``paymaster``'s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .crafting_reference import CraftingGame, CraftingState
from .grid_map import GridMap
from .grid_reference import ReferenceGame
from .population import Population
from .rules import CRAFTING_PRESETS, NONE, PRESETS
from .statistics import ReferenceStatistics

Arrays = dict[str, NDArray[Any]]

_INTEGERS: dict[str, type[np.generic]] = {item.name: np.int32 for item in fields(CraftingState)}
STATE_DTYPES = _INTEGERS | {
    "skill": np.bool_,
    "reservation": np.float32,
    "committed": np.bool_,
    "contract_running": np.bool_,
    "dropped": np.bool_,
    "refused": np.bool_,
    "earned": np.float64,
    "paid": np.float64,
    "revenue": np.float64,
    "episode": np.int64,
    "done": np.bool_,
    "resource_present": np.bool_,
}
PUBLIC = (
    *("identity", "position", "heading", "action", "offer", "committed", "completed", "step"),
    *("contract_running", "contract_age", "resource_position", "resource_claimant"),
)
CRAFTING_FIELDS = ("station_claimant", "inventory")


class ReferenceBatch:
    """B games with the calls of ``paymaster.make_vec``; a finished game stays as it is ("Disabled")."""

    def __init__(
        self,
        task: str,
        num_envs: int,
        seed: int = 0,
        first_index: int = 0,
        population: Mapping[str, Any] | None = None,
        **parameters: Any,
    ) -> None:
        self.rules = replace((PRESETS | CRAFTING_PRESETS)[task], **parameters)
        self.grid = GridMap(self.rules.map)
        traits = (
            Population.drawn(self.rules) if population is None else Population.given(population, self.rules.effort_cost)
        )
        game = CraftingGame if self.rules.crafting else ReferenceGame
        self.games = [game(self.rules, self.grid, traits, seed, first_index + i) for i in range(num_envs)]
        rules = self.rules
        self.statistics = ReferenceStatistics(len(traits.preference), rules.num_goals, rules.num_bonuses, rules.horizon)

    def reset(self, seed: int | None = None) -> tuple[Arrays, Arrays]:
        """Begin the next episode of every game; a seed starts again from episode 0."""
        for game in self.games:
            if seed is not None:
                game.seed, game.episode = seed, -1
            game.reset()
        return self.observation(), {}

    def shown(self, offers: Any) -> NDArray[Any]:
        """The first phase: offers int[B, N, 2] as followers that learn see them, those that do not fit as (-1, -1)."""
        rows = zip(self.games, np.asarray(offers).tolist(), strict=True)
        return np.array([game.shown(row) for game, row in rows], dtype=np.int16)

    def step(self, offers: Any, answers: Any = None) -> tuple[Arrays, NDArray[Any], NDArray[Any], NDArray[Any], Arrays]:
        """Step all with offers int[B, N, 2], and answers int[B, N] of followers that learn; return observation, reward,
        terminated, truncated, info."""
        rows = np.asarray(offers).tolist()
        said = [None] * len(rows) if answers is None else np.asarray(answers).tolist()
        results = [game.step(row, answer) for game, row, answer in zip(self.games, rows, said, strict=True)]
        for result in results:
            self.statistics.update(result.records)
        info = {
            "committed": np.array([r.committed for r in results], dtype=np.bool_),
            "completed": np.array([r.completed for r in results], dtype=np.int16),
            "payment": np.array([r.payment for r in results], dtype=np.float32),
            "follower_reward": np.array([r.follower_reward for r in results], dtype=np.float32),
            "follower_action": np.array([r.follower_action for r in results], dtype=np.int16),
        }
        if self.rules.limited:
            info["refused"] = np.array([r.refused for r in results], dtype=np.bool_)
        reward = np.array([r.reward for r in results])
        done = np.array([game.state.done for game in self.games])
        return self.observation(), reward, done, np.zeros_like(done), info

    def observation(self) -> Arrays:
        """What the leader sees: the public part of the state, and routes and resources left."""
        state = self.state()
        seen = {name: state[name] for name in PUBLIC}
        seen["resource_type"] = np.where(state["resource_present"], state["resource_type"], NONE)
        seen["distance"] = np.array([game.distance() for game in self.games])
        seen["available"] = np.array([game.available() for game in self.games])
        if self.rules.crafting:
            seen |= {name: state[name] for name in CRAFTING_FIELDS}
            seen["missing"] = np.array([game.missing() for game in self.games if isinstance(game, CraftingGame)])
        if self.rules.observe_routes:
            seen["route"] = np.array([game.route() for game in self.games])
        whole = {name: array.astype(np.int16) for name, array in seen.items()}
        return whole | (self._means(state) if self.rules.limited else {})

    def _means(self, state: Arrays) -> Arrays:
        """What the leader sees of its means, of the limits that there are."""
        left = np.clip([game.purse().left() for game in self.games], 0, 1e6).astype(np.float32)
        shown: Arrays = {"refused": state["refused"].astype(np.int16)}
        if np.isfinite(self.rules.budget):
            shown["budget_left"] = left[:, 0]
        if np.isfinite(self.rules.max_share):
            shown["share_left"] = left[:, 1]
        return shown

    def state(self) -> Arrays:
        """Copies of every game's state, stacked: [B, ...]."""
        return {
            name: np.array([getattr(game.state, name) for game in self.games], dtype=dtype)
            for name, dtype in STATE_DTYPES.items()
            if self.rules.limited or name not in ("refused", "paid", "revenue")
            if self.rules.weight_equality != 0 or name != "earned"
            if self.rules.crafting or name not in CRAFTING_FIELDS
        }

    def set_state(self, **arrays: Any) -> None:
        """Set any of the arrays of `state()`; legality is not checked here."""
        for i, game in enumerate(self.games):
            for name, array in arrays.items():
                value = np.array(array[i], dtype=STATE_DTYPES[name])
                setattr(game.state, name, value if value.ndim else value.item())
            game.look()
