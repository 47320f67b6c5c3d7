"""The books: payments, rewards, and what holds in every state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from play import MB, RC, SMALL, make, offer_stream, row, same
from worlds import GRIDS


@pytest.mark.parametrize("payment", ["completion", "advance", "advance_once", "outcome"])
@pytest.mark.parametrize(
    ("task", "parameters"),
    [(RC, {"goal_reward": 2.5}), (MB, {"abstain": True, "noise": 0.2}), (RC, {**SMALL, "num_resources": 6})],
    ids=["own goal reward", "abstain and noise", "small"],
)
def test_payments_add_up(task: str, parameters: dict[str, Any], payment: str) -> None:
    env = make(task, num_envs=16, payment=payment, **parameters)
    env.reset(seed=3)
    w = parameters.get("goal_reward", min(env.parameters["num_bonuses"] + 1, 5))
    assert (env.goal_reward == w).all()
    sums: dict[str, Any] = dict.fromkeys(
        ("gain", "payments", "incentive", "follower_reward", "new_offers", "length"), 0
    )
    counts, before, completions = np.zeros((16, env.parameters["num_goals"]), dtype=int), env.state(), 0
    for offers in offer_stream(env, 30):
        _, reward, terminated, _, info = env.step(offers)
        after = env.state()
        played, done = ~before["done"], info["completed"] >= 0
        price = np.where(after["offer"][..., 0] >= 0, after["offer"][..., 1] + 1.0, 0.0)
        changed = (after["offer"] != before["offer"]).any(-1)
        new = changed | ~before["contract_running"]
        if payment == "advance_once":
            new &= changed | ~before["dropped"]
        due = done if payment in ("completion", "outcome") else info["committed"] & new
        same(info["payment"], np.where(due, price, 0.0))
        same(reward, w * done.sum(-1) - info["payment"].astype(np.float64).sum(-1))
        own = reached_own(before, after)
        same(info["follower_reward"], info["payment"] + np.where(own, after["reservation"], 0.0))
        assert (info["completed"][done] == after["offer"][..., 0][done]).all()
        events = changed | (before["step"] == 0)[:, None]
        sums = {
            "gain": sums["gain"] + reward,
            "payments": sums["payments"] + info["payment"].sum(-1),
            "incentive": sums["incentive"] + np.where(done, price, 0.0).sum(-1),
            "follower_reward": sums["follower_reward"] + info["follower_reward"].sum(-1),
            "new_offers": sums["new_offers"] + (events & played[:, None]).sum(-1),
            "length": sums["length"] + played,
        }
        np.add.at(counts, (np.nonzero(done)[0], info["completed"][done]), 1)
        for name, total in sums.items():
            np.testing.assert_allclose(info["totals"][name], total, rtol=1e-6, err_msg=name)
        same(info["totals"]["completions"], counts)
        same(info["totals"]["length"], after["step"])
        same(terminated, after["done"])
        completions += int(done.sum())
        before = after
    assert completions > 10


def reached_own(before: Any, after: Any) -> NDArray[np.bool_]:
    """Followers that removed a resource of the type they prefer, bool[B, N]."""
    gone = before["resource_present"] & ~after["resource_present"]
    own = np.zeros(before["identity"].shape, dtype=np.bool_)
    for game, i in np.argwhere(gone):
        digger = after["resource_claimant"][game, i]
        own[game, digger] |= before["resource_type"][game, i] == before["preference"][game, digger]
    return own


@settings(max_examples=12, deadline=None)
@given(
    task=st.sampled_from(GRIDS),
    seed=st.integers(0, 2**32),
    followers=st.integers(1, 8),
    walls=st.integers(0, 2**32),
    noise=st.sampled_from([0.0, 0.5, 1.0]),
    keep=st.sampled_from([0.0, 0.9]),
)
def test_invariants_of_any_play(task: str, seed: int, followers: int, walls: int, noise: float, keep: float) -> None:
    wall = np.random.default_rng(walls).random((9, 8)) < 0.2
    wall[[0, -1], :] = wall[:, [0, -1]] = True
    text = "\n".join("".join(" #"[int(cell)] for cell in line) for line in wall)
    env = make(task, num_envs=4, map=text, num_followers=followers, num_resources=8, noise=noise, horizon=25)
    seen, _ = env.reset(seed=seed)
    before = env.state()
    check_state(before, seen, wall)
    for offers in offer_stream(env, 26, seed % 100, keep):
        seen, *_, info = env.step(offers)
        after = env.state()
        check_state(after, seen, wall)
        claimed = before["resource_claimant"] >= 0
        assert (after["resource_claimant"] == before["resource_claimant"])[claimed].all(), "a claim is for good"
        assert not (after["resource_present"] & ~before["resource_present"]).any()
        assert (after["resource_claimant"][before["resource_present"] & ~after["resource_present"]] >= 0).all()
        moved = np.abs(after["position"] - before["position"]).sum(-1)
        assert (moved == (moved > 0)).all()
        assert (info["follower_action"][moved > 0] == 0).all()
        same(after["identity"], before["identity"])
        before = after


def check_state(state: Any, seen: Any, wall: NDArray[np.bool_]) -> None:
    """What holds in every state of a game, and what the leader sees of it."""
    for b in range(len(state["step"])):
        game = row(state, b)
        present = game["resource_present"]
        cells = [tuple(cell) for cell in [*game["position"].tolist(), *game["resource_position"][present].tolist()]]
        assert len(set(cells)) == len(cells), "two in a cell"
        assert not any(wall[cell] for cell in cells), "in a wall"
        assert len(set(game["identity"].tolist())) == len(game["identity"])
        free = present & (game["resource_claimant"] < 0)
        same(seen["available"][b], np.bincount(game["resource_type"][free], minlength=seen["available"].shape[1]))
        assert game["done"] == (not present.any() or game["step"] == 25)
    assert (state["committed"] >= state["contract_running"]).all()
    assert (state["contract_age"] <= state["step"][:, None]).all()
    assert (state["contract_age"][~state["contract_running"]] == 0).all()
    assert (state["offer"][state["committed"]] >= 0).all()
    here = state["resource_present"]
    same(seen["resource_type"], np.where(here, state["resource_type"], -1))
    same(seen["resource_claimant"], np.where(here, state["resource_claimant"], -1))
    same(seen["resource_position"], np.where(here[..., None], state["resource_position"], -1))
    for name in ("identity", "position", "heading", "offer", "committed", "contract_running", "contract_age", "step"):
        same(seen[name], state[name])
