"""What happened in a batch of episodes, as sums, which ranks can add up before they are divided."""

from __future__ import annotations

import torch
from torch import Tensor

from paymaster.algorithms.packed_steps import PackedSteps
from paymaster.networks.leader import LeaderOutput

__all__ = ["describe", "sums_of"]


@torch.no_grad()
def sums_of(steps: PackedSteps, games: int, output: LeaderOutput) -> dict[str, Tensor]:
    """Games, steps, new offers, right predictions, and beta where an option could end: a sum each, [] or [S].

    Args:
        steps: that were played.
        games: in which; of each seed, where there are several.
        output: of the network at these steps.
    """
    dtype, device = output.log_mu.dtype, output.log_mu.device
    sums = {
        "games": torch.tensor(games, device=device),
        "steps": steps.count,
        "new_offers": steps.total(steps.new_offer),
    }
    if output.prediction_logits is not None:
        right = output.prediction_logits.argmax(-1) == steps.follower_action
        sums["predicted"] = steps.total(right.to(dtype))
    if output.termination_logits is not None:
        held = steps.previous >= 0
        sums["held"] = steps.total(held)
        sums["beta"] = steps.total(torch.where(held, torch.sigmoid(output.termination_logits), 0.0))
    return sums


def describe(sums: dict[str, Tensor]) -> dict[str, Tensor]:
    """Events per episode, option length, accuracy of the prediction, mean beta."""
    new_offers, steps = sums["new_offers"], sums["steps"]
    described = {
        "new_offers": new_offers / sums["games"],
        "option_length": new_offers.clamp(min=1).reciprocal() * steps,
    }
    if "predicted" in sums:
        described["prediction_accuracy"] = sums["predicted"] / steps
    if "held" in sums:
        described["termination"] = sums["beta"] / sums["held"].clamp(min=1)
    return described
