"""What networks compute in a way of their own for speed, against torch's way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from paymaster import _core
from paymaster.networks.recurrence import recur
from paymaster.networks.state_encoder import OfferEmbedding

SHAPES = {"x": (3, 12), "start": (2, 4), "weight": (12, 4), "bias": (12,)}
SHAPES |= {"gates": (3, 12), "proposed": (3, 4), "states": (3, 4)}


@pytest.mark.parametrize("sizes", [[1], [3], [1, 1, 1], [4, 4, 4], [5, 5, 3, 2, 2, 1], [7, 1]], ids=str)
@pytest.mark.parametrize(("inputs", "hidden"), [(6, 6), (3, 8), (5, 1)])
def test_a_gru_and_all_its_gradients(sizes: list[int], inputs: int, hidden: int) -> None:
    torch.manual_seed(0)
    gru = nn.GRU(inputs, hidden).double()
    x = torch.randn(sum(sizes), inputs, dtype=torch.float64, requires_grad=True)
    start = torch.randn(sizes[0], hidden, dtype=torch.float64, requires_grad=True)
    given = [x, start, *gru.parameters()]
    expected = gru(PackedSequence(x, torch.tensor(sizes)), start.unsqueeze(0))[0].data
    came = recur(gru, x, start, torch.tensor(sizes))
    torch.testing.assert_close(came, expected, rtol=0, atol=1e-14)
    weights = torch.randn_like(expected)  # of a loss that looks at every state
    for ours, theirs in zip(
        torch.autograd.grad((came * weights).sum(), given),
        torch.autograd.grad((expected * weights).sum(), given),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-13)


@pytest.mark.parametrize("scale", [1.0, 30.0])
@pytest.mark.parametrize("hidden", [3, 8, 32, 37])
def test_in_single_precision(hidden: int, scale: float) -> None:
    """Several numbers at a time, with an exponential of its own; gates that are wide open or shut included."""
    torch.manual_seed(1)
    sizes = torch.tensor([9, 9, 6, 1])
    gru = nn.GRU(hidden, hidden)
    x = (scale * torch.randn(25, hidden)).requires_grad_()
    start = torch.randn(9, hidden, requires_grad=True)
    given = [x, start, *gru.parameters()]
    expected = gru(PackedSequence(x, sizes), start.unsqueeze(0))[0].data
    came = recur(gru, x, start, sizes)
    torch.testing.assert_close(came, expected, rtol=0, atol=1e-6)
    with torch.no_grad():
        assert torch.equal(recur(gru, x, start, sizes), came)
    weights = torch.randn_like(expected)
    for ours, theirs in zip(
        torch.autograd.grad((came * weights).sum(), given),
        torch.autograd.grad((expected * weights).sum(), given),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5 * scale)


def test_arrays_that_do_not_fit_are_refused() -> None:
    ones = {name: np.ones(shape, np.float32) for name, shape in SHAPES.items()}
    _core.recur_forward([2, 1], **ones)
    for name, (rows, *width) in SHAPES.items():
        with pytest.raises(ValueError, match=f"{name}: expected"):
            _core.recur_forward([2, 1], **ones | {name: np.ones((rows + 1, *width), np.float32)})
    for name in SHAPES.keys() - {"states"}:
        with pytest.raises(ValueError, match=f"{name}: expected a C-ordered array of float32"):
            _core.recur_forward([2, 1], **ones | {name: np.ones(SHAPES[name])})
    for sizes in ([1, 2], [3, 0], [2, -1]):
        with pytest.raises(ValueError, match="batch_sizes: expected"):
            _core.recur_forward(sizes, **ones)
    fixed = ones["states"].copy()
    fixed.setflags(write=False)
    with pytest.raises(ValueError, match="results: expected"):
        _core.recur_forward([2, 1], **ones | {"states": fixed})


def test_a_gradient_that_is_no_array_of_its_own() -> None:
    """The gradient of a sum is a single number spread over the array; it must not be written to."""
    gru, x = nn.GRU(2, 2), torch.randn(3, 2, requires_grad=True)
    twice = [torch.autograd.grad(recur(gru, x, torch.zeros(2, 2), torch.tensor([2, 1])).sum(), x)[0] for _ in range(2)]
    assert torch.equal(*twice)


def test_offers_and_their_gradient() -> None:
    embedding = OfferEmbedding(4, 3).double()
    previous = torch.tensor([[[-1, 3], [0, 3], [3, 3]], [[-1, -1], [2, 0], [0, 0]]])
    rows = embedding(previous)
    assert torch.equal(rows, embedding.weight[previous + 1])
    weights = torch.randn_like(rows)
    (ours,) = torch.autograd.grad((rows * weights).sum(), embedding.weight)
    (theirs,) = torch.autograd.grad(
        (nn.functional.embedding(previous + 1, embedding.weight) * weights).sum(), embedding.weight
    )
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-14)
    assert not ours[2].any()  # offer 1 was never made
