"""Where runs go without `--out`: a name that says what is special about them, taken by one process alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count, takewhile
from pathlib import Path

from paymaster.storage.atomic import storage_errors
from paymaster.storage.run_directory import LOCK
from paymaster.training.config import TrainConfig

__all__ = ["begun_in", "claim", "default_name", "newest"]

_LONGEST = 120  # letters of a name; file systems have 255


def default_name(config: TrainConfig) -> str:
    """Return TASK-LEADER-seedS, with the settings and what differs from them and from the preset in between."""
    parts = [config.leader, *([] if config.settings == "tuned" else [config.settings])]
    for name, value in config.departures.items():
        said = hashlib.sha256(str(value).encode()).hexdigest()[:6] if name == "map" else value
        parts.append(f"{name.rpartition('.')[2] if name.startswith('learner.') else name}={said}")
    middle = "-".join(_safe(part) for part in parts)
    if len(middle) > _LONGEST:
        middle = f"{middle[: _LONGEST - 9]}-{hashlib.sha256(middle.encode()).hexdigest()[:8]}"
    return f"{_safe(config.task)}-{middle}-seed{config.seed}"


def claim(base: Path) -> Path:
    """Make the first directory of BASE, BASE-2, BASE-3, ... that nobody has made, and return it."""
    with storage_errors(base, "create the run directory"):
        base.parent.mkdir(parents=True, exist_ok=True)
        for candidate in _candidates(base):
            with suppress(FileExistsError):
                candidate.mkdir()  # of several processes one succeeds
                return candidate
    raise AssertionError("there is always another number")


def newest(base: Path) -> Path:
    """Return the last directory of BASE, BASE-2, BASE-3, ... that is there, for ``--resume``.

    Raises:
        ValueError: none is.
    """
    found = list(takewhile(Path.exists, _candidates(base)))
    if not found:
        runs = sorted(path.name for path in base.parent.glob("*") if path.is_dir())
        there = f"; {base.parent} holds {', '.join(runs[:5])}{', ...' if len(runs) > 5 else ''}" if runs else ""
        raise ValueError(f"resume: expected a run in {base}, got none; name another with --out{there}")
    return found[-1]


@contextmanager
def begun_in(bases: Sequence[Path], *, numbered: bool) -> Iterator[list[Path]]:
    """Give directories for runs; on an error take back those that did not exist and in which no run was begun.

    Args:
        bases: the directories; with ``numbered`` the first ones of BASE, BASE-2, ... that are free, made at once.
        numbered: whether they are.
    """
    above = {parent for base in bases for parent in base.parents if not parent.exists()}
    fresh = [] if numbered else [base for base in bases if not base.exists()]
    try:
        if numbered:
            for base in bases:
                fresh.append(claim(base))  # noqa: PERF401 (those made before one fails are taken back)
        yield fresh if numbered else list(bases)
    except BaseException:
        for path in fresh:
            with suppress(OSError):
                if all(entry.name == LOCK for entry in path.iterdir()):
                    (path / LOCK).unlink(missing_ok=True)
                    path.rmdir()
        for parent in sorted(above, key=lambda path: len(path.parts), reverse=True):
            with suppress(OSError):  # others are in it
                parent.rmdir()
        raise


def _candidates(base: Path) -> Iterator[Path]:
    yield base
    for number in count(2):
        yield base.with_name(f"{base.name}-{number}")


def _safe(part: str) -> str:
    """Letters that every file system and shell takes."""
    return re.sub(r"[^A-Za-z0-9_.=+-]+", "-", part).strip("-")
