"""The arrows between the folders of the C++ core (CONTRIBUTING.md, "Where things are"), read off its includes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CORE = Path(__file__).parents[2] / "cpp"
MAY_INCLUDE = {
    "simd": {"simd"},
    "game": {"game"},
    "batch": {"batch", "game"},
    "features": {"features", "game"},
    "networks": {"networks", "simd"},
    "worlds/arrays": {"worlds/arrays", "game", "batch"},
    "worlds/grid": {"worlds/grid", "game", "batch", "simd"},
    "worlds/particles": {"worlds/particles", "game", "batch", "simd"},
    "tasks": {"tasks", "batch", "game", "worlds/grid", "worlds/particles"},
    "paymaster": {"paymaster", "tasks", "batch", "game"},  # what worlds elsewhere include: none of the package's own
}


def test_every_folder_has_its_arrows() -> None:
    folders = {str(file.parent.relative_to(CORE)) for file in CORE.rglob("*.?pp")}
    assert folders == {*MAY_INCLUDE, "bindings"}  # bindings may include all


@pytest.mark.parametrize("folder", MAY_INCLUDE)
def test_a_folder_includes_no_other_than_it_may(folder: str) -> None:
    for file in (CORE / folder).glob("*.?pp"):
        for include in re.findall(r'#include "([^"]+)"', file.read_text("utf-8")):
            assert include.rpartition("/")[0] in MAY_INCLUDE[folder], (file.name, include)
            assert (CORE / include).is_file() or (CORE / f"{include}.in").is_file(), (file.name, include)


@pytest.mark.parametrize("folder", ["worlds/grid", "worlds/particles"])
def test_only_a_worlds_games_know_batches(folder: str) -> None:
    """A world itself is played without: it knows bodies, moves, goals and routes."""
    for file in (CORE / folder).glob("*.?pp"):
        assert file.name == "games.cpp" or '#include "batch/' not in file.read_text("utf-8"), file.name
