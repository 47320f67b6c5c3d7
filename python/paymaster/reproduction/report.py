"""A figure as tables: every number as CSV, and a report in Markdown with the paper's claims and the verdicts."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from paymaster.reproduction.claims import Verdict, overall
from paymaster.reproduction.drawing import draw_figure
from paymaster.reproduction.names import FigureName
from paymaster.reproduction.plan import METHODS, Average, Figure, Panel
from paymaster.reproduction.results import Decided, Results
from paymaster.reproduction.specs import Reading
from paymaster.reproduction.statistics import Estimate, Floats, bootstrap, improvement, interquartile_mean, mean
from paymaster.storage.atomic import write_text
from paymaster.training.regimes import REGIMES

__all__ = ["summary", "write_figure"]

_NOTHING = Estimate(math.nan, math.nan, math.nan)
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
        "Mean over seeds with its 95 % bootstrap interval.\n",
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
    found: dict[tuple[str, str, str], dict[str, list[Verdict]]] = {}
    for name, claims in decided.items():
        for one in claims:
            by_method = found.setdefault((f"[{name}]({name}.md)", one.claim.statement, one.claim.regime), {})
            by_method.setdefault(one.claim.method, []).append(one.verdict)
    rows = []
    for line, by_method in found.items():
        cells = ("-" if method not in by_method else _held(by_method[method]) for method in METHODS)
        rows.append((*line, *cells))
    return _markdown(("figure", "the paper says", "regime", *METHODS), rows)


def _held(verdicts: Sequence[Verdict]) -> str:
    cases = f"{verdicts.count(Verdict.HOLDS)} of {len(verdicts)}"
    return f"{overall(verdicts).value} ({cases})"


def _head(results: Results) -> str:
    scale = results.scale
    return f"Scale: {scale.meaning}. Seeds: {results.seeds}; evaluation episodes: {scale.evaluated:,}.\n"


def _overall_table(decided: Sequence[Decided], claimed: str) -> str:
    """A line a statement, method and regime, over its cases."""
    groups: dict[tuple[str, str, str, str], list[Decided]] = {}
    for one in decided:
        claim = one.claim
        groups.setdefault((claim.statement, claim.source, claim.method, claim.regime), []).append(one)
    rows = []
    for group, some in groups.items():
        cases = {kind: [one.claim.case for one in some if one.verdict is kind] for kind in Verdict}
        by_case = "; ".join(f"{kind.value}: {', '.join(names)}" for kind, names in cases.items() if names)
        rows.append((*group, f"**{overall(one.verdict for one in some).value}**", by_case))
    return _markdown((claimed, "where", "method", "regime", "verdict", "by case"), rows)


def _verdict_table(decided: Iterable[Decided], claimed: str) -> str:
    rows = []
    for one in decided:
        claim = one.claim
        number = "-" if one.interval is None else f"{one.interval:.2f}"
        wanted = f"{claim.side} {claim.threshold:g}"
        verdict = one.verdict.value
        rows.append((claim.statement, claim.method, claim.regime, claim.case, claim.quantity, wanted, number, verdict))
    headings = (claimed, "method", "regime", "case", "quantity", "claimed", "ours, 95 %", "verdict")
    return _markdown(headings, rows)


def _average_table(average: Average, results: Results) -> str:
    """Over games: shares of what the reference has, and how likely a run beats one of the baseline."""
    scores = {name: results.shares(readings) for name, readings in average.readings.items()}
    baseline = scores.get(average.baseline)
    rows = []
    for name, shares in scores.items():
        cells = [_NOTHING] * 3
        if np.isfinite(shares).all():
            cells = [bootstrap(shares), bootstrap(shares, interquartile_mean), _NOTHING]
            if name != average.baseline and baseline is not None and np.isfinite(baseline).all():
                cells[2] = improvement(shares, baseline)
        by_game = [f"{share:.0%}" for share in shares.mean(axis=0)] if average.by_game else []
        rows.append((name, *(f"{cell:.2f}" for cell in cells), *by_game))
    games = [reading.arm.game for reading in next(iter(average.readings.values()))]
    title = f"## Over all games: {average.title}\n"
    about = f"Each as a share of {average.against}, over {', '.join(games)}; 95 % intervals by stratified bootstrap.\n"
    headings = ("leader", "mean", "interquartile mean", f"probability of improvement on {average.baseline}")
    return "\n".join((title, about, _markdown((*headings, *(games if average.by_game else ())), rows)))


def _shown(figure: Figure) -> Iterable[tuple[Panel, str, str, Reading]]:
    for panel in figure.panels:
        for series in panel.series:
            for place, reading in series.points:
                yield panel, series.label, str(place), reading


def _number_tables(figure: Figure, results: Results, statistic: Callable[[Floats], Floats]) -> Iterable[str]:
    """A line a place, a column a series; panels of the same series share a table."""
    groups: dict[tuple[str, ...], list[Panel]] = {}
    for panel in figure.panels:
        groups.setdefault(tuple(series.label for series in panel.series), []).append(panel)
    for labels, panels in groups.items():
        rows = []
        for panel in panels:
            for points in zip(*(series.points for series in panel.series), strict=True):
                digits = "#.3g" if points[0][1].measure in ("seconds", "memory") else ".2f"
                cells = (format(results.estimate(reading, statistic), digits) for _, reading in points)
                rows.append((panel.title, str(points[0][0]), *cells))
        yield _markdown(("panel", "at", *labels), rows)


def _number_rows(figure: Figure, results: Results) -> Iterable[Sequence[object]]:
    ends = ("", "_low", "_high")
    yield (
        *("panel", "series", "at", "game", "leader", "regime", "followers", "measure", "evaluated", "seeds"),
        *(f"{name}{end}" for name in ("mean", "iqm") for end in ends),
        "values",
    )
    for panel, label, place, reading in _shown(figure):
        arm, values = reading.arm, results.values(reading)
        estimates = (results.estimate(reading), results.estimate(reading, interquartile_mean))
        numbers = [x for one in estimates for x in (one.value, one.low, one.high)]
        described = (arm.game, arm.leader, arm.regime, arm.followers, reading.measure, reading.played.name)
        yield panel.title, label, place, *described, len(values), *numbers, " ".join(map(str, values))


def _curve_rows(figure: Figure, results: Results) -> Iterable[Sequence[object]]:
    yield "panel", "leader", "episode", "seeds", "mean", "low", "high"
    for panel in figure.panels:
        for series in panel.series if panel.kind == "curve" else ():
            episodes, gains = results.curve(series.points[0][1].arm)
            for window, episode in enumerate(episodes):
                found = bootstrap(gains[:, window])
                yield panel.title, series.label, episode, len(gains), found.value, found.low, found.high


def _verdict_rows(decided: Iterable[Decided]) -> Iterable[Sequence[object]]:
    yield (
        *("statement", "source", "method", "regime", "case", "quantity", "side", "threshold"),
        *("mean", "low", "high", "seeds", "verdict"),
    )
    for one in decided:
        claim, found = one.claim, one.interval
        numbers = (found.mean, found.low, found.high, found.n) if found else (math.nan, math.nan, math.nan, 0)
        about = (claim.statement, claim.source, claim.method, claim.regime, claim.case, claim.quantity)
        yield *about, claim.side, claim.threshold, *numbers, one.verdict.value


def _csv(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow(["" if isinstance(cell, float) and math.isnan(cell) else cell for cell in row])
    return text.getvalue()


def _markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
