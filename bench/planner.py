"""Quality of the particle worlds' route planner: `python bench/planner.py` prints a table of docs/performance.md.

Every body starts at rest at a random place and steers to a target of its own; when it arrives it is given another, so
that the traffic stays, but only the first one counts. Reported over all bodies: mean steps until the target is reached
(50 for one that never is) against
  bound    no body can be faster: the straight line at full acceleration under the speed limit, through everything;
           for a prey, with its whole course known beforehand,
  greedy   always pushes along the axis on which the target is farther away,
and the share of targets never reached within 50 steps. B games, N bodies, O obstacles.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tyro

from paymaster import _core, planners
from paymaster.terminal.markdown import markdown_table

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

HORIZON = 50
DT, DAMPING = 0.1, 0.25
PREY_SIZE, PREY_ACCELERATION, PREY_SPEED, PREY_HOLD = 0.05, 3.0, 0.975, 5
OBSTACLE_SIZE = 0.2


@dataclass(frozen=True)
class Body:
    """What steers: as in the world of this name."""

    world: str
    size: float
    acceleration: float
    max_speed: float
    reach: float


NAVIGATION = Body("navigation", 0.15, 5.0, np.inf, 0.15)
PREDATOR = Body("predator_prey", 0.075, 3.0, 1.0, 0.075 + PREY_SIZE)


@dataclass(frozen=True)
class Case:
    body: Body
    others: int
    obstacles: int
    preys: bool

    @property
    def bodies(self) -> int:
        return self.others + 1

    @property
    def half_width(self) -> float:
        return max(1.0, (self.bodies / 4) ** 0.5)


def place(random: np.random.Generator, half: float, size: float, around: Floats, sizes: npt.ArrayLike) -> Floats:
    """Uniform points [B, 2] in +-half at which a body of this size overlaps none of those around [B, E, 2]."""
    at = random.uniform(-half, half, (len(around), 2))
    for _ in range(100):
        away = np.linalg.norm(at[:, None] - around, axis=-1)
        bad = (away < size + np.asarray(sizes)).any(axis=1)
        if not bad.any():
            break
        at[bad] = random.uniform(-half, half, (int(bad.sum()), 2))
    return at


class Game:
    """B games of one case: bodies 0..N-1, their preys if there are any, the obstacles."""

    def __init__(self, case: Case, games: int, seed: int) -> None:
        self.case, self.games = case, games
        self.random = np.random.default_rng(seed)
        body, n = case.body, case.bodies
        self.preys = n if case.preys else 0
        counts = (n, self.preys, case.obstacles)
        self.world = _core.ParticleWorld(
            num_worlds=games,
            size=np.repeat([body.size, PREY_SIZE, OBSTACLE_SIZE], counts),
            acceleration=np.repeat([body.acceleration, PREY_ACCELERATION, 0.0], counts),
            max_speed=np.repeat([body.max_speed, PREY_SPEED, np.inf], counts),
            movable=np.repeat([True, True, False], counts),
            collides=np.full(sum(counts), True),
        )
        placed, sizes = np.zeros((games, 0, 2)), np.repeat([OBSTACLE_SIZE, body.size], [case.obstacles, n])
        for i, size in enumerate(sizes):
            half = 0.9 * case.half_width if i < case.obstacles else case.half_width
            new = place(self.random, half, size, placed, sizes[:i])
            placed = np.concatenate([placed, new[:, None]], axis=1)
        self.obstacles, self.position = np.split(placed, [case.obstacles], axis=1)
        self.velocity = np.zeros_like(self.position)
        self.target = np.stack([self.new_target() for _ in range(n)], axis=1)
        self.target_velocity = np.zeros_like(self.target)
        self.held: Ints = np.zeros((games, n), np.int64)

    def new_target(self) -> Floats:
        """[B, 2], clear of the obstacles."""
        return place(self.random, self.case.half_width, PREY_SIZE, self.obstacles, OBSTACLE_SIZE)

    def step(self, t: int, actions: Ints) -> Mask:
        """One step; which bodies have reached their targets [B, N]. Those get new ones."""
        n, preys = self.case.bodies, self.preys
        if preys and t % PREY_HOLD == 0:
            self.held = self.random.integers(0, 5, self.held.shape)
        self.world.set(
            np.concatenate([self.position, self.target[:, :preys], self.obstacles], axis=1),
            np.concatenate([self.velocity, self.target_velocity[:, :preys], 0 * self.obstacles], axis=1),
        )
        still = np.zeros(self.obstacles.shape[:2], np.int64)
        self.world.step(np.concatenate([actions, self.held[:, :preys], still], axis=1))
        position, velocity = self.world.pos, self.world.vel
        self.position, self.velocity = position[:, :n], velocity[:, :n]
        if preys:
            self.target, self.target_velocity = position[:, n : 2 * n], velocity[:, n : 2 * n]
            self.reflect()
        reached: Mask = np.linalg.norm(self.position - self.target, axis=-1) < self.case.body.reach
        for k in range(n):
            new = reached[:, k]
            self.target[new, k] = self.new_target()[new]
            self.target_velocity[new, k] = 0
        return reached

    def reflect(self) -> None:
        """Preys bounce off the border."""
        border = self.case.half_width
        mirrored = np.array([[0, 2, 1, 3, 4], [0, 1, 2, 4, 3]])
        out = np.abs(self.target) > border
        self.target[out] = np.sign(self.target[out]) * 2 * border - self.target[out]
        self.target_velocity[out] *= -1
        for axis in range(2):
            self.held[out[..., axis]] = mirrored[axis][self.held[out[..., axis]]]

    def planned(self) -> Ints:
        """The planner's actions [B, N]."""
        body, rows = self.case.body, self.games * self.case.bodies
        action, _ = planners.steer(
            *(x.reshape(rows, 2) for x in (self.position, self.velocity, self.target, self.target_velocity)),
            np.repeat(self.obstacles, self.case.bodies, axis=0),
            acceleration=body.acceleration,
            max_speed=body.max_speed,
            reach=body.reach,
            clearance=body.size + OBSTACLE_SIZE,
            border=self.case.half_width,
        )
        return np.asarray(action).reshape(self.games, self.case.bodies)

    def greedy(self) -> Ints:
        """Straight at the target, all the time [B, N]."""
        x, y = np.moveaxis(self.target - self.position, -1, 0)
        return np.where(np.abs(x) >= np.abs(y), np.where(x > 0, 2, 1), np.where(y > 0, 4, 3))


def farthest(body: Body) -> Floats:
    """How far a body gets from rest in 0..HORIZON steps."""
    speed, far = 0.0, [0.0]
    for _ in range(HORIZON):
        far.append(far[-1] + speed * DT)
        speed = min((1 - DAMPING) * speed + body.acceleration * DT, body.max_speed)
    return np.array(far)


def measure(case: Case, policy: Callable[[Game], Ints], games: int, seed: int) -> Floats:
    """Plays the case; mean steps until a target is reached, mean bound, share of those never reached."""
    game = Game(case, games, seed)
    start = game.position.copy()
    far = farthest(case.body)
    reached_at, bound = np.full((2, games, case.bodies), HORIZON)
    waiting = np.ones((games, case.bodies), bool)
    for t in range(HORIZON):
        before = game.target.copy()
        reached = game.step(t, policy(game))
        # Where the first target is now. (One that has just been reached bounds itself: it was reached.)
        course = np.where(reached[..., None], before, game.target)
        near = np.linalg.norm(course - start, axis=-1) - case.body.reach < far[t + 1]
        bound = np.where(waiting & (near | reached) & (bound == HORIZON), t + 1, bound)
        reached_at[waiting & reached] = t + 1
        waiting &= ~reached
    return np.array([reached_at.mean(), bound.mean(), waiting.mean()])


def main(bodies: int = 20_000, seed: int = 0, quick: bool = False) -> None:
    """Print the table.

    Args:
        bodies: measured per row.
        seed: of the places, targets and preys.
        quick: only 0 and 3 other bodies.
    """
    rows = []
    kinds = ((NAVIGATION, False), (PREDATOR, False), (PREDATOR, True))
    for (body, preys), obstacles, others in itertools.product(kinds, (0, 2), (0, 3) if quick else (0, 1, 2, 4, 8)):
        case = Case(body, others, obstacles, preys)
        games = -(-bodies // case.bodies)
        steps, bound, never = measure(case, Game.planned, games, seed)
        greedy, _, greedy_never = measure(case, Game.greedy, games, seed)
        about = (body.world, "prey" if preys else "fixed", others, obstacles)
        planned = (f"{bound:.2f}", f"{steps:.2f}", f"{steps / bound:.3f}", f"{never:.2%}")
        rows.append((*about, *planned, f"{greedy:.2f}", f"{greedy_never:.2%}"))
    headings = ("world", "target", "others", "obstacles", "bound", "planner", "planner / bound", "never")
    print(markdown_table((*headings, "greedy", "never"), rows), end="")


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
