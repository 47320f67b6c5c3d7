"""Pictures of economies: amounts that fit, what is left to spend, tastes, gains beside another objective."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for `reference`, which is not installed

from paymaster.rendering import draw_frame
from paymaster.rendering.amounts import short
from paymaster.rendering.canvas import Canvas
from paymaster.rendering.legend import _rules
from paymaster.rendering.limits import budget_left, share_left
from paymaster.rendering.scene import read_scene
from play import MB, RC, make, offer_stream
from reference.cases import people_with_tastes

PAYMENTS = ("completion", "advance", "advance_once", "outcome")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0"), (-0.0, "0"), (2, "2"), (0.5, "0.5"), (1.25, "1.25"), (1.64475, "1.64"), (-0.125, "-0.12"),
        (0.0333, "0.03"), (0.004, "0.004"), (99.99, "99.99"), (99.999, "100"), (127.4, "127"), (999.7, "1k"),
        (1102.75, "1.1k"), (51428.2, "51.4k"), (999_990, "1M"), (-2.5e6, "-2.5M"), (3e9, "3G"),
    ],
)  # fmt: skip
def test_amounts_take_little_room(amount: float, text: str) -> None:
    assert short(amount) == text


@pytest.mark.parametrize("payment", PAYMENTS)
def test_what_is_left_is_what_the_observation_says(payment: str) -> None:
    limits = {"budget": 9.0, "max_share": 0.6, "goal_reward": [3.0, 2.0, 0.5, 8.0], "prices": [0.5, 2.25]}
    opening = {"opening_sum": 4.0} if payment.startswith("advance") else {}
    env = make(RC, 1, payment=payment, autoreset_mode="Disabled", **limits, **opening)
    observation, _ = env.reset(seed=3)
    spent = 0
    for offers in offer_stream(env, 30, seed=3, keep=0.8):
        scene = read_scene({name: values[0] for name, values in env.state().items()}, env.drawn_parameters())
        assert budget_left(scene) == pytest.approx(float(observation["budget_left"][0]), abs=1e-5)
        assert share_left(scene) == pytest.approx(float(observation["share_left"][0]), abs=1e-5)
        spent += budget_left(scene) < 9.0
        observation, *_ = env.step(offers)
    assert spent > 10
    plain = make(RC, 1)
    plain.reset(seed=0)
    scene = read_scene({name: values[0] for name, values in plain.state().items()}, plain.drawn_parameters())
    assert budget_left(scene) == share_left(scene) == np.inf


@pytest.mark.parametrize("mode", ["Disabled", "NextStep", "SameStep"])
def test_render_adds_up_the_gain_whatever_the_objective(mode: str) -> None:
    """Not the rewards; and from a state that was set, what is gained from there on."""
    objective = {"weight_gain": 0.5, "weight_welfare": 2.0, "weight_equality": 3.0, "effort_cost": 0.1}
    env = make(RC, 2, render_mode="rgb_array", autoreset_mode=mode, horizon=9, **objective)
    plain = make(RC, 2, render_mode="rgb_array", autoreset_mode=mode, horizon=9, effort_cost=0.1)

    def drawn(which: Any) -> list[np.ndarray[Any, Any]]:
        assert which._pictures is not None
        return [record.gain() for record in which._pictures._records]

    for which in (env, plain):
        which.reset(seed=1)
    for offers in offer_stream(env, 23):
        reward = env.step(offers)[1]
        plain.step(offers)
        for one, other in zip(drawn(env), drawn(plain), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)
    assert np.abs(reward).max() > 0 or mode == "Disabled"
    for which in (env, plain):
        which.set_state(**which.state())
    for offers in offer_stream(env, 3, seed=5):
        env.step(offers)
        plain.step(offers)
    for one, other in zip(drawn(env), drawn(plain), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def frame_of(task: str = MB, steps: int = 3, **parameters: Any) -> np.ndarray[Any, Any]:
    env = make(task, 1, autoreset_mode="Disabled", **parameters)
    env.reset(seed=2)
    for offers in offer_stream(env, steps, seed=2):
        env.step(offers)
    return draw_frame({name: values[0] for name, values in env.state().items()}, env.drawn_parameters())


def differ(one: Any, other: Any, left: int, top: int, right: int, bottom: int) -> bool:
    return bool((one[top:bottom, left:right] != other[top:bottom, left:right]).any())


def test_what_the_panel_shows_of_an_economy() -> None:
    """w by type at its top right, tastes below the types, the budget left in the header: each there, and only then."""
    plain = frame_of()
    assert not differ(plain, frame_of(goal_reward=[5.0] * 4), 900, 76, 1256, 92)
    by_type = frame_of(goal_reward=[5.0, 5.0, 5.0, 8.0])
    assert differ(plain, by_type, 900, 76, 1256, 92) and not differ(plain, by_type, 630, 120, 740, 560)
    assert differ(plain, frame_of(effort_cost=0.25), 630, 120, 740, 560)
    assert differ(plain, frame_of(budget=50), 700, 20, 1100, 60)
    people = people_with_tastes()
    other = {**people, "utility": people["utility"] + 1}
    assert differ(frame_of(population=people), frame_of(population=other), 630, 120, 740, 560)
    many = [frame_of(population=one, num_followers=10) for one in (people, other)]
    assert many[0].shape == many[1].shape  # no room for them: nor a word of them


@pytest.mark.parametrize(
    "parameters",
    [
        {"payment": "outcome", "goal_reward": [1.0, 2.0, 3.0, 4.0], "population": people_with_tastes()},
        {"payment": "outcome", "goal_reward": [1.0, 2.0, 3.0, 4.0]},
        {"prices": [1100.25, 2200.75, 51428.2, 990000.0], "goal_reward": [999999.0] * 4},
        {"budget": 1e6, "max_share": 0.5, "opening_sum": 1e5, "payment": "advance", "goal_reward": [1e6, 1, 2, 3]},
    ],
)
@pytest.mark.parametrize("followers", [4, 10])
def test_nothing_is_cut_off_at_the_edges(parameters: dict[str, Any], followers: int) -> None:
    frame = frame_of(num_followers=followers, **parameters)
    background = frame[2, 2]
    for edge in (frame[:8], frame[-8:], frame[:, -8:]):
        assert (edge == background).all()


def test_the_rules_are_broken_between_words() -> None:
    env = make(RC, 1, payment="outcome", population=people_with_tastes(), goal_reward=[1, 2, 3, 4])
    env.reset(seed=0)
    scene = read_scene({name: values[0] for name, values in env.state().items()}, env.drawn_parameters())
    canvas = Canvas(1, 1, 1.0)
    for width in (400.0, 1232.0):
        lines = _rules(canvas, scene, width)
        assert all(canvas.text_width(line, 12.5) <= width for line in lines)
    assert " ".join(_rules(canvas, scene, 400.0)) == " ".join(lines)
    assert len(lines) == 3
