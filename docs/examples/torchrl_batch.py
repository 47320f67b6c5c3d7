"""TorchRL collects from a whole batch of games, from the leader's side: one crossing into C++ a step.

    pip install 'paymaster[torchrl]'
    python docs/examples/torchrl_batch.py

`GymWrapper` makes a batched environment of `BatchedLeaderVectors`; with `autoreset_mode="Disabled"` TorchRL itself
resets the games that have ended. The policy here is untrained.
"""

from __future__ import annotations

import torch
from tensordict import TensorDict
from tensordict.nn import TensorDictModule
from torch import nn
from torchrl.collectors import Collector
from torchrl.envs import GymWrapper, check_env_specs

import paymaster
from paymaster import integrations

GAMES = 256


class Offers(nn.Module):
    """Draws goal and bonus for each follower from the logits of a small network."""

    def __init__(self, features: int, choices: list[int]) -> None:
        super().__init__()
        self.choices = choices
        self.network = nn.Sequential(nn.Linear(features, 64), nn.Tanh(), nn.Linear(64, sum(choices)))

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        parts = self.network(observation).split(self.choices, dim=-1)
        return torch.stack([torch.distributions.Categorical(logits=part).sample() for part in parts], dim=-1)


def main(steps: int = 30, batches: int = 4) -> TensorDict:
    torch.manual_seed(0)
    games = paymaster.make_vec("resource_collection", GAMES, seed=0, autoreset_mode="Disabled")
    vectors = integrations.BatchedLeaderVectors(games)
    env = GymWrapper(vectors, categorical_action_encoding=True)
    check_env_specs(env)
    policy = Offers(vectors.single_observation_space.shape[0], vectors.single_action_space.nvec.tolist())
    collector = Collector(
        env,
        TensorDictModule(policy, ["observation"], ["action"]),
        frames_per_batch=steps * GAMES,
        total_frames=batches * steps * GAMES,
        auto_register_policy_transforms=True,
    )
    data = torch.cat(list(collector), dim=1)  # [games, steps]
    collector.shutdown()
    ended = data["next", "done"].sum().item()
    print(f"{data.numel():,} steps of {GAMES} games, {ended} of them ended an episode")
    print(f"{data['next', 'reward'].sum().item() / ended:.1f} gained an episode, by offers at random")
    return data


if __name__ == "__main__":
    main()
