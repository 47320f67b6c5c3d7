"""JaxMARL: simple_spread with 4 agents, simple_tag with 4 predators and 1 prey; jit and scan, on the CPU."""

from __future__ import annotations

from typing import Any

import jax
from common import measure, report
from jaxmarl import make

LENGTH = 10
WORLDS: dict[str, dict[str, Any]] = {
    "simple_spread": {"num_agents": 4, "num_landmarks": 4},
    "simple_tag": {"num_good_agents": 1, "num_adversaries": 4, "num_obs": 2},
}


def rates(world: str, games: int) -> dict[str, float]:
    """Of LENGTH steps of random actions of all games, one compiled program."""
    env = make(f"MPE_{world}_v3", **WORLDS[world])

    def one(carry: Any, _: Any) -> Any:
        key, state = carry
        key, for_actions, for_steps = jax.random.split(key, 3)
        keys = jax.random.split(for_actions, games)
        actions = jax.vmap(lambda k: {a: jax.random.randint(k, (), 0, 5) for a in env.agents})(keys)
        observation, state, *_ = jax.vmap(env.step)(jax.random.split(for_steps, games), state, actions)
        return (key, state), jax.tree.map(lambda x: x.sum(), observation)  # so that it is computed

    run = jax.jit(lambda carry: jax.lax.scan(one, carry, None, LENGTH))
    key = jax.random.PRNGKey(0)
    _, state = jax.vmap(env.reset)(jax.random.split(key, games))
    carry = [(key, state)]

    def step() -> None:
        carry[0], sums = run(carry[0])
        jax.block_until_ready((carry[0], sums))

    return {"": measure(step, LENGTH * games)}


if __name__ == "__main__":
    report(rates)
