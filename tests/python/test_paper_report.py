"""The results page states the verdicts of the stored report, and these follow from the stored numbers."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from paymaster.analysis.intervals import Interval
from paymaster.reproduction.claims import Side, Verdict, overall, verdict
from paymaster.reproduction.names import FIGURE_NAMES, OTHER_NAMES

ROOT = Path(__file__).parents[2]
PAPER = ROOT / "bench" / "paper"
BEING_MEASURED = {"original", "larger-budget", "crafting", "ladder", "field"}
"""Figures whose runs take more hours than they have had so far (docs/results.md says how far they are)."""
FIGURE = re.compile(rf"\| [\[`]({'|'.join(FIGURE_NAMES)})[\]`]\S* \| ")  # a link, or its name


def lines(path: Path) -> list[list[str]]:
    """The cells of lines that begin with a figure: figure, statement, ..."""
    found = []
    for line in path.read_text().splitlines():
        match = FIGURE.match(line)
        if match:
            found.append([match[1], *line[match.end() :].removesuffix(" |").split(" | ")])
    return found


def test_the_results_page_says_of_every_statement_what_the_report_says() -> None:
    report = {(figure, statement, regime): cells for figure, statement, regime, *cells in lines(PAPER / "report.md")}
    cells_of: dict[int, dict[tuple[str, str], list[str]]] = {1: {}, 4: {}}  # the table of reasons, that of verdicts
    for figure, statement, *cells in lines(ROOT / "docs" / "results.md"):
        cells_of[len(cells)][figure, statement] = cells
    reasons, page = cells_of[1], cells_of[4]
    assert {key[:2] for key in report} == page.keys()
    for (figure, statement), cells in page.items():
        ours = report.get((figure, statement, "ours")) or report[figure, statement, "ours, but for learning rates"]
        assert cells == [*ours, *report.get((figure, statement, "paper"), ["-", "-"])], statement
        fails = "does not hold" in " ".join(cells)
        assert not fails or reasons[figure, statement][0].strip(), f"{statement}: fails, and no reason is given"


def test_all_figures_are_stored_but_those_being_measured() -> None:
    assert {name for name in (*FIGURE_NAMES, *OTHER_NAMES) if not (PAPER / f"{name}.md").exists()} == BEING_MEASURED


@pytest.mark.parametrize("name", [name for name in (*FIGURE_NAMES, *OTHER_NAMES) if name not in BEING_MEASURED])
def test_verdicts_follow_from_the_stored_numbers(name: str) -> None:
    with (PAPER / f"{name}-verdicts.csv").open() as file:
        claims = list(csv.DictReader(file))
    assert claims or name == "tuning"
    sides: dict[str, Side] = {"above": "above", "below": "below"}
    found: dict[tuple[str, str, str], list[Verdict]] = {}
    for row in claims:
        mean, low, high = (float(row[column]) for column in ("mean", "low", "high"))
        seeds = int(row["seeds"])
        assert seeds >= 5 and low <= mean <= high
        decided = verdict(Interval(mean, low, high, seeds), sides[row["side"]], float(row["threshold"]))
        assert decided.value == row["verdict"], row
        found.setdefault((row["statement"], row["regime"], row["method"]), []).append(decided)
    for figure, statement, regime, *cells in lines(PAPER / "report.md"):
        for method, cell in zip(("ebpg", "ebpg-expiring"), cells, strict=True):
            if figure == name and cell != "-":
                some = found[statement, regime, method]
                assert cell == f"{overall(some).value} ({some.count(Verdict.HOLDS)} of {len(some)})"
