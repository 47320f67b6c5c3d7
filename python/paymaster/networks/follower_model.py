"""Follower-aware module: the action each follower is going to play, learned by imitation."""

from __future__ import annotations

from torch import Tensor, nn

from paymaster.networks.narrow import softmax

__all__ = ["FollowerModel"]


class FollowerModel(nn.Module):
    """p^k(a-hat | s_t, h^k_t), the leader's prediction of follower k's action (paper, Sec. 4.2).

    It is made before the leader's offer of this step, as in the paper, and is trained by the imitation
    loss alone: what lies downstream must take :meth:`predict`, which passes no gradient back.

    Args:
        num_actions: A, number of primitive actions.
        hidden: width H of the state code and of the history.
    """

    def __init__(self, num_actions: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.ReLU(), nn.Linear(hidden, num_actions))

    def forward(self, state_and_history: Tensor) -> Tensor:
        """Maps (s, h) side by side, [..., N, 2H], to logits over the follower's actions, [..., N, A]."""
        logits: Tensor = self.layers(state_and_history)
        return logits

    @staticmethod
    def predict(logits: Tensor) -> Tensor:
        """The predicted action a-hat as probabilities [..., N, A], cut off from the gradient."""
        return softmax(logits.detach())
