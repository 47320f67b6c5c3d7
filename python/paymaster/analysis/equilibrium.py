"""Is it an equilibrium? What a Stackelberg game's followers could gain by answering better, and what that costs.

The leader of a run is frozen, and so are its followers. Beside each follower a challenger with its traits learns a best
response: it takes the follower's seat in games in which all other seats hold the followers as they are. What it then
earns more is the follower's *regret*; what the leader gains less when challengers take all seats is what it owes to
followers that had not finished learning.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.followers import FollowerAlgorithm, FollowerEpisodes
from paymaster.algorithms.protocol import LeaderAlgorithm
from paymaster.analysis.inspection import acceptance_of
from paymaster.analysis.intervals import Interval, in_json, mean_ci95
from paymaster.analysis.open_run import open_run
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.envs.vector import LeaderVectorEnv, Observation
from paymaster.networks.torch_defaults import threads_of_torch, usual_torch
from paymaster.play.episode import EpisodeTotals
from paymaster.play.learning_followers import LearningFollowers
from paymaster.play.rollout import Rollout
from paymaster.training.seeds import evaluation_seed

__all__ = ["Diagnosis", "diagnose_run"]

_GAMES = 32  # played at once while challengers learn
_CHALLENGERS = 3_000_000_019  # added to the seed for their games and draws


@dataclass(frozen=True)
class Diagnosis:
    """Means per episode with 95 % intervals over E episodes; rewards and bonuses in the leader's units of reward.

    Attributes:
        task, leader: their names.
        followers: "rule", "meta" or "primitive", as the games have it.
        episodes: E.
        retrained: episodes that challengers learned from; 0 where followers decide by rule.
        gain: of the leader.
        follower_reward: of one follower.
        spend: payments by completed contract, over all episodes; nan without one.
        acceptance: share of the steps with an offer of each bonus level whose follower was committed to it [K].
        incentive: bonuses for completed contracts, of one follower.
        regret: what a challenger earns more than the follower in whose seat it is, the others as they are; None where
            followers decide by rule.
        loss: what the leader gains less when challengers take all seats, by its objective where it has one of its own;
            None likewise.
    """

    task: str
    leader: str
    followers: str
    episodes: int
    retrained: int
    gain: Interval
    follower_reward: Interval
    spend: float
    acceptance: NDArray[np.float64]
    incentive: Interval
    regret: Interval | None
    loss: Interval | None

    def to_json(self) -> dict[str, Any]:
        """Intervals as ``{"mean": ..., "ci95": [low, high]}``, lists in place of arrays, None in place of nan."""
        return {name: in_json(value) for name, value in vars(self).items()}


class _Seats(LearningFollowers):
    """Challengers in some seats, in the others the followers as they are, who had all of them.

    Both draw for every seat, each with a generator of its own, so that games with and without challengers are the same
    games with the same draws up to the first answer that differs.
    """

    def __init__(self, env: TwoPhaseVectorEnv, challengers: FollowerAlgorithm) -> None:
        self.usual = _learned(env)
        super().__init__(env, challengers, torch.Generator(challengers.device))

    def start(self, challenged: NDArray[np.bool_], seed: int) -> None:
        """A new batch of episodes, with challengers in these seats [B, N] and draws of this seed."""
        self.challenged, self.earnings = challenged, np.zeros(challenged.shape)
        for generator in (self.usual.generator, self.generator):
            generator.manual_seed(seed)

    def answer(self, observation: Observation) -> NDArray[np.int64]:
        return np.where(self.challenged, super().answer(observation), self.usual.answer(observation))

    def earned(self, reward: NDArray[np.float32]) -> None:
        super().earned(reward)
        self.earnings += reward

    def lived(self) -> FollowerEpisodes:
        """What the challengers lived through since :meth:`start`."""
        lived = super().lived()
        return replace(lived, acts=lived.acts & torch.from_numpy(self.challenged).to(lived.acts.device))


@usual_torch()
@threads_of_torch(1)
def diagnose_run(
    run: Path,
    episodes: int = 1_000,
    retrain: int = 2_000,
    seed: int = 0,
    *,
    population: Path | None = None,
) -> Diagnosis:
    """Plays a trained leader, sampled, in games that training did not see; where followers learned, challenges them.

    Args:
        run: a directory that ``paymaster train`` has written.
        episodes: E, of each evaluation; the same games each time.
        retrain: episodes that challengers learn from, starting as the followers are.
        seed: of games and draws.
        population: another run directory, whose followers play.

    Raises:
        ValueError: not a run, fewer than two episodes, a negative number to retrain on, followers that do not fit.
    """
    if episodes < 2:
        raise ValueError(f"episodes: expected at least 2, got {episodes}")
    if retrain < 0:
        raise ValueError(f"retrain: expected at least 0, got {retrain}")
    env, leader = open_run(run, episodes, evaluation_seed(seed), population=population)
    if not isinstance(env, TwoPhaseVectorEnv) or not isinstance(env.answering, LearningFollowers):
        return _described(run, env, *_play(env, leader, seed))
    seats = _Seats(env, _challengers(run, _learned(env).followers, retrain, seed, population))
    start = env.snapshot()

    def earned(challenged: NDArray[np.bool_]) -> tuple[NDArray[np.float64], Episodes, EpisodeTotals]:
        env.restore(start)
        seats.start(challenged, seed)
        played, totals = _play(env, leader, seed)
        return seats.earnings, played, totals

    nobody = np.zeros((episodes, env.num_followers), dtype=np.bool_)
    before, played, totals = earned(nobody)
    one = _one_seat(nobody.shape)
    after, _, _ = earned(one)
    _, _, against_all = earned(~nobody)
    return replace(
        _described(run, env, played, totals),
        retrained=retrain,
        regret=mean_ci95((after - before)[one]),
        loss=mean_ci95(totals.returns - against_all.returns),
    )


def _challengers(
    run: Path, usual: FollowerAlgorithm, retrain: int, seed: int, population: Path | None
) -> FollowerAlgorithm:
    """Followers that have gone on learning, each against the leader and the other followers as they are."""
    env, leader = open_run(run, _GAMES, evaluation_seed(seed) + _CHALLENGERS, population=population)
    assert isinstance(env, TwoPhaseVectorEnv)
    challengers = usual.twin()
    seats = _Seats(env, challengers)
    seats.explore, seats.keep = usual.config.explore, True
    for done in range(0, retrain, _GAMES):
        seats.start(_one_seat((_GAMES, env.num_followers), done // _GAMES), seed + _CHALLENGERS + done)
        _play(env, leader, seed + _CHALLENGERS + done)
        challengers.update(seats.lived())
    return challengers


def _one_seat(shape: tuple[int, int], first: int = 0) -> NDArray[np.bool_]:
    """One seat a game [B, N], the next one in the next game."""
    games, seats = np.indices(shape)
    challenged: NDArray[np.bool_] = seats == (games + first) % shape[1]
    return challenged


def _learned(env: TwoPhaseVectorEnv) -> LearningFollowers:
    assert isinstance(env.answering, LearningFollowers)  # open_run has seated them
    return env.answering


def _play(env: LeaderVectorEnv, leader: LeaderAlgorithm, seed: int) -> tuple[Episodes, EpisodeTotals]:
    played, totals = Rollout(env, leader, torch.Generator(leader.device).manual_seed(seed)).play()
    assert played is not None
    return played.to("cpu"), totals


def _described(run: Path, env: LeaderVectorEnv, played: Episodes, totals: EpisodeTotals) -> Diagnosis:
    """Without challengers."""
    completed = int(totals.completions.sum())
    return Diagnosis(
        task=env.task,
        leader=str(run),
        followers=env.parameters["followers"],
        episodes=env.num_envs,
        retrained=0,
        gain=mean_ci95(totals.gain),
        follower_reward=mean_ci95(totals.follower_reward / env.num_followers),
        spend=float(totals.payments.sum() / completed) if completed else float("nan"),
        acceptance=acceptance_of(played),
        incentive=mean_ci95(totals.incentive / env.num_followers),
        regret=None,
        loss=None,
    )
