"""Kills training processes at random moments (``kill -9``) and lets others go on, to the same bytes as without a kill.

``python tests/kills.py --kills 60 --seed 1`` does so many in turn over all cases: a leader alone, several seeds,
followers that learn, by an actor-critic or a table, a run that is evaluated while it trains, one that is prolonged,
several seeds that are prolonged, and ``paymaster reproduce``.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["CASES", "Case", "differences", "kill_until_done"]

TASK = "resource_collection"
SMALL = ("--episodes", "160", "--num-envs", "8", "--checkpoint-every", "16", "--hidden", "8")


@dataclasses.dataclass(frozen=True)
class Case:
    """Something that is killed.

    Attributes:
        prepare: what is done before, unharmed.
        first: what is started into a directory.
        again: what is started after a kill.
        seen: the files whose bytes must be those of an unkilled run, by name.
    """

    prepare: Callable[[Path], None]
    first: Callable[[Path], None]
    again: Callable[[Path], None]
    seen: Callable[[Path], dict[str, bytes]]


def small(**changes: Any) -> Any:
    from paymaster.training.config import TrainConfig

    return dataclasses.replace(
        TrainConfig(TASK, episodes=160, num_envs=8, checkpoint_every=16, hidden=8, seed=3), **changes
    )


def learning() -> Any:

    parameters = {"followers": "meta", "payment": "advance_once"}
    return small(episodes=96, num_envs=4, checkpoint_every=8, parameters=parameters)


def by_table() -> Any:
    return small(episodes=96, num_envs=4, checkpoint_every=8, parameters={"followers": "q"})


def evaluated() -> Any:
    return small(episodes=96, evaluate_every=10, evaluate_episodes=4)


def train(config: Any, *, resume: bool = False) -> Callable[[Path], None]:
    """Starts or goes on, as the command does: from the beginning where no run was begun."""

    def do(out: Path) -> None:
        from paymaster.storage.run_directory import holds_run
        from paymaster.training.train import train as start

        start(config, out, resume=resume and holds_run(out))

    return do


def train_seeds(*options: str, resume: bool = False) -> Callable[[Path], None]:
    """By the command; from the beginning where no run was begun."""

    def do(out: Path) -> None:
        from paymaster.commands.main import main

        go_on = ["--resume"] if resume and any(out.rglob("config.json")) else []
        several = ["train", TASK, "--seeds", "2", "--seed", "3", "--evaluate", "0", "--out", str(out)]
        assert main([*several, *options, *go_on]) == 0

    return do


def reproduce(out: Path) -> None:
    from paymaster.commands.main import main

    assert main(["reproduce", "attention", "--scale", "smoke", "--seeds", "1", "--jobs", "2", "--out", str(out)]) == 0


def nothing(_: Path) -> None:
    """Nothing to prepare."""


def run_files(out: Path) -> dict[str, bytes]:
    """Of all runs below ``out``: configuration, metrics, the newest checkpoints."""
    found = {}
    for config in sorted(out.rglob("config.json")):
        for path in [config, *sorted(config.parent.glob("metrics.jsonl")), *config.parent.glob("checkpoint-*")]:
            found[str(path.relative_to(out))] = path.read_bytes()
    return found


def rows_and_reports(out: Path) -> dict[str, bytes]:
    """What reproducing measured, but for what an episode cost."""
    found = run_files(out)
    for path in sorted((out / "rows").iterdir()):
        row = json.loads(path.read_text())
        row.pop("sha256")
        row.get("training", {}).update(seconds=None, memory=None)
        found[path.name] = json.dumps(row).encode()
    return found


def usual(config: Any) -> Any:
    """A configuration without an opinion, to resume with."""
    from paymaster.training.config import TrainConfig

    return TrainConfig(config.task)


def cases() -> dict[str, Case]:
    one, followers, short = small(), learning(), small(episodes=48)
    table, seen = by_table(), evaluated()
    more = dataclasses.replace(usual(one), episodes=160)
    return {
        "alone": Case(nothing, train(one), lambda out: train(resumed(one, out), resume=True)(out), run_files),
        "followers that learn": Case(
            nothing, train(followers), lambda out: train(resumed(followers, out), resume=True)(out), run_files
        ),
        "followers with a table": Case(
            nothing, train(table), lambda out: train(resumed(table, out), resume=True)(out), run_files
        ),
        "evaluated": Case(nothing, train(seen), lambda out: train(resumed(seen, out), resume=True)(out), run_files),
        "seeds": Case(nothing, train_seeds(*SMALL), seeds_resumed, run_files),
        "prolonged": Case(
            train(short), train(more, resume=True), lambda out: train(prolonged(out), resume=True)(out), run_files
        ),
        "seeds prolonged": Case(
            train_seeds(*SMALL, "--episodes", "48"),
            train_seeds("--episodes", "160", resume=True),
            seeds_prolonged,
            run_files,
        ),
        "reproduce": Case(nothing, reproduce, reproduce, rows_and_reports),
    }


def resumed(config: Any, out: Path) -> Any:
    """Without an opinion once there is a run; killed before that, it is started as at first."""
    return usual(config) if any(out.rglob("config.json")) else config


def prolonged(out: Path) -> Any:
    """Without the new number once one of the runs has it, which must then be known."""
    from paymaster.training.setup import stored_config

    known = any(stored_config(path.parent).episodes == 160 for path in out.rglob("config.json"))
    return usual(small()) if known else dataclasses.replace(usual(small()), episodes=160)


def seeds_resumed(out: Path) -> None:
    """Without options once there is a run."""
    train_seeds(*(() if any(out.rglob("config.json")) else SMALL), resume=True)(out)


def seeds_prolonged(out: Path) -> None:
    """Without the new number once one of the runs has it."""
    train_seeds(*(("--episodes", "160") if prolonged(out).episodes == 160 else ()), resume=True)(out)


CASES = tuple(cases())


@contextlib.contextmanager
def process(work: Callable[[Path], None], out: Path) -> Iterator[int]:
    """The work in a process of its own, forked from this one, which must have no threads."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                work(out)
            code = 0
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
        finally:
            os._exit(code)
    yield pid


def run_whole(work: Callable[[Path], None], out: Path) -> float:
    """Seconds that it took. Raises ChildProcessError where it failed."""
    start = time.monotonic()
    with process(work, out) as pid:
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status != 0:
        raise ChildProcessError(f"{out}: ended with {status}")
    return time.monotonic() - start


def kill_until_done(case: Case, out: Path, moments: list[float]) -> int:
    """Starts, kills after so many seconds, starts again, ...; at last lets it end. Returns how often it was killed."""
    run_whole(case.prepare, out)
    killed = 0
    for number, moment in enumerate(moments):
        with process(case.first if number == 0 else case.again, out) as pid:
            deadline = time.monotonic() + moment
            while time.monotonic() < deadline:
                if os.waitpid(pid, os.WNOHANG) != (0, 0):
                    break
                time.sleep(0.0005)
            else:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                killed += 1
    run_whole(case.again, out)
    return killed


def differences(expected: dict[str, bytes], found: dict[str, bytes]) -> list[str]:
    """Files that only one of both has, or that differ: what is wrong with each."""
    wrong = [f"{name} (missing)" for name in expected.keys() - found.keys()]
    wrong += [f"{name} (not expected)" for name in found.keys() - expected.keys()]
    wrong += [f"{name} (other bytes)" for name in expected.keys() & found.keys() if expected[name] != found[name]]
    return sorted(wrong)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", nargs="*", default=list(CASES))
    arguments = parser.parse_args()
    import torch.utils.tensorboard  # noqa: F401  (before the forks: kills are to hit the training, not imports)

    import paymaster.reproduction.reproduce  # noqa: F401

    drawn = random.Random(arguments.seed)
    killed = 0
    with tempfile.TemporaryDirectory() as directory:
        whole: dict[str, tuple[float, dict[str, bytes]]] = {}
        number = 0
        while killed < arguments.kills:
            name = arguments.cases[number % len(arguments.cases)]
            case = cases()[name]
            if name not in whole:
                out = Path(directory) / f"whole {name}"
                run_whole(case.prepare, out)
                whole[name] = run_whole(case.first, out), case.seen(out)
            seconds, expected = whole[name]
            out = Path(directory) / f"{number}"
            killed += kill_until_done(case, out, [drawn.uniform(0, seconds) for _ in range(drawn.choice([1, 1, 2, 3]))])
            if wrong := differences(expected, case.seen(out)):
                print(f"{name}, number {number}, seed {arguments.seed}: {', '.join(wrong)}")
                shutil.copytree(out, Path.cwd() / f"differs{number}")
                return 1
            print(f"{killed} kills: {name} ended with the same bytes", flush=True)
            shutil.rmtree(out)
            number += 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
