"""One game of the crafting world, slow and plain: M3RL's second world, written from its rules.

Shapes: N followers, G = 8 goal types, M units of raw material. Contracts and payments are those of the grid's game.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .draws import Draws
from .grid_reference import GameState, ReferenceGame
from .planner import Resource, Routes, plan
from .rules import DIG, MOVE, NONE, TURN_LEFT, TURN_RIGHT, turned

CRAFT, CRAFTING_STOP = 4, 5  # the other primitive actions are the grid's
RAW, ITEMS = (0, 1, 2, 3), (4, 5, 6, 7)
MADE_OF = {4: (0, 1), 5: (2, 3), 6: (2, 4), 7: (1, 5)}
STATION = {4: (3, 5), 5: (5, 3), 6: (7, 5), 7: (5, 7)}  # row, column
CORNER = {0: (1, 1), 1: (9, 1), 2: (9, 9), 3: (1, 9)}
TOP = (6, 7)
MOST_DRAWS = 100  # of a team, which is then played as it is


def team_can_craft(skills: NDArray[np.bool_]) -> bool:
    """Whether followers, bool [N, 8], have what it takes between them: 4 and 6, or 5 and 7."""
    someone = skills.any(axis=0)
    return bool((someone[4] and someone[6]) or (someone[5] and someone[7]))


@dataclass
class CraftingState(GameState):
    """State of one game; stations are listed by item."""

    station_claimant: NDArray[np.int32]  # [4]
    inventory: NDArray[np.int32]  # [G]


class CraftingGame(ReferenceGame):
    """One game: `reset`, then `step` with one offer (goal, bonus) per follower."""

    kind_of_state = CraftingState
    stop, noise_actions = CRAFTING_STOP, (MOVE, TURN_LEFT, TURN_RIGHT, CRAFTING_STOP)
    state: CraftingState

    # ---- reset

    def _draw_team(self, draws: Draws) -> list[int]:
        for _ in range(MOST_DRAWS):
            team = self.population.draw_identities(self.rules.num_followers, draws, mixed=False)
            if team_can_craft(self.population.skill[team]):
                break
        return team

    def _world_at_start(self) -> dict[str, Any]:
        return {
            "station_claimant": np.full(len(ITEMS), NONE, dtype=np.int32),
            "inventory": np.zeros(8, dtype=np.int32),
        }

    def _place_resources(self, draws: Draws) -> list[tuple[int, int]]:
        """Two units of each raw type, the first of each in its corner; more of uniform types. All but the first ones of
        a type lie beside an earlier one of it where there is room."""
        grid = self.grid
        reserved = set(self._station_cells()) | {grid.cell(*place) for place in CORNER.values()}
        placed: list[tuple[int, int]] = []
        for i in range(self.rules.num_resources):
            goal = i // 2 if i < 8 else draws.below(4)
            if i in (0, 2, 4, 6):
                placed.append((goal, grid.cell(*CORNER[goal])))
                continue
            taken = reserved | {cell for _, cell in placed}
            same = [cell for other, cell in placed if other == goal]
            around = grid.ahead[same[draws.below(len(same))]]
            beside = [cell for cell in around if not grid.wall[cell] and cell not in taken]
            room = beside or grid.free_cells(taken)
            placed.append((goal, room[draws.below(len(room))]))
        return placed

    def _place_followers(self, draws: Draws, taken: set[int]) -> tuple[list[int], list[int]]:
        return super()._place_followers(draws, taken | set(self._station_cells()))

    def _station_cells(self) -> list[int]:
        return [self.grid.cell(*STATION[item]) for item in ITEMS]

    # ---- what is seen of a state

    def look(self) -> None:
        s, grid = self.state, self.grid
        places = s.resource_position.tolist()
        self.resources = [
            Resource(grid.cell(*places[i]), int(s.resource_type[i]), int(s.resource_claimant[i]))
            for i in np.flatnonzero(s.resource_present)
        ]
        self.resources += [
            Resource(cell, item, int(claimant))
            for item, cell, claimant in zip(ITEMS, self._station_cells(), s.station_claimant, strict=True)
        ]
        cells = [grid.cell(row, column) for row, column in s.position.tolist()]
        self.routes = [self._with_craft(way) for way in plan(grid, 8, cells, s.heading.tolist(), self.resources)]

    def _with_craft(self, way: Routes) -> Routes:
        """The planner's route, which ends with `dig`, and with `craft` at a station; it stops where there is none."""
        action = list(way.action)
        for goal, distance in enumerate(way.distance):
            if distance == NONE:
                action[goal] = CRAFTING_STOP
            elif distance == 0 and goal in ITEMS:
                action[goal] = CRAFT
        return Routes(way.distance, action)

    def missing(self) -> list[int]:
        """How many of an item's two materials there is none of, [G]; 0 for raw materials."""
        return [sum(self.state.inventory[part] == 0 for part in MADE_OF.get(goal, ())) for goal in range(8)]

    # ---- one step

    def _exhausted(self) -> bool:
        return sum(int(self.state.inventory[item]) for item in TOP) >= 2

    def _act(self, actions: list[int]) -> list[int]:
        s, grid = self.state, self.grid
        cells = [grid.cell(row, column) for row, column in s.position.tolist()]
        resource_at = {grid.cell(*s.resource_position[i].tolist()): int(i) for i in np.flatnonzero(s.resource_present)}
        station_at = dict(zip(self._station_cells(), ITEMS, strict=True))
        reached, removed = [NONE] * len(actions), []
        for k, action in enumerate(actions):
            ahead = grid.ahead[cells[k]][int(s.heading[k])]
            if action in (TURN_LEFT, TURN_RIGHT):
                s.heading[k] = turned(int(s.heading[k]), action)
            elif action == MOVE:
                if not (grid.wall[ahead] or ahead in resource_at or ahead in station_at or ahead in cells):
                    cells[k] = ahead
                    s.position[k] = grid.row_column(ahead)
            elif action == DIG and ahead in resource_at:
                i = resource_at[ahead]
                if s.resource_claimant[i] in (NONE, k):
                    s.resource_claimant[i] = k
                    if s.skill[k, s.resource_type[i]]:
                        reached[k] = int(s.resource_type[i])
                        removed.append(i)
            elif action == CRAFT and ahead in station_at:
                reached[k] = self._craft(k, station_at[ahead])
        s.resource_present[removed] = False
        for goal in reached:
            if goal != NONE:
                s.inventory[goal] += 1  # nobody could use it in this step
            if goal in ITEMS:
                s.station_claimant[goal - 4] = NONE  # until now nobody else could craft there
        return reached

    def _craft(self, k: int, item: int) -> int:
        """Follower k crafts an item; return its type if it is made, -1 if not."""
        s = self.state
        materials = MADE_OF[item]
        if s.station_claimant[item - 4] not in (NONE, k) or any(s.inventory[part] == 0 for part in materials):
            return NONE
        s.station_claimant[item - 4] = k  # for ever, if it lacks the skill
        if not s.skill[k, item]:
            return NONE
        for part in materials:
            s.inventory[part] -= 1
        return item
