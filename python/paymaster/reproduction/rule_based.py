"""Figures whose followers decide by rule: Fig. 3, Table 1 and four of Sec. 5.4."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from paymaster.reproduction.claims import Claim, Side
from paymaster.reproduction.plan import (
    ABLATIONS,
    BASELINE,
    COMPARED,
    METHODS,
    ON_THE_GRID,
    PAPERS,
    PRESETS,
    Average,
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
from paymaster.reproduction.specs import GAMES, Arm, Reading

__all__ = ["attention", "incentive", "intervals", "rewards", "robustness", "sparse_against_dense"]


def rewards(scale: Scale) -> Figure:
    panels: list[Panel] = []
    claims: list[Claim] = []
    averages: list[Average] = []
    for regime, whose, names in (("ours", "our", tuple(GAMES)), ("paper", "the paper's", ON_THE_GRID)):
        games = games_of(names, scale)

        def arm(game: str, leader: str, regime: str = regime) -> Arm:
            return Arm(game, leader, regime)

        for game in games:
            series = tuple(Series(leader, ((game, Reading(arm(game, leader))),)) for leader in COMPARED)
            panels.append(Panel(f"{game}, {whose} regime", "curve", series, "episodes"))
        panels.append(greedy_of(f"{whose} regime", games, arm))
        averages.append(average_of(f"gain, {whose} regime", games, arm))
        claims += above_baseline("outperforms M3RL in all tasks", "Sec. 5.2, Fig. 3", games, arm)
        claims += above_baseline("learns faster than M3RL", "Sec. 5.2, Fig. 3", games, arm, "learning_gain")
        claims += _ablated(games, arm)
        claims += _alone_positive(games, arm)
    note = (
        "Curves: gain in training, mean over seeds of windows of episodes with its interval, cut off "
        "at minus what full_information gains. Numbers and verdicts: "
        "evaluation episodes that training did not see, offers drawn, followers as noisy as in training."
    )
    return Figure("Fig. 3: leader's reward, rule-based followers", tuple(panels), tuple(claims), tuple(averages), note)


def _ablated(games: tuple[str, ...], arm: Callable[[str, str], Arm]) -> Iterator[Claim]:
    for leader, name in ABLATIONS.items():
        for method in METHODS:
            for game in games:
                terms = less(Reading(arm(game, method)), Reading(arm(game, leader)))
                regime, quantity = terms[0][1].arm.regime, f"gain of {method} less {leader}'s"
                yield Claim(f"better than {name}", "Sec. 5.2, Fig. 3", method, regime, game, quantity, terms)


def _alone_positive(games: tuple[str, ...], arm: Callable[[str, str], Arm]) -> Iterator[Claim]:
    source = "Sec. 5.2, Fig. 3"
    for game in games:
        if not game.startswith(("MB", "navigation")):
            continue
        for method in METHODS:
            sides: tuple[tuple[str, Side], ...] = ((method, "above"), (BASELINE, "below"))
            for leader, side in sides:
                read = Reading(arm(game, leader))
                statement, case = "only it is positive in multi-bonus and navigation", f"{game} ({leader})"
                regime, quantity = read.arm.regime, f"gain of {leader}"
                yield Claim(statement, source, method, regime, case, quantity, ((1.0, read),), side)


def robustness(scale: Scale) -> Figure:
    game = "MB advance"
    panels: list[Panel] = []
    claims: list[Claim] = []
    ways: dict[str, Callable[[str, float], Arm]] = {
        "ours": lambda leader, _: Arm(game, leader),
        "ours, trained under the same noise": lambda leader, noise: Arm(game, leader, noise=noise),
        "paper": lambda leader, _: Arm(game, leader, "paper"),
    }
    for way, arm in ways.items():

        def read(leader: str, noise: float, measure: str, arm: Callable[[str, float], Arm] = arm) -> Reading:
            return Reading(arm(leader, noise), measure, noise)

        for measure in ("gain", "incentive"):
            series = tuple(
                Series(leader, tuple((noise, read(leader, noise, measure)) for noise in scale.noises))
                for leader in COMPARED
            )
            panels.append(Panel(f"{measure}, {way}", "line", series, "follower noise", f"{measure} per episode"))
        claims += _robust(way, read, scale.noises)
    note = (
        "Multi-bonus resource collection, advance payments. The evaluation is played under each noise; training is "
        "without noise in our regime, with 30 % in the paper's, and under the noise of the evaluation in the third."
    )
    return Figure("Table 1: robustness to follower noise", tuple(panels), tuple(claims), note=note)


def _robust(way: str, read: Callable[[str, float, str], Reading], noises: tuple[float, ...]) -> Iterator[Claim]:
    source, least, most = "Sec. 5.3, Table 1", noises[0], noises[-1]
    for method in METHODS:
        for noise in noises:
            case = f"noise {noise:.0%}"
            terms = less(read(method, noise, "gain"), read(BASELINE, noise, "gain"))
            quantity = f"gain of {method} less {BASELINE}'s"
            yield Claim("more than 5 above M3RL", source, method, way, case, quantity, terms, threshold=5.0)
        for noise in noises:
            case = f"noise {noise:.0%}"
            terms = less(read(method, noise, "incentive"), read(BASELINE, noise, "incentive"))
            quantity = f"incentive of {method} less {BASELINE}'s"
            yield Claim("more incentive than M3RL", source, method, way, case, quantity, terms)
        fall = (
            *less(read(BASELINE, least, "gain"), read(BASELINE, most, "gain")),
            *less(read(method, most, "gain"), read(method, least, "gain")),
        )
        quantity = f"fall of {BASELINE}'s gain less the fall of {method}'s"
        case = f"noise {least:.0%} to {most:.0%}"
        yield Claim("falls less with noise than M3RL", source, method, way, case, quantity, fall)


def incentive(scale: Scale) -> Figure:
    games = games_of(GAMES, scale)
    bars = bars_of("rule-based followers", games, Arm, "incentive", COMPARED)
    claims = tuple(above_baseline("more incentive than M3RL", "Sec. 5.4 (1), App. D", games, Arm, "incentive"))
    average = average_of("incentive", games, Arm, "incentive")
    note = "Incentive: bonuses paid for contracts that were completed."
    return Figure("Total incentive", (bars,), claims, (average,), note)


def sparse_against_dense(scale: Scale) -> Figure:
    games = games_of(PRESETS, scale)
    bars = bars_of("sparse against dense EBPG", games, Arm, "gain", (*COMPARED, "ebpg-sparse"))
    claims = tuple(
        Claim(
            "dense better than sparse",
            "Sec. 5.4 (2), App. D.3.3",
            PAPERS,
            "ours",
            game,
            "gain of ebpg less ebpg-sparse's",
            less(Reading(Arm(game, PAPERS)), Reading(Arm(game, "ebpg-sparse"))),
        )
        for game in games
    )
    note = "The default leader has the sparse gradient too, with options that also end by themselves."
    return Figure("Sparse against dense EBPG", (bars,), claims, note=note)


def attention(scale: Scale) -> Figure:
    games = games_of(PRESETS, scale)
    source = "Sec. 5.4 (3), App. D"
    where = {"attention_ended": "offer has run its course", "attention_running": "contract runs"}
    weights = tuple(
        Panel(
            f"attention of {method}",
            "bars",
            tuple(
                Series(name, tuple((game, Reading(Arm(game, method), measure)) for game in games))
                for measure, name in where.items()
            ),
            y="mean weight of a follower",
        )
        for method in METHODS
    )
    claims = []
    for method in METHODS:
        for game in games:
            ended, running = (Reading(Arm(game, method), measure) for measure in where)
            quantity = "weight of followers whose offer has run its course less that of those whose contract runs"
            statement = "attends to those who need an offer"
            claims.append(Claim(statement, source, method, "ours", game, quantity, less(ended, running)))
    for game in games:
        terms = less(Reading(Arm(game, PAPERS)), Reading(Arm(game, "no-attention")))
        quantity = "gain of ebpg less no-attention's"
        claims.append(Claim("better than w/o attention", source, PAPERS, "ours", game, quantity, terms))
    bars = bars_of("with attention and without", games, Arm, "gain", COMPARED)
    note = "A follower's weight in the mean over followers would be one over their number: 0.25."
    return Figure("Attention", (bars, *weights), tuple(claims), note=note)


def intervals(scale: Scale) -> Figure:
    games = games_of(PRESETS, scale)
    fixed = {f"fixed-interval({m})": f"{m} steps" for m in scale.intervals}
    bars = bars_of("learned and fixed intervals", games, Arm, "gain", (*COMPARED, *fixed))
    claims = tuple(
        Claim(
            "learned intervals are better than fixed ones",
            "Sec. 5.4 (5), App. D",
            method,
            "ours",
            f"{game}, {meaning}",
            f"gain of {method} less {leader}'s",
            less(Reading(Arm(game, method)), Reading(Arm(game, leader))),
        )
        for method in METHODS
        for game in games
        for leader, meaning in fixed.items()
    )
    note = "no-ebpg and m3rl are an interval of one step."
    return Figure("Committing interval", (bars,), claims, note=note)
