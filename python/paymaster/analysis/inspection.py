"""Inside a trained leader: what it attends to, when it ends options, what it expects of followers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.protocol import Insight
from paymaster.analysis.intervals import in_json
from paymaster.analysis.open_run import open_run
from paymaster.networks.torch_defaults import threads_of_torch, usual_torch
from paymaster.play.rollout import Rollout
from paymaster.training.seeds import evaluation_seed

__all__ = ["Inspection", "acceptance_of", "inspect_run", "summarise"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Inspection:
    """What E episodes of a trained leader show. T steps, N followers, K bonus levels, A primitive actions; a step's
    value is nan where no episode got so far. What the leader lacks is None.

    Attributes:
        task, leader: their names.
        episodes: E.
        attention: how often a follower's weight fell into each of ten equal parts of [0, 1], shares [10].
        attention_by_state: mean weight of followers whose last offer had run its course, and of those whose contract
            runs; after the first step, before which there was no offer.
        termination: mean beta by step, where an offer was held [T].
        termination_by_state: mean beta where the last offer had run its course, and where its contract runs.
        prediction_accuracy: share of steps in which the likeliest action was the one played, by step [T].
        prediction_confusion: row: action played, column: action predicted, shares of all steps [A, A].
        most_frequent_action: share of the steps with the commonest action: what a blind guess would get.
        acceptance: share of the steps with an offer of each bonus level whose follower was committed to it [K].
        option_lengths: how many options lasted 1, 2, ..., T steps [T].
        entropy: of mu in nats, by step [T].
    """

    task: str
    leader: str
    episodes: int
    attention: Floats | None
    attention_by_state: tuple[float, float] | None
    termination: Floats | None
    termination_by_state: tuple[float, float] | None
    prediction_accuracy: Floats | None
    prediction_confusion: Floats | None
    most_frequent_action: float
    acceptance: Floats
    option_lengths: NDArray[np.int64]
    entropy: Floats | None

    def to_json(self) -> dict[str, Any]:
        """Lists in place of arrays, None in place of nan."""
        return {name: in_json(value) for name, value in vars(self).items()}


@usual_torch()
@threads_of_torch(1)
def inspect_run(run: Path, episodes: int = 200, seed: int = 0) -> Inspection:
    """Plays a trained leader, sampled, on games that training did not see, and looks inside.

    Raises:
        ValueError: not a run, or fewer than one episode.
    """
    if episodes < 1:
        raise ValueError(f"episodes: expected at least 1, got {episodes}")
    env, leader = open_run(run, episodes, evaluation_seed(seed))
    played, _ = Rollout(env, leader, torch.Generator(leader.device).manual_seed(seed)).play()
    assert played is not None
    insight = Insight(*(None if part is None else part.cpu() for part in leader.inspect(played)))
    return summarise(played.to("cpu"), insight, env.task, str(run))


def summarise(episodes: Episodes, insight: Insight, task: str, leader: str) -> Inspection:
    """The figures of an inspection from episodes and what went on in the leader that played them."""
    valid = episodes.valid.numpy()
    everyone = np.broadcast_to(valid[..., None], episodes.offer.shape)
    played = episodes.follower_action.numpy()
    actions = int(played[everyone].max()) + 1 if insight.prediction is None else insight.prediction.shape[-1]
    counts = np.bincount(played[everyone], minlength=actions)
    expired = episodes.expired.numpy()
    weights = None
    if insight.attention is not None:
        weights, _ = np.histogram(insight.attention.numpy()[everyone], bins=10, range=(0.0, 1.0))
        weights = weights / weights.sum()
    return Inspection(
        task=task,
        leader=leader,
        episodes=valid.shape[1],
        attention=weights,
        attention_by_state=_by_state(insight.attention, everyone & (episodes.previous.numpy() >= 0), expired),
        termination=_by_step(insight.termination, everyone),
        termination_by_state=_by_state(insight.termination, everyone, expired),
        **_prediction(insight.prediction, played, everyone),
        most_frequent_action=float(counts.max() / counts.sum()),
        acceptance=acceptance_of(episodes),
        option_lengths=_option_lengths(episodes.new_offer.numpy(), valid),
        entropy=_by_step(insight.entropy, everyone),
    )


def acceptance_of(episodes: Episodes) -> Floats:
    """Return the share of the steps with an offer of each bonus level whose follower was committed to it, [K]."""
    levels, offer, committed = len(episodes.price), episodes.offer.numpy(), episodes.committed.numpy()
    priced = episodes.valid.numpy()[..., None] & (offer < episodes.goal.shape[-2] * levels)
    return np.array([_mean(committed[priced & (offer % levels == level)]) for level in range(levels)])


def _prediction(prediction: Tensor | None, played: NDArray[np.int64], mask: NDArray[np.bool_]) -> dict[str, Any]:
    if prediction is None:
        return {"prediction_accuracy": None, "prediction_confusion": None}
    predicted, actions = prediction.argmax(-1).numpy(), prediction.shape[-1]
    confusion = np.zeros((actions, actions))
    np.add.at(confusion, (played[mask], predicted[mask]), 1.0)
    right = _by_step(torch.from_numpy(predicted == played), mask)
    return {"prediction_accuracy": right, "prediction_confusion": confusion / confusion.sum()}


def _option_lengths(new_offer: NDArray[np.bool_], valid: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many options lasted 1..T steps; those that the end of the episode cut short included."""
    game, follower, start = np.nonzero((new_offer & valid[..., None]).transpose(1, 2, 0))
    end = valid.sum(0)[game]
    followed = (game[1:] == game[:-1]) & (follower[1:] == follower[:-1])  # by another option of the same follower
    end[:-1][followed] = start[1:][followed]
    return np.bincount(end - start, minlength=len(valid) + 1)[1:]


def _by_state(values: Tensor | None, mask: NDArray[np.bool_], expired: NDArray[np.bool_]) -> tuple[float, float] | None:
    if values is None:
        return None
    array = values.numpy()
    held = mask & ~np.isnan(array)
    return _mean(array[held & expired]), _mean(array[held & ~expired])


def _by_step(values: Tensor | None, mask: NDArray[np.bool_]) -> Floats | None:
    if values is None:
        return None
    array = values.numpy().astype(np.float64)
    return np.array([_mean(step[use & ~np.isnan(step)]) for step, use in zip(array, mask, strict=True)])


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if values.size else float("nan")
