"""All of it in order: what is missing is run, then every figure is drawn, tabled and judged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from paymaster.experiments.atomic import storage_errors
from paymaster.reproduction.figures import figure
from paymaster.reproduction.names import FigureName
from paymaster.reproduction.pool import Finished, run_jobs
from paymaster.reproduction.progress import JobsProgress
from paymaster.reproduction.report import summary, write_figure
from paymaster.reproduction.results import Results
from paymaster.reproduction.runs import ReferenceJob, RunJob, jobs_of
from paymaster.reproduction.scales import Scale
from paymaster.reproduction.seeds_job import AnyJob, at_once

__all__ = ["reproduce"]


def reproduce(
    names: Sequence[FigureName], scale: Scale, seeds: int, at_a_time: int, out: Path, console: Console
) -> Path:
    """Runs what these figures lack, ``at_a_time`` runs beside each other, and writes them into ``out``.

    Returns:
        The report that joins them; the figure's own where there is one.

    Raises:
        ValueError: fewer than one seed or run at a time, a damaged row.
        ChildProcessError: runs failed; the others are done, and the next call makes only those.
        RunDirectoryError: ``out`` cannot be written.
    """
    for name, number in (("seeds", seeds), ("jobs", at_a_time)):
        if number < 1:
            raise ValueError(f"{name}: expected at least 1, got {number}")
    with storage_errors(out, "create"):
        out.mkdir(parents=True, exist_ok=True)
    figures = {name: figure(name, scale) for name in names}
    jobs = jobs_of(figures.values(), scale, seeds)
    undone = [job for job in jobs if not job.done(out)]
    console.print(f"{len(jobs)} runs and references, {len(jobs) - len(undone)} of them there; results in {out}")
    missing = at_once(undone)
    _run(jobs, missing, at_a_time, out, console)
    results = Results(out, scale, seeds)
    decided = {name: write_figure(name, of, results) for name, of in figures.items()}
    if len(figures) == 1:
        return out / f"{names[0]}.md"
    return summary(decided, {name: of.title for name, of in figures.items()}, results)


def _run(
    jobs: Sequence[RunJob | ReferenceJob],
    missing: Sequence[AnyJob],
    at_a_time: int,
    out: Path,
    console: Console,
) -> None:
    failed: dict[str, str] = {}
    with JobsProgress(jobs, missing, out, console) as progress:
        for event in run_jobs(missing, out, at_a_time):
            if not isinstance(event, Finished):
                progress.running(event)
                continue
            progress.finished(event.job, event.error)
            if event.error is not None:
                failed[event.job.name] = event.error
    if failed:
        name, error = next(iter(failed.items()))
        reason = error.strip().rpartition("\n")[2]
        raise ChildProcessError(f"{len(failed)} of {len(missing)} jobs failed, the first of them {name}: {reason}")
