"""The follower-aware module against simpler predictors: `python bench/prediction.py --episodes 10000 --seeds 0 1 2`.

For each game and seed the default leader is trained (as in `bench/leaders.py`), or its run directory is taken from
--runs; then it plays 1,000 episodes, sampled, that training did not see. On the same steps of these, four predictors of
each follower's primitive action:

- ours: p(a | s_t, h_t) of the follower-aware module, which speaks *before* the offer of the step is known;
- offer: a table p(a | offered goal, bonus, planner's move towards that goal) of the offer of this very step;
- previous: the same table with the offer of the step before, which is all that ours knows of offers;
- move: the planner's move towards the goal offered in this step.

The tables are counted on as many other episodes of the same leader: nothing that sees only an offer and the move
can do better. Accuracy is the share of right guesses of the likeliest action; nats is the mean log-likelihood.
Rows go to a file, a line of JSON a run; a run whose row is there is not run again. At the end, or alone with --table,
means over seeds with 95 % intervals (Student's t; for a single seed over episodes, of that leader alone).
"""

from __future__ import annotations

import contextlib
import io
import itertools
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from leaders import Job, configuration
from numpy.typing import NDArray
from rows import EVALUATED, GAMES, append, stored

from paymaster import make_vec
from paymaster.algorithms import DEFAULT_LEADER
from paymaster.algorithms.episodes import Episodes
from paymaster.analysis.intervals import mean_ci95
from paymaster.analysis.open_run import open_run
from paymaster.envs import LeaderVectorEnv
from paymaster.envs.spaces import NUM_ACTIONS
from paymaster.features.leader import offers_from_flat
from paymaster.play.rollout import Rollout
from paymaster.training.config import TrainConfig
from paymaster.training.seeds import EVALUATION_SEED
from paymaster.training.setup import stored_config
from paymaster.training.train import train

PREDICTORS = ("ours", "offer", "previous", "move")
FITTING_SEED = 2 * EVALUATION_SEED
NO_MOVE = NUM_ACTIONS  # there is no offer yet, or it names no goal

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Arguments:
    """What to run.

    Attributes:
        games: of the table in rows.py.
        seeds: of training.
        episodes: of training.
        evaluated: episodes that the predictors are compared on, and as many others that the tables are counted on.
        set: NAME=VALUE, departures from the leader's own configuration, as in leaders.py.
        runs: run directories of the default leader, evaluated in place of training.
        out: file of results, a line of JSON a run.
        table: print the table of what is there and run nothing.
    """

    games: tuple[str, ...] = tuple(GAMES)
    seeds: tuple[int, ...] = (0, 1, 2)
    episodes: int = 10_000
    evaluated: int = EVALUATED
    set: tuple[str, ...] = ()
    runs: tuple[Path, ...] = ()
    out: Path = Path(__file__).parent / "leaders" / "prediction.jsonl"
    table: bool = False


# ---- the planner's move


def planners_moves(env: LeaderVectorEnv, seed: int, episodes: Episodes) -> Integers:
    """The planner's move towards each goal type [T, B, N, G] in the first episodes under ``seed``.

    Where a goal cannot be reached, how a follower stops. Plays the episodes again, with the same offers, in games that
    show the routes, and checks that followers do the same again and, without noise, play the move towards what they
    take.
    """
    options = {**env.options, "observe_routes": True}
    again = make_vec(env.task, env.num_envs, seed, autoreset_mode="Disabled", **options)
    observation, _ = again.reset()
    preference = again.state("preference")["preference"]
    moves = []
    for t, offer in enumerate(episodes.offer.numpy()):
        moves.append(observation["route"].astype(np.int64))
        observation, *_, info = again.step(offers_from_flat(offer, env.options["num_bonuses"]))
        valid, played = episodes.valid[t].numpy(), info["follower_action"]
        assert (played == episodes.follower_action[t].numpy())[valid].all(), "not the same games"
        if env.options["noise"] == 0.0:
            taken = np.where(info["committed"], offer // env.options["num_bonuses"], preference)
            move = np.take_along_axis(moves[-1], taken[..., None], -1)[..., 0]
            assert (played == move)[valid].all(), "not the planner's move"
    return np.stack(moves)


# ---- the predictors


@dataclass(frozen=True)
class Played:
    """Steps of one leader's episodes; arrays [T, B, N, ...].

    Attributes:
        action: the primitive action played.
        offer, previous: omega_t and omega_{t-1}, flat, -1 for none yet.
        offer_move, previous_move: the planner's move now towards their goals; NO_MOVE for none.
        prediction: probabilities of the follower-aware module [T, B, N, A].
        valid: [T, B, N].
    """

    action: Integers
    offer: Integers
    previous: Integers
    offer_move: Integers
    previous_move: Integers
    prediction: Floats
    valid: NDArray[np.bool_]


def play(run: Path, games: int, seed: int) -> Played:
    """The first episode of each of the games under this seed."""
    env, leader = open_run(run, games, seed)
    episodes, _ = Rollout(env, leader, torch.Generator(leader.device).manual_seed(seed)).play()
    assert episodes is not None
    prediction = leader.inspect(episodes).prediction
    assert prediction is not None, f"{run}: a leader without prediction"
    episodes = episodes.to("cpu")
    moves, goals, levels = planners_moves(env, seed, episodes), env.options["num_goals"], env.options["num_bonuses"]

    def towards(offer: Integers) -> Integers:
        goal = offer // levels
        named = (goal >= 0) & (goal < goals)
        move = np.take_along_axis(moves, np.where(named, goal, 0)[..., None], -1)[..., 0]
        return np.where(named, move, NO_MOVE)

    offer, previous = episodes.offer.numpy(), episodes.previous.numpy()
    return Played(
        action=episodes.follower_action.numpy(),
        offer=offer,
        previous=previous,
        offer_move=towards(offer),
        previous_move=towards(previous),
        prediction=prediction.cpu().numpy().astype(np.float64),
        valid=np.broadcast_to(episodes.valid.numpy()[..., None], offer.shape),
    )


def table_of(offer: Integers, move: Integers, action: Integers) -> Callable[[Integers, Integers], Floats]:
    """p(a | offer, move), counted with half a case of every action beforehand; indices [steps]."""
    counts = np.full((int(offer.max()) + 2, NO_MOVE + 1, NUM_ACTIONS), 0.5)
    np.add.at(counts, (offer + 1, move, action), 1.0)
    probabilities = counts / counts.sum(-1, keepdims=True)
    return lambda offer, move: probabilities[offer + 1, move]


def predictions(seen: Played, fitted: Played) -> dict[str, Floats]:
    """Probabilities [steps, A] by predictor, for the valid steps of ``seen``; tables from ``fitted``."""
    here, there = seen.valid, fitted.valid
    offer = table_of(fitted.offer[there], fitted.offer_move[there], fitted.action[there])
    previous = table_of(fitted.previous[there], fitted.previous_move[there], fitted.action[there])
    return {
        "ours": seen.prediction[here],
        "offer": offer(seen.offer[here], seen.offer_move[here]),
        "previous": previous(seen.previous[here], seen.previous_move[here]),
        "move": np.eye(NUM_ACTIONS + 1)[seen.offer_move[here]][:, :NUM_ACTIONS],
    }


def compare(seen: Played, fitted: Played) -> dict[str, float]:
    """Accuracy and nats of each predictor, and by how much ours leads, with half a 95 % interval over episodes."""
    here, action = seen.valid, seen.action[seen.valid]
    episode = np.broadcast_to(np.arange(here.shape[1])[None, :, None], here.shape)[here]
    kept = (seen.offer == seen.previous)[here]
    row = {"kept": float(kept.mean()), "commonest": float(np.bincount(action).max() / len(action))}
    right: dict[str, NDArray[np.bool_]] = {}
    for name, probabilities in predictions(seen, fitted).items():
        right[name] = probabilities.argmax(-1) == action
        row[name] = float(right[name].mean())
        row[f"{name}_kept"], row[f"{name}_new"] = float(right[name][kept].mean()), float(right[name][~kept].mean())
        if name != "move":
            likelihood = np.take_along_axis(probabilities, action[:, None], -1)
            row[f"{name}_nats"] = float(np.log(np.maximum(likelihood, 1e-12)).mean())
    for name in PREDICTORS[1:]:
        lead = right["ours"].astype(np.float64) - right[name]
        by_episode = np.bincount(episode, weights=lead) * here.shape[1] / len(action)
        row[f"lead_{name}"] = float(by_episode.mean())
        row[f"lead_{name}_half"] = row[f"lead_{name}"] - mean_ci95(by_episode).low
    return {name: round(value, 4) for name, value in row.items()}


# ---- runs


def game_of(config: TrainConfig) -> str:
    kind = (config.task, config.options.payment)
    return next((name for name, known in GAMES.items() if known == kind), " ".join(filter(None, kind)))


def row_of(run: Path, evaluated: int) -> dict[str, Any]:
    """The comparison in games of a run's leader."""
    config = stored_config(run)
    fitted, seen = (play(run, evaluated, config.seed + base) for base in (FITTING_SEED, EVALUATION_SEED))
    return {"game": game_of(config), "seed": config.seed, "episodes": config.episodes, **compare(seen, fitted)}


def trained_row(game: str, seed: int, arguments: Arguments) -> dict[str, Any]:
    """Trains the default leader, then compares."""
    config = configuration(Job(game, DEFAULT_LEADER, seed, arguments.episodes, arguments.set))
    with tempfile.TemporaryDirectory() as directory:
        with contextlib.redirect_stdout(io.StringIO()):
            train(config, Path(directory) / "run")
        return row_of(Path(directory) / "run", arguments.evaluated)


def key(row: dict[str, Any]) -> tuple[Any, ...]:
    return (row["game"], row["seed"], row["episodes"], tuple(row["set"]))


def print_table(rows: list[dict[str, Any]]) -> None:
    """Accuracy of all, the lead of ours, and nats; a line a game, number of episodes and departures."""
    print("| game | episodes | seeds | ours | offer | previous | move | lead over offer | over previous | nats |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    games = list(GAMES)
    group = lambda row: (  # noqa: E731
        games.index(row["game"]) if row["game"] in games else len(games),
        row["game"],
        row["episodes"],
        row["set"],
    )
    for (_, game, episodes, changes), some in itertools.groupby(sorted(rows, key=group), group):
        same = list(some)

        def mean(name: str, same: list[dict[str, Any]] = same) -> float:
            return float(np.mean([row[name] for row in same]))

        def lead(name: str, same: list[dict[str, Any]] = same) -> str:
            interval = mean_ci95(np.array([row[f"lead_{name}"] for row in same]))
            half = interval.mean - interval.low if len(same) > 1 else same[0][f"lead_{name}_half"]
            return f"{interval.mean:+.3f} ± {half:.3f}"

        accuracies = " | ".join(f"{mean(name):.3f}" for name in PREDICTORS)
        nats = ", ".join(f"{mean(f'{name}_nats'):.2f}" for name in PREDICTORS[:3])
        print(
            f"| {' '.join((game, *changes))} | {episodes:,} | {len(same)} | {accuracies} "
            f"| {lead('offer')} | {lead('previous')} | {nats} |"
        )


def main() -> None:
    arguments = tyro.cli(Arguments, description=__doc__)
    torch.set_num_threads(1)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)

    def keep(row: dict[str, Any], changes: tuple[str, ...]) -> None:
        append(arguments.out, {**row, "set": list(changes)})
        print(f"{row['game']}, seed {row['seed']}: ours {row['ours']:.3f}, offer {row['offer']:.3f}", flush=True)

    if arguments.runs and not arguments.table:
        for run in arguments.runs:
            config = stored_config(run)
            usual = configuration(Job(game_of(config), config.leader, config.seed, config.episodes, ()))
            keep(row_of(run, arguments.evaluated), () if config == usual else (str(run),))
    elif not arguments.table:
        done = {key(row) for row in stored(arguments.out)}
        for seed, game in itertools.product(arguments.seeds, arguments.games):
            if (game, seed, arguments.episodes, arguments.set) not in done:
                keep(trained_row(game, seed, arguments), arguments.set)
    print_table(stored(arguments.out))


if __name__ == "__main__":
    main()
