"""Gymnasium spaces of the leader's side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from paymaster import _core

__all__ = ["action_space", "space_of"]


def space_of(fields: Sequence[_core.Field]) -> spaces.Dict:
    """Return a Box for each field of one game, with its shape, dtype and bounds."""
    return spaces.Dict({f.name: spaces.Box(f.low, f.high, shape=f.shape, dtype=np.dtype(f.dtype).type) for f in fields})


def action_space(parameters: Mapping[str, Any]) -> spaces.MultiDiscrete:
    """(goal, bonus) for each of N followers; goal G is "none" where the leader may abstain."""
    goals = parameters["num_goals"] + bool(parameters["abstain"])
    return spaces.MultiDiscrete(np.tile([goals, parameters["num_bonuses"]], (parameters["num_followers"], 1)))
