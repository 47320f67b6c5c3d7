"""The package and the reference side by side, compared in everything after every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .batch import Arrays, ReferenceBatch

SUMS = ("paid", "revenue", "budget_left", "share_left", "earned")
RESULTS = ("reward", "terminated", "truncated")
INFO = ("committed", "completed", "payment", "follower_reward", "follower_action")
FIELD = ("resource_position", "resource_claimant")  # of a resource that is gone, the observation says nothing


class Lockstep:
    """Step both with the same offers; `steps` counts the steps of games that were not over."""

    def __init__(
        self, make_vec: Callable[..., Any], task: str, num_envs: int, num_threads: int = 1, **parameters: Any
    ) -> None:
        self.real = make_vec(task, num_envs=num_envs, num_threads=num_threads, **parameters)
        self.reference = ReferenceBatch(task, num_envs, **parameters)
        self.steps = 0
        self._rng = np.random.default_rng(0)  # of answers
        self._before: Arrays = {}
        self._offers: NDArray[Any] | None = None

    def reset(self, seed: int | None = None) -> None:
        self._before, self._offers = {}, None
        expected, _ = self.reference.reset(seed=seed)
        got, _ = self.real.reset(seed=seed)
        self._compare_observation(expected, got)
        self._compare_state()

    def set_state(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._before, self._offers = {}, None
        self.reference.set_state(**arrays)
        self.real.set_state(**arrays)
        self._compare_state()

    def step(self, offers: NDArray[Any]) -> None:
        self._before, self._offers = self.reference.state(), offers
        self.steps += int(np.count_nonzero(~self._before["done"]))
        answers = None
        if self.reference.rules.followers == "meta":
            answers = self._answers(offers)
        observation, *results, info = self.reference.step(offers, answers)
        got_observation, *got_results, got_info = self.real.step(offers) if answers is None else self.real.act(answers)
        self._compare_observation(observation, got_observation)
        for name, expected, got in zip(RESULTS, results, got_results, strict=True):
            self._compare(name, expected, got)
        for name in (*INFO, *(["refused"] if self.reference.rules.limited else [])):
            self._compare(f"info {name}", info[name], got_info[name])
        self._compare_state()
        self.compare_statistics()

    def _answers(self, offers: NDArray[Any]) -> NDArray[Any]:
        """Show followers that learn their offers; random answers, two thirds of them what was offered."""
        playing, goals = ~self._before["done"], self.reference.rules.num_goals
        shown = np.array(self.real.offer(offers)["offered"])
        self._compare("offered", self.reference.shown(offers)[playing], shown[playing])
        other = self._rng.integers(goals + 1, size=offers.shape[:2])
        return np.where(self._rng.random(other.shape) < 0.67, offers[..., 0], other)  # G, "none", is "stop"

    def play_episode(self, offers: Any, steps: int) -> None:
        """Step with ``offers.next()`` until every game is over, or for `steps` steps."""
        for _ in range(steps):
            self.step(offers.next())
            if self.reference.state()["done"].all():
                return

    def compare_statistics(self) -> None:
        got = self.real.statistics.arrays()
        for name, array in self.reference.statistics.arrays().items():
            assert got[name].dtype == array.dtype, f"statistics {name}: {got[name].dtype}, not {array.dtype}"
            np.testing.assert_array_equal(got[name], array, err_msg=f"statistics {name}")

    def _compare_state(self) -> None:
        got = self.real.state()
        for name, array in self.reference.state().items():
            assert got[name].dtype == array.dtype, f"state {name}: {got[name].dtype}, not {array.dtype}"
            self._compare(f"state {name}", array, got[name])

    def _compare_observation(self, expected: Arrays, got: Mapping[str, NDArray[Any]]) -> None:
        gone = expected["resource_type"] == -1
        for name, array in expected.items():
            seen = np.array(got[name])
            if name in FIELD:
                seen[gone] = array[gone]
            self._compare(f"observation {name}", array, seen)

    def _compare(self, what: str, expected: NDArray[Any], got: Any) -> None:
        got = np.asarray(got)
        assert got.shape == expected.shape, f"{what}: shape {got.shape}, expected {expected.shape}"
        # Sums of real amounts are taken in another order.
        summed = (what == "reward" and self.reference.rules.own_objective) or what.split()[-1] in SUMS
        if np.array_equal(got, expected) or (summed and np.allclose(got, expected, rtol=1e-6, atol=1e-9)):
            return
        game = int(np.argwhere(got != expected)[0][0])
        lines = [f"{what} of game {game}: expected {expected[game].tolist()}, got {got[game].tolist()}"]
        lines += [f"  before: {name} = {array[game].tolist()}" for name, array in self._before.items()]
        if self._offers is not None:
            lines.append(f"  offers: {self._offers[game].tolist()}")
        lines.append(f"  rules: {self.reference.rules}")
        raise AssertionError("\n".join(lines))
