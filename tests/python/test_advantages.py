"""Returns and advantages of the two-headed baseline, and the episodes they are computed from."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from paymaster.algorithms.advantages import head_prices, lambda_returns, normalise, reward_counts
from signal_game import N, hand_made


def slow_lambda_return(rewards: list[float], values: list[float], gamma: float, gae_lambda: float) -> list[float]:
    """The recursion G_t = r_t + gamma ((1 - lambda) V_{t+1} + lambda G_{t+1}), nothing after the end."""
    returns: list[float] = []
    following_value = following_return = 0.0
    for reward, value in zip(reversed(rewards), reversed(values), strict=True):
        following_return = reward + gamma * ((1 - gae_lambda) * following_value + gae_lambda * following_return)
        following_value = value
        returns.insert(0, following_return)
    return returns


@pytest.mark.parametrize(("gamma", "gae_lambda"), [(1.0, 0.9), (0.95, 0.5), (1.0, 0.0), (0.9, 1.0)])
def test_lambda_returns_agree_with_the_recursion(gamma: float, gae_lambda: float) -> None:
    generator = torch.Generator().manual_seed(0)
    heads, lengths = 2, torch.tensor([5, 1, 3])
    valid = torch.arange(5).unsqueeze(-1) < lengths
    counts = torch.randn(5, 3, N, heads, generator=generator, dtype=torch.float64) * valid[..., None, None]
    phi = torch.randn(5, 3, N, heads, generator=generator, dtype=torch.float64)
    targets = lambda_returns(counts, phi, valid, gamma, gae_lambda)
    for b in range(3):
        n = int(lengths[b])
        assert not targets[n:, b].any()
        for k in range(N):
            for head in range(heads):
                slow = slow_lambda_return(
                    counts[:n, b, k, head].tolist(), phi[:n, b, k, head].tolist(), gamma, gae_lambda
                )
                assert targets[:n, b, k, head].tolist() == pytest.approx(slow, abs=1e-12)


def test_lambda_one_is_the_return_as_played() -> None:
    counts = torch.tensor([1.0, 0.0, 2.0]).view(3, 1, 1, 1)
    phi = torch.randn(3, 1, 1, 1)
    targets = lambda_returns(counts, phi, torch.ones(3, 1, dtype=torch.bool), 1.0, 1.0)
    torch.testing.assert_close(targets.flatten(), torch.tensor([3.0, 2.0, 2.0]))


def test_rewards_are_counted_then_priced() -> None:
    episodes = hand_made()
    own = reward_counts(episodes)
    assert own[:, 0, 0].tolist() == [[0, 0, 0, 1], [1, 0, 0, 0.5]]
    assert own[:, 0, 1].tolist() == [[0, 0, 0, 0], [0, 1, 1, 0]]
    priced = own @ head_prices(episodes)
    assert priced[:, 0].tolist() == [[-2.0, 0.0], [4.0, 3.0]]
    team = reward_counts(episodes, "team") @ head_prices(episodes)
    assert team[:, 0].tolist() == [[-2.0, -2.0], [7.0, 7.0]]
    ended = replace(episodes, valid=torch.tensor([[True], [False]]))
    assert not reward_counts(ended)[1].any()


def test_normalise_ignores_what_was_not_played() -> None:
    advantage = torch.tensor([[[1.0]], [[3.0]], [[1e6]]])
    scaled = normalise(advantage, torch.tensor([[True], [True], [False]]))
    torch.testing.assert_close(scaled.flatten(), torch.tensor([-1.0, 1.0, 0.0]))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"offer": torch.zeros(2, 1, 3, dtype=torch.int64)}, ValueError, "offer: expected N = 2"),
        (
            {"valid": torch.ones(2, dtype=torch.bool)},
            ValueError,
            r"valid: expected shape \[T, B\], got \[2\]",
        ),
        ({"offer": torch.zeros(2, 1, 2)}, TypeError, "offer: expected int64, got torch.float32"),
        ({"valid": torch.ones(2, 1)}, TypeError, "valid: expected bool, got torch.float32"),
        ({"new_offer": torch.ones(2, 1, 2)}, TypeError, "new_offer: expected bool, got torch.float32"),
        ({"new_offer": torch.ones(1, 1, 2, dtype=torch.bool)}, ValueError, "new_offer: expected T = 2"),
        ({"explore": 2.0}, ValueError, r"explore: expected a rate in \[0, 1\], got 2.0"),
    ],
)
def test_episodes_are_checked(change: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        replace(hand_made(), **change)  # type: ignore[arg-type]
