"""A leader of your own in this package's training loop: checkpoints, metrics and resuming come with it.

    python docs/examples/own_leader.py

The leader is a class with the methods of ``paymaster.algorithms.protocol.LeaderAlgorithm``. This one makes a new offer
to every follower at every step, by a small network that is the same for all of them, and learns by REINFORCE with a
baseline. Its gain comes to 18.7; offers at random gain 4.7, the leader that sees everything 18.1.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.protocol import Insight, LeaderInput, LeaderStep
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.features.leader import FeatureEncoder
from paymaster.training.config import TrainConfig
from paymaster.training.train import train


class OwnLeader:
    """REINFORCE, an offer a step. Letters as everywhere: B games, N followers, G goal types, K bonus levels."""

    device = torch.device("cpu")

    def __init__(self, config: TrainConfig, env: LeaderVectorEnv) -> None:
        encoder, goals, bonuses = FeatureEncoder(env), env.parameters["num_goals"], env.parameters["num_bonuses"]
        torch.manual_seed(config.seed)
        features = encoder.follower_features + goals * encoder.goal_features
        self.network = nn.Sequential(nn.Linear(features, 64), nn.Tanh(), nn.Linear(64, goals * bonuses))
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=3e-3)

    def _logits(self, follower: Tensor, goal: Tensor) -> Tensor:
        """Of the flat offers g K + b, [..., N, G K]."""
        logits: Tensor = self.network(torch.cat((follower, goal.flatten(-2)), dim=-1))
        return logits

    def initial_state(self, num_games: int, num_followers: int) -> None:
        """It remembers nothing."""

    @torch.no_grad()
    def act(
        self,
        seen: LeaderInput,
        state: Any,
        *,
        explore: float = 0.0,
        generator: torch.Generator | None = None,
        greedy: bool = False,
    ) -> LeaderStep:
        share = torch.softmax(self._logits(seen.follower, seen.goal), dim=-1)
        if greedy:
            return LeaderStep(share.argmax(-1), state)
        drawn = torch.multinomial(share.flatten(0, -2), 1, generator=generator)
        return LeaderStep(drawn.view(share.shape[:-1]), state)

    def update(self, episodes: Episodes, progress: float = 0.0) -> dict[str, float]:
        """Each follower's offers are judged by what came of them: w - payments from then on."""
        worth = episodes.goal_reward[0] * (episodes.completed >= 0) - episodes.payment  # [T, B, N]
        to_come = worth.flip(0).cumsum(0).flip(0)
        advantage = to_come - to_come.mean(dim=(1, 2), keepdim=True)
        logs = torch.log_softmax(self._logits(episodes.follower, episodes.goal), dim=-1)
        chosen = logs.gather(-1, episodes.offer.unsqueeze(-1)).squeeze(-1)
        entropy = -(logs.exp() * logs).sum(-1)
        played = episodes.valid.unsqueeze(-1)
        loss = -((chosen * advantage + 0.02 * entropy) * played).sum() / played.sum()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": loss.item(), "entropy": (entropy * played).mean().item()}

    def inspect(self, episodes: Episodes) -> Insight:
        """Nothing to show."""
        return Insight(None, None, None, None)

    def exploration_rate(self, episodes_done: int) -> float:
        """It explores by drawing."""
        return 0.0

    def modules(self) -> dict[str, nn.Module]:
        return {"network": self.network}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"adam": self.optimizer}


def main(episodes: int = 6_000, out: Path | None = None) -> list[float]:
    with tempfile.TemporaryDirectory() as scratch:
        run = out or Path(scratch) / "run"
        train(TrainConfig("resource_collection", episodes=episodes, num_envs=32), run, leader=OwnLeader)
        rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    gains = [row["gain"] for row in rows]
    tenth = max(len(gains) // 10, 1)
    print(f"gain: {sum(gains[:tenth]) / tenth:.2f} at first, {sum(gains[-tenth:]) / tenth:.2f} in the end")
    return gains


if __name__ == "__main__":
    main()
