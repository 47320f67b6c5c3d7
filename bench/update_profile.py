"""Where the time of a leader's update goes: `python bench/update_profile.py`, by part, beside its matrix products.

The update is that of `paymaster train`. Its matrix products are those of the same update by torch: their shapes are
written down as they come, and each product is then timed alone, after every update, since a machine's speed changes
from minute to minute. Medians, of the ratio, too; on a busy machine compare columns, not days.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any
from unittest.mock import patch

import torch
import tyro
from torch.utils._python_dispatch import TorchDispatchMode

from paymaster.algorithms import DEFAULT_LEADER
from paymaster.algorithms.core_update import CoreUpdate
from paymaster.algorithms.ebpg import EBPG
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.joined_adam import JoinedAdam
from paymaster.algorithms.packed_steps import PackedSteps
from paymaster.algorithms.process_group import SINGLE_PROCESS
from paymaster.play.rollout import Rollout
from paymaster.reproduction.specs import Arm, train_config
from paymaster.terminal.markdown import markdown_table
from paymaster.training.allocator import keep_freed_memory
from paymaster.training.train import make_parts

Shape = tuple[int, int, int]
PARTS: dict[str, tuple[Any, str]] = {
    "steps packed": (PackedSteps, "of"),
    "encoded (first)": (CoreUpdate, "take"),
    "judged": (CoreUpdate, "judge"),
    "advantages": (EBPG, "_estimate"),
    "losses, gradient": (CoreUpdate, "learn"),
    "Adam": (JoinedAdam, "step_joined"),
}
"""Part -> the method that does it."""


class Products(TorchDispatchMode):
    """Counts matrix products by shape: [rows, inner] times [inner, columns]."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: Counter[Shape] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if name in ("mm", "addmm"):
            a, b = args[-2:]
            self.shapes[a.shape[0], a.shape[1], b.shape[1]] += 1
        return func(*args, **(kwargs or {}))

    @property
    def flop(self) -> int:
        """Operations of all of them, a multiplication and an addition each."""
        return sum(2 * rows * inner * columns * count for (rows, inner, columns), count in self.shapes.items())

    def alone(self) -> Callable[[], float]:
        """Return a function that times them, one after the other, without anything between."""
        arrays = [
            (count, torch.randn(rows, inner), torch.randn(inner, columns), torch.empty(rows, columns))
            for (rows, inner, columns), count in self.shapes.items()
        ]

        def seconds() -> float:
            return sum(count * median(partial(torch.mm, a, b, out=out), 3) for count, a, b, out in arrays)

        return seconds


def median(work: Callable[[], object], times: int) -> float:
    """Of the seconds it takes."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


@contextmanager
def timed(spent: dict[str, float]) -> Iterator[None]:
    """While this lasts, adds up the seconds of each part."""

    def timing(part: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return method(*args, **kwargs)
            finally:
                spent[part] += time.perf_counter() - start

        return called

    with ExitStack() as stack:
        for part, (owner, name) in PARTS.items():
            method = timing(part, getattr(owner, name))
            kept = staticmethod(method) if owner is PackedSteps else method
            stack.enter_context(patch.object(owner, name, kept))
        yield


def by_torch(leader: EBPG, episodes: Episodes, updates: int) -> tuple[float, Products]:
    """Seconds of an update that the core does not take, and its products."""
    handle = next(leader.network.parameters()).register_hook(lambda _: None)
    seconds = median(lambda: leader.update(episodes), updates)
    with Products() as products:
        leader.update(episodes)
    handle.remove()
    return seconds, products


def row(game: str, games: int, updates: int) -> list[str]:
    """Of the table."""
    config = replace(train_config(Arm(game, DEFAULT_LEADER), 0, 5_000), num_envs=games)
    parts = make_parts(config, SINGLE_PROCESS)
    leader, rollout = parts.leader, Rollout(parts.env, parts.leader, parts.generator)
    assert isinstance(leader, EBPG)
    for _ in range(5):
        episodes, _ = rollout.play(explore=0.0)
        assert episodes is not None
        leader.update(episodes)
    # The same episodes again and again: steps so small that nothing is learned by heart.
    leader.config = replace(leader.config, learning_rate=1e-12, critic_learning_rate=1e-12)
    torchs, products = by_torch(leader, episodes, max(3, updates // 4))
    alone = products.alone()
    seconds: dict[str, list[float]] = {part: [] for part in (*PARTS, "rest", "update")}
    own = []
    for _ in range(updates):
        spent = dict.fromkeys(PARTS, 0.0)
        with timed(spent):
            started = time.perf_counter()
            leader.update(episodes)
            spent["update"] = time.perf_counter() - started
        own.append(alone())
        spent["rest"] = 2 * spent["update"] - sum(spent.values())
        for part, one in spent.items():
            seconds[part].append(one)
    each = {part: statistics.median(some) for part, some in seconds.items()}
    ratio = statistics.median(update / one for update, one in zip(seconds["update"], own, strict=True))
    cells = [f"{1e3 * value:.2f}" for value in (*each.values(), torchs, statistics.median(own))]
    by_core = f"{torchs / each['update']:.1f}"
    return [game, str(games), *cells, f"{ratio:.1f}", by_core, f"{products.flop / 1e9:.2f}"]


def main(
    games: tuple[str, ...] = ("RC completion", "navigation advance"),
    batches: tuple[int, ...] = (1, 32, 128),
    updates: int = 40,
) -> None:
    """Prints a table, in milliseconds an update.

    Args:
        games: names as in `paymaster reproduce`.
        batches: games an update.
        updates: measured of each.
    """
    torch.set_num_threads(1)
    keep_freed_memory()
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")
    headings = ("game", "games an update", *PARTS, "rest", "update", "by torch", "its products alone")
    ratios = ("update / products", "by torch / update", "GFLOP")
    print(markdown_table((*headings, *ratios), [row(game, batch, updates) for game in games for batch in batches]))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
