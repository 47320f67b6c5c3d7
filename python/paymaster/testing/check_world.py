"""Plays a world of somebody's own at random, and names the first rule that it breaks."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paymaster.envs.tasks import make_vec
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.envs.vector import LeaderVectorEnv, Step
from paymaster.validation.arguments import check_int
from paymaster.worlds.errors import WorldError
from paymaster.worlds.registration import forget, register
from paymaster.worlds.world import World

__all__ = ["check_world"]

_GAMES = 5
_TASK = "world_being_checked"

Arrays = Mapping[str, NDArray[Any]]


def check_world(world: type[World] | str, steps: int = 60, seed: int = 0, **parameters: Any) -> None:
    """Play random games of a world and raise on the first rule that it breaks.

    Types, shapes and ranges of what its methods return are checked at every step of any game. Checked here beside:
    equal seeds give equal games; a game does not depend on the others of its batch, nor on those that reset beside it;
    games that are over stay as they are; who reaches a goal was at distance 0; a game that was stored, copied or set to
    a state goes on as the one it was taken from; followers may choose goal types or primitive actions by themselves;
    and the world draws every picture that is asked for.

    Args:
        world: the class, or a task's name (``"module:Class"``).
        steps: to play in each check; several episodes' worth.
        seed: of the games and of the leader's offers.
        parameters: of the game and of the world, in place of their defaults.

    Raises:
        WorldError: names the class, the method or the array, the game, and the rule.
        TypeError, ValueError: a class that cannot be registered, or parameters that do not fit.
    """
    if parameters.get("followers", "rule") != "rule":
        raise ValueError(f"followers: expected 'rule' (others are tried as well), got {parameters['followers']!r:.80}")
    check_int("steps", steps, 1, 10**6)
    if isinstance(world, str):
        _play(_Check(world, world, steps, seed, parameters))
        return
    register(_TASK, world)
    try:
        _play(_Check(_TASK, world.__name__, steps, seed, parameters))
    finally:
        forget(_TASK)


def _play(check: _Check) -> None:
    check.equal_seeds()
    check.single_games()
    check.reset_beside()
    check.finished_games()
    check.reached_from_near()
    check.restored()
    check.copied()
    check.set_to_a_state()
    check.followers_that_choose()
    check.pictures()


class _Check:
    def __init__(self, task: str, name: str, steps: int, seed: int, parameters: dict[str, Any]) -> None:
        self._task, self._name, self._steps, self._seed, self._parameters = task, name, steps, seed, parameters

    # --- the rules

    def equal_seeds(self) -> None:
        one, other = self._make(), self._make()
        for t, offers in self._offers(one):
            self._expect_equal(one, other, t, "equal games from equal seeds (draw from `draws` alone)")
            self._step(t, offers, "rewards that equal seeds make equal (draw from `draws` alone)", one, other)

    def single_games(self) -> None:
        batch = self._make()
        singles = [self._make(1, first_index=i) for i in range(_GAMES)]
        rule = "a game that does not depend on the others of its batch"
        for t, offers in self._offers(batch):
            for i, single in enumerate(singles):
                self._expect_equal(batch, single, t, rule, rows=slice(i, i + 1), game=i)
            results = _results(batch.step(offers))
            for i, single in enumerate(singles):
                its = {name: values[i : i + 1] for name, values in results.items()}
                self._expect_same(its, _results(single.step(offers[i : i + 1])), t, rule, game=i)

    def reset_beside(self) -> None:
        env = self._make(autoreset_mode="Disabled")
        for t, offers in self._offers(env):
            before = env.state()
            mask = np.arange(_GAMES) == t % _GAMES
            env.reset(options={"reset_mask": mask})
            self._expect_same(before, env.state(), t, "reset() that leaves the other games as they are", ~mask)
            env.step(offers)

    def finished_games(self) -> None:
        env = self._make(autoreset_mode="Disabled", horizon=min(self._horizon(), 5))
        for t, offers in itertools.islice(self._offers(env), 12):
            before = env.state()
            env.step(offers)
            self._expect_same(
                before, env.state(), t, "move() that leaves games that are over as they are", before["done"]
            )

    def reached_from_near(self) -> None:
        env = self._make(autoreset_mode="Disabled")
        near = env.reset(seed=self._seed)[0]["distance"]
        for t, offers in self._offers(env):
            observation, *_, info = env.step(offers)
            for game, k in np.argwhere(info["completed"] >= 0).tolist():
                goal = int(info["completed"][game, k])
                if near[game, k, goal] != 0:
                    self._refuse(
                        f"distance (game {game}, follower {k}, step {t})",
                        f"0 before the action that reaches goal type {goal}",
                        int(near[game, k, goal]),
                    )
            near = observation["distance"]

    def restored(self) -> None:
        self._expect_twin("the game that was stored, after snapshot() and restore()", self._stored)

    def copied(self) -> None:
        self._expect_twin("the game it was copied from, after pickling", lambda env: pickle.loads(pickle.dumps(env)))

    def set_to_a_state(self) -> None:
        self._expect_twin("the game of that state, after set_state()", self._set_to_its_state)

    def followers_that_choose(self) -> None:
        for kind in ("meta", "primitive"):
            one, other = (self._make(followers=kind) for _ in range(2))
            random = np.random.default_rng(self._seed)
            rule = f"equal games from equal seeds and answers, with {kind!r} followers (draw from `draws` alone)"
            for t, offers in self._offers(one):
                answers = random.integers(one._core.choices, size=offers.shape[:2])
                results = []
                for env in (one, other):
                    assert isinstance(env, TwoPhaseVectorEnv)
                    env.offer(offers)
                    results.append(_results(env.act(answers)))
                self._expect_same(results[0], results[1], t, rule)
                self._expect_equal(one, other, t, rule)

    def pictures(self) -> None:
        env = self._make(1, render_mode="rgb_array")
        for t, offers in itertools.islice(self._offers(env), 3):
            try:
                env.render()
            except Exception as error:  # whatever the world's draw() raises
                what = f"{type(error).__name__}: {error}"
                raise WorldError(f"{self._name}: draw (step {t}): expected a picture, got {what}") from error
            env.step(offers)

    # ---

    def _step(self, t: int, offers: NDArray[np.int64], rule: str, one: LeaderVectorEnv, other: LeaderVectorEnv) -> None:
        self._expect_same(_results(one.step(offers)), _results(other.step(offers)), t, rule)

    def _stored(self, env: LeaderVectorEnv) -> LeaderVectorEnv:
        twin = self._make(seed=self._seed + 1)
        twin.restore(env.snapshot())
        return twin

    def _set_to_its_state(self, env: LeaderVectorEnv) -> LeaderVectorEnv:
        twin = self._make()
        twin.set_state(**{name: values for name, values in env.state().items() if name != "done"})
        return twin

    def _expect_twin(self, rule: str, make: Callable[[LeaderVectorEnv], LeaderVectorEnv]) -> None:
        env = self._make()
        offers = self._offers(env)
        for _, actions in itertools.islice(offers, 4):
            env.step(actions)
        twin = make(env)
        rule = f"{rule} (state that is kept outside of arrays is lost; compute it in restored())"
        for t, actions in itertools.islice(offers, self._steps):
            self._expect_equal(env, twin, t, rule)
            self._step(t, actions, f"results of {rule}", env, twin)

    def _horizon(self) -> int:
        return int(make_vec(self._task, 1, self._seed, **self._parameters).parameters["horizon"])

    def _make(self, games: int = _GAMES, **further: Any) -> LeaderVectorEnv:
        arguments = {"seed": self._seed, "num_threads": 1, **self._parameters, **further}
        env = make_vec(self._task, games, **arguments)
        env.reset()
        return env

    def _offers(self, env: LeaderVectorEnv) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Numbers of steps, and offers [B, N, 2] that are held for a while."""
        random = np.random.default_rng(self._seed)
        shape = (env.num_envs, env.num_followers)
        sizes = env.parameters["num_goals"], env.parameters["num_bonuses"]
        offers = np.stack([random.integers(size, size=shape) for size in sizes], -1)
        for t in range(self._steps):
            fresh = np.stack([random.integers(size, size=shape) for size in sizes], -1)
            offers = np.where(random.random(shape)[..., None] < 0.2, fresh, offers)
            yield t, offers

    def _expect_equal(
        self,
        one: LeaderVectorEnv,
        other: LeaderVectorEnv,
        t: int,
        rule: str,
        rows: slice = slice(None),
        game: int = 0,
    ) -> None:
        for ours, theirs in ((one.state(), other.state()), (one.observe(), other.observe())):
            self._expect_same({name: values[rows] for name, values in ours.items()}, theirs, t, rule, game=game)

    def _expect_same(
        self, one: Arrays, other: Arrays, t: int, rule: str, mask: NDArray[np.bool_] | None = None, game: int = 0
    ) -> None:
        for name, values in one.items():
            different = values != other[name]
            if mask is not None:
                different &= mask.reshape(-1, *[1] * (different.ndim - 1))
            if different.any():
                at = np.argwhere(different)[0].tolist()
                self._refuse(
                    f"'{name}' (game {game + at[0]}, step {t})",
                    rule,
                    f"{other[name][tuple(at)]} in place of {values[tuple(at)]}",
                )

    def _refuse(self, where: str, expected: str, came: Any) -> None:
        raise WorldError(f"{self._name}: {where}: expected {expected}, got {came}")


def _results(step: Step) -> dict[str, NDArray[Any]]:
    """Rewards of a step, and what followers did and were paid."""
    _, reward, terminated, _, info = step
    own = {name: info[name] for name in ("committed", "completed", "payment", "follower_reward", "follower_action")}
    return {"reward": reward, "terminated": terminated, **own}
