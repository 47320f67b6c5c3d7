"""PettingZoo, where it is installed, and the games' names in its registry.

Importing this module registers them: ``paymaster/Navigation-v0`` for the whole game ("aec" and "parallel"),
``paymaster/NavigationFollowers-v0`` for its followers ("parallel"), and so on for every task.
"""

from __future__ import annotations

try:
    import pettingzoo
    from pettingzoo import AECEnv, ParallelEnv
except ImportError as error:
    raise ImportError(
        f"PettingZoo could not be loaded ({error}), and this view needs it: pip install 'paymaster[pettingzoo]'"
    ) from error

from paymaster.worlds.gymnasium_names import ids, register_with

__all__ = ["AECEnv", "ParallelEnv"]


_KINDS = (
    ("aec", "", "paymaster.integrations.aec:GameAECEnv"),
    ("parallel", "", "paymaster.integrations.parallel:GameParallelEnv"),
    ("parallel", "Followers", "paymaster.integrations.followers:FollowersParallelEnv"),
)
_REGISTRIES = {"aec": pettingzoo.aec_registry, "parallel": pettingzoo.parallel_registry}


def _register() -> None:
    for kind, suffix, entry_point in _KINDS:
        for task, name in ids(suffix).items():
            if name not in _REGISTRIES[kind]:
                pettingzoo.register(kind, name, entry_point, kwargs={"task": task})


register_with(_register)
