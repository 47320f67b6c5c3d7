"""Statistics over seeds against `rliable`, of the authors of the paper that proposes them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from paymaster.analysis.bootstrap import (
    Estimate,
    bootstrap,
    improvement,
    interquartile_mean,
    mean,
    probability_of_improvement,
)

REPETITIONS = 2_000


def scores(seeds: int, tasks: int, seed: int, shift: float = 0.0) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    rng = np.random.default_rng(seed)
    return rng.normal(np.linspace(0.5, 1.5, tasks) + shift, 0.3, size=(seeds, tasks)).round(2)  # rounded: ties


@pytest.mark.parametrize(("seeds", "tasks"), [(1, 1), (2, 1), (5, 1), (5, 4), (7, 3)])
def test_points_equal_those_of_rliable(seeds: int, tasks: int) -> None:
    metrics = pytest.importorskip("rliable.metrics")
    x, y = scores(seeds, tasks, 0), scores(seeds, tasks, 1, 0.1)
    assert interquartile_mean(x) == pytest.approx(metrics.aggregate_iqm(x))
    assert mean(x) == pytest.approx(metrics.aggregate_mean(x))
    assert probability_of_improvement(x, y) == pytest.approx(metrics.probability_of_improvement(x, y))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:random_state is deprecated:FutureWarning")  # rliable hands one to arch
def test_intervals_are_those_of_rliable() -> None:
    """Other draws, the same distribution: ends agree to 6 % of the width."""
    library, metrics = pytest.importorskip("rliable.library"), pytest.importorskip("rliable.metrics")
    x, y = scores(5, 4, 2), scores(5, 4, 3, 0.1)
    state = np.random.RandomState(0)
    _, ends = library.get_interval_estimates(
        {"x": x},
        lambda some: np.array([metrics.aggregate_mean(some), metrics.aggregate_iqm(some)]),
        reps=REPETITIONS,
        random_state=state,
    )
    for at, statistic in enumerate((mean, interquartile_mean)):
        found = bootstrap(x, statistic, repetitions=REPETITIONS)
        low, high = ends["x"][:, at]
        assert (found.low, found.high) == pytest.approx((low, high), abs=0.06 * (high - low))
    _, ends = library.get_interval_estimates(
        {"x": (x, y)}, metrics.probability_of_improvement, reps=REPETITIONS, random_state=state
    )
    found = improvement(x, y, repetitions=REPETITIONS)
    low, high = ends["x"][:, 0]
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.04)  # few values are possible


def test_by_hand() -> None:
    assert interquartile_mean(np.array([[1.0], [2.0], [4.0], [100.0]])) == 3.0
    assert probability_of_improvement(np.array([[1.0], [3.0]]), np.array([[1.0], [2.0]])) == (0.5 + 0 + 1 + 1) / 4


def test_the_same_numbers_each_time_and_no_interval_of_one_seed() -> None:
    x = scores(5, 2, 4)
    assert bootstrap(x) == bootstrap(x)
    assert bootstrap(x, seed=1) != bootstrap(x)
    alone = bootstrap([3.0])
    assert alone.value == 3.0 and math.isnan(alone.low) and f"{alone:.1f}" == "3.0"
    assert f"{Estimate(1.0, 0.5, 2.0):.1f}" == "1.0 [0.5, 2.0]"
    assert math.isnan(improvement([1.0], [1.0, 2.0]).low)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="scores: expected an array"):
        bootstrap([])
    with pytest.raises(ValueError, match="scores: expected finite numbers, got nan"):
        bootstrap([1.0, float("nan")])
    with pytest.raises(ValueError, match="y: expected 2 tasks as in x, got 1"):
        improvement(np.ones((3, 2)), np.ones((3, 1)))
