"""The tables of the results page that come from our own measurements, bench/paper."""

from __future__ import annotations

import numpy as np
from cells import table
from stored_numbers import (
    COMPARED,
    GAMES,
    GRID,
    full_information_gain,
    mean_of,
    numbers,
    over_seeds,
    runs,
    values_of,
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
    """Return each leader's mean share of full information's gain over the games, in per cent, by learning rates."""
    settings = list(dict.fromkeys(row["panel"] for row in numbers("tuning")))
    games = list(dict.fromkeys(row["at"] for row in numbers("tuning")))
    rows = []
    for leader in LEADERS:
        shares = [
            100 * np.mean([_shares(setting, game, leader) for game in games], axis=0)  # of each seed
            for setting in settings
        ]
        best = max(range(len(settings)), key=lambda one: shares[one].mean())
        cells = [f"**{mean_of(of, 1)}**" if one == best else mean_of(of, 1) for one, of in enumerate(shares)]
        rows.append((f"`{leader}`", *cells))
    return table(("leader", *(setting.removeprefix("learning rates ") for setting in settings)), rows)


def _shares(setting: str, game: str, leader: str) -> list[float]:
    full = full_information_gain(*GAMES[game])
    return [gain / full for gain in values_of("tuning", panel=setting, at=game, leader=leader)]


def frozen_leader() -> list[str]:
    """Return what followers earn that learn beside a leader that does not, and what rule-based followers earn."""
    of = numbers("frozen-leader")
    marks, games, (*kinds, rule) = (list(dict.fromkeys(row[name] for row in of)) for name in ("panel", "at", "series"))
    rows = [
        (
            f"`{GAMES[game][0]}`",
            *kind.split(", "),
            *(over_seeds("frozen-leader", panel=mark, at=game, series=kind) for mark in marks),
            f"{values_of('frozen-leader', panel=marks[0], at=game, series=rule)[0]:.2f}",
        )
        for game in games
        for kind in kinds
    ]
    return table(("task", "followers choose", "weights", *marks, rule), rows)


def broken_contracts() -> list[str]:
    """Return the default leader's gain and payments beside followers that are paid again, or act at random."""
    panels = list(dict.fromkeys(row["panel"] for row in numbers("broken-contracts")))
    lines = dict.fromkeys((row["at"], row["series"]) for row in numbers("broken-contracts"))
    rows = [
        (
            f"`{GAMES[game][0]}`",
            way,
            *(over_seeds("broken-contracts", panel=panel, at=game, series=way) for panel in panels),
        )
        for game, way in sorted(lines, key=lambda line: list(GAMES).index(line[0]))
    ]
    return table(("task", "followers", *panels), rows)


TABLES = {
    "other leaders": others,
    "inside": inside,
    "until full information": until_full_information,
    "tuning": tuning,
    "generalisation": generalisation,
    "prediction": prediction,
    "termination": termination,
    "frozen leader": frozen_leader,
    "broken contracts": broken_contracts,
}
