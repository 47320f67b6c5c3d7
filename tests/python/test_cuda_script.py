"""`bench/cuda.sh`, which is to run once on a GPU and may then not fail: its dry run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "bench" / "cuda.sh"


@pytest.mark.slow
def test_a_dry_run_writes_the_whole_table(tmp_path: Path) -> None:
    table = tmp_path / "table.md"
    environment = {**os.environ, "PYTHON": sys.executable}
    subprocess.run(["bash", SCRIPT, "--dry-run", "--out", table], env=environment, check=True, timeout=600)
    text = table.read_text()
    assert text.startswith("# Dry run on the CPU")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Beside torch on the CPU in float64",
        "## Trainings",
        "## Episodes per second, one process",
        "## Where the CPU waits for the GPU, 8 games",
        "## CUDA graphs",
        "## Seeds side by side, 32 games an update each",
    ]
    assert "\nNo failures; " in text
    assert "time was up" not in text
