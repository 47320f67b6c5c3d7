"""Bayesian optimisation: a search for the parameters of an offer rule, by a model of the returns.

Each evaluation is a batch of episodes played with one set of parameters. A Gaussian process with a Matern 5/2 kernel
and noise models the mean return as a function of the parameters. The next ones are those with the highest expected
improvement (Mockus 1978; Snoek, Larochelle & Adams 2012) over the best posterior mean so far. Needs scikit-learn.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import norm, qmc
from torch import Tensor, nn

from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.field.bayes_learning import BayesLearning
from paymaster.algorithms.field.offer_rule import PARAMETERS, offers_by_rule
from paymaster.algorithms.field.offers import FieldLeader, OfferSpace, decides, returns
from paymaster.algorithms.protocol import LeaderInput, LeaderStep
from paymaster.networks.torch_defaults import usual_torch

__all__ = ["Bayes", "expected_improvement"]

Floats = NDArray[np.float64]
_NEAR: Final = 0.05  # how far from the best half of the candidates lie
_SEED: Final = 7_919  # of the search's draws, beside the run's and the number of evaluations


def expected_improvement(mean: Floats, deviation: Floats, best: float, margin: float) -> Floats:
    """Return by how much more than ``best + margin`` is expected where the posterior is normal.

    Args:
        mean, deviation: of the posterior, [R].
        best: the value to improve on.
        margin: xi.
    """
    ahead = mean - best - margin
    spread = np.maximum(deviation, 1e-12)
    gain: Floats = ahead * norm.cdf(ahead / spread) + spread * norm.pdf(ahead / spread)
    return gain


class _Evaluations(nn.Module):
    """Points tried, [E, P], and the mean return of each, [E], float64, of which ``count`` are filled.

    Beside them the point tried now and the best by the model, [P].
    """

    points: Tensor
    values: Tensor
    count: Tensor
    now: Tensor
    best: Tensor

    def __init__(self, evaluations: int, first: Tensor) -> None:
        super().__init__()
        self.register_buffer("points", torch.zeros(evaluations, len(first), dtype=torch.float64))
        self.register_buffer("values", torch.zeros(evaluations, dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self.register_buffer("now", first.clone())
        self.register_buffer("best", first.clone())


class Bayes(FieldLeader):
    """Plays by a rule (:func:`.offers_by_rule`) whose parameters it searches for.

    Args:
        space: offers, and what is seen.
        config: how it searches.
        seed: of its search.

    Raises:
        ValueError: scikit-learn is not installed.
    """

    all_goals = True
    learned: _Evaluations

    def __init__(self, space: OfferSpace, config: BayesLearning, seed: int) -> None:
        config.validate()
        try:
            import sklearn.gaussian_process  # noqa: F401  # so that training does not fail halfway
        except ImportError:
            raise ValueError(
                "leader: expected scikit-learn beside bayes, got none; install it: pip install 'paymaster[bayes]'"
            ) from None
        self.space, self.config, self._seed = space, config, seed
        sobol = qmc.Sobol(len(PARAMETERS), seed=np.random.default_rng([seed, _SEED]))
        self._initial = torch.from_numpy(
            sobol.random_base2(max(0, (config.initial - 1).bit_length()))[: config.initial]
        )
        self.learned = _Evaluations(config.evaluations, self._initial[0])

    def initial_state(self, num_games: int, num_followers: int) -> None:
        """Return that it remembers nothing."""

    @usual_torch()
    @torch.inference_mode()
    def act(
        self,
        seen: LeaderInput,
        state: None,
        *,
        explore: float = 0.0,
        generator: torch.Generator | None = None,
        greedy: bool = False,
    ) -> LeaderStep:
        """Return offers for one step of B games; see :class:`~paymaster.algorithms.protocol.Player`."""
        tries = explore > 0.0 and not greedy
        new = offers_by_rule(self.learned.now if tries else self.learned.best, seen.goal, self.space)
        return LeaderStep(torch.where(decides(seen), new, seen.previous), None)

    @usual_torch()
    @torch.no_grad()
    def update(self, episodes: Episodes, progress: float = 0.0) -> dict[str, float]:
        """Take up the mean return of these episodes, and choose what to try next.

        Returns:
            The parameters that are best by the model, by name.
        """
        learned, done = self.learned, int(self.learned.count)
        if done < self.config.evaluations:
            learned.points[done], learned.values[done] = learned.now, returns(episodes).mean()
            learned.count += 1
            self._choose(done + 1)
        return dict(zip(PARAMETERS, learned.best.tolist(), strict=True))

    def _choose(self, done: int) -> None:
        """Set what is best, and what is tried next, behind so many evaluations."""
        learned, config = self.learned, self.config
        if done == 1:
            learned.best.copy_(learned.now)
        else:
            with _one_thread():
                self._model_and_choose(learned.points[:done].numpy(), learned.values[:done].numpy())
        if done == config.evaluations:
            learned.now.copy_(learned.best)
        elif done < config.initial:
            learned.now.copy_(self._initial[done])

    def _model_and_choose(self, points: Floats, values: Floats) -> None:
        """Set what is best by a model of all evaluations, and what improves on it most."""
        config, model = self.config, _fitted(points, values)
        means = model.predict(points)
        best, shape = points[int(means.argmax())], (config.candidates, len(PARAMETERS))
        self.learned.best.copy_(torch.from_numpy(best))
        draw = np.random.default_rng([self._seed, _SEED, len(points)])
        near = (best + _NEAR * draw.standard_normal(shape)).clip(0.0, 1.0)
        tried = np.concatenate((draw.random(shape), near))
        mean, deviation = model.predict(tried, return_std=True)
        improvement = expected_improvement(mean, deviation, float(means.max()), config.margin * float(values.std()))
        self.learned.now.copy_(torch.from_numpy(tried[int(improvement.argmax())]))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let BLAS have one thread, so that numbers are the same whatever the number of cores, and keep warnings quiet."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a scale at the end of its range
        yield


def _fitted(points: Floats, values: Floats) -> Any:
    """A Gaussian process of the values."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Matern, WhiteKernel

    kernel = 1.0 * Matern(np.full(points.shape[1], 0.5), (0.05, 20.0), nu=2.5) + WhiteKernel(0.1, (1e-5, 10.0))
    return GaussianProcessRegressor(kernel, normalize_y=True).fit(points, values)
