"""The tables of the results page that come from our own measurements, bench/paper."""

from __future__ import annotations

from cells import table
from stored_numbers import COMPARED, GAMES, GRID, numbers, over_seeds

from paymaster.algorithms import LEADERS

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


def frozen_leader() -> list[str]:
    """Return what followers that learn earn beside a leader that does not."""
    after = dict.fromkeys(row["panel"] for row in numbers("frozen-leader"))
    rows = [
        (game, series, *(over_seeds("frozen-leader", panel=panel, series=series, at=game) for panel in after))
        for game in dict.fromkeys(row["at"] for row in numbers("frozen-leader"))
        for series in dict.fromkeys(row["series"] for row in numbers("frozen-leader"))
    ]
    return table(("game", "followers", *after), rows)
