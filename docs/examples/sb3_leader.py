"""Stable-Baselines3's PPO trains the leader on a whole batch of games, which is one `VecEnv`.

    pip install 'paymaster[sb3]'
    python docs/examples/sb3_leader.py

The games share one history of followers. Copies of single games in a `DummyVecEnv` would have one each, and train more
slowly. `paymaster train` learns more in a second than this in minutes (docs/performance.md).
"""

from __future__ import annotations

from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy

from paymaster import integrations

TASK, PAYMENT = "resource_collection", "completion"


def main(steps: int = 1_000_000, games: int = 512, episodes: int = 512) -> tuple[float, float]:
    env = integrations.sb3_vec_env(TASK, games, seed=0, payment=PAYMENT)
    unseen = integrations.sb3_vec_env(TASK, games, seed=1_000_000, payment=PAYMENT)
    model = PPO("MlpPolicy", env, n_steps=16, batch_size=4 * games, n_epochs=4, gamma=1.0, seed=0, device="cpu")
    before, _ = evaluate_policy(model, unseen, episodes, deterministic=False)
    model.learn(steps)
    unseen.games.statistics.set(**env.games.statistics.arrays())  # the leader knows its followers
    after, _ = evaluate_policy(model, unseen, episodes, deterministic=False)
    print(f"gain on games of other seeds: {before:.2f} before training, {after:.2f} after")
    return float(before), float(after)


if __name__ == "__main__":
    main()
