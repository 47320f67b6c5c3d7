"""Scripted leaders that need no training: a sense of scale beside any leader that learns.

``random`` and ``fixed`` know nothing; ``nearest`` and ``nearest_hold`` see the planners' distances, as every leader
does; ``preference`` is told what followers prefer; ``told_lowest``, ``told_alone`` and ``full_information`` are told
all traits, and ``told_best`` is whichever of these gains most on the task. All are greedy: none is an upper bound
(:func:`paymaster.exact.upper_bound` is). One of one's own has an import path for a name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from paymaster.scripted.full_information import FullInformation, ToldAlone, ToldLowest
from paymaster.scripted.leaders import Fixed, Leader, Preference, Random
from paymaster.scripted.nearest import Nearest, NearestHold
from paymaster.scripted.told_best import ToldBest
from paymaster.validation.arguments import check_int
from paymaster.validation.imports import imported, is_import_path

__all__ = ["SCRIPTED", "Leader", "is_scripted_leader", "make_own", "make_scripted", "names_scripted"]

SCRIPTED: dict[str, Callable[[int], Leader]] = {
    "random": Random,
    "fixed": Fixed,
    "nearest": Nearest,
    "nearest_hold": NearestHold,
    "preference": Preference,
    "told_lowest": ToldLowest,
    "told_alone": ToldAlone,
    "full_information": FullInformation,
    "told_best": ToldBest,
}
"""Name -> scripted leader."""


def names_scripted(name: str) -> bool:
    """Tell whether a text names a scripted leader: one of :data:`SCRIPTED`, or the import path of one's own."""
    return name in SCRIPTED or is_import_path(name)


def make_scripted(name: str, seed: int = 0) -> Leader:
    """Make a scripted leader.

    Args:
        name: one of :data:`SCRIPTED`, or ``module:Class`` of one's own (:class:`Leader`).
        seed: of its draws; a class that takes no argument is made without.

    Raises:
        ValueError: an unknown name, or what cannot be imported.
        TypeError: what is imported is no scripted leader.
    """
    if not names_scripted(name):
        raise ValueError(f"reference: expected one of {', '.join(SCRIPTED)}, module:Class, got {name!r:.80}")
    seed = check_int("seed", seed, 0, 2**64 - 1)
    return SCRIPTED[name](seed) if name in SCRIPTED else make_own(imported("leader", name), seed, name)


def is_scripted_leader(kind: object) -> bool:
    """Tell whether a class is that of a scripted leader, which makes offers and does not learn."""
    return isinstance(kind, type) and hasattr(kind, "offers") and not hasattr(kind, "update")


def make_own(kind: Any, seed: int, name: str) -> Leader:
    """Make a scripted leader of one's own; arguments and errors as of :func:`make_scripted`."""
    if isinstance(kind, type) and hasattr(kind, "update"):
        raise TypeError(
            f"leader: expected a scripted leader, got {name!r:.80}, which learns: train it (paymaster train TASK "
            f"--leader {name}), then name its run directory"
        )
    made = kind
    wanted = "leader: expected a class with start(env) and offers(env, observation), which takes a seed or nothing,"
    if callable(kind):
        arguments = next((one for one in ((seed,), ()) if _takes(kind, one)), None)
        if arguments is None:
            raise TypeError(f"{wanted} got {name!r:.80}, which takes {inspect.signature(kind)}")
        try:
            made = kind(*arguments)
        except Exception as error:
            if isinstance(kind, type):
                raise  # what goes wrong in a leader is its own to say
            raise TypeError(
                f"{wanted} or a function that makes one, got {name!r:.80}, which raises {type(error).__name__}: {error}"
            ) from error
    if not isinstance(made, Leader):
        raise TypeError(f"{wanted} got {name!r:.80}")
    return made


def _takes(kind: Any, arguments: tuple[Any, ...]) -> bool:
    try:
        inspect.signature(kind).bind(*arguments)
    except TypeError:
        return False
    return True
