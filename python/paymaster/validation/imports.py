"""Classes and functions by import path, ``module:Name``: how files and commands name what others have written."""

from __future__ import annotations

import importlib
import re
from typing import Any

__all__ = ["import_path", "imported", "is_import_path"]

_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:.+")  # no drive letter with a backslash, and no URL

_given: dict[str, Any] = {}  # what this process was handed, by path: a class in a function cannot be imported


def is_import_path(text: object) -> bool:
    """Tell whether a text has the form ``module:Name``."""
    return isinstance(text, str) and _PATH.fullmatch(text) is not None and ":\\" not in text and ":/" not in text


def import_path(argument: str, thing: Any) -> str:
    """Return the import path of a class or function, by which :func:`imported` finds it, here or in another process.

    What cannot be imported, such as a class within a function or in a notebook, is found in this process alone.

    Args:
        argument: whose value it is, for the message.
        thing: the class or function; a text is returned as it is.

    Raises:
        TypeError: neither.
    """
    if isinstance(thing, str):
        return thing
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not callable(thing) or module is None or name is None:
        raise TypeError(f"{argument}: expected a class, a function or its import path, got {type(thing).__name__}")
    path = f"{module}:{name}"
    _given[path] = thing
    return path


def imported(argument: str, path: str, what: str = "Class") -> Any:
    """Import a class or function.

    Args:
        argument: whose value the path is, for the message.
        path: ``module:Name``; dots in the name lead into classes.
        what: stands for the name in the message.

    Raises:
        ValueError: it cannot be imported, whatever the module raises.
    """
    module, _, name = path.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:  # whatever a module does when it is imported
        if path in _given:
            return _given[path]
        why = f"{type(error).__name__}: {error}"
        raise ValueError(
            f"{argument}: expected 'module:{what}' that can be imported, got {path!r:.80} ({why})"
        ) from error
    return found
