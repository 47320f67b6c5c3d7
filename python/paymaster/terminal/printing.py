"""Text for people: lines as they are, and tables that fit a terminal without cutting a number."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from textwrap import wrap
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["UNLIMITED", "TableLayout", "encodable", "print_layout", "print_table", "printable", "say"]

UNLIMITED: Final = 100_000
"""Columns of a pipe or file, which need not fit anything."""

_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_LEAST_NAME = 12  # columns of the first column, which may be folded, in a table
_BOXES: Final = {**dict.fromkeys("─━═", "-"), **dict.fromkeys("│┃║", "|"), **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼", "+")}
_IN_ASCII: Final = {"±": "+/-", "…": "...", "·": "|", "•": "*", "–": "-", "—": "-", "×": "x", **_BOXES}  # noqa: RUF001


def encodable(text: str, encoding: str | None) -> str:
    """Return ``text`` in characters that ``encoding`` has: "±" may become "+/-", what nobody can write "\\udc80"."""
    encoding = encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        for sign, plain in _IN_ASCII.items():
            text = text.replace(sign, plain)
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    return text


def printable(text: str) -> str:
    """Return ``text`` in one line that does nothing to a terminal: a line break as "\\n", ESC as "\\x1b", ...

    Text from a user, such as a path, may hold anything; so all that is printed goes through here. Marks that turn the
    direction of writing and halves of surrogate pairs are escaped too.
    """
    return _UNPRINTABLE.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def say(console: Console, text: str) -> None:
    """Print text as it is: no markup, no colours; broken between words where the terminal ends, never within one."""
    for line in map(printable, encodable(text, console.encoding).split("\n")):
        whole = len(line) <= console.width
        for part in [line] if whole else wrap(line, console.width, break_long_words=False, break_on_hyphens=False):
            console.print(Text(part), soft_wrap=True)


def print_table(
    console: Console, title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str = ""
) -> None:
    """Print a table, or, on a terminal too narrow for it, a block of lines for each row.

    The first column names the row and may be folded; no other is ever cut or folded.

    Args:
        console: where to.
        title: stands above it.
        headings: of the columns; a long one has its line breaks in it.
        rows: a cell a column.
        caption: stands below it.
    """
    print_layout(console, title, TableLayout(headings, rows), caption)


def print_layout(console: Console, title: str, layout: TableLayout, caption: str = "") -> None:
    """Print a table between its title and its caption."""
    console.print(Text(encodable(printable(title), console.encoding), style="bold"))
    layout.print(console)
    if caption:
        console.print(Text(encodable(caption, console.encoding), style="dim"))


class TableLayout:
    """What a table shows; the first column names the rows.

    Args:
        headings: of the columns.
        rows: a cell a column.
    """

    def __init__(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self._headings, self._rows = headings, rows

    def fits(self, console: Console) -> bool:
        """Whether the table has room, with its first column folded if need be."""
        headings, rows = self._encoded(console)
        names = [len(row[0]) for row in rows] + [len(headings[0])]
        spare = max(max(names) - _LEAST_NAME, 0)
        unlimited = console.options.update(max_width=sys.maxsize)
        return console.measure(_table(headings, rows), options=unlimited).maximum - spare <= console.width

    def print(self, console: Console) -> None:
        """The table where it fits, else a block a row."""
        headings, rows = self._encoded(console)
        if self.fits(console):
            console.print(_table(headings, rows))
            return
        for row in rows:
            for line in _block(headings, row, console.width):
                console.print(Text(line), soft_wrap=True)

    def _encoded(self, console: Console) -> tuple[list[str], list[list[str]]]:
        headings = [encodable(heading, console.encoding) for heading in self._headings]
        return headings, [[encodable(printable(cell), console.encoding) for cell in row] for row in self._rows]


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table()
    name, *measures = (Text(heading, overflow="fold") for heading in headings)
    table.add_column(name, overflow="fold")
    for measure in measures:
        table.add_column(measure, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _block(headings: Sequence[str], row: Sequence[str], width: int) -> list[str]:
    """A row's name, and below it a line a measure; the number on a line of its own where it has no room beside."""
    name, *labels = (heading.replace("\n", " ") for heading in headings)
    lines = [f"{name}: {row[0]}" if row[0].isdecimal() else row[0]]
    label, number = max(map(len, labels)), max(map(len, row[1:]))
    for heading, cell in zip(labels, row[1:], strict=True):
        if 2 + label + 2 + number <= width:
            lines.append(f"  {heading:<{label}}  {cell:>{number}}")
        elif 4 + len(cell) <= width:
            lines += [f"  {heading}", f"    {cell}"]
        else:  # several numbers
            lines += [f"  {heading}", *(f"    {part}" for part in cell.split("/"))]
    return lines
