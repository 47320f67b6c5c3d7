"""How well a leader does: episodes it was not trained on, means with 95 % intervals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from paymaster.algorithms.followers import FollowerAlgorithm
from paymaster.analysis.intervals import Interval, mean_ci95
from paymaster.analysis.open_run import (
    bring_population,
    check_room,
    naming_the_population,
    open_run,
    population_parameters,
    seat_followers,
)
from paymaster.envs.replacement import Replacement
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.exact import upper_bound
from paymaster.networks.torch_defaults import threads_of_torch, usual_torch
from paymaster.play.episode import play_to_end
from paymaster.play.learning_followers import LearningFollowers
from paymaster.play.network_leader import NetworkLeader
from paymaster.scripted import Leader, make_scripted
from paymaster.training.seeds import evaluation_seed
from paymaster.training.setup import learns_on, make_games, stored_config

__all__ = ["Evaluation", "evaluate_bound", "evaluate_run", "evaluate_scripted"]

_GAMES = 250  # played at once
_GAMES_OF_STRANGERS = 10


@dataclass(frozen=True)
class Evaluation:
    """One value an episode, E episodes; rewards, payments and bonuses in the leader's units of reward.

    Attributes:
        leader: its name, or its run directory.
        task: name of the preset.
        gain: revenue less payments, which is the leader's return unless the task has another objective [E].
        payments: bonuses paid [E].
        incentive: bonuses paid for completed contracts [E].
        completions: contracts completed, by goal type [E, G].
        follower_reward: of all followers together [E].
        new_offers: ``|A_T|`` [E].
        option_length: steps an offer lasts, ``N T / |A_T|`` [E].
        objectives: where the leader is rewarded for more than its gain, objective (its return), welfare and, if that is
            among it, equality, each [E].
    """

    leader: str
    task: str
    gain: NDArray[np.floating]
    payments: NDArray[np.floating]
    incentive: NDArray[np.floating]
    completions: NDArray[np.integer]
    follower_reward: NDArray[np.floating]
    new_offers: NDArray[np.integer]
    option_length: NDArray[np.floating]
    objectives: dict[str, NDArray[np.floating]] = field(default_factory=dict)

    @property
    def episodes(self) -> int:
        """E."""
        return len(self.gain)

    @property
    def rewarded(self) -> str:
        """The measure that the leader is rewarded for: "gain", or "objective" where that is another one."""
        return "objective" if "objective" in self.objectives else "gain"

    @property
    def returns(self) -> NDArray[np.floating]:
        """The leader's returns: its gains, or what it was rewarded where it has another objective [E]."""
        return self.objectives.get("objective", self.gain)

    def intervals(self) -> dict[str, Interval]:
        """Mean with 95 % interval of every measure; completions in all and by type."""
        samples = {name: getattr(self, name) for name in ("gain", "payments", "incentive")}
        samples["completions"] = self.completions.sum(axis=-1)
        samples |= {f"completions_{goal}": completed for goal, completed in enumerate(self.completions.T)}
        samples |= {name: getattr(self, name) for name in ("follower_reward", "new_offers", "option_length")}
        samples |= self.objectives
        return {name: mean_ci95(values) for name, values in samples.items()}

    def to_json(self) -> dict[str, Any]:
        """``{"gain": {"mean": ..., "ci95": [low, high]}, ..., "episodes": E}``."""
        measures = {name: interval.to_json() for name, interval in self.intervals().items()}
        return {**measures, "episodes": self.episodes, "leader": self.leader, "task": self.task}


@usual_torch()
@threads_of_torch(1)
def evaluate_scripted(
    name: str,
    task: str,
    episodes: int,
    seed: int = 0,
    parameters: dict[str, Any] | None = None,
    *,
    replacement: Replacement | None = None,
    population: Path | None = None,
    learned: FollowerAlgorithm | None = None,
    beside: Path | None = None,
) -> Evaluation:
    """Evaluates a scripted leader (:data:`paymaster.scripted.SCRIPTED`) on ``task``.

    With a ``replacement`` it plays the games that :func:`evaluate_run` plays with the same one, members and all; with a
    ``population`` against the followers that learned in that run; or against these that have ``learned``. In games
    ``beside`` a run the followers are those who were there when it ended, where they changed while it trained.

    Raises:
        ValueError: an unknown leader, task or option, fewer than one episode, a replacement of nobody, not a run whose
            followers learned, followers that learn without such a run.
    """
    leader = make_scripted(name, seed)
    games = _games_at_once(episodes, strangers=False, replacement=replacement)
    parameters = {**population_parameters(population), **(parameters or {})}
    env = make_games(task, games, evaluation_seed(seed), **parameters)
    check_room(env, population)
    if beside is not None:
        bring_population(env, beside)
    if isinstance(env, TwoPhaseVectorEnv) and env.answering is None:
        if learned is not None:
            LearningFollowers(env, learned, torch.Generator(learned.device).manual_seed(evaluation_seed(seed)))
        elif population is not None:
            with naming_the_population():
                seat_followers(env, population, evaluation_seed(seed))
        else:
            raise ValueError("population: expected a run whose followers learned, since these do, got none")
    env.statistics.frozen = True  # scripted leaders do not use them
    return _collect(name, env, episodes, leader, seed, replacement)


@usual_torch()
@threads_of_torch(1)
def evaluate_run(
    run: Path,
    episodes: int,
    seed: int = 0,
    *,
    greedy: bool = False,
    task: str | None = None,
    parameters: dict[str, Any] | None = None,
    strangers: bool = False,
    replacement: Replacement | None = None,
    population: Path | None = None,
) -> Evaluation:
    """Evaluates the leader of a run directory, on the run's task unless told otherwise; traits stay hidden.

    The history statistics are the training run's, frozen; with a leader as the original had it they go on, as there.
    With ``strangers`` they start empty and fill as the episodes
    go: for followers whom the leader has not met (as M3RL tests generalisation; give another ``population_seed``).
    Fewer games are then played at once, so that what one episode teaches is known in the next. With a ``replacement``
    they start empty as well, and members of the population leave for others as the episodes go.

    Args:
        run: a directory that ``paymaster train`` has written.
        episodes: E.
        seed: of the evaluation's games and the leader's draws; whatever it is, training had other games.
        greedy: the leader's most likely offers instead of a draw, and the likeliest answers of followers that learned.
        task, parameters: where they differ from the run's.
        strangers: the statistics start empty.
        replacement: who leaves and how often; implies ``strangers``.
        population: another run directory, whose followers play; by default the run's own, where they learned.

    Raises:
        ValueError: not a run, a damaged checkpoint, a task whose sizes do not fit the leader, fewer than one episode, a
            replacement of nobody.
    """
    goes_on = learns_on(stored_config(run).leader)
    games = _games_at_once(episodes, strangers=strangers or goes_on, replacement=replacement)
    strangers = strangers or replacement is not None
    env, leader = open_run(
        run,
        games,
        evaluation_seed(seed),
        task=task,
        parameters=parameters,
        population=population,
        strangers=strangers,
    )
    if isinstance(env, TwoPhaseVectorEnv) and isinstance(env.answering, LearningFollowers):
        env.answering.greedy = greedy
    env.statistics.frozen = not (goes_on or strangers)
    generator = torch.Generator(leader.device).manual_seed(evaluation_seed(seed))
    player = NetworkLeader(leader, generator, greedy=greedy)
    return _collect(str(run), env, episodes, player, seed, replacement)


def evaluate_bound(
    task: str,
    episodes: int,
    seed: int = 0,
    parameters: dict[str, Any] | None = None,
    *,
    replacement: Replacement | None = None,
) -> NDArray[np.float64]:
    """Return the upper bound of the gain in each episode that :func:`evaluate_scripted` plays, float64 [E].

    Raises:
        ValueError: an unknown task or option, fewer than one episode, a replacement of nobody, a world without a bound
            (:func:`paymaster.exact.upper_bound`).
    """
    games = _games_at_once(episodes, strangers=False, replacement=replacement)
    env = make_games(task, games, evaluation_seed(seed), **(parameters or {}))
    bounds = []
    for _ in _rounds(env, episodes, seed, replacement):
        env.reset()
        bounds.append(upper_bound(env))
    return np.concatenate(bounds)[:episodes]


def _games_at_once(episodes: int, *, strangers: bool, replacement: Replacement | None) -> int:
    """B. With a replacement whole rounds make up a period, so that it comes between the same episodes for everybody."""
    if episodes < 1:
        raise ValueError(f"episodes: expected at least 1, got {episodes}")
    if replacement is not None:
        return replacement.round_of(min(episodes, _GAMES_OF_STRANGERS))
    return min(episodes, _GAMES_OF_STRANGERS if strangers else _GAMES)


def _rounds(env: LeaderVectorEnv, episodes: int, seed: int, replacement: Replacement | None) -> Iterator[int]:
    """Episodes that have been played before each round of all games, of whose members some have just left."""
    if replacement is not None:
        replacement.check(env.parameters["population_size"])
    for played in range(0, episodes, env.num_envs):
        if replacement is not None and played > 0 and played % replacement.every == 0:
            replacement.apply(env, evaluation_seed(seed), played // replacement.every)
        yield played


def _collect(
    leader: str, env: LeaderVectorEnv, episodes: int, player: Leader, seed: int, replacement: Replacement | None
) -> Evaluation:
    """Plays rounds of all games until there are ``episodes``; the surplus of the last round is dropped by index."""
    rounds = [play_to_end(env, player) for _ in _rounds(env, episodes, seed, replacement)]

    def every(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(totals, name) for totals in rounds])[:episodes]

    names = ("gain", "payments", "incentive", "completions", "follower_reward", "new_offers")
    measures = {name: every(name) for name in names}
    steps = every("length") * env.num_followers
    objectives = {name: every(name) for name in rounds[0].objectives()}
    lengths = steps / measures["new_offers"]
    return Evaluation(leader, env.task, option_length=lengths, objectives=objectives, **measures)
