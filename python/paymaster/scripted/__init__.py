"""Scripted leaders that need no training: a sense of scale beside any leader that learns.

``random`` and ``fixed`` know nothing, ``preference`` sees what followers prefer, ``full_information`` sees all
traits and the planners' distances. The last is a greedy search, not an upper bound.
"""

from __future__ import annotations

from collections.abc import Callable

from paymaster.scripted.full_information import FullInformation
from paymaster.scripted.leaders import Fixed, Leader, Preference, Random
from paymaster.validation.arguments import check_int

__all__ = ["SCRIPTED", "Leader", "make_scripted"]

SCRIPTED: dict[str, Callable[[int], Leader]] = {
    "random": Random,
    "fixed": Fixed,
    "preference": Preference,
    "full_information": FullInformation,
}
"""Name -> scripted leader."""


def make_scripted(name: str, seed: int = 0) -> Leader:
    """The scripted leader of that name. Raises ValueError for an unknown one."""
    if name not in SCRIPTED:
        raise ValueError(f"reference: expected one of {', '.join(SCRIPTED)}, got {name!r:.80}")
    return SCRIPTED[name](check_int("seed", seed, 0, 2**64 - 1))
