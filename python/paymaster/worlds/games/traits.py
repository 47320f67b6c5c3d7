"""Followers of games in which only the game's own rewards count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["able_and_free"]


def able_and_free(parameters: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Return a population of N followers who can reach all goal types and prefer none (reservation 0).

    Args:
        parameters: of the game, ``num_followers`` and ``num_goals`` among them.
    """
    n, goals = parameters["num_followers"], parameters["num_goals"]
    return {
        "skill": np.ones((n, goals), np.bool_),
        "preference": np.zeros(n, np.int32),
        "reservation": np.zeros(n, np.float32),
    }
