"""A task of your own, without C++: a preset with other parameters and population, and an id in Gymnasium's registry.

    python docs/examples/custom_task.py

Couriers: eight bodies in the plane, three kinds of parcel, three bonus levels. Half of the couriers can carry only what
they like, the other half like what they cannot carry, and only the leader's bonus moves them. Paid in advance.
"""

from __future__ import annotations

import gymnasium
import numpy as np

from paymaster.scripted import make_scripted

COURIERS, KINDS = 20, 3


def population() -> dict[str, np.ndarray]:
    """skill bool[P, G], preference int[P], reservation float[P]."""
    likes = np.arange(COURIERS) % KINDS
    specialist = np.arange(COURIERS) < COURIERS // 2
    likes_it = np.arange(KINDS) == likes[:, None]
    return {
        "skill": np.where(specialist[:, None], likes_it, ~likes_it),
        "preference": likes,
        "reservation": np.where(specialist, 1.0, 1.5).astype(np.float32),
    }


PARAMETERS = {
    "num_followers": 8,
    "num_targets": 10,
    "num_goals": KINDS,
    "num_bonuses": 3,
    "horizon": 80,
    "payment": "advance",
    "abstain": True,
    "population": population(),
}


def main(games: int = 200) -> None:
    gymnasium.register(
        "Couriers-v0",
        "paymaster:make",
        vector_entry_point="paymaster:make_vec",
        kwargs={"task": "navigation", **PARAMETERS},
    )
    print(gymnasium.make("Couriers-v0").action_space)
    for name in ("random", "preference", "full_information"):
        env = gymnasium.make_vec("Couriers-v0", games, seed=2, autoreset_mode="Disabled")
        leader = make_scripted(name)
        observation, _ = env.reset()
        leader.start(env)
        terminated = np.zeros(games, dtype=bool)
        while not terminated.all():
            observation, _, terminated, _, info = env.step(leader.offers(env, observation))
        totals = info["totals"]
        print(f"{name}: gain {totals['gain'].mean():.1f}, bonuses paid {totals['payments'].mean():.1f}")


if __name__ == "__main__":
    main()
