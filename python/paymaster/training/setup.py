"""From a configuration to the objects of a run: games, leader, followers that learn."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import torch

from paymaster.algorithms import EBPG, OriginalLeader, leader_kind
from paymaster.algorithms.field import FieldLeader, OfferSpace, make_field_leader
from paymaster.algorithms.followers import FollowerActorCritic, FollowerAlgorithm
from paymaster.algorithms.process_group import Ranks
from paymaster.algorithms.protocol import LeaderAlgorithm
from paymaster.algorithms.q_learning import QFollowers
from paymaster.envs.tasks import make_vec
from paymaster.envs.two_phase import TwoPhaseVectorEnv
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.features.leader import FeatureEncoder
from paymaster.features.performance import PerformanceFeatureEncoder
from paymaster.features.planes import PlaneEncoder
from paymaster.networks.leader import LeaderConfig
from paymaster.networks.plane_leader import PlaneLeaderConfig
from paymaster.play.learning_followers import FollowerEncoder, LearningFollowers, TableEncoder
from paymaster.storage.run_config import CONFIG, read_config
from paymaster.training.config import A_BATCH, TrainConfig
from paymaster.training.cores import available_cores
from paymaster.training.followers import check_followers, in_games
from paymaster.training.own_parts import check_games, make_own_leader, seat_own_followers
from paymaster.validation.imports import imported, is_import_path
from paymaster.worlds.registration import find, rules_of

__all__ = [
    "choose_device",
    "followers_generator",
    "learns_on",
    "make_env",
    "make_followers",
    "make_games",
    "make_leader",
    "make_rank_env",
    "stored_config",
]

# Up to so many, a step is shorter than the leader's decision before it, and waking threads for it gains nothing; with
# other runs on the same cores it took ten times as long.
_GAMES_OF_ONE_THREAD = 256
_FOLLOWERS = 2_000_000_011  # added to the seed of a run for its followers' draws


def stored_config(run: Path) -> TrainConfig:
    """The configuration of the run in a directory. Warns where the rules of its world are no longer those it was
    trained with.

    Raises:
        RunDirectoryError: there is no run, or its `config.json` is damaged.
        ValueError: it holds something that is no configuration of a run; names the field.
    """
    config = TrainConfig.from_json(read_config(run), str(run / CONFIG), "config")
    try:
        config.validate()
    except ValueError as error:
        raise ValueError(f"{run / CONFIG}: config.{error}") from None
    now = rules_of(config.task)
    if config.defined_as is not None and now and config.rules != now:
        warnings.warn(
            f"{run}: expected the rules of {config.defined_as.task} as the run was trained with, got a class that has "
            "changed since: results from before and after do not compare",
            stacklevel=3,
        )
    return config


def choose_device(name: str) -> torch.device:
    """The device of that name; "auto" is CUDA where there is one. Raises ValueError where it cannot be had."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not re.fullmatch(r"cpu|cuda(:[0-9]{1,3})?", name):
        raise ValueError(f"device: expected 'auto', 'cpu', 'cuda' or 'cuda:N', got {name!r:.80}")
    device = torch.device(name)
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == "cuda" and (device.index or 0) >= there:
        raise ValueError(
            f"device: expected one this machine has, got {name!r:.80}, but torch sees {there or 'no'} CUDA devices"
        )
    return device


def learns_on(leader: str) -> bool:
    """Whether the statistics go on while a leader of that name is evaluated, as M3RL tests its own."""
    return leader_kind(leader).inputs == "planes"


def make_env(config: TrainConfig, num_envs: int, seed: int, processes: int = 1, **overrides: Any) -> LeaderVectorEnv:
    """A batch of the run's games for whole episodes: a finished game waits for the others.

    Args:
        config: of the run.
        num_envs: B.
        seed: of the games.
        processes: that share this machine's cores.
        overrides: further arguments and parameters of :func:`~paymaster.make_vec`.
    """
    parameters = {"observe_routes": config.observe_routes, **config.parameters, **overrides}
    threads = max(1, available_cores() // processes) if num_envs > _GAMES_OF_ONE_THREAD else 1
    games = make_games(config.task, num_envs, seed, threads, env=config.env, copy=False, **parameters)
    if config.performance_history or leader_kind(config.leader).inputs == "planes":
        games.statistics.keep_performance()
    return games


def make_games(
    task: str, num_envs: int, seed: int, num_threads: int = 0, *, env: str | None = None, **parameters: Any
) -> LeaderVectorEnv:
    """Make a batch for whole episodes, in which a rule of one's own sits where ``followers`` names one.

    Args:
        task, num_envs, seed, num_threads, parameters: of :func:`~paymaster.make_vec`; ``followers`` may be any name.
        env: import path of what makes the games in place of :func:`~paymaster.make_vec`.

    Raises:
        ValueError: of the games; an import path that cannot be imported; ``env`` makes other games than asked for.
        TypeError: ``env`` makes no batch of games.
    """
    followers = parameters.get("followers")
    if isinstance(followers, str):
        check_followers(followers)
    arguments: dict[str, Any] = {"autoreset_mode": "Disabled", **in_games(parameters)}
    if env is None:
        games = make_vec(task, num_envs, seed, num_threads, **arguments)
    elif env == A_BATCH:
        raise ValueError(
            "env: expected a function that makes the games again, got a run that was trained in a batch; name a "
            "function as its env to train runs that can be evaluated, or give the batch to resume it"
        )
    else:
        games = imported("env", env, "function")(num_envs, seed, num_threads, **arguments)
    check_games(games, find(task), num_envs, followers)
    if isinstance(followers, str) and is_import_path(followers):
        seat_own_followers(games, followers)
    return games


def make_rank_env(config: TrainConfig, ranks: Ranks) -> LeaderVectorEnv:
    """The games of a job that this rank plays: with any number of ranks together the same.

    Raises:
        ValueError: a number of games that cannot be shared out evenly.
    """
    if config.num_envs % ranks.size:
        raise ValueError(
            f"num_envs: expected a multiple of the {ranks.size} ranks, each of which plays as many games, got "
            f"{config.num_envs}"
        )
    games = config.num_envs // ranks.size
    return make_env(config, games, config.seed, ranks.local_size, first_index=ranks.rank * games)


def make_leader(config: TrainConfig, env: LeaderVectorEnv) -> LeaderAlgorithm:
    """The run's leader with initial weights, sized for ``env``.

    One of your own is ``Class(config, env)``; a scripted one is made as :func:`paymaster.scripted.make_scripted` does.

    Raises:
        ValueError: a class that cannot be imported, or that does not have the performance history that the run has;
            ``near_goals`` with goal types that share no weights. TypeError: it makes no leader.
    """
    if is_import_path(config.leader):
        return _own_leader(config, env)
    if leader_kind(config.leader).inputs == "planes":
        return _leader_on_planes(config, env)
    if leader_kind(config.leader).field is not None:
        return _leader_of_the_field(config, env)
    encoder = PerformanceFeatureEncoder(env) if config.performance_history else FeatureEncoder(env)
    sizes = LeaderConfig(
        num_goals=env.parameters["num_goals"],
        num_bonuses=env.parameters["num_bonuses"],
        num_actions=env.num_actions,
        follower_features=encoder.follower_features,
        goal_features=encoder.goal_features,
        abstain=env.parameters["abstain"],
        near_goals=encoder.near_goals,
        hidden=config.hidden,
        shared_goal_weights=config.shared_goal_weights,
        other_rewards=env.own_objective,
        termination_start=config.learner.termination_start,
    )
    network = leader_kind(config.leader).sized(sizes)
    history = {"performance_history": config.performance_history}
    return EBPG(network, config.learner, choose_device(config.device), config.seed, **history)


def _own_leader(config: TrainConfig, env: LeaderVectorEnv) -> LeaderAlgorithm:
    leader = make_own_leader(config, env)
    if config.performance_history and not getattr(leader, "performance_history", False):
        raise ValueError(
            "performance_history: expected it of your own leader only with an attribute performance_history that is "
            f"true, by which its features have it, got {config.leader!r:.80} without"
        )
    return leader


def _leader_of_the_field(config: TrainConfig, env: LeaderVectorEnv) -> FieldLeader:
    name = leader_kind(config.leader).field
    assert name is not None
    if config.performance_history:
        raise ValueError(f"performance_history: expected it only with a leader that has networks, got {config.leader}")
    parameters = env.parameters

    def space(*, all_goals: bool) -> OfferSpace:
        encoder = FeatureEncoder(env, all_goals=all_goals)
        return OfferSpace(
            num_goals=parameters["num_goals"],
            num_bonuses=parameters["num_bonuses"],
            candidates=encoder.candidates,
            abstain=parameters["abstain"],
            follower_features=encoder.follower_features,
            goal_features=encoder.goal_features,
            goal_reward=torch.tensor(env.goal_reward),
            price=torch.tensor(env.prices),
        )

    return make_field_leader(name, space, config.bandit, config.bayes, config.designer, config.seed)


def _leader_on_planes(config: TrainConfig, env: LeaderVectorEnv) -> OriginalLeader:
    if env.own_objective:
        raise ValueError(
            f"leader: expected another than {config.leader}, which knows w and prices alone, in a game with "
            "an objective of its own"
        )
    encoder, parameters = PlaneEncoder(env, see_others=config.original.see_others), env.parameters
    sizes = PlaneLeaderConfig(
        num_goals=parameters["num_goals"],
        num_bonuses=parameters["num_bonuses"],
        num_actions=env.num_actions,
        horizon=parameters["horizon"],
        rows=encoder.rows,
        columns=encoder.columns,
        cell_planes=encoder.cell_planes,
        constant_planes=encoder.constant_planes,
        termination_start=config.learner.termination_start,
    )
    network, people = leader_kind(config.leader).sized(sizes), parameters["population_size"]
    return OriginalLeader(network, config.learner, config.original, people, choose_device(config.device), config.seed)


def make_followers(config: TrainConfig, env: LeaderVectorEnv) -> LearningFollowers | None:
    """The run's followers that learn, with initial weights, seated in ``env``; None where they decide by rule."""
    if not isinstance(env, TwoPhaseVectorEnv) or not config.followers_learn:
        return None
    followers: FollowerAlgorithm
    if config.followers == "q":
        followers = QFollowers(TableEncoder(env).sizes(), config.q_learner)
    else:
        device, learning = choose_device(config.device), config.follower_learner
        network = FollowerEncoder(env, device).config(learning.hidden, learning.identities)
        followers = FollowerActorCritic(network, learning, device, config.seed)
    # Not the leader's generator, nor its seed: what followers draw must not depend on how much the leader does.
    return LearningFollowers(env, followers, followers_generator(followers, config.seed))


def followers_generator(followers: FollowerAlgorithm, seed: int) -> torch.Generator:
    """Return the generator of the followers' draws in games of that seed."""
    return torch.Generator(followers.device).manual_seed(seed + _FOLLOWERS)
