"""Plays and draws the episode that the pages show, so that the film is never older than the code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from paymaster.analysis.render import open_leader, render

FILM = "film.gif"


def _write(app: Sphinx) -> None:
    out = Path(app.srcdir) / "_generated" / FILM
    if out.exists():
        return
    out.parent.mkdir(exist_ok=True)
    env, leader, title = open_leader("full_information", "multi_bonus_resource_collection", 6)
    render(env, leader, title, out, width=960)


def setup(app: Sphinx) -> dict[str, Any]:
    """Has the film written before the pages are read."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
