"""Reference leaders that need no training: a sense of scale beside any leader that learns.

``random`` and ``fixed`` know nothing, ``preference`` is told what followers prefer, ``full_information`` is told all
traits and the planners' distances. The last is a greedy search, not an upper bound.
"""

from __future__ import annotations

from typing import Any

from paymaster.scripted.full_information import FullInformation
from paymaster.scripted.leaders import Fixed, Preference, Random, ReferenceLeader
from paymaster.validation.arguments import check_int

__all__ = [
    "REFERENCES",
    "Fixed",
    "FullInformation",
    "Preference",
    "Random",
    "ReferenceLeader",
    "make_reference",
]

REFERENCES: dict[str, type[ReferenceLeader]] = {
    "random": Random,
    "fixed": Fixed,
    "preference": Preference,
    "full_information": FullInformation,
}
"""Name -> reference leader."""


def make_reference(name: str, seed: int = 0) -> ReferenceLeader:
    """The reference leader of that name. Raises ValueError for an unknown one."""
    if name not in REFERENCES:
        raise ValueError(f"reference: expected one of {', '.join(REFERENCES)}, got {name!r:.80}")
    leader: Any = REFERENCES[name]
    made: ReferenceLeader = leader(check_int("seed", seed, 0, 2**64 - 1))
    return made
