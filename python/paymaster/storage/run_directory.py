"""The run directory: one training run's configuration, metrics, TensorBoard events and checkpoints.

```
DIR/config.json           the run's configuration (run_config.py)
DIR/metrics.jsonl         one row per update (metrics_file.py)
DIR/events.out.tfevents.* the same and the timings, for TensorBoard
DIR/checkpoint-*          checkpoint.py
DIR/learning_curve.png    learning_curve.py
DIR/.lock                 held while a process writes here
```
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext, suppress
from io import FileIO
from pathlib import Path
from typing import Any

from paymaster.storage.atomic import JSON, RunDirectoryError, delete_leftovers, storage_errors
from paymaster.storage.checkpoint_format import MetricsMark
from paymaster.storage.metrics_file import METRICS, MetricsFile
from paymaster.storage.run_config import CONFIG, StoredConfig, encode_run_config, read_run_config, write_run_config

try:
    import fcntl
except ImportError:  # no POSIX: no lock there
    fcntl = None  # type: ignore[assignment]

__all__ = ["RunDirectory", "RunDirectoryError", "holds_run", "refuse_a_run"]

LOCK = ".lock"


class RunDirectory:
    """The one writer of a run directory, made by `create` or `resume`; close it, or use it in a `with`.

    Attributes:
        path: the directory.
        stored: the run's configuration, and what was changed in it.
    """

    def __init__(
        self, path: Path, stored: StoredConfig, lock: FileIO, *, resumed: bool, made: Sequence[Path] = ()
    ) -> None:
        """For `create` and `resume` only."""
        self._made = made  # folders, the innermost first
        self._logged = resumed
        self.path = path
        self.stored = stored
        self._lock = lock
        self._metrics = MetricsFile(path / METRICS)
        self._purge_step: int | None = None
        self._events: Any = None
        self._ready = not resumed

    @classmethod
    def create(cls, path: str | os.PathLike[str], config: Mapping[str, JSON]) -> RunDirectory:
        """Start a run in a directory that does not exist or is empty, and write its configuration.

        Raises:
            RunDirectoryError: there is something in it, another process trains into it, or it cannot be
                written; nothing in it was changed.
            ValueError, TypeError: `config` is not JSON (NaN, for instance).
        """
        path = Path(path)
        stored = StoredConfig(dict(config))
        encode_run_config(stored)  # fail before anything is made
        refuse_a_run(path)  # before the lock, which is a file in it
        made = [folder for folder in (path, *path.parents) if not folder.exists()]
        with ExitStack() as undo:
            if made:
                undo.callback(_remove_empty, path, made)
            with storage_errors(path, "create the run directory"):
                path.mkdir(parents=True, exist_ok=True)
            lock = undo.enter_context(_lock(path))
            refuse_a_run(path)
            write_run_config(path, stored)
            undo.pop_all()  # nothing is undone: the run keeps the lock
        return cls(path, stored, lock, resumed=False, made=made)

    @classmethod
    def resume(cls, path: str | os.PathLike[str]) -> RunDirectory:
        """Take an existing run up again; call `truncate_metrics` before the first `log`.

        What a killed process left half done is cleaned up.

        Raises:
            RunDirectoryError: there is no run, its configuration is damaged, another process trains into it,
                or it cannot be written.
        """
        path = Path(path)
        read_run_config(path)  # before the lock, which is a file in it
        with ExitStack() as undo:
            lock = undo.enter_context(_lock(path))
            stored = read_run_config(path)
            with storage_errors(path, "tidy the run directory"):
                delete_leftovers(path)
            undo.pop_all()  # nothing is undone: the run keeps the lock
        return cls(path, stored, lock, resumed=True)

    def change_config(self, config: Mapping[str, JSON], episode: int) -> None:
        """Go on with this configuration from a checkpoint's episode on, and record what is another in it.

        It is on the disk when this returns, so call it before the first step under it.

        Raises:
            RunDirectoryError: it cannot be written; the old one is then still there.
        """
        stored = self.stored.changed(config, episode)
        if stored != self.stored:
            write_run_config(self.path, stored)
            self.stored = stored

    def truncate_metrics(self, episode: int) -> None:
        """Forget everything logged after `episode`, the checkpoint's (0: all but a row of episode 0).

        Raises:
            RunDirectoryError: the metrics cannot be read or written; they are then unchanged.
        """
        self._close_events()
        self._metrics.truncate(episode)
        self._purge_step = episode + 1  # tells TensorBoard to hide what a killed process wrote from here on
        self._ready = True

    def log(self, episode: int, metrics: Mapping[str, Any], timings: Mapping[str, float] | None = None) -> None:
        """Append a row to the metrics and to TensorBoard.

        Args:
            episode: episodes trained so far, more than in the last row.
            metrics: what follows from the seed: numbers (plotted), or other JSON (only kept). No times, else
                a continued run's file differs from an unbroken one's.
            timings: what does not, such as episodes/s; goes to TensorBoard only.

        Raises:
            ValueError, TypeError: as for `MetricsFile.append`.
            RuntimeError: the run was resumed, and `truncate_metrics` not called yet.
            RunDirectoryError: it could not be written; earlier rows are as they were.
        """
        if not self._ready:
            raise RuntimeError("a resumed run: call truncate_metrics(episode of the checkpoint) before log")
        self._metrics.append(episode, metrics)
        self._logged = True
        with storage_errors(self.path, "write TensorBoard events in"):
            if self._events is None:
                # Imported here: it takes a second, which reading a run need not wait for.
                from torch.utils.tensorboard import SummaryWriter

                self._events = SummaryWriter(str(self.path), purge_step=self._purge_step, flush_secs=10)
            for name, value in {**metrics, **(timings or {})}.items():
                if isinstance(value, int | float) or getattr(value, "ndim", None) == 0:
                    self._events.add_scalar(name, float(value), global_step=episode)

    def mark(self) -> MetricsMark:
        """Force the rows so far to the disk, and say which they are, for a checkpoint that counts on them."""
        return self._metrics.mark()

    def take_back(self) -> None:
        """Remove a run that `create` has begun, and its folders; nothing happens where a row was logged, or resumed."""
        if self._logged:
            return
        with suppress(OSError):  # whatever stays holds no row
            self.close()
            (self.path / CONFIG).unlink(missing_ok=True)
        _remove_empty(self.path, self._made)

    def close(self) -> None:
        """Close the files and let other processes in. May be called twice."""
        try:
            self._metrics.close()
            self._close_events()
        finally:
            self._lock.close()

    def __enter__(self) -> RunDirectory:
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        # A full disk shows up again on closing: the first error is the one to tell.
        with nullcontext() if error is None else suppress(OSError):
            self.close()

    def _close_events(self) -> None:
        if self._events is not None:
            events, self._events = self._events, None
            with storage_errors(self.path, "write TensorBoard events in"):
                events.close()


def holds_run(path: Path) -> bool:
    """Whether a run was started there."""
    return (path / CONFIG).exists()


def refuse_a_run(path: Path) -> None:
    """Raises RunDirectoryError unless a run can be started in that directory: it does not exist, or is empty."""
    with storage_errors(path, "look into"):
        try:
            names = sorted(os.listdir(path))
        except FileNotFoundError:
            return
    # A run killed before its configuration was written leaves the lock and a temporary file: nothing to lose.
    names = [name for name in names if name != LOCK and not name.startswith(f".{CONFIG}.")]
    if CONFIG in names:
        raise RunDirectoryError(
            f"{path} holds a run already: continue it with --resume, or choose another directory with --out."
        )
    if names:
        raise RunDirectoryError(
            f"{path} is not empty (it holds {names[0]}): choose another directory for the run with --out."
        )


def _lock(path: Path) -> FileIO:
    """Hold the directory for this process; the system lets go of it however the process ends."""
    with storage_errors(path, "lock the run directory"):
        file = open(path / LOCK, "a+b", buffering=0)  # noqa: SIM115 (open as long as the run)
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        holder = file.read(20).decode(errors="replace").strip()
        file.close()
        raise RunDirectoryError(
            f"{path}: another process{f' ({holder})' if holder else ''} is training into this directory. "
            "Wait for it or end it, or choose another directory with --out."
        ) from error
    except OSError:
        pass  # some network file systems have no locks: better to train without one than not at all
    with suppress(OSError):  # only for the message above
        file.truncate(0)
        file.write(f"pid {os.getpid()}\n".encode())
    return file


def _remove_empty(path: Path, made: Sequence[Path]) -> None:
    """Remove the lock of a run directory, and folders that were made for it as far as nothing is in them."""
    with suppress(OSError):
        (path / LOCK).unlink(missing_ok=True)
        for folder in made:
            folder.rmdir()
