"""`bench/instructions.py`: what it calls slower. Counting itself takes valgrind, and is done by `.ci/run`."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

import bench_scripts
import paymaster


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    return bench_scripts.load("instructions")


def test_more_than_five_percent_is_slower(bench: ModuleType) -> None:
    assert bench.risen({"a": 1050, "b": 1051, "c": 10}, {"a": 1000, "b": 1000, "c": 1000}) == ["b"]


def test_a_task_without_a_baseline_has_to_get_one(bench: ModuleType) -> None:
    assert bench.risen({"new": 1}, {"a": 1000}) == ["new"]


def test_every_baseline_has_every_task(bench: ModuleType) -> None:
    baselines = json.loads(bench.BASELINE.read_text())
    assert baselines
    for counts in baselines.values():
        assert set(counts) == set(bench.TASKS)
    assert {task.removesuffix(bench.PLAIN) for task in bench.TASKS} <= {task.name for task in paymaster.tasks()}


def test_the_compiler_is_read_from_cmake(bench: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "CMakeFiles" / "3.25.1"
    folder.mkdir(parents=True)
    (folder / "CMakeCXXCompiler.cmake").write_text(
        'set(CMAKE_CXX_COMPILER "/usr/bin/c++")\n'
        'set(CMAKE_CXX_COMPILER_ID "GNU")\nset(CMAKE_CXX_COMPILER_VERSION "12.2.0")\n'
        'set(CMAKE_CXX_COMPILER_VERSION_INTERNAL "")\n'
    )
    assert bench.compiler_of(tmp_path).startswith("GNU 12 ")
