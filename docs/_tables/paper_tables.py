"""The tables of README and the results page that come from the paper's figures, bench/paper."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any

from cells import table
from stored_numbers import (
    COMPARED,
    GAMES,
    GRID,
    NOT_MEASURED,
    PAPER,
    full_information_gain,
    mean_of,
    numbers,
    over_seeds,
    runs,
)

from paymaster.algorithms import LEADERS

REPORT_LINE = re.compile(r"\| \[([\w-]+)\]\([\w-]+\.md\) \| (.*) \| (.*) \| (.*) \| (.*) \|")


BESIDE = ("`nearest`", "`told_best`", "upper bound")


def beside(game: str) -> list[str]:
    """Return the gains of two scripted leaders and the upper bound, as cells for :data:`BESIDE`."""
    return [f"{full_information_gain(*GAMES[game], name):.2f}" for name in ("nearest", "told_best", "upper_bound")]


def readme_results() -> list[str]:
    """Return gains of three leaders, beside the references, under advance payments."""
    leaders = ("ebpg-expiring", "ebpg", "m3rl")
    rows = [
        (
            f"`{GAMES[game][0]}`",
            *(over_seeds("fig3", panel=f"{game}, our regime", leader=leader) for leader in leaders),
            *beside(game),
        )
        for game in GAMES
        if game.endswith("advance")
    ]
    return table(("paid in advance", *(f"`{leader}`" for leader in leaders), *BESIDE), rows)


def gain() -> list[str]:
    """Return gains of the leaders of Fig. 3 with their tuned settings; of the default also after 20,000 episodes."""
    rows: list[Sequence[object]] = []
    for game in GAMES:
        scripted = beside(game)
        cells = [over_seeds("fig3", panel=f"{game}, our regime", leader=leader) for leader in COMPARED]
        rows.append((game, "5,000", *cells, *scripted))
        longer = over_seeds("leaders", panel="four times the training", at=game)
        if longer != NOT_MEASURED:
            rows.append((game, "20,000", longer, *[NOT_MEASURED] * (len(COMPARED) - 1), *scripted))
    head = ("game", "episodes", *(f"`{leader}`" for leader in COMPARED))
    return table((*head, *BESIDE), rows)


def gain_paper_regime() -> list[str]:
    """Return gains in the paper's regime, for every leader, on the grid."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in runs():
        game, *rest = row["name"].split(", ")
        if rest[1:-1] == ["paper"]:
            found[game, rest[0]].append(row)

    def value(row: dict[str, Any]) -> float:
        evaluation = row["evaluations"][f"sampled, noise {row['config']['parameters']['noise']:g}"]
        return float(evaluation["gain"])

    rows = [(f"`{leader}`", *(mean_of(map(value, found[game, leader])) for game in GRID)) for leader in LEADERS]
    return table(("leader", *GRID), rows)


def learning_followers() -> list[str]:
    """Return gains beside followers that learn."""
    leaders = ("ebpg-expiring", "ebpg", "m3rl")
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
            game,
            f"`{leader}`",
            *(
                over_seeds("two-time-scale", game=game, leader=leader, at=scale, measure=measure)
                for measure in ("gain", "follower_reward")
                for scale in scales
            ),
        )
        for game in ("RC completion", "navigation advance")
        for leader in ("ebpg-expiring", "ebpg", "m3rl")
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
    head = ("`ebpg`", "`ebpg-expiring`", "`ebpg`, paper's", "`ebpg-expiring`, paper's")
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


TABLES = {
    "readme results": readme_results,
    "gain": gain,
    "gain in the paper's regime": gain_paper_regime,
    "learning followers": learning_followers,
    "two time scales": two_time_scale,
    "number of followers": number_of_followers,
    "verdicts": verdicts,
    "reasons": reasons,
    "ten times as long": ten_times_as_long,
}
