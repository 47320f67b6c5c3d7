"""A small part of the fuzz campaign (tests/fuzz/campaign.py); slow, some more; CI makes 20,000 calls."""

from __future__ import annotations

from random import Random

import pytest

from fuzz import api, snapshots
from rest_slow import rest_slow


@pytest.mark.filterwarnings("ignore")  # NumPy's and Gymnasium's, of hostile values
@pytest.mark.parametrize("part", rest_slow(range(10), lambda part: part < 2))
def test_hostile_calls_are_refused_or_played(part: int) -> None:
    for number in range(100 * part, 100 * (part + 1)):
        api.call(Random(f"test:api:{number}"))


@pytest.mark.parametrize("part", rest_slow(range(4), lambda part: part < 1))
def test_forged_snapshots_are_refused_or_legal(part: int) -> None:
    for number in range(100 * part, 100 * (part + 1)):
        snapshots.call(Random(f"test:snapshots:{number}"))
