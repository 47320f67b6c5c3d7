"""Figures whose followers learn: Fig. 4 and three of Sec. 5.4."""

from __future__ import annotations

from paymaster.reproduction.claims import Claim
from paymaster.reproduction.plan import (
    BASELINE,
    COMPARED,
    METHODS,
    PRESET_NUMBER,
    PRESETS,
    Figure,
    Panel,
    Series,
    above_baseline,
    average_of,
    bars_of,
    games_of,
    greedy_of,
    less,
)
from paymaster.reproduction.scales import Scale
from paymaster.reproduction.specs import LEARNING_ADVANCE, Arm, Reading
from paymaster.training.config import Followers

__all__ = ["final_rewards", "follower_rewards", "numbers_of_followers", "time_scales"]


def final_rewards(scale: Scale) -> Figure:
    games = games_of(PRESETS, scale)
    kinds: dict[Followers, str] = {"meta": "with abstraction", "primitive": "without abstraction"}
    source = "Sec. 5.2, Fig. 4"
    panels = tuple(
        Panel(
            game,
            "bars",
            tuple(
                Series(
                    leader, tuple((name, Reading(Arm(game, leader, followers=kind))) for kind, name in kinds.items())
                )
                for leader in COMPARED
            ),
        )
        for game in games
    )
    panels = (*panels, greedy_of("with abstraction", games, _learning))
    claims = [*above_baseline("outperforms M3RL with abstraction in all tasks", source, games, _learning)]
    for method in METHODS:
        ours, theirs = (Reading(_learning("predator_prey advance", leader)) for leader in (method, BASELINE))
        twice = ((1.0, ours), (-2.0, theirs))
        quantity = f"gain of {method} less twice {BASELINE}'s"
        if ours.arm.game in games:
            claims.append(
                Claim("twice M3RL's in predator-prey", source, method, "ours", ours.arm.game, quantity, twice)
            )
    for leader in (*METHODS, BASELINE):
        for game in games:
            vanilla = Reading(Arm(game, leader, followers="primitive"))
            statement, quantity = "without abstraction the reward is below zero", f"gain of {leader}"
            claims.append(Claim(statement, source, leader, "ours", game, quantity, ((1.0, vanilla),), "below"))
    averages = (average_of("gain with abstraction", games, _learning),)
    note = (
        "Followers learn: with abstraction they choose goal types for a planner, without it primitive actions. They "
        f'are paid by the rule "{LEARNING_ADVANCE}" where the game\'s name says advance.'
    )
    return Figure("Fig. 4: final reward, followers that learn", panels, tuple(claims), averages, note)


def _learning(game: str, leader: str) -> Arm:
    return Arm(game, leader, followers="meta")


def time_scales(scale: Scale) -> Figure:
    games = games_of(("RC completion", "navigation advance"), scale)
    regimes = ("two time scales", "one time scale", "ours")
    measures = {"gain": "gain per episode", "follower_reward": "followers' reward per episode"}
    panels = tuple(
        Panel(
            f"{measure.replace('_', ' ')}, {game}",
            "bars",
            tuple(
                Series(leader, tuple((name, Reading(Arm(game, leader, name, "meta"), measure)) for name in regimes))
                for leader in COMPARED
            ),
            y=meaning,
        )
        for measure, meaning in measures.items()
        for game in games
    )
    claims = tuple(
        Claim(
            f"two time scales are better for the {'leader' if measure == 'gain' else 'followers'}",
            "Sec. 5.4 (4), App. D",
            method,
            "ours, but for learning rates",
            game,
            f"{measure.replace('_', ' ')} of {method} with two less with one",
            less(*(Reading(Arm(game, method, name, "meta"), measure) for name in regimes[:2])),
        )
        for measure in measures
        for method in METHODS
        for game in games
    )
    note = (
        "Followers learn, with abstraction. Two: learning rates 0.0003 for the leader's policy, 0.001 for its critic "
        "and the followers; one: 0.001 for all; ours: each leader's tuned rate, 0.005 for the followers."
    )
    return Figure("One time scale against two", panels, claims, note=note)


def follower_rewards(scale: Scale) -> Figure:
    games = games_of(PRESETS, scale)
    bars = bars_of("learning followers, with abstraction", games, _learning, "follower_reward", COMPARED)
    source = "Sec. 5.4 (6), App. D"
    claims = above_baseline("followers gain more than with M3RL", source, games, _learning, "follower_reward")
    average = average_of("followers' reward", games, _learning, "follower_reward")
    return Figure("Reward of followers that learn", (bars,), tuple(claims), (average,), "All followers together.")


def numbers_of_followers(scale: Scale) -> Figure:
    game = "navigation advance"

    def arm(leader: str, count: int) -> Arm:
        return Arm(game, leader, followers="meta", num_followers=None if count == PRESET_NUMBER else count)

    measures = {
        "gain": "gain per episode",
        "follower_reward": "followers' reward per episode",
        "seconds": "CPU seconds of training, an episode",
        "memory": "MiB of training, an episode of a batch",
    }
    panels = tuple(
        Panel(
            measure.replace("_", " "),
            "line",
            tuple(
                Series(leader, tuple((count, Reading(arm(leader, count), measure)) for count in scale.followers))
                for leader in COMPARED
            ),
            "followers",
            meaning,
        )
        for measure, meaning in measures.items()
    )
    claims = []
    for method in METHODS:
        for count in scale.followers:
            ours, theirs = (Reading(arm(leader, count)) for leader in (method, BASELINE))
            case, source = f"{count} followers", "Sec. 5.4 (7), App. D"
            for statement, terms, quantity in (
                ("performs well with any number: above zero", ((1.0, ours),), f"gain of {method}"),
                (
                    "performs well with any number: above M3RL",
                    less(ours, theirs),
                    f"gain of {method} less {BASELINE}'s",
                ),
            ):
                claims.append(Claim(statement, source, method, "ours", case, quantity, terms))
    note = (
        "Navigation, learning followers with abstraction. Time and memory are this machine's, with what ran beside. "
        "Memory is what training added to the process at its peak, by episode of a batch."
    )
    return Figure("Number of followers that learn", panels, tuple(claims), note=note)
