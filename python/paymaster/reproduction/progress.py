"""How far all runs together are, and the time left: a live bar on a terminal, a line a finished run elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from paymaster.reproduction.runs import AnyJob
from paymaster.terminal.printing import encodable, say
from paymaster.training.progress import duration

__all__ = ["JobsProgress"]


class JobsProgress:
    """Shows runs done, of how many, and the time left by what the runs of this call have taken for their cost."""

    def __init__(
        self,
        jobs: Sequence[AnyJob],
        missing: Sequence[AnyJob],
        out: Path,
        console: Console,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is shown before `with`; ``clock`` gives seconds."""
        self._out, self._console, self._clock = out, console, clock
        self._total, self._count = len(jobs), len(jobs) - len(missing)
        self._before = {job: job.trained(out) for job in missing}
        self._cost = sum(job.cost * (1 - self._before[job]) for job in missing)
        self._spent = self._partly = 0.0
        self._started = clock()
        self._live = console.is_terminal and not console.is_dumb_terminal
        shown = TextColumn("{task.fields[shown]}", markup=False, table_column=Column(no_wrap=True))
        bar = BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=4, no_wrap=True))
        columns = (TextColumn("[bold]runs", table_column=Column(no_wrap=True)), bar, shown)
        self._bar = Progress(*columns, console=console, expand=True)  # shows nothing unless it is started
        self._task = self._bar.add_task("", total=max(self._cost, 1e-9), shown="")

    def running(self, jobs: Iterable[AnyJob]) -> None:
        """Looks at how far those are that run."""
        self._partly = sum(self._done_of(job, max(job.trained(self._out), self._before[job])) for job in jobs)
        self._show()

    def finished(self, job: AnyJob, error: str | None) -> None:
        """One more."""
        self._count += 1
        self._spent += self._done_of(job, 1.0)
        self._partly = 0.0
        line = f"{self._text()}: {job.name}" + ("" if error is None else f" FAILED\n{error}")
        if not self._live:
            print(encodable(line, self._console.encoding), file=self._console.file, flush=True)
        elif error is not None:
            say(self._bar.console, line)
        self._show()

    def __enter__(self) -> JobsProgress:
        self._started = self._clock()
        if self._live:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._bar.stop()

    def _done_of(self, job: AnyJob, share: float) -> float:
        return job.cost * max(0.0, share - self._before[job])

    def _text(self) -> str:
        done = self._spent + self._partly
        text = f"{self._count}/{self._total}"
        passed = self._clock() - self._started
        if done > 0 and passed > 0 and done < self._cost:
            text += f", {duration((self._cost - done) * passed / done)} left"
        return text

    def _show(self) -> None:
        self._bar.update(self._task, completed=self._spent + self._partly, shown=self._text())
