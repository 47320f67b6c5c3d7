"""Pictures and films of episodes. Needs no window; knows states and parameters, not environments.

Names are imported when they are first used: environments describe games as text without a drawing library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paymaster.rendering.film import write_film
    from paymaster.rendering.frame import draw_frame
    from paymaster.rendering.record import EpisodeRecord, Step

__all__ = ["EpisodeRecord", "Step", "draw_frame", "write_film"]

_MODULES = {"EpisodeRecord": "record", "Step": "record", "draw_frame": "frame", "write_film": "film"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
