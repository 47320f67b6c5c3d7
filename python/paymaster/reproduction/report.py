"""A figure as tables: every number as CSV, and a report in Markdown with the paper's claims and the verdicts."""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple
from operator import attrgetter
from pathlib import Path

import numpy as np

from paymaster.analysis.bootstrap import Estimate, Floats, bootstrap, improvement, interquartile_mean, mean
from paymaster.reproduction.claims import Verdict, overall
from paymaster.reproduction.drawing import draw_figure
from paymaster.reproduction.names import FigureName
from paymaster.reproduction.plan import METHODS, Average, Figure, Panel
from paymaster.reproduction.results import Decided, Results
from paymaster.reproduction.rows import BOUND
from paymaster.reproduction.runs import same_games
from paymaster.reproduction.scripted_job import REFERENCES
from paymaster.storage.atomic import write_text
from paymaster.terminal.markdown import markdown_table
from paymaster.training.regimes import REGIMES

__all__ = ["summary", "write_figure"]

_REFERENCES = {name: name.replace("_", " ") if name == BOUND else f"`{name}`" for name in REFERENCES}
_RULE = (
    "A verdict follows from the 95 % interval of the mean over seeds of the quantity (Student's t, seed by seed): "
    "*holds* where all of it lies on the claimed side of the threshold, *does not hold* where none of it does, else "
    "*undecided*. Nothing is corrected for the number of claims: one in twenty intervals misses."
)


def write_figure(name: str, figure: Figure, results: Results) -> list[Decided]:
    """Writes NAME.md, NAME.png, NAME.csv and NAME-verdicts.csv, and NAME-curves.csv where there are curves.

    Returns:
        The claims with their verdicts.
    """
    decided = [results.decide(claim) for claim in figure.claims]
    write_text(results.out / f"{name}.csv", _csv(_number_rows(figure, results)))
    write_text(results.out / f"{name}-verdicts.csv", _csv(_verdict_rows(decided)))
    if any(panel.kind == "curve" for panel in figure.panels):
        write_text(results.out / f"{name}-curves.csv", _csv(_curve_rows(figure, results)))
    parts = [
        f"# {figure.title}\n",
        _head(results),
        figure.note + "\n" if figure.note else "",
        f"![{figure.title}]({name}.png)\n",
        *(("## Verdicts\n", _RULE + "\n", _overall_table(decided, figure.claimed)) if decided else ()),
        *(_average_table(average, results) for average in figure.averages),
        *(("## Each claim\n", _verdict_table(decided, figure.claimed)) if decided else ()),
        "## Numbers\n",
        "Mean over seeds with its 95 % bootstrap interval. Beside gains, in the same games with rule-based followers: "
        "two scripted leaders, and a gain that no leader exceeds.\n",
        *_number_tables(figure, results, mean),
        "The same of the interquartile mean.\n",
        *_number_tables(figure, results, interquartile_mean),
    ]
    write_text(results.out / f"{name}.md", "\n".join(part for part in parts if part))
    draw_figure(figure, results, results.out / f"{name}.png")
    return decided


def summary(decided: Mapping[FigureName, list[Decided]], titles: Mapping[FigureName, str], results: Results) -> Path:
    """Writes report.md: the verdicts of several figures, at a glance and by case. Returns its path."""
    parts = ["# The paper's figures and tables\n", _head(results), _RULE + "\n"]
    parts += ["Regimes:\n", *(f"- *{name}*: {regime.meaning}." for name, regime in REGIMES.items()), ""]
    about = "In brackets: in how many cases, such as games or noises, it holds.\n"
    parts += ["## At a glance\n", about, _glance(decided)]
    for name, claims in decided.items():
        parts += [f"## [{titles[name]}]({name}.md)\n", _overall_table(claims, "the paper says")]
    path = results.out / "report.md"
    write_text(path, "\n".join(parts))
    return path


def _glance(decided: Mapping[FigureName, list[Decided]]) -> str:
    """A line a statement and regime, a column a method."""
    found: dict[tuple[str, ...], list[Verdict]] = defaultdict(list)
    for name, claims in decided.items():
        for one in claims:
            of = one.claim
            found[f"[{name}]({name}.md)", of.statement, of.regime, of.method].append(one.verdict)
    lines = dict.fromkeys(group[:-1] for group in found)
    rows = [(*line, *(_held(found.get((*line, method), [])) for method in METHODS)) for line in lines]
    return markdown_table(("figure", "the paper says", "regime", *METHODS), rows)


def _held(verdicts: Sequence[Verdict]) -> str:
    if not verdicts:
        return "-"
    return f"{overall(verdicts).value} ({verdicts.count(Verdict.HOLDS)} of {len(verdicts)})"


def _head(results: Results) -> str:
    scale = results.scale
    return f"Scale: {scale.meaning}. Seeds: {results.seeds}; evaluation episodes: {scale.evaluated:,}.\n"


def _overall_table(decided: Sequence[Decided], claimed: str) -> str:
    """A line a statement, method and regime, over its cases."""
    groups: dict[tuple[str, str, str, str], list[Decided]] = defaultdict(list)
    for one in decided:
        of = one.claim
        groups[of.statement, of.source, of.method, of.regime].append(one)
    rows = []
    for group, some in groups.items():
        cases = {kind: [one.claim.case for one in some if one.verdict is kind] for kind in Verdict}
        by_case = "; ".join(f"{kind.value}: {', '.join(names)}" for kind, names in cases.items() if names)
        rows.append((*group, f"**{overall(one.verdict for one in some).value}**", by_case))
    return markdown_table((claimed, "where", "method", "regime", "verdict", "by case"), rows)


def _verdict_table(decided: Iterable[Decided], claimed: str) -> str:
    rows = []
    for one in decided:
        of, number = one.claim, "-" if one.interval is None else f"{one.interval:.2f}"
        about = (of.statement, of.method, of.regime, of.case, of.quantity, f"{of.side} {of.threshold:g}")
        rows.append((*about, number, one.verdict.value))
    headings = (claimed, "method", "regime", "case", "quantity", "claimed", "ours, 95 %", "verdict")
    return markdown_table(headings, rows)


def _average_table(average: Average, results: Results) -> str:
    """Over games: shares of what the reference has, and how likely a run beats one of the baseline."""
    scores = {name: results.shares(readings) for name, readings in average.readings.items()}
    baseline = scores.get(average.baseline)
    rows = []
    for name, shares in scores.items():
        cells = [Estimate()] * 3
        if np.isfinite(shares).all():
            cells = [bootstrap(shares), bootstrap(shares, interquartile_mean), Estimate()]
            if name != average.baseline and baseline is not None and np.isfinite(baseline).all():
                cells[2] = improvement(shares, baseline)
        by_game = [f"{share:.0%}" for share in shares.mean(axis=0)] if average.by_game else []
        rows.append((name, *(f"{cell:.2f}" for cell in cells), *by_game))
    games = [reading.arm.game for reading in next(iter(average.readings.values()))]
    title = f"## Over all games: {average.title}\n"
    about = f"Each as a share of {average.against}, over {', '.join(games)}; 95 % intervals by stratified bootstrap.\n"
    headings = ("leader", "mean", "interquartile mean", f"probability of improvement on {average.baseline}")
    return "\n".join((title, about, markdown_table((*headings, *(games if average.by_game else ())), rows)))


def _number_tables(figure: Figure, results: Results, statistic: Callable[[Floats], Floats]) -> Iterable[str]:
    """A line a place, a column a series; panels of the same series share a table."""
    groups: dict[tuple[str, ...], list[Panel]] = {}
    for panel in figure.panels:
        groups.setdefault(tuple(series.label for series in panel.series), []).append(panel)
    for labels, panels in groups.items():
        rows, beside = [], []
        for panel in panels:
            for place, readings in panel.rows():
                digits = "#.3g" if readings[0].measure in ("seconds", "memory") else ".2f"
                rows.append(
                    (panel.title, str(place), *(format(results.estimate(of, statistic), digits) for of in readings))
                )
                references = results.references(readings[0]) if same_games(readings) else {}
                beside.append(tuple(f"{references[name]:.2f}" if references else "" for name in REFERENCES))
        shown = any(map(any, beside))
        names = (_REFERENCES[name] for name in REFERENCES) if shown else ()
        yield markdown_table(
            ("panel", "at", *labels, *names),
            [(*row, *(cells if shown else ())) for row, cells in zip(rows, beside, strict=True)],
        )


def _number_rows(figure: Figure, results: Results) -> Iterable[Sequence[object]]:
    ends = ("", "_low", "_high")
    yield (
        *("panel", "series", "at", "game", "leader", "regime", "followers", "measure", "evaluated", "seeds"),
        *(f"{name}{end}" for name in ("mean", "iqm") for end in ends),
        "values",
    )
    for panel in figure.panels:
        for series in panel.series:
            for place, reading in series.points:
                arm, values = reading.arm, results.values(reading)
                described = (arm.game, arm.leader, arm.regime, arm.followers, reading.measure, reading.played.name)
                numbers = (x for of in (mean, interquartile_mean) for x in astuple(results.estimate(reading, of)))
                written = " ".join(map(str, values))
                yield panel.title, series.label, str(place), *described, len(values), *numbers, written


def _curve_rows(figure: Figure, results: Results) -> Iterable[Sequence[object]]:
    yield "panel", "leader", "episode", "seeds", "mean", "low", "high"
    for panel in figure.panels:
        for series in panel.series if panel.kind == "curve" else ():
            episodes, gains = results.curve(series.points[0][1].arm)
            for episode, window in zip(episodes, gains.T, strict=True):
                yield panel.title, series.label, episode, len(window), *astuple(bootstrap(window))


def _verdict_rows(decided: Iterable[Decided]) -> Iterable[Sequence[object]]:
    about = ("statement", "source", "method", "regime", "case", "quantity", "side", "threshold")
    yield *about, "mean", "low", "high", "seeds", "verdict"
    for one in decided:
        numbers = astuple(one.interval) if one.interval else (math.nan, math.nan, math.nan, 0)
        yield *attrgetter(*about)(one.claim), *numbers, one.verdict.value


def _csv(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow(["" if isinstance(cell, float) and math.isnan(cell) else cell for cell in row])
    return text.getvalue()
