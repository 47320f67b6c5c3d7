"""Followers that learn against a leader that does not."""

from __future__ import annotations

from paymaster.algorithms.followers import FollowerActorCritic
from paymaster.networks.torch_defaults import threads_of_torch, usual_torch
from paymaster.play.episode import play_to_end
from paymaster.scripted import make_reference
from paymaster.training.config import TrainConfig
from paymaster.training.setup import make_env, make_followers

__all__ = ["learn_against"]


@usual_torch()
@threads_of_torch(1)
def learn_against(leader: str, config: TrainConfig) -> FollowerActorCritic:
    """Return followers that have learned, from nothing, in a run's games but under a scripted leader.

    Args:
        leader: its name.
        config: of a run whose followers learn; its leader does not take part.
    """
    env, scripted = make_env(config, config.num_envs, config.seed), make_reference(leader, config.seed)
    followers = make_followers(config, env)
    assert followers is not None
    followers.explore, followers.keep = config.follower_learner.explore, True
    for _ in range(config.updates):
        play_to_end(env, scripted)
        followers.followers.update(followers.lived())
    return followers.followers
