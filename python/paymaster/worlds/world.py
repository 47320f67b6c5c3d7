"""A world of your own in Python: rules over NumPy arrays of B games."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paymaster import _core
from paymaster.worlds.array import Array, Feature, declared, fitting
from paymaster.worlds.draws import Draws

__all__ = ["Move", "Moved", "World"]


@dataclass(frozen=True)
class Move:
    """What a world is told of a step, B games of N followers; not to be written to.

    Attributes:
        action: uint8 [B, N], the primitive actions that followers play, noise included.
        skill: bool [B, N, G], goal types that a follower can complete.
        chosen: int8 [B, N], the goal type that it has taken, -1 for none.
        committed: int8 [B, N], the goal type of the contract that it is committed to, -1 for none.
        offered: int8 [B, N], the goal type that the leader offers it, -1 for none; for worlds in which an offer has an
            effect of its own, as a commitment.
        playing: bool [B], games that are played; the arrays of the others must stay as they are.
        step: int32 [B], t, steps played before this one.
        draws: random numbers of this step.
    """

    action: NDArray[np.uint8]
    skill: NDArray[np.bool_]
    chosen: NDArray[np.int8]
    committed: NDArray[np.int8]
    offered: NDArray[np.int8]
    playing: NDArray[np.bool_]
    step: NDArray[np.int32]
    draws: Draws


@dataclass(frozen=True)
class Moved:
    """What a move came to, where the world pays rewards of its own beside the contracts'.

    Attributes:
        reached: bool [B, N, G], goal types that each follower has reached and has the skill for.
        follower_reward: float [B, N], wages and fares, less the costs of effort; None for nothing.
        leader_reward: float [B], commission, less damages; None for nothing.
    """

    reached: NDArray[np.bool_]
    follower_reward: NDArray[np.floating[Any]] | None = None
    leader_reward: NDArray[np.floating[Any]] | None = None


class World(ABC):
    """Base of a world of your own. Register it, and its task works by name like the package's.

    A world keeps what changes in arrays [B, ...] that :meth:`setup` declares: they are the state that is read, set,
    stored and restored, and the leader's observation where they are shown. The other methods read and write them for
    all games at once. Offers, decisions, contracts, payments, statistics and features are not the world's business.

    Attributes:
        num_actions: of the class: A, primitive actions of a follower, 1 to 64.
        parameters: of the class: name -> :class:`~paymaster.worlds.parameter.Parameter`; of an instance: name -> value,
            of all of the task's.
        most_available: of the class: the most goals of a type that there can be; features are scaled by it.
        max_followers, max_goals: of the class: the most that it takes.
        near_goals: of the class: C, goal types that the networks see of a follower, unless a task says another number:
            the one that it is offered, and the nearest by :meth:`distance`. 0: all.
        defaults: of the class: parameters that every game has, in place of their usual values, unless a task says
            others: a horizon, prices.

    An instance knows B, N, G and T as ``num_games``, ``num_followers``, ``num_goals`` and ``horizon``.
    """

    num_actions: ClassVar[int]
    parameters: Mapping[str, Any] = {}
    most_available: ClassVar[int] = 1
    max_followers: ClassVar[int] = _core.MAX_FOLLOWERS
    max_goals: ClassVar[int] = _core.MAX_GOALS
    near_goals: ClassVar[int] = 0
    defaults: ClassVar[Mapping[str, Any]] = {}

    num_games: int
    num_followers: int
    num_goals: int
    horizon: int

    def __init__(self, num_games: int, parameters: Mapping[str, Any]) -> None:
        self.__dict__["arrays"] = {}
        self.arrays: dict[str, Array]
        self.num_games = num_games
        self.parameters = dict(parameters)
        self.num_followers, self.num_goals = parameters["num_followers"], parameters["num_goals"]
        self.horizon = parameters["horizon"]
        self._in_setup = True
        self.setup()
        self._in_setup = False

    def array(
        self,
        name: str,
        shape: tuple[int, ...] = (),
        dtype: str = "int16",
        meaning: str = "",
        *,
        low: float | None = None,
        high: float | None = None,
        shown: bool = True,
        feature: Feature | None = None,
    ) -> NDArray[Any]:
        """Declare an array of zeros, [B, ...], from then on the attribute ``name``.

        Assigning to the attribute copies into the array.

        Args:
            name: of the field, in observation and state.
            shape: of one game, at most two axes, none empty.
            dtype: bool, int16, int32, int64, float32 or float64.
            meaning: one line.
            low, high: values that it may hold, both ends included; checked after every step. None: 0 to 32,767 for
                whole numbers, -1e6 to 1e6 for others. The zeros it starts with need not lie there.
            shown: part of the leader's observation, as int16 or float32.
            feature: what the networks see as well, divided by the larger of the bounds: "follower" of an array (N,) or
                (N, n), "goal" of (G,) or (N, G).

        Raises:
            ValueError, TypeError: a name that is taken, another dtype, more than two axes, bounds beyond int16 of what
                is shown, a feature of another shape or that is not shown, a call after setup().
        """
        if not isinstance(name, str) or not name.isidentifier():
            raise TypeError(f"name: expected an identifier, got {name!r:.80}")
        if hasattr(self, name) or name in self.arrays:
            raise ValueError(f"name: expected one that is not taken, got {name!r:.80}")
        if not self.__dict__.get("_in_setup"):
            raise ValueError(f"{name}: expected a declaration in setup(), got one after it")
        array = declared(
            name,
            self.num_games,
            shape,
            dtype,
            meaning,
            low,
            high,
            shown=shown,
            feature=feature,
            seats=(self.num_followers, self.num_goals),
        )
        self.arrays[name] = array
        return array.values

    def __getattr__(self, name: str) -> Any:
        arrays = self.__dict__.get("arrays", {})
        if name in arrays:
            return arrays[name].values
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.arrays:
            fitting(name, self.arrays[name].values, value)
        else:
            super().__setattr__(name, value)

    # --- what a world says

    @abstractmethod
    def setup(self) -> None:
        """Declare the world's arrays, by :meth:`array`, and refuse parameters that do not fit together."""

    @abstractmethod
    def reset(self, games: NDArray[np.bool_], draws: Draws) -> None:
        """Begin an episode of the games in ``games``, bool [B]; the others go on."""

    @abstractmethod
    def distance(self) -> NDArray[np.integer[Any]]:
        """Return the actions that each follower needs before the one that reaches each goal type, int [B, N, G]: 0
        where the next one does, -1 where it cannot be reached."""

    def available(self) -> NDArray[np.integer[Any]]:
        """Return how many goals of each type are there to be taken, int [B, G]; 1 where somebody can reach the type,
        unless a world says otherwise."""
        found: NDArray[np.int16] = np.any(self.distance() >= 0, axis=1).astype(np.int16)
        return found

    @abstractmethod
    def plan(self, chosen: NDArray[np.int8]) -> NDArray[np.integer[Any]]:
        """Return the first action of each follower's route to the goal type it has chosen, int [B, N]; where ``chosen``
        is -1 for none, how it stops."""

    @abstractmethod
    def move(self, step: Move) -> NDArray[np.bool_] | Moved:
        """Move everybody. Return the goal types that followers have reached, bool [B, N, G], or a :class:`Moved`."""

    def exhausted(self) -> NDArray[np.bool_]:
        """Return the games in which nothing is left to do, bool [B]; none, unless a world says otherwise."""
        return np.zeros(self.num_games, np.bool_)

    @classmethod
    def population(cls, parameters: Mapping[str, Any]) -> Mapping[str, ArrayLike] | None:  # noqa: ARG003
        """Return the followers of a game with these parameters, all of the task's, where a task gives none.

        A dict as :class:`~paymaster.LeaderVectorEnv` takes it; None, unless a world says otherwise: they are drawn.
        """
        return None

    @staticmethod  # noqa: B027  # nothing, unless a world draws itself
    def draw(
        canvas: Any, box: tuple[float, float, float], state: Mapping[str, NDArray[Any]], parameters: Mapping[str, Any]
    ) -> None:
        """Draw one game; without this method a picture lists the world's fields.

        Args:
            canvas: a :class:`paymaster.rendering.canvas.Canvas`.
            box: x and y of the upper left corner, and the side, of the square to draw in.
            state: the game's fields, without the axis B.
            parameters: of the task, with ``task``, its name.
        """

    def restored(self) -> None:  # noqa: B027  # nothing, unless a world has something to do
        """Bring what a world keeps beside its arrays up to date, after these were set from outside."""
