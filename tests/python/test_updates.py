"""Leader and followers learn beside each other: the same numbers, and no error is lost."""

from __future__ import annotations

from typing import Any

import pytest

from paymaster.algorithms.process_group import SINGLE_PROCESS
from paymaster.play.rollout import Rollout
from paymaster.training.config import TrainConfig
from paymaster.training.run_state import RunParts
from paymaster.training.train import make_parts
from paymaster.training.updates import Updates

RC = "resource_collection"


def begun(followers: str) -> tuple[RunParts, Rollout]:
    config = TrainConfig(RC, num_envs=8, hidden=8, parameters={"followers": followers, "payment": "advance_once"})
    parts = make_parts(config, SINGLE_PROCESS)
    if parts.followers is not None:
        parts.followers.keep = True
    return parts, Rollout(parts.env, parts.leader, parts.generator)


def learned(followers: str, cores: int) -> list[dict[str, float]]:
    parts, rollout = begun(followers)
    rows = []
    with Updates.of(parts, 1, cores) as updates:
        for progress in (0.0, 0.3, 0.6):
            episodes, _ = rollout.play()
            assert episodes is not None
            rows.append(updates.learn(episodes, progress))
    return rows


@pytest.mark.parametrize("followers", ["meta", "primitive", "q", "rule"])
def test_on_one_core_and_on_two_the_same_is_learned(followers: str) -> None:
    one = learned(followers, 1)
    assert learned(followers, 2) == one
    assert any(name.startswith("follower_") for name in one[0]) == (followers != "rule")


@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize("who", ["leader", "followers"])
def test_an_error_of_either_is_raised_after_both_have_ended(
    who: str, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, rollout = begun("meta")
    assert parts.followers is not None
    episodes, _ = rollout.play()
    assert episodes is not None
    learner = parts.leader if who == "leader" else parts.followers.followers

    def fail(*_: Any) -> None:
        raise ArithmeticError(f"of the {who}")

    monkeypatch.setattr(learner, "update", fail)
    with Updates.of(parts, 1, cores) as updates, pytest.raises(ArithmeticError, match=f"of the {who}"):
        updates.learn(episodes, 0.0)
