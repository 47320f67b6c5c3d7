"""The leader's options: which of its offers run on, and which decisions start anew.

An option of follower k is (mu^k, beta^k) (paper Sec. 4.1): an offer runs on until beta ends it. Besides, an option may
be opened by rule: at t = 0, at fixed intervals, or when its offer has run its course. There the next offer is a draw
from mu unrestricted, the same offer included, and beta is not asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Interval
from torch import Tensor

__all__ = ["OptionRules", "held_offers"]


@dataclass(frozen=True)
class OptionRules:
    """When options are opened by rule.

    Attributes:
        interval: every so many steps, for all followers at once; 1 opens at every step ("w/o EBPG"), 0 never.
        natural_ends: when the offer has run its course: its contract was completed, the follower is not committed to
            it, or its goal can no longer be reached (``Episodes.ended``).
    """

    interval: Annotated[int, Interval(ge=0, le=999_999)] = 0
    natural_ends: bool = False


def held_offers(rules: OptionRules, previous: Tensor, ended: Tensor, step: int | Tensor) -> Tensor:
    """The offers whose options run on, int64 [..., N]: omega_{t-1}, or -1 where a new option starts.

    Args:
        rules: when options are opened.
        previous: omega_{t-1}, int64 [..., N].
        ended: the offer has run its course, bool [..., N].
        step: t, a number or int64 that broadcasts with ``previous``.
    """
    opened = previous < 0
    if rules.natural_ends:
        opened = opened | ended
    if rules.interval > 0:
        opened = opened | (torch.as_tensor(step, device=previous.device) % rules.interval == 0)
    return previous.masked_fill(opened, -1)
