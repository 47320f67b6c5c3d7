"""The best any leader can do in a small game without noise: dynamic programming over the game's own states.

Followers without noise are deterministic, so from a given start the best closed-loop leader and the best fixed
sequence of offers gain the same, and a leader that is told all traits can play it. Its mean gain over starts is
therefore what a leader that has learned the traits of a fixed population can reach, and none can exceed.

Nothing here knows the rules: every transition is asked of the package's batch by ``set_state`` and ``step``.
:func:`try_everything` is the same without even the notion of a state, for short horizons.

A position is a row of some 20 to 100 numbers, and each is asked with every joint offer, of which there are (G K)^N: two
followers with two goal types and two bonus levels have 16, four followers of the paper's tasks 4,096. So games of one
or two followers on small maps can be held; the class stops with an error where it may keep no more positions.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster.envs.tasks import make_vec
from paymaster.envs.vector import LeaderVectorEnv

__all__ = ["BestPlay", "all_offers", "try_everything"]

State = Mapping[str, NDArray[Any]]
Rows = NDArray[np.float64]

_GAMES = 4096  # positions asked at once
_REPORTED = (
    "action",
    "completed",
    "contract_age",
    "episode",
)  # shown to leaders, but nothing that follows depends on it


def all_offers(env: LeaderVectorEnv) -> NDArray[np.int64]:
    """Return every joint offer, int64 [(G K + abstain)^N, N, 2]."""
    goals, bonuses = env.parameters["num_goals"], env.parameters["num_bonuses"]
    offers = [*itertools.product(range(goals), range(bonuses)), *[(goals, 0)] * env.parameters["abstain"]]
    return np.array(list(itertools.product(offers, repeat=env.num_followers)))


class BestPlay:
    """Knows the values of all positions that a leader can reach from some starts, with followers that decide by rule.

    Args:
        task: its name.
        parameters: of the game, its population among them; without noise.
        start: states [B, ...] as ``env.state()`` gives them, all in the same step.
        most_positions: to be kept.

    Attributes:
        offers: every joint offer, int64 [A, N, 2].

    Raises:
        ValueError: a game with noise, one that remembers contracts which were dropped ("advance_once"), or one with
            more positions than may be kept.
    """

    def __init__(
        self, task: str, parameters: Mapping[str, Any], start: State, *, most_positions: int = 1_000_000
    ) -> None:
        if parameters.get("noise", 0.0) != 0.0:
            raise ValueError(f"noise: expected 0, got {parameters['noise']}")
        if parameters.get("payment") == "advance_once":
            raise ValueError("payment: expected 'completion' or 'advance', got 'advance_once'")
        self._env = make_vec(task, _GAMES, 0, 1, autoreset_mode="Disabled", **parameters)
        self._env.statistics.frozen = True
        self.offers = all_offers(self._env)
        self._shapes = {name: values.shape[1:] for name, values in self._env.state().items() if name != "done"}
        self._q: dict[bytes, NDArray[np.float64]] = {}
        self._most = most_positions
        self._search(self._rows(start))

    def values(self, state: State) -> NDArray[np.float64]:
        """Return what the best leader gains from here on, float64 [B]; 0 for games that are over.

        Raises:
            KeyError: a position that was never reached.
        """
        over = np.asarray(state["done"])
        best = [0.0 if end else self._q[row.tobytes()].max() for row, end in zip(self._rows(state), over, strict=True)]
        return np.array(best)

    def action_values(self, state: State) -> NDArray[np.float64]:
        """Return the same after each joint offer of ``offers``, float64 [B, A].

        Raises:
            KeyError: a position that was never reached.
        """
        return np.stack([self._q[row.tobytes()] for row in self._rows(state)])

    def _search(self, rows: Rows) -> None:
        """Forward, a step at a time, to all positions; back with the largest sums of rewards."""
        layers: list[tuple[Rows, Rows, NDArray[np.bool_], NDArray[np.intp]]] = []
        kept = 0
        rows = np.unique(rows, axis=0)
        while len(rows):
            kept += len(rows)
            if kept > self._most:
                raise ValueError(
                    f"most_positions: expected enough for this game, got {self._most:,}, and {kept:,} after "
                    f"{len(layers)} steps: take a smaller map, fewer followers or a shorter horizon"
                )
            reward, successor, over = self._expand(rows)
            following, index = np.unique(successor[~over], axis=0, return_inverse=True)
            layers.append((rows, reward, over, index.ravel()))
            rows = following
        ahead = np.zeros(0)
        for rows, reward, over, index in reversed(layers):
            q = reward.copy()
            q[~over] += ahead[index]
            self._q.update(zip((row.tobytes() for row in rows), q, strict=True))
            ahead = q.max(-1)

    def _expand(self, rows: Rows) -> tuple[NDArray[np.float64], Rows, NDArray[np.bool_]]:
        """Rewards [S, A], positions [S, A, D] and ends [S, A] one step after every joint offer."""
        choices = len(self.offers)
        origin, choice = np.divmod(np.arange(len(rows) * choices), choices)
        reward, successor, over = np.empty(len(origin)), np.empty((len(origin), rows.shape[1])), origin < 0
        for first in range(0, len(origin), _GAMES):
            part = np.arange(first, min(first + _GAMES, len(origin)))
            padded = np.resize(part, _GAMES)
            self._env.set_state(**self._fields(rows[origin[padded]]))
            _, gained, _, _, _ = self._env.step(self.offers[choice[padded]])
            state, count = self._env.state(), len(part)
            reward[part], over[part] = gained[:count], state["done"][:count]
            successor[part] = self._rows(state)[:count]
        return reward.reshape(-1, choices), successor.reshape(len(rows), choices, -1), over.reshape(-1, choices)

    def _rows(self, state: State) -> Rows:
        """States as rows of numbers; two that differ only in what was reported, or in an offer without a running
        contract, have the same future and become the same row."""
        fields = {name: np.array(state[name], dtype=np.float64) for name in self._shapes}
        for name in _REPORTED:
            fields[name][:] = -1 if name in ("action", "completed") else 0
        idle = ~np.asarray(state["contract_running"])
        fields["offer"][idle] = -1
        fields["committed"][idle] = 0
        fields["dropped"][idle] = 0
        return np.concatenate([values.reshape(len(values), -1) for values in fields.values()], axis=1) + 0.0

    def _fields(self, rows: Rows) -> dict[str, NDArray[Any]]:
        dtypes = {name: values.dtype for name, values in self._env.state().items()}
        fields, column = {}, 0
        for name, shape in self._shapes.items():
            width = int(np.prod(shape))
            fields[name] = rows[:, column : column + width].reshape(-1, *shape).astype(dtypes[name])
            column += width
        return fields


def try_everything(task: str, parameters: Mapping[str, Any], start: State, game: int) -> float:
    """Return the largest gain of any sequence of joint offers from one start, each played in a game of its own.

    Args:
        task, parameters: as in :class:`BestPlay`.
        start: states [B, ...] at the beginning of episodes.
        game: which of them.
    """
    env = make_vec(task, 1, 0, 1, **parameters)
    joint, horizon = all_offers(env), env.parameters["horizon"]
    total = len(joint) ** horizon
    env = make_vec(task, total, 0, 1, autoreset_mode="Disabled", **parameters)
    env.set_state(**{name: np.repeat(values[game : game + 1], total, axis=0) for name, values in start.items()})
    sequence = np.arange(total)
    gain = np.zeros(total)
    for _ in range(horizon):
        sequence, choice = np.divmod(sequence, len(joint))
        gain += env.step(joint[choice])[1]
    return float(gain.max())
