"""One game, from the leader's side, as a Gymnasium environment."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode
from numpy.typing import ArrayLike, NDArray

from paymaster.envs.ownership import OwnGame, SpecWithHorizon
from paymaster.envs.vector import LeaderVectorEnv, Observation
from paymaster.rendering.text import draw
from paymaster.validation.arguments import as_array, check_int, check_no_options
from paymaster.validation.keywords import check_keywords
from paymaster.worlds.registration import find

__all__ = ["LeaderEnv", "render_one"]


_OWN = ("seed", "index", "render_mode", "copy", "population")


class LeaderEnv(OwnGame, SpecWithHorizon, gymnasium.Env[Observation, NDArray[np.integer[Any]]]):
    """A single game: the same numbers as game ``index`` of a :class:`LeaderVectorEnv` with the same seed.

    Arrays are those of the vector environment without the leading axis B.

    Args:
        task, parameters: as for :class:`LeaderVectorEnv`.
        seed, index: keys of the game's random draws; without a seed it has one from the operating system's entropy
            (``np_random_seed``), so that environments made without a seed differ.
        render_mode: None, "ansi" for :meth:`render` to draw the game as text, or "rgb_array" for a picture of it and
            of its episode so far.

    It can be pickled and copied: that gives a game of its own in the same state, with the same seed.

    Raises:
        ValueError, TypeError: as :class:`LeaderVectorEnv`, and for another render_mode.
    """

    metadata = {"render_modes": ["ansi", "rgb_array"], "render_fps": 4}  # noqa: RUF012  (Gymnasium's name and place for it)

    def __init__(
        self, task: str, seed: int | None = None, index: int = 0, render_mode: str | None = None, **parameters: Any
    ) -> None:
        if render_mode not in (None, "ansi", "rgb_array"):
            raise ValueError(f"render_mode: expected None, 'ansi' or 'rgb_array', got {render_mode!r:.80}")
        if "autoreset_mode" in parameters:
            raise ValueError("autoreset_mode: expected none for a single game (a Gymnasium Env never resets itself)")
        task = find(task)
        check_keywords(task, parameters, _OWN)
        self.batch = LeaderVectorEnv(
            task,
            num_envs=1,
            seed=seed,
            num_threads=1,
            first_index=check_int("index", index, 0, 2**62 - 1),
            autoreset_mode=AutoresetMode.DISABLED,
            render_mode="rgb_array" if render_mode == "rgb_array" else None,
            **parameters,
        )
        self.render_mode = render_mode
        self._horizon = int(self.batch.parameters["horizon"])
        self._np_random, self._np_random_seed = seeding.np_random(self.batch.np_random_seed)
        self.observation_space = self.batch.single_observation_space
        self.action_space = self.batch.single_action_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Starts the next episode; with a seed, episode 0 under that seed. There are no ``options``."""
        check_no_options(options)
        if seed is not None:
            seed = check_int("seed", seed, 0, 2**64 - 1)
        with self.batch._guard("reset"):
            super().reset(seed=seed)
            observation, info = self.batch.reset(seed=seed)
            return _arrays(observation), info

    def step(self, action: ArrayLike) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """One step; action int[N, 2], (goal, bonus) a follower. Errors as the vector environment's."""
        actions = as_array("action", action)
        if actions.shape != self.action_space.shape:
            raise ValueError(f"action: expected shape {self.action_space.shape}, got {actions.shape}")
        observation, reward, terminated, _, info = self.batch.step(actions[None])
        return _arrays(observation), float(reward[0]), bool(terminated[0]), False, _first(info)

    def render(self) -> str | NDArray[np.uint8] | None:
        """The game as text ("ansi"), or as a picture uint8[height, width, 3] ("rgb_array")."""
        return render_one(self.batch, self.render_mode)

    def state(self, *names: str) -> dict[str, Any]:
        """As the vector environment's, without the leading axis."""
        return _first(self.batch.state(*names))

    def set_state(self, **arrays: ArrayLike) -> None:
        """As the vector environment's, without the leading axis."""
        self.batch.set_state(**{name: np.asarray(value)[None] for name, value in arrays.items()})

    def snapshot(self) -> bytes:
        """As the vector environment's."""
        return self.batch.snapshot()

    def restore(self, snapshot: bytes) -> Observation:
        """As the vector environment's."""
        return _arrays(self.batch.restore(snapshot))


def render_one(batch: LeaderVectorEnv, mode: str | None) -> str | NDArray[np.uint8] | None:
    """Game 0 of a batch as text ("ansi", "human") or as a picture ("rgb_array"); warns where there is no mode."""
    if mode in ("ansi", "human"):
        return draw(_first(batch.state()), batch.parameters)
    pictures = batch.render()
    return None if pictures is None else pictures[0]


def _first(arrays: dict[str, Any]) -> dict[str, Any]:
    """Game 0 of a batch of one."""
    return {name: _first(value) if isinstance(value, dict) else value[0] for name, value in arrays.items()}


def _arrays(observation: Observation) -> Observation:
    """Game 0's observation; a number comes as an array without axes, as its space wants it."""
    return {name: np.asarray(value[0]) for name, value in observation.items()}
