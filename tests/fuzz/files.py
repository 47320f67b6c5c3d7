"""Damaged run directories and rows: refused by a clear error, or without consequence.

Half of the damage carries a digest that is right, as of somebody who wants to be believed; the rest is that of a
failing disk or of an editor.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from fuzz.values import integer, number, text
from paymaster.analysis.evaluate import evaluate_run
from paymaster.analysis.inspection import inspect_run
from paymaster.reproduction.rows import read_row, scripted_key, write_row
from paymaster.storage.atomic import RunDirectoryError
from paymaster.storage.sealed import BLANK, seal
from paymaster.training.config import TrainConfig
from paymaster.training.train import train

__all__ = ["call", "prepare"]

_CONFIG = TrainConfig("resource_collection", episodes=16, num_envs=8, hidden=4, checkpoint_every=8)
_RUNS = {
    "rule": _CONFIG,
    "meta": TrainConfig(
        "navigation",
        episodes=16,
        num_envs=8,
        hidden=4,
        checkpoint_every=8,
        parameters={"followers": "meta", "horizon": 5},
    ),
}
_ALLOWED = (ValueError, TypeError, RunDirectoryError)
_DIGEST = re.compile(rb'(sha256\\?": ?\\?")[0-9a-f]{64}')


def prepare() -> None:
    """Trains the runs that are damaged."""
    for name in _RUNS:
        for seed in (0, 1):
            _trained(name, seed)


def call(draw: Random) -> None:
    """Damages a copy of a run or of a row, and opens it. Raises AssertionError where the damage was believed."""
    with tempfile.TemporaryDirectory() as scratch:
        if draw.random() < 0.2:
            _on_a_row(draw, Path(scratch))
        else:
            _on_a_run(draw, Path(scratch) / "run")


def _on_a_run(draw: Random, copy: Path) -> None:
    name = draw.choice(list(_RUNS))
    run, expected = _trained(name, 0)
    shutil.copytree(run, copy)
    before = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    believed = draw.choice(_DAMAGES)(draw, copy)
    use = draw.randrange(4)
    try:
        if use == 0:
            inspect_run(copy, 2, 0)
        elif use == 1:
            train(_RUNS[name], copy, resume=True)
            kept = ("config.json", "metrics.jsonl", "checkpoint-00000016.safetensors")
            assert believed or all((copy / part).read_bytes() == before[part] for part in kept), (
                "resumed to other bytes"
            )
        else:
            gain = evaluate_run(copy, 3).gain
            assert np.isfinite(gain).all(), "a gain that is not finite"
            assert believed or (gain == expected).all(), "the damage changed the numbers"
    except _ALLOWED as error:
        message = str(error)
        assert message, f"{type(error).__name__} without a message"
        assert len(message) < 2_000, f"a message of {len(message)} characters: {message[:200]}"
        assert "expected" in message or "cannot" in message, message


def _on_a_row(draw: Random, out: Path) -> None:
    parameters = {"payment": "advance"}
    name = scripted_key("navigation", "full_information", parameters, 5)
    measures = ("gain", "payments", "incentive", "completions", "follower_reward", "new_offers", "option_length")
    row: dict[str, Any] = {"name": "x", "parameters": parameters, "episodes": 5, **dict.fromkeys(measures, 1.0)}
    write_row(out, name, row)
    path = out / "rows" / f"{name}.json"
    whole = read_row(out, name)
    believed = draw.choice((_flip, _cut, _change_json))(draw, path)
    try:
        found = read_row(out, name)
    except _ALLOWED as error:
        assert "expected" in str(error), str(error)
        assert len(str(error)) < 2_000
    else:
        assert believed or found == whole, "the damage changed the row"


# ---- damages; each says whether what is there now carries a right digest


def _some(draw: Random, run: Path) -> Path:
    return draw.choice(sorted(path for path in run.iterdir() if path.is_file() and path.name != ".lock"))


def _flip_file(draw: Random, run: Path) -> bool:
    return _flip(draw, _some(draw, run))


def _cut_file(draw: Random, run: Path) -> bool:
    return _cut(draw, _some(draw, run))


def _flip(draw: Random, path: Path) -> bool:
    data = bytearray(path.read_bytes())
    for _ in range(draw.choice((1, 1, 3))):
        if data:
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    path.write_bytes(data)
    return False


def _cut(draw: Random, path: Path) -> bool:
    data = path.read_bytes()
    at = draw.randrange(len(data) + 1)
    path.write_bytes(draw.choice((data[:at], data[:at] + data[at + 1 :], data + data[:at], b"", data + b"\n")))
    return False


def _rename(draw: Random, run: Path) -> bool:
    checkpoints = sorted(run.glob("checkpoint-*.safetensors"))
    draw.choice(checkpoints).rename(run / f"checkpoint-{draw.choice((8, 16, 24, 10**9)):08d}.safetensors")
    return False


def _foreign(draw: Random, run: Path) -> bool:
    other, _ = _trained(draw.choice(list(_RUNS)), 1)
    part = draw.choice(("config.json", "metrics.jsonl", "checkpoint-00000016.safetensors"))
    shutil.copy(other / part, run / part)
    return False


def _rows(draw: Random, run: Path) -> bool:
    path = run / "metrics.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    kind = draw.randrange(4)
    if kind == 0:
        del lines[draw.randrange(len(lines))]
    elif kind == 1:
        lines.append(draw.choice((lines[0], "{}\n", "[" * 5_000 + "\n", '{"episode": 1e400}\n', '{"episode": 24}')))
    elif kind == 2:
        lines.reverse()
    else:
        row = json.loads(lines[0])
        row[draw.choice([*row, text(draw)])] = draw.choice((number_in_json(draw), text(draw), [], None))
        lines[0] = json.dumps(row) + "\n"
    path.write_text("".join(lines), encoding="utf-8", errors="surrogatepass")
    return False


def _forge_config(draw: Random, run: Path) -> bool:
    return _change_json(draw, run / "config.json")


def _change_json(draw: Random, path: Path) -> bool:
    """Another value somewhere, under a right digest."""
    value = json.loads(path.read_text())
    _change_somewhere(draw, value)
    return _sealed(path, json.dumps(value, indent=2).encode("utf-8", "surrogatepass"))


def _forge_header(draw: Random, run: Path) -> bool:
    """Another value in a checkpoint's header, under a right digest."""
    path = draw.choice(sorted(run.glob("checkpoint-*.safetensors")))
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    if draw.random() < 0.7:
        body = json.loads(header["__metadata__"]["paymaster"])
        _change_somewhere(draw, body)
        header["__metadata__"]["paymaster"] = json.dumps(body)
    else:
        _change_somewhere(draw, header)
    text_ = json.dumps(header).encode("utf-8", "surrogatepass")
    text_ += b" " * (-len(text_) % 8)
    return _sealed(path, len(text_).to_bytes(8, "little") + text_ + data[8 + length :])


def _forge_tensors(draw: Random, run: Path) -> bool:
    """Other bytes in a checkpoint's tensors, under a right digest."""
    path = run / "checkpoint-00000016.safetensors"
    data = bytearray(path.read_bytes())
    first = 8 + int.from_bytes(data[:8], "little")
    for _ in range(draw.choice((1, 4, 64))):
        at = draw.randrange(first, len(data) - 4)
        data[at : at + 4] = draw.choice(
            (b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\xff" * 4, bytes([draw.randrange(256)] * 4))
        )
    return _sealed(path, bytes(data))


def _sealed(path: Path, data: bytes) -> bool:
    with contextlib.suppress(ValueError):  # the change took the digest's place away
        data = seal(_DIGEST.sub(rb"\g<1>" + BLANK.encode(), data, count=1))
    path.write_bytes(data)
    return True


def _change_somewhere(draw: Random, value: Any) -> None:
    """Changes, adds or drops an entry of a nested JSON value."""
    while isinstance(value, (dict, list)) and value:
        place: Any = draw.choice(list(value)) if isinstance(value, dict) else draw.randrange(len(value))
        if isinstance(value[place], (dict, list)) and value[place] and draw.random() < 0.8:
            value = value[place]
            continue
        kind = draw.randrange(6)
        if kind == 0:
            del value[place]
        elif kind == 1 and isinstance(value, dict):
            value[draw.choice(("extra", "é", "", "a.b"))] = number_in_json(draw)
        elif kind == 2:
            value[place] = _deep(draw.choice((50, 5_000)) if draw.random() < 0.2 else 3)
        else:
            value[place] = draw.choice((number_in_json(draw), text(draw)[:200], True, None, {}, [], [1], "x"))
        return


def _deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(min(levels, 900)):  # json.dumps goes no deeper
        value = [value]
    return value


def number_in_json(draw: Random) -> Any:
    """A number that JSON can hold, or a NaN, for which Python's parser has a word."""
    value = number(draw)
    return integer(draw) if not isinstance(value, (int, float)) or isinstance(value, np.generic) else value


_DAMAGES: tuple[Callable[[Random, Path], bool], ...] = (
    _flip_file, _cut_file, _rename, _foreign, _rows, _forge_config, _forge_config, _forge_header, _forge_header,
    _forge_tensors, _forge_tensors,
)  # fmt: skip


@cache
def _trained(name: str, seed: int) -> tuple[Path, Any]:
    """A run directory, made once a process, and the gains of an evaluation of it."""
    import dataclasses

    run = Path(tempfile.mkdtemp()) / "run"
    with contextlib.redirect_stderr(io.StringIO()):
        train(dataclasses.replace(_RUNS[name], seed=seed), run)
    return run, evaluate_run(run, 3).gain
