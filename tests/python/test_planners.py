"""Routes on the grid from `paymaster.planners`: situations with answers by hand, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from paymaster.planners import GridPath, grid_path
from reference.rules import DIG, MOVE, STOP, TURN_LEFT, TURN_RIGHT

MOVES = {"m": MOVE, "l": TURN_LEFT, "r": TURN_RIGHT}


def drawn(picture: str, facing: str) -> GridPath:
    """The route of '@' to any '*', past what stands on 'x'."""
    rows = picture.split("|")
    signs = np.array([list(row) for row in rows])
    text = "\n".join("".join("#" if sign == "#" else "." for sign in row) for row in rows)
    return grid_path(text, np.argwhere(signs == "@"), ["^<v>".index(facing)], signs == "*", signs == "x")


@pytest.mark.parametrize(
    ("picture", "facing", "answer"),
    [
        ("######|#@..*#|######", ">", "mm"),
        ("######|#@..*#|######", "<", "llmm"),  # half a turn: left comes first
        ("#####|#*.@#|#...#|#####", "v", "rm"),
        ("#####|#@..#|#..*#|#####", ">", "mmr"),  # not "rml": move comes first
        ("######|#@x.*#|#....#|######", ">", "rmlmmml"),  # round what stands there
        ("#######|#*.@.*#|#######", "^", "lm"),  # the nearer one; of two the left
        ("####|#@*#|####", ">", ""),
    ],
)
def test_routes_by_hand(picture: str, facing: str, answer: str) -> None:
    route = drawn(picture, facing)
    assert route.actions[0].tolist() == [MOVES[sign] for sign in answer]
    assert route.distance[0] == len(answer)
    assert route.first_action[0] == (MOVES[answer[0]] if answer else DIG)


@pytest.mark.parametrize("picture", ["#####|#@..#|#####", "######|#@x.*#|######", "######|#@#.*#|######"])
def test_nothing_to_reach(picture: str) -> None:
    route = drawn(picture, ">")
    assert (route.distance[0], route.first_action[0]) == (-1, STOP)
    assert route.actions.shape == (1, 0)
    assert route.poses.tolist() == [[[1, 1, 3]]]


def test_poses_lead_from_the_start_into_place() -> None:
    assert drawn("#####|#@..#|#..*#|#####", ">").poses[0].tolist() == [[1, 1, 3], [1, 2, 3], [1, 3, 3], [1, 3, 2]]


def test_own_cell_is_free_and_a_target_may_lie_under_the_follower() -> None:
    here = np.zeros((11, 11), dtype=bool)
    here[5, 5] = True
    assert grid_path(None, [[5, 5]], [0], here).distance[0] == 3  # a step away and half a turn
    there = np.zeros((11, 11), dtype=bool)
    there[5, 8] = True
    assert grid_path(None, [[5, 5], [5, 5]], [3, 0], there, here).distance.tolist() == [2, 3]


def test_no_followers_no_routes() -> None:
    route = grid_path("", np.zeros((0, 2), dtype=int), np.zeros(0, dtype=int), np.zeros((11, 11), dtype=bool))
    assert [array.shape for array in vars(route).values()] == [(0,), (0,), (0, 0), (0, 1, 3)]


# ---- what is refused

FREE = np.zeros((11, 11), dtype=bool)
ON_WALL = FREE.copy()
ON_WALL[0, 4] = True


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"map": "###\n#.#"}, ValueError, "map: expected a closed border"),
        ({"map": "#####\n#.é.#\n#####"}, ValueError, "map: expected '#' for wall"),
        ({"map": "\n".join(["#" * 65] * 65)}, ValueError, "map: expected at most 4096 cells"),
        ({"map": 3}, TypeError, "map: expected a str or None, got int"),
        ({"map": b"###"}, TypeError, "map: expected a str or None, got bytes"),
        ({"position": [3, 3]}, ValueError, r"position: expected shape \[B, 2\], got \(2,\)"),
        ({"position": [[3, 3, 3]]}, ValueError, r"position: expected shape \[B, 2\]"),
        ({"position": [[3.0, 3.0]]}, TypeError, "position: expected dtype int32, got float64"),
        ({"position": [[True, True]]}, TypeError, "position: expected dtype int32, got bool"),
        ({"position": [[3], [3, 3]]}, ValueError, "position: expected an array"),
        ({"position": [[-1, 3]]}, ValueError, "position: .* got -1"),
        ({"position": [[2**40, 3]]}, ValueError, "position: .* got 1099511627776"),
        ({"position": [[3, 11]]}, ValueError, "position: expected free cells of the map, got row 3, column 11"),
        ({"position": [[0, 3]]}, ValueError, "position: expected free cells of the map, got row 0, column 3"),
        ({"heading": [4]}, ValueError, r"heading: expected values in \[0, 3\], got 4"),
        ({"heading": 0}, ValueError, r"heading: expected shape \(1,\), got \(\)"),
        ({"heading": [0, 0]}, ValueError, r"heading: expected shape \(1,\)"),
        ({"heading": ["up"]}, TypeError, "heading: expected dtype int32"),
        ({"targets": FREE.astype(int)}, TypeError, "targets: expected dtype bool, got int64"),
        ({"targets": FREE[:9, :9]}, ValueError, r"targets: expected shape \[1, 11, 11\] or \[11, 11\], got \(9, 9\)"),
        ({"targets": np.stack([FREE, FREE])}, ValueError, r"targets: .* got \(2, 11, 11\)"),
        ({"targets": FREE[None, None]}, ValueError, "targets: expected shape"),
        ({"targets": FREE[0]}, ValueError, "targets: expected shape"),
        ({"targets": ON_WALL}, ValueError, "targets: expected free cells of the map, got wall at row 0, column 4"),
        ({"targets": ON_WALL[None]}, ValueError, "targets: .* got wall at row 0, column 4"),
        ({"blocked": np.full((11, 11), np.nan)}, TypeError, "blocked: expected dtype bool, got float64"),
        ({"blocked": FREE[:, :10]}, ValueError, "blocked: expected shape"),
    ],
)
def test_bad_input_is_named(change: dict[str, Any], error: type[Exception], words: str) -> None:
    arguments: dict[str, Any] = {"map": "", "position": [[3, 3]], "heading": [0], "targets": FREE, "blocked": FREE}
    grid_path(**arguments)
    with pytest.raises(error, match=words):
        grid_path(**(arguments | change))


def test_blocked_walls_are_walls() -> None:
    target = FREE.copy()
    target[3, 6] = True
    plain = grid_path("", [[3, 3]], [0], target)
    assert np.array_equal(grid_path("", [[3, 3]], [0], target, ON_WALL).actions, plain.actions)
