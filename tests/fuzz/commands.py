"""Hostile command lines, run in this process in a scratch directory of their own."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from functools import cache
from pathlib import Path
from random import Random

from fuzz.values import integer, text
from paymaster.commands.main import main

__all__ = ["call", "prepare"]

_TASK = "resource_collection"
_QUICK = ["--episodes", "8", "--num-envs", "8", "--hidden", "4", "--evaluate", "0"]
_LEGAL: dict[str, list[list[str]]] = {
    "train": [["train", _TASK, *_QUICK, "--out", "new"], ["train", "navigation", *_QUICK, "--followers", "meta"]],
    "resume": [["train", _TASK, *_QUICK, "--out", "RUN", "--resume"]],
    "evaluate": [["evaluate", "RUN", "--episodes", "4"], ["evaluate", "fixed", "--task", _TASK, "--episodes", "4"]],
    "render": [["render", "preference", "--task", _TASK, "--step", "2", "--out", "a.png"]],
    "inspect": [["inspect", "RUN", "--episodes", "2", "--out", "."]],
    "diagnose": [["diagnose", "RUN", "--episodes", "2", "--retrain", "0"]],
    "reproduce": [["reproduce", "nothing"]],
    "tasks": [["tasks"]],
    "bench": [["bench", "--seconds", "0.001", "--repeats", "1"]],
}
_OPTIONS = (
    "--episodes", "--num-envs", "--seed", "--hidden", "--torch-threads", "--device", "--out", "--leader", "--payment",
    "--followers", "--map", "--noise", "--num-followers", "--horizon", "--population-seed", "--population", "--task",
    "--learner.learning-rate", "--learner.gamma", "--learner.options.interval", "--learner.epochs", "--step",
    "--follower-learner.hidden", "--greedy", "--strangers", "--replace", "--replace-every", "--json", "--resume",
    "--seeds", "--settings", "--checkpoint-every", "--help", "--version", "--all", "--no-such-option",
    "--config", "--num-goals", "--body-size", "--parameters.noise",
)  # fmt: skip
_WORDS = (
    "nan", "inf", "-1", "1e999", "0x10", "True", "None", "cpu", "meta", "cuda:9", "RUN", "m3rl", "fixed-interval(0)",
    "advance", "auto", "", "2",
)  # fmt: skip
_COSTLY = ("reproduce", "all", "bench")  # legal words that would run for long


def prepare() -> None:
    """Trains the run that commands are given."""
    _trained()


def call(draw: Random) -> None:
    """Runs one command line. Raises AssertionError where it ends otherwise than a command may."""
    run = _trained()
    with tempfile.TemporaryDirectory() as scratch:
        args = _arguments(draw, run)
        out, error = io.StringIO(), io.StringIO()
        before = os.getcwd()
        os.chdir(scratch)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
                try:
                    status = main(args)
                except SystemExit as end:
                    status = end.code if isinstance(end.code, int) else 1
        finally:
            os.chdir(before)
        printed = out.getvalue() + error.getvalue()
        shown = " ".join(args)[:300]
        assert status in (0, 2), f"status {status} of {shown!r}: {printed[-2000:]}"
        assert "Traceback" not in printed, f"a traceback from {shown!r}: {printed[-2000:]}"
        assert status == 0 or printed.strip(), f"a refusal without a word: {shown!r}"
        if status == 2:
            left = sorted(path.name for path in Path(scratch).rglob("*") if path.name != "runs")
            assert not left, f"{shown!r} was refused and left {left[:5]}: {printed[-500:]}"


def _arguments(draw: Random, run: Path) -> list[str]:
    kind = draw.choice(list(_LEGAL))
    args = list(draw.choice(_LEGAL[kind]))
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        change = draw.randrange(5)
        if change == 0 and len(args) > 1:
            args[draw.randrange(1, len(args))] = _word(draw)
        elif change == 1 and len(args) > 1:
            del args[draw.randrange(1, len(args))]
        elif change == 2:
            args.append(draw.choice(_OPTIONS))
        else:
            args += [draw.choice(_OPTIONS), _word(draw)]
    return [str(run) if arg == "RUN" else arg for arg in args]


def _word(draw: Random) -> str:
    word = draw.choice((text(draw), text(draw), str(integer(draw)), *_WORDS))
    # A surrogate reaches a program only as what os.fsdecode makes of a byte; a NUL not at all.
    word = os.fsdecode(os.fsencode(word.replace("\ud800", "\udc80"))).replace("\0", "")
    return "3" if _takes_long(word) else word


def _takes_long(word: str) -> bool:
    """A number of episodes, games or seconds that is legal and would keep this machine busy."""
    try:
        return 50 < float(word) < 1e9
    except ValueError:
        return word in _COSTLY


@cache
def _trained() -> Path:
    """A run directory, made once a process."""
    run = Path(tempfile.mkdtemp()) / "run"
    with contextlib.redirect_stdout(io.StringIO()):
        assert main(["train", _TASK, *_QUICK, "--out", str(run)]) == 0
    return run
