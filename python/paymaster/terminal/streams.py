"""The command's standard streams: what encoding, width and a reader that has gone away make of them."""

from __future__ import annotations

import codecs
import os
import select
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any, NoReturn, TextIO

from rich.console import Console

from paymaster.terminal.printing import UNLIMITED, encodable

__all__ = ["open_console", "quiet_streams", "reader_has_gone"]

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


@contextmanager
def quiet_streams() -> Iterator[None]:
    """Make standard streams take whatever is printed: characters they lack are replaced, a closed one swallows all.

    Raises:
        BrokenPipeError: whoever read standard output has gone away. From then on it swallows what is printed.
        OSError: standard output cannot be written, as on a full disk; says so.
    """
    codecs.register_error(_REPLACE, _replaced)
    with ExitStack() as redirected:
        for stream, redirect in ((sys.stdout, redirect_stdout), (sys.stderr, redirect_stderr)):
            if stream is None:  # closed before the program started (``>&-``): takes its number, lest a run's file does
                redirected.enter_context(redirect(redirected.enter_context(open(os.devnull, "w"))))
        redirected.enter_context(redirect_stdout(_Output(sys.stdout)))
        streams: tuple[Any, ...] = (sys.stdout, sys.stderr)
        before = {stream: stream.errors for stream in streams if hasattr(stream, "reconfigure")}
        for stream in before:
            stream.reconfigure(errors=_REPLACE)
        try:
            yield
            sys.stdout.flush()
        except BrokenPipeError:
            _swallow()
            raise
        finally:
            try:
                sys.stdout.flush()
            except OSError:  # a full disk: else the interpreter complains once more when it ends
                _swallow()
            for stream, errors in before.items():
                stream.reconfigure(errors=errors)


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        raise BrokenPipeError


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return encodable(error.object[error.start : error.end], error.encoding), error.end


class _Output:
    """Standard output whose errors say that they are its own: the system's name no file."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with _naming_output():
            return self._stream.write(text)

    def flush(self) -> None:
        with _naming_output():
            self._stream.flush()


@contextmanager
def _naming_output() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(f"cannot write standard output: {error.strerror or error}") from error


def _swallow() -> None:
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
