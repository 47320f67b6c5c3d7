"""What the tests of the command line share: a folder of its own for each, and the one line of an error."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from annotated_types import Ge, GroupedMetadata, Gt, Le, Lt

from paymaster.commands.main import main

__all__ = ["SMALL", "TASK", "error_of", "own_folder", "settings_of"]

TASK = "resource_collection"
SMALL = ["--episodes", "16", "--num-envs", "8", "--hidden", "8", "--evaluate", "0"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test in an empty folder."""
    monkeypatch.chdir(tmp_path)


def error_of(args: list[str], capsys: pytest.CaptureFixture[str], status: int = 2) -> str:
    """Return the one line of an error; nothing is left behind."""
    before = sorted(Path().rglob("*"))
    assert main(args) == status
    printed = capsys.readouterr().err
    assert printed.startswith("paymaster: error: ") and printed.count("\n") == 1 and "Traceback" not in printed
    assert sorted(Path().rglob("*")) == before
    return printed.removeprefix("paymaster: error: ").rstrip()


def settings_of(kind: Any, prefix: str = "") -> Iterator[tuple[str, Any, list[Any]]]:
    """Every number of a dataclass and of those in it: name, type, limits."""
    for name, declared in get_type_hints(kind, include_extras=True).items():
        notes: list[Any] = []
        inner = declared
        while get_args(inner):
            notes += getattr(inner, "__metadata__", ())
            inner = get_args(inner)[0]
        if dataclasses.is_dataclass(inner):
            yield from settings_of(inner, "" if name in ("parameters", "config") and not prefix else f"{prefix}{name}.")
        elif inner in (int, float):
            flat = [one for note in notes for one in (note if isinstance(note, GroupedMetadata) else [note])]
            yield f"{prefix}{name}", inner, [one for one in flat if isinstance(one, Ge | Gt | Le | Lt)]
