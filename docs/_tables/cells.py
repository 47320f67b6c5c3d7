"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from paymaster.terminal.markdown import markdown_table


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return the lines of a table."""
    return markdown_table(head, rows).splitlines()
