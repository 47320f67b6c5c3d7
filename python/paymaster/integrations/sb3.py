"""The leader's side of a whole batch for Stable-Baselines3."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import ArrayLike, NDArray

from paymaster.envs.ownership import View, one_at_a_time
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.integrations.leader_vectors import BatchedLeaderVectors
from paymaster.validation.arguments import as_array, check_no_options

try:
    from stable_baselines3.common.monitor import Monitor
    from stable_baselines3.common.vec_env import VecEnv
except ImportError as error:
    raise ImportError(
        f"Stable-Baselines3 could not be loaded ({error}), and this view needs it: pip install 'paymaster[sb3]'"
    ) from error

__all__ = ["LeaderVecEnv"]

Indices = int | Iterable[int] | None
SB3Step = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]

_CALLS = ("render", "set_state", "state")


class LeaderVecEnv(View, VecEnv):
    """B games as a ``VecEnv`` of Stable-Baselines3: a step crosses into C++ once in place of B times.

    Observations float32[B, N (F + G D)] and actions int[B, 2 N] are those of :class:`.BatchedLeaderVectors`. All games
    share one history of followers, as those of this package's own leaders do; single copies in a ``DummyVecEnv`` have
    one each, which is another problem (``docs/integrations.md``, "What copies share").

    A game that ends starts its next episode in the same step. Its info then holds ``terminal_observation``;
    ``episode``, as SB3's ``Monitor`` gives it (``r`` gain, ``l`` steps, ``t`` seconds since the reset); and ``totals``,
    the sums over the episode that ``info["totals"]`` of the batch holds. ``TimeLimit.truncated`` is always false, since
    the horizon is part of the game. Infos of the other games are empty: ``step_info`` has what the batch returned.

    Args:
        task: name of a preset, see :func:`paymaster.tasks`.
        num_envs: B, games in the batch.
        seed: of every random draw, together with the game's index; None takes one from the operating system's
            entropy.
        num_threads: worker threads, 0 for one a core. Results do not depend on it.
        render_mode: None, or "rgb_array".
        arguments: ``first_index``, ``population`` and the task's parameters, as of :class:`LeaderVectorEnv`.

    One thread at a time may call it, and it pickles and copies, as :class:`LeaderVectorEnv`.

    Raises:
        ValueError, TypeError: as :class:`LeaderVectorEnv`; an ``autoreset_mode`` or ``copy`` given.

    Attributes:
        games: the batch; ``games.statistics`` is its history.
        step_info: info of the batch's last step, with arrays [B, ...] that the next step writes to; empty after a
            reset.
    """

    def __init__(
        self,
        task: str,
        num_envs: int = 16,
        seed: int | None = None,
        num_threads: int = 0,
        *,
        render_mode: str | None = None,
        **arguments: Any,
    ) -> None:
        for name in ("autoreset_mode", "copy"):
            if name in arguments:
                raise ValueError(f"{name}: expected none, since SB3 fixes it, got {arguments[name]!r:.80}")
        self.games = LeaderVectorEnv(
            task,
            num_envs,
            seed,
            num_threads,
            autoreset_mode=AutoresetMode.SAME_STEP,
            copy=False,
            render_mode=render_mode,
            **arguments,
        )
        self._batch = self.games
        self._vectors = BatchedLeaderVectors(self.games)
        self._actions: Any = None
        self._started = time.time()
        self.step_info: dict[str, Any] = {}
        spaces = self._vectors.single_observation_space, self._vectors.single_action_space
        super().__init__(self.games.num_envs, *spaces)

    @one_at_a_time
    def reset(self) -> NDArray[np.float32]:
        """Start the next episode of every game, float32[B, N (F + G D)].

        After :meth:`seed` it is episode 0 of every game under its seed, with empty history statistics unless they are
        frozen.

        Raises:
            ValueError: options were set, of which there are none.
        """
        options, seeds = self._options, self._seeds
        self._reset_options()
        for one in options:
            check_no_options(one)
        observation, _ = self._vectors.reset(seed=None if seeds[0] is None else seeds)
        self._reset_seeds()
        self._started = time.time()
        self.step_info = {}
        return observation

    def step_async(self, actions: Any) -> None:
        """Note the actions, int[B, 2 N], for :meth:`step_wait`."""
        self._actions = actions

    @one_at_a_time
    def step_wait(self) -> SB3Step:
        """Play one step of all games with the noted actions.

        Returns:
            Observations float32[B, N (F + G D)], rewards float32[B], which games ended bool[B], and B infos.

        Raises:
            ValueError: actions of another shape or out of range; no game has moved.
            TypeError: not integers.
            gymnasium.error.ResetNeeded: before the first reset.
        """
        observation, reward, over, _, self.step_info = self._vectors.step(self._actions)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        seconds = round(time.time() - self._started, 6)
        for i in np.flatnonzero(over):
            totals = {name: values[i].copy() for name, values in self.step_info["totals"].items()}
            infos[i] = {
                "terminal_observation": self.step_info["final_obs"][i],
                "TimeLimit.truncated": False,
                "episode": {
                    "r": float(totals.get("objective", totals["gain"])),
                    "l": int(totals["length"]),
                    "t": seconds,
                },
                "totals": totals,
            }
        return observation, reward.astype(np.float32), over.copy(), infos

    def close(self) -> None:
        """Release nothing. The environment can still be used."""

    def get_images(self) -> Sequence[NDArray[np.uint8] | None]:
        """Return a picture uint8[height, width, 3] of every game; None for each without a render_mode."""
        return self.games.render() or [None] * self.num_envs

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        """Return an attribute of ``games`` once for each index, since the games share it.

        Raises:
            AttributeError: the batch has none of this name.
        """
        return [getattr(self.games, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Indices = None) -> None:
        """Set an attribute of ``games``, which all of them share.

        Raises:
            ValueError: indices of some games only.
        """
        if len(set(self._get_indices(indices))) != self.num_envs:
            raise ValueError(
                f"indices: expected all {self.num_envs} games, which share {attr_name}, got {indices!r:.80}"
            )
        setattr(self.games, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: Indices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call ``state``, ``set_state`` or ``render`` of single games, as :class:`paymaster.LeaderEnv` has them.

        Raises:
            AttributeError: another method; ``games`` has those of the whole batch.
        """
        if method_name not in _CALLS:
            raise AttributeError(
                f"method_name: expected one of {', '.join(_CALLS)} (those of the whole batch: `games`), got "
                f"{method_name!r:.80}"
            )
        call = getattr(self, f"_{method_name}_of")
        return [call(int(i), *method_args, **method_kwargs) for i in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type, indices: Indices = None) -> list[bool]:
        """Return true for ``Monitor``, once for each index, since infos hold what it adds; else false."""
        return [wrapper_class is Monitor for _ in self._get_indices(indices)]

    def _render_of(self, game: int) -> NDArray[np.uint8] | None:
        return self.get_images()[game]

    def _state_of(self, game: int, *names: str) -> dict[str, Any]:
        return {name: values[game] for name, values in self.games.state(*names).items()}

    def _set_state_of(self, game: int, **values: ArrayLike) -> None:
        arrays = self.games.state(*values) if values else {}
        for name, value in values.items():
            new, old = as_array(name, value), arrays[name]
            if new.shape != old.shape[1:]:
                raise ValueError(f"{name}: expected shape {old.shape[1:]}, got {new.shape}")
            arrays[name] = np.concatenate((old[:game], new[None], old[game + 1 :]))
        self.games.set_state(**arrays)
