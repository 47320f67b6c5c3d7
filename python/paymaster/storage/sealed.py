"""Files that carry a SHA-256 of themselves: of all their bytes, with zeros in place of the digest's own 64 characters.

The digest is the first entry of the file's JSON, ``"sha256": "..."``, so that it stands among the first bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from paymaster.storage.atomic import JSON
from paymaster.validation.ranges import from_json, parse_json

__all__ = ["BLANK", "check_seal", "open_json", "read_json", "seal", "sealed_json"]

BLANK = "0" * 64
"""Stands for the digest until :func:`seal` writes it."""

_LARGEST = 2**26  # bytes of JSON
_BEGINNING = 256  # bytes in which the digest begins
_NUMBERS = re.compile(r"\[\n\s+((?:[-+.\deE]+,?\s+)+)\]")  # a list; text in JSON has no line's end
_ENTRY = re.compile(rb'sha256\\?": ?\\?"([0-9a-f]{64})\\?"')  # within text in JSON, quotes have a backslash


def seal(data: bytes) -> bytes:
    """Put the digest of ``data`` in place of its :data:`BLANK`."""
    at = data.index(BLANK.encode(), 0, _BEGINNING + len(BLANK))
    return data[:at] + hashlib.sha256(data).hexdigest().encode() + data[at + len(BLANK) :]


def check_seal(data: bytes, where: str) -> None:
    """Check that ``data`` is what :func:`seal` returned.

    Raises:
        ValueError: it carries no digest, or that of other content.
    """
    found = _ENTRY.search(data, 0, _BEGINNING + 128)
    if found is None:
        raise ValueError(f"{where}: sha256: expected a digest at the beginning, got some other file or a damaged one")
    blank = data[: found.start(1)] + BLANK.encode() + data[found.end(1) :]
    digest = hashlib.sha256(blank).hexdigest()
    if digest.encode() != found[1]:
        raise ValueError(
            f"{where}: sha256: expected {found[1].decode()[:16]}..., got {digest[:16]}... of its content: "
            "it was damaged or changed by hand"
        )


def sealed_json(value: Mapping[str, JSON]) -> bytes:
    """A JSON object as the content of a file, with its digest.

    Raises:
        ValueError: a NaN or an infinity, which JSON has no word for. TypeError: something else that is no JSON.
    """
    text = json.dumps({"sha256": BLANK, **value}, indent=2, allow_nan=False)
    text = _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text)  # in a line
    return seal((text + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file that holds what :func:`sealed_json` returned.

    Raises:
        ValueError: as for :func:`open_json`, or it is too large for a file of ours. OSError: it cannot be read.
    """
    size = path.stat().st_size
    if size > _LARGEST:
        raise ValueError(f"{path}: expected at most {_LARGEST:,} bytes, got {size:,}: some other file")
    return open_json(path.read_bytes(), str(path))


def open_json(data: bytes, where: str) -> dict[str, Any]:
    """The object that :func:`sealed_json` was given, checked to be unchanged.

    Raises:
        ValueError: as for :func:`check_seal` and :func:`~paymaster.validation.ranges.parse_json`.
    """
    check_seal(data, where)
    value = from_json(dict[str, Any], parse_json(data, where), where)
    value.pop("sha256", None)
    return value
