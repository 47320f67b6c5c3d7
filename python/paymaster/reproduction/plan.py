"""What a figure is, as data, and what figures share: who is compared, on which games, by which claims.

The paper's claims are checked with its `ebpg` as its method, and again with the package's default leader in that part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

from paymaster.algorithms import DEFAULT_LEADER
from paymaster.reproduction.claims import Claim, Side
from paymaster.reproduction.scales import Scale
from paymaster.reproduction.specs import GAMES, Arm, Reading

__all__ = [
    "ABLATIONS",
    "BASELINE",
    "COMPARED",
    "METHODS",
    "ON_THE_GRID",
    "PAPERS",
    "PRESETS",
    "Average",
    "Figure",
    "Panel",
    "Read",
    "Series",
    "above",
    "above_baseline",
    "ahead",
    "average_of",
    "beyond_zero",
    "games_of",
    "only_positive",
    "panel_of",
    "reading",
]

Category: TypeAlias = "str | float"
Read: TypeAlias = Callable[[str, Any], Reading]
"""(Label of a series, often a leader; place on its axis, often a game) -> what is shown there."""

PAPERS: Final = "ebpg"
BASELINE: Final = "m3rl"
METHODS: Final = (PAPERS, DEFAULT_LEADER)
ABLATIONS: Final = {"no-ebpg": "w/o EBPG", "no-attention": "w/o attention"}
COMPARED: Final = (DEFAULT_LEADER, PAPERS, *ABLATIONS, BASELINE)
PRESETS: Final = ("RC completion", "MB advance", "navigation advance", "predator_prey advance")
ON_THE_GRID: Final = tuple(name for name, game in GAMES.items() if game.task.endswith("resource_collection"))


@dataclass(frozen=True)
class Series:
    """A line, or bars of one colour.

    Attributes:
        label: in the legend.
        points: place on the x axis, or name of the bar, and what is shown there.
    """

    label: str
    points: tuple[tuple[Category, Reading], ...]


@dataclass(frozen=True)
class Panel:
    """A part of a figure.

    Attributes:
        title: above it.
        kind: "curve" over training of series with one point each, beside scripted leaders and the bound; "bars"; a
            "line" over numbers; or a "table", which is not drawn.
        series: what is shown.
        x, y: what the axes mean.
    """

    title: str
    kind: Literal["curve", "bars", "line", "table"]
    series: tuple[Series, ...]
    x: str = ""
    y: str = "gain per episode"

    def rows(self) -> Iterator[tuple[Category, tuple[Reading, ...]]]:
        """Yield each place with what its series show there."""
        for points in zip(*(series.points for series in self.series), strict=True):
            yield points[0][0], tuple(reading for _, reading in points)


@dataclass(frozen=True)
class Average:
    """Lines over several games at once, each reading as a share of what its reference has there.

    Attributes:
        title: above the table.
        readings: of a leader, or of whatever a line is about, in each game.
        baseline: the line that the others are held against.
        by_game: show each game's share beside.
        against: whose readings are 1.
    """

    title: str
    readings: dict[str, tuple[Reading, ...]]
    baseline: str = BASELINE
    by_game: bool = False
    against: str = "what `full_information` has with rule-based followers"


@dataclass(frozen=True)
class Figure:
    """A figure or table.

    Attributes:
        title: what it shows.
        panels, claims, averages: see there.
        note: what has to be known to read it.
        claimed: heading of the claims' statements.
    """

    title: str
    panels: Sequence[Panel]
    claims: Sequence[Claim] = ()
    averages: Sequence[Average] = ()
    note: str = ""
    claimed: str = "the paper says"


def games_of(names: Iterable[str], scale: Scale) -> tuple[str, ...]:
    """Return those of a figure's games that the scale plays; the first of them where it plays none."""
    every = tuple(names)
    return tuple(name for name in every if scale.games is None or name in scale.games) or every[:1]


def reading(
    leader: str,
    game: str,
    measure: str = "gain",
    *,
    noise: float | None = None,
    greedy: bool = False,
    condition: str = "",
    **arm: Any,
) -> Reading:
    """Return the reading of a leader in a game; ``arm`` is what else its arm has."""
    return Reading(Arm(game, leader, **arm), measure, noise, greedy, condition)


def panel_of(
    title: str,
    kind: Literal["curve", "bars", "line", "table"],
    labels: Iterable[str],
    places: Iterable[Any],
    read: Read,
    x: str = "",
    y: str = "gain per episode",
) -> Panel:
    """Return a panel with a series a label and a point a place."""
    series = (Series(label, tuple((place, read(label, place)) for place in places)) for label in labels)
    return Panel(title, kind, tuple(series), x, y)


def average_of(title: str, labels: Iterable[str], games: Iterable[str], read: Read, **how: Any) -> Average:
    """Return an average with a line a label; ``how`` is what else it has."""
    return Average(title, {label: tuple(read(label, game) for game in games) for label in labels}, **how)


def above(statement: str, source: str, case: str, a: Reading, b: Reading, **changes: Any) -> Claim:
    """Return the claim that one reading is above another, seed by seed; ``changes`` of it come last."""
    quantity = f"{a.measure.replace('_', ' ')} of {a.arm.leader} less {b.arm.leader}'s"
    claim = Claim(statement, source, a.arm.leader, a.arm.regime, case, quantity, ((1.0, a), (-1.0, b)))
    return replace(claim, **changes)


def beyond_zero(statement: str, source: str, method: str, one: Reading, case: str, side: Side = "above") -> Claim:
    """Return the claim that a reading is above zero, or below."""
    quantity = f"{one.measure} of {one.arm.leader}"
    return Claim(statement, source, method, one.arm.regime, case, quantity, ((1.0, one),), side)


def ahead(
    statement: str, source: str, places: Iterable[Any], read: Read, a: str, b: str, case: str = "{}", **changes: Any
) -> list[Claim]:
    """Return the claims that what label ``a`` reads is above what ``b`` does, place by place; ``case`` is a format."""
    return [above(statement, source, case.format(at), read(a, at), read(b, at), **changes) for at in places]


def only_positive(
    source: str, games: Iterable[str], read: Read, methods: Mapping[str, str], baseline: str = BASELINE
) -> list[Claim]:
    """Return the claims that each method gains something where M3RL loses: in multi-bonus games and in navigation.

    Args:
        source: where the paper says it.
        games: of which those count.
        read: gains.
        methods: who plays the part of the paper's method -> the leader's label.
        baseline: M3RL's label.
    """
    statement, claims = "only it is positive in multi-bonus and navigation", list[Claim]()
    for game in games:
        for method, leader in methods.items() if game.startswith(("MB", "navigation")) else ():
            claims.append(beyond_zero(statement, source, method, read(leader, game), f"{game} ({leader})"))
            claims.append(beyond_zero(statement, source, method, read(baseline, game), f"{game} ({baseline})", "below"))
    return claims


def above_baseline(statement: str, source: str, games: Sequence[str], read: Read) -> list[Claim]:
    """Return the claims that each method's reading is above that of M3RL, game by game."""
    return [claim for method in METHODS for claim in ahead(statement, source, games, read, method, BASELINE)]
