"""The command's standard streams: what encoding, width and a reader that has gone away make of them."""

from __future__ import annotations

import codecs
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from rich.console import Console

from paymaster.experiments.printing import UNLIMITED, encodable

__all__ = ["of_output", "open_console", "quiet_streams", "reader_has_gone"]

_REPLACE = "paymaster-replace"


def open_console() -> Console:
    """Return a console on standard output: as wide as the terminal, without limit in a pipe or file; no markup."""
    width = None if sys.stdout.isatty() else UNLIMITED
    return _Console(width=width, markup=False, highlight=False, emoji=False)


def reader_has_gone() -> bool:
    """Return whether nobody reads standard output any more."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
    except (AttributeError, OSError, ValueError):  # no poll, as on Windows, or no file
        return True


def of_output(error: BaseException) -> BaseException:
    """Return the error, or one that says so where standard output could not be written, as on a full disk."""
    try:
        sys.stdout.flush()  # what could not be written is still to be written
    except OSError as failed:
        return OSError(f"standard output: expected a file that can be written, got: {failed.strerror or failed}")
    except ValueError:  # closed
        pass
    return error


@contextmanager
def quiet_streams() -> Iterator[None]:
    """Make standard streams take whatever is printed: characters they lack are replaced, a closed one swallows all.

    Raises:
        BrokenPipeError: whoever read standard output has gone away. From then on it swallows what is printed.
    """
    codecs.register_error(_REPLACE, _replaced)
    with _opened("stdout"), _opened("stderr"):
        before = {stream: getattr(stream, "errors", None) for stream in (sys.stdout, sys.stderr)}
        for stream in before:
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors=_REPLACE)
        try:
            yield
            sys.stdout.flush()
        except BrokenPipeError:
            _swallow()
            raise
        except BaseException:
            with suppress(OSError, ValueError):
                sys.stdout.flush()
            raise
        finally:
            try:
                sys.stdout.flush()
            except OSError:  # a full disk: else the interpreter complains once more when it ends
                _swallow()
            for stream, errors in before.items():
                if errors is not None and hasattr(stream, "reconfigure"):
                    stream.reconfigure(errors=errors)


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        raise BrokenPipeError


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return encodable(error.object[error.start : error.end], error.encoding), error.end


@contextmanager
def _opened(name: str) -> Iterator[None]:
    """A stream that was closed before the program started (``>&-``) as one that swallows everything."""
    if getattr(sys, name) is not None:
        yield
        return
    nowhere = open(os.devnull, "w")  # noqa: SIM115 (takes the closed one's number, lest a run's file does)
    setattr(sys, name, nowhere)
    try:
        yield
    finally:
        setattr(sys, name, None)
        nowhere.close()


def _swallow() -> None:
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
