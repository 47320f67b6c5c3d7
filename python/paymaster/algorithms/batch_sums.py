"""What happened in a batch of episodes, as sums, which ranks can add up before they are divided."""

from __future__ import annotations

import torch
from torch import Tensor

from paymaster.algorithms.packed_steps import PackedSteps
from paymaster.networks.leader import LeaderOutput

__all__ = ["describe", "sums_of"]


@torch.no_grad()
def sums_of(steps: PackedSteps, games: int, output: LeaderOutput) -> dict[str, Tensor]:
    """Games, steps of followers, events, right predictions, and beta where it was asked: a sum each, [] or [S].

    Args:
        steps: that were played.
        games: in which; of each seed, where there are several.
        output: of the network at these steps.
    """
    dtype, device = output.log_mu.dtype, output.log_mu.device
    sums = {
        "games": torch.tensor(games, device=device),
        "steps": steps.count,
        "events": steps.total(steps.new_offer),
    }
    if output.prediction_logits is not None:
        right = output.prediction_logits.argmax(-1) == steps.follower_action
        sums["predicted"] = steps.total(right.to(dtype))
    if output.termination_logits is not None:
        asked = steps.previous >= 0
        sums["asked"] = steps.total(asked)
        sums["beta"] = steps.total(torch.where(asked, torch.sigmoid(output.termination_logits), 0.0))
    return sums


def describe(sums: dict[str, Tensor]) -> dict[str, Tensor]:
    """Events per episode, option length, accuracy of the prediction, mean beta; nothing of nothing."""
    if not sums:
        return {}
    events, steps = sums["events"], sums["steps"]
    described = {"events": events / sums["games"], "option_length": events.clamp(min=1).reciprocal() * steps}
    if "predicted" in sums:
        described["prediction_accuracy"] = sums["predicted"] / steps
    if "asked" in sums:
        described["termination"] = sums["beta"] / sums["asked"].clamp(min=1)
    return described
