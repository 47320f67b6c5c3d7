"""The tables of the results page that come from bench/leaders and bench/followers."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from cells import table
from stored_numbers import ALL_BUT_TWO, COMPARED, GAMES, full_information_gain, game_name, mean_of, stored

from paymaster.algorithms import LEADERS


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
        ("new_offers", 1),
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


def generalisation() -> list[str]:
    """Return the default leader's gain where it was not trained, and its share of full information's."""
    tasks = [GAMES.get(game, (game, "advance")) for game in ALL_BUT_TWO]
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in stored("leaders/generalisation.jsonl"):
        found[row["task"], row["parameters"]["payment"], row["condition"]].append(row)
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
            some.removeprefix("parameters.")
            for some in row["set"]
            if some.startswith("parameters.") or some.startswith("termination_start")
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
    "other leaders": others,
    "inside": inside,
    "tuning": tuning,
    "generalisation": generalisation,
    "prediction": prediction,
    "termination": termination,
    "frozen leader": frozen_leader,
}
