"""The population of followers with fixed traits, and the draw of an episode's followers from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .draws import POPULATION, Draws
from .rules import Rules


@dataclass(frozen=True)
class Population:
    """skill bool[P, G]; preference int[P], a goal type; reservation float32[P], what it earns by itself. Utility and
    cost float32[P, G] beside these; weight float32[P], or None, in proportion to which members are drawn."""

    skill: NDArray[np.bool_]
    preference: NDArray[np.int32]
    reservation: NDArray[np.float32]
    utility: NDArray[np.float32]
    cost: NDArray[np.float32]
    weight: NDArray[np.float32] | None = None

    @staticmethod
    def given(arrays: Mapping[str, Any], effort_cost: float = 0.0) -> Population:
        skill = np.asarray(arrays["skill"], dtype=np.bool_)
        cost = np.asarray(arrays.get("cost", np.full(len(skill), effort_cost)), dtype=np.float32)
        return Population(
            skill,
            np.asarray(arrays["preference"], dtype=np.int32),
            np.asarray(arrays["reservation"], dtype=np.float32),
            np.asarray(arrays.get("utility", np.zeros(skill.shape)), dtype=np.float32),
            cost if cost.ndim == 2 else np.tile(cost[:, None], (1, skill.shape[1])),
            np.asarray(arrays["weight"], dtype=np.float32) if "weight" in arrays else None,
        )

    @staticmethod
    def drawn(rules: Rules) -> Population:
        """For each follower draw skills by a partial shuffle, then its preference, then its reservation."""
        draws = Draws(rules.population_seed, POPULATION)
        if rules.crafting:
            return Population._crafters(rules, draws)
        size, goals, skills = rules.population_size, rules.num_goals, rules.skills_per_follower
        skill = np.zeros((size, goals), dtype=np.bool_)
        preference = np.zeros(size, dtype=np.int32)
        reservation = np.zeros(size, dtype=np.float32)
        for follower in range(size):
            order = list(range(goals))
            for j in range(skills):
                r = j + draws.below(goals - j)
                order[j], order[r] = order[r], order[j]
            skill[follower, order[:skills]] = True
            if rules.preference_among_skills:
                preference[follower] = order[draws.below(skills)]
            else:
                preference[follower] = draws.below(goals)
            reservation[follower] = 1 + draws.below(rules.max_reservation)
        nothing = np.zeros(skill.shape, dtype=np.float32)
        return Population(skill, preference, reservation, nothing, nothing + np.float32(rules.effort_cost))

    @staticmethod
    def _crafters(rules: Rules, draws: Draws) -> Population:
        """Follower j can dig all four raw materials and craft item 4 + j mod 4; it prefers a raw material."""
        size = rules.population_size
        skill = np.zeros((size, 8), dtype=np.bool_)
        skill[:, :4] = True
        skill[np.arange(size), 4 + np.arange(size) % 4] = True
        drawn = [(draws.below(4), 1 + draws.below(rules.max_reservation)) for _ in range(size)]
        nothing = np.zeros(skill.shape, dtype=np.float32)
        preference, reservation = (list(column) for column in zip(*drawn, strict=True))
        return Population(
            skill, np.array(preference, np.int32), np.array(reservation, np.float32), nothing, nothing.copy()
        )

    def draw_identities(self, count: int, draws: Draws, mixed: bool = True) -> list[int]:
        """Draw `count` different followers; with three or more kinds of skill, neighbours in a mixed team differ."""
        size = len(self.preference)
        kind = [tuple(row) for row in self.skill.tolist()]
        if self.weight is not None:
            return self._draw_by_weight(count, kind, self.weight.tolist(), draws, mixed)
        identities = [draws.below(size)]
        while len(identities) < count:
            candidates = [i for i in range(size) if i not in identities]
            if mixed and len(set(kind)) >= 3:
                differing = [i for i in candidates if kind[i] != kind[identities[-1]]]
                candidates = differing or candidates
            identities.append(candidates[draws.below(len(candidates))])
        return identities

    @staticmethod
    def _draw_by_weight(count: int, kind: list[Any], weight: list[float], draws: Draws, mixed: bool) -> list[int]:
        """The same by weights: a point in [0, sum) falls to a member of the candidates, who lie side by side."""
        identities: list[int] = []
        while len(identities) < count:
            candidates = [i for i in range(len(weight)) if i not in identities and weight[i] > 0]
            if mixed and identities and len(set(kind)) >= 3:
                candidates = [i for i in candidates if kind[i] != kind[identities[-1]]] or candidates
            total = 0.0
            for i in candidates:
                total += weight[i]
            point, passed = draws.uniform() * total, 0.0
            for i in candidates:
                passed += weight[i]
                if point < passed:
                    break
            identities.append(i)
        return identities
