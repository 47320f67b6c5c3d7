"""B games at once, from the leader's side, as a Gymnasium vector environment.

Longer than other files: it is the package's main class, and half of it is its documentation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from paymaster import _core
from paymaster.envs.buffers import Rows, columns_of, split
from paymaster.envs.history import Statistics
from paymaster.envs.ownership import OwnGame, SpecWithHorizon
from paymaster.envs.spaces import action_space, space_of
from paymaster.validation.arguments import (
    as_array,
    check_int,
    identities_of,
    map_text,
    population_arrays,
    reset_mask,
    seed_of,
    seeds_of,
)
from paymaster.validation.keywords import ARGUMENTS, check_keywords
from paymaster.validation.parameters import has_own_objective
from paymaster.worlds.registration import find, population_of

if TYPE_CHECKING:
    from paymaster.envs.pictures import Pictures

__all__ = ["FOLLOWERS", "LeaderVectorEnv", "Observation", "Step", "followers_of"]

FOLLOWERS = ("rule", "meta", "primitive")

Observation = dict[str, NDArray[Any]]
Step = tuple[Observation, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]


class LeaderVectorEnv(OwnGame, SpecWithHorizon, VectorEnv[Observation, NDArray[np.integer[Any]], NDArray[Any]]):
    """B Stackelberg Markov games with rule-based followers; one ``step`` is one crossing into C++ (paper Sec. 3).

    The action is int[B, N, 2]: a goal type and a bonus level for each follower, omega^k = (g^k, b^k). With
    ``abstain`` the goal may also be G, "none". The reward is the leader's: w for every contract completed in this
    step, minus the bonuses paid in it; another weighted sum where the task has an objective of its own. A game ends
    (``terminated``) after T steps or when no goal is left; the horizon is part of the game and the observation shows
    the step, so ``truncated`` is always false.

    Observations are a dict of int16 arrays (float32 for what is continuous); ``observation_meanings`` says what each
    holds. ``info`` holds, per follower, ``committed`` bool[B, N], ``completed`` int16[B, N] (goal type or -1),
    ``payment`` float32[B, N], ``follower_reward`` float32[B, N] and ``follower_action`` int16[B, N] of this step, and
    ``totals``, sums over the episode so far (final where ``terminated``): gain, payments, incentive, follower_reward,
    new_offers (``|A_T|``), length [B], completions [B, G]; with an objective of its own also welfare, objective and
    equality. With ``budget`` or ``max_share`` there is ``refused`` bool[B, N], too: offers beyond the leader's means.

    Args:
        task: its name, see :func:`paymaster.tasks`; or ``module:Class`` of a world, or a TOML or JSON file that defines
            one (:func:`paymaster.load_task`).
        num_envs: B, games in the batch.
        seed: of every random draw, together with the game's index; None takes one from the operating system's
            entropy, so that environments made without a seed differ. ``np_random_seed`` says which it is now (after a
            reset with several seeds, a tuple of them).
        num_threads: worker threads, 0 for one a core. Results do not depend on it.
        autoreset_mode: of ``gymnasium.vector.AutoresetMode``: NEXT_STEP (default), SAME_STEP or DISABLED. When
            disabled, a finished game stays as it is (reward 0, terminated) until it is reset.
        first_index: index of the first game: a batch of games 4..7 equals the second half of a batch of 8.
        copy: true returns fresh arrays from every call; false returns the same arrays each time, valid until the
            next call that returns observations.
        population: dict of skill bool[P, G], preference int[P], reservation float[P]; and, if you like, learns bool[P]
            where only some followers learn, utility float[P, G] that each earns by itself for reaching a type, cost
            float[P, G] or [P] of each step of going for one, weight float[P] in proportion to which members are drawn.
            Or the name of a published one, as for the parameter ``named_population``. None takes the task's own, or
            draws it from ``population_seed``.
        render_mode: None, or "rgb_array" for :meth:`render` to draw every game; then each step reads the state.
        max_episode_steps: None or at least the horizon, and without effect: games end by themselves. (Gymnasium's
            ``make_vec`` passes it.)
        parameters: parameters of the task, see :func:`paymaster.tasks` for names and defaults.

    It can be pickled and copied: that gives a game of its own in the same state, with the same seed.

    One thread at a time may call it; the call of a second one raises ``RuntimeError``, which names both calls, and
    changes nothing. It does not wait, for then the numbers would depend on who came first.

    Raises:
        ValueError: unknown task, a value out of range, an impossible map, followers that learn (they take
            :class:`~paymaster.envs.two_phase.TwoPhaseVectorEnv`).
        TypeError: an unknown keyword argument, or one of the wrong type.
        RuntimeError: from any method, while another thread is in one.
    """

    _plays: tuple[str, ...] = ("rule",)  # kinds of followers

    def __init__(
        self,
        task: str,
        num_envs: int = 1,
        seed: int | None = None,
        num_threads: int = 0,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        first_index: int = 0,
        copy: bool = True,
        population: Mapping[str, ArrayLike] | str | None = None,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        **parameters: Any,
    ) -> None:
        task = find(task)
        check_keywords(task, parameters, ARGUMENTS)
        mode = autoreset_mode.value if isinstance(autoreset_mode, AutoresetMode) else str(autoreset_mode)
        if not isinstance(copy, bool):
            raise TypeError(f"copy: expected a bool, got {type(copy).__name__}")
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode: expected None or 'rgb_array', got {render_mode!r:.80}")
        if "map" in parameters:
            parameters["map"] = map_text(parameters["map"])
        kind = followers_of(task, parameters)
        if isinstance(kind, str) and kind in FOLLOWERS and kind not in self._plays:
            raise ValueError(f"followers: expected {' or '.join(map(repr, self._plays))}, got {kind!r:.80}")
        num_envs = check_int("num_envs", num_envs, 1, 2**24)
        people = population_arrays(
            task, population_of(task, parameters) if population is None else population, parameters
        )
        seed = seed_of(seed)
        self._core = _core.Batch(
            task,
            parameters,
            num_envs=num_envs,
            seed=seed,
            first_index=check_int("first_index", first_index, 0, 2**62 - 1),
            num_threads=check_int("num_threads", num_threads, 0, 1024),
            autoreset=mode,
            population=people,
            copy=copy,
        )
        self._make_guards()
        self.task = task
        self.num_envs = int(num_envs)
        self._np_random, self._np_random_seed = seeding.np_random(seed)
        self.autoreset_mode = AutoresetMode(mode)
        self.metadata = {"autoreset_mode": self.autoreset_mode, "render_modes": ["rgb_array"], "render_fps": 4}
        self.render_mode = render_mode
        self.parameters: dict[str, Any] = self._core.parameters
        self._horizon = int(self.parameters["horizon"])
        most = None if max_episode_steps is None else check_int("max_episode_steps", max_episode_steps, 1, 2**62)
        if most is not None and most < self._horizon:
            raise ValueError(
                f"max_episode_steps: expected None or at least the horizon {self._horizon}, since games end by "
                f"themselves, got {max_episode_steps}; shorter ones have horizon={max_episode_steps}"
            )
        self.goal_reward: NDArray[np.float32] = self._core.goal_reward
        self.prices: NDArray[np.float32] = self._core.prices
        self.statistics = Statistics(self._core, self.num_envs)
        self.single_observation_space = space_of(self._core.observation_fields)
        self.single_action_space = action_space(self.parameters)
        self._columns = columns_of(self._core.observation_fields, self.num_envs)
        self._copy = copy
        self._views: tuple[Rows, Observation] | None = None
        self._pictures: Pictures | None = None
        if render_mode is not None:
            from paymaster.envs.pictures import Pictures  # only now: most batches are never drawn

            self._pictures = Pictures(self.task, self.state(), self.goal_reward if self.own_objective else None)

    # --- Gymnasium -------------------------------------------------------------------------------------------

    def reset(
        self, *, seed: int | Sequence[int] | Sequence[None] | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Starts the next episode of every game; with a seed, episode 0 under that seed.

        Args:
            seed: one for all games (game i is told apart by its index), or B of them.
            options: ``{"reset_mask": bool[B]}`` restarts only the games it names.

        Raises:
            ValueError, TypeError: bad seed, unknown option, mask of another shape or dtype; nothing changes.
        """
        mask = reset_mask(options, self.num_envs)
        seeds = seeds_of(seed, self.num_envs)
        if seeds is not None and mask is not None:
            raise ValueError("seed: expected None together with options['reset_mask'], got a seed")
        with self._guard("reset"):
            rows = self._core.reset(seeds, mask)
            if seeds is not None:
                self._np_random, self._np_random_seed = seeding.np_random(seeds[0])
                if len(set(seeds)) > 1:
                    self._np_random_seed = tuple(seeds)  # type: ignore[assignment]  # as in Gymnasium's SyncVectorEnv
            if self._pictures is not None:
                self._pictures.restart(self.state(), mask)
            return self._recorded(rows), {}

    def step(self, actions: ArrayLike) -> Step:
        """One step of all games.

        Args:
            actions: integers [B, N, 2], (goal, bonus) a follower.

        Raises:
            ValueError: wrong shape, or a goal or bonus out of range; no game has moved.
            TypeError: not integers.
            gymnasium.error.ResetNeeded: a game was made and neither reset nor set to a state.
        """
        with self._stepping:
            return self._result(self._core.step(as_array("actions", actions)))

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """A picture uint8[height, width, 3] of every game, with its episode so far; None without a render_mode."""
        if self._pictures is None:
            gymnasium.logger.warn("render() was called on an environment made without a render_mode")
            return None
        with self._guard("render"):
            return self._pictures.draw(self.state(), self.drawn_parameters())

    def close_extras(self, **kwargs: Any) -> None:
        """Release nothing: threads end with the object. A closed environment can still be reset and stepped."""

    @cached_property
    def observation_space(self) -> spaces.Space[Any]:  # type: ignore[override]
        """Of all games; made when asked for, since it takes longer than the games."""
        return batch_space(self.single_observation_space, self.num_envs)

    @cached_property
    def action_space(self) -> spaces.Space[Any]:  # type: ignore[override]
        """Of all games; made when asked for."""
        return batch_space(self.single_action_space, self.num_envs)

    # --- beyond Gymnasium ------------------------------------------------------------------------------------

    @property
    def num_followers(self) -> int:
        """N, followers in a game."""
        return int(self.parameters["num_followers"])

    @property
    def num_actions(self) -> int:
        """A, primitive actions of a follower: move, turn left, turn right, dig, stop on the grid, and craft before stop
        in the crafting world; noop, left, right, down, up in the plane."""
        return int(self._core.num_actions)

    @property
    def num_threads(self) -> int:
        """Worker threads in use."""
        return int(self._core.num_threads)

    @property
    def observation_meanings(self) -> dict[str, str]:
        """Field of the observation -> what it holds."""
        return {field.name: field.meaning for field in self._core.observation_fields}

    @property
    def state_meanings(self) -> dict[str, str]:
        """Field of the state -> its dtype, shape and what it holds."""
        return {
            field.name: f"{field.dtype}[{', '.join(map(str, ('B', *field.shape)))}] {field.meaning}"
            for field in self._core.state_fields
        }

    @property
    def population(self) -> dict[str, NDArray[Any]]:
        """The hidden traits of all P followers: skill bool[P, G], preference int32[P], reservation float32[P]; learns
        bool[P], whose actions come from outside where followers are not rule-based; and where the population has them
        utility float32[P, G], cost float32[P, G] and weight float32[P]."""
        names = ("skill", "preference", "reservation", "learns", "utility", "cost", "weight")
        arrays = zip(names, self._core.population, strict=True)
        return {name: array for name, array in arrays if array is not None}

    @property
    def own_objective(self) -> bool:
        """Whether the leader is rewarded for anything but its gain."""
        return has_own_objective(self.parameters)

    def drawn_parameters(self) -> dict[str, Any]:
        """The parameters as pictures show them: w and prices as they are in force, the population's utility and cost
        where it has them, and the task's name."""
        tastes = {name: table for name, table in self.population.items() if name in ("utility", "cost")}
        return {**self.parameters, **tastes, "goal_reward": self.goal_reward, "prices": self.prices, "task": self.task}

    def observe(self) -> Observation:
        """The current observation, after :meth:`set_state` or :meth:`restore`."""
        with self._guard("observe"):
            return self._observation(self._core.observe())

    def state(self, *names: str) -> dict[str, NDArray[Any]]:
        """The whole state as fresh arrays with leading axis B, or only the named fields (``state_meanings``).

        Raises:
            ValueError: an unknown field.
        """
        return dict(self._core.get_state(list(names) or [field.name for field in self._core.state_fields]))

    def set_state(self, **arrays: ArrayLike) -> None:
        """Sets any of the fields of :meth:`state` for all games; the others keep their values.

        ``done`` follows from the rest. Sums over the episode so far (``totals``) are not part of it and go on.

        Raises:
            ValueError: an unknown field, a wrong shape, a value out of range, a state that breaks a rule.
            TypeError: a wrong dtype. In either case nothing changes.
        """
        with self._guard("set_state"):
            with np.errstate(over="ignore"):  # too large for a field's dtype is out of its range, and says so
                self._core.set_state(arrays)
            self._interrupted()
            if self._pictures is not None:
                self._pictures.restart(self.state())

    def replace_followers(self, identities: ArrayLike, seed: int) -> None:
        """New followers in place of some members of the population: other traits, an empty row of statistics (M3RL).

        Member i gets the traits that it has in the population of ``population_seed=seed``: they are drawn as the task
        draws them, also where this population was given. The others keep traits and statistics. Only between episodes,
        so that no game goes on with one who has left; a game that has never been reset draws its first episode again.

        Args:
            identities: members who leave, int[R], all different, in 0..P-1.
            seed: of the new traits.

        Raises:
            ValueError: a member out of range or named twice, a seed out of range, a game that is in an episode.
            TypeError: not integers. In either case nothing changes.
        """
        members = identities_of(identities, self.parameters["population_size"])
        self._core.replace_followers(members, check_int("seed", seed, 0, 2**63 - 1))
        if self.statistics.performance is not None:
            self.statistics.performance.clear(members)

    def snapshot(self) -> bytes:
        """Everything (games, random numbers' keys, statistics) as opaque bytes; but for a performance history that the
        statistics keep (:meth:`.Statistics.keep_performance`)."""
        return bytes(self._core.snapshot())

    def restore(self, snapshot: bytes) -> Observation:
        """Bring back :meth:`snapshot` exactly, into any batch of as many games with the same parameters and population.

        Games that had not begun by then have not begun: they are reset before they are stepped.

        Raises:
            ValueError: damaged bytes, other parameters, another number of games, a game that could not be played;
                nothing changes.
            TypeError: not bytes.
        """
        if not isinstance(snapshot, bytes):
            raise TypeError(f"snapshot: expected bytes, got {type(snapshot).__name__}")
        with self._guard("restore"):
            self._core.restore(snapshot)
            self._interrupted()
            if self._pictures is not None:
                self._pictures.restart(self.state())
            return self.observe()

    # --- internals -------------------------------------------------------------------------------------------

    def _make_guards(self) -> None:
        """Attributes that hold the core's guard or a named call of it: a copy has its own."""
        self._guard = self._core.guard
        self._stepping = self._guard("step")

    def __getstate__(self) -> dict[str, Any]:
        with self._guard("copy"):
            kept = {name: it for name, it in vars(self).items() if not isinstance(it, _core.CallGuard | _core.Call)}
            return {**kept, "_views": None}  # of the arrays that this core writes to

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._make_guards()

    def _result(self, arrays: tuple[Rows, dict[str, Any], dict[str, Any], Rows]) -> Step:
        """Return the core's arrays as Gymnasium wants them."""
        rows, info, totals, final_rows = arrays
        reward, terminated = info.pop("reward"), info.pop("terminated")
        info["totals"] = totals
        if self.autoreset_mode is AutoresetMode.SAME_STEP and terminated.any():
            self._add_final(info, final_rows, terminated)
        if self._pictures is not None:
            self._pictures.add(self.state(), info["payment"], reward, totals["gain"])
        truncated = np.zeros(self.num_envs, dtype=np.bool_)
        return self._recorded(rows), reward, terminated, truncated, info

    def _recorded(self, rows: Rows) -> Observation:
        """What is observed after a step or a reset."""
        observation = self._observation(rows)
        if self.statistics.performance is not None:
            self.statistics.performance.record(self._core, observation)
        return observation

    def _interrupted(self) -> None:
        if self.statistics.performance is not None:
            self.statistics.performance.interrupt(self.observe())

    def _observation(self, rows: Rows) -> Observation:
        if self._copy:
            return split(rows, self._columns)
        if self._views is None or self._views[0][0] is not rows[0]:
            self._views = (rows, split(rows, self._columns))
        return dict(self._views[1])

    def _add_final(self, info: dict[str, Any], rows: Rows, ended: NDArray[np.bool_]) -> None:
        """Gymnasium's convention for SAME_STEP: an object array with the last observation of games that ended."""
        final = split(rows, self._columns)
        observations = np.full(self.num_envs, None, dtype=object)
        for i in np.flatnonzero(ended):
            observations[i] = {name: np.array(values[i]) for name, values in final.items()}
        info["final_obs"], info["_final_obs"] = observations, ended.copy()
        info["final_info"], info["_final_info"] = dict(info), ended.copy()


def followers_of(task: Any, parameters: Mapping[str, Any]) -> Any:
    """Return how followers act in a task with these parameters: "rule", or "meta" or "primitive" in two phases."""
    given = parameters.get("followers")
    return _core.task(task)["parameters"]["followers"] if given is None and _core.has_task(task) else given
