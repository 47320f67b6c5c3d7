"""Worlds of one's own for tests: the taxi world of the documentation, and what somebody may do wrong in one."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np

from paymaster import Move, Moved, World

__all__ = ["EXAMPLES", "FAULTS", "Taxi"]

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"


def _example(name: str) -> Any:
    """Import a module of the examples, so that processes that find their folder on the path import the same."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


Taxi: type[World] = _example("taxi_world").Taxi


class OfItsOwnChance(Taxi):  # type: ignore[misc, valid-type]
    """Draws from NumPy's own generator."""

    def move(self, step: Move) -> Moved:
        moved = super().move(step)
        self.waiting[step.playing] = np.random.default_rng().integers(0, 3, self.waiting.shape)[step.playing]
        return moved


class Forgetful(Taxi):  # type: ignore[misc, valid-type]
    """Keeps a part of the state outside of the arrays."""

    def setup(self) -> None:
        super().setup()
        self.count = np.zeros(self.num_games, np.int64)

    def reset(self, games: Any, draws: Any) -> None:
        super().reset(games, draws)
        self.count[games] = 0

    def move(self, step: Move) -> Moved:
        moved = super().move(step)
        self.count += step.playing
        self.waiting[step.playing & (self.count % 3 == 0)] = 0
        return moved


class WrongShape(Taxi):  # type: ignore[misc, valid-type]
    """Returns the distances of one game."""

    def distance(self) -> Any:
        return super().distance()[0]


class WrongType(Taxi):  # type: ignore[misc, valid-type]
    """Returns fractions for distances."""

    def distance(self) -> Any:
        return super().distance() * 1.0


class NotANumber(Taxi):  # type: ignore[misc, valid-type]
    """Pays a driver NaN."""

    def move(self, step: Move) -> Moved:
        moved = super().move(step)
        moved.follower_reward[2, 1] = np.nan  # type: ignore[index]
        return moved


class Raising(Taxi):  # type: ignore[misc, valid-type]
    """Fails in the middle of a step."""

    def move(self, step: Move) -> Moved:
        if step.step.max() >= 3:
            raise ZeroDivisionError("no passengers")
        return super().move(step)


class TooFar(Taxi):  # type: ignore[misc, valid-type]
    """Counts one action too many."""

    def distance(self) -> Any:
        return np.where(super().distance() >= 0, super().distance() + 1, -1)


class OverTheEdge(Taxi):  # type: ignore[misc, valid-type]
    """Drives out of the city."""

    def move(self, step: Move) -> Moved:
        moved = super().move(step)
        self.zone += 1
        return moved


class Unskilled(Taxi):  # type: ignore[misc, valid-type]
    """Says that everybody has reached everything."""

    def move(self, step: Move) -> Moved:
        moved = super().move(step)
        moved.reached[...] = True
        return moved


class Restless(Taxi):  # type: ignore[misc, valid-type]
    """Goes on in games that are over."""

    def move(self, step: Move) -> Moved:
        moved = super().move(step)
        self.waiting = (self.waiting + 1) % 3
        return moved


class Careless(Taxi):  # type: ignore[misc, valid-type]
    """Begins all games when one begins."""

    def reset(self, games: Any, draws: Any) -> None:
        self.zone = draws.below(self.num_goals, self.num_followers)
        self.waiting = draws.below(self.most_available, self.num_goals)


class SecretReward(Taxi):  # type: ignore[misc, valid-type]
    """Pays by a count that is no array."""

    def reset(self, games: Any, draws: Any) -> None:
        super().reset(games, draws)
        self.count = 0

    def move(self, step: Move) -> Moved:
        self.count += 1
        return Moved(super().move(step).reached, None, np.full(self.num_games, float(self.count)))


class KeptDraws(Taxi):  # type: ignore[misc, valid-type]
    """Draws in a move from the draws of reset."""

    def reset(self, games: Any, draws: Any) -> None:
        super().reset(games, draws)
        self.kept = draws

    def move(self, step: Move) -> Moved:
        self.kept.unit(1)
        return super().move(step)


class Overfull(Taxi):  # type: ignore[misc, valid-type]
    """Says that there is more than there can be."""

    def available(self) -> Any:
        return super().available() + 9


class WrongAction(Taxi):  # type: ignore[misc, valid-type]
    """Plans an action that there is not."""

    def plan(self, chosen: Any) -> Any:
        return super().plan(chosen) + 1


class Wide(Taxi):  # type: ignore[misc, valid-type]
    """Plans an action that would wrap around in the core's bytes."""

    def plan(self, chosen: Any) -> Any:
        return super().plan(chosen) + 256


class Empty(Taxi):  # type: ignore[misc, valid-type]
    """Begins with nothing left to do."""

    def exhausted(self) -> Any:
        return np.ones(self.num_games, np.bool_)


class Planned(Taxi):  # type: ignore[misc, valid-type]
    """Takes it that followers do as planned."""

    def plan(self, chosen: Any) -> Any:
        self.planned = super().plan(chosen)
        return self.planned

    def move(self, step: Move) -> Moved:
        if (step.action != self.planned)[step.playing].any():
            raise ValueError("somebody left the way")
        return super().move(step)


class Unpainted(Taxi):  # type: ignore[misc, valid-type]
    """Draws a field that there is not."""

    @staticmethod
    def draw(canvas: Any, box: Any, state: Any, parameters: Any) -> None:
        canvas.text(*box[:2], f"{state['colour']} of {parameters['num_goals']}", 12)


FAULTS: dict[type[World], str] = {
    OfItsOwnChance: r"OfItsOwnChance: '\w+' \(game \d, step \d+\): expected equal games from equal seeds \(draw from `draws`",
    Forgetful: r"Forgetful: '\w+' \(game \d, step \d+\): expected the game that was stored, after snapshot\(\) and restore\(\)",
    WrongShape: r"WrongShape.distance: expected integers \[5, 4, 4\], got int64 \[4, 4\]",
    WrongType: r"WrongType.distance: expected integers \[5, 4, 4\], got float64 \[5, 4, 4\]",
    NotANumber: r"NotANumber.move \(game 2, follower 1\): expected a reward in \[-1e\+06, 1e\+06\], got nan",
    Raising: r"Raising.move: expected it to return, got ZeroDivisionError: no passengers",
    TooFar: r"TooFar: distance \(game \d, follower \d, step \d+\): expected 0 before the action that reaches goal type \d, got 1",
    OverTheEdge: r"OverTheEdge.move \(game \d\): 'zone': expected a value in \[0, 3\], got 4",
    Unskilled: r"Unskilled.move \(game \d, follower \d\): expected reached only goal types that the follower has the skill for",
    Restless: r"Restless: 'waiting' \(game \d, step \d+\): expected move\(\) that leaves games that are over as they are",
    Careless: r"Careless: 'zone' \(game \d, step 0\): expected reset\(\) that leaves the other games as they are",
    SecretReward: r"SecretReward: 'reward' \(game \d, step \d+\): expected ",
    KeptDraws: r"KeptDraws.move: expected it to return, got WorldError: draws: expected to be used in the reset that they",
    Overfull: r"Overfull.available \(game \d\): expected a value in \[0, 3\] \(most_available\), got",
    WrongAction: r"WrongAction.plan \(game \d, follower \d\): expected a value in \[0, 3\], got 4",
    Empty: r"Empty.reset \(game 0\): expected an episode with something left to do, got one that exhausted\(\) says is over",
    Planned: r"Planned.move: expected it to return, got ValueError: somebody left the way",
    Unpainted: r"Unpainted: draw \(step 0\): expected a picture, got KeyError: 'colour'",
    Wide: r"Wide.plan \(game \d\): expected a value in \[0, 255\], got 25\d",
}
"""Faulty world -> what :func:`paymaster.testing.check_world` says of it."""
