"""What the leader may still pay in a game, beside what is reserved: as the observation says it, from a state alone."""

from __future__ import annotations

import math
from collections.abc import Iterator

from paymaster.rendering.scene import Follower, Scene

__all__ = ["budget_left", "share_left"]


def budget_left(scene: Scene) -> float:
    """Return what is left of the budget; inf without one."""
    reserved = sum(follower.pays for follower in _reserved(scene))
    return _limit(scene, "budget") - _of(scene, "paid") - reserved


def share_left(scene: Scene) -> float:
    """Return what may still be paid of the share of the revenue; inf without that limit."""
    share = _limit(scene, "max_share")
    if math.isinf(share):
        return math.inf
    allowed = share * _of(scene, "revenue") + float(scene.parameters["opening_sum"])
    reserved = sum(max(0.0, one.pays - share * scene.goal_reward[one.goal]) for one in _reserved(scene))
    return allowed - _of(scene, "paid") - reserved


def _reserved(scene: Scene) -> Iterator[Follower]:
    """Whose offer may still have to be paid."""
    rule = scene.parameters["payment"]
    for one in scene.followers:
        running = rule == "completion" and one.contract_running
        if running or (rule == "outcome" and one.goal >= 0 and one.completed < 0):
            yield one


def _limit(scene: Scene, name: str) -> float:
    return float(scene.parameters.get(name, math.inf))


def _of(scene: Scene, name: str) -> float:
    return float(scene.state.get(name, 0.0))
