"""The exact lines: a solver's or the game's own number, beside the one that is known. A function a line, or a few."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from paymaster.envs.tasks import make_vec
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.exact import (
    BestPlay,
    ContractTrees,
    best_commitment,
    best_implementation,
    coin_plan,
    draw_trees,
    tree_equilibrium,
)
from paymaster.play.own_followers import OwnFollowers
from paymaster.verification.line import Line, exact_line
from paymaster.verification.names import AnswerName
from paymaster.worlds.games.escape_room import DOOR, LEVER, equilibrium
from paymaster.worlds.games.iterated_dilemma import COOPERATE

__all__ = ["EXACT", "ROOMS", "room_optimum"]

ROOMS: Final = ((2, 1), (3, 2), (5, 2), (10, 5))
"""(N, M) of the escape rooms that were published."""
_LIO = {(2, 1): "near 9 before payments", (3, 2): "near 8 before payments"}
_TREES = 1_000
_PLAYED = 20_000


def room_optimum(followers: int, levers: int) -> float:
    """Return the most that a leader nets in an escape room: docs/known_games.md has the proof.

    Args:
        followers: N.
        levers: M, each of whom is paid the level of 1.1 once.
    """
    return 10 * (followers - levers) - levers - 1.1 * levers


def escape_room() -> Iterator[Line]:
    """Play every joint offer, held for the episode, before followers that reason."""
    for followers, levers in ROOMS:
        offers = [(LEVER, 0), (LEVER, 1), (1, 0), (1, 1), (DOOR, 0), (DOOR, 1)]
        joint = np.array(list(itertools.combinations_with_replacement(offers, followers)))  # all are alike
        size = {"num_followers": followers, "levers": levers}
        env = make_vec("escape_room", len(joint), 0, followers="meta", autoreset_mode="Disabled", **size)
        assert isinstance(env, TwoPhaseVectorEnv)
        OwnFollowers(env, equilibrium, "equilibrium")
        env.reset()
        for _ in range(env.parameters["horizon"]):
            *_, info = env.step(joint)
        best = float(info["totals"]["objective"].max())
        published = f"{_LIO[followers, levers]} (LIO)" if (followers, levers) in _LIO else ""
        quantity = f"({followers}, {levers}): best of all joint offers, net"
        yield exact_line("escape_room", quantity, best, room_optimum(followers, levers), published, within=1e-5)


def iterated_dilemma() -> Iterator[Line]:
    """Welfare with and without payments, and the best leader by dynamic programming."""
    for level, quantity, exact in ((0, "welfare a step, unpaid", -4.0), (1, "welfare a step, cooperation paid", -2.0)):
        env = make_vec("iterated_dilemma", 1, 0)
        env.reset()
        for _ in range(5):
            *_, info = env.step(np.full((1, 2, 2), (COOPERATE, level)))
        yield exact_line("iterated_dilemma", quantity, float(info["totals"]["welfare"][0]) / 5, exact, within=1e-5)
    yield exact_line(
        "iterated_dilemma", "paid a step for it", float(info["totals"]["payments"][0]) / 5, 2.2, within=1e-5
    )
    env = make_vec("iterated_dilemma", 1, 0)
    env.reset()
    best = BestPlay("iterated_dilemma", {}, env.state()).values(env.state())
    exact = 5 * (2 * -2 - 2.2)
    yield exact_line("iterated_dilemma", "best leader, 2 welfare less payments", float(best[0]), exact, within=1e-5)


def contract_tree() -> Iterator[Line]:
    """Equilibria of random trees, the paper's worked example, and an equilibrium as it is played."""
    trees = draw_trees(_TREES, 10, 0)
    found = tree_equilibrium(trees)
    source = "about 60 % (Ivanov et al. 2024)"
    share = 100 * float(found.action.mean())
    yield exact_line("contract_tree", "states with effort, depth 10, %", share, 57.6, source, within=0.5)
    value = float(found.leader_value[:, 0].mean())
    yield exact_line("contract_tree", "leader's value, depth 10", value, 3.94, within=0.06)
    example = tree_equilibrium(ContractTrees(np.array([[0.8]]), np.array([[14 / 9]])))
    for quantity, of, exact in (
        ("worked example: payment", example.payment, 1.0),
        ("worked example: leader's value a step", example.leader_value, 0.5),
        ("worked example: follower's value a step", example.follower_value, 0.1),
    ):
        yield exact_line("contract_tree", quantity, of.item(), exact, f"{exact:g} (Ivanov et al. 2024)")
    yield _played_tree()


def _played_tree() -> Line:
    """Play the equilibrium of the task's tree, at the task's prices, before a follower that obeys."""
    env = make_vec("contract_tree", _PLAYED, 0, followers="meta", autoreset_mode="Disabled")
    assert isinstance(env, TwoPhaseVectorEnv)
    prices, horizon = env.parameters["prices"], env.parameters["horizon"]
    found = tree_equilibrium(draw_trees(1, horizon, env.parameters["tree_seed"]), prices)
    level = np.searchsorted(prices, found.payment[0])
    observation, _ = env.reset()
    for _ in range(horizon):
        node = observation["node"]
        env.offer(np.stack((found.action[0][node], level[node]), -1)[:, None])
        observation, *_, info = env.act(found.action[0][node][:, None])
    gain = info["totals"]["gain"]
    error = 4 * float(gain.std()) / len(gain) ** 0.5
    quantity = f"gain of the equilibrium played, {_PLAYED:,} episodes"
    return exact_line(
        "contract_tree", quantity, float(gain.mean()), float(found.leader_value[0, 0]), within=round(error, 4)
    )


def matrix_game() -> Iterator[Line]:
    """Commitment, pure and mixed (Conitzer & Sandholm 2006)."""
    for name, leader, follower, pure, mixed in (
        ("escape", [[15, 10, 0], [10, 10, 0], [0, 0, 30]], [[15, 10, 0], [10, 10, 0], [0, 0, 30]], 30.0, 30.0),
        ("maintain", [[20, 0, 0], [30, 10, 0], [0, 0, 5]], [[15, 0, 0], [0, 5, 0], [0, 0, 10]], 20.0, 27.5),
        ("[1 3; 0 2], [1 0; 0 1]", [[1, 3], [0, 2]], [[1, 0], [0, 1]], 2.0, 2.5),
        ("[2 4; 1 3], [1 0; 0 1]", [[2, 4], [1, 3]], [[1, 0], [0, 1]], 3.0, 3.5),
        ("three answers", [[2, 0, 0], [1, 0, 0]], [[0, 2, 5], [0, -1, -4]], 1.0, 4 / 3),
    ):
        for kind, drawn, exact in (("pure", False, pure), ("mixed", True, mixed)):
            ours = best_commitment(leader, follower, mixed=drawn).value
            yield exact_line("matrix_game", f"{name}: {kind} commitment", ours, exact)


def coin_game() -> Iterator[Line]:
    """Play the joint plan with the most welfare, found by dynamic programming, in the game itself."""
    env = make_vec("coin_game", _PLAYED, 0, followers="primitive", autoreset_mode="Disabled")
    assert isinstance(env, TwoPhaseVectorEnv)
    size, horizon = env.parameters["size"], env.parameters["horizon"]
    plan, nothing = coin_plan(size, horizon), np.zeros((_PLAYED, 2, 2), np.int64)
    observation, _ = env.reset()
    for step in range(horizon):
        seat = env.offer(nothing)["preference"]  # each follower's own colour
        cell = np.take_along_axis(observation["cell"], seat.argsort(1), 1)
        chosen = plan.action[step][cell[:, 0], cell[:, 1], observation["coin"], observation["colour"]]
        observation, *_, info = env.act(np.take_along_axis(chosen, seat.astype(np.int64), 1))
    welfare = info["totals"]["welfare"]
    error = 4 * float(welfare.std()) / len(welfare) ** 0.5
    quantity = f"welfare of the best joint plan played, {size} x {size}, {_PLAYED:,} episodes"
    published = "12.5 by other rules (a public reproduction)"
    yield exact_line("coin_game", quantity, float(welfare.mean()), plan.welfare, published, within=round(error, 4))


def k_implementation() -> Iterator[Line]:
    """The example of Monderer & Tennenholtz 2003: promises that are never paid."""
    found = best_implementation([[3, 6], [4, 2]], [[3, 4], [6, 2]])
    source = "(Monderer & Tennenholtz 2003)"
    yield exact_line("k_implementation", "cost of making (6, 4) dominant", found.cost, 0.0, f"0 {source}")
    yield exact_line("k_implementation", "welfare there", found.welfare, 10.0, f"10 {source}")


EXACT: Final[dict[AnswerName, Callable[[], Iterator[Line]]]] = {
    "escape_room": escape_room,
    "iterated_dilemma": iterated_dilemma,
    "contract_tree": contract_tree,
    "matrix_game": matrix_game,
    "coin_game": coin_game,
    "k_implementation": k_implementation,
}
"""Answer -> what yields its exact lines; a new answer is a function here and a name in ``names.py``."""
