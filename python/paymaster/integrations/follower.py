"""One follower's side as a Gymnasium environment: the leader plays inside, the other followers decide by rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils import seeding
from numpy.typing import ArrayLike, NDArray

from paymaster.envs.ownership import NoEpisodeError, SpecWithHorizon, View, one_at_a_time
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.integrations.fixed_leader import FixedLeader, LeaderLike
from paymaster.integrations.game import OWN, RENDER_MODES, Game
from paymaster.validation.arguments import check_int, check_no_options
from paymaster.validation.keywords import check_keywords

__all__ = ["FollowerEnv"]


class FollowerEnv(View, SpecWithHorizon, gymnasium.Env[NDArray[Any], np.integer[Any]]):
    """One member of the population learns; those drawn beside it decide by rule, as they do in the leader's games.

    Episodes that it takes no part in are skipped. An observation is its view of the game as a vector of features, with
    its traits and the offer that the leader inside has just made to it; the action a goal type or G for "stop"
    ("meta"), or a primitive action 0..4 ("primitive"); the reward its own. ``info`` holds, of the last step,
    ``committed``, ``completed`` (goal type or -1) and ``payment``.

    Args:
        task: name of a preset, see :func:`paymaster.tasks`.
        leader: who makes the offers (:data:`.LeaderLike`): a scripted leader's name, an object like one,
            or a function from one game's observation to int[N, 2].
        member: who learns, 0..P-1.
        seed, index: keys of the game's random draws; without a seed it has one from the operating system's entropy
            (``np_random_seed``), so that environments made without a seed differ.
        render_mode: None, "human" (text, printed whenever it changes), "ansi" (text) or "rgb_array" (a picture).
        followers: "meta" or "primitive".
        population: dict of skill bool[P, G], preference int[P], reservation float[P], or a name; None draws it from
            ``population_seed``.
        parameters: parameters of the task.

    It can be pickled and copied, if the leader can: that gives a game of its own in the same state, with the same seed.
    Every copy has a history of followers of its own (``docs/integrations.md``, "What copies share").

    Raises:
        ValueError, TypeError: as :class:`paymaster.TwoPhaseVectorEnv`; a member out of range, what is no leader,
            ``learns`` in the population.

    Attributes:
        game: the game; ``game.env`` is the batch it is played in.
    """

    metadata = {"render_modes": RENDER_MODES, "render_fps": 4}  # noqa: RUF012  (Gymnasium's name and place for it)

    def __init__(
        self,
        task: str,
        leader: LeaderLike = "full_information",
        member: int = 0,
        *,
        seed: int | None = None,
        index: int = 0,
        render_mode: str | None = None,
        followers: str = "meta",
        population: Mapping[str, ArrayLike] | str | None = None,
        **parameters: Any,
    ) -> None:
        check_keywords(task, parameters, ("leader", "member", *OWN))
        if isinstance(population, Mapping) and "learns" in population:
            raise ValueError("population: expected no 'learns', since it is the member who learns, got one")
        everybody = LeaderVectorEnv(task, num_threads=1, population=population, **parameters).population
        parameters.pop("named_population", None)  # from here on they are given as arrays
        size = len(everybody["learns"])
        self._member = check_int("member", member, 0, size - 1)
        people = {**everybody, "learns": np.arange(size) == self._member}
        self.game = Game(task, seed, index, render_mode, followers, population=people, **parameters)
        self._batch = self.game.env
        self._np_random, self._np_random_seed = seeding.np_random(self.game.seed)
        self._leader = FixedLeader(leader, self.game.seed)
        self._horizon = int(self.game.env.parameters["horizon"])
        self._seat = 0
        self.render_mode = render_mode
        self.observation_space = self.game.observation_spaces[self.game.followers[0]]
        self.action_space = self.game.action_spaces[self.game.followers[0]]

    @one_at_a_time
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """The next episode that the member takes part in; with a seed, the first one under that seed."""
        check_no_options(options)
        if seed is not None:
            seed = check_int("seed", seed, 0, 2**64 - 1)
        self.game.reset(seed, options)
        super().reset(seed=seed)
        while not (seats := np.flatnonzero(self.game.observed["identity"][0] == self._member)).size:
            self.game.reset(None, None)
        self._seat = int(seats[0])
        self._leader.start(self.game, seed)
        return self._offered()

    @one_at_a_time
    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Its answer; the world moves and the leader makes its next offers.

        Raises:
            ValueError: out of range; nothing changes.
            TypeError: not an integer.
            ResetNeeded: no episode is on.
        """
        if self.game.leader_is_next:
            raise NoEpisodeError("step: expected reset() first, since no episode is on, got an action")
        name = self.game.followers[self._seat]
        answers = [0] * len(self.game.followers)  # of the others nobody takes notice
        answers[self._seat] = self.game.check_answer(name, action)
        self.game.answer(answers)
        reward = self.game.reward[name]
        observation, info = self._offered()
        return observation, reward, self.game.over, False, info

    def render(self) -> str | NDArray[np.uint8] | None:
        """The game as ``render_mode`` says."""
        return self.game.render()

    def _offered(self) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """The leader acts, unless the game is over; what the member then sees."""
        self._leader.act(self.game)
        info = self.game.infos()[self.game.followers[self._seat]]
        del info["acts"]
        return self.game.follower_vectors()[self._seat], info
