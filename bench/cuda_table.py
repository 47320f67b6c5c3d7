"""All that is to be known of a GPU, in one table: `bench/cuda.sh`, which builds the package and calls this.

In order of importance, each row written as soon as it is there: the device beside the CPU; trainings, also stopped and
taken over; episodes per second by games an update, beside the CPU's; where the CPU waits for the GPU; what CUDA graphs
would gain; seeds side by side on one GPU. What does not fit into the time is left out, and said. Without CUDA, or with
`--dry-run`, the same runs on the CPU, with tiny sizes.
"""

from __future__ import annotations

import collections
import os
import platform
import statistics
import subprocess
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cuda_equality as equality
import torch
import train_rate
import tyro
from torch import Tensor

import paymaster
from paymaster.algorithms.packed_steps import PackedSteps
from paymaster.algorithms.process import held_offers
from paymaster.algorithms.process_group import SINGLE_PROCESS
from paymaster.algorithms.torch_update import TorchUpdate
from paymaster.networks.torch_defaults import usual_torch
from paymaster.play.rollout import Rollout
from paymaster.reproduction.specs import Arm, train_config
from paymaster.training.config import TrainConfig
from paymaster.training.train import make_parts

GAME, LEARNING = "RC completion", "RC advance"


class Table:
    """A Markdown file that grows row by row, and is printed as it grows."""

    def __init__(self, path: Path, end: float) -> None:
        self._path, self._end, self.failures = path, end, 0
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")

    def write(self, text: str) -> None:
        with self._path.open("a") as file:
            file.write(f"{text}\n")
        print(text, flush=True)

    def section(self, title: str, headings: Sequence[str], rows: Callable[[], Iterator[Sequence[Any]]]) -> None:
        """Write the rows as they come; an error ends the section, the lack of time leaves out what is left of it."""
        self.write(f"\n## {title}\n")
        if time.monotonic() > self._end:
            return self.write("Left out: the time was up.")
        self.write(f"| {' | '.join(headings)} |\n| {' | '.join(['---'] * len(headings))} |")
        try:
            for row in rows():
                self.write(f"| {' | '.join(map(str, row))} |")
                if time.monotonic() > self._end:
                    self.write("\nThe time was up here.")
                    break
        except Exception as error:
            self.failures += 1
            self.write(f"\n**Error**: {type(error).__name__}: {str(error).strip().splitlines()[0][:300]}")
            traceback.print_exc()


def main(out: Path = Path("build/cuda.md"), dry_run: bool = False, seconds: float = 420.0) -> int:
    """Check, measure and write the table.

    Args:
        out: the table's file.
        dry_run: on the CPU, with tiny sizes.
        seconds: after which nothing new is begun.
    """
    torch.set_num_threads(1)
    dry = dry_run or not torch.cuda.is_available()
    device = torch.device("cpu" if dry else "cuda")
    start = time.monotonic()
    table = Table(out, start + seconds)
    title = "Dry run on the CPU: no number here is of a GPU" if dry else torch.cuda.get_device_name()
    table.write(f"# {title}\n")
    table.write(f"{_machine(device)}. Command: `bench/cuda.sh{' --dry-run' if dry else ''}`.")
    games = 4 if dry else 32
    comparisons = ("compared", "error of the device", "error of the CPU", "equal")

    def compared(*parts: Callable[[], Iterator[equality.Compared]]) -> Iterator[Sequence[Any]]:
        for part in parts:
            for row in part():
                table.failures += not row.equal
                yield (*row[:3], "yes" if row.equal else "**no**")

    leaders, followers = (partial(one, device, games) for one in (equality.compare_leaders, equality.compare_followers))
    table.section(
        "Beside torch on the CPU in float64",
        comparisons,
        lambda: compared(leaders, followers, partial(equality.compare_optimiser, device)),
    )
    runs = partial(equality.compare_runs, str(device), 2 if dry else 20)
    table.section("Trainings", comparisons, lambda: compared(runs))
    sizes = (1, 8) if dry else (32, 128, 512, 2048, 8192)
    headings = ("game", "games an update", "device", "episodes/s", "ms of play", "ms of update", "GPU memory, MiB")
    table.section("Episodes per second, one process", headings, lambda: _rates(device, sizes, 0.2 if dry else 4.0))
    table.section(
        "Where the CPU waits for the GPU, 8 games", ("line", "in play", "in an update"), lambda: _waits(device)
    )
    headings = ("games an update", "what", "as it is, ms", "as a CUDA graph, ms", "ratio", "same numbers")
    table.section("CUDA graphs", headings, lambda: _graphs(device, (4,) if dry else (32, 512, 4096)))
    table.section(
        "Seeds side by side, 32 games an update each",
        ("seeds", "episodes/s, all together", "against one"),
        lambda: _seeds(str(device), (1, 2) if dry else (1, 2, 4, 8, 16, 32), 0.3 if dry else 4.0),
    )
    table.write(f"\n{table.failures or 'No'} failures; {time.monotonic() - start:.0f} s.")
    return 1 if table.failures else 0


def _machine(device: torch.device) -> str:
    facts = [f"paymaster {paymaster.__version__} from {Path(paymaster.__file__).parent}", f"torch {torch.__version__}"]
    if device.type == "cuda":
        driver = ("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
        found = subprocess.run(driver, capture_output=True, text=True, check=False).stdout.strip()
        facts += [f"CUDA {torch.version.cuda}", f"cuDNN {torch.backends.cudnn.version()}", f"driver {found}"]
    return ", ".join([*facts, f"Python {platform.python_version()}", f"{os.cpu_count()} cores"])


def _config(games: int, device: torch.device | str, game: str = GAME, **arm: Any) -> TrainConfig:
    return replace(train_config(Arm(game, "ebpg-expiring", **arm), 0, 1), num_envs=games, device=str(device))


def _rates(device: torch.device, sizes: Sequence[int], seconds: float) -> Iterator[Sequence[Any]]:
    """The device's by all sizes, then the CPU's, where a size does not take it a minute, then learning followers'."""
    devices = [(device, sizes), (torch.device("cpu"), [size for size in sizes if size < 4096])]
    for where, each in devices:
        for games in each:
            yield _rate(_config(games, where), GAME, seconds)
    for games in sizes[::2]:
        yield _rate(_config(games, device, LEARNING, followers="meta"), f"{LEARNING}, meta followers", seconds)


def _rate(config: TrainConfig, game: str, seconds: float) -> Sequence[Any]:
    cuda = config.device == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    found = train_rate.rate(config, seconds, first=3 if config.num_envs < 1024 else 1)
    memory = f"{torch.cuda.max_memory_allocated() / 2**20:,.0f}" if cuda else ""
    batch = 1e3 * config.num_envs / found.episodes
    each = (f"{part * batch:,.1f}" for part in (found.play, 1.0 - found.play))
    return (game, f"{config.num_envs:,}", config.device, f"{found.episodes:,.0f}", *each, memory)


def _waits(device: torch.device) -> Iterator[Sequence[Any]]:
    """Lines at which torch says that it waits for the GPU, and how often."""
    parts = make_parts(_config(8, device), SINGLE_PROCESS)
    rollout = Rollout(parts.env, parts.leader, parts.generator)
    parts.leader.update(rollout.play()[0])
    counts: list[collections.Counter[str]] = []
    episodes: Any = None

    def play() -> None:
        nonlocal episodes
        episodes, _ = rollout.play()

    for part in (play, lambda: parts.leader.update(episodes)):
        if device.type == "cuda":
            torch.cuda.set_sync_debug_mode("warn")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            part()
        if device.type == "cuda":
            torch.cuda.set_sync_debug_mode("default")
        lines = [f"{'/'.join(Path(one.filename).parts[-2:])}:{one.lineno}" for one in caught]
        counts.append(collections.Counter(lines))
    for line in sorted(counts[0] | counts[1], key=lambda line: -counts[0][line] - counts[1][line]):
        yield line, counts[0][line], counts[1][line]
    yield "all", *(one.total() for one in counts)


def _graphs(device: torch.device, sizes: Sequence[int]) -> Iterator[Sequence[Any]]:
    for games in sizes:
        yield from _graphs_of(device, games)


@usual_torch()
def _graphs_of(device: torch.device, games: int) -> list[Sequence[Any]]:
    """Forward and backward of an update with fixed steps, and the network of one step of play."""
    parts = make_parts(_config(games, device), SINGLE_PROCESS)
    leader = parts.leader
    episodes, _ = Rollout(parts.env, leader, parts.generator).play()
    steps = PackedSteps.of(episodes)
    held = held_offers(leader.config.options, steps.previous, steps.expired, steps.step)
    update = TorchUpdate(leader.network)
    update.take(steps, held, leader.config)
    judged, share = update.judge(), SINGLE_PROCESS.share(steps.count)
    estimates = leader._estimate(episodes, steps, judged.phi, share)
    state = leader.initial_state(games, episodes.num_followers)
    seen = [part[1] for part in (episodes.follower, episodes.goal, episodes.previous)]

    def learn() -> list[Tensor]:
        constant = (judged, estimates.advantage, estimates.targets, share)
        update.learn(leader._weights(0.0), *constant, first=False)
        return update.gradients

    @torch.no_grad()
    def evaluate() -> list[Tensor]:
        return [state.actor.evaluate(*seen, state.history).log_mu]

    calls = {"losses and gradient": learn, "network of a step": evaluate}
    return [(games, what, *_captured(call, device)) for what, call in calls.items()]


def _captured(call: Callable[[], list[Tensor]], device: torch.device) -> tuple[str, str, str, str]:
    """Milliseconds of a call and of its CUDA graph, their ratio, and whether both give the same."""
    usual, expected = _milliseconds(call, device), [value.clone() for value in call()]
    if device.type != "cuda":
        return f"{usual:.2f}", "needs CUDA", "", ""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):  # what is made at first use must not be captured
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    try:
        with torch.cuda.graph(graph):
            found = call()
    except RuntimeError as error:
        return f"{usual:.2f}", f"refused: {str(error).strip().splitlines()[0][:160]}", "", ""
    captured = _milliseconds(graph.replay, device)
    same = all(torch.allclose(*pair, rtol=1e-4, atol=1e-6) for pair in zip(found, expected, strict=True))
    return f"{usual:.2f}", f"{captured:.2f}", f"{usual / captured:.1f}", "yes" if same else "**no**"


def _milliseconds(call: Callable[[], object], device: torch.device, calls: int = 20) -> float:
    times = []
    for _ in range(calls + 3):
        start = time.perf_counter()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[3:])


def _seeds(device: str, counts: Sequence[int], seconds: float) -> Iterator[Sequence[Any]]:
    alone = 0.0
    with train_rate.processes_for(max(counts)) as pool:
        for count in counts:
            found = train_rate.rates_side_by_side(pool, _config(32, device), count, seconds).episodes
            alone = alone or found
            yield count, f"{found:,.0f}", f"{found / alone:.2f}"


if __name__ == "__main__":
    sys.exit(tyro.cli(main, description=__doc__))
