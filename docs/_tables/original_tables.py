"""The table of options that only leaders as the original had them read."""

from __future__ import annotations

import dataclasses

from cells import table
from docstring_parser import parse

from paymaster.algorithms import ORIGINALS, OriginalLearning

COLUMNS = (("m3rl-original", "grid"), ("m3rl-original", "crafting"), ("ebpg-original", "grid"))
"""Leaders and worlds whose defaults are shown; the others as ebpg-original."""


def options() -> list[str]:
    """Return name, defaults and meaning of each option."""
    meanings = {part.args[-1]: str(part.description) for part in parse(str(OriginalLearning.__doc__)).meta if part.args}
    defaults = [dataclasses.asdict(ORIGINALS[name].original_in(world) or OriginalLearning()) for name, world in COLUMNS]
    rows = [
        (f"`--original.{name.replace('_', '-')}`", *(f"`{each[name]}`" for each in defaults), _line(meanings[name]))
        for name in defaults[0]
    ]
    return table(("option", "`m3rl-original`", "in Crafting", "the others", "meaning"), rows)


def _line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")


TABLES = {"options of leaders as the original had them": options}
