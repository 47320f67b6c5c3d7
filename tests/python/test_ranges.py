"""Declared types and ranges: what is accepted, from Python and from JSON, and what messages say."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Interval, Le, Len, Lt

from paymaster.validation.ranges import check_fields, described, from_json, parse_json


@dataclass(frozen=True)
class Rules:
    interval: Annotated[int, Interval(ge=0, le=1_000)] = 0
    share: Annotated[float, Interval(ge=0, le=1)] = 0.5


@dataclass(frozen=True)
class Settings:
    name: Annotated[str, "some other note"]
    seed: Annotated[int, Ge(0), Lt(2**63)] = 0
    rate: Annotated[float, Gt(0)] = 1e-3
    kind: Literal["dense", "sparse"] = "dense"
    flag: bool = True
    size: Annotated[int, Ge(1)] | None = None
    rules: Rules = field(default_factory=Rules)
    counts: Annotated[list[Annotated[int, Le(9)]], Len(1, 3)] = field(default_factory=lambda: [1])
    pair: tuple[int, float] = (1, 2.0)
    named: dict[str, float] = field(default_factory=dict)
    free: Any = None


WHOLE: dict[str, Any] = {
    "name": "a",
    "seed": 5,
    "rate": 2,
    "kind": "sparse",
    "flag": False,
    "size": 3,
    "rules": {"interval": 7, "share": 1},
    "counts": [1, 2],
    "pair": [1, 0.5],
    "named": {"x": 1.5},
    "free": {"anything": [None]},
}


def test_what_is_declared_is_made() -> None:
    made = from_json(Settings, WHOLE, "file")
    rest = {"counts": [1, 2], "pair": (1, 0.5), "named": {"x": 1.5}, "free": {"anything": [None]}}
    assert made == Settings("a", 5, 2.0, "sparse", False, 3, Rules(7, 1.0), **rest)
    assert type(made.rate) is float and type(made.rules.share) is float
    check_fields(made)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": True}, r"file: seed: expected a whole number in \[0, 2\^63\), got True"),
        ({"seed": 1.0}, "seed: expected a whole number"),
        ({"seed": -1}, r"seed: .*got -1"),
        ({"seed": 2**63}, "seed: "),
        ({"seed": 10**5_000}, "seed: .* got a whole number of 16610 bits"),
        ({"rate": 0}, "rate: expected a number above 0, got 0"),
        ({"rate": 10**400}, "rate: "),
        ({"rate": math.nan}, "rate: expected .* got nan"),
        ({"rate": math.inf}, "rate: expected .* got inf"),
        ({"rate": "1"}, "rate: expected .* got '1'"),
        ({"kind": "thick"}, "kind: expected one of dense, sparse, got 'thick'"),
        ({"flag": 1}, "flag: expected true or false, got 1"),
        ({"size": 0}, "size: expected a whole number of at least 1 or null, got 0"),
        ({"name": "\ud800"}, r"name: expected text, got '\\ud800'"),
        ({"name": None}, "name: expected text, got None"),
        ({"rules": {"interval": 1_001, "share": 0}}, r"file: rules.interval: expected .*\[0, 1,000\], got 1001"),
        ({"rules": {"interval": 1}}, r"rules.share: expected a number in \[0, 1\], got nothing"),
        (
            {"rules": {"interval": 1, "share": 0, "more": 1}},
            r"rules\.'more': expected one of the fields interval, share",
        ),
        ({"rules": [1]}, "rules: expected an object with the fields interval, share, got a list of 1"),
        ({"counts": []}, "counts: expected a list of length at least 1 and at most 3, got a list of 0"),
        ({"counts": [1, 10]}, r"counts\[1\]: expected a whole number of at most 9, got 10"),
        ({"pair": [1]}, "pair: expected 2 items, got 1"),
        ({"pair": [1, True]}, r"pair\[1\]: expected a number, got True"),
        ({"named": {"x": None}}, r"named\.x: expected a number, got None"),
    ],
)
def test_what_is_not_declared_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_json(Settings, {**WHOLE, **change}, "file")


def test_a_field_of_a_file() -> None:
    with pytest.raises(ValueError, match=r"^file: config\.seed: expected"):
        from_json(Settings, {**WHOLE, "seed": -1}, "file", "config")


def test_missing_and_unknown_fields() -> None:
    with pytest.raises(ValueError, match="file: name: expected text, got nothing"):
        from_json(Settings, {name: value for name, value in WHOLE.items() if name != "name"}, "file")
    with pytest.raises(ValueError, match=r"file: expected an object with the fields name, .* got 'text'"):
        from_json(Settings, "text", "file")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings("a", seed=-1), r"^seed: expected a whole number in \[0, 2\^63\), got -1"),
        (Settings("a", rules=Rules(share=math.nan)), r"^rules.share: expected a number in \[0, 1\], got nan"),
        (Settings("a", rate="fast"), "^rate: expected a number above 0, got 'fast'"),  # type: ignore[arg-type]
        (Settings("a", size=0), "^size: "),
        (Settings("x" * 9, kind="y" * 900), r"^kind: .*got 'y{76}\.\.\.$"),  # type: ignore[arg-type]
    ],
)
def test_values_in_python_meet_the_same_ranges(settings: Settings, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_fields(settings)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{} {}",
        '{"a": 1, "a": 2}',
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": 1e999}',
        '{"a": ' + "9" * 5_000 + "}",
        "[" * 33 + "]" * 33,
        "[" * 100_000,
        '{"a":' * 100_000,
        b"\xff\xfe{}",
        '"' + "\\" * 99,
    ],
)
def test_what_is_no_strict_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"^a file: expected JSON"):
        parse_json(text, "a file")


def test_brackets_in_text_do_not_count() -> None:
    deep = "[" * 32 + '"[[[{{{\\"[[["' + "]" * 32
    assert parse_json(deep, "a file") is not None
    assert parse_json('"' + "[" * 1_000 + '"', "a file") == "[" * 1_000


def test_ranges_in_words() -> None:
    assert described(Annotated[int, Interval(ge=1, le=10**6)]) == "a whole number in [1, 1,000,000]"
    assert described(Annotated[float, Interval(gt=0, lt=0.5)]) == "a number in (0, 0.5)"
    assert described(Annotated[int, Lt(3)] | None) == "a whole number below 3 or null"
    assert described(bool) == "true or false"
