"""Rows of `paymaster reproduce` in one file: `python bench/paper.py pack OUT` and `unpack OUT`.

OUT/rows/ has a file a run, so that runs beside each other write without waiting. The repository keeps them as
bench/paper/rows.jsonl.gz, a line a run, and beside it the reports, tables and pictures that were made of them: unpacked
into another OUT, `paymaster reproduce ... --out OUT` makes only what is missing and draws all of it anew. Learning
curves are rounded to a hundredth of a gain.
"""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any, Literal

import tyro

from paymaster.reproduction.rows import read_row, write_row
from paymaster.validation.ranges import parse_json

ROWS = Path(__file__).parent / "paper" / "rows.jsonl.gz"


def stored() -> dict[str, str]:
    """Name of a row -> its line."""
    lines = gzip.decompress(ROWS.read_bytes()).decode().splitlines()
    return {parse_json(line, f"{ROWS}: line {number}")["key"]: line for number, line in enumerate(lines, start=1)}


def packed(path: Path) -> str:
    """A row as a line."""
    row = read_row(path.parents[1], path.stem)
    if "training" in row:
        curve = row["training"]["curve"]
        curve["gain"] = [round(gain, 2) for gain in curve["gain"]]
    return json.dumps({"key": path.stem, **row}, separators=(",", ":"))


def whole(line: str) -> dict[str, Any]:
    """The row of a line: of runs without evaluations or attention, lines have no such fields."""
    row: dict[str, Any] = json.loads(line)
    return {"evaluations": {}, "attention": None, **row} if "config" in row else row


def pack(out: Path) -> None:
    """Add OUT's rows to the file, in place of those of the same name, and copy its reports."""
    rows = stored()
    for path in (out / "rows").glob("*.json"):
        line = packed(path)
        if path.stem not in rows or json.loads(line) != whole(rows[path.stem]):
            rows[path.stem] = line
    beside = ROWS.with_suffix(".new")
    text = "".join(f"{rows[key]}\n" for key in sorted(rows))
    beside.write_bytes(gzip.compress(text.encode(), mtime=0))  # no time of day: same rows, same bytes
    beside.replace(ROWS)
    for path in (path for kind in ("md", "csv", "png") for path in sorted(out.glob(f"*.{kind}"))):
        shutil.copyfile(path, ROWS.parent / path.name)
    print(f"{ROWS}: {len(rows)} rows, the reports beside it")


def unpack(out: Path) -> None:
    """Write the rows that OUT lacks."""
    missing = {key: line for key, line in stored().items() if not (out / "rows" / f"{key}.json").exists()}
    for key, line in missing.items():
        write_row(out, key, whole(line))
    print(f"{out / 'rows'}: {len(missing)} rows added")


def main(do: tyro.conf.Positional[Literal["pack", "unpack"]], out: tyro.conf.Positional[Path]) -> None:
    """Move rows between the repository and OUT, the directory of a reproduction."""
    {"pack": pack, "unpack": unpack}[do](out)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
