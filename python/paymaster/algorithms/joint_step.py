"""One gradient step of all ranks together."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from paymaster.algorithms.process_group import Ranks
from paymaster.validation.finite import check_step

__all__ = ["joint_step"]


def joint_step(
    loss: Tensor,
    share: Tensor,
    optimizer: torch.optim.Optimizer,
    max_norm: float,
    ranks: Ranks,
    report: Sequence[Tensor] = (),
    *,
    who: str = "leader",
) -> Tensor:
    """Descends on the mean over all ranks' steps: the sum of each rank's mean times its share in them.

    Args:
        loss: this rank's mean, [].
        share: of this rank in what the mean is taken over (:meth:`Ranks.share`), [].
        optimizer: whose parameters' gradients are added up, in one all-reduce, then scaled down together to
            ``max_norm``.
        max_norm: of the summed gradient.
        ranks: who learns together.
        report: more to be added up in the same all-reduce, in place.
        who: learns, for the error.

    Returns:
        The norm of the summed gradient before it was scaled down, [].

    Raises:
        DivergenceError: the loss or the gradient is NaN or infinite; no parameter has changed.
    """
    optimizer.zero_grad()
    loss.backward(share.to(loss.dtype))  # type: ignore[no-untyped-call]
    # The optimiser's lists: to walk a network's modules takes longer than a step of Adam.
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    # Which parameters have a gradient follows from the configuration, so it is the same on all ranks.
    ranks.add_up([*(p.grad for p in parameters if p.grad is not None), *report])
    norm = nn.utils.clip_grad_norm_(parameters, max_norm)
    check_step(loss, norm, who)
    optimizer.step()
    return norm
