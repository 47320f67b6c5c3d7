"""Rows of `paymaster reproduce` in one file: `python bench/paper.py pack OUT`, `unpack OUT`, and a `table` of them.

OUT/rows/ has a file a run, so that runs beside each other write without waiting. The repository keeps them as
bench/paper/rows.jsonl.gz, a line a run, and beside it the reports, tables and pictures that were made of them: unpacked
into another OUT, `paymaster reproduce ... --out OUT` makes only what is missing and draws all of it anew. Learning
curves are rounded to a hundredth of a gain. The table: means over seeds with 95 % intervals (Student's t), of the
evaluations under the noise of training. `run OUT` trains what no figure needs: any leaders in any regime, as
`reproduce` would.
"""

from __future__ import annotations

import gzip
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tyro

from paymaster.algorithms import DEFAULT_LEADER, LEADERS
from paymaster.analysis.intervals import mean_ci95
from paymaster.reproduction.plan import ON_THE_GRID
from paymaster.reproduction.pool import Finished, run_jobs
from paymaster.reproduction.rows import read_row, write_row
from paymaster.reproduction.runs import RunJob
from paymaster.reproduction.scales import SCALES
from paymaster.reproduction.seeds_job import at_once
from paymaster.reproduction.specs import Arm, Played, train_config
from paymaster.validation.ranges import parse_json

ROWS = Path(__file__).parent / "paper" / "rows.jsonl.gz"


@dataclass(frozen=True)
class Arguments:
    """What to do.

    Attributes:
        do: pack adds OUT's rows to the file, in place of those of the same name, and copies its reports; unpack writes
            the rows that OUT lacks; table prints what is there; run trains.
        out: directory of a reproduction.
        like: of the table, only runs whose name has all of these words.
        leaders, games, regime: of what is run (paymaster.reproduction.specs).
        episodes: of a run that is run.
        seeds: of what is run, from 0 up.
        jobs: runs beside each other.
    """

    do: tyro.conf.Positional[Literal["pack", "unpack", "table", "run"]]
    out: tyro.conf.Positional[Path] = Path("runs/reproduce-cpu")
    like: tuple[str, ...] = ()
    leaders: tuple[str, ...] = tuple(LEADERS)
    games: tuple[str, ...] = ON_THE_GRID
    regime: str = "paper"
    episodes: int = SCALES["cpu"].episodes
    seeds: int = 5
    jobs: int = 2


def stored() -> dict[str, str]:
    """Name of a row -> its line."""
    lines = gzip.decompress(ROWS.read_bytes()).decode().splitlines() if ROWS.exists() else []
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


def unpacked(line: str, out: Path) -> None:
    """The reverse of :func:`packed`."""
    row = whole(line)
    write_row(out, row["key"], row)


def table(like: tuple[str, ...]) -> None:
    """A line for every arm: sampled, greedy, what it has less than the default leader, and what the followers get."""
    arms: dict[str, list[dict[str, Any]]] = {}
    for row in map(json.loads, stored().values()):
        if "evaluations" not in row:  # full_information's
            continue
        arm, episodes = row["name"].rpartition(", seed ")[0], row["config"]["episodes"]
        if episodes != SCALES["cpu"].episodes:
            arm += f", {episodes:,} episodes"
        if all(word in arm for word in like):
            arms.setdefault(arm, []).append(row)
    print(f"| run | seeds | gain | less {DEFAULT_LEADER} | greedy | incentive | followers' reward | events |")
    print("| --- " * 8 + "|")
    for arm, rows in sorted(arms.items()):
        game, _, others = arm.split(", ", 2) if arm.count(", ") > 1 else (*arm.split(", "), "")
        default = ", ".join(filter(None, (game, DEFAULT_LEADER, others)))
        gain = by_seed(rows, "gain")
        base = by_seed(arms.get(default, []), "gain") if default != arm else {}
        shown = (
            gain,
            {seed: gain[seed] - base[seed] for seed in gain.keys() & base.keys()},
            by_seed(rows, "gain", "greedy"),
            *(by_seed(rows, measure) for measure in ("incentive", "follower_reward", "events")),
        )
        cells = (f"{mean_ci95(list(values.values())):.2f}" if values else "-" for values in shown)
        print(f"| {arm} | {len(rows)} |", " | ".join(cells), "|")


def by_seed(rows: list[dict[str, Any]], measure: str, way: str = "sampled") -> dict[int, float]:
    """Seed -> a mean of its evaluation under the noise of training."""
    found: dict[int, float] = {}
    for row in rows:
        evaluation = row["evaluations"].get(f"{way}, noise {row['config']['options']['noise']:g}")
        if evaluation is not None:
            found[row["config"]["seed"]] = evaluation[measure]
    return found


def run(arguments: Arguments) -> None:
    """Trains and evaluates, sampled and greedy, what OUT lacks."""
    evaluated = SCALES["cpu"].evaluated
    arms = [Arm(game, leader, arguments.regime) for leader in arguments.leaders for game in arguments.games]
    jobs = [
        RunJob(arm, train_config(arm, seed, arguments.episodes), played(arm), evaluated)
        for arm in arms
        for seed in range(arguments.seeds)
    ]
    start = time.monotonic()
    for event in run_jobs(at_once(job for job in jobs if not job.done(arguments.out)), arguments.out, arguments.jobs):
        if isinstance(event, Finished):
            print(f"{time.monotonic() - start:.0f} s: {event.job.name}", event.error or "", flush=True)


def played(arm: Arm) -> frozenset[Played]:
    """Evaluations of an arm."""
    return frozenset({Played(arm.trained_noise), Played(arm.trained_noise, greedy=True)})


def main() -> None:
    arguments = tyro.cli(Arguments, description=__doc__)
    if arguments.do == "run":
        run(arguments)
        return
    if arguments.do == "table":
        table(arguments.like)
        return
    rows, directory = stored(), arguments.out / "rows"
    if arguments.do == "pack":
        rows |= {path.stem: packed(path) for path in directory.glob("*.json")}
        ROWS.parent.mkdir(exist_ok=True)
        beside = ROWS.with_suffix(".new")
        text = "".join(f"{rows[key]}\n" for key in sorted(rows))
        beside.write_bytes(gzip.compress(text.encode(), mtime=0))  # no time of day: same rows, same bytes
        beside.replace(ROWS)
        reports = [path for kind in ("md", "csv", "png") for path in sorted(arguments.out.glob(f"*.{kind}"))]
        for path in reports:
            shutil.copyfile(path, ROWS.parent / path.name)
        print(f"{ROWS}: {len(rows)} rows; {len(reports)} reports, tables and pictures beside it")
        return
    missing = [key for key in rows if not (directory / f"{key}.json").exists()]
    for key in missing:
        unpacked(rows[key], arguments.out)
    print(f"{directory}: {len(missing)} rows added")


if __name__ == "__main__":
    main()
