"""B games whose followers learn: a step in two phases, first the leader's offers, then the followers' answers."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Protocol

import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from paymaster.envs.spaces import space_of
from paymaster.envs.vector import LeaderVectorEnv, Observation, Step
from paymaster.validation.arguments import as_array

__all__ = ["Answering", "TwoPhaseVectorEnv"]


class Answering(Protocol):
    """Followers that answer for themselves, so that a leader may :meth:`TwoPhaseVectorEnv.step`."""

    def answer(self, observation: Observation) -> ArrayLike:
        """Their actions, integers [B, N], to what :meth:`TwoPhaseVectorEnv.offer` returned."""

    def earned(self, reward: NDArray[np.float32]) -> None:
        """What each has earned in the step that their answer made, float32 [B, N]; the array is only lent."""


class TwoPhaseVectorEnv(LeaderVectorEnv):
    """B Stackelberg Markov games with followers that act from outside (paper Sec. 3 and 4.3).

    Within a step the leader acts on s_t, then the followers on (s_t, omega_t), then the world moves:
    :meth:`offer` takes the leader's actions and returns what the followers see, the augmented state and their own
    traits; :meth:`act` takes theirs and returns what ``step`` of :class:`LeaderVectorEnv` returns, each follower's own
    reward in ``info["follower_reward"]``. Each is one crossing into C++.

    - ``followers="meta"``: a goal type 0..G-1, which the world's planner pursues (pi_lower), or G, "stop". It is
      committed iff it takes the goal type it was offered; a type that it cannot reach it does not take.
    - ``followers="primitive"``: a primitive action 0..4. It cannot decline: an offer that can be reached is accepted.

    Where ``population`` holds ``learns``, the others decide by rule; their actions are ignored (``acts`` is
    false). Noise, where the task has it, strikes all alike. With ``reach_by="chosen"`` a primitive follower has chosen
    what it was offered.

    With somebody ``answering``, a leader that knows of no phases plays against them through :meth:`step`.

    Arguments, spaces of the leader's side and errors as of :class:`LeaderVectorEnv`; ``followers`` is required,
    unless the task's own are one of these.

    Attributes:
        answering: who answers in :meth:`step`; None: nobody does.
    """

    _plays = ("meta", "primitive")

    def __init__(
        self, task: str, num_envs: int = 1, seed: int | None = None, num_threads: int = 0, **arguments: Any
    ) -> None:
        super().__init__(task, num_envs, seed, num_threads, **arguments)
        self._last: Observation = {}  # s_t
        self.answering: Answering | None = None
        choices = self._core.choices
        self.single_follower_action_space = spaces.MultiDiscrete([choices] * self.parameters["num_followers"])
        self.single_follower_observation_space = space_of([*self._core.observation_fields, *self._core.follower_fields])

    @cached_property
    def follower_action_space(self) -> spaces.Space[Any]:
        """Of the followers of all games; made when asked for."""
        return batch_space(self.single_follower_action_space, self.num_envs)

    @cached_property
    def follower_observation_space(self) -> spaces.Space[Any]:
        """Of the followers of all games; made when asked for."""
        return batch_space(self.single_follower_observation_space, self.num_envs)

    def step(self, actions: ArrayLike) -> Step:
        """Both phases; the followers that are ``answering`` answer.

        Raises:
            ValueError: there are none; and as :meth:`offer` and :meth:`act`.
        """
        if self.answering is None:
            raise ValueError(
                "step: expected offer() and act(), since these followers act in a second phase, or somebody answering "
                "for them, got neither"
            )
        with self._stepping:
            result = self.act(self.answering.answer(self.offer(actions)))
            self.answering.earned(result[4]["follower_reward"])
            return result

    def offer(self, actions: ArrayLike) -> Observation:
        """The first phase: the leader's offers. Nothing moves; offering again replaces the offers.

        Args:
            actions: integers [B, N, 2], (goal, bonus) a follower, as ``step`` of :class:`LeaderVectorEnv` takes them.

        Returns:
            What the followers see: the leader's observation of s_t (the arrays of the last call, not copies), and
            ``offered`` int16[B, N, 2], omega_t, (-1, -1) for "none"; ``skill`` bool[B, N, G], ``preference``
            int16[B, N] and ``reservation`` float32[B, N], each follower's own traits; ``acts`` bool[B, N], whose
            answer counts: those who learn, in games that go on; ``due`` float32[B, N], the bonus paid at once to who
            takes its offer now.

        Raises:
            ValueError: wrong shape, or a goal or bonus out of range; offers made before are void.
            TypeError: not integers.
            gymnasium.error.ResetNeeded: a game was made and neither reset nor set to a state.
        """
        with self._offering:
            own = self._core.offer(as_array("actions", actions))
            if not self._last:
                self.observe()
            return {**self._last, **own}

    def act(self, actions: ArrayLike) -> Step:
        """The second phase: the followers' answers; the world moves.

        Args:
            actions: integers [B, N]: "meta", goal types or G for "stop"; "primitive", primitive actions.

        Returns:
            As ``step`` of :class:`LeaderVectorEnv`.

        Raises:
            ValueError: wrong shape, an action out of range, no :meth:`offer` since the last ``act``, ``reset``,
                ``set_state`` or ``restore``; no game has moved, and what was offered stands.
            TypeError: not integers.
        """
        with self._acting:
            return self._result(self._core.act(as_array("actions", actions)))

    def set_state(self, **arrays: ArrayLike) -> None:
        """As of :class:`LeaderVectorEnv`; offers made before are void."""
        with self._guard("set_state"):
            super().set_state(**arrays)
            self._last = {}  # of another state

    def replace_followers(self, identities: ArrayLike, seed: int) -> None:
        """As of :class:`LeaderVectorEnv`; offers made before are void."""
        with self._guard("replace_followers"):
            super().replace_followers(identities, seed)
            self._last = {}  # games that had not begun have other followers

    def _make_guards(self) -> None:
        super()._make_guards()
        self._offering, self._acting = self._guard("offer"), self._guard("act")

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_last": {}}

    def _observation(self, rows: tuple[NDArray[np.int16], NDArray[np.float32]]) -> Observation:
        self._last = super()._observation(rows)
        return dict(self._last)
