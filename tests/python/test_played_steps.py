"""The steps of whole episodes that were played, packed one after the other."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from paymaster.algorithms import EBPG
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.packed_steps import PackedSteps
from signal_game import LEADER, LEARN, B, T, padded, play

LENGTHS = {
    "all to the end": [T] * B,
    "all equally short": [T - 2] * B,
    "one step each": [1] * B,
    "mixed": [1 + (5 * b) % T for b in range(B)],
    "one long": [T, *[1] * (B - 1)],
}


def episodes_of(lengths: list[int], extra: int = 2) -> Episodes:
    algorithm, generator = EBPG(LEADER, LEARN, seed=1), torch.Generator().manual_seed(2)
    return padded(play(algorithm, generator), torch.tensor(lengths), extra, seed=3)


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_they_are_those_played_step_by_step_the_longest_episodes_first(lengths: list[int]) -> None:
    episodes = episodes_of(lengths)
    steps, valid = PackedSteps.of(episodes), episodes.valid
    order = sorted(range(B), key=lambda b: -lengths[b])
    places = [(t, b) for t in range(max(lengths)) for b in order if lengths[b] > t]
    assert steps.batch_sizes.tolist() == [sum(length > t for length in lengths) for t in range(max(lengths))]
    assert steps.step.squeeze(-1).tolist() == [t for t, _ in places]
    for name in ("follower", "goal", "previous", "offer", "new_offer", "expired", "explored", "follower_action"):
        whole = getattr(episodes, name)
        expected = torch.stack([whole[t, b] for t, b in places])
        assert torch.equal(getattr(steps, name), expected), name
        assert torch.equal(steps.pack(whole), expected)
        back = steps.unpack(expected, valid.shape)
        assert torch.equal(back[valid], whole[valid])
        assert not back[~valid].any()


def test_whole_episodes_are_not_copied() -> None:
    episodes = episodes_of([T] * B, extra=0)
    assert PackedSteps.of(episodes).goal.data_ptr() == episodes.goal.data_ptr()


@pytest.mark.parametrize("prediction", [True, False])
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_the_network_says_of_them_what_it_says_of_whole_episodes(lengths: list[int], prediction: bool) -> None:
    network = EBPG(replace(LEADER, prediction=prediction), LEARN, seed=1).network
    episodes = episodes_of(lengths)
    steps, valid = PackedSteps.of(episodes), episodes.valid
    start = network.initial_history(B, episodes.num_followers)
    with torch.no_grad():
        whole = network(episodes.follower, episodes.goal, episodes.previous, start)
        packed = network(steps.follower, steps.goal, steps.previous, start, batch_sizes=steps.batch_sizes)
    for name in ("log_mu", "termination_logits", "phi", "prediction_logits", "attention"):
        expected, came = getattr(whole, name), getattr(packed, name)
        assert (expected is None) == (came is None)
        if expected is not None:
            torch.testing.assert_close(steps.unpack(came, valid.shape)[valid], expected[valid])
