"""What the command prints: tables without a number cut at any width, any encoding, names as they are."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from paymaster.analysis.evaluate import Evaluation
from paymaster.analysis.learning_curve import plot_learning_curve
from paymaster.analysis.tables import print_evaluations
from paymaster.reproduction.progress import JobsProgress
from paymaster.terminal.printing import UNLIMITED, encodable, print_table, say
from paymaster.training.progress import TrainingProgress

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
NAMES = ["ebpg-expiring, trained, seed 12", "full_information", "runs/lr[lr=3e-4]", "a[/b]", "[bold]"]


class Stream(io.TextIOWrapper):
    """Text in an encoding, as a terminal of that encoding gets it."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding)

    def text(self) -> str:
        self.flush()
        content = self.buffer
        assert isinstance(content, io.BytesIO)
        return ESCAPES.sub("", content.getvalue().decode(self.encoding))


def console_of(width: int, encoding: str = "utf-8", terminal: bool = True) -> tuple[Console, Stream]:
    stream = Stream(encoding)
    return Console(file=stream, width=width, force_terminal=terminal, color_system=None), stream


def evaluation_of(name: str, scale: float = 1.0, goals: int = 4) -> Evaluation:
    rng = np.random.default_rng(0)

    def drawn(mean: float) -> np.ndarray:
        return scale * rng.normal(mean, 1.0, 30)

    completions = rng.integers(0, 5, (30, goals))
    some = {name: drawn(mean) for name, mean in (("gain", -123.0), ("payments", 11.0), ("follower_reward", 987.0))}
    return Evaluation(
        name, "task", incentive=drawn(3), completions=completions, new_offers=drawn(40), option_length=drawn(5), **some
    )


def numbers_of(text: str) -> list[str]:
    return re.findall(r"-?\d+\.\d+", text)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("width", [*range(32, 80, 8), 80, 100, 200, UNLIMITED])
def test_no_number_of_an_evaluation_is_cut_or_wrapped(width: int, every: bool, encoding: str) -> None:
    evaluations = [evaluation_of(name, scale) for name, scale in zip(NAMES, (1, 10, 1, 0.1, 100), strict=True)]
    console, stream = console_of(width, encoding)
    print_evaluations(console, "evaluated", evaluations, every=every)
    text = stream.text()
    assert "…" not in text and "..." not in text
    assert all(len(line) <= width for line in text.splitlines())
    shown = ("gain", "payments", "completions", "follower_reward")
    for evaluation in evaluations:
        intervals = evaluation.intervals()
        for name in [one for one in intervals if not one.startswith("completions_")] if every else shown:
            wide, narrow = (f"{intervals[name].mean:{digits}}" for digits in (".2f", ".1f"))
            assert wide in numbers_of(text) or (narrow in numbers_of(text) and not every), name
        if width == UNLIMITED:
            assert evaluation.leader in text


def test_a_pipe_has_all_measures_and_a_narrow_terminal_the_four_that_matter() -> None:
    for width, all_there in ((UNLIMITED, True), (80, False)):
        console, stream = console_of(width, terminal=width != UNLIMITED)
        print_evaluations(console, "evaluated", [evaluation_of("full_information", 0.1)])
        assert ("incentive" in stream.text()) == all_there
        assert "followers'" in stream.text() and "gain" in stream.text()


def test_many_goal_types_stand_below_each_other_where_there_is_no_room() -> None:
    console, stream = console_of(40)
    print_evaluations(console, "evaluated", [evaluation_of("leader", goals=16)], every=True)
    assert all(len(line) <= 40 for line in stream.text().splitlines())
    assert len(re.findall(r"^    \d\.\d$", stream.text(), re.MULTILINE)) == 16


@pytest.mark.parametrize("width", [30, 40, 80, 200])
def test_a_table_of_anything(width: int) -> None:
    console, stream = console_of(width)
    rows = [("1", "1,234,567", "0.12"), ("1024", "9,876,543,210", "1.00")]
    print_table(console, "rates", ("games", "steps in a\nsecond", "against\n1024 games"), rows, caption="± none")
    for number in ("1,234,567", "9,876,543,210", "0.12"):
        assert number in stream.text()
    assert all(len(line) <= width for line in stream.text().splitlines())


def test_text_is_encodable_and_else_unchanged() -> None:
    assert encodable("14.2 ± 1.0 …", "utf-8") == "14.2 ± 1.0 …"
    assert encodable("14.2 ± 1.0 …", "ascii") == "14.2 +/- 1.0 ..."
    assert encodable("±", "latin-1") == "±"
    assert encodable("…", "latin-1") == "..."
    assert encodable("\udcff ü", "utf-8") == "\\udcff ü"
    assert encodable("ü", "ascii") == "\\xfc"


@pytest.mark.parametrize("name", ["lr[lr=3e-4]", "a[/b]", "[red]x[/red]", ":smile:", "\\[x]", "\udcff"])
def test_names_print_as_they_are(name: str) -> None:
    console, stream = console_of(200)
    say(console, f"results in {name}")
    print_evaluations(console, name, [evaluation_of(name)])
    with TrainingProgress(64, console=console) as progress:
        progress.note(f"note {name}")
        progress.update(64, gain=1.0)
    shown = encodable(name, "utf-8")
    assert f"results in {shown}" in stream.text() and f"note {shown}" in stream.text()
    assert stream.text().count(shown) >= 4


def test_a_line_is_broken_between_words_only() -> None:
    console, stream = console_of(40)
    say(console, f"training in runs/{'x' * 60} gain 12.345 payments 67.89 completed 9.01\nnext")
    lines = stream.text().splitlines()
    assert f"runs/{'x' * 60}" in lines and lines[-1] == "next"
    assert {"12.345", "67.89", "9.01"} <= {word for line in lines for word in line.split()}


@pytest.mark.parametrize("width", [30, 40, 60, 80])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_bar_leaves_out_whole_fields(width: int, encoding: str) -> None:
    console, stream = console_of(width, encoding)
    with TrainingProgress(100_000, console=console) as progress:
        for episode in (50_000, 100_000):
            progress.update(episode, gain=-123.456, loss=0.123456)
    lines = [line for line in re.split(r"[\r\n]+", stream.text()) if line.strip()]
    assert all(len(line) <= width for line in lines) and "…" not in stream.text()
    assert "100000/100000" in stream.text()
    found = re.findall(r"gain (\S*)", stream.text())
    assert set(found) <= {"-123.46"}
    assert bool(found) == (width >= 40)


def test_the_bar_of_reproduce_fits(tmp_path: Path) -> None:
    class Job:
        name, cost, runs = "a[/b], job", 1.0, 1

        def trained(self, out: Path) -> float:
            return 0.0

    jobs = [Job() for _ in range(880)]
    now = [0.0]
    console, stream = console_of(40, "ascii")
    with JobsProgress(jobs, jobs, tmp_path, console, lambda: now[0]) as progress:  # type: ignore[arg-type]
        now[0] = 100.0
        progress.finished(jobs[0], "it [broke]")  # type: ignore[arg-type]
    assert "1/880, 24:25:00 left" in stream.text()
    assert "a[/b], job FAILED" in stream.text() and "it [broke]" in stream.text()


def test_plots_take_names_as_they_are(tmp_path: Path) -> None:
    rows = [{"episode": 1, "gain": 0.0}, {"episode": 2, "gain": 1.0}]
    plot_learning_curve(rows, tmp_path / "curve.png", {"$x^{": 1.0}, title="$\\nothing{", leader="a$b$[/c]")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
