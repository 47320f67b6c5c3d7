"""Functions that torch has too, against torch's, with their gradients."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from paymaster.networks import narrow as elementwise

PAIRS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "log_softmax": (elementwise.log_softmax, lambda x: torch.log_softmax(x, dim=-1)),
    "softmax": (elementwise.softmax, lambda x: torch.softmax(x, dim=-1)),
    "mean_over": (elementwise.mean_over, lambda x: x.mean(-2)),
    "tanh": (elementwise.tanh, torch.tanh),
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("shape", [(3, 1), (5, 4), (2, 3, 4, 6)], ids=str)
def test_a_function_and_its_gradient(name: str, shape: tuple[int, ...]) -> None:
    ours, theirs = PAIRS[name]
    torch.manual_seed(0)
    x = (4.0 * torch.randn(shape, dtype=torch.float64)).requires_grad_()
    weights = torch.randn_like(theirs(x))  # of a loss that looks at every number
    torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=1e-14)
    gradients = [torch.autograd.grad((f(x) * weights).sum(), x)[0] for f in (ours, theirs)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-14)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", ["log_softmax", "softmax"])
def test_offers_that_are_excluded(name: str) -> None:
    """-inf has probability 0 and no gradient."""
    ours, theirs = PAIRS[name]
    x = torch.tensor([[0.5, -torch.inf, 2.0], [1.0, 2.0, -torch.inf]], dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=1e-14)
    kept = torch.isfinite(x)
    gradients = [torch.autograd.grad(f(x)[kept].square().sum(), x)[0] for f in (ours, theirs)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-14)
    assert not gradients[0][~kept].any()


def test_far_out_tanh_is_one() -> None:
    x = torch.tensor([-1e30, -40.0, 0.0, 40.0, 1e30], requires_grad=True)
    assert elementwise.tanh(x).tolist() == [-1.0, -1.0, 0.0, 1.0, 1.0]
