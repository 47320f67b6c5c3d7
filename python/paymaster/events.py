"""The event sets of Section 4.1, out of a log of the leader's actions: when and how it commits to something new.

An event e^k_t = (t, omega^k_t) is the leader's action to follower k at step t. The universal event set U_T holds all of
an episode; A_T = {e^k_t : omega^k_t != omega^k_{t-1}} holds the new actions. Each event in A_T starts an option: the
offer lasts until the same follower's next event, or to the end of the episode. At t = 0 every option starts, because
omega_{-1} is no offer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paymaster import _core
from paymaster.validation.arguments import array_of, check_array, check_int

__all__ = ["EventSet", "extract"]


@dataclass(frozen=True, eq=False)
class EventSet:
    """U_T and A_T of B episodes of at most T steps with N followers; E events in A_T, of all episodes together.

    The steps played of [T, B, N] are U_T, those with ``is_new`` are A_T, the other ones played U_T \\ A_T, where the
    paper's I and I' take their second case. The last four arrays list A_T in the order of game, follower, time; those
    of game b and follower k are neighbours. All arrays are read-only views of one object of the core, which lives as
    long as any of them.

    Attributes:
        is_new: bool [T, B, N], e^k_t is in A_T; false on steps not played.
        index: int32 [T, B, N], the event each step belongs to, that is, whose offer stands, counted from 0 for each
            game and follower; -1 on steps not played.
        count: int32 [B, N], ``|A_T|`` of each follower.
        count_per_episode: int32 [B], ``|A_T|``.
        game: int32 [E], b.
        follower: int32 [E], k.
        start: int32 [E], t.
        option_length: int32 [E], steps the option lasts, at least 1; they sum to ``|U_T|``.
            ``np.bincount(option_length)`` is their histogram.
    """

    is_new: NDArray[np.bool_]
    index: NDArray[np.int32]
    count: NDArray[np.int32]
    count_per_episode: NDArray[np.int32]
    game: NDArray[np.int32]
    follower: NDArray[np.int32]
    start: NDArray[np.int32]
    option_length: NDArray[np.int32]


def extract(actions: ArrayLike, lengths: ArrayLike | None = None, *, num_goals: int | None = None) -> EventSet:
    """The event set of a log of actions, as ``env.step`` took them, one step after the other.

    Args:
        actions: integers [T, B, N, 2] with T, B, N >= 1, (goal, bonus) for each follower. What stands in steps that
            were not played is disregarded. Nothing is copied if the array is contiguous.
        lengths: integers [B], steps played in each episode, 0 to T; None: all T.
        num_goals: G of a task with ``abstain``: goal G is the offer "none", whose bonus means nothing, so that
            (G, b) and (G, b') are one offer, as they are to the environment. None: offers are compared as they are.

    Raises:
        ValueError: a wrong shape, a length out of range; with ``num_goals``, a goal played that is not in [0, G].
        TypeError: not integers.
    """
    log = array_of("actions", actions, "iu", "an integer dtype")
    if log.ndim != 4 or log.shape[3] != 2 or 0 in log.shape:
        raise ValueError(f"actions: expected shape [T, B, N, 2], (goal, bonus), with T, B, N >= 1, got {log.shape}")
    steps, games, followers, _ = log.shape
    if max(steps * followers, games) >= 2**31:
        raise ValueError(f"actions: expected fewer than 2**31 games and events in each, got shape {log.shape}")
    if lengths is None:
        played = np.full(games, steps, dtype=np.int32)
    else:
        whole = array_of("lengths", lengths, "iu", "an integer dtype")
        played = check_array("lengths", whole, "int32", (games,), 0, steps)
    goals = None if num_goals is None else check_int("num_goals", num_goals, 1, 2**31 - 1)
    native = np.ascontiguousarray(log, dtype=log.dtype.newbyteorder("="))
    return EventSet(*_core.extract_events(native, played, goals))
