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

import argparse
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from paymaster import _core, planners

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

HORIZON = 50
DT, DAMPING = 0.1, 0.25
PUSH = np.array([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)], float)
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


def place(
    random: np.random.Generator, shape: tuple[int, ...], half: float, size: float, around: Floats, sizes: Floats
) -> Floats:
    """Uniform points [B, 2] in +-half at which a body of this size overlaps none of those around [B, E, 2]."""
    at = random.uniform(-half, half, (*shape, 2))
    for _ in range(100):
        away = np.linalg.norm(at[:, None] - around, axis=-1)
        bad = (away < size + sizes).any(axis=1)
        if not bad.any():
            break
        at[bad] = random.uniform(-half, half, (int(bad.sum()), 2))
    return at


class Game:
    """B games of one case: bodies 0..N-1, their preys if there are any, the obstacles."""

    def __init__(self, case: Case, games: int, seed: int) -> None:
        self.case, self.games = case, games
        self.random = np.random.default_rng(seed)
        n, moving = case.bodies, case.bodies if case.preys else 0
        body = case.body
        size = [body.size] * n + [PREY_SIZE] * moving + [OBSTACLE_SIZE] * case.obstacles
        self.world = _core.ParticleWorld(
            num_worlds=games,
            size=size,
            acceleration=[body.acceleration] * n + [PREY_ACCELERATION] * moving + [0.0] * case.obstacles,
            max_speed=[body.max_speed] * n + [PREY_SPEED] * moving + [np.inf] * case.obstacles,
            movable=[True] * (n + moving) + [False] * case.obstacles,
            collides=[True] * len(size),
        )
        obstacles = np.zeros((games, 0, 2))
        for _ in range(case.obstacles):
            sizes = np.full(obstacles.shape[1], OBSTACLE_SIZE)
            new = place(self.random, (games,), 0.9 * case.half_width, OBSTACLE_SIZE, obstacles, sizes)
            obstacles = np.concatenate([obstacles, new[:, None]], axis=1)
        self.obstacles = obstacles
        placed, sizes = obstacles, np.full(case.obstacles, OBSTACLE_SIZE)
        for i in range(n):
            new = place(self.random, (games,), case.half_width, size[i], placed, sizes)
            placed, sizes = np.concatenate([placed, new[:, None]], axis=1), np.append(sizes, size[i])
        self.position: Floats = placed[:, case.obstacles :]
        self.velocity = np.zeros_like(self.position)
        self.target = np.stack([self.new_target() for _ in range(n)], axis=1)
        self.target_velocity = np.zeros_like(self.target)
        self.held: Ints = np.zeros((games, n), np.int64)

    def new_target(self) -> Floats:
        """[B, 2], clear of the obstacles."""
        sizes = np.full(self.case.obstacles, OBSTACLE_SIZE)
        return place(self.random, (self.games,), self.case.half_width, PREY_SIZE, self.obstacles, sizes)

    def step(self, t: int, actions: Ints) -> Mask:
        """One step; which bodies have reached their targets [B, N]. Those get new ones."""
        case, n = self.case, self.case.bodies
        still = np.zeros((self.games, case.obstacles), np.int64)
        if case.preys:
            if t % PREY_HOLD == 0:
                self.held = self.random.integers(0, 5, self.held.shape)
            self.world.set(
                np.concatenate([self.position, self.target, self.obstacles], axis=1),
                np.concatenate([self.velocity, self.target_velocity, 0 * self.obstacles], axis=1),
            )
            self.world.step(np.concatenate([actions, self.held, still], axis=1))
        else:
            self.world.set(
                np.concatenate([self.position, self.obstacles], axis=1),
                np.concatenate([self.velocity, 0 * self.obstacles], axis=1),
            )
            self.world.step(np.concatenate([actions, still], axis=1))
        position, velocity = self.world.pos, self.world.vel
        self.position, self.velocity = position[:, :n], velocity[:, :n]
        if case.preys:
            self.target, self.target_velocity = position[:, n : 2 * n], velocity[:, n : 2 * n]
            self.reflect()
        reached: Mask = np.linalg.norm(self.position - self.target, axis=-1) < case.body.reach
        for k in range(n):
            new = reached[:, k]
            self.target[new, k] = self.new_target()[new]
            self.target_velocity[new, k] = 0
        return reached

    def reflect(self) -> None:
        """Preys bounce off the border."""
        border = self.case.half_width
        mirrored = np.array([[0, 2, 1, 3, 4], [0, 1, 2, 4, 3]])
        for axis in range(2):
            at = self.target[..., axis]
            out = np.abs(at) > border
            at[out] = np.sign(at[out]) * 2 * border - at[out]
            self.target_velocity[..., axis][out] *= -1
            self.held[out] = mirrored[axis][self.held[out]]

    def planned(self) -> Ints:
        """The planner's actions [B, N]."""
        body, rows = self.case.body, self.games * self.case.bodies
        obstacles = np.repeat(self.obstacles, self.case.bodies, axis=0)
        action, _ = planners.steer(
            self.position.reshape(rows, 2),
            self.velocity.reshape(rows, 2),
            self.target.reshape(rows, 2),
            self.target_velocity.reshape(rows, 2),
            obstacles,
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


@dataclass
class Result:
    steps: float
    bound: float
    never: float


def measure(case: Case, policy: str, games: int, seed: int) -> Result:
    """Plays the case with 'planned' or 'greedy' actions."""
    game = Game(case, games, seed)
    start = game.position.copy()
    far = farthest(case.body)
    reached_at = np.full((games, case.bodies), HORIZON)
    bound = np.full((games, case.bodies), HORIZON)
    waiting = np.ones((games, case.bodies), bool)
    for t in range(HORIZON):
        before = game.target.copy()
        reached = game.step(t, game.planned() if policy == "planned" else game.greedy())
        # Where the first target is now. (One that has just been reached bounds itself: it was reached.)
        course = np.where(reached[..., None], before, game.target)
        near = np.linalg.norm(course - start, axis=-1) - case.body.reach < far[t + 1]
        bound = np.where(waiting & (near | reached) & (bound == HORIZON), t + 1, bound)
        reached_at[waiting & reached] = t + 1
        waiting &= ~reached
    return Result(float(reached_at.mean()), float(bound.mean()), float(waiting.mean()))


def cases(quick: bool) -> list[Case]:
    others = [0, 3] if quick else [0, 1, 2, 4, 8]
    kinds = [(NAVIGATION, False), (PREDATOR, False), (PREDATOR, True)]
    return [Case(body, n, o, preys) for body, preys in kinds for o in (0, 2) for n in others]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bodies", type=int, default=20_000, help="bodies measured per row")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="only 0 and 3 other bodies")
    options = parser.parse_args()
    print("| world | target | others | obstacles | bound | planner | planner / bound | never | greedy | never |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for case in cases(options.quick):
        games = -(-options.bodies // case.bodies)
        planned = measure(case, "planned", games, options.seed)
        greedy = measure(case, "greedy", games, options.seed)
        print(
            f"| {case.body.world} | {'prey' if case.preys else 'fixed'} | {case.others} | {case.obstacles} "
            f"| {planned.bound:.2f} | {planned.steps:.2f} | {planned.steps / planned.bound:.3f} | {planned.never:.2%} "
            f"| {greedy.steps:.2f} | {greedy.never:.2%} |"
        )


if __name__ == "__main__":
    main()
