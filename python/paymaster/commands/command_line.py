"""Options on the command line: ranges, choices and defaults in --help, values read from text, paths with ``~``."""

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
    StructConstructorSpec,
    StructFieldSpec,
    StructTypeInfo,
)

from paymaster.terminal.printing import printable
from paymaster.training.config import TaskParameters
from paymaster.validation.parameters import TaskParameter, plain_parameters
from paymaster.validation.ranges import described

__all__ = ["UnreadableValueError", "a_path", "registry"]

_MARKUP: Final = re.compile(r"(?::\w+:`~?|``?)([^`]*)``?")
_NUMBERS: Final = {int: "INT", float: "FLOAT"}


def registry(
    choices: Mapping[str, str], parameters: Mapping[str, TaskParameter], meanings: Mapping[str, str]
) -> ConstructorRegistry:
    """Return rules for tyro by which help shows what is accepted.

    Args:
        choices: name of a text option -> what its value may be.
        parameters: of the task, each an option by the name that stands before it, its default that of the games.
        meanings: name of an option -> more about it, behind what its docstring says.
    """
    rules, inside = ConstructorRegistry(), False
    prefixes: dict[Any, str] = {}  # of the options in a dataclass that is a field of another

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
        prefix = prefixes.get(info.type, "")
        for field in spec.fields:
            if dataclasses.is_dataclass(_bare(field.type)):
                prefixes[_bare(field.type)] = "" if _has_no_name(field.type) else f"{prefix}{field.name}."
        fields = tuple(_shown(field, prefix, choices, meanings.get(field.name, "")) for field in spec.fields)
        return dataclasses.replace(spec, fields=fields)

    @rules.struct_rule
    def of_the_task(info: StructTypeInfo) -> StructConstructorSpec | None:
        if get_origin(info.type) is not get_origin(TaskParameters):
            return None
        given: Mapping[str, Any] = info.default if isinstance(info.default, Mapping) else {}
        fields = [
            StructFieldSpec(about.name, _option(option, about, choices), given.get(about.name), about.meaning)
            for option, about in parameters.items()
        ]

        def made(**values: Any) -> TaskParameters:
            return plain_parameters(values)

        return StructConstructorSpec(made, tuple(fields))

    return rules


class UnreadableValueError(Exception):
    """An option's value is no text of its type. No ValueError, of which tyro would make a message of its own."""


def a_path(name: str, text: str) -> Path:
    """Return a path given by a user, ``~`` expanded.

    Args:
        name: of the option.
        text: its value.

    Raises:
        ValueError: an empty text, an unknown home, or a path that messages and files could not show as it is: with
            control characters, or not in the encoding of the file system.
    """
    if not text:
        raise ValueError(f"{name}: expected a path, got an empty text")
    if printable(text) != text:
        raise ValueError(f"{name}: expected a path in UTF-8 without control characters, got {text!r:.80}")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # ~nobody
        raise ValueError(f"{name}: expected a path, got {text!r:.80} ({error})") from None


def _shown(field: Any, prefix: str, choices: Mapping[str, str], more: str) -> Any:
    """The field with what it accepts, its default, plain words in its help, and our reading of its value."""

    def plain() -> str | None:
        text = field.helptext() if callable(field.helptext) else field.helptext
        return _MARKUP.sub(r"\1", f"{text}\n{more}" if more else text) if text else text

    kind = _kind(field.type)
    bare = _bare(kind)
    if dataclasses.is_dataclass(bare) or bare == TaskParameters:
        return dataclasses.replace(field, helptext=plain)
    optional = kind is not field.type
    metavar = _metavar(field.name, kind, choices, optional=optional)
    notes: tuple[Any, ...] = (tyro.conf.arg(metavar=metavar, help_behavior_hint=_hint(kind)),)
    if bare in (int, float, str, Path) or _choices(bare) or (bare is bool and optional):  # a flag alone has no value
        notes += (_reader(f"{prefix}{field.name}", kind, metavar or "VALUE", optional=optional),)
    return dataclasses.replace(field, type=Annotated[(field.type, *notes)], helptext=plain)


def _option(option: str, about: TaskParameter, choices: Mapping[str, str]) -> Any:
    """The declared type of a parameter as an option; None where it is not given."""
    many = isinstance(about.default, list | tuple)
    metavar = "NUMBER[,NUMBER...]" if many else _metavar(about.name, about.kind, choices, optional=True)
    accepted = described(about.kind) if isinstance(about.default, int | float) and about.kind is not bool else ""
    text = "a map" if about.name == "map" and about.default else _text_of(about.default) or "''"
    said = "; ".join(filter(None, (accepted, f"default: {text}")))
    shown = tyro.conf.arg(name=option, metavar=metavar, help_behavior_hint=f"({said})")
    return Annotated[about.kind | None, shown, _reader(about.name, about.kind, metavar or "VALUE", optional=True)]


def _text_of(value: Any) -> str:
    """As it stands on a command line."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _reader(name: str, kind: Any, metavar: str, *, optional: bool) -> PrimitiveConstructorSpec[Any]:
    """How an option's text becomes its value."""

    def read(words: list[str]) -> Any:
        if optional and words == ["None"]:
            return None
        try:
            return a_path(name, words[0]) if _bare(kind) is Path else _value(kind, words[0])
        except (KeyError, ValueError) as error:
            message = f"{name}: expected {described(kind)}, got {words[0]!r:.80}"
            raise UnreadableValueError(str(error) if _bare(kind) is Path else message) from None

    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=metavar,
        instance_from_str=read,
        is_instance=lambda value: value is None or isinstance(value, str | int | float | list | Path),
        str_from_instance=lambda value: [_text_of(value)],
    )


def _value(kind: Any, text: str) -> Any:
    """The value of a declared type that a text stands for; ranges are checked later. Raises KeyError or ValueError."""
    bare = _bare(kind)
    if bare is bool:
        return {"true": True, "false": False}[text.lower()]
    choices = _choices(bare)
    if choices:
        return choices[choices.index(text)]
    if get_origin(bare) in (Union, UnionType):  # a number, or a list of numbers
        return [float(number) for number in text.split(",")] if "," in text else float(text)
    return bare(text)


def _choices(kind: Any) -> tuple[str, ...]:
    """Of a Literal, or of several."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    each = [_choices(one) for one in get_args(kind)] if get_origin(kind) in (Union, UnionType) else []
    return tuple(choice for choices in each for choice in choices)


def _has_no_name(declared: Any) -> bool:
    """Whether a dataclass's options stand on the command line without its field's name: ``tyro.conf.arg(name="")``."""
    return any(getattr(note, "name", None) == "" for note in getattr(declared, "__metadata__", ()))


def _kind(declared: Any) -> Any:
    """The type without None, with its range."""
    if get_origin(declared) is Annotated and get_origin(get_args(declared)[0]) in (Union, UnionType):
        declared = get_args(declared)[0]  # with a name of its own
    others = [one for one in get_args(declared) if one is not type(None)]
    return others[0] if len(others) == 1 and get_origin(declared) in (Union, UnionType) else declared


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


def _hint(kind: Any) -> Callable[[str], str]:
    accepted = described(kind) if kind is not _bare(kind) and _bare(kind) in _NUMBERS else ""

    def hint(default: str) -> str:
        said = "" if default in ("None", "") else f"default: {default}"
        text = "; ".join(filter(None, (accepted, said)))
        return f"({text})" if text else ""

    return hint
