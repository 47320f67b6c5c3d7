"""Measurements of ours that are no figure of the paper: leaders beside each other, their tuning, and what they bear."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, Literal, TypeAlias

from paymaster.algorithms import DEFAULT_LEADER
from paymaster.reproduction.claims import Claim
from paymaster.reproduction.conditions import CONDITIONS
from paymaster.reproduction.plan import BASELINE, ON_THE_GRID, PAPERS, Average, Figure, Panel, Series, games_of, less
from paymaster.reproduction.results import Results
from paymaster.reproduction.scales import Scale
from paymaster.reproduction.specs import GAMES, Arm, Reading

__all__ = ["frozen_leader", "generalisation", "leaders", "prediction", "ten_times", "termination", "tuned_by", "tuning"]

_Read: TypeAlias = Callable[[str, Any], Reading]
"""(label of a series, place on its axis) -> what is shown there."""

_PLANE: Final = ("navigation advance", "predator_prey advance")
_GAMES: Final = (*ON_THE_GRID, *_PLANE)
_WITHOUT: Final = "natural-ends-only"
_RATES: Final = ((3e-4, 1e-3, 1.0), (1e-3, 1e-3, 1.0), (3e-3, 3e-3, 0.1), (6e-3, 6e-3, 0.1))
"""Learning rates of policy and critic, and the share of them that is left at the end, to choose from."""


def _panel(
    title: str,
    kind: Literal["bars", "line", "table"],
    labels: Iterable[str],
    places: Iterable[Any],
    read: _Read,
    x: str = "",
    y: str = "gain per episode",
) -> Panel:
    series = (Series(label, tuple((place, read(label, place)) for place in places)) for label in labels)
    return Panel(title, kind, tuple(series), x, y)


def _average(title: str, labels: Iterable[str], games: Iterable[str], read: _Read, baseline: str = BASELINE) -> Average:
    readings = {label: tuple(read(label, game) for game in games) for label in labels}
    return Average(title, readings, baseline, by_game=True)


def _difference(statement: str, quantity: str, game: str, a: Reading, b: Reading) -> Claim:
    return Claim(statement, "ours", a.arm.leader, a.arm.regime, game, quantity, less(a, b))


def _figure(
    title: str,
    panels: Iterable[Panel],
    claims: Iterable[Claim] = (),
    averages: Iterable[Average] = (),
    note: str = "",
) -> Figure:
    return Figure(title, tuple(panels), tuple(claims), tuple(averages), note, claimed="statement")


def _trained(game: str) -> Arm:
    """Return the default leader, trained until it is good: in the plane four times as long."""
    return Arm(game, DEFAULT_LEADER, length=4.0 if game in _PLANE else 1.0)


def leaders(scale: Scale) -> Figure:
    ways: dict[str, dict[str, Any]] = {
        "offers drawn": {},
        "likeliest offers": {"greedy": True},
        "new offers": {"measure": "events"},
        "30 % noise": {"noise": 0.3},
        "termination probability": {"measure": "insight_termination"},
        "actions foreseen": {"measure": "insight_prediction"},
    }
    panels, averages, claims = [], [], []
    for regime, whose, names in (("ours", "our", tuple(GAMES)), ("paper", "the paper's", ON_THE_GRID)):
        games = games_of(names, scale)

        def read(leader: str, game: str, way: str = "offers drawn", regime: str = regime) -> Reading:
            return Reading(Arm(game, leader, regime), **ways[way])

        for way in list(ways)[: None if regime == "ours" else 3]:
            title, one = f"{way}, {whose} regime", partial(read, way=way)
            panels.append(_panel(title, "table" if ways[way] else "bars", scale.leaders, games, one))
            if "measure" not in ways[way]:
                averages.append(_average(title, scale.leaders, games, one))
        for other in scale.leaders:
            statement, quantity = f"better than {other}", f"gain of {DEFAULT_LEADER} less {other}'s"
            pairs = [(game, read(DEFAULT_LEADER, game), read(other, game)) for game in games]
            claims += [_difference(statement, quantity, *pair) for pair in pairs if other != DEFAULT_LEADER]
    longer = lambda _, game: Reading(_trained(game))  # noqa: E731
    panels.append(_panel("four times the training", "table", [DEFAULT_LEADER], games_of(_PLANE, scale), longer))
    return _figure("Leaders beside each other", panels, claims, averages)


def tuning(scale: Scale) -> Figure:
    games = games_of(("RC advance", "navigation advance"), scale)

    def read(leader: str, game: str, settings: Mapping[str, Any]) -> Reading:
        changes = tuple((f"learner.{name}", value) for name, value in settings.items())
        return Reading(Arm(game, leader, changes=changes, first_seed=100))

    choice = _choice()
    return _figure(
        "Tuning",
        [_panel(name, "bars", scale.leaders, games, partial(read, settings=some)) for name, some in choice.items()],
        averages=[_average(name, scale.leaders, games, partial(read, settings=some)) for name, some in choice.items()],
        note="Every leader has the same settings to choose from, with seeds, from 100 up, that no other figure has.",
    )


def _choice() -> dict[str, dict[str, Any]]:
    """Return name -> settings of a learner."""
    return {
        f"learning rates {rate:g}, {critic:g}, ending at {end:.0%}": {
            "critic_learning_rate": critic,
            "entropy_end": 0.0,
            "epochs": 4,
            "learning_rate": rate,
            "learning_rate_end": end,
        }
        for rate, critic, end in _RATES
    }


def tuned_by(results: Results) -> dict[str, dict[str, Any]]:
    """Return leader -> those of its settings with the highest mean share of ``full_information``'s gain."""
    choice = _choice()
    averages = {average.title: average.readings for average in tuning(results.scale).averages}
    return {
        leader: choice[max(choice, key=lambda name: results.shares(averages[name][leader]).mean())]
        for leader in results.scale.leaders
    }


def generalisation(scale: Scale) -> Figure:
    every = {name or "as trained": name for name in CONDITIONS}
    home, strangers, changing = "as trained", "strangers", list(every)[-1]

    def read(label: str, game: str) -> Reading:
        return Reading(_trained(game), condition=every[label])

    panels, averages, claims = [], [], []
    for where, names in (("on the grid", ON_THE_GRID), ("in the plane", _PLANE)):
        games = games_of(names, scale)
        labels = [label for label in every if names is ON_THE_GRID or not label.startswith("map")]
        panels.append(_panel(f"gain {where}", "bars", labels, games, read))
        averages.append(_average(f"gain {where}", labels, games, read, home))
        for better, worse in ((home, strangers), (strangers, changing)):
            quantity = f"gain, {better}, less gain, {worse}"
            claims += [_difference(f"costs gain: {worse}", quantity, g, read(better, g), read(worse, g)) for g in games]
    note = (
        f"M3RL's tests, of {DEFAULT_LEADER}: trained with four followers of one population on the open map, in the "
        "plane four times as long."
    )
    return _figure("Where it was not trained", panels, claims, averages, note)


def prediction(scale: Scale) -> Figure:
    games = games_of(_GAMES, scale)
    measures = {"the module": "module", "this offer": "offer", "the offer before": "previous", "the planner": "move"}
    module, *others = measures

    def read(label: str, game: str, unit: str = "") -> Reading:
        return Reading(_trained(game), f"prediction_{measures[label]}{unit}")

    panels = (
        _panel("accuracy", "bars", measures, games, read, y="share of the followers' actions"),
        _panel("mean log-likelihood, nats", "table", list(measures)[:3], games, partial(read, unit="_nats")),
    )
    claims = [
        _difference(
            f"foresees more than {other}", "difference of accuracies", game, read(module, game), read(other, game)
        )
        for other in others
        for game in games
    ]
    note = (
        "The follower-aware module speaks before the step's offer is known. This offer, the offer before: a table of "
        "the offer and the planner's move towards it, counted on other episodes. The planner: that move."
    )
    return _figure("Predicting the followers", panels, claims, note=note)


def termination(scale: Scale) -> Figure:
    games = games_of(("RC completion",), scale)
    hidden = {"population_size": 5_000, "skills_per_follower": 1, "preference_among_skills": False}
    strangers = tuple((f"options.{name}", value) for name, value in hidden.items())
    starts: dict[str, tuple[str, tuple[tuple[str, Any], ...]]] = {
        **{name: (name, ()) for name in (DEFAULT_LEADER, _WITHOUT, "no-ebpg")},
        **{
            f"{DEFAULT_LEADER}, bias {bias:g}": (DEFAULT_LEADER, (("learner.termination_start", bias),))
            for bias in (-4.0, -2.0)
        },
    }

    def read(label: str, game: str, measure: str = "gain") -> Reading:
        leader, changes = starts[label]
        return Reading(Arm(game, leader, changes=(*strangers, *changes)), measure)

    measures = {"gain": "gain", "new offers": "events", "termination probability": "insight_termination"}
    return _figure(
        "A learned termination among strangers",
        [_panel(name, "bars", starts, games, partial(read, measure=of), y=name) for name, of in measures.items()],
        [
            _difference("is worth something", "gain with less without", g, read(DEFAULT_LEADER, g), read(_WITHOUT, g))
            for g in games
        ],
        [_average("gain", starts, games, read, _WITHOUT)],
        "5,000 followers, of whom each can do one type in four and prefers any: nobody is known, and most cannot.",
    )


def frozen_leader(scale: Scale) -> Figure:
    games = games_of(("RC completion", "MB completion", *_PLANE), scale)
    lengths = {f"{share * scale.episodes:,.0f} episodes": share for share in (0.1, 0.2, 0.4, 1.0)}
    first = next(iter(lengths))

    def read(label: str, game: str, length: str) -> Reading:
        followers, weights = label.split(", ")
        payment = (("options.payment", "advance_once"),) if game in _PLANE else ()
        changes = (*payment, ("follower_learner.identities", weights))
        arm = Arm(game, "preference", followers=followers, changes=changes, length=lengths[length])  # type: ignore[arg-type]
        return Reading(arm, "follower_reward")

    kinds = [f"{followers}, {weights}" for weights in ("embedded", "separate") for followers in ("meta", "primitive")]
    y = "followers' reward per episode"
    return _figure(
        "Followers that learn, a leader that does not",
        [_panel(length, "bars", kinds, games, partial(read, length=length), y=y) for length in lengths],
        [
            _difference(
                "choosing goals is learned sooner than choosing moves",
                f"reward of meta followers after {first} less that of primitive ones",
                game,
                *(read(kind, game, first) for kind in kinds[:2]),
            )
            for game in games
        ],
        [
            replace(
                _average(f"followers' reward after {length}", kinds, games, partial(read, length=length), kinds[0]),
                against="what rule-based followers earn from the same leader",
            )
            for length in lengths
        ],
        "All 40 followers start knowing nothing. The leader offers each what that prefers, for the lowest bonus. "
        "Embedded: one network with a vector for each; separate: a network for each.",
    )


def ten_times(scale: Scale) -> Figure:
    (game, *_), lengths = games_of(("MB advance",), scale), {"once": 1.0, "ten times": 10.0}
    ours = {leader: (leader, "ours") for leader in (DEFAULT_LEADER, BASELINE, PAPERS)}
    runs = {**ours, f"{PAPERS}, the paper's rates": (PAPERS, "two time scales")}

    def read(label: str, length: str, measure: str = "gain") -> Reading:
        leader, regime = runs[label]
        return Reading(Arm(game, leader, regime, length=lengths[length]), measure)

    quantity = "gain after ten times less after once"
    return _figure(
        f"Ten times as long, {game}",
        [
            _panel(name, "bars", runs, lengths, partial(read, measure=measure), y=f"{name} per episode")
            for name, measure in (("gain", "gain"), ("new offers", "events"))
        ],
        [_difference(f"helps {run}", quantity, game, read(run, "ten times"), read(run, "once")) for run in runs],
    )
