"""`bench/gradients.py` against the same moments written out, a gradient a trajectory."""

from __future__ import annotations

import math
from types import ModuleType

import pytest
import torch

import bench_scripts
from enumerated_game import make_game, new_offers


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    return bench_scripts.load("gradients")


NAMES = ("sparse EBPG", "dense EBPG (the paper's)", "natural ends, sparse", '"changed" with all of mu')


@pytest.mark.parametrize("name", NAMES)
def test_moments_are_those_of_the_gradients_of_all_trajectories(
    bench: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "OFFERS", 2)  # 64 trajectories instead of 729
    (estimator,) = (e for e in bench.ESTIMATORS if e.name == name)
    game = make_game(bench.OFFERS, 4, estimator.expiring)
    offer, previous = game.trajectories()
    beta, log_mu = game.look_up(previous)
    probability = game.probability_under(estimator.process(game), offer, previous)
    tables = (game.beta, game.mu)
    true = _flat(torch.autograd.grad((probability * game.reward.sum(0)).sum(), tables, retain_graph=True), 0)
    steps = bench.Steps(offer, game.held(previous), new_offers(offer), beta, log_mu)
    # Weighted by the return; a row of the result is one trajectory's gradient.
    weighted = estimator.log_prob(steps).sum((0, 2)) * game.reward.sum(0)
    each = _flat(torch.autograd.grad(weighted, tables, torch.eye(len(weighted)).double(), is_grads_batched=True), 1)
    probability = probability.detach()
    mean = probability @ each
    spread = probability @ (each - mean).square().sum(-1)

    measured = bench.measure(estimator, 4)[0]
    assert measured.bias == pytest.approx(((mean - true).norm() / true.norm()).item(), abs=1e-10)
    assert measured.cosine == pytest.approx((mean @ true / mean.norm() / true.norm()).item(), abs=1e-10)
    assert measured.variance == pytest.approx((spread / true.square().sum()).item(), rel=1e-10)


def test_processes_are_distributions(bench: ModuleType) -> None:
    game = make_game(bench.OFFERS, 1, expiring=0.5)
    offer, previous = game.trajectories()
    for process in (bench.restricted, bench.unrestricted, bench.always_new):
        assert process(game).min() >= 0.0
        assert game.probability_under(process(game), offer, previous).sum().item() == pytest.approx(1.0, abs=1e-12)


def test_what_is_exact_stays_exact_under_a_baseline_and_an_offset(bench: ModuleType) -> None:
    for estimator in bench.ESTIMATORS:
        for measures in bench.measure(estimator, 2, offset=3.0):
            assert (measures.bias < 1e-10) == estimator.exact
            assert measures.variance > 0.0 and math.isfinite(measures.variance)


def _flat(parts: tuple[torch.Tensor, ...], batch_dims: int) -> torch.Tensor:
    return torch.cat([part.flatten(batch_dims) for part in parts], dim=-1)
