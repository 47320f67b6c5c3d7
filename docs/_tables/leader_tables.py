"""The tables of the results page that come from our own measurements: bench/paper, bench/leaders, bench/followers."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from cells import table
from stored_numbers import (
    ALL_BUT_TWO,
    COMPARED,
    GAMES,
    GRID,
    full_information_gain,
    mean_of,
    numbers,
    over_seeds,
    runs,
    stored,
)

from paymaster.algorithms import DEFAULT_LEADER, LEADERS

INSIDE = (
    ("greedy gain", "likeliest offers", 2),
    ("gain under 30 % noise", "30 % noise", 2),
    ("new offers", "new offers", 1),
    ("beta", "termination probability", 3),
    ("foreseen actions", "actions foreseen", 2),
)
"""Column, panel and digits of what is seen of a leader beside its gain."""


def others() -> list[str]:
    """Return gains of the leaders that Fig. 3 does not have, with their tuned settings."""
    rows = [
        (f"`{leader}`", *(of_leader("offers drawn", game, leader) for game in GAMES))
        for leader in LEADERS
        if leader not in COMPARED
    ]
    return table(("leader", *GAMES), rows)


def of_leader(panel: str, game: str, leader: str, digits: int = 2) -> str:
    """Return a leader's measure after 5,000 episodes."""
    where = "on the grid" if game in GRID else "in the plane"
    return over_seeds("leaders", digits, panel=f"{panel}, {where}", at=game, leader=leader)


def inside() -> list[str]:
    """Return what was seen of the leaders beside their gains."""
    rows = [
        (game, f"`{leader}`", *(of_leader(panel, game, leader, digits) for _, panel, digits in INSIDE))
        for game in GAMES
        for leader in LEADERS
    ]
    return table(("game", "leader", *(column for column, *_ in INSIDE)), rows)


def until_full_information() -> list[str]:
    """Return after how many episodes the default leader gained, while it trained, what full information gains."""
    rows = []
    for game in (*GRID, "navigation advance", "predator_prey advance"):
        on_the_grid = game in GRID
        episodes, length = (5_000, "") if on_the_grid else (20_000, ", 20,000 episodes")
        enough = full_information_gain(*GAMES[game]) * (1.0 if on_the_grid else 0.9)
        curves = [
            list(zip(row["training"]["curve"]["episode"], row["training"]["curve"]["gain"], strict=True))
            for row in runs()
            if row["name"].rpartition(", seed")[0] == f"{game}, {DEFAULT_LEADER}{length}"
            and row["config"]["episodes"] == episodes
            and not row["config"]["parameters"]["noise"]
        ]
        reached = [next(f"{episode:,}" for episode, gain in curve if gain >= enough) for curve in curves]
        rows.append((game if on_the_grid else f"{game}, 90 %", curves[0][0][0], "; ".join(reached)))
    return table(("game", "episodes a window", "the first window ends after, by seed"), rows)


def generalisation() -> list[str]:
    """Return the default leader's gain where it was not trained."""
    return by_series("generalisation", ("gain on the grid", "gain in the plane"), "condition")


def prediction() -> list[str]:
    """Return how often the follower-aware module foresees an action, beside tables that know more."""
    return by_series("prediction", ("accuracy",), "who foresees", digits=3)


def by_series(figure: str, panels: tuple[str, ...], head: str, digits: int = 2) -> list[str]:
    """Return the panels of a figure side by side, a line a series."""
    of = [row for row in numbers(figure) if row["panel"] in panels]
    columns = dict.fromkeys((row["panel"], row["at"]) for row in of)
    rows = [
        (series, *(over_seeds(figure, digits, panel=panel, series=series, at=at) for panel, at in columns))
        for series in dict.fromkeys(row["series"] for row in of)
    ]
    return table((head, *(at for _, at in columns)), rows)


def termination() -> list[str]:
    """Return gains among strangers, where a learned termination might pay."""
    columns = (("gain", 2), ("new offers", 1), ("termination probability", 3))
    rows = [
        (
            f"`{leader}`" + comma + bias,
            *(over_seeds("termination", digits, panel=panel, series=series) for panel, digits in columns),
        )
        for series in dict.fromkeys(row["series"] for row in numbers("termination"))
        for leader, comma, bias in [series.partition(",")]
    ]
    return table(("leader", "gain", "new offers", "beta"), rows)


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
        shares[row["leader"], (rates[0], rates[1])].append(row["gain"] / full_information_gain(*of))
    columns = sorted({rates for _, rates in shares})
    rows = []
    for leader in LEADERS:
        means = [sum(some) / len(some) if (some := shares[leader, rates]) else 0.0 for rates in columns]
        cells = [f"**{mean:.0%}**" if mean == max(means) else f"{mean:.0%}" for mean in means]
        rows.append((f"`{leader}`", *cells))
    return table(("leader", *(f"{policy:g}, {critic:g}" for policy, critic in columns)), rows)


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
    "other leaders": others,
    "inside": inside,
    "until full information": until_full_information,
    "tuning": tuning,
    "generalisation": generalisation,
    "prediction": prediction,
    "termination": termination,
    "frozen leader": frozen_leader,
}
