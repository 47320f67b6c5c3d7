"""matplotlib as our pictures need it, whatever backend and style the program around asks for; left as it was found.

Import this before anything of matplotlib: its import fails where ``MPLBACKEND`` names a backend that is not there, as
that of a notebook in a process that the notebook has started. Our pictures are drawn by Agg, whose canvas they name.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from paymaster.storage.atomic import write_bytes

_backend = os.environ.pop("MPLBACKEND", None) if "matplotlib" not in sys.modules else None
try:
    import matplotlib
    import matplotlib.style
    from matplotlib.figure import Figure
finally:
    if _backend is not None:
        os.environ["MPLBACKEND"] = _backend
if _backend:
    with suppress(ValueError):
        matplotlib.rcParams["backend"] = _backend

__all__ = ["BLUE", "INK", "plain_style", "write_png"]

INK, BLUE = "#2b2f33", "#1b6ca8"  # of text and lines; of means

_lock = threading.Lock()


@contextmanager
def plain_style() -> Iterator[None]:
    """While this lasts matplotlib draws in its default style: no TeX, no fonts or sizes of a user's own."""
    with _lock, matplotlib.style.context("default"):  # the settings belong to the process
        yield


def write_png(figure: Figure, path: str | os.PathLike[str], **options: Any) -> None:
    """Write a picture into a file, which is replaced at once or not at all; ``options`` as of ``Figure.savefig``."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", **options)
    write_bytes(path, picture.getvalue())
