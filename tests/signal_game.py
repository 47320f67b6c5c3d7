"""A small game for learners, in tensors alone, which must be solved.

Each follower works for one goal type at a time, and that type changes halfway through the episode; its features mark
it. Offering it completes a contract in every step and costs the level offered; anything else brings nothing. Best is to
follow the mark at the lowest price, which takes knowing the goal's features (policy), when to hold and when to change
(termination), and prices.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from paymaster.algorithms import EBPG, EBPGConfig, LeaderInput
from paymaster.algorithms.advantages import head_prices, reward_counts
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.process import OptionRules
from paymaster.events import extract
from paymaster.features.leader import unflatten_offers
from paymaster.networks import LeaderConfig

T, B, N, G, K, A = 6, 16, 2, 3, 2, 3
WORTH, PRICE = 3.0, torch.tensor([1.0, 3.0])
LEADER = LeaderConfig(num_goals=G, num_bonuses=K, num_actions=A, follower_features=2, goal_features=2, hidden=32)
NO_TERMINATION = replace(LEADER, termination="none")
LEARN = EBPGConfig(explore_episodes=0, learning_rate=3e-3, critic_learning_rate=3e-3, lambda_entropy=0.02)
EVERY_STEP = replace(LEARN, options=OptionRules(interval=1))
NATURAL = replace(LEARN, gradient="sparse", options=OptionRules(expiring=True), epochs=2, entropy_of_decisions=True)


def play(algorithm: EBPG, generator: torch.Generator, greedy: bool = False, explore: float = 0.0) -> Episodes:
    """B episodes of the small game, full length."""
    config = algorithm.network.config
    first = torch.randint(0, config.num_goals, (B, N), generator=generator)
    second = (first + torch.randint(1, max(config.num_goals, 2), (B, N), generator=generator)) % config.num_goals
    state = algorithm.initial_state(B, N)
    previous = torch.full((B, N), -1)
    kinds = torch.arange(config.num_goals)
    steps: list[dict[str, Tensor]] = []
    for t in range(T):
        target = first if t < T // 2 else second
        mark = kinds == target.unsqueeze(-1)
        offered = (kinds == (previous // config.num_bonuses).unsqueeze(-1)) & (previous >= 0).unsqueeze(-1)
        goal = torch.stack((mark, offered), dim=-1).float()
        follower = torch.full((B, N, 2), t / T)
        ended = ~(mark & offered).any(-1)
        seen = LeaderInput(follower, goal, previous, ended, t)
        offer, state, explored, _ = algorithm.act(seen, state, explore=explore, generator=generator, greedy=greedy)
        won = offer // config.num_bonuses == target
        steps.append(
            {
                "follower": follower,
                "goal": goal,
                "previous": previous,
                "offer": offer,
                "expired": ended,
                "explored": torch.zeros_like(ended) if explored is None else explored,
                "follower_action": (mark & offered).any(-1).long(),  # does its last offer suit it now?
                "committed": won,
                "completed": torch.where(won, target, -1),
                "payment": won * PRICE[offer % config.num_bonuses],
            }
        )
        previous = offer
    log = unflatten_offers(torch.stack([step["offer"] for step in steps]).numpy(), config.num_bonuses)
    return Episodes(
        **{name: torch.stack([step[name] for step in steps]) for name in steps[0]},
        new_offer=torch.tensor(extract(log, num_goals=config.num_goals).is_new),
        valid=torch.ones(T, B, dtype=torch.bool),
        goal_reward=torch.full((config.num_goals,), WORTH),
        price=PRICE[: config.num_bonuses],
        explore=explore,
    )


def gain_per_step(episodes: Episodes) -> float:
    """Mean over steps and followers; the best is WORTH - 1."""
    return float((reward_counts(episodes) @ head_prices(episodes)).mean())


def padded(episodes: Episodes, lengths: Tensor, extra: int, seed: int) -> Episodes:
    """The episodes cut to ``lengths`` [B], ``extra`` steps longer, with noise wherever nothing is played."""
    generator = torch.Generator().manual_seed(seed)
    valid = torch.arange(T + extra).unsqueeze(-1) < lengths

    def pad(value: Tensor, low: int, high: int) -> Tensor:
        shape = (T + extra, *value.shape[1:])
        noise = torch.randint(low, high, shape, generator=generator).to(value.dtype)
        full = torch.cat((value, torch.zeros(extra, *value.shape[1:], dtype=value.dtype)))
        return torch.where(valid.view(*valid.shape, *[1] * (value.dim() - 2)), full, noise)

    return replace(
        episodes,
        follower=pad(episodes.follower, -5, 6),
        goal=pad(episodes.goal, -5, 6),
        previous=pad(episodes.previous, -1, G * K),
        offer=pad(episodes.offer, -1, G * K),
        new_offer=pad(episodes.new_offer, 0, 2),
        expired=pad(episodes.expired, 0, 2),
        explored=pad(episodes.explored, 0, 2),
        follower_action=pad(episodes.follower_action, -1, A),
        committed=pad(episodes.committed, 0, 2),
        completed=pad(episodes.completed, -1, G),
        payment=pad(episodes.payment, 0, 4),
        valid=valid,
    )


def hand_made() -> Episodes:
    """Two steps, one game, two followers; w = (5, 4), prices (1, 2)."""
    return Episodes(
        follower=torch.zeros(2, 1, 2, 1),
        goal=torch.zeros(2, 1, 2, 2, 1),
        previous=torch.tensor([[[-1, -1]], [[1, 4]]]),
        offer=torch.tensor([[[1, 4]], [[1, 2]]]),  # (0, dear), none; (0, dear), (1, cheap)
        new_offer=torch.tensor([[[True, True]], [[False, True]]]),
        expired=torch.tensor([[[True, True]], [[False, True]]]),
        explored=torch.zeros(2, 1, 2, dtype=torch.bool),
        follower_action=torch.zeros(2, 1, 2, dtype=torch.int64),
        committed=torch.tensor([[[True, False]], [[True, True]]]),
        completed=torch.tensor([[[-1, -1]], [[0, 1]]]),
        payment=torch.tensor([[[2.0, 0.0]], [[1.0, 1.0]]]),  # the second of follower 0: half the price
        valid=torch.ones(2, 1, dtype=torch.bool),
        goal_reward=torch.tensor([5.0, 4.0]),
        price=torch.tensor([1.0, 2.0]),
    )
