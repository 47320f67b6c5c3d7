"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from annotated_types import Interval

from paymaster.commands.command_line import a_path
from paymaster.training.config import TaskParameters

__all__ = ["Games", "GamesSeed", "Note", "expanded", "with_map"]

Games: TypeAlias = Annotated[int, Interval(ge=1, le=10**7)]
"""Episodes to play."""
GamesSeed: TypeAlias = Annotated[int, Interval(ge=0, lt=2**62)]
"""Of games that training did not see."""


class Note(UserWarning):
    """Something that a user may not have meant, but can; printed in a line."""


def expanded(leader: str) -> str:
    """Return a leader as given by a user, with ``~`` expanded where it is a run directory.

    Raises:
        ValueError: it is no path, as for :func:`~paymaster.commands.command_line.a_path`.
    """
    path = a_path("leader", leader)
    return str(path) if leader.startswith("~") else leader  # "./random" is a directory, "random" is not


def with_map(parameters: TaskParameters) -> TaskParameters:
    """The parameters with the map's text in place of a file's name."""
    given = parameters.get("map")
    if not isinstance(given, str) or "\n" in given or "#" in given:
        return parameters
    file = a_path("map", given)
    try:
        content = file.read_bytes()
        text = content.decode("utf-8-sig")
    except UnicodeError:
        text = "\0"
    except (OSError, ValueError) as error:
        raise ValueError(f"map: expected a map's text or a readable file that holds it, got {error}") from None
    if "\0" in text:
        other = "UTF-16" if b"\0" in content else "another encoding"
        raise ValueError(f"map: expected a file in UTF-8, got {str(file)!r:.80}, which is in {other}")
    if not text.strip():
        raise ValueError(f"map: expected a file that holds a map, got an empty one, {str(file)!r:.80}")
    return {**parameters, "map": text}
