"""Rows of `paymaster reproduce` as one file: `python bench/paper.py pack OUT` and `python bench/paper.py unpack OUT`.

OUT/rows/ has a file a run, so that runs beside each other write without waiting. The repository keeps them as
bench/paper/rows.jsonl, a line a run: unpacked into another OUT, `paymaster reproduce ... --out OUT` makes only what is
missing and draws all of it anew. Learning curves are rounded to a hundredth of a gain.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

ROWS = Path(__file__).parent / "paper" / "rows.jsonl"


@dataclass(frozen=True)
class Arguments:
    """What to do.

    Attributes:
        do: pack adds OUT's rows to the file, in place of those of the same name; unpack writes what OUT lacks.
        out: directory of a reproduction.
    """

    do: tyro.conf.Positional[Literal["pack", "unpack"]]
    out: tyro.conf.Positional[Path]


def stored() -> dict[str, str]:
    """Name of a row -> its line."""
    lines = ROWS.read_text().splitlines() if ROWS.exists() else []
    return {json.loads(line)["key"]: line for line in lines}


def packed(path: Path) -> str:
    """A row as a line."""
    row = json.loads(path.read_text())
    if "training" in row:
        curve = row["training"]["curve"]
        curve["gain"] = [round(gain, 2) for gain in curve["gain"]]
    return json.dumps({"key": path.stem, **row}, separators=(",", ":"))


def main() -> None:
    arguments = tyro.cli(Arguments, description=__doc__)
    rows, directory = stored(), arguments.out / "rows"
    if arguments.do == "pack":
        rows |= {path.stem: packed(path) for path in directory.glob("*.json")}
        ROWS.parent.mkdir(exist_ok=True)
        beside = ROWS.with_suffix(".new")
        beside.write_text("".join(f"{rows[key]}\n" for key in sorted(rows)))
        beside.replace(ROWS)
        print(f"{ROWS}: {len(rows)} rows")
        return
    directory.mkdir(parents=True, exist_ok=True)
    missing = [key for key in rows if not (directory / f"{key}.json").exists()]
    for key in missing:
        row = json.loads(rows[key])
        del row["key"]
        (directory / f"{key}.json").write_text(json.dumps(row))
    print(f"{directory}: {len(missing)} rows added")


if __name__ == "__main__":
    main()
