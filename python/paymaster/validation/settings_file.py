"""TOML and JSON files that users write: a task of their own, the configuration of a run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from paymaster.validation.ranges import parse_json

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["is_settings_file", "read_settings"]

_LARGEST = 2**26  # bytes


def is_settings_file(name: str) -> bool:
    """Tell whether a name ends as that of a TOML or JSON file."""
    return name.lower().endswith((".toml", ".json"))


def read_settings(path: Path, argument: str) -> dict[str, Any]:
    """Read the entries of a TOML or JSON file, which its ending tells apart.

    Args:
        path: of the file.
        argument: that named it, for messages.

    Raises:
        ValueError: another ending, a file that cannot be read, is too large, or is no TOML or JSON object.
    """
    if not is_settings_file(path.name):
        raise ValueError(f"{argument}: expected a file that ends in .toml or .json, got {str(path)!r:.200}")
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise ValueError(f"{argument}: expected a file that can be read, got {str(path)!r:.200} ({error})") from None
    if len(data) > _LARGEST:
        raise ValueError(f"{path}: expected at most {_LARGEST:,} bytes, got more")
    if path.name.lower().endswith(".json"):
        entries = parse_json(data, str(path))
        if not isinstance(entries, dict):
            raise ValueError(f"{path}: expected an object, got another kind of JSON")
        return entries
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: expected TOML, got something else or a damaged file ({error})") from None
