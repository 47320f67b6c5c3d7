"""One game of the grid world, slow and plain: the rules of tasks.md in the order in which they apply.

Longer than other files: a game in one place, to be read beside the rules.

Shapes: N followers, G goal types, M resources. The names of the state are those of ``env.state()``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .contract import ContractRecord, decide, decide_on_employment
from .draws import NOISE, RESET, Draws
from .grid_map import GridMap
from .money import Offer, Purse, equality, reservations
from .planner import Resource, Routes, plan
from .population import Population
from .rules import DIG, MOVE, NONE, STOP, TURN_LEFT, TURN_RIGHT, Rules, turned


@dataclass
class GameState:
    """State of one game; -1 means none (no offer or action yet, nothing completed, nobody's resource).

    A removed resource keeps its type, position and claimant (the follower that removed it).
    """

    identity: NDArray[np.int32]  # [N]
    skill: NDArray[np.bool_]  # [N, G]
    preference: NDArray[np.int32]  # [N]
    reservation: NDArray[np.float32]  # [N]
    offer: NDArray[np.int32]  # [N, 2], the last step's (goal, bonus)
    committed: NDArray[np.bool_]  # [N], in the last step
    action: NDArray[np.int32]  # [N], the last step's primitive action
    completed: NDArray[np.int32]  # [N], the goal type of the contract completed in the last step
    contract_running: NDArray[np.bool_]  # [N]
    contract_age: NDArray[np.int32]  # [N], steps since it began; 0 when none is running
    refused: NDArray[np.bool_]  # [N], the last step's offer was beyond the leader's means
    earned: NDArray[np.float64]  # [N], rewards of the episode so far
    dropped: NDArray[np.bool_]  # [N], left a contract for that offer uncompleted, and did not take it up again
    paid: float
    revenue: float
    step: int
    episode: int
    done: bool
    position: NDArray[np.int32]  # [N, 2], (row, column)
    heading: NDArray[np.int32]  # [N]
    resource_type: NDArray[np.int32]  # [M]
    resource_position: NDArray[np.int32]  # [M, 2]
    resource_present: NDArray[np.bool_]  # [M]
    resource_claimant: NDArray[np.int32]  # [M]


@dataclass
class StepResult:
    """What one step gave; of a finished game: nothing (zeros, and -1 for actions and goals)."""

    reward: float
    committed: list[bool]
    completed: list[int]
    payment: list[np.float32]
    refused: list[bool]
    follower_reward: list[np.float32]
    follower_action: list[int]
    records: list[ContractRecord]


class ReferenceGame:
    """One game: `reset`, then `step` with one offer (goal, bonus) per follower; goal G means "none"."""

    kind_of_state = GameState
    stop, noise_actions = STOP, (MOVE, TURN_LEFT, TURN_RIGHT, STOP)

    def __init__(self, rules: Rules, grid: GridMap, population: Population, seed: int = 0, env_index: int = 0) -> None:
        self.rules, self.grid, self.population = rules, grid, population
        self.seed, self.env_index = seed, env_index
        self.episode = -1
        self.state: GameState
        self.routes: list[Routes]

    # ---- reset

    def reset(self) -> None:
        """Begin the next episode: draw identities, then resources, then followers' places."""
        self.episode += 1
        rules, n = self.rules, self.rules.num_followers
        draws = Draws(self.seed, RESET, 0, self.episode, self.env_index)
        identity = self._draw_team(draws)
        preference = self.population.preference[identity].copy()
        if rules.new_preferences:
            preference[:] = [draws.below(rules.num_goals) for _ in identity]
        resources = self._place_resources(draws)
        cells, headings = self._place_followers(draws, {cell for _, cell in resources})
        self.state = self.kind_of_state(
            **self._world_at_start(),
            identity=np.array(identity, dtype=np.int32),
            skill=self.population.skill[identity].copy(),
            preference=preference,
            reservation=self.population.reservation[identity].copy(),
            offer=np.full((n, 2), NONE, dtype=np.int32),
            committed=np.zeros(n, dtype=np.bool_),
            action=np.full(n, NONE, dtype=np.int32),
            completed=np.full(n, NONE, dtype=np.int32),
            contract_running=np.zeros(n, dtype=np.bool_),
            contract_age=np.zeros(n, dtype=np.int32),
            dropped=np.zeros(n, dtype=np.bool_),
            refused=np.zeros(n, dtype=np.bool_),
            earned=np.zeros(n),
            paid=0.0,
            revenue=0.0,
            step=0,
            episode=self.episode,
            done=False,
            position=np.array([self.grid.row_column(c) for c in cells], dtype=np.int32),
            heading=np.array(headings, dtype=np.int32),
            resource_type=np.array([goal for goal, _ in resources], dtype=np.int32),
            resource_position=np.array([self.grid.row_column(c) for _, c in resources], dtype=np.int32),
            resource_present=np.ones(rules.num_resources, dtype=np.bool_),
            resource_claimant=np.full(rules.num_resources, NONE, dtype=np.int32),
        )
        self.look()

    def _draw_team(self, draws: Draws) -> list[int]:
        """The episode's followers."""
        return self.population.draw_identities(self.rules.num_followers, draws)

    def _world_at_start(self) -> dict[str, Any]:
        """Fields of the state that only this world has."""
        return {}

    def _place_resources(self, draws: Draws) -> list[tuple[int, int]]:
        """Draw (type, cell) of each resource: beside an earlier one of its type when possible (clusters)."""
        placed: list[tuple[int, int]] = []
        for _ in range(self.rules.num_resources):
            goal = draws.below(self.rules.num_goals)
            taken = {cell for _, cell in placed}
            free = self.grid.free_cells(taken)
            same = [cell for other, cell in placed if other == goal]
            if same:
                around = self.grid.ahead[same[draws.below(len(same))]]
                free = [cell for cell in around if not self.grid.wall[cell] and cell not in taken] or free
            placed.append((goal, free[draws.below(len(free))]))
        return placed

    def _place_followers(self, draws: Draws, taken: set[int]) -> tuple[list[int], list[int]]:
        cells: list[int] = []
        headings: list[int] = []
        for _ in range(self.rules.num_followers):
            free = self.grid.free_cells(taken | set(cells))
            cells.append(free[draws.below(len(free))])
            headings.append(draws.below(4))
        return cells, headings

    # ---- what is seen of a state

    def look(self) -> None:
        """Plan routes on the current state; call it after every change of `state`."""
        s = self.state
        present = np.flatnonzero(s.resource_present).tolist()
        cells = [self.grid.cell(row, column) for row, column in s.resource_position.tolist()]
        goals, claimants = s.resource_type.tolist(), s.resource_claimant.tolist()
        self.resources = [Resource(cells[i], goals[i], claimants[i]) for i in present]
        self.routes = plan(
            self.grid,
            self.rules.num_goals,
            [self.grid.cell(row, column) for row, column in s.position.tolist()],
            s.heading.tolist(),
            self.resources,
        )

    def distance(self) -> list[list[int]]:
        """Primitive actions before `dig` becomes right, [N][G]; -1: unreachable."""
        return [routes.distance for routes in self.routes]

    def route(self) -> list[list[int]]:
        """Primitive action to play towards each goal type, [N][G]; `stop` where it is unreachable."""
        return [routes.action for routes in self.routes]

    def available(self) -> list[int]:
        """Resources of each type that are left and unclaimed, [G]."""
        unclaimed = [resource.goal for resource in self.resources if resource.claimant == NONE]
        return [unclaimed.count(goal) for goal in range(self.rules.num_goals)]

    # ---- one step

    def shown(self, offers: Any) -> list[Offer]:
        """The first phase of a step whose followers answer: the offers, "none" in place of those that do not fit."""
        purse = self.purse()
        made = [self._offer(goal, bonus) for goal, bonus in offers]
        return [
            offer if self._free(k, offer) or self._fits(purse, k, offer) else (NONE, NONE)
            for k, offer in enumerate(made)
        ]

    def step(self, offers: Any, answers: Any = None) -> StepResult:
        """Leader offers, followers decide and act, contracts and rewards are settled, the clock moves on.

        With answers int[N], goal types or G for "stop", followers learn, and these are their decisions.
        """
        n, s = self.rules.num_followers, self.state
        if s.done:
            nothing = [np.float32(0)] * n
            return StepResult(0.0, [False] * n, [NONE] * n, nothing, [False] * n, nothing, [NONE] * n, [])
        made = [self._offer(goal, bonus) for goal, bonus in offers]
        equal = equality(self.rules.equality, s.earned.tolist())
        offer, chosen, committed = self._respond(made, answers)
        actions = self._primitive_actions(chosen)
        kept = [s.contract_running[k] and offer[k] == tuple(s.offer[k]) for k in range(n)]
        started = [committed[k] and not kept[k] for k in range(n)]
        age = [int(s.contract_age[k]) if kept[k] else 0 for k in range(n)]

        reached = self._act(actions)
        s.step += 1
        s.done = s.step == self.rules.horizon or self._exhausted()

        counts = [committed[k] or self.rules.payment == "outcome" for k in range(n)]
        success = [counts[k] and reached[k] == offer[k][0] != NONE for k in range(n)]
        completed = [offer[k][0] if success[k] else NONE for k in range(n)]
        same = [offer[k] == tuple(s.offer[k]) for k in range(n)]
        again = [same[k] and bool(s.dropped[k]) for k in range(n)]
        due = {
            "completion": success,
            "outcome": success,
            "advance": started,
            "advance_once": [started[k] and not again[k] for k in range(n)],
        }[self.rules.payment]
        payment = [np.float32(self.rules.price(offer[k][1]) if due[k] else 0) for k in range(n)]
        s.paid += sum(self.rules.price(offer[k][1]) for k in range(n) if due[k])
        s.revenue += sum(self.rules.w(offer[k][0]) for k in range(n) if success[k])
        s.refused[:] = [offer[k] != made[k] for k in range(n)]
        records = [
            self._record(k, offer[k], bool(kept[k]), committed[k], age[k], success[k] and committed[k])
            for k in range(n)
            if offer[k][0] != NONE
        ]
        running = [committed[k] and not success[k] for k in range(n)]
        s.dropped[:] = [same[k] and not committed[k] and bool(s.dropped[k] or s.contract_running[k]) for k in range(n)]
        s.offer[:], s.committed[:], s.action[:], s.completed[:] = offer, committed, actions, completed
        s.contract_running[:] = running
        s.contract_age[:] = [age[k] + 1 if running[k] else 0 for k in range(n)]
        gains = [np.float32(self.rules.w(offer[k][0]) if success[k] else 0) - payment[k] for k in range(n)]
        rewards = [self._follower_reward(k, payment[k], reached[k], chosen[k]) for k in range(n)]
        if self.rules.weight_equality != 0:
            s.earned += np.array(rewards, dtype=np.float64)
        self.look()
        return StepResult(
            reward=self._objective(sum(map(float, gains)), sum(map(float, rewards)), equal),
            refused=s.refused.tolist(),
            committed=committed,
            completed=completed,
            payment=payment,
            follower_reward=rewards,
            follower_action=actions,
            records=records,
        )

    def _exhausted(self) -> bool:
        """Nothing is left to do."""
        return not self.state.resource_present.any()

    def _respond(self, made: list[Offer], answers: Any) -> tuple[list[Offer], list[int], list[bool]]:
        """Followers look at their offers one after the other, "none" in place of those that do not fit; the offers as
        they see them, the goal types that they go for, and whether they are committed to their offers."""
        s, rules, people = self.state, self.rules, self.population
        purse, before = self.purse(), made if answers is None else self.shown(made)
        offer, chosen, committed = list(made), [], []
        advance = rules.payment.startswith("advance")
        for k, (_, bonus) in enumerate(made):
            free, signed = self._free(k, made[k]), self._signed(k, made[k])
            purse.reserved.pop(k, None)
            if before[k] != made[k] or not (free or self._fits(purse, k, made[k])):
                offer[k] = (NONE, NONE)
            price = 0.0 if offer[k][0] == NONE else float(np.float32(rules.price(offer[k][1])))
            identity = int(s.identity[k])
            own, cost = people.utility[identity].tolist(), people.cost[identity].tolist()
            c, distance = float(s.reservation[k]), self.routes[k].distance
            likes, offered = int(s.preference[k]), offer[k][0]
            if answers is not None:
                within = answers[k] < rules.num_goals and distance[answers[k]] != NONE
                goal = int(answers[k]) if within else NONE
                takes = goal == offered != NONE
            elif rules.decision == "utility":
                goal = decide(distance, likes, c, offered, price, own, cost)
                takes = goal == offered != NONE
            else:
                squared = rules.decision == "employment_squared"
                goal, takes = decide_on_employment(distance, likes, c, offered, price, squared)
            chosen.append(goal)
            committed.append(takes)
            if (rules.payment == "outcome" and offer[k][0] != NONE) or (rules.payment == "completion" and takes):
                purse.reserved[k] = offer[k]
            if advance and takes and not signed:
                purse.paid += rules.price(bonus)
        return offer, chosen, committed

    def _signed(self, k: int, offer: Offer) -> bool:
        """Whether an advance payment for the same offer has been made, and counts."""
        s = self.state
        same = offer == (int(s.offer[k][0]), int(s.offer[k][1]))
        return same and bool(s.contract_running[k] or (s.dropped[k] and self.rules.payment == "advance_once"))

    def _free(self, k: int, offer: Offer) -> bool:
        """Whether an offer needs no money beyond what is reserved for it."""
        advance = self.rules.payment.startswith("advance")
        goes_on = self.purse().reserved.get(k) == offer
        costs_nothing = advance and (self._signed(k, offer) or self.rules.price(offer[1]) == 0)
        return not self.rules.limited or offer[0] == NONE or goes_on or costs_nothing

    def _fits(self, purse: Purse, k: int, offer: Offer) -> bool:
        return purse.fits(k, offer, at_once=self.rules.payment.startswith("advance"))

    def purse(self) -> Purse:
        """The leader's money between two steps."""
        s = self.state
        offers = [(int(goal), int(bonus)) for goal, bonus in s.offer]
        held = reservations(self.rules.payment, offers, s.contract_running.tolist(), s.completed.tolist())
        return Purse(self.rules, s.paid, s.revenue, held)

    def _objective(self, gain: float, followers: float, equal_before: float) -> float:
        """Gain, welfare (in which payments cancel out) and the change in equality, by their weights."""
        rules = self.rules
        if not rules.own_objective:
            return gain
        change = equality(rules.equality, self.state.earned.tolist()) - equal_before
        return rules.weight_gain * gain + rules.weight_welfare * (gain + followers) + rules.weight_equality * change

    def _offer(self, goal: int, bonus: int) -> tuple[int, int]:
        """The offer "none" is goal type G with any bonus; it is remembered as (-1, -1)."""
        return (NONE, NONE) if goal == self.rules.num_goals else (int(goal), int(bonus))

    def _primitive_actions(self, chosen: list[int]) -> list[int]:
        """First action of the route to the goal taken, `stop` without one; then noise."""
        actions = [self.stop if goal == NONE else self.routes[k].action[goal] for k, goal in enumerate(chosen)]
        if self.rules.noise > 0:
            draws = Draws(self.seed, NOISE, self.state.step, self.state.episode, self.env_index)
            for k in range(len(actions)):
                replaced = draws.uniform() < self.rules.noise
                random_action = self.noise_actions[draws.below(4)]
                actions[k] = random_action if replaced else actions[k]
        return actions

    def _act(self, actions: list[int]) -> list[int]:
        """Followers act in index order; return the goal type each reached, -1 for none."""
        s, grid = self.state, self.grid
        cells = [grid.cell(row, column) for row, column in s.position.tolist()]
        resource_at = {grid.cell(*s.resource_position[i].tolist()): int(i) for i in np.flatnonzero(s.resource_present)}
        reached, removed = [NONE] * len(actions), []
        for k, action in enumerate(actions):
            ahead = grid.ahead[cells[k]][int(s.heading[k])]
            if action in (TURN_LEFT, TURN_RIGHT):
                s.heading[k] = turned(int(s.heading[k]), action)
            elif action == MOVE and not (grid.wall[ahead] or ahead in resource_at or ahead in cells):
                cells[k] = ahead
                s.position[k] = grid.row_column(ahead)
            elif action == DIG and ahead in resource_at:
                i = resource_at[ahead]
                if s.resource_claimant[i] in (NONE, k):
                    s.resource_claimant[i] = k  # also without the skill: then nobody can ever use it
                    if s.skill[k, s.resource_type[i]]:
                        reached[k] = int(s.resource_type[i])
                        removed.append(i)
        s.resource_present[removed] = False  # only now: until the end of the step it blocks its cell
        return reached

    def _record(
        self, k: int, offer: tuple[int, int], kept: bool, committed: bool, age: int, success: bool
    ) -> ContractRecord:
        """Summarise follower k's step for the statistics; `kept`: its contract was running already."""
        given_up = kept and not committed
        cut_off = committed and not success and self.state.done
        return ContractRecord(
            identity=int(self.state.identity[k]),
            goal=offer[0],
            bonus=offer[1],
            trial=not kept and self.routes[k].distance[offer[0]] != NONE,
            committed=committed,
            age=age if committed else NONE,
            completed=success,
            outcome=1 if success else 0 if given_up or cut_off else NONE,
        )

    def _follower_reward(self, k: int, payment: np.float32, reached: int, chosen: int) -> np.float32:
        """Bonus received; c for a goal of its preferred type, under contract or not, and its own utility of the goal's
        type; less what a step towards the goal type it took costs it."""
        identity = int(self.state.identity[k])
        preferred = self.state.reservation[k] if reached == self.state.preference[k] else np.float32(0)
        own = self.population.utility[identity, reached] if reached != NONE else np.float32(0)
        cost = self.population.cost[identity, chosen] if chosen != NONE else np.float32(0)
        return np.float32(np.float32(payment + preferred) + np.float32(own - cost))
