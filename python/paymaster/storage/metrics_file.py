"""`metrics.jsonl`: one JSON object per line and update, ascending in `episode`.

Rows hold what follows from the seed alone, no times, so that the file of a run that was killed and continued
equals that of an unbroken one, byte for byte.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any

from paymaster.storage.atomic import JSON, RunDirectoryError, storage_errors, write_bytes
from paymaster.storage.checkpoint_format import MetricsMark
from paymaster.validation.ranges import parse_json

METRICS = "metrics.jsonl"


class MetricsFile:
    """The one writer of a metrics file."""

    def __init__(self, path: Path) -> None:
        """Write to `path`; the file is made at the first row."""
        self.path = path
        self._file: FileIO | None = None
        self._last = -1
        self._length, self._digest = 0, hashlib.sha256()  # of the content

    def append(self, episode: int, metrics: Mapping[str, JSON]) -> None:
        """Append the row `{"episode": episode, **metrics}`; at return the system has the whole line.

        NaN and infinities become null, as JSON has no word for them; NumPy's numbers become plain ones.

        Raises:
            ValueError: `episode` is not above the last row's, or `metrics` has an entry `episode`.
            TypeError: a value is not JSON.
            RunDirectoryError: it could not be written; the file is then as it was.
        """
        if episode <= self._last:
            raise ValueError(f"episode: expected more than the last row's {self._last}, got {episode}")
        if "episode" in metrics:
            raise ValueError("metrics: the entry 'episode' is given by the argument episode")
        row = {"episode": int(episode)} | {name: _finite(value) for name, value in metrics.items()}
        line = (json.dumps(row, allow_nan=False) + "\n").encode()
        with storage_errors(self.path, "append to"):
            _write_whole(self._open(), line)
        self._last = episode
        self._take(line)

    def truncate(self, episode: int) -> None:
        """Drop the rows after `episode`, and a line torn by a kill, all at once or not at all.

        Raises:
            RunDirectoryError: the file cannot be read or written, or a line other than the last is no row.
        """
        self.close()
        if self.path.exists():
            kept = b"".join(line + b"\n" for line, row in _lines(self.path) if row["episode"] <= episode)
            if kept != self.path.read_bytes():
                write_bytes(self.path, kept)
        self._last = episode

    def mark(self) -> MetricsMark:
        """Force the rows so far to the disk, and say which they are."""
        with storage_errors(self.path, "write"):
            if self._file is not None or self.path.exists():
                os.fsync(self._open().fileno())
        return MetricsMark(self._length, self._digest.hexdigest())

    def close(self) -> None:
        """Close the file; a later `append` opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> FileIO:
        if self._file is None:
            self._file = open(self.path, "a+b", buffering=0)  # noqa: SIM115 (closed by close())
            self._length, self._digest = 0, hashlib.sha256()
            self._take(_beginning(self.path))
        return self._file

    def _take(self, content: bytes) -> None:
        self._length += len(content)
        self._digest.update(content)


def check_mark(path: Path, mark: MetricsMark, since: str) -> None:
    """Check that a metrics file begins with the rows that it had when :meth:`MetricsFile.mark` was called.

    Args:
        path: of the file.
        mark: what was returned.
        since: when that was, for the message.

    Raises:
        RunDirectoryError: rows are missing or were changed, or the file cannot be read.
    """
    with storage_errors(path, "read"):
        content = _beginning(path, mark.bytes) if path.exists() else b""
    if len(content) < mark.bytes:
        found = f"{len(content)} bytes: rows were cut off" if path.exists() else "no file"
        problem = f"bytes: expected at least {mark.bytes} as {since}, got {found}"
    elif (digest := hashlib.sha256(content).hexdigest()) != mark.sha256:
        problem = (
            f"sha256: expected {mark.sha256[:16]}... of the first {mark.bytes} bytes as {since}, got "
            f"{digest[:16]}...: rows were changed or removed, or are another run's"
        )
    else:
        return
    raise RunDirectoryError(f"{path}: {problem}. Put the file back as it was, or start the run anew (--out).")


def read_metrics(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """The rows of a metrics file, also while it is being written; a torn last line is left out.

    Raises:
        RunDirectoryError: it is missing, unreadable, or a line other than the last is no row.
    """
    return [row for _, row in _lines(Path(path))]


def _lines(path: Path) -> list[tuple[bytes, dict[str, Any]]]:
    with storage_errors(path, "read"):
        *whole, rest = path.read_bytes().split(b"\n")
    lines: list[tuple[bytes, dict[str, Any]]] = []
    for number, line in enumerate(whole, start=1):
        row, last = _row(line), lines[-1][1]["episode"] if lines else -1
        if row is None or row["episode"] <= last:
            raise RunDirectoryError(
                f"cannot read {path}: expected a JSON object with a whole number `episode` above {last}, and a number "
                f"as its `gain`, in line {number}, got {line[:60]!r}. Put the file back as it was."
            )
        lines.append((line, row))
    if (row := _row(rest)) is not None:  # only the newline is missing
        lines.append((rest, row))
    return lines


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = parse_json(line, METRICS)
    except ValueError:
        return None
    if not isinstance(row, dict) or type(row.get("episode")) is not int or not 0 <= row["episode"] < 2**62:
        return None
    return row if row.get("gain") is None or type(row["gain"]) in (int, float) else None


def _beginning(path: Path, most: int = 2**62) -> bytes:
    """The first bytes of a file, so many or all there are."""
    with open(path, "rb") as file:
        return file.read(min(most, os.fstat(file.fileno()).st_size))


def _write_whole(file: FileIO, line: bytes) -> None:
    """All of the line or, on an error such as a full disk, nothing of it."""
    before = file.seek(0, os.SEEK_END)
    try:
        while line:
            line = line[file.write(line) or 0 :]
    except OSError:
        with suppress(OSError):
            file.truncate(before)
        raise


def _finite(value: Any) -> Any:
    if hasattr(value, "tolist"):  # NumPy arrays and numbers, tensors
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_finite(item) for item in value]
    return value
