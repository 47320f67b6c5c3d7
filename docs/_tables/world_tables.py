"""The table of mistakes that check_world finds: made, and asked."""

from __future__ import annotations

import sys
from pathlib import Path

from cells import table

import paymaster
from paymaster.testing import check_world

sys.path.append(str(Path(__file__).resolve().parents[2] / "tests"))
from own_worlds import FAULTS

SHOWN = ("Forgetful", "WrongShape", "TooFar", "Unskilled", "Restless")


def mistakes() -> list[str]:
    """Return what each of the faulty worlds does, and what is said of it."""
    shown = (world for world in FAULTS if world.__name__ in SHOWN)
    rows = [(str(world.__doc__).strip().rstrip("."), f"`{_error_of(world)}`") for world in shown]
    return table(("mistake", "error"), rows)


def _error_of(world: type[paymaster.World]) -> str:
    try:
        check_world(world)
    except paymaster.WorldError as error:
        return str(error).replace("`", "").replace("|", "\\|")
    raise AssertionError(f"{world.__name__}: expected an error, got none")


TABLES = {"mistakes": mistakes}
