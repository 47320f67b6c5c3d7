"""Methods of the field beside the default leader: a choice of settings on one seed, then a comparison on others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import numpy as np

from paymaster.algorithms import DEFAULT_LEADER
from paymaster.reproduction.claims import Claim
from paymaster.reproduction.names import FigureName
from paymaster.reproduction.plan import (
    ON_THE_GRID,
    Average,
    Figure,
    Panel,
    ahead,
    average_of,
    games_of,
    panel_of,
    reading,
)
from paymaster.reproduction.results import Results
from paymaster.reproduction.scales import Scale
from paymaster.reproduction.specs import Reading

__all__ = ["CHOICES", "FIGURES", "chosen_by"]

Changes = tuple[tuple[str, Any], ...]

_GAMES: Final = (*ON_THE_GRID, "navigation advance", "predator_prey advance", "crafting")
_TRIED_ON: Final = 100
"""The seed that settings are tried on; no other figure of a game has it."""
_SCRIPTED: Final = "nearest_hold"
_LEARNING: Final = ("metagradient", "dual-rl")
"""Designers, beside whom followers learn in a panel of their own."""


def _one(setting: str, *values: Any) -> dict[str, Changes]:
    """Name -> changes: four values of one setting."""
    return {f"{setting} {value:g}": ((setting, value),) for value in values}


CHOICES: Final[dict[str, dict[str, Changes]]] = {
    "linear-contract": _one("bandit.shares", 6, 11, 21, 51),
    "ucb": _one("bandit.alpha", 0.1, 0.3, 1.0, 3.0),
    "thompson": _one("bandit.deviation", 0.03, 0.1, 0.3, 1.0),
    "bayes": _one("bayes.evaluations", 25, 50, 100, 150),
    "dual-rl": _one("designer.learning_rate", 0.003, 0.01, 0.03, 0.1),
    "metagradient": _one("designer.learning_rate", 0.003, 0.01, 0.03, 0.1),
    "ppo": {
        f"learner.learning_rate {rate:g}": (("learner.learning_rate", rate), ("learner.critic_learning_rate", rate))
        for rate in (1e-4, 3e-4, 1e-3, 3e-3)
    },
}
"""Leader -> name of a setting -> departures from its own: what there is to choose from, the default among them."""

_CHOSEN: Final[Mapping[str, str]] = {}
"""Leader -> the setting that :func:`chosen_by` found; those that are not here keep their default."""

_PLACES: Final = ("setting 1", "setting 2", "setting 3", "setting 4")


def _followers(leader: str) -> str:
    return "meta" if leader == "metagradient" else "rule"


def _setting(leader: str) -> Changes:
    """Departures of a leader's setting in the comparison."""
    return CHOICES[leader][_CHOSEN[leader]] if leader in _CHOSEN else ()


def _tried(leader: str, game: str, place: str) -> Reading:
    """Return the reading of the leader's n-th setting on the seed that settings are tried on."""
    changes = list(CHOICES[leader].values())[_PLACES.index(place)]
    return reading(leader, game, changes=changes, followers=_followers(leader), first_seed=_TRIED_ON, seeds=1)


def field(scale: Scale) -> Figure:
    games = games_of(_GAMES, scale)
    ruled = [leader for leader in scale.field if leader != "metagradient"]
    labels = [DEFAULT_LEADER, *ruled, _SCRIPTED]

    def read(leader: str, game: str, **arm: Any) -> Reading:
        return reading(leader, game, changes=() if leader in (DEFAULT_LEADER, _SCRIPTED) else _setting(leader), **arm)

    panels = [panel_of("gain", "bars", labels, games, read)]
    claims = list[Claim]()
    for other in labels[1:]:
        claims += ahead(f"better than {other}", "ours", games, read, DEFAULT_LEADER, other)
    learning = [leader for leader in _LEARNING if leader in scale.field]
    if learning:
        beside, title = partial(read, followers="meta"), "gain, followers that learn"
        panels.append(panel_of(title, "bars", [DEFAULT_LEADER, *learning], games, beside))
        for other in learning:
            statement = f"better than {other}, followers that learn"
            claims += ahead(statement, "ours", games, beside, DEFAULT_LEADER, other)
    panels += [_tries(leader, games) for leader in scale.field]
    note = (
        "None of the methods is tuned beyond the choice of one of four settings, by the mean gain over these games on "
        f"seed {_TRIED_ON}, off which no result is read. The default leader has its tuned settings. In the choices the "
        "settings stand in the order of `CHOICES` in python/paymaster/reproduction/field.py."
    )
    # A scripted leader's share would be one of its own gain.
    averages = [average_of("gain", labels[:-1], games, read, baseline=DEFAULT_LEADER, by_game=True)]
    averages += [_shares(leader, games) for leader in scale.field]
    return Figure("Methods of the field", panels, claims, averages, note, claimed="statement")


def _tries(leader: str, games: tuple[str, ...]) -> Panel:
    """The gains of a leader's settings, on one seed."""
    return panel_of(f"choice of {leader}", "table", _PLACES, games, lambda place, game: _tried(leader, game, place))


def _shares(leader: str, games: tuple[str, ...]) -> Average:
    """The same as shares of what full information gains, by which one is chosen."""
    how: dict[str, Any] = {"baseline": _PLACES[0], "by_game": True}
    return average_of(f"choice of {leader}", _PLACES, games, lambda place, game: _tried(leader, game, place), **how)


def chosen_by(results: Results) -> dict[str, str]:
    """Return leader -> the name of the setting with the highest mean gain, as a share of full information's, over the
    games."""
    games = games_of(_GAMES, results.scale)
    chosen = {}
    for leader in results.scale.field:
        means = [results.shares(readings).mean() for readings in _shares(leader, games).readings.values()]
        chosen[leader] = list(CHOICES[leader])[int(np.argmax(means))]
    return chosen


FIGURES: Final[dict[FigureName, Callable[[Scale], Figure]]] = {"field": field}
"""Name -> the figure at a scale."""
