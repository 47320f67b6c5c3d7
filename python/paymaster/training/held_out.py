"""Evaluation while training: how the leader does, as it is, in games that training does not see."""

from __future__ import annotations

import torch

from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.play.episode import play_to_end
from paymaster.play.learning_followers import LearningFollowers
from paymaster.play.network_leader import NetworkLeader
from paymaster.training.config import TrainConfig
from paymaster.training.measures import means_of
from paymaster.training.run_state import RunParts
from paymaster.training.seeds import WHILE_TRAINING, evaluation_seed
from paymaster.training.setup import followers_generator, learns_on, make_env

__all__ = ["HeldOutGames"]

_GAMES = 250  # played at once
_GAMES_THAT_TEACH = 10


class HeldOutGames:
    """The games of an evaluation, the same each time, and nothing that training has a part in.

    Games, draws and the order of play follow from a fixed seed, so an evaluation follows from weights and history
    statistics alone: a resumed run evaluates as an unbroken one, and no number of the training depends on it. With the
    last weights it is what ``evaluate_run(run, episodes, seed=WHILE_TRAINING)`` returns.

    Args:
        config: of the run.
        parts: of the run; they are read, at each evaluation as they are then.
    """

    def __init__(self, config: TrainConfig, parts: RunParts) -> None:
        assert config.evaluate_every is not None
        self._every, self._episodes, self._parts = config.evaluate_every, config.evaluate_episodes, parts
        self._seed = evaluation_seed(WHILE_TRAINING)
        self._frozen = not learns_on(config.leader)
        self._config = config
        self._make(0)

    def _make(self, number: int) -> None:
        """Make the games, of the population behind so many replacements of the training."""
        self._number = number
        games = min(self._episodes, _GAMES if self._frozen else _GAMES_THAT_TEACH)
        self._env = make_env(self._config, games, self._seed)
        if self._config.replacement is not None:
            self._config.replacement.bring(self._env, number)
        self._start = self._env.snapshot()

    def due(self, before: int, done: int) -> bool:
        """Tell whether an evaluation falls between these numbers of episodes."""
        return done // self._every > before // self._every

    def evaluate(self, done: int) -> dict[str, float]:
        """Play the leader, sampled, without exploring, behind ``done`` episodes of training.

        Returns:
            Means per episode, ``evaluation_gain`` and so on.
        """
        replacement = self._config.replacement
        if replacement is not None and (number := replacement.before(done)) != self._number:
            self._make(number)
        parts, env = self._parts, self._env
        env.restore(self._start)
        env.statistics.set(**parts.env.statistics.arrays())
        env.statistics.frozen = self._frozen
        if parts.followers is not None:
            assert isinstance(env, TwoPhaseVectorEnv)  # as the run's own games
            learned = parts.followers.followers
            LearningFollowers(env, learned, followers_generator(learned, self._seed))
        leader = NetworkLeader(parts.leader, torch.Generator(parts.leader.device).manual_seed(self._seed))
        rounds = [play_to_end(env, leader) for _ in range(0, self._episodes, env.num_envs)]
        return {f"evaluation_{name}": value for name, value in means_of(rounds, self._episodes).items()}
