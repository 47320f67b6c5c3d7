"""A map of your own: text, '#' for wall and '.' for free, closed by wall.

    python docs/examples/custom_map.py

Plays 200 games in two rooms with a door between them, with the leader that sees everything and the one that offers
at random, and draws one of the games.
"""

from __future__ import annotations

import paymaster
from paymaster.scripted import make_scripted

ROOMS = """
#############
#.....#.....#
#.....#.....#
#...........#
#.....#.....#
#.....#.....#
#############
"""


def gain(leader_name: str, games: int) -> float:
    """The leader's mean return."""
    env = paymaster.make_vec("resource_collection", games, seed=1, autoreset_mode="Disabled", map=ROOMS)
    leader = make_scripted(leader_name)
    observation, _ = env.reset()
    leader.start(env)
    terminated = [False]
    while not all(terminated):
        observation, _, terminated, _, info = env.step(leader.offers(env, observation))
    return float(info["totals"]["gain"].mean())


def main(games: int = 200) -> None:
    for name in ("random", "full_information"):
        print(f"{name}: {gain(name, games):.1f}")
    env = paymaster.make("resource_collection", seed=1, map=ROOMS, render_mode="ansi")
    env.reset(seed=1)
    print(env.render())


if __name__ == "__main__":
    main()
