"""Is it an equilibrium? What a Stackelberg game's followers could gain by answering better, and what that costs.

The leader of a run is frozen, and so are its followers. Beside each follower a challenger with its traits learns a best
response: it takes the follower's seat in games in which all other seats hold the followers as they are. What it then
earns more is the follower's *regret*; what the leader gains less when challengers take all seats is what it owes to
followers that had not finished learning.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.followers import FollowerActorCritic, FollowerEpisodes, FollowerInput
from paymaster.algorithms.protocol import LeaderAlgorithm
from paymaster.analysis.intervals import Interval, mean_ci95
from paymaster.analysis.open_run import open_run
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.envs.vector import LeaderVectorEnv, Observation
from paymaster.networks.torch_defaults import threads_of_torch, usual_torch
from paymaster.play.episode import EpisodeTotals
from paymaster.play.learning_followers import FollowerEncoder, LearningFollowers
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
        followers: "rule", "meta" or "primitive".
        episodes: E.
        retrained: episodes that challengers learned from; 0 where followers decide by rule.
        gain: of the leader.
        follower_reward: of one follower.
        spend: payments by completed contract, over all episodes; nan without one.
        acceptance: share of the steps with an offer of each bonus level whose follower was committed to it [K].
        incentive: bonuses for completed contracts, of one follower.
        regret: what a challenger earns more than the follower in whose seat it is, the others as they are; None where
            followers decide by rule.
        loss: what the leader gains less when challengers take all seats; None likewise.
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

        def plain(value: Any) -> Any:
            if isinstance(value, Interval):
                return value.to_json()
            if isinstance(value, np.ndarray):
                return [plain(part) for part in value.tolist()]
            return None if isinstance(value, float) and np.isnan(value) else value

        return {name: plain(value) for name, value in vars(self).items()}


class _Seats:
    """Followers as they are in some seats, challengers in the others (:class:`paymaster.envs.two_phase.Answering`).

    Both draw for every seat, each with a generator of its own, so that games with and without challengers are the same
    games with the same draws up to the first answer that differs.
    """

    def __init__(self, env: TwoPhaseVectorEnv, usual: FollowerActorCritic, challengers: FollowerActorCritic) -> None:
        self.usual, self.challengers = usual, challengers
        self.challenged = np.zeros((env.num_envs, env.num_followers), dtype=np.bool_)
        self.explore, self.keep = 0.0, False
        self._encoder = FollowerEncoder(env, usual.device)
        self._generators = [torch.Generator(usual.device) for _ in range(2)]
        self._actors = usual.actor(), challengers.actor()
        self._steps: list[tuple[FollowerInput, Tensor, Tensor]] = []
        self.earnings: list[NDArray[np.float32]] = []  # [B, N] a step
        env.answering = self

    def start(self, seed: int) -> None:
        """A new batch of episodes, with draws of this seed."""
        for generator in self._generators:
            generator.manual_seed(seed)
        self._steps, self.earnings = [], []
        self._actors = self.usual.actor(), self.challengers.actor()

    def answer(self, observation: Observation) -> NDArray[np.int64]:
        seen = self._encoder.encode(observation)
        usual = self.usual.act(seen, self._actors[0], generator=self._generators[0])
        better = self.challengers.act(seen, self._actors[1], explore=self.explore, generator=self._generators[1])
        seats = torch.from_numpy(self.challenged).to(usual.device)
        action = torch.where(seats, better, usual)
        if self.keep:
            self._steps.append((seen, action, seats & torch.from_numpy(observation["acts"].copy()).to(usual.device)))
        answered: NDArray[np.int64] = action.cpu().numpy()
        return answered

    def earned(self, reward: NDArray[np.float32]) -> None:
        self.earnings.append(reward.copy())

    def lived(self) -> FollowerEpisodes:
        """What the challengers lived through since :meth:`start`."""
        seen, action, acts = zip(*self._steps, strict=True)
        return FollowerEpisodes(
            own=torch.stack([one.own for one in seen]),
            goal=torch.stack([one.goal for one in seen]),
            identity=seen[0].identity,
            action=torch.stack(action),
            reward=torch.from_numpy(np.stack(self.earnings)).to(self.usual.device),
            acts=torch.stack(acts),
            explore=self.explore,
        )


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
    if not isinstance(env, TwoPhaseVectorEnv):
        return _described(run, env, *_play(env, leader, seed), retrained=0, regret=None, loss=None)
    assert isinstance(env.answering, LearningFollowers)
    usual = env.answering.followers
    challengers = _challengers(run, usual, retrain, seed, population)
    start, seats = env.snapshot(), _Seats(env, usual, challengers)

    def earned(challenged: NDArray[np.bool_]) -> tuple[NDArray[np.float64], Episodes, EpisodeTotals]:
        env.restore(start)
        seats.challenged = challenged
        seats.start(seed)
        played, totals = _play(env, leader, seed)
        return np.sum(seats.earnings, axis=0, dtype=np.float64), played, totals

    nobody = np.zeros((episodes, env.num_followers), dtype=np.bool_)
    before, played, totals = earned(nobody)
    one = nobody.copy()
    one[np.arange(episodes), np.arange(episodes) % env.num_followers] = True
    after, _, _ = earned(one)
    _, _, against_all = earned(~nobody)
    return _described(
        run,
        env,
        played,
        totals,
        retrained=retrain,
        regret=mean_ci95((after - before)[one]),
        loss=mean_ci95(totals.gain - against_all.gain),
    )


def _challengers(
    run: Path, usual: FollowerActorCritic, retrain: int, seed: int, population: Path | None
) -> FollowerActorCritic:
    """Followers that have gone on learning, each against the leader and the other followers as they are."""
    env, leader = open_run(run, _GAMES, evaluation_seed(seed) + _CHALLENGERS, population=population)
    assert isinstance(env, TwoPhaseVectorEnv)
    challengers = FollowerActorCritic(usual.network.config, usual.config, usual.device)
    challengers.network.load_state_dict(copy.deepcopy(usual.network.state_dict()))
    seats = _Seats(env, usual, challengers)
    seats.explore, seats.keep = usual.config.explore, True
    for done in range(0, retrain, _GAMES):
        seats.challenged = np.zeros((_GAMES, env.num_followers), dtype=np.bool_)
        seats.challenged[np.arange(_GAMES), (np.arange(_GAMES) + done // _GAMES) % env.num_followers] = True
        seats.start(seed + _CHALLENGERS + done)
        _play(env, leader, seed + _CHALLENGERS + done)
        challengers.update(seats.lived())
    return challengers


def _play(env: LeaderVectorEnv, leader: LeaderAlgorithm, seed: int) -> tuple[Episodes, EpisodeTotals]:
    played, totals = Rollout(env, leader, torch.Generator(leader.device).manual_seed(seed)).play()
    assert played is not None
    return played.to("cpu"), totals


def _described(
    run: Path,
    env: LeaderVectorEnv,
    played: Episodes,
    totals: EpisodeTotals,
    *,
    retrained: int,
    regret: Interval | None,
    loss: Interval | None,
) -> Diagnosis:
    n, bonuses, goals = env.num_followers, env.parameters["num_bonuses"], env.parameters["num_goals"]
    offer = played.offer.numpy()
    offered = played.valid.numpy()[..., None] & (offer >= 0) & (offer < goals * bonuses)
    committed = played.committed.numpy()
    acceptance = [
        float(committed[here].mean()) if (here := offered & (offer % bonuses == level)).any() else float("nan")
        for level in range(bonuses)
    ]
    completed = int(totals.completions.sum())
    return Diagnosis(
        task=env.task,
        leader=str(run),
        followers=env.parameters["followers"],
        episodes=env.num_envs,
        retrained=retrained,
        gain=mean_ci95(totals.gain),
        follower_reward=mean_ci95(totals.follower_reward / n),
        spend=float(totals.payments.sum() / completed) if completed else float("nan"),
        acceptance=np.array(acceptance),
        incentive=mean_ci95(totals.incentive / n),
        regret=regret,
        loss=loss,
    )
