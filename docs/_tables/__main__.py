"""Writes the tables and the code that README and the documentation show: `python docs/_tables`.

A table stands between two comments in a page. A *stored* one, `<!-- table: NAME -->`, is made from numbers in the
repository by a function of that name in `TABLES`; `--check` writes nothing and fails where a page differs from it. A
*measured* one, `<!-- measured: COMMAND -->`, is what the command printed when it was last run; `--measure WORD` runs
all whose command contains WORD, and writes the tables that they print. Code, `<!-- code: PLACE -->`, is that of a file
in the repository (`listings.py` has the forms of a place); `--check` looks at it, too.
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import known_tables
import leader_tables
import listings
import original_tables
import paper_tables
import performance_tables
import task_tables
import world_tables

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"(<!-- (table|measured|code): (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)
TABLES = {
    **task_tables.TABLES,
    **paper_tables.TABLES,
    **leader_tables.TABLES,
    **original_tables.TABLES,
    **performance_tables.TABLES,
    **world_tables.TABLES,
    **known_tables.TABLES,
}
"""Name -> the function that returns the lines of a stored table."""


def pages() -> Iterator[Path]:
    """Yield README and all pages of the documentation."""
    yield ROOT / "README.md"
    yield from sorted((ROOT / "docs").rglob("*.md"))


def stored(name: str) -> str | None:
    """Return a stored table."""
    if name not in TABLES:
        raise ValueError(f"table: expected one of {', '.join(TABLES)}, got {name!r}")
    return "\n".join(TABLES[name]())


def measured(command: str) -> str:
    """Return the tables that a command prints."""
    done = subprocess.run(
        [sys.executable, *shlex.split(command)[1:]], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return "\n".join(line for line in done.stdout.splitlines() if line.startswith("| ") or not line)


def rewritten(text: str, table: Callable[[str, str], str | None]) -> str:
    """Return a page with its tables and code written anew; those for which ``table(kind, name)`` returns None stay."""

    def block(match: re.Match[str]) -> str:
        lines = table(match[2], match[3])
        return match[0] if lines is None else f"{match[1]}{lines.strip()}\n{match[4]}"

    return BLOCK.sub(block, text)


def main() -> int:
    """Writes, checks or measures. Returns 1 where a page is not what the stored numbers say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a page would change")
    parser.add_argument("--measure", metavar="WORD", help="run the measurements whose command contains WORD")
    arguments = parser.parse_args()

    def table(kind: str, name: str) -> str | None:
        if kind == "table":
            shown.add(name)
            return stored(name)
        if kind == "code":
            return listings.listing(name)
        return measured(name) if arguments.measure and arguments.measure in name else None

    changed, shown = [], set[str]()
    for page in pages():
        old = page.read_text("utf-8")
        new = rewritten(old, table)
        if new != old:
            changed.append(page.relative_to(ROOT).as_posix())
            if not arguments.check:
                page.write_text(new, "utf-8")
    for page_name in changed:
        print(f"{page_name}: {'differs from the stored numbers' if arguments.check else 'written'}")
    for name in TABLES.keys() - shown:
        print(f"{name}: a table that no page shows")
    return int(arguments.check and bool(changed or TABLES.keys() - shown))


if __name__ == "__main__":
    sys.exit(main())
