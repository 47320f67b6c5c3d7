"""The rows of the real run, as the repository keeps them, can be read, and their keys follow from what was run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench_scripts import load
from paymaster.reproduction.rows import checked_row, read_row, write_row
from rest_slow import rest_slow

paper = load("paper")


@pytest.mark.parametrize("every", rest_slow([1, 10], {10}.__contains__))
def test_stored_rows_are_read_and_packed_to_the_same_lines(every: int, tmp_path: Path) -> None:
    lines = paper.stored()
    assert len(lines) > 800
    for number, (key, line) in list(enumerate(lines.items()))[::every]:
        checked_row(paper.whole(line), key, "a stored row")
        if number % 50 == 0:  # writing takes longer
            write_row(tmp_path, key, paper.whole(line))
            row, stored = read_row(tmp_path, key), json.loads(line)
            assert {name: row[name] for name in stored} == stored
            assert json.loads(paper.packed(tmp_path / "rows" / f"{key}.json")) == row
