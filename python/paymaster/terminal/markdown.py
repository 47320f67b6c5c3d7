"""Tables in Markdown, for reports and pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["markdown_table"]


def markdown_table(headings: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Return a table's lines, each with its line break."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)
