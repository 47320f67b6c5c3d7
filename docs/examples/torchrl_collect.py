"""TorchRL collects from the whole game: a leader and its followers, each with a network of its own.

    pip install 'paymaster[torchrl]'
    python docs/examples/torchrl_collect.py

In the parallel form a step of the game takes two of the environment's, the leader's and the followers'. ``acts`` says
whose action counted: learn from these steps only. The policies here are untrained.
"""

from __future__ import annotations

import torch
from tensordict import TensorDict
from tensordict.nn import TensorDictModule, TensorDictSequential
from torch import nn
from torchrl.collectors import Collector
from torchrl.envs import PettingZooWrapper

from paymaster import integrations


class Draws(nn.Module):
    """Draws an action from the logits of a small network; several numbers where the action is a vector of them."""

    def __init__(self, features: int, choices: list[int]) -> None:
        super().__init__()
        self.choices = choices
        self.network = nn.Sequential(nn.Linear(features, 32), nn.Tanh(), nn.Linear(32, sum(choices)))

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        parts = self.network(observation).split(self.choices, dim=-1)
        drawn = [torch.distributions.Categorical(logits=logits).sample() for logits in parts]
        return torch.stack(drawn, dim=-1) if len(drawn) > 1 else drawn[0]


def main(frames: int = 1_200) -> TensorDict:
    torch.manual_seed(0)
    game = integrations.parallel_env("resource_collection")
    env = PettingZooWrapper(game)  # groups "leader" and "follower"
    policies = []
    for group, agent in (("leader", "leader"), ("follower", "follower_0")):
        space = game.action_space(agent)
        choices = space.nvec.tolist() if agent == "leader" else [int(space.n)]
        network = Draws(game.observation_space(agent).shape[0], choices)
        policies.append(TensorDictModule(network, [(group, "observation")], [(group, "action")]))
    collector = Collector(
        env,
        TensorDictSequential(*policies),
        frames_per_batch=frames // 4,
        total_frames=frames,
        auto_register_policy_transforms=True,
    )
    batches = list(collector)
    collector.shutdown()
    data = torch.cat(batches)
    for group in ("leader", "follower"):
        acts = data[group, "info", "acts"].bool()
        reward = data["next", group, "reward"].sum().item()
        print(f"{group}: {int(acts.sum())} decisions of {acts.numel()}, reward {reward:.0f}")
    return data


if __name__ == "__main__":
    main()
