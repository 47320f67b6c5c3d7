"""The environments that the campaign mistreats, each brought to the same moment before every call."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

import paymaster
from paymaster.features.leader import FeatureEncoder

__all__ = ["BATCHES", "B", "Subject", "subject"]

B = 2
N = 3
_ROOM = "#######\n#.....#\n#.....#\n#.#...#\n#.....#\n#######"
_GRID = {"num_resources": 5, "map": _ROOM}
_PLANE = {"num_targets": 5, "num_obstacles": 2}
_COMMON: dict[str, Any] = {"num_followers": N, "horizon": 30, "noise": 0.1, "population_size": 9}

BATCHES: dict[str, dict[str, Any]] = {
    "grid": {"task": "resource_collection", **_GRID},
    "grid same step": {"task": "multi_bonus_resource_collection", "autoreset_mode": "SameStep", **_GRID},
    "grid drawn": {"task": "resource_collection", "render_mode": "rgb_array", **_GRID},
    "grid meta": {"task": "resource_collection", "followers": "meta", **_GRID},
    "grid primitive": {"task": "resource_collection_one_skill", "followers": "primitive", "copy": False, **_GRID},
    "navigation": {"task": "navigation", "abstain": True, **_PLANE},
    "prey": {"task": "predator_prey", "autoreset_mode": "Disabled", "copy": False, **_PLANE},
    "prey meta": {"task": "predator_prey", "followers": "meta", "observe_routes": True, **_PLANE},
}
"""Name -> arguments of :func:`paymaster.make_vec`."""


class Subject:
    """A batch in mid-episode, with offers made where followers answer for themselves.

    Attributes:
        env: the batch.
        offers, answers: legal arguments of its ``step`` or ``offer``, and of its ``act``.
    """

    def __init__(self, name: str) -> None:
        self.env: Any = paymaster.make_vec(num_envs=B, seed=1, num_threads=1, **_COMMON, **BATCHES[name])
        self.env.reset(seed=2)
        self.two_phase = "followers" in BATCHES[name]
        self.offers = np.array([[(0, 1), (1, 1), (2, 1)]] * B)
        self.answers = np.array([[0, 1, 2]] * B)
        for _ in range(3):
            self._advance()
        self._moment = self.env.snapshot()
        self.encoder = FeatureEncoder(self.env)

    def again(self) -> None:
        """Brings the batch back to its moment."""
        self.env.restore(self._moment)
        self.env.statistics.frozen = False
        if self.two_phase:
            self.env.offer(self.offers)

    def check(self) -> None:
        """Plays on: the state can be read and set, observations lie in their space, the next step works."""
        env = self.env
        env.set_state(**env.state())
        if not env.observation_space.contains({name: np.array(v) for name, v in env.observe().items()}):
            raise AssertionError("an observation outside its space")
        self._advance()
        env.restore(env.snapshot())

    def _advance(self) -> None:
        if self.two_phase:
            self.env.offer(self.offers)
            self.env.act(self.answers)
        else:
            self.env.step(self.offers)


@cache
def subject(name: str) -> Subject:
    """The one batch of that name."""
    return Subject(name)


View = Callable[[], Any]
