"""How options look on the command line: ranges, choices and defaults in --help, paths with ``~``."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import tyro
from tyro.constructors import (
    ConstructorRegistry,
    PrimitiveConstructorSpec,
    PrimitiveTypeInfo,
    StructConstructorSpec,
    StructTypeInfo,
)

from paymaster.training.config import TaskConfig
from paymaster.validation.ranges import described

__all__ = ["a_path", "registry"]

_MARKUP: Final = ((r":\w+:`~?([^`]*)`", r"\1"), (r"``([^`]*)``", r"\1"), (r"`([^`]*)`", r"\1"))
_NUMBERS: Final = {int: "INT", float: "FLOAT"}


def registry(choices: Mapping[str, str]) -> ConstructorRegistry:
    """Return rules for tyro by which help shows what is accepted.

    Args:
        choices: name of a text option -> what its value may be.
    """
    rules, inside = ConstructorRegistry(), False

    @rules.struct_rule
    def shown(info: StructTypeInfo) -> StructConstructorSpec | None:
        nonlocal inside
        if inside or not dataclasses.is_dataclass(info.type):
            return None
        inside = True
        try:
            spec = ConstructorRegistry.get_struct_spec(info)
        finally:
            inside = False
        if not isinstance(spec, StructConstructorSpec):
            return None
        fields = tuple(_shown(field, info.type, choices) for field in spec.fields)
        return dataclasses.replace(spec, fields=fields)

    @rules.primitive_rule
    def path(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Path] | None:
        if info.type is not Path:
            return None
        return PrimitiveConstructorSpec(
            nargs=1,
            metavar="PATH",
            instance_from_str=lambda words: a_path(words[0]),
            is_instance=lambda value: isinstance(value, Path),
            str_from_instance=lambda value: [str(value)],
        )

    return rules


def a_path(text: str) -> Path:
    """Return a path given by a user, ``~`` expanded. Raises ValueError for none."""
    if not text:
        raise ValueError("expected a path, got an empty text")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # ~nobody
        raise ValueError(f"expected a path, got {text!r:.80} ({error})") from None


def _shown(field: Any, owner: type, choices: Mapping[str, str]) -> Any:
    """The field with what it accepts, its default, and plain words in its help."""
    text = field.helptext
    plain: Callable[[], str | None] = lambda: _plain(text() if callable(text) else text)  # noqa: E731
    kind = _kind(field.type)
    if dataclasses.is_dataclass(_bare(kind)):
        return dataclasses.replace(field, helptext=plain)
    metavar = _metavar(field.name, kind, choices, optional=kind is not field.type)
    look = tyro.conf.arg(metavar=metavar, help_behavior_hint=_hint(kind, owner))
    return dataclasses.replace(field, type=Annotated[field.type, look], helptext=plain)


def _kind(declared: Any) -> Any:
    """The type without None, with its range."""
    if get_origin(declared) in (Union, UnionType):
        others = [one for one in get_args(declared) if one is not type(None)]
        return others[0] if len(others) == 1 else declared
    return declared


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _metavar(name: str, kind: Any, choices: Mapping[str, str], *, optional: bool) -> str | None:
    if name in choices:
        return choices[name]
    bare = _bare(kind)
    if get_origin(bare) is Literal:
        return "{" + ",".join(map(str, get_args(bare))) + "}"
    if bare is bool:
        return "{True,False}" if optional else None
    return _NUMBERS.get(bare, {str: "TEXT", Path: "PATH"}.get(bare))


def _hint(kind: Any, owner: type) -> Callable[[str], str]:
    accepted = described(kind) if kind is not _bare(kind) and _bare(kind) in _NUMBERS else ""

    def hint(default: str) -> str:
        if default in ("None", ""):
            said = "default: the preset's" if owner is TaskConfig else ""
        else:
            said = f"default: {default}"
        parts = [part for part in (accepted, said) if part]
        return f"({'; '.join(parts)})" if parts else ""

    return hint


def _plain(text: str | None) -> str | None:
    for pattern, replacement in _MARKUP if text else ():
        text = re.sub(pattern, replacement, text or "")
    return text
