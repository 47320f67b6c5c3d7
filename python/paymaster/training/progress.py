"""The training progress on screen: a live bar on a terminal, plain lines elsewhere (a file, a pipe, CI)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from paymaster.terminal.printing import encodable, say

_RATE_WINDOW = 3600.0  # seconds that the rate is taken over, but by rich never more than 1,000 updates
_LINE_SHARE = 0.05  # a plain line at the latest after this share of the run ...
_LINE_SECONDS = 10.0  # ... or after this many seconds
_LEAST_BAR = 4  # columns
_SMOOTHING = 0.9  # share of the old in a smoothed mean, per update


class TrainingProgress:
    """Shows how far the training is: episodes, smoothed objective and gain, episodes/s, time left.

    ```
    with TrainingProgress(12800) as progress:
        for batch in batches:
            progress.update(batch.episode, gain=batch.gain, loss=loss)
    ```
    """

    def __init__(
        self,
        total_episodes: int,
        start: int = 0,
        *,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is shown before `with`.

        Args:
            total_episodes: at which episode the training ends.
            start: at which it begins, more than 0 when a run is resumed.
            console: where to show it; standard output by default.
            clock: gives the time in seconds; for tests.
        """
        self._console = console or Console()
        self._live = self._console.is_terminal and not self._console.is_dumb_terminal
        self._clock = clock
        # On a narrow terminal the bar gives way first, then the last of the fields, each as a whole.
        taken = len("training ") + _LEAST_BAR + len(f" {total_episodes}/{total_episodes} ")
        self._progress = Progress(
            TextColumn("[bold]training", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=_LEAST_BAR, no_wrap=True)),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            _Fields(self._console, taken, self._fields),
            console=self._console,
            expand=True,
            get_time=clock,
            speed_estimate_period=_RATE_WINDOW,
        )
        self._progress.add_task("", total=total_episodes, completed=start)
        self._total, self._task = total_episodes, self._progress.tasks[0]
        self._smoothed: dict[str, tuple[float, float]] = {}  # name -> weighted sum, weights
        self._metrics: dict[str, float] = {}
        self._printed, self._printed_at = start, clock()

    def update(self, episode: int, gain: float | None = None, objective: float | None = None, **metrics: float) -> None:
        """Show that `episode` episodes are done.

        Args:
            episode: episodes trained so far.
            gain: mean gain of the last batch, shown smoothed over some ten updates; NaN is passed over.
            objective: mean of what the leader is rewarded, likewise, where that is not its gain.
            **metrics: more to show, as they are.
        """
        for name, value in (("objective", objective), ("gain", gain)):
            if value is not None and math.isfinite(value):
                before, weight = self._smoothed.get(name, (0.0, 0.0))
                self._smoothed[name] = (
                    _SMOOTHING * before + (1 - _SMOOTHING) * value,
                    _SMOOTHING * weight + (1 - _SMOOTHING),
                )
        self._metrics = metrics
        self._progress.update(self._task.id, completed=episode)
        far = episode - self._printed >= _LINE_SHARE * self._total
        if far or episode >= self._total or self._clock() - self._printed_at >= _LINE_SECONDS:
            self._print_line()

    def note(self, text: str) -> None:
        """Print a line of text, above the bar if there is one."""
        if self._live:
            say(self._console, text)
        else:
            print(encodable(text, self._console.encoding), file=self._console.file, flush=True)

    def __enter__(self) -> TrainingProgress:
        self._printed_at = self._clock()
        if self._live:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live:
            self._progress.stop()
        self._print_line()  # where a stopped run had got to

    def _print_line(self) -> None:
        episode = int(self._task.completed)
        if not self._live and episode != self._printed:
            share = f"episode {episode}/{self._total} ({episode / self._total:.0%})"
            self.note("  ".join([share, *self._fields()]))
            self._printed, self._printed_at = episode, self._clock()

    def _fields(self) -> list[str]:
        fields = [f"{name} {total / weight:.2f}" for name, (total, weight) in self._smoothed.items()]
        if rate := self._task.speed:
            fields.append(f"{rate:,.0f} episodes/s" if rate >= 10 else f"{rate:.1f} episodes/s")
        if left := self._task.time_remaining:
            fields.append(f"{duration(left)} left")
        return fields + [f"{name} {value:.4g}" for name, value in self._metrics.items()]


class _Fields(ProgressColumn):
    """As many of the fields as the terminal has room for beside what else is ``taken``."""

    def __init__(self, console: Console, taken: int, fields: Callable[[], list[str]]) -> None:
        super().__init__()
        self._console, self._taken, self._fields = console, taken, fields

    def render(self, task: Task) -> Text:
        shown = ""
        for field in self._fields():
            longer = encodable(f"{shown} · {field}" if shown else field, self._console.encoding)
            if len(longer) > self._console.width - self._taken:
                break
            shown = longer
        return Text(shown, style="progress.data.speed", no_wrap=True)


def duration(seconds: float) -> str:
    """H:MM:SS, or M:SS."""
    minutes, seconds = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
