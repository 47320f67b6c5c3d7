"""Routes on the grid: the core against the tests' slow reference in the same run: `python bench/grid_path.py`.

One route = one follower in a situation of its own, as in the tasks: two resources are its targets, eight others and
three followers stand about.
The core gives whole routes, the reference their length and first action (compared first). Medians over repetitions that
alternate between the two; the ratio is what carries over to other machines.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from paymaster.planners import grid_path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))  # for `reference`, which is not installed

from reference.grid_map import GridMap
from reference.planner import search
from reference.rules import DEFAULT_MAP

ROUTES, REPEATS, TARGETS, OTHERS = 1024, 15, 2, 11


def main() -> None:
    """Prints the table."""
    grid = GridMap(DEFAULT_MAP)
    rng = np.random.default_rng(0)
    free = np.array(grid.free_cells(set()))
    places = rng.permuted(np.tile(free, (ROUTES, 1)), axis=1)
    own, cells = places[:, 0], np.zeros((2, ROUTES, grid.height * grid.width), dtype=bool)
    np.put_along_axis(cells[0], places[:, 1 : 1 + TARGETS], True, axis=1)
    np.put_along_axis(cells[1], places[:, 1 + TARGETS : 1 + TARGETS + OTHERS], True, axis=1)
    targets, blocked = cells.reshape(2, ROUTES, grid.height, grid.width)
    position, heading = np.stack(np.divmod(own, grid.width), axis=1), rng.integers(4, size=ROUTES)

    queries = []
    for b in range(ROUTES):
        closed = grid.wall[:-1] | cells[:, b].any(axis=0)
        goal_at = np.append(np.where(cells[0, b], 0, -1), -1)
        queries.append((int(own[b]), int(heading[b]), [*closed.tolist(), True], goal_at.tolist()))
    route = grid_path(DEFAULT_MAP, position, heading, targets, blocked)
    found = [search(grid, 1, *query) for query in queries]
    np.testing.assert_array_equal(route.distance, [answer.distance[0] for answer in found])
    np.testing.assert_array_equal(route.first_action, [answer.action[0] for answer in found])

    times = np.empty((REPEATS, 2))
    for repeat in range(REPEATS):
        start = time.perf_counter()
        for query in queries:
            search(grid, 1, *query)
        between = time.perf_counter()
        grid_path(DEFAULT_MAP, position, heading, targets, blocked)
        times[repeat] = between - start, time.perf_counter() - between
    slow, fast = ROUTES / np.median(times, axis=0)
    ratio = times[:, 0] / times[:, 1]
    print("| mean length | reference, routes/s | core, whole routes/s | ratio (lowest to highest) |")
    print("| --- | --- | --- | --- |")
    spread = f"{np.median(ratio):.0f} ({ratio.min():.0f} to {ratio.max():.0f})"
    print(f"| {route.distance[route.distance >= 0].mean():.2f} | {slow:,.0f} | {fast:,.0f} | {spread} |")


if __name__ == "__main__":
    main()
