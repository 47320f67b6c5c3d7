"""Writing a file so that a reader, and a `kill -9`, sees the old content or the new, never a mixture.

Everything kept in a run directory goes through here: the bytes are written beside the target, forced to the
disk (fsync), and renamed over it. `storage_errors` turns the operating system's errors into one clear class.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"

TEMPORARY_SUFFIX = ".tmp"

_CURES = {
    errno.ENOSPC: "Free some space there; a run goes on from its last checkpoint with --resume.",
    errno.EDQUOT: "Free some of your quota there; a run goes on from its last checkpoint with --resume.",
    errno.EACCES: "Choose a directory you may write to (--out), or have its permissions changed.",
    errno.EPERM: "Choose a directory you may write to (--out), or have its permissions changed.",
    errno.EROFS: "That file system is read-only: choose another directory (--out).",
    errno.ENOTDIR: "A part of the path is a file, not a directory: choose another directory (--out).",
    errno.ENOENT: "A part of the path does not exist (any more): check it.",
}


class RunDirectoryError(OSError):
    """A run directory, or a file in it, cannot be made, read or written; says which, why and what to do."""


@contextmanager
def storage_errors(path: str | os.PathLike[str], action: str) -> Iterator[None]:
    """Reraise any `OSError` of the block as a `RunDirectoryError` that names `path`, the cause and the cure.

    Args:
        path: what the block works on.
        action: the verb for the message, as in "cannot write PATH".
    """
    try:
        yield
    except RunDirectoryError:
        raise
    except OSError as error:
        cure = _CURES.get(error.errno or 0, "")
        cause = error.strerror or error
        explained = RunDirectoryError(
            f"cannot {action} {os.fspath(path)}: {cause}. What was there before is unchanged. {cure}".rstrip()
        )
        explained.errno = error.errno
        raise explained from error


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Give the file `path` the content `data`, at once or not at all.

    Raises:
        RunDirectoryError: full disk, unwritable directory, ...; the old content is then still there.
    """
    target = Path(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    with storage_errors(target, "write"):
        try:
            with open(beside, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, target)
        except BaseException:
            with suppress(OSError):
                beside.unlink()
            raise
        _sync_directory(target.parent)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Give the file `path` the content `text` (UTF-8), at once or not at all; errors as for `write_bytes`."""
    write_bytes(path, text.encode("utf-8"))


def delete_leftovers(directory: Path, name: str = "") -> None:
    """Delete what killed processes have left of writing files that one process alone writes at a time.

    Args:
        directory: of the files; what is below it stays.
        name: of the file; by default all.

    Raises:
        OSError: one cannot be deleted.
    """
    for leftover in directory.glob(f".{name}*{TEMPORARY_SUFFIX}"):
        if leftover.is_file():
            leftover.unlink(missing_ok=True)


def _sync_directory(path: Path) -> None:
    """Force the names in the directory `path` to the disk, so that a rename in it survives a power cut."""
    if os.name != "posix":
        return  # elsewhere a directory cannot be opened for this
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
