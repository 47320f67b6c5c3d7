"""Measurements of ours that are no figure of the paper: leaders beside each other, their tuning, and what they bear."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from paymaster.algorithms import DEFAULT_LEADER
from paymaster.reproduction.claims import Claim
from paymaster.reproduction.conditions import CONDITIONS
from paymaster.reproduction.names import FigureName
from paymaster.reproduction.plan import (
    BASELINE,
    ON_THE_GRID,
    PAPERS,
    Average,
    Figure,
    Panel,
    above,
    ahead,
    average_of,
    games_of,
    panel_of,
    reading,
)
from paymaster.reproduction.results import Results
from paymaster.reproduction.scales import Scale
from paymaster.reproduction.specs import GAMES, LEARNING_ADVANCE, Reading

__all__ = ["FIGURES", "tuned_by"]

_PLANE: Final = ("navigation advance", "predator_prey advance")
_GAMES: Final = (*ON_THE_GRID, *_PLANE)
_WITHOUT: Final = "expiring-only"
_CHOICE: Final[dict[str, dict[str, Any]]] = {
    f"learning rates {rate:g}, {critic:g}, ending at {end:.0%}": {
        "critic_learning_rate": critic,
        "entropy_end": 0.0,
        "epochs": 4,
        "learning_rate": rate,
        "learning_rate_end": end,
    }
    for rate, critic, end in ((3e-4, 1e-3, 1.0), (1e-3, 1e-3, 1.0), (3e-3, 3e-3, 0.1), (6e-3, 6e-3, 0.1))
}
"""Name -> settings of a learner, to choose from."""

_figure = partial(Figure, claimed="statement")
_average = partial(average_of, by_game=True)


def _trained(leader: str, game: str, measure: str = "gain", condition: str = "", **arm: Any) -> Reading:
    """Return a reading of a leader that is trained until it is good: in the plane four times as long."""
    return reading(leader, game, measure, condition=condition, length=4.0 if game in _PLANE else 1.0, **arm)


def leaders(scale: Scale) -> Figure:
    ways: dict[str, dict[str, Any]] = {
        "offers drawn": {},
        "likeliest offers": {"greedy": True},
        "new offers": {"measure": "new_offers"},
        "30 % noise": {"noise": 0.3},
        "termination probability": {"measure": "insight_termination"},
        "actions foreseen": {"measure": "insight_prediction"},
    }
    panels, claims, averages = list[Panel](), list[Claim](), list[Average]()
    plane = tuple(name for name in GAMES if name not in ON_THE_GRID)
    for regime, where, names in (
        ("ours", "on the grid", ON_THE_GRID),
        ("ours", "in the plane", plane),
        ("paper", "the paper's regime", ON_THE_GRID),
    ):
        games, read = games_of(names, scale), partial(reading, regime=regime)
        for way, how in list(ways.items())[: None if regime == "ours" else 3]:
            title, one = f"{way}, {where}", partial(read, **how)
            panels.append(panel_of(title, "table" if how else "bars", scale.leaders, games, one))
            if "measure" not in how:
                averages.append(_average(title, scale.leaders, games, one))
        for other in scale.leaders:
            if other != DEFAULT_LEADER:
                claims += ahead(f"better than {other}", "ours", games, read, DEFAULT_LEADER, other)
    panels.append(panel_of("four times the training", "table", [DEFAULT_LEADER], games_of(_PLANE, scale), _trained))
    return _figure("Leaders beside each other", panels, claims, averages)


def tuning(scale: Scale) -> Figure:
    games = games_of(("RC advance", "navigation advance"), scale)
    panels, averages = [], []
    for name, settings in _CHOICE.items():
        changes = tuple((f"learner.{field}", value) for field, value in settings.items())
        read = partial(reading, changes=changes, first_seed=100)
        panels.append(panel_of(name, "bars", scale.leaders, games, read))
        averages.append(_average(name, scale.leaders, games, read))
    note = "Every leader has the same settings to choose from, with seeds, from 100 up, that no other figure has."
    return _figure("Tuning", panels, (), averages, note)


def tuned_by(results: Results) -> dict[str, dict[str, Any]]:
    """Return leader -> those of its settings with the highest mean share of ``full_information``'s gain."""
    tried: Mapping[str, Average] = {average.title: average for average in tuning(results.scale).averages}
    return {
        leader: _CHOICE[max(tried, key=lambda name: results.shares(tried[name].readings[leader]).mean())]
        for leader in results.scale.leaders
    }


def generalisation(scale: Scale) -> Figure:
    every = {name or "as trained": name for name in CONDITIONS}
    home, strangers, changing = "as trained", "strangers", list(every)[-1]

    def read(label: str, game: str) -> Reading:
        return _trained(DEFAULT_LEADER, game, condition=every[label])

    panels, claims, averages = [], list[Claim](), []
    for where, names in (("on the grid", ON_THE_GRID), ("in the plane", _PLANE)):
        games = games_of(names, scale)
        labels = [label for label in every if names is ON_THE_GRID or not label.startswith("map")]
        panels.append(panel_of(f"gain {where}", "bars", labels, games, read))
        averages.append(_average(f"gain {where}", labels, games, read, baseline=home))
        for better, worse in ((home, strangers), (strangers, changing)):
            quantity = f"gain, {better}, less gain, {worse}"
            claims += ahead(f"costs gain: {worse}", "ours", games, read, better, worse, quantity=quantity)
    note = (
        f"After M3RL's tests, of {DEFAULT_LEADER}: trained with four followers of one population on the open map, in "
        "the plane four times as long."
    )
    return _figure("Where it was not trained", panels, claims, averages, note)


def prediction(scale: Scale) -> Figure:
    games = games_of(_GAMES, scale)
    measures = {"the module": "module", "this offer": "offer", "the offer before": "previous", "the planner": "move"}
    module, *others = measures

    def read(label: str, game: str, unit: str = "") -> Reading:
        return _trained(DEFAULT_LEADER, game, f"prediction_{measures[label]}{unit}")

    panels = (
        panel_of("accuracy", "bars", measures, games, read, y="share of the followers' actions"),
        panel_of("mean log-likelihood, nats", "table", list(measures)[:3], games, partial(read, unit="_nats")),
    )
    claims = list[Claim]()
    for other in others:
        claims += ahead(f"foresees more than {other}", "ours", games, read, module, other, quantity="accuracy")
    note = (
        "The follower-aware module speaks before the step's offer is known. This offer, the offer before: a table of "
        "the offer and the planner's move towards it, counted on other episodes. The planner: that move."
    )
    return _figure("Predicting the followers", panels, claims, note=note)


def termination(scale: Scale) -> Figure:
    games = games_of(("RC completion",), scale)
    hidden = {"population_size": 5_000, "skills_per_follower": 1, "preference_among_skills": False}
    strangers = tuple((f"parameters.{name}", value) for name, value in hidden.items())
    starts = {f"{DEFAULT_LEADER}, bias {bias:g}": bias for bias in (-4.0, -2.0)}
    labels = (DEFAULT_LEADER, _WITHOUT, "no-ebpg", *starts)

    def start(label: str) -> tuple[tuple[str, Any], ...]:
        return (("learner.termination_start", starts[label]),) if label in starts else ()

    def read(label: str, game: str, measure: str = "gain") -> Reading:
        return reading(label.partition(",")[0], game, measure, changes=(*strangers, *start(label)))

    def known(label: str, game: str) -> Reading:
        return _trained(DEFAULT_LEADER, game, changes=start(label))

    measures = {"gain": "gain", "new offers": "new_offers", "termination probability": "insight_termination"}
    panels = [
        panel_of(name, "bars", labels, games, partial(read, measure=measure), y=name)
        for name, measure in measures.items()
    ]
    claims = ahead("is worth something", "ours", games, read, DEFAULT_LEADER, _WITHOUT)
    every, (*_, open_start) = games_of(_GAMES, scale), starts
    panels.append(panel_of("gain, the tasks as they are", "table", (DEFAULT_LEADER, open_start), every, known))
    quantity = f"gain of {DEFAULT_LEADER} less that with {open_start.partition(', ')[2]}"
    usual = "better started shut, the tasks as they are"
    claims += ahead(usual, "ours", every, known, DEFAULT_LEADER, open_start, quantity=quantity)
    averages = [_average("gain", labels, games, read, baseline=_WITHOUT)]
    note = "5,000 followers, of whom each can do one type in four and prefers any: nobody is known, and most cannot."
    return _figure("A learned termination among strangers", panels, claims, averages, note)


def frozen_leader(scale: Scale) -> Figure:
    games = games_of(("RC completion", "MB completion", *_PLANE), scale)

    def read(label: str, game: str, length: float = 0.1) -> Reading:
        payment = (("parameters.payment", LEARNING_ADVANCE),) if game in _PLANE else ()
        if label == by_rule:
            return reading("preference", game, "follower_reward", changes=payment)
        followers, weights = label.split(", ")
        changes = (*payment, ("follower_learner.identities", weights))
        return reading("preference", game, "follower_reward", followers=followers, changes=changes, length=length)

    by_rule = "rule-based"
    kinds = [f"{followers}, {weights}" for weights in ("embedded", "separate") for followers in ("meta", "primitive")]
    panels, averages = [], []
    for length in (0.1, 0.2, 0.4, 1.0):
        title, one = f"after {length * scale.episodes:,.0f} episodes", partial(read, length=length)
        panels.append(panel_of(title, "bars", [*kinds, by_rule], games, one, y="followers' reward per episode"))
        how = {"baseline": kinds[0], "against": "what rule-based followers earn from the same leader"}
        averages.append(_average(f"followers' reward {title}", kinds, games, one, **how))
    statement, quantity = (
        "choosing goals is learned sooner than moves",
        f"reward {panels[0].title}, meta less primitive",
    )
    claims = ahead(statement, "ours", games, read, *kinds[:2], quantity=quantity)
    note = (
        "All 40 followers start knowing nothing. The leader offers each what that prefers, for the lowest bonus. "
        "Embedded: one network with a vector for each; separate: a network for each."
    )
    return _figure("Followers that learn, a leader that does not", panels, claims, averages, note)


def broken_contracts(scale: Scale) -> Figure:
    games = games_of(("MB advance", *_PLANE), scale)
    once, again, exploring = "paid once", "paid each time", "paid once, 30 % random actions"
    changes: dict[str, tuple[tuple[str, Any], ...]] = {
        once: (),
        again: (("parameters.payment", "advance"),),
        exploring: (("follower_learner.explore", 0.3),),
    }

    def read(label: str, game: str, measure: str = "gain") -> Reading:
        return reading(DEFAULT_LEADER, game, measure, followers="meta", changes=changes[label])

    measures = {"gain": "gain", "paid": "payments", "paid for completed contracts": "incentive"}
    panels = [
        panel_of(name, "bars", changes, games, partial(read, measure=measure), y=f"{name} per episode")
        for name, measure in measures.items()
    ]
    claims = list[Claim]()
    for worse in (again, exploring):
        quantity = f"gain, {once}, less gain, {worse}"
        claims += ahead(f"costs gain: {worse}", "ours", games, read, once, worse, quantity=quantity)
    note = (
        "Followers that learn, and choose goals. Paid once: a follower that dropped a contract and takes the same "
        "offer again is not paid again. Random actions: only while training, as the paper's followers explore."
    )
    return _figure("Contracts that learning followers break", panels, claims, note=note)


def ten_times(scale: Scale) -> Figure:
    (game, *_), lengths = games_of(("MB advance",), scale), {"once": 1.0, "ten times": 10.0}
    regimes = {
        **dict.fromkeys((DEFAULT_LEADER, BASELINE, PAPERS), "ours"),
        f"{PAPERS}, the paper's rates": "two time scales",
    }

    def read(label: str, length: str, measure: str = "gain") -> Reading:
        regime = regimes[label]
        return reading(label.partition(",")[0], game, measure, regime=regime, length=lengths[length])

    panels = [
        panel_of(name, "bars", regimes, lengths, partial(read, measure=measure), y=f"{name} per episode")
        for name, measure in (("gain", "gain"), ("new offers", "new_offers"))
    ]
    quantity = "gain after ten times less after once"
    claims = [
        above(f"helps {run}", "ours", game, read(run, "ten times"), read(run, "once"), quantity=quantity)
        for run in regimes
    ]
    return _figure(f"Ten times as long, {game}", panels, claims)


FIGURES: Final[dict[FigureName, Callable[[Scale], Figure]]] = {
    "leaders": leaders,
    "tuning": tuning,
    "generalisation": generalisation,
    "prediction": prediction,
    "termination": termination,
    "frozen-leader": frozen_leader,
    "broken-contracts": broken_contracts,
    "ten-times": ten_times,
}
"""Name -> the figure at a scale."""
