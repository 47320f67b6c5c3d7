"""RLlib trains on every view of a game; run by check.sh in an environment of RLlib's own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import gymnasium
import ray
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.env.multi_agent_env import MultiAgentEnv
from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv, PettingZooEnv
from ray.tune.registry import register_env

import paymaster
from paymaster import integrations


def policy_of(agent: str, *_: Any, **__: Any) -> str:
    return agent.split("_")[0]


def config_of(make: Callable[[], gymnasium.Env[Any, Any] | MultiAgentEnv], policies: set[str]) -> PPOConfig:
    register_env("game", lambda _: make())
    config = (
        PPOConfig()
        .environment("game")
        .env_runners(num_env_runners=0)
        .learners(num_learners=0)
        .training(train_batch_size_per_learner=300, minibatch_size=150, num_epochs=1)
        .debugging(seed=0)
    )
    return config.multi_agent(policies=policies, policy_mapping_fn=policy_of) if policies else config


def check(name: str, make: Callable[[], Any], policies: set[str]) -> None:
    """One update of every policy, with finite losses; at least one whole episode (AEC: T (N + 1) steps of RLlib's)."""
    algorithm = config_of(make, policies).build_algo()
    result = algorithm.train()
    algorithm.stop()
    for policy in policies or {"default_policy"}:
        loss = result["learners"][policy]["total_loss"]
        assert math.isfinite(loss), (name, policy, loss)
    episodes = result["env_runners"]["num_episodes"]
    assert episodes > 0, name
    print(f"{name}: {int(episodes)} episodes, every policy updated")


def main() -> None:
    ray.init("local", num_cpus=1, include_dashboard=False, log_to_driver=False)  # not one that runs here already
    print(f"ray {ray.__version__}, gymnasium {gymnasium.__version__}")
    for task in ("resource_collection", "navigation"):
        both = {"leader", "follower"}
        check(f"{task}, parallel", lambda: ParallelPettingZooEnv(integrations.parallel_env(task)), both)  # noqa: B023
        check(f"{task}, AEC", lambda: PettingZooEnv(integrations.aec_env(task)), both)  # noqa: B023
        check(f"{task}, followers", lambda: ParallelPettingZooEnv(integrations.followers_env(task)), {"follower"})  # noqa: B023
        check(f"{task}, leader", lambda: integrations.LeaderVectors(paymaster.make(task)), set())  # noqa: B023
        check(f"{task}, follower", lambda: integrations.FollowerEnv(task), set())  # noqa: B023
    print("all passed")


if __name__ == "__main__":
    main()
