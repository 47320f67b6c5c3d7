"""Exact answers: published and worked examples, and slow references that share nothing with the solvers."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from paymaster.exact import (
    ContractTrees,
    best_commitment,
    best_implementation,
    draw_trees,
    implement,
    tree_equilibrium,
)

Floats = NDArray[np.float64]

BIMATRIX = {
    "escape": ([[15, 10, 0], [10, 10, 0], [0, 0, 30]], [[15, 10, 0], [10, 10, 0], [0, 0, 30]], 30, 30),
    "maintain": ([[20, 0, 0], [30, 10, 0], [0, 0, 5]], [[15, 0, 0], [0, 5, 0], [0, 0, 10]], 20, 27.5),
    "left": ([[1, 3], [0, 2]], [[1, 0], [0, 1]], 2, 2.5),
    "right": ([[2, 4], [1, 3]], [[1, 0], [0, 1]], 3, 3.5),
    "three answers": ([[2, 0, 0], [1, 0, 0]], [[0, 2, 5], [0, -1, -4]], 1, 4 / 3),
}


@pytest.mark.parametrize(("leader", "follower", "pure", "mixed"), BIMATRIX.values(), ids=BIMATRIX)
def test_known_values_of_commitment(leader: Any, follower: Any, pure: float, mixed: float) -> None:
    for drawn, value in ((False, pure), (True, mixed)):
        found = best_commitment(leader, follower, mixed=drawn)
        assert found.value == pytest.approx(value, abs=1e-9)
        expected = found.strategy @ np.array(follower)
        assert found.follower_value == pytest.approx(expected.max(), abs=1e-9)
        assert found.value == pytest.approx(found.strategy @ np.array(leader)[:, found.answer])


def best_vertex(leader: Floats, follower: Floats) -> float:
    """Return the value of commitment by going through all corners of every answer's strategies."""
    rows, best = len(leader), -np.inf
    for answer in range(leader.shape[1]):
        rules = np.vstack((np.eye(rows), (follower[:, [answer]] - np.delete(follower, answer, 1)).T))  # each @ x >= 0
        for tight in itertools.combinations(range(len(rules)), rows - 1):
            system = np.vstack((rules[list(tight)], np.ones(rows)))
            if abs(np.linalg.det(system)) < 1e-12:
                continue
            corner = np.linalg.solve(system, np.eye(rows)[-1])
            if (rules @ corner > -1e-9).all():
                best = max(best, float(corner @ leader[:, answer]))
    return best


def test_commitment_equals_the_best_corner_of_random_games() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        leader, follower = random.normal(0, 10, (2, *random.integers(2, 5, 2)))
        found = best_commitment(leader, follower)
        assert found.value == pytest.approx(best_vertex(leader, follower), abs=1e-7)
        assert found.value >= best_commitment(leader, follower, mixed=False).value - 1e-9
        assert found.strategy.min() >= 0 and found.strategy.sum() == pytest.approx(1, abs=1e-12)
        answers = found.strategy @ follower
        assert answers[found.answer] >= answers.max() - 1e-7 * np.abs(follower).max()


def test_commitment_equals_openspiel() -> None:
    pytest.importorskip("cvxpy")  # by which OpenSpiel solves it
    pytest.importorskip("pyspiel")
    import pyspiel
    from open_spiel.python.algorithms.stackelberg_lp import solve_stackelberg

    for leader, follower, _, mixed in BIMATRIX.values():
        game = pyspiel.create_matrix_game(leader, follower)
        assert solve_stackelberg(game)[2] == pytest.approx(mixed, abs=1e-6)


def test_the_published_implementation_costs_nothing() -> None:
    """Monderer & Tennenholtz 2003, Example 1: (6, 4) is an equilibrium, and made dominant by what is never paid."""
    found = best_implementation([[3, 6], [4, 2]], [[3, 4], [6, 2]])
    assert (found.action, found.cost, found.welfare) == ((0, 1), 0.0, 10.0)
    assert found.row.tolist() == [[1, 0], [0, 0]] and found.column.tolist() == [[0, 0], [0, 4]]


def test_promises_make_a_joint_action_dominant_and_no_cheaper_ones_do() -> None:
    random = np.random.default_rng(1)
    for _ in range(200):
        shape = tuple(random.integers(1, 5, 2))
        row, column = random.integers(-5, 6, (2, *shape)).astype(float)
        action, margin = tuple(int(random.integers(size)) for size in shape), float(random.choice([0.0, 0.5]))
        found = implement(row, column, action, margin=margin)
        ours, theirs = row + found.row, column + found.column
        assert (found.row >= 0).all() and (found.column >= 0).all()
        for other in range(shape[0]):
            assert other == action[0] or (ours[action[0]] >= ours[other] + margin).all()
        for other in range(shape[1]):
            assert other == action[1] or (theirs[:, action[1]] >= theirs[:, other] + margin).all()
        lost = [row[:, action[1]] - row[action], column[action[0]] - column[action]]
        least = [max([0.0, *(np.delete(of, own) + margin)]) for of, own in zip(lost, action, strict=True)]
        assert found.cost == sum(least)  # whoever is promised less at the joint action itself goes elsewhere
        best = best_implementation(row, column, margin=margin)
        assert best.welfare - best.cost >= found.welfare - found.cost


def test_the_worked_example_of_one_decision() -> None:
    """Effort 0.8 and prize 14/9: a payment of 1 makes effort pay, and leaves the leader 0.5, the follower 0.1."""
    found = tree_equilibrium(ContractTrees(np.array([[0.8]]), np.array([[14 / 9]])))
    assert found.action.item() == 1 and found.payment.item() == pytest.approx(1)
    assert found.leader_value.item() == pytest.approx(0.5) and found.follower_value.item() == pytest.approx(0.1)


def test_contract_trees_have_the_published_share_of_effort_and_value() -> None:
    """Ivanov et al. 2024, App. D.1: effort in about 60 % of states; our own induction gave 57.6 % and 3.94."""
    found = tree_equilibrium(trees := draw_trees(1_000, 10, 0))
    assert trees.effort.shape == (1_000, 1_023) and trees.depth == 10
    assert 0.571 <= found.action.mean() <= 0.581
    assert 3.88 <= found.leader_value[:, 0].mean() <= 4.00
    shares = [
        tree_equilibrium(trees, np.linspace(0, 1.25, levels)).leader_value[:, 0].mean()
        / found.leader_value[:, 0].mean()
        for levels in (16, 32, 64)
    ]
    assert shares == pytest.approx([0.945, 0.975, 0.988], abs=0.005)


def by_hand(effort: Floats, prize: Floats, state: int, promises: Floats) -> tuple[float, float]:
    """Return (leader's, follower's) value of a state, trying every pair of promises, one for each outcome."""
    if state >= len(effort):
        return 0.0, 0.0
    below = [by_hand(effort, prize, child, promises) for child in (2 * state + 1, 2 * state + 2)]
    best = (-np.inf, 0.0)
    for left, right in itertools.product(promises, repeat=2):
        own, theirs = [], []
        for action, likely in enumerate(((0.9, 0.1), (0.1, 0.9))):
            own.append(sum(p * (pay + v[1]) for p, pay, v in zip(likely, (left, right), below, strict=True)))
            own[-1] -= action * effort[state]
            pays = (0 - left, prize[state] - right)
            theirs.append(sum(p * (pay + v[0]) for p, pay, v in zip(likely, pays, below, strict=True)))
        for action in (0, 1):  # an indifferent follower obeys
            if own[action] >= own[1 - action] - 1e-9 and theirs[action] > best[0]:
                best = theirs[action], own[action]
    return best


def test_contract_trees_equal_the_best_of_all_promises() -> None:
    """On a grid of promises, which the solver is given, too; without one it is better, by no more than a little."""
    trees, promises = draw_trees(5, 2, 3), np.linspace(0, 1.4, 71)
    found, free = tree_equilibrium(trees, promises), tree_equilibrium(trees)
    for tree in range(5):
        leader, follower = by_hand(trees.effort[tree], trees.prize[tree], 0, promises)
        assert found.leader_value[tree, 0] == pytest.approx(leader)
        assert found.follower_value[tree, 0] == pytest.approx(follower)
        assert leader <= free.leader_value[tree, 0] + 1e-12 and free.leader_value[tree, 0] - leader < 0.1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: best_commitment([[1, 2]], [[1], [2]]),
            r"follower: expected shape \(1, 2\) as of leader, got \(2, 1\)",
        ),
        (lambda: best_commitment([1, 2], [1, 2]), r"leader: expected a matrix \[R, C\] of finite numbers, got shape"),
        (lambda: best_commitment([[1, np.nan]], [[1, 2]]), "leader: expected .* got one of other numbers"),
        (lambda: best_commitment([["a"]], [[1]]), "leader: expected a matrix of numbers, got"),
        (lambda: best_commitment([[]], [[]]), r"leader: expected .* got shape \(1, 0\)"),
        (lambda: implement([[1]], [[1]], (0, 1)), "action: expected a column of 0 to 0, got 1"),
        (lambda: implement([[1]], [[1]], (0, 0), margin=-1.0), "margin: expected a finite number of 0 or more, got -1"),
        (lambda: draw_trees(0, 3, 0), "trees: expected at least 1, got 0"),
        (lambda: draw_trees(1, 0, 0), "depth: expected at least 1, got 0"),
        (lambda: draw_trees(1, 60, 0), "depth: expected at most 134,217,728 states in all"),
        (lambda: ContractTrees(np.zeros((1, 2)), np.zeros((1, 2))), r"effort, prize: expected \[trees, 2\^depth - 1\]"),
        (lambda: ContractTrees(np.full((1, 1), np.inf), np.zeros((1, 1))), "effort, prize: expected finite numbers"),
        (lambda: tree_equilibrium(draw_trees(1, 1, 0), [0.5]), "prices: expected finite numbers of 0 or more, 0 among"),
    ],
)
def test_what_makes_no_sense_is_named(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
