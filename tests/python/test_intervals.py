"""The 95 % interval of a mean, against quantiles known to 12 digits."""

import json
import math

import numpy as np
import pytest

from paymaster.analysis.intervals import Interval, mean_ci95


@pytest.mark.parametrize(
    ("degrees", "quantile"),
    [
        (1, 12.7062047361747),
        (2, 4.30265272974946),
        (4, 2.77644510519779),
        (29, 2.0452296421327),
        (120, 1.97993040508244),
        (999, 1.96234146113345),
    ],
)
def test_half_width_is_the_quantile_of_975_in_standard_errors(degrees: int, quantile: float) -> None:
    samples = np.arange(degrees + 1.0)
    standard_error = samples.std(ddof=1) / math.sqrt(len(samples))
    assert mean_ci95(samples).half_width == pytest.approx(quantile * standard_error, rel=1e-12)


def test_interval_of_a_worked_example() -> None:
    # s² = 10 / 4 = 2.5, so the half width is 2.776445105 · √(2.5 / 5).
    interval = mean_ci95([1, 2, 3, 4, 5])
    half = 2.77644510519779 * math.sqrt(0.5)
    assert (interval.mean, interval.n) == (3.0, 5)
    assert interval.low == pytest.approx(3 - half, rel=1e-12)
    assert interval.high == pytest.approx(3 + half, rel=1e-12)
    assert f"{interval:.1f}" == "3.0 ± 2.0"
    assert interval.to_json() == {"mean": 3.0, "ci95": [interval.low, interval.high]}


def test_interval_holds_the_true_mean_in_95_of_100_samples() -> None:
    rng = np.random.default_rng(0)
    intervals = [mean_ci95(rng.normal(7.0, 3.0, size=5)) for _ in range(4000)]
    share = np.mean([i.low <= 7.0 <= i.high for i in intervals])
    assert abs(share - 0.95) < 0.014  # four standard errors


def test_one_sample_has_no_interval() -> None:
    interval = mean_ci95([4.5])
    assert interval.mean == 4.5
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)
    assert json.dumps(interval.to_json(), allow_nan=False) == '{"mean": 4.5, "ci95": [null, null]}'
    assert str(interval) == "4.50"


def test_equal_samples_have_an_interval_of_no_width() -> None:
    assert mean_ci95(np.full((3, 4), 2.0)) == Interval(2.0, 2.0, 2.0, 12)


def test_refuses_no_samples_and_samples_that_are_not_finite() -> None:
    with pytest.raises(ValueError, match="at least one"):
        mean_ci95([])
    with pytest.raises(ValueError, match=r"nan at index 1 \(2 such\)"):
        mean_ci95([1.0, math.nan, math.inf])
