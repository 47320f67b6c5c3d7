"""Followers that learn answer in one call of the core, and as they do in several, or by torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from paymaster import TwoPhaseVectorEnv, make_vec
from paymaster.algorithms.followers import FollowerActorCritic, FollowerLearning
from paymaster.play.learning_followers import FollowerEncoder, LearningFollowers


def two_phase(kind: str, games: int) -> TwoPhaseVectorEnv:
    env = make_vec("resource_collection", games, 0, followers=kind, autoreset_mode="Disabled")
    assert isinstance(env, TwoPhaseVectorEnv)
    return env


@pytest.mark.parametrize("kind", ["meta", "primitive"])
@pytest.mark.parametrize("greedy", [False, True])
def test_they_answer_the_same_however_many_calls_it_takes(
    kind: str, greedy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Encoded, evaluated and drawn by the core at once, one after the other, and by torch."""
    episodes = []
    for way in ("at once", "one after the other", "by torch"):
        env = two_phase(kind, 9)
        encoder = FollowerEncoder(env, torch.device("cpu"))
        assert (encoder.whole is not None) == (kind == "meta")
        followers = FollowerActorCritic(encoder.config(8, "embedded"), FollowerLearning(hidden=8), seed=4)
        for parameter in followers.network.parameters():
            parameter.data.mul_(3.0)
        if way == "by torch":
            followers.network.register_forward_hook(lambda *_: None)
        elif way == "one after the other":
            monkeypatch.setattr("paymaster.networks.acting.FollowerActor.answer", lambda *_, **__: None)
        seated = LearningFollowers(env, followers, torch.Generator().manual_seed(5))
        seated.keep, seated.greedy, seated.explore = True, greedy, 0.2
        env.reset()
        for _ in range(env.parameters["horizon"]):
            env.step(np.ones((9, 4, 2), dtype=np.int64))
        episodes.append(seated.lived())
        monkeypatch.undo()
    for other in episodes[1:]:
        for field in ("own", "goal", "identity", "action", "acts", "reward"):
            torch.testing.assert_close(getattr(other, field), getattr(episodes[0], field), rtol=0, atol=0)


def test_answers_that_cannot_be_given_are_refused() -> None:
    env = two_phase("meta", 3)
    env.reset()
    observation, encoder = env.offer(np.zeros((3, 4, 2), dtype=np.int64)), FollowerEncoder(env, torch.device("cpu"))
    followers = FollowerActorCritic(encoder.config(8, "embedded"), FollowerLearning(hidden=8))
    core: Any = followers.actor()._core
    arrays: dict[str, Any] = {
        "own": np.zeros((3, 4, encoder.own_features), np.float32),
        "goal": np.zeros((3, 4, 4, encoder.goal_features), np.float32),
        "identity": np.zeros((3, 4), np.int64),
        "uniform": np.zeros((3, 4), np.float32),
    }
    how = {"encoder": encoder.whole, "observation": observation, "explore": 0.0}
    assert core.answer(**arrays, **how).shape == (3, 4)
    for name, wrong in (
        ("own", np.zeros((3, 4, encoder.own_features + 1), np.float32)),
        ("goal", np.zeros((2, 4, 4, encoder.goal_features), np.float32)),
        ("identity", np.zeros((3, 3), np.int64)),
        ("uniform", np.ones((3, 4), np.float32)),
    ):
        with pytest.raises(ValueError, match=f"{name}: expected"):
            core.answer(**arrays | {name: wrong}, **how)
    for acts in (np.ones((3, 3), np.bool_), np.ones((3, 4), np.int64)):
        with pytest.raises((ValueError, TypeError), match=r"observation\['acts'\]: expected"):
            core.answer(**arrays, **how | {"observation": {**observation, "acts": acts}})
    del observation["acts"]
    with pytest.raises(ValueError, match="expected a field 'acts'"):
        core.answer(**arrays, **how)
    with pytest.raises(TypeError):
        core.answer(**arrays, **how | {"encoder": None})


@pytest.mark.parametrize("greedy", [False, True])
def test_whose_action_is_not_used_changes_nothing_for_others(greedy: bool) -> None:
    """However few act: the same actions as if all did, and 0 for those who do not."""
    env = two_phase("meta", 40)
    env.reset()
    encoder, random = FollowerEncoder(env, torch.device("cpu")), np.random.default_rng(0)
    observation = env.offer(random.integers(0, 2, (40, 4, 2)))
    followers = FollowerActorCritic(encoder.config(32, "embedded"), seed=1)
    for parameter in followers.network.parameters():
        parameter.data.mul_(3.0)
    core: Any = followers.actor()._core
    uniform = None if greedy else random.random((40, 4), np.float32)
    own, goal = (
        np.empty((40, 4, *shape), np.float32) for shape in ((encoder.own_features,), (4, encoder.goal_features))
    )
    seen = (own, goal, np.empty((40, 4), np.int64))
    everybody = core.answer(encoder.whole, observation, *seen, uniform, 0.1)
    assert len(np.unique(everybody)) > 2
    np.testing.assert_array_equal(everybody, core.draw(*seen, uniform, 0.1))
    for share in (0.0, 0.01, 0.3, 0.9):
        acts = random.random((40, 4)) < share
        answered = core.answer(encoder.whole, {**observation, "acts": acts}, *seen, uniform, 0.1)
        np.testing.assert_array_equal(answered, np.where(acts, everybody, 0))
