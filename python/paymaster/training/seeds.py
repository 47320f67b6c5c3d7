"""Seeds of training games and of evaluation games: two ranges of integers without a number in common.

A game follows from a seed, so an evaluation that could be given a training run's seed would replay what the leader has
learned from. Training takes seeds below 10^9; whatever is evaluated plays with its seed plus 1,000,000,007.
"""

from __future__ import annotations

from typing import Final

from paymaster.validation.arguments import check_int

__all__ = ["EVALUATION_SEED", "TRAINING_SEEDS", "WHILE_TRAINING", "evaluation_seed"]

TRAINING_SEEDS: Final = 10**9
"""All seeds of training are below it."""

EVALUATION_SEED: Final = 1_000_000_007
"""Added to the seed an evaluation is given."""

WHILE_TRAINING: Final = 2**61
"""Seed of the evaluations while training: what is chosen by them can still be evaluated on other games."""

_HIGHEST = 2**62  # so that what is added to it, here and by those who ask, stays below 2^63


def evaluation_seed(seed: int) -> int:
    """The seed of the games of an evaluation that was given ``seed``.

    Raises:
        ValueError, TypeError: it is no whole number in [0, 2^62].
    """
    return check_int("seed", seed, 0, _HIGHEST) + EVALUATION_SEED
