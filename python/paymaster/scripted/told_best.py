"""The best told rule of a task, chosen by what each has gained there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from paymaster.envs.vector import LeaderVectorEnv
from paymaster.scripted.full_information import FullInformation, ToldAlone, ToldLowest

__all__ = ["RULES", "STORED", "ToldBest", "best_rule"]

Actions = NDArray[np.int64]
Observation = Mapping[str, NDArray[Any]]

RULES: Final[dict[str, type[FullInformation]]] = {
    "full_information": FullInformation,
    "told_alone": ToldAlone,
    "told_lowest": ToldLowest,
}
"""Name -> told rule; of rules that gain the same, the first counts as the best."""
STORED: Final = Path(__file__).with_name("told_best.json")
"""Mean gains of the rules by task and payment rule, written by ``python bench/scripted.py``."""


class ToldBest:
    """Plays the told rule that gains most on the task under its payment rule.

    Which one that is was measured: 1,000 episodes of each of :data:`RULES` on every task of the package, in other games
    than evaluations have. A task that was not measured, such as one of your own, has :class:`FullInformation`. A rule
    fixed for the task is a leader that can be named and repeated; it is no upper bound.

    Args:
        seed: unused, for the scripted leaders' common signature.
    """

    def __init__(self, seed: int = 0) -> None:
        self._rule = FullInformation(seed)

    def start(self, env: LeaderVectorEnv) -> None:
        """Choose the rule, and read the followers' traits."""
        self._rule = RULES[best_rule(env.task, str(env.parameters["payment"]))]()
        self._rule.start(env)

    def offers(self, env: LeaderVectorEnv, observation: Observation) -> Actions:
        """Return the rule's offers for this step."""
        return self._rule.offers(env, observation)


def best_rule(task: str, payment: str) -> str:
    """Return the name of the told rule with the highest stored gain; "full_information" where nothing is stored."""
    gains = _stored().get(task, {}).get(payment, {"full_information": 0.0})
    return max(RULES, key=lambda rule: gains.get(rule, -np.inf))


@cache
def _stored() -> dict[str, dict[str, dict[str, float]]]:
    """Return task -> payment rule -> told rule -> mean gain."""
    found: dict[str, dict[str, dict[str, float]]] = json.loads(STORED.read_text("utf-8"))
    return found
