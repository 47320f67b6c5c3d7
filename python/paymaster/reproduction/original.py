"""The paper's question in the setting in which it was asked, at larger budgets, and in M3RL's second world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from paymaster.algorithms import DEFAULT_LEADER, leader_kind
from paymaster.algorithms.process import OptionRules
from paymaster.reproduction.claims import Claim
from paymaster.reproduction.names import FigureName
from paymaster.reproduction.plan import (
    ABLATIONS,
    BASELINE,
    COMPARED,
    METHODS,
    ON_THE_GRID,
    PAPERS,
    Figure,
    Panel,
    Read,
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
from paymaster.reproduction.specs import Reading

__all__ = ["FIGURES", "share_of_budget"]

_ORIGINAL: Final = "{}-original"
WHOLE: Final = 250_000  # episodes of the original's training: in resource collection ...
_WHOLE_CRAFTING: Final = 200_000  # ... and in Crafting, of which ...
_WARM_UP_CRAFTING: Final = 80_000  # ... so many are without payments
_EVERY_TEN: Final = "fixed-interval(10)"

_figure = partial(Figure, claimed="statement")


def share_of_budget(leader: str, episodes: int, *, crafting: bool = False) -> tuple[tuple[str, Any], ...]:
    """Return an arm's changes by which exploration and warm-up have their share of so many episodes, as they had there.

    Args:
        leader: as the original had it.
        episodes: of the training.
        crafting: in that world, where the original trained less, but explored for longer and had a warm-up.
    """
    kind, whole = leader_kind(leader), _WHOLE_CRAFTING if crafting else WHOLE
    own = kind.original_in("crafting" if crafting else "")
    assert own is not None
    if crafting:
        own = replace(own, warm_up_episodes=_WARM_UP_CRAFTING)

    def shared(number: int) -> int:
        return round(number * episodes / whole)

    if own.exploration == "offers":
        return (("learner.explore_episodes", shared(kind.learner.explore_episodes)),)
    names = ("warm_up_episodes", "explore_goals_episodes", "explore_bonuses_episodes")
    return tuple((f"original.{name}", shared(getattr(own, name))) for name in names if getattr(own, name))


def as_the_original_had_it(scale: Scale) -> Figure:
    games = games_of(("RC completion", "MB advance"), scale)
    leaders = {_ORIGINAL.format(name): name for name in (PAPERS, *ABLATIONS, BASELINE)}
    paper, baseline = (_ORIGINAL.format(name) for name in (PAPERS, BASELINE))
    shorter, longer = scale.original / scale.episodes, 4 * scale.original / scale.episodes

    def read(leader: str, game: str, measure: str = "gain", *, greedy: bool = False) -> Reading:
        arm: dict[str, Any] = {"length": shorter, "changes": share_of_budget(leader, scale.original), "seeds": 3}
        return reading(leader, game, measure, greedy=greedy, regime="original", **arm)

    def read_longer(leader: str, game: str) -> Reading:
        return reading(leader, game, regime="original", length=longer, seeds=1)

    panels = [panel_of(game, "curve", leaders, [game], read, "episodes") for game in games]
    for title, one in {
        "incentive": partial(read, measure="incentive"),
        "new offers": partial(read, measure="new_offers"),
        "likeliest offers instead of draws": partial(read, greedy=True),
    }.items():
        panels.append(panel_of(title, "table", leaders, games, one, y=f"{title} per episode"))
    if 4 * scale.original < WHOLE:
        once = f"{4 * scale.original:,} episodes, one seed, the original's own numbers of exploration"
        panels.append(panel_of(once, "table", (paper, baseline), games_of(("MB advance",), scale), read_longer))
    source, method = "Sec. 5.2, Fig. 3", {"method": PAPERS}
    claims = ahead("outperforms M3RL in all tasks", source, games, read, paper, baseline, **method)
    learning = partial(read, measure="learning_gain")
    claims += ahead("learns faster than M3RL", source, games, learning, paper, baseline, **method)
    for name, called in ABLATIONS.items():
        claims += ahead(f"better than {called}", source, games, read, paper, _ORIGINAL.format(name), **method)
    claims += only_positive(source, games, read, {PAPERS: paper}, baseline)
    more = partial(read, measure="incentive")
    claims += ahead("more incentive than M3RL", "Sec. 5.4 (1), App. D", games, more, paper, baseline, **method)
    note = (
        f"M3RL's planes, networks, statistics and learning: what each leader is stands in docs/original.md. "
        f"{scale.original:,} episodes of the original's {WHOLE:,}, with exploration's share of them; evaluated "
        "without exploration, offers drawn."
    )
    return _figure(
        "Fig. 3 as the original had it",
        panels,
        claims,
        [average_of("gain", leaders, games, read, baseline=baseline)],
        note,
    )


def larger_budget(scale: Scale) -> Figure:
    games, leaders = games_of(ON_THE_GRID, scale), (*METHODS, BASELINE)
    read: Read = partial(reading, regime="paper", length=scale.original / scale.episodes)
    panels = [panel_of(game, "curve", leaders, [game], read, "episodes") for game in games]
    source = "Sec. 5.2, Fig. 3"
    claims = above_baseline("outperforms M3RL in all tasks", source, games, read)
    claims += only_positive(source, games, read, dict(zip(METHODS, METHODS, strict=True)))
    note = f"The paper's regime on our features, for {scale.original:,} episodes."
    return _figure(
        "The paper's regime at a larger budget", panels, claims, [average_of("gain", leaders, games, read)], note
    )


def crafting(scale: Scale) -> Figure:
    games, leaders = ("crafting", "MB crafting"), (*COMPARED, _EVERY_TEN)
    baseline = _ORIGINAL.format(BASELINE)
    ours = 0.8 * scale.original / scale.episodes

    def read(leader: str, game: str, measure: str = "gain") -> Reading:
        return reading(leader, game, measure, length=ours, seeds=3)

    def read_original(leader: str, game: str, measure: str = "gain") -> Reading:
        changes = (
            *share_of_budget(leader, scale.original, crafting=True),
            ("learner.options", OptionRules(interval=10)),
        )
        arm: dict[str, Any] = {"regime": "original", "length": scale.original / scale.episodes, "seeds": 2}
        return reading(leader, game, measure, changes=changes, **arm)

    panels, claims = list[Panel](), list[Claim]()
    for game in games:
        panels.append(panel_of(game, "curve", leaders, [game], read, "episodes"))
        panels.append(
            panel_of(f"{game}, as the original had it", "curve", [baseline], [game], read_original, "episodes")
        )
    for other in (*dict.fromkeys((PAPERS, *ABLATIONS, BASELINE)), _EVERY_TEN):
        claims += ahead(f"better than {other}", "ours", games, read, DEFAULT_LEADER, other)
    for name in (PAPERS, DEFAULT_LEADER):
        claims += [beyond_zero("gains more than nothing", "ours", name, read(name, game), game) for game in games]
    note = (
        "M3RL's second world. The original makes offers every ten steps there, and leaves payments out of account for "
        "the first 40 % of the training."
    )
    averages = [average_of("gain", leaders, games, read)]
    return _figure("Crafting", panels, claims, averages, note)


FIGURES: Final[dict[FigureName, Callable[[Scale], Figure]]] = {
    "original": as_the_original_had_it,
    "larger-budget": larger_budget,
    "crafting": crafting,
}
"""Name -> the figure at a scale."""
