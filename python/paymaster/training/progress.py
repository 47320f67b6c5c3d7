"""The training progress on screen: a live bar on a terminal, plain lines elsewhere (a file, a pipe, CI)."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from paymaster.terminal.printing import encodable, say

_RATE_WINDOW = 30.0  # seconds that the rate is taken over
_LINE_SHARE = 0.05  # a plain line at the latest after this share of the run ...
_LINE_SECONDS = 10.0  # ... or after this many seconds
_LEAST_BAR = 4  # columns
_SMOOTHING = 0.9  # share of the old in the smoothed gain, per update


class _Display(Protocol):
    def start(self) -> None: ...
    def show(self, episode: int, fields: list[str]) -> None: ...
    def note(self, text: str) -> None: ...
    def stop(self) -> None: ...


class TrainingProgress:
    """Shows how far the training is: episodes, smoothed gain, episodes/s, time left.

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
        console = console or Console()
        live = console.is_terminal and not console.is_dumb_terminal
        self._total = total_episodes
        self._clock = clock
        self._display: _Display = (
            _LiveBar(console, total_episodes, start) if live else _PlainLines(console, total_episodes, start, clock)
        )
        self._history = deque([(clock(), start)])
        self._gain_sum = self._gain_weight = 0.0

    def update(self, episode: int, gain: float | None = None, **metrics: float) -> None:
        """Show that `episode` episodes are done.

        Args:
            episode: episodes trained so far.
            gain: mean gain of the last batch, shown smoothed over some ten updates; NaN is passed over.
            **metrics: more to show, as they are.
        """
        now = self._clock()
        self._history.append((now, episode))
        while len(self._history) > 2 and now - self._history[1][0] >= _RATE_WINDOW:
            self._history.popleft()
        if gain is not None and math.isfinite(gain):
            self._gain_sum = _SMOOTHING * self._gain_sum + (1 - _SMOOTHING) * gain
            self._gain_weight = _SMOOTHING * self._gain_weight + (1 - _SMOOTHING)
        fields = []
        if self._gain_weight > 0:
            fields.append(f"gain {self._gain_sum / self._gain_weight:.2f}")
        if (rate := self._rate()) is not None:
            fields.append(f"{rate:,.0f} episodes/s" if rate >= 10 else f"{rate:.1f} episodes/s")
            if episode < self._total:
                fields.append(f"{duration((self._total - episode) / rate)} left")
        fields += [f"{name} {value:.4g}" for name, value in metrics.items()]
        self._display.show(episode, fields)

    def note(self, text: str) -> None:
        """Print a line of text, above the bar if there is one."""
        self._display.note(text)

    def __enter__(self) -> TrainingProgress:
        self._history = deque([(self._clock(), self._history[-1][1])])
        self._display.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._display.stop()

    def _rate(self) -> float | None:
        """Episodes per second of late; None while nothing can be said."""
        (since, first), (now, last) = self._history[0], self._history[-1]
        return (last - first) / (now - since) if now > since and last > first else None


class _LiveBar:
    def __init__(self, console: Console, total: int, start: int) -> None:
        # On a narrow terminal the bar gives way first, then the last of the fields, each as a whole.
        title = TextColumn("[bold]training", table_column=Column(no_wrap=True))
        bar = BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=_LEAST_BAR, no_wrap=True))
        count = MofNCompleteColumn(table_column=Column(no_wrap=True))
        taken = len("training ") + _LEAST_BAR + len(f" {total}/{total} ")
        columns = (title, bar, count, _Fields(console, taken))
        self._progress = Progress(*columns, console=console, expand=True)
        self._task = self._progress.add_task("", total=total, completed=start, shown=[])

    def start(self) -> None:
        self._progress.start()

    def show(self, episode: int, fields: list[str]) -> None:
        self._progress.update(self._task, completed=episode, shown=fields)

    def note(self, text: str) -> None:
        say(self._progress.console, text)

    def stop(self) -> None:
        self._progress.stop()


class _Fields(ProgressColumn):
    """As many of the fields as the terminal has room for beside what else is ``taken``."""

    def __init__(self, console: Console, taken: int) -> None:
        super().__init__()
        self._console, self._taken = console, taken

    def render(self, task: Task) -> Text:
        shown = ""
        for field in task.fields["shown"]:
            longer = encodable(f"{shown} · {field}" if shown else field, self._console.encoding)
            if len(longer) > self._console.width - self._taken:
                break
            shown = longer
        return Text(shown, style="progress.data.speed", no_wrap=True)


class _PlainLines:
    def __init__(self, console: Console, total: int, start: int, clock: Callable[[], float]) -> None:
        self._console, self._total, self._clock = console, total, clock
        self._shown_episode, self._shown_at = start, clock()
        self._pending: str | None = None

    def start(self) -> None:
        self._shown_at = self._clock()

    def show(self, episode: int, fields: list[str]) -> None:
        share = episode / self._total if self._total else 1.0
        self._pending = "  ".join([f"episode {episode}/{self._total} ({share:.0%})", *fields])
        far = episode - self._shown_episode >= _LINE_SHARE * self._total
        if far or episode >= self._total or self._clock() - self._shown_at >= _LINE_SECONDS:
            self._shown_episode, self._shown_at = episode, self._clock()
            self._flush()

    def note(self, text: str) -> None:
        print(encodable(text, self._console.encoding), file=self._console.file, flush=True)

    def stop(self) -> None:
        self._flush()  # where a stopped run had got to

    def _flush(self) -> None:
        if self._pending is not None:
            self.note(self._pending)
            self._pending = None


def duration(seconds: float) -> str:
    """H:MM:SS, or M:SS."""
    minutes, seconds = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
