"""Plays and draws the episodes that the pages show, so that no film is older than the code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import paymaster
from paymaster.analysis.render import open_leader, render

SEED, WIDTH = 6, 960
EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def _write(app: Sphinx) -> None:
    sys.path.append(str(EXAMPLES))
    from taxi_world import Taxi

    paymaster.register("taxi", Taxi, num_goals=6)
    for task in paymaster.tasks():
        out = Path(app.srcdir) / "_generated" / f"{task.name}.gif"
        if not out.exists():
            out.parent.mkdir(exist_ok=True)
            env, leader, title = open_leader("full_information", task.name, SEED)
            render(env, leader, title, out, width=WIDTH)


def setup(app: Sphinx) -> dict[str, Any]:
    """Has the films written before the pages are read."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
