"""Stable-Baselines3's PPO trains a follower; the leader is fixed, and the other followers decide by rule.

    pip install 'paymaster[sb3]'
    python docs/examples/sb3_follower.py

The follower earns the bonuses that it is paid, and its reservation for each goal of the type that it prefers.
"""

from __future__ import annotations

import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env

from paymaster.integrations import FollowerEnv

TASK, LEADER, MEMBER = "resource_collection", "full_information", 3


def mean_reward(model: PPO, episodes: int) -> float:
    """What the member earns in an episode, in games that it has not been trained on."""
    env = FollowerEnv(TASK, LEADER, MEMBER, seed=1_000)
    rewards = []
    for _ in range(episodes):
        observation, _ = env.reset()
        total, over = 0.0, False
        while not over:
            action, _ = model.predict(observation)
            observation, reward, over, _, _ = env.step(action)
            total += reward
        rewards.append(total)
    return float(np.mean(rewards))


def main(steps: int = 30_000, episodes: int = 300) -> tuple[float, float]:
    # SB3 gives every copy a seed of its own (0, 1, ...), so that runs repeat.
    games = make_vec_env(FollowerEnv, n_envs=8, seed=0, env_kwargs={"task": TASK, "leader": LEADER, "member": MEMBER})
    model = PPO("MlpPolicy", games, n_steps=120, batch_size=240, gamma=1.0, seed=0, device="cpu")
    before = mean_reward(model, episodes)
    model.learn(steps)
    after = mean_reward(model, episodes)
    print(f"reward of member {MEMBER}: {before:.2f} before training, {after:.2f} after")
    return before, after


if __name__ == "__main__":
    main()
