"""Jobs that end well or badly, in a module that a process imports at once: no torch, no tests."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Chore"]


@dataclass(frozen=True)
class Chore:
    """Write a file; or fail, or die."""

    name: str

    def perform(self, out: Path) -> None:
        if self.name == "fails":
            raise ValueError("on purpose")
        if self.name == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        (out / self.name).write_text(str(os.getpid()))
