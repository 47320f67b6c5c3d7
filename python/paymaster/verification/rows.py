"""Rows: what was measured of a run, in a small file of JSON each, ``OUT/rows/KEY.json``, with a digest of itself."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Interval

from paymaster.reproduction.rows import check_key, row_path, store_sealed
from paymaster.reproduction.specs import key_of
from paymaster.storage.atomic import storage_errors
from paymaster.storage.sealed import read_json
from paymaster.validation.ranges import from_json

__all__ = ["LearnedRow", "read_row", "row_path", "write_row"]


@dataclass(frozen=True)
class LearnedRow:
    """Of a run: its configuration, the commit that trained it, and means per episode of its evaluation.

    Attributes:
        key: of the run, which follows from ``config``.
        name: for people.
        commit: of the checkout; None of an installed package.
        config: as ``config.json`` holds it.
        net: the leader's return.
        welfare: everybody's rewards together; payments cancel out.
        payments: bonuses paid.
        episodes: of the evaluation.
    """

    key: str
    name: str
    commit: str | None
    config: dict[str, Any]
    net: float
    welfare: float
    payments: Annotated[float, Ge(0)]
    episodes: Annotated[int, Interval(ge=1, lt=2**62)]


def read_row(out: Path, key: str) -> LearnedRow | None:
    """Return a row; None where there is none.

    Raises:
        ValueError: the file is damaged, or the row is another's; names the field.
        RunDirectoryError: it cannot be read.
    """
    path = row_path(out, key)
    with storage_errors(path, "read"):
        if not path.is_file():
            return None
        stored = read_json(path)
    row = from_json(LearnedRow, stored, str(path))
    check_key(key, row.key, key_of(row.config), str(path))
    return row


def write_row(out: Path, row: LearnedRow) -> None:
    """Write a row, at once or not at all. Raises RunDirectoryError where it cannot be written."""
    store_sealed(row_path(out, row.key), dataclasses.asdict(row))
