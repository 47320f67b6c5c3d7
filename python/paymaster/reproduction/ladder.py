"""From our setting to the original's, one change at a time: what in the setting decides who is ahead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Any, Final

from paymaster.algorithms import EBPGConfig, leader_kind
from paymaster.reproduction.claims import Claim
from paymaster.reproduction.names import FigureName
from paymaster.reproduction.original import WHOLE, share_of_budget
from paymaster.reproduction.plan import BASELINE, PAPERS, Figure, ahead, games_of, panel_of, reading
from paymaster.reproduction.scales import Scale
from paymaster.reproduction.specs import ALL_GAMES, Reading
from paymaster.training.config import TrainConfig

__all__ = ["FIGURES", "RUNGS"]

RUNGS: Final = ("0 ours", "1 batch", "2 learning", "3 history", "4 unshared", "5 planes")
"""What each rung of the ladder adds to those before it; the last is the original's setting."""

_MEANING: Final = (
    "our features, networks and tuned settings, 32 episodes an update",
    "one episode an update",
    "the original's credit, returns, learning rates and losses, exploration of offers or of agents for its share of "
    "the training",
    "its performance history in place of history statistics, read once an episode",
    "goal types share no weights: all are inputs of a follower's code, off which plain logits are read",
    "all else: planes, its networks, first offers, RMSprop and gradient norm, exploration of bonuses, a history that "
    "goes on in the evaluation",
)
_EXPLORATION: Final = ("exploration", "explore", "explore_episodes")

_Changes = tuple[tuple[str, Any], ...]


def _learning(leader: str, game: str, episodes: int) -> _Changes:
    """What sets the original's way to learn apart from ours, where our learner has it."""
    kind, there = leader_kind(leader), leader_kind(f"{leader}-original")
    named = [field.name for field in fields(EBPGConfig) if field.name not in _EXPLORATION]
    changed = [name for name in named if getattr(there.learner, name) != getattr(kind.learner, name)]
    learns = tuple((f"learner.{name}", getattr(there.learner, name)) for name in changed)
    return learns + _exploration(leader, game, episodes)


def _exploration(leader: str, game: str, episodes: int) -> _Changes:
    """Exploration of offers as there. Of agents there each follower counts its own episodes, here all together."""
    kind, there = leader_kind(leader), leader_kind(f"{leader}-original")
    assert there.original is not None
    if there.original.exploration == "offers":
        return (("learner.explore", there.learner.explore), *share_of_budget(f"{leader}-original", episodes))
    assert kind.learner.exploration == "agents"
    of_game: dict[str, Any] = TrainConfig(ALL_GAMES[game].task).task_parameters()
    people, team = of_game["population_size"], of_game["num_followers"]
    return (
        ("learner.explore", there.original.explore_goals),
        ("learner.explore_episodes", round(there.original.explore_goals_episodes * people / team * episodes / WHOLE)),
    )


def _changes(leader: str, game: str, rung: int, episodes: int) -> _Changes:
    """Of a rung below the last, with those of all rungs under it."""
    every: tuple[_Changes, ...] = (
        (("run.num_envs", 1),),
        _learning(leader, game, episodes),
        (("run.performance_history", True),),
        (("run.shared_goal_weights", False),),
    )
    return tuple(change for added in every[:rung] for change in added)


def ladder(scale: Scale) -> Figure:
    games, last = games_of(("RC completion", "MB advance"), scale), len(RUNGS) - 1

    def read(leader: str, rung: str, game: str, measure: str = "gain") -> Reading:
        step = RUNGS.index(rung)
        arm: dict[str, Any] = {"length": scale.original / scale.episodes, "seeds": 2}
        if step == last:  # the runs of figure `original`
            name, changes = f"{leader}-original", share_of_budget(f"{leader}-original", scale.original)
            return reading(name, game, measure, regime="original", changes=changes, **arm)
        return reading(leader, game, measure, changes=_changes(leader, game, step, scale.original), **arm)

    panels, claims = [], list[Claim]()
    for measure in ("gain", "incentive"):
        for game in games:
            one = partial(read, game=game, measure=measure)
            title = game if measure == "gain" else f"{game}, {measure}"
            panels.append(panel_of(title, "bars", (PAPERS, BASELINE), RUNGS, one, "rung", f"{measure} per episode"))
    for rung in RUNGS:

        def at(leader: str, game: str, rung: str = rung) -> Reading:
            return read(leader, rung, game)

        source, regime = "Sec. 5.2, Fig. 3", {"method": PAPERS, "regime": f"rung {rung}"}
        claims += ahead("outperforms M3RL in all tasks", source, games, at, PAPERS, BASELINE, **regime)
    rungs = "; ".join(f"*{rung}*, {meaning}" for rung, meaning in zip(RUNGS, _MEANING, strict=True))
    note = f"Each rung has the changes of those before it: {rungs}. {scale.original:,} episodes a run, two seeds."
    return Figure("What in the setting decides", panels, claims, note=note, claimed="statement")


FIGURES: Final[dict[FigureName, Callable[[Scale], Figure]]] = {"ladder": ladder}
"""Name -> the figure at a scale."""
