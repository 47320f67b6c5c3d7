"""The follower-aware module against simpler predictors of the followers' primitive actions, on the same steps.

- module: p(a | s_t, h_t), which speaks *before* the offer of the step is known;
- offer: a table p(a | offered goal, bonus, planner's move towards that goal) of the offer of this very step;
- previous: the same table with the offer of the step before, which is all that the module knows of offers;
- move: the planner's move towards the goal offered in this step.

Tables are counted on other episodes of the same leader: nothing that sees only an offer and the move can do better.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from paymaster.algorithms.episodes import Episodes
from paymaster.analysis.open_run import open_run
from paymaster.envs.tasks import make_vec
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.features.leader import unflatten_offers
from paymaster.networks.torch_defaults import threads_of_torch, usual_torch
from paymaster.play.rollout import Rollout
from paymaster.training.seeds import EVALUATION_SEED
from paymaster.training.setup import stored_config

__all__ = ["predict_run"]

_COUNTED_SEED: Final = 2 * EVALUATION_SEED  # of the episodes that tables are counted on

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Steps:
    """S decisions of followers: the action, int64 [S]; by name, "offer" for this one and "previous" for the one before,
    the offer (flat, from 1 up; 0 for none yet) and the planner's move towards its goal (A: there is no offer yet, or it
    names no goal), int64 [S]; the module's probabilities, float64 [S, A]."""

    action: Integers
    known: dict[str, tuple[Integers, Integers]]
    module: Floats


@usual_torch()
@threads_of_torch(1)
def predict_run(run: Path, episodes: int) -> dict[str, float]:
    """Return each predictor's accuracy, ``prediction_NAME``, and mean log-likelihood, ``prediction_NAME_nats``.

    Args:
        run: directory of a trained leader that has the module.
        episodes: to compare on, and as many others to count tables on.

    Raises:
        ValueError: a leader without the module, not a run.
    """
    seed = stored_config(run).seed
    counted, seen = (_play(run, episodes, seed + base) for base in (_COUNTED_SEED, EVALUATION_SEED))
    actions = seen.module.shape[-1]
    probabilities = {
        "module": seen.module,
        **{name: _foreseen(counted.known[name], counted.action, known, actions) for name, known in seen.known.items()},
        "move": np.eye(actions + 1)[seen.known["offer"][1]][:, :actions],
    }
    found = {}
    for name, guess in probabilities.items():
        found[f"prediction_{name}"] = float((guess.argmax(-1) == seen.action).mean())
        if name != "move":  # which is sure of itself
            likelihood = np.take_along_axis(guess, seen.action[:, None], -1)
            found[f"prediction_{name}_nats"] = float(np.log(np.maximum(likelihood, 1e-12)).mean())
    return found


def _play(run: Path, games: int, seed: int) -> _Steps:
    """Play the first episode of each of the games under this seed, sampled."""
    env, leader = open_run(run, games, seed)
    episodes, _ = Rollout(env, leader, torch.Generator(leader.device).manual_seed(seed)).play()
    assert episodes is not None
    module = leader.inspect(episodes).prediction
    if module is None:
        raise ValueError(f"{run}: expected a leader that predicts its followers, got one without that module")
    episodes = episodes.to("cpu")
    moves, levels = _planners_moves(env, seed, episodes), env.parameters["num_bonuses"]
    everyone = np.broadcast_to(episodes.valid.numpy()[..., None], episodes.offer.shape)

    def with_move(offer: Integers) -> tuple[Integers, Integers]:
        goal = offer // levels
        named = (goal >= 0) & (goal < env.parameters["num_goals"])
        move = np.take_along_axis(moves, np.where(named, goal, 0)[..., None], -1)[..., 0]
        return offer[everyone] + 1, np.where(named, move, env.num_actions)[everyone]

    return _Steps(
        action=episodes.follower_action.numpy()[everyone],
        known={"offer": with_move(episodes.offer.numpy()), "previous": with_move(episodes.previous.numpy())},
        module=module.cpu().numpy().astype(np.float64)[everyone],
    )


def _planners_moves(env: LeaderVectorEnv, seed: int, episodes: Episodes) -> Integers:
    """Return the planner's move towards each goal type, int64 [T, B, N, G]; where none is in reach, how to stop.

    Plays the episodes again, with the same offers, in games that show the routes.
    """
    again = make_vec(
        env.task, env.num_envs, seed, autoreset_mode="Disabled", **{**env.parameters, "observe_routes": True}
    )
    observation, _ = again.reset()
    moves = []
    for offer, played, valid in zip(episodes.offer, episodes.follower_action, episodes.valid, strict=True):
        moves.append(observation["route"].astype(np.int64))
        observation, *_, info = again.step(unflatten_offers(offer.numpy(), env.parameters["num_bonuses"]))
        assert (info["follower_action"] == played.numpy())[valid.numpy()].all(), "not the same games"
    return np.stack(moves)


def _foreseen(
    counted: tuple[Integers, Integers], action: Integers, known: tuple[Integers, Integers], actions: int
) -> Floats:
    """Return p(a | offer, move) where ``known``, float64 [cases, A], counted with half a case of every action."""
    offers = 1 + max(int(offer.max()) for offer, _ in (counted, known))
    counts = np.full((offers, actions + 1, actions), 0.5)
    np.add.at(counts, (*counted, action), 1.0)
    probabilities: Floats = (counts / counts.sum(-1, keepdims=True))[known]
    return probabilities
