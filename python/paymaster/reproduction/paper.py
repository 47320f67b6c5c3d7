"""The paper's figures and tables: Fig. 3, Fig. 4, Table 1, and those that Sec. 5.4 and App. D tell of."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from paymaster.reproduction.claims import Claim
from paymaster.reproduction.names import FigureName
from paymaster.reproduction.plan import (
    ABLATIONS,
    BASELINE,
    COMPARED,
    METHODS,
    ON_THE_GRID,
    PAPERS,
    PRESETS,
    Figure,
    Panel,
    above,
    above_baseline,
    ahead,
    average_of,
    beyond_zero,
    games_of,
    only_positive,
    panel_of,
    reading,
)
from paymaster.reproduction.scales import Scale
from paymaster.reproduction.specs import GAMES, LEARNING_ADVANCE, Arm, Followers, Reading

__all__ = ["FIGURES"]

_PRESET_NUMBER: Final = 4  # of followers
_learning = partial(reading, followers="meta")


def rewards(scale: Scale) -> Figure:
    panels, claims, averages = list[Panel](), list[Claim](), []
    source = "Sec. 5.2, Fig. 3"
    for regime, whose, names in (("ours", "our", tuple(GAMES)), ("paper", "the paper's", ON_THE_GRID)):
        games, read = games_of(names, scale), partial(reading, regime=regime)
        panels += [panel_of(f"{game}, {whose} regime", "curve", COMPARED, [game], read, "episodes") for game in games]
        panels.append(_likeliest(f"{whose} regime", games, read))
        averages.append(average_of(f"gain, {whose} regime", COMPARED, games, read))
        claims += above_baseline("outperforms M3RL in all tasks", source, games, read)
        claims += above_baseline("learns faster than M3RL", source, games, partial(read, measure="learning_gain"))
        for leader, name in ABLATIONS.items():
            for method in METHODS:
                claims += ahead(f"better than {name}", source, games, read, method, leader)
        claims += only_positive(source, games, read, dict(zip(METHODS, METHODS, strict=True)))
    note = (
        "Curves: gain in training, mean over seeds of windows of episodes with its interval, cut off "
        "at minus what full_information gains. Numbers and verdicts: "
        "evaluation episodes that training did not see, offers drawn, followers as noisy as in training."
    )
    return Figure("Fig. 3: leader's reward, rule-based followers", panels, claims, averages, note)


def _likeliest(title: str, games: tuple[str, ...], read: partial[Reading]) -> Panel:
    """Return what leaders gain with their likeliest offers."""
    return panel_of(f"likeliest offers instead of draws, {title}", "table", COMPARED, games, partial(read, greedy=True))


def robustness(scale: Scale) -> Figure:
    game, source, (least, *_, most) = "MB advance", "Sec. 5.3, Table 1", scale.noises
    panels, claims, under = [], list[Claim](), "ours, trained under the same noise"
    for way in ("ours", under, "paper"):

        def read(leader: str, noise: float, measure: str = "gain", way: str = way) -> Reading:
            arm = Arm(game, leader, way.partition(",")[0], noise=noise if way == under else None)
            return Reading(arm, measure, noise)

        for measure in ("gain", "incentive"):
            one, y = partial(read, measure=measure), f"{measure} per episode"
            panels.append(panel_of(f"{measure}, {way}", "line", COMPARED, scale.noises, one, "follower noise", y))
        for method in METHODS:
            for statement, measure, threshold in (
                ("more than 5 above M3RL", "gain", 5.0),
                ("more incentive than M3RL", "incentive", 0.0),
            ):
                one, how = partial(read, measure=measure), {"regime": way, "threshold": threshold}
                claims += ahead(statement, source, scale.noises, one, method, BASELINE, "noise {:.0%}", **how)
            falls = (
                *((1.0, read(BASELINE, least)), (-1.0, read(BASELINE, most))),
                *((1.0, read(method, most)), (-1.0, read(method, least))),
            )
            quantity = f"fall of {BASELINE}'s gain less the fall of {method}'s"
            case = f"noise {least:.0%} to {most:.0%}"
            claims.append(Claim("falls less with noise than M3RL", source, method, way, case, quantity, falls))
    note = (
        "Multi-bonus resource collection, advance payments. The evaluation is played under each noise; training is "
        "without noise in our regime, with 30 % in the paper's, and under the noise of the evaluation in the third."
    )
    return Figure("Table 1: robustness to follower noise", panels, claims, note=note)


def incentive(scale: Scale) -> Figure:
    games, read = games_of(GAMES, scale), partial(reading, measure="incentive")
    bars = panel_of("rule-based followers", "bars", COMPARED, games, read, y="incentive per episode")
    claims = above_baseline("more incentive than M3RL", "Sec. 5.4 (1), App. D", games, read)
    note = "Incentive: bonuses paid for contracts that were completed."
    return Figure("Total incentive", [bars], claims, [average_of("incentive", COMPARED, games, read)], note)


def sparse_against_dense(scale: Scale) -> Figure:
    games, sparse, source = games_of(PRESETS, scale), "ebpg-sparse", "Sec. 5.4 (2), App. D.3.3"
    bars = panel_of("sparse against dense EBPG", "bars", (*COMPARED, sparse), games, reading)
    claims = ahead("dense better than sparse", source, games, reading, PAPERS, sparse)
    note = "The default leader has the sparse gradient too, with options that also end by themselves."
    return Figure("Sparse against dense EBPG", [bars], claims, note=note)


def attention(scale: Scale) -> Figure:
    games, source = games_of(PRESETS, scale), "Sec. 5.4 (3), App. D"
    where = {"offer has run its course": "attention_ended", "contract runs": "attention_running"}
    panels = [panel_of("with attention and without", "bars", COMPARED, games, reading)]
    claims = list[Claim]()
    for method in METHODS:

        def read(name: str, game: str, method: str = method) -> Reading:
            return reading(method, game, where[name])

        title, y = f"attention of {method}", "mean weight of a follower"
        panels.append(panel_of(title, "bars", where, games, read, y=y))
        quantity = "weight of followers whose offer has run its course less that of those whose contract runs"
        claims += ahead("attends to those who need an offer", source, games, read, *where, quantity=quantity)
    claims += ahead("better than w/o attention", source, games, reading, PAPERS, "no-attention")
    note = "A follower's weight in the mean over followers would be one over their number: 0.25."
    return Figure("Attention", panels, claims, note=note)


def intervals(scale: Scale) -> Figure:
    games = games_of(PRESETS, scale)
    fixed = {f"fixed-interval({m})": f"{m} steps" for m in scale.intervals}
    statement, source = "learned intervals are better than fixed ones", "Sec. 5.4 (5), App. D"
    claims = [
        above(statement, source, f"{game}, {meaning}", reading(method, game), reading(leader, game))
        for method in METHODS
        for game in games
        for leader, meaning in fixed.items()
    ]
    bars = panel_of("learned and fixed intervals", "bars", (*COMPARED, *fixed), games, reading)
    return Figure("Committing interval", [bars], claims, note="no-ebpg and m3rl are an interval of one step.")


# ---- followers that learn


def final_rewards(scale: Scale) -> Figure:
    games, source = games_of(PRESETS, scale), "Sec. 5.2, Fig. 4"
    kinds: dict[str, Followers] = {"with abstraction": "meta", "without abstraction": "primitive"}
    panels = [
        panel_of(game, "bars", COMPARED, kinds, lambda leader, kind, g=game: reading(leader, g, followers=kinds[kind]))  # type: ignore[misc]
        for game in games
    ]
    panels.append(_likeliest("with abstraction", games, _learning))
    claims = above_baseline("outperforms M3RL with abstraction in all tasks", source, games, _learning)
    prey = "predator_prey advance"
    for method in METHODS if prey in games else ():
        ours, theirs = (_learning(leader, prey) for leader in (method, BASELINE))
        quantity = f"gain of {method} less twice {BASELINE}'s"
        twice = {"quantity": quantity, "terms": ((1.0, ours), (-2.0, theirs))}
        claims.append(above("twice M3RL's in predator-prey", source, prey, ours, theirs, **twice))
    vanilla = partial(reading, followers="primitive")
    statement = "without abstraction the reward is below zero"
    claims += [
        beyond_zero(statement, source, leader, vanilla(leader, game), game, "below")
        for leader in (*METHODS, BASELINE)
        for game in games
    ]
    note = (
        "Followers learn: with abstraction they choose goal types for a planner, without it primitive actions. They "
        f'are paid by the rule "{LEARNING_ADVANCE}" where the game\'s name says advance.'
    )
    averages = [average_of("gain with abstraction", COMPARED, games, _learning)]
    return Figure("Fig. 4: final reward, followers that learn", panels, claims, averages, note)


def time_scales(scale: Scale) -> Figure:
    games = games_of(("RC completion", "navigation advance"), scale)
    regimes = ("two time scales", "one time scale", "ours")
    panels, claims = [], list[Claim]()
    for measure, whose, y in (
        ("gain", "leader", "gain per episode"),
        ("follower_reward", "followers", "followers' reward per episode"),
    ):
        name = measure.replace("_", " ")

        def read(leader: str, regime: str, game: str, measure: str = measure) -> Reading:
            return _learning(leader, game, measure, regime=regime)

        panels += [
            panel_of(f"{name}, {game}", "bars", COMPARED, regimes, partial(read, game=game), y=y) for game in games
        ]
        statement, how = f"two time scales are better for the {whose}", {"regime": "ours, but for learning rates"}
        for method in METHODS:
            one, quantity = partial(read, method), f"{name} of {method} with two less with one"
            claims += ahead(statement, "Sec. 5.4 (4), App. D", games, one, *regimes[:2], quantity=quantity, **how)
    note = (
        "Followers learn, with abstraction. Two: learning rates 0.0003 for the leader's policy, 0.001 for its critic "
        "and the followers; one: 0.001 for all; ours: each leader's tuned rate, 0.005 for the followers."
    )
    return Figure("One time scale against two", panels, claims, note=note)


def follower_rewards(scale: Scale) -> Figure:
    games, read = games_of(PRESETS, scale), partial(_learning, measure="follower_reward")
    title, y = "learning followers, with abstraction", "follower reward per episode"
    bars = panel_of(title, "bars", COMPARED, games, read, y=y)
    claims = above_baseline("followers gain more than with M3RL", "Sec. 5.4 (6), App. D", games, read)
    average = average_of("followers' reward", COMPARED, games, read)
    return Figure("Reward of followers that learn", [bars], claims, [average], "All followers together.")


def numbers_of_followers(scale: Scale) -> Figure:
    def read(leader: str, count: int, measure: str = "gain") -> Reading:
        number = None if count == _PRESET_NUMBER else count
        return _learning(leader, "navigation advance", measure, num_followers=number)

    measures = {
        "gain": "gain per episode",
        "follower_reward": "followers' reward per episode",
        "seconds": "CPU seconds of training, an episode",
        "memory": "MiB of training, an episode of a batch",
    }
    panels = []
    for measure, meaning in measures.items():
        title, one = measure.replace("_", " "), partial(read, measure=measure)
        panels.append(panel_of(title, "line", COMPARED, scale.followers, one, "followers", meaning))
    claims, source = [], "Sec. 5.4 (7), App. D"
    for method in METHODS:
        for count in scale.followers:
            case, statement = f"{count} followers", "performs well with any number: above"
            ours, theirs = (read(leader, count) for leader in (method, BASELINE))
            claims.append(beyond_zero(f"{statement} zero", source, method, ours, case))
            claims.append(above(f"{statement} M3RL", source, case, ours, theirs))
    note = (
        "Navigation, learning followers with abstraction. Time and memory are this machine's, with what ran beside. "
        "Memory is what training added to the process at its peak, by episode of a batch."
    )
    return Figure("Number of followers that learn", panels, claims, note=note)


FIGURES: Final[dict[FigureName, Callable[[Scale], Figure]]] = {
    "fig3": rewards,
    "fig4": final_rewards,
    "table1": robustness,
    "incentive": incentive,
    "sparse-vs-dense": sparse_against_dense,
    "attention": attention,
    "two-time-scale": time_scales,
    "interval": intervals,
    "follower-reward": follower_rewards,
    "number-of-followers": numbers_of_followers,
}
"""Name -> the figure at a scale."""
