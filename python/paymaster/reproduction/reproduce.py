"""All of it in order: what is missing is run, then every figure is drawn, tabled and judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from rich.console import Console

from paymaster.reproduction.figures import figure
from paymaster.reproduction.names import EngineName, FigureName
from paymaster.reproduction.pool import Finished, run_jobs
from paymaster.reproduction.progress import JobsProgress
from paymaster.reproduction.report import summary, write_figure
from paymaster.reproduction.results import Results
from paymaster.reproduction.runs import AnyJob, jobs_of
from paymaster.reproduction.scales import Scale
from paymaster.storage.atomic import delete_leftovers, storage_errors
from paymaster.terminal.printing import say
from paymaster.training.cores import available_cores

__all__ = ["reproduce"]

_Engine: TypeAlias = Callable[[Sequence[AnyJob], Path], Iterator[Finished[AnyJob] | list[AnyJob]]]


def reproduce(
    names: Sequence[FigureName],
    scale: Scale,
    seeds: int,
    at_a_time: int | None,
    out: Path,
    console: Console,
    *,
    engine: EngineName = "local",
    address: str | None = None,
) -> Path:
    """Runs what these figures lack, ``at_a_time`` runs beside each other, and writes them into ``out``.

    Args:
        names: of the figures.
        scale: how much is run.
        seeds: of training, from 0 up.
        at_a_time: None is one a core; on Ray, one a CPU of the cluster.
        out: where to. On a Ray of several nodes, a directory that all of them see.
        console: shows how far it is.
        engine: processes of this machine, or Ray (``pip install 'paymaster[ray]'``).
        address: of a Ray that runs, "auto" or HOST:PORT; None starts one on this machine.

    Returns:
        The report that joins them; the figure's own where there is one.

    Raises:
        ValueError: fewer than one seed or run at a time, an address without Ray, a damaged row; Ray is not installed.
        ChildProcessError: runs failed; the others are done, and the next call makes only those.
        ConnectionError: no Ray answers at the address.
        RunDirectoryError: ``out`` cannot be written.
    """
    for name, number in (("seeds", seeds), ("jobs", at_a_time)):
        if number is not None and number < 1:
            raise ValueError(f"{name}: expected at least 1, got {number}")
    run_all = _engine(engine, at_a_time, address)
    with storage_errors(out, "create"):
        out.mkdir(parents=True, exist_ok=True)
    with storage_errors(out, "tidy"):
        delete_leftovers(out)  # of reports
    figures = {name: figure(name, scale) for name in names}
    jobs = jobs_of(figures.values(), scale, seeds)
    missing = [job for job in jobs if not job.done(out)]
    say(console, f"{len(jobs)} runs and references, {len(jobs) - len(missing)} of them there; results in {out}")
    if missing:
        _run(jobs, missing, run_all, out, console)
    results = Results(out, scale, seeds)
    decided = {name: write_figure(name, of, results) for name, of in figures.items()}
    if len(figures) == 1:
        return out / f"{names[0]}.md"
    return summary(decided, {name: of.title for name, of in figures.items()}, results)


def _engine(engine: EngineName, at_a_time: int | None, address: str | None) -> _Engine:
    """Does jobs into a directory."""
    if engine == "local":
        if address is not None:
            raise ValueError(f"address: expected none with engine local, got {address!r:.80}; it is for engine ray")
        cores = at_a_time or available_cores()
        return lambda jobs, out: run_jobs(jobs, out, cores)
    if engine != "ray":
        raise ValueError(f"engine: expected local or ray, got {engine!r:.80}")
    try:
        from paymaster.reproduction.ray_pool import run_jobs as run_on_ray  # here: Ray is an extra
    except ImportError as error:
        raise ValueError(f"engine: {error}") from error
    return lambda jobs, out: run_on_ray(jobs, out, at_a_time, address)


def _run(jobs: Sequence[AnyJob], missing: Sequence[AnyJob], run_all: _Engine, out: Path, console: Console) -> None:
    failed: dict[str, str] = {}
    with JobsProgress(jobs, missing, out, console) as progress:
        for event in run_all(missing, out):
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
