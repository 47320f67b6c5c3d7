"""What a figure of the paper is, as data, and what figures share: who is compared, on which games, by which claims.

Claims are checked with the paper's `ebpg` as its method, and again with the package's default leader in that part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from paymaster.algorithms import DEFAULT_LEADER
from paymaster.reproduction.claims import Claim
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
    "PRESET_NUMBER",
    "Average",
    "Figure",
    "Panel",
    "Series",
    "above_baseline",
    "average_of",
    "bars_of",
    "games_of",
    "greedy_of",
    "less",
]

Category: TypeAlias = "str | float"

PAPERS: Final = "ebpg"
BASELINE: Final = "m3rl"
METHODS: Final = (PAPERS, DEFAULT_LEADER)
PRESET_NUMBER: Final = 4  # of followers
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
        kind: "curve" over training of series with one point each, beside ``full_information``; "bars"; a "line" over
            numbers; or a "table", which is not drawn.
        series: what is shown.
        x, y: what the axes mean.
    """

    title: str
    kind: Literal["curve", "bars", "line", "table"]
    series: tuple[Series, ...]
    x: str = ""
    y: str = "gain per episode"


@dataclass(frozen=True)
class Average:
    """Leaders over several games at once, each reading as a share of what ``full_information`` has there.

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
    """A figure or table of the paper.

    Attributes:
        title: what it shows.
        panels, averages, claims: see there.
        note: what has to be known to read it.
        claimed: heading of the claims' statements.
    """

    title: str
    panels: tuple[Panel, ...]
    claims: tuple[Claim, ...] = ()
    averages: tuple[Average, ...] = ()
    note: str = ""
    claimed: str = "the paper says"


def greedy_of(title: str, games: tuple[str, ...], arm: Callable[[str, str], Arm]) -> Panel:
    """What leaders gain with their likeliest offers."""
    series = tuple(
        Series(leader, tuple((game, Reading(arm(game, leader), greedy=True)) for game in games)) for leader in COMPARED
    )
    return Panel(f"likeliest offers instead of draws, {title}", "table", series)


def games_of(names: Iterable[str], scale: Scale) -> tuple[str, ...]:
    """Those of a figure's games that the scale plays; the first of them where it plays none."""
    every = tuple(names)
    return tuple(name for name in every if scale.games is None or name in scale.games) or every[:1]


def less(a: Reading, b: Reading) -> tuple[tuple[float, Reading], ...]:
    return ((1.0, a), (-1.0, b))


def average_of(title: str, games: tuple[str, ...], arms: Callable[[str, str], Arm], measure: str = "gain") -> Average:
    readings = {leader: tuple(Reading(arms(game, leader), measure) for game in games) for leader in COMPARED}
    return Average(title, readings)


def above_baseline(
    statement: str, source: str, games: tuple[str, ...], arms: Callable[[str, str], Arm], measure: str = "gain"
) -> Iterator[Claim]:
    """The method's reading less that of M3RL, game by game."""
    for method in METHODS:
        for game in games:
            ours, theirs = (Reading(arms(game, leader), measure) for leader in (method, BASELINE))
            quantity = f"{measure.replace('_', ' ')} of {method} less {BASELINE}'s"
            yield Claim(statement, source, method, ours.arm.regime, game, quantity, less(ours, theirs))


def bars_of(
    title: str, games: tuple[str, ...], arm: Callable[[str, str], Arm], measure: str, leaders: tuple[str, ...]
) -> Panel:
    series = tuple(
        Series(leader, tuple((game, Reading(arm(game, leader), measure)) for game in games)) for leader in leaders
    )
    return Panel(title, "bars", series, y=f"{measure.replace('_', ' ')} per episode")
