"""What a user would pick instead, in the same run: `python bench/peers.py`.

Installs mpe2, VMAS and JaxMARL (CPU), each into an environment of its own under --where, unless it is there already;
what cannot be installed is named and left out. Then the scripts in bench/peers/ measure environment steps per second of
random play in turn, several rounds, ours among them, all with as many threads (mpe2 has one), and the table shows
medians and ours over theirs. For VMAS, JaxMARL and ours the better of two batch sizes counts.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import tyro

from paymaster.terminal.markdown import markdown_table
from paymaster.training.cores import available_cores

HERE = Path(__file__).parent
PACKAGES = {
    "mpe2": ["mpe2"],
    "vmas": ["vmas", "torch>=2.6,<2.14"],
    "jaxmarl": ["jaxmarl"],
}


def installed(peer: str, where: Path) -> Path | None:
    """The Python that has the peer, or None."""
    python = where / peer / "bin" / "python"
    ready = where / peer / "ready"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", where / peer], check=True)
        result = subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES[peer]], capture_output=True, text=True)
        if result.returncode != 0:
            print(f"{peer} cannot be installed here: {result.stderr.strip().splitlines()[-1]}", flush=True)
            return None
        ready.touch()
    return python


def run(script: str, python: Path | str, seconds: float, repeats: int, threads: int) -> list[dict[str, Any]]:
    """Rows of one script; none, and a line that says why, where it fails."""
    command = [str(python), str(HERE / "peers" / f"with_{script}.py"), str(seconds), str(repeats), str(threads)]
    flags = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}"
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    if result.returncode != 0:
        print(f"{script} failed: {result.stderr.strip().splitlines()[-1]}", flush=True)
        return []
    return [{"peer": script, **row} for row in json.loads(result.stdout.strip().splitlines()[-1])]


def print_table(rows: list[dict[str, Any]]) -> None:
    """Medians over rounds at each one's better batch size; ours over each peer."""
    rates: dict[tuple[str, ...], dict[int, list[float]]] = {}
    for row in rows:
        of = rates.setdefault((row["world"], row["peer"], row["what"]), {})
        of.setdefault(row["games"], []).append(row["steps_per_second"])
    best = {key: max((statistics.median(some), games) for games, some in of.items()) for key, of in rates.items()}
    ours = sorted({what for _, peer, what in best if peer == "paymaster"})
    lines = []
    for (world, peer, what), (rate, games) in sorted(best.items(), key=lambda item: item[0][0]):  # as they were run
        mine = (best.get((world, "paymaster", way)) for way in ours)
        ratios = ("-" if found is None else f"{found[0] / rate:.1f}" for found in mine)
        lines.append((world, f"{peer} {what}", f"{games:,}", f"{rate:,.0f}", *ratios))
    print(
        markdown_table(("world", "what", "games", "steps/s", *(f"ours, {way}, over it" for way in ours)), lines), end=""
    )


def main(
    peers: tuple[str, ...] = tuple(PACKAGES),
    where: Path = Path("build") / "peers",
    seconds: float = 1.0,
    repeats: int = 3,
    rounds: int = 3,
    threads: int = available_cores(),
) -> None:
    """Measure and print.

    Args:
        peers: names, of mpe2, vmas, jaxmarl.
        where: environments of the peers.
        seconds: least time of one measurement.
        repeats: measurements in a row, of which the median counts.
        rounds: over all scripts.
        threads: of those that can use more than one.
    """
    installations = {peer: installed(peer, where.resolve()) for peer in peers}
    pythons = {"paymaster": sys.executable, **{peer: python for peer, python in installations.items() if python}}
    rows: list[dict[str, Any]] = []
    for _ in range(rounds):
        for script, python in pythons.items():
            rows += run(script, python, seconds, repeats, threads)
    print_table(rows)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
