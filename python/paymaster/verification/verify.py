"""All of it in order: the exact lines, then the runs that are missing, then the table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from paymaster.reproduction.pool import Finished, run_jobs
from paymaster.storage.atomic import delete_leftovers, storage_errors, write_text
from paymaster.terminal.markdown import markdown_table
from paymaster.terminal.printing import print_table, say
from paymaster.training.cores import available_cores
from paymaster.verification.exact_lines import EXACT
from paymaster.verification.learned import SCALES, LearnedJob, jobs_of, learned_lines
from paymaster.verification.line import Line
from paymaster.verification.names import AnswerName, VerifyScale

__all__ = ["HEAD", "cells_of", "exact_lines", "verify"]

HEAD = ("answer", "quantity", "ours", "exact", "published", "verdict")


def exact_lines(names: Sequence[AnswerName]) -> list[Line]:
    """Return the exact lines of these answers, computed now."""
    return [line for name in names for line in EXACT[name]()]


def cells_of(lines: Sequence[Line]) -> list[tuple[str, ...]]:
    """Return lines as the cells of a table under :data:`HEAD`."""
    return [(line.answer, line.quantity, line.ours, line.exact, line.published or "-", line.verdict) for line in lines]


def verify(
    names: Sequence[AnswerName],
    scale: VerifyScale,
    at_a_time: int | None,
    out: Path,
    console: Console,
    *,
    train: bool = True,
) -> list[Line]:
    """Compute and train what these answers need, print the table, and write it into ``out``.

    Args:
        names: of the answers.
        scale: how much is trained; "small" or "full".
        at_a_time: runs beside each other; None is one a core.
        out: where rows and runs lie. What is there is not trained again.
        console: shows how far it is, and the table.
        train: whether what is missing is trained; else learned lines are shown where all their runs are there.

    Returns:
        All lines.

    Raises:
        ValueError: fewer than one run at a time, a damaged row.
        ChildProcessError: a run failed; the others are done, and the next call makes only those that are missing.
        RunDirectoryError: ``out`` cannot be written.
    """
    if at_a_time is not None and at_a_time < 1:
        raise ValueError(f"jobs: expected at least 1, got {at_a_time}")
    jobs = jobs_of(tuple(names), SCALES[scale])
    missing = [job for job in jobs if job.row(out) is None]
    with storage_errors(out, "create"):
        out.mkdir(parents=True, exist_ok=True)
    with storage_errors(out, "tidy"):
        delete_leftovers(out)
    lines = exact_lines(names)
    if jobs:
        say(console, f"{len(jobs)} runs, {len(jobs) - len(missing)} of them there; results in {out}")
    if missing and train:
        _run(missing, out, at_a_time or available_cores(), console)
    lines += learned_lines(jobs, out)
    print_table(console, "known answers", HEAD, cells_of(lines))
    write_text(out / "known_answers.md", markdown_table(HEAD, cells_of(lines)))
    return lines


def _run(missing: Sequence[LearnedJob], out: Path, at_a_time: int, console: Console) -> None:
    failed: dict[str, str] = {}
    done = 0
    for event in run_jobs(missing, out, at_a_time):
        if not isinstance(event, Finished):
            continue
        done += 1
        say(console, f"{done} of {len(missing)}: {event.job.name}{'' if event.error is None else ' failed'}")
        if event.error is not None:
            failed[event.job.name] = event.error
    if failed:
        name, error = next(iter(failed.items()))
        reason = error.strip().rpartition("\n")[2]
        raise ChildProcessError(f"{len(failed)} of {len(missing)} runs failed, the first of them {name}: {reason}")
