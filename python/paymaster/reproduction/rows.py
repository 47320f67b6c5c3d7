"""Rows: what was measured of a run, or of a scripted leader, in a file of JSON each, ``OUT/rows/KEY.json``.

A row carries a digest of itself, and its key follows from what was run; so one that was damaged, renamed, changed by
hand or taken from elsewhere is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from annotated_types import Ge, Interval

from paymaster.analysis.evaluate import Evaluation
from paymaster.reproduction.specs import key_of
from paymaster.storage.atomic import delete_leftovers, storage_errors, write_bytes
from paymaster.storage.sealed import read_json, sealed_json
from paymaster.validation.ranges import from_json

__all__ = [
    "BOUND",
    "BoundRow",
    "RunRow",
    "ScriptedRow",
    "check_key",
    "means_of",
    "read_row",
    "row_path",
    "scripted_key",
    "store_sealed",
    "write_row",
]

BOUND: Final = "upper_bound"
"""In a scripted leader's place: a gain that no leader exceeds."""
Count = Annotated[int, Interval(ge=0, lt=2**62)]
Share = Annotated[float, Interval(ge=0, le=1)]


@dataclass(frozen=True)
class Curve:
    """Mean gain of the episodes in each window of the training, and the episode at its end."""

    episode: list[Count]
    gain: list[float]


@dataclass(frozen=True)
class Training:
    """What a training showed; an episode's seconds and MiB of memory where they were measured."""

    curve: Curve
    learning_gain: float
    seconds: Annotated[float, Ge(0)] | None
    memory: float | None


@dataclass(frozen=True)
class Means:
    """Means per episode of an evaluation."""

    gain: float
    payments: float
    incentive: float
    completions: float
    follower_reward: float
    new_offers: float
    option_length: float
    episodes: Count


@dataclass(frozen=True)
class Attention:
    """Mean attention to followers whose offer has run its course, and whose contract runs; null without such steps."""

    attention_ended: Share | None
    attention_running: Share | None


@dataclass(frozen=True)
class Insight:
    """Mean termination probability, and share of the followers' actions foreseen; null for a leader without."""

    insight_termination: Share | None
    insight_prediction: Share | None


@dataclass(frozen=True)
class Prediction:
    """Accuracy and mean log-likelihood of predictors of the followers' actions (prediction.py)."""

    prediction_module: Share
    prediction_module_nats: float
    prediction_offer: Share
    prediction_offer_nats: float
    prediction_previous: Share
    prediction_previous_nats: float
    prediction_move: Share


@dataclass(frozen=True)
class RunRow:
    """Of a training run: its configuration, and what was measured so far; where it was trained, its commit."""

    key: str
    name: str
    commit: str | None
    config: dict[str, Any]
    training: Training
    evaluations: dict[str, Means]
    attention: Attention | None
    insight: Insight | None
    prediction: Prediction | None


@dataclass(frozen=True)
class ScriptedRow(Means):
    """Of a scripted leader, who needs no training: its games' parameters and how others learned, its evaluation."""

    key: str
    name: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class BoundRow:
    """Of the upper bound: its games' parameters, its mean over their episodes."""

    key: str
    name: str
    parameters: dict[str, Any]
    gain: float
    episodes: Count


def means_of(evaluation: Evaluation) -> dict[str, Any]:
    """Return the fields of :class:`Means`."""
    means = {name: of.mean for name, of in evaluation.intervals().items() if not name.startswith("completions_")}
    return {**means, "episodes": evaluation.episodes}


def scripted_key(task: str, leader: str, parameters: Mapping[str, Any], episodes: int) -> str:
    """Return the key of the row of a scripted leader."""
    described = json.dumps([parameters, episodes], sort_keys=True).encode()
    return f"{task}-{leader}-{hashlib.sha256(described).hexdigest()[:12]}"


def row_path(out: Path, name: str) -> Path:
    """The file of the row with that key."""
    return out / "rows" / f"{name}.json"


def read_row(out: Path, name: str) -> dict[str, Any]:
    """What is there of a row, as JSON; nothing where it has not been begun.

    Raises:
        ValueError: the file is damaged, or the row is another's; names the field.
        RunDirectoryError: it cannot be read.
    """
    path = row_path(out, name)
    try:
        with storage_errors(path, "read"):
            if not path.is_file():
                return {}
            row = read_json(path)
        return checked_row(row, name, str(path))
    except ValueError as error:
        raise ValueError(f"{error}. Delete the file to have it measured anew, or put it back as it was.") from None


def checked_row(row: dict[str, Any], name: str, where: str) -> dict[str, Any]:
    """The row, checked field by field, and against its key. Raises ValueError."""
    made: RunRow | ScriptedRow | BoundRow
    if "config" in row:
        later = {"commit": None, "insight": None, "prediction": None}  # fields that older rows lack
        made = from_json(RunRow, {**later, **row}, where)
        try:
            follows = key_of(made.config)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        if len(made.training.curve.episode) != len(made.training.curve.gain):
            raise ValueError(
                f"{where}: training.curve.gain: expected {len(made.training.curve.episode)} numbers as in episode, got "
                f"{len(made.training.curve.gain)}"
            )
    else:
        task, leader, *_ = f"{name}--".split("-")
        of = from_json(BoundRow, row, where) if leader == BOUND else from_json(ScriptedRow, row, where)
        made, follows = of, scripted_key(task, leader, of.parameters, of.episodes)
    check_key(name, made.key, follows, where)
    return row


def check_key(expected: str, own: str, follows: str, where: str) -> None:
    """Raise ValueError where a row's own key, or the one that follows from its configuration, is another's."""
    for what, key in (("its name", own), ("its configuration", follows)):
        if key != expected:
            raise ValueError(
                f"{where}: key: expected {expected!r}, got {key!r} by {what}: it is the row of another run"
            )


def write_row(out: Path, name: str, row: Mapping[str, Any]) -> None:
    """Write a row, at once or not at all.

    Raises:
        ValueError: it is none. RunDirectoryError: it cannot be written.
    """
    path = row_path(out, name)
    whole = checked_row({**row, "key": name}, name, str(path))
    store_sealed(path, whole)


def store_sealed(path: Path, row: Mapping[str, Any]) -> None:
    """Write a row with a digest of itself, at once or not at all. Raises RunDirectoryError where it cannot be."""
    with storage_errors(path.parent, "create"):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, sealed_json(row))
    with storage_errors(path.parent, "tidy"):
        delete_leftovers(path.parent, path.name)
