"""Which code a row was made by."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

import paymaster

__all__ = ["commit"]


@cache
def commit() -> str | None:
    """Return the commit of the checkout that the package lies in, "-changed" behind it where files differ from it; None
    for an installed package."""
    package = Path(paymaster.__file__).resolve().parent
    described = _git(package, "describe", "--always", "--abbrev=12", "--dirty=-changed", "--exclude=*")
    within = _git(package, "ls-files", "--error-unmatch", "__init__.py")  # not only beside somebody else's files
    return described if within else None


def _git(place: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(place), *arguments], capture_output=True, text=True, check=False)
    except OSError:  # no git here
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
