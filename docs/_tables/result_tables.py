"""The tables of README and the results page, from the rows and reports in bench/paper and bench/leaders."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from cells import table
from task_tables import gains

from paymaster.algorithms import LEADERS
from paymaster.analysis.intervals import mean_ci95

BENCH = Path(__file__).resolve().parents[2] / "bench"
PAPER = BENCH / "paper"
REPORT_LINE = re.compile(r"\| \[([\w-]+)\]\([\w-]+\.md\) \| (.*) \| (.*) \| (.*) \| (.*) \|")
GAMES = {
    "RC completion": ("resource_collection", "completion"),
    "RC advance": ("resource_collection", "advance"),
    "MB completion": ("multi_bonus_resource_collection", "completion"),
    "MB advance": ("multi_bonus_resource_collection", "advance"),
    "navigation completion": ("navigation", "completion"),
    "navigation advance": ("navigation", "advance"),
    "predator_prey completion": ("predator_prey", "completion"),
    "predator_prey advance": ("predator_prey", "advance"),
}
GRID = tuple(GAMES)[:4]
"""The games of the paper's regime."""
ALL_BUT_TWO = (*GRID, "navigation", "predator_prey")
"""The names in bench/leaders, where games in the plane are paid in advance."""
COMPARED = ("natural-ends", "ebpg", "no-ebpg", "no-attention", "m3rl")
NOT_MEASURED = ""


@cache
def numbers(figure: str) -> list[dict[str, str]]:
    """Return the rows of a figure's CSV file."""
    with (PAPER / f"{figure}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def over_seeds(figure: str, digits: int = 2, **where: str) -> str:
    """Return mean ± 95 % over seeds (Student's t) of the only row with these values."""
    rows = [row for row in numbers(figure) if all(row[name] == value for name, value in where.items())]
    if not rows:
        return NOT_MEASURED
    (row,) = {(row["game"], row["values"]): row for row in rows}.values()
    return f"{mean_ci95([float(value) for value in row['values'].split()]):.{digits}f}"


@cache
def stored(name: str) -> list[dict[str, Any]]:
    """Return the rows of a file of JSON lines in bench."""
    return [json.loads(line) for line in (BENCH / name).read_text("utf-8").splitlines()]


@cache
def runs() -> list[dict[str, Any]]:
    """Return the stored training runs of the paper's figures."""
    lines = gzip.decompress((PAPER / "rows.jsonl.gz").read_bytes()).decode().splitlines()
    return [row for row in map(json.loads, lines) if "training" in row]


def mean_of(values: Iterable[float | None], digits: int = 2) -> str:
    """Return mean ± 95 % of those that are there, empty where there is none."""
    there = [value for value in values if value is not None]
    return f"{mean_ci95(there):.{digits}f}" if there else NOT_MEASURED


def told(task: str, payment: str, leader: str = "full_information") -> float:
    """Return a scripted leader's mean gain."""
    return gains()[task, payment, leader][0]


def game_name(game: str) -> str:
    """Return a game's short name; in bench/leaders the payment rule is left out in the plane."""
    return game if game in GAMES else f"{game} advance"


def readme_results() -> list[str]:
    """Return gains of three leaders, and of full information, under advance payments."""
    leaders = ("natural-ends", "ebpg", "m3rl")
    rows = [
        (
            f"`{GAMES[game][0]}`",
            *(over_seeds("fig3", panel=f"{game}, our regime", leader=leader) for leader in leaders),
            f"{told(*GAMES[game]):.2f}",
        )
        for game in GAMES
        if game.endswith("advance")
    ]
    return table(("paid in advance", *(f"`{leader}`" for leader in leaders), "full information"), rows)


def gain() -> list[str]:
    """Return gains of the leaders of Fig. 3 with their tuned settings; of the default also after 20,000 episodes."""
    rows: list[Sequence[object]] = []
    for game, of in GAMES.items():
        scripted = [f"{told(*of, leader):.2f}" for leader in ("full_information", "preference")]
        cells = [over_seeds("fig3", panel=f"{game}, our regime", leader=leader) for leader in COMPARED]
        rows.append((game_name(game), "5,000", *cells, *scripted))
        longer = [
            row
            for row in stored("leaders/results.jsonl")
            if row["episodes"] == 20_000 and row["leader"] == COMPARED[0] and f"{row['game']} advance" == game
        ]
        if longer:
            first = mean_of(row["gain"] for row in longer)
            rows.append((game_name(game), "20,000", first, *[NOT_MEASURED] * (len(COMPARED) - 1), *scripted))
    head = ("game", "episodes", *(f"`{leader}`" for leader in COMPARED))
    return table((*head, "full information", "preference"), rows)


def gain_paper_regime() -> list[str]:
    """Return gains in the paper's regime, for every leader, on the grid."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in runs():
        game, *rest = row["name"].split(", ")
        if rest[1:-1] == ["paper"]:
            found[game, rest[0]].append(row)

    def value(row: dict[str, Any]) -> float:
        evaluation = row["evaluations"][f"sampled, noise {row['config']['options']['noise']:g}"]
        return float(evaluation["gain"])

    rows = [(f"`{leader}`", *(mean_of(map(value, found[game, leader])) for game in GRID)) for leader in LEADERS]
    return table(("leader", *GRID), rows)


def others() -> list[str]:
    """Return gains of the leaders that Fig. 3 does not have, with their tuned settings."""
    leaders = [leader for leader in LEADERS if leader not in COMPARED]
    return table(
        ("leader", *ALL_BUT_TWO),
        [(f"`{leader}`", *(leaders_mean(game, leader, "gain") for game in ALL_BUT_TWO)) for leader in leaders],
    )


def leaders_mean(game: str, leader: str, measure: str, digits: int = 2) -> str:
    """Return a leader's measure after 5,000 episodes, of bench/leaders."""
    rows = [
        row
        for row in stored("leaders/results.jsonl")
        if (row["game"], row["leader"], row["episodes"]) == (game, leader, 5_000)
    ]
    return mean_of((row.get(measure) for row in rows), digits)


def inside() -> list[str]:
    """Return what bench/leaders recorded beside the gain."""
    measures = (
        ("greedy_gain", 2),
        ("noisy_gain", 2),
        ("events", 1),
        ("termination", 3),
        ("prediction_accuracy", 2),
    )
    rows = [
        (
            game_name(game),
            f"`{leader}`",
            *(leaders_mean(game, leader, measure, digits) for measure, digits in measures),
        )
        for game in ALL_BUT_TWO
        for leader in LEADERS
    ]
    head = (
        "game",
        "leader",
        "greedy gain",
        "gain under 30 % noise",
        "new offers",
        "beta",
        "foreseen actions",
    )
    return table(head, rows)


def learning_followers() -> list[str]:
    """Return gains beside followers that learn."""
    leaders = ("natural-ends", "ebpg", "m3rl")
    games = ("RC completion", "MB advance", "navigation advance", "predator_prey advance")
    rows = [
        (
            f"`{GAMES[game][0]}`",
            *(
                over_seeds("fig4", panel=game, leader=leader, followers=followers)
                for followers in ("meta", "primitive")
                for leader in leaders
            ),
        )
        for game in games
    ]
    head = [f"{way}: `{leader}`" for way in ("goals", "moves") for leader in leaders]
    return table(("task", *head), rows)


def two_time_scale() -> list[str]:
    """Return gains and followers' rewards under one time scale, two, and each leader's tuned rate."""
    scales = ("two time scales", "one time scale", "ours")
    rows = [
        (
            game_name(game),
            f"`{leader}`",
            *(
                over_seeds("two-time-scale", game=game, leader=leader, at=scale, measure=measure)
                for measure in ("gain", "follower_reward")
                for scale in scales
            ),
        )
        for game in ("RC completion", "navigation advance")
        for leader in ("natural-ends", "ebpg", "m3rl")
    ]
    head = [f"{measure}: {scale}" for measure in ("gain", "followers' reward") for scale in ("two", "one", "ours")]
    return table(("game", "leader", *head), rows)


def number_of_followers() -> list[str]:
    """Return gain and followers' reward by number of followers."""
    rows = [
        (
            number,
            f"`{leader}`",
            *(
                over_seeds("number-of-followers", 1, at=number, leader=leader, measure=measure)
                for measure in ("gain", "follower_reward")
            ),
        )
        for number in ("2", "4", "8", "16")
        for leader in COMPARED
    ]
    return table(("followers", "leader", "gain", "followers' reward"), rows)


@cache
def statements() -> dict[tuple[str, str], tuple[str, str, str, str]]:
    """Return (figure, statement) -> verdicts of ebpg and the default leader in our regime, and in the paper's."""
    found: dict[tuple[str, str], dict[str, tuple[str, str]]] = defaultdict(dict)
    for line in (PAPER / "report.md").read_text("utf-8").splitlines():
        match = REPORT_LINE.fullmatch(line)
        if match:
            figure, statement, regime, *cells = match.groups()
            found[figure, statement][regime] = (cells[0], cells[1])
    return {
        key: (*(of.get("ours") or of["ours, but for learning rates"]), *of.get("paper", ("-", "-")))
        for key, of in found.items()
    }


def verdicts() -> list[str]:
    """Return every statement of the paper with its verdicts."""
    head = ("`ebpg`", "`natural-ends`", "`ebpg`, paper's", "`natural-ends`, paper's")
    rows = [(f"`{figure}`", statement, *cells) for (figure, statement), cells in statements().items()]
    return table(("figure", "the paper says", *head), rows)


def reasons() -> list[str]:
    """Return the most likely reason of every statement that fails. Raises KeyError where none is given."""
    given: dict[str, dict[str, str]] = json.loads((PAPER / "reasons.json").read_text("utf-8"))
    rows = [
        (f"`{figure}`", statement, given[figure][statement])
        for (figure, statement), cells in statements().items()
        if "does not hold" in " ".join(cells) or statement in given[figure]
    ]
    return table(("figure", "the paper says", "most likely reason"), rows)


def ten_times_as_long() -> list[str]:
    """Return gains after 5,000 and after 50,000 episodes, multi-bonus under advance payments."""
    columns = (("gain", "once", 2), ("gain", "ten times", 2), ("new offers", "ten times", 1))
    rows = [
        (
            f"`{leader}`" if leader in LEADERS else f"`{leader.partition(',')[0]}`, the paper's rates",
            *(over_seeds("ten-times", digits, panel=panel, series=leader, at=at) for panel, at, digits in columns),
        )
        for leader in dict.fromkeys(row["series"] for row in numbers("ten-times"))
    ]
    return table(("leader", "5,000 episodes", "50,000 episodes", "new offers"), rows)


def tuning() -> list[str]:
    """Return each leader's mean share of full information's gain, by learning rates."""
    shares: dict[tuple[str, tuple[float, float]], list[float]] = defaultdict(list)
    for row in stored("leaders/tuning.jsonl"):
        settings = dict(some.split("=") for some in row["set"])
        learner = LEADERS[row["leader"]].untuned
        rates = [
            float(settings.get(name, getattr(learner, name))) for name in ("learning_rate", "critic_learning_rate")
        ]
        of = GAMES.get(row["game"], (row["game"], "advance"))
        shares[row["leader"], (rates[0], rates[1])].append(row["gain"] / told(*of))
    columns = sorted({rates for _, rates in shares})
    rows = []
    for leader in LEADERS:
        means = [sum(some) / len(some) if (some := shares[leader, rates]) else 0.0 for rates in columns]
        cells = [f"**{mean:.0%}**" if mean == max(means) else f"{mean:.0%}" for mean in means]
        rows.append((f"`{leader}`", *cells))
    return table(("leader", *(f"{policy:g}, {critic:g}" for policy, critic in columns)), rows)


def generalisation() -> list[str]:
    """Return the default leader's gain where it was not trained, and its share of full information's."""
    tasks = [GAMES.get(game, (game, "advance")) for game in ALL_BUT_TWO]
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in stored("leaders/generalisation.jsonl"):
        found[row["task"], row["options"]["payment"], row["condition"]].append(row)
    conditions = dict.fromkeys(row["condition"] for row in stored("leaders/generalisation.jsonl"))
    rows = []
    for condition in conditions:
        cells = []
        for of in tasks:
            same = found[of[0], of[1], condition]
            whole = sum(row["full_information"]["mean"] for row in same)
            share = sum(row["gain"]["mean"] for row in same) / whole if whole else 0.0
            cells.append(f"{mean_of(row['gain']['mean'] for row in same)} ({share:.0%})" if same else "-")
        rows.append((condition, *cells))
    return table(("condition", *ALL_BUT_TWO), rows)


def prediction() -> list[str]:
    """Return how often the follower-aware module foresees an action, beside tables that know more."""
    rows = []
    for game in ALL_BUT_TWO:
        same = [row for row in stored("leaders/prediction.jsonl") if row["game"] == game]
        means = [f"{sum(row[name] for row in same) / len(same):.3f}" for name in ("ours", "offer", "previous", "move")]
        leads = [mean_of((row[name] for row in same), 3) for name in ("lead_offer", "lead_previous")]
        rows.append((game_name(game), f"{same[0]['episodes']:,}", *means, *leads))
    head = ("the module", "this offer", "the offer before", "the planner's move")
    return table(("game", "episodes", *head, "lead over this offer", "lead over the one before"), rows)


def termination() -> list[str]:
    """Return gains where a learned termination might pay: followers of whom nothing is known, and others."""
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in stored("leaders/termination.jsonl"):
        changes = sorted(
            some.removeprefix("options.")
            for some in row["set"]
            if some.startswith("options.") or some.startswith("termination_start")
        )
        found[row["game"], row["leader"], ", ".join(changes)].append(row)
    rows = [
        (
            game_name(game),
            f"`{leader}`",
            f"`{changes}`" if changes else "-",
            len(same),
            mean_of(row["gain"] for row in same),
            mean_of((row.get("termination") for row in same), 3),
        )
        for (game, leader, changes), same in sorted(found.items(), key=lambda item: (-len(item[1]), *item[0]))
    ]
    return table(("game", "leader", "changes", "seeds", "gain", "beta"), rows)


def frozen_leader() -> list[str]:
    """Return what followers that learn earn, as a share of what rule-based followers earn."""
    found: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    names = ("game", "payment", "kind", "identities")
    for row in stored("followers/frozen_leader.jsonl"):
        found[tuple(row[name] for name in names)].append(row)
    marks = ("500", "1000", "2000", "5000")
    rows = []
    for (game, payment, kind, identities), same in sorted(
        found.items(), key=lambda item: ALL_BUT_TWO.index(item[0][0])
    ):
        shares = [mean_of(row["earned"][mark] / row["by_rule"] for row in same) for mark in marks]
        task = GAMES.get(game, (game,))[0]
        rows.append((f"`{task}`, `{payment}`", kind, identities, f"{same[0]['by_rule']:.2f}", *shares))
    head = [f"{int(mark):,} episodes" for mark in marks]
    return table(("game", "followers choose", "weights", "rule-based earn", *head), rows)


TABLES = {
    "readme results": readme_results,
    "gain": gain,
    "gain in the paper's regime": gain_paper_regime,
    "other leaders": others,
    "inside": inside,
    "learning followers": learning_followers,
    "two time scales": two_time_scale,
    "number of followers": number_of_followers,
    "verdicts": verdicts,
    "reasons": reasons,
    "ten times as long": ten_times_as_long,
    "tuning": tuning,
    "generalisation": generalisation,
    "prediction": prediction,
    "termination": termination,
    "frozen leader": frozen_leader,
}
