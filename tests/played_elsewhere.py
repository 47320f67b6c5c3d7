"""What is played in other processes, in a module that they import at once: no torch, no tests."""

from typing import Any

__all__ = ["begun", "played"]


def played(env: Any, steps: int = 9) -> list[Any]:
    """The results of random offers, by the environment's own space."""
    return [env.step(env.action_space.sample()) for _ in range(steps)]


def begun(env: Any) -> Any:
    env.action_space.seed(2)
    env.reset()
    played(env, 3)
    return env
