"""Instructions per step of the core, counted by callgrind, against what they were: a check that gives the same numbers
on a busy machine. Needs valgrind, CMake and a C++ compiler.

`python bench/instructions.py` measures and fails where a task costs over 5 % more than `instructions.json` says;
`python bench/instructions.py --update` writes that file. Counts depend on the compiler, so there is a row of them for
each one that has been measured (its major version and the processor's kind); with another one there is nothing to
compare with, and the check says so and passes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BASELINE = Path(__file__).with_name("instructions.json")
LIMIT = 0.05
GAMES, STEPS = 64, 100
PLAIN = " without AVX2"
TASKS = (
    "resource_collection",
    "resource_collection" + PLAIN,
    "multi_bonus_resource_collection",
    "crafting",
    "navigation",
    "predator_prey",
)


def build(folder: Path) -> Path:
    """Builds bench_core; its path."""
    options = ["-DCMAKE_BUILD_TYPE=Release", "-DPAYMASTER_PYTHON=OFF", "-DPAYMASTER_BENCH=ON"]
    if shutil.which("ninja"):  # as the wheel is built, so that ccache has what was compiled for it
        options += ["-G", "Ninja"]
    jobs = str(len(os.sched_getaffinity(0)))
    for step in (["-S", ROOT, "-B", folder, *options], ["--build", folder, "--target", "bench_core", "-j", jobs]):
        subprocess.run(["cmake", *step], check=True, stdout=subprocess.DEVNULL)
    return folder / "bench_core"


def processor() -> str:
    """The processor's kind; without AVX2 it runs the plain search, which is another count."""
    kind, told = platform.machine(), Path("/proc/cpuinfo")
    plain = kind == "x86_64" and told.exists() and "avx2" not in told.read_text().split()
    return kind + PLAIN if plain else kind


def compiler_of(folder: Path) -> str:
    """Compiler, major version, processor's kind: what counts are comparable under."""
    (found,) = folder.glob("CMakeFiles/*/CMakeCXXCompiler.cmake")
    text = found.read_text()
    name, major = (
        re.search(rf'set\(CMAKE_CXX_COMPILER_{what} "([^".]*)', text)[1]  # type: ignore[index]
        for what in ("ID", "VERSION")
    )
    return f"{name} {major} {processor()}"


def instructions(program: Path, task: str, steps: int) -> int:
    """Of a whole run with so many steps."""
    environment = {name: value for name, value in os.environ.items() if name != "PAYMASTER_NO_AVX2"}
    if task.endswith(PLAIN):
        environment["PAYMASTER_NO_AVX2"] = "1"
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}", program]
    command += [task.removesuffix(PLAIN), str(GAMES), str(steps), "1"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    total = re.search(r"Collected : (\d+)", done.stderr)
    if total is None:
        raise RuntimeError(f"callgrind: expected a line 'Collected : ...', got\n{done.stderr}")
    return int(total[1])


def measure(program: Path) -> dict[str, int]:
    """Task -> instructions per step of one game, without what it takes to set up a batch."""
    return {
        task: round((instructions(program, task, STEPS) - instructions(program, task, 0)) / (GAMES * STEPS))
        for task in TASKS
    }


def risen(measured: dict[str, int], baseline: dict[str, int]) -> list[str]:
    """The tasks that cost more than they may, or that the baseline does not know."""
    return [task for task, count in measured.items() if count > (1 + LIMIT) * baseline.get(task, 0)]


def main() -> int:
    """Measures; 1 where a task has become slower, 2 where nothing can be measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="write the counts as the new baseline of this compiler")
    parser.add_argument("--build", type=Path, help="folder to build in (default: a temporary one)")
    arguments = parser.parse_args()
    for tool in ("valgrind", "cmake"):
        if shutil.which(tool) is None:
            print(f"{tool}: not found; apt-get install {tool}", file=sys.stderr)
            return 2
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.build or Path(temporary)
        measured, compiler = measure(build(folder)), compiler_of(folder)
    baselines: dict[str, dict[str, int]] = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    baseline = baselines.get(compiler, {})
    print(f"{compiler}, {GAMES} games, {STEPS} steps")
    print("| task | instructions a step | baseline | change |\n| --- | --- | --- | --- |")
    for task, count in measured.items():
        was = baseline.get(task)
        change = f"{was:,} | {count / was - 1:+.1%}" if was else "- | -"
        print(f"| {task} | {count:,} | {change} |")
    if arguments.update:
        baselines[compiler] = measured
        BASELINE.write_text(json.dumps(baselines, indent=2, sort_keys=True) + "\n")
        return 0
    if not baseline:
        print(f"warning: {BASELINE.name} has no counts for {compiler}, only for {', '.join(baselines)}")
        return 0
    slower = risen(measured, baseline)
    if slower:
        print(f"more than {LIMIT:.0%} above the baseline: {', '.join(slower)}")
        print("If that is the price of something worth it: python bench/instructions.py --update")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
