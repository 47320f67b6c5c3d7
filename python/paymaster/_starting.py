"""Ctrl-C while the ``paymaster`` command still imports: it ends without a traceback. Imported before all else."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import NoReturn


def end_at_once(*_: object) -> NoReturn:
    """End the process; nothing is there yet that could be lost."""
    os.write(2, b"paymaster: interrupted\n")
    os._exit(130)


def _is_the_command() -> bool:
    """Whether this process was started as ``paymaster`` or ``python -m paymaster``, which alone is ours to end."""
    started, given = sys.argv[0] if sys.argv else "", sys.orig_argv
    if started == "-m":  # a module is still being looked for: its package is imported first
        command = "paymaster" in given[1:] and given[given.index("paymaster") - 1] == "-m"
    else:
        command = os.path.basename(started) in ("paymaster", "paymaster.exe")
    if not command or threading.current_thread() is not threading.main_thread():
        return False
    from multiprocessing import parent_process  # here: an import of paymaster as a library needs none

    return parent_process() is None


if _is_the_command() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, end_at_once)
