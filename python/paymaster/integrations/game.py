"""One game with its leader and its followers as agents with names; the views in this package put it into a form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from numpy.typing import ArrayLike, NDArray

from paymaster.envs.ownership import NoEpisodeError, View, one_at_a_time
from paymaster.envs.single import render_one
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.envs.vector import Observation
from paymaster.integrations.vectors import FollowerSight, LeaderSight, flat_actions, vector_space
from paymaster.validation.arguments import as_array, check_int, seed_of
from paymaster.validation.keywords import check_keywords
from paymaster.worlds.registration import find

__all__ = ["LEADER", "OWN", "RENDER_MODES", "Game", "Infos"]

Infos = dict[str, dict[str, Any]]

LEADER = "leader"
RENDER_MODES = ["human", "ansi", "rgb_array"]
OWN = ("seed", "index", "render_mode", "population")
"""Keyword arguments of every view, beside the task's parameters."""


class Game(View):
    """A batch of one game in which agents act one by one.

    A step is :meth:`offer`, then :meth:`answer`, as ``offer`` and ``act`` of :class:`TwoPhaseVectorEnv`.

    Args:
        task, parameters: as for :class:`TwoPhaseVectorEnv`; ``followers`` is "meta" or "primitive".
        seed, index: keys of the game's random draws: it is game ``index`` of a batch with that seed; None takes a seed
            from the operating system's entropy.
        render_mode: None, "ansi" (text), "rgb_array" (a picture) or "human" (text, printed whenever it changes).

    Raises:
        ValueError, TypeError: as :class:`TwoPhaseVectorEnv`, and for another render_mode.

    Attributes:
        env: the batch.
        seed: that it was made with.
        followers: their names, "follower_0" to "follower_{N-1}", by seat; who sits there changes with the episode.
        observation_spaces, action_spaces: of "leader" and of every follower; the followers' are equal.
        state_space: of :meth:`state`.
        observed: s_t, what ``step`` of the batch returned.
        seen: what the followers see, as ``offer`` of the batch returned it; before the offer, without one.
        leader_is_next, over: where the game stands.
        reward: of each agent in the last step.
    """

    def __init__(
        self, task: str, seed: int | None, index: int, render_mode: str | None, followers: str, **parameters: Any
    ) -> None:
        if render_mode not in (None, *RENDER_MODES):
            raise ValueError(f"render_mode: expected None or one of {', '.join(RENDER_MODES)}, got {render_mode!r:.80}")
        for name in ("autoreset_mode", "num_envs", "copy"):
            if name in parameters:
                raise ValueError(f"{name}: expected none for a single game, got {parameters[name]!r}")
        task = find(task)
        check_keywords(task, parameters, OWN)
        self.seed = seed_of(seed)
        self.env = TwoPhaseVectorEnv(
            task,
            1,
            self.seed,
            1,
            first_index=check_int("index", index, 0, 2**62),
            autoreset_mode=AutoresetMode.DISABLED,
            render_mode="rgb_array" if render_mode == "rgb_array" else None,
            followers=followers,
            **parameters,
        )
        self._batch = self.env
        self.render_mode = render_mode
        self.followers = [f"follower_{k}" for k in range(self.env.num_followers)]
        self._leaders, self._followers = LeaderSight(self.env), FollowerSight(self.env)
        self.action_spaces: dict[str, spaces.Space[Any]] = {LEADER: flat_actions(self.env.single_action_space)}
        self.observation_spaces = {LEADER: vector_space(self._leaders.width + 1)}
        self._choices = int(self.env.single_follower_action_space.nvec[0])
        for name in self.followers:
            self.action_spaces[name] = spaces.Discrete(self._choices)
            self.observation_spaces[name] = vector_space(self._followers.width)
        self.state_space = spaces.flatten_space(self.env.single_follower_observation_space)
        self.observed: Observation = {}
        self.seen: Observation = {}
        self.leader_is_next, self.over = True, False
        self.reward = dict.fromkeys((LEADER, *self.followers), 0.0)
        self._info = self._nothing_yet()

    @one_at_a_time
    def reset(self, seed: int | None, options: Any) -> None:
        """The next episode; with a seed, episode 0 under that seed, with empty history statistics unless they are
        frozen. ``options`` are none that we know of."""
        if options is not None and not isinstance(options, dict):
            raise TypeError(f"options: expected a dict, got {type(options).__name__}")
        observation, _ = self.env.reset(seed=None if seed is None else check_int("seed", seed, 0, 2**64 - 1))
        self._leaders.reset(seed)
        self.over = False
        self.reward = dict.fromkeys(self.reward, 0.0)
        self._info = self._nothing_yet()
        self._leaders_turn(observation)

    @one_at_a_time
    def look(self) -> None:
        """Looks at the batch anew, after its state was set from outside: it is the leader's turn."""
        self.over = bool(self.env.state("done")["done"][0])
        self._leaders_turn(self.env.observe())

    @one_at_a_time
    def offer(self, action: ArrayLike) -> None:
        """The leader's offers, int[2 N] or [N, 2]. Raises ValueError or TypeError; nothing changes."""
        self.expect_begun("step")
        offers = as_array("action of 'leader'", action)
        flat = self.action_spaces[LEADER].shape
        if offers.shape not in (flat, self.env.single_action_space.shape):
            raise ValueError(f"action of 'leader': expected shape {flat}, got {offers.shape}")
        self.seen = self.env.offer(offers.reshape(1, -1, 2))
        self.leader_is_next = False
        self._ask()

    def check_answer(self, name: str, action: Any) -> int:
        """A follower's action. Raises ValueError or TypeError naming it; nothing changes."""
        value = action.item() if isinstance(action, np.ndarray) and action.size == 1 else action
        return check_int(f"action of {name!r}", value, 0, self._choices - 1)

    @one_at_a_time
    def answer(self, actions: Sequence[int]) -> None:
        """The followers' answers, checked; the world moves."""
        observation, reward, terminated, _, info = self.env.act(np.array([actions]))
        self.over = bool(terminated[0])
        self.reward = {LEADER: float(reward[0])}
        self._info[LEADER]["payment"] = float(info["payment"][0].sum())
        for k, name in enumerate(self.followers):
            self.reward[name] = float(info["follower_reward"][0, k])
            self._info[name]["committed"] = bool(info["committed"][0, k])
            self._info[name]["completed"] = int(info["completed"][0, k])
            self._info[name]["payment"] = float(info["payment"][0, k])
        self._leaders_turn(observation)

    def infos(self) -> Infos:
        """Of each agent, in fresh dicts: ``acts``, whether its action counts now; the leader's ``payment``, and a
        follower's ``committed``, ``completed`` (goal type or -1) and ``payment``, in the last step."""
        return {name: dict(values) for name, values in self._info.items()}

    def expect_begun(self, call: str) -> None:
        """Raises NoEpisodeError, for ``call``, before the first reset."""
        if not self.seen:
            raise NoEpisodeError(f"{call}: expected reset() first, since no episode has begun, got none")

    def leader_vector(self) -> NDArray[np.float32]:
        """What the leader sees: s_t (:class:`LeaderSight`), and last whether it acts."""
        self.expect_begun("observe")
        return np.append(self._leaders.encode(self.seen), np.float32(self._info[LEADER]["acts"]))

    def follower_vectors(self) -> NDArray[np.float32]:
        """What each follower sees, float32[N, width] (:class:`FollowerSight`)."""
        self.expect_begun("observe")
        vectors: NDArray[np.float32] = self._followers.encode(self.seen)[0]
        return vectors

    @one_at_a_time
    def state(self) -> NDArray[np.float32]:
        """(s_t, omega_t) and everybody's traits: the fields of ``env.single_follower_observation_space`` in a row.

        Raises:
            ResetNeeded: before the first reset.
        """
        self.expect_begun("state")
        one = {name: np.asarray(values[0]) for name, values in self.seen.items()}
        return np.asarray(spaces.flatten(self.env.single_follower_observation_space, one), dtype=np.float32)

    @one_at_a_time
    def render(self) -> str | NDArray[np.uint8] | None:
        """The game as text ("ansi"), as a picture uint8[height, width, 3] ("rgb_array"), or printed ("human")."""
        shown = render_one(self.env, self.render_mode)
        if self.render_mode != "human":
            return shown
        print(shown)
        return None

    def _nothing_yet(self) -> Infos:
        """Infos before the first step."""
        infos: Infos = {LEADER: {"acts": False, "payment": 0.0}}
        for name in self.followers:
            infos[name] = {"acts": False, "committed": False, "completed": -1, "payment": 0.0}
        return infos

    def _leaders_turn(self, observation: Observation) -> None:
        """The world has moved, or a new episode has begun: no offers yet."""
        self.observed = observation
        own = self.env.state("skill", "preference", "reservation")
        n = len(self.followers)
        self.seen = {
            **observation,
            "offered": np.full((1, n, 2), -1, dtype=np.int16),
            "acts": np.zeros((1, n), dtype=np.bool_),
            "skill": own["skill"],
            "preference": own["preference"].astype(np.int16),
            "reservation": own["reservation"],
            "due": np.zeros_like(own["reservation"]),
            **self._tastes(),
        }
        self.leader_is_next = True
        self._ask()
        if self.render_mode == "human":
            self.render()

    def _tastes(self) -> Observation:
        """What followers earn by themselves and what the way costs them, where any do: float32 [1, N, G] each."""
        people, identity = self.env.population, self.env.state("identity")["identity"]
        names = ("utility", "cost")
        if not any(name in people for name in names):
            return {}
        nothing = np.zeros(people["skill"].shape, dtype=np.float32)
        return {name: people.get(name, nothing)[identity].astype(np.float32) for name in names}

    def _ask(self) -> None:
        self._info[LEADER]["acts"] = self.leader_is_next and not self.over
        for k, name in enumerate(self.followers):
            self._info[name]["acts"] = bool(self.seen["acts"][0, k])
