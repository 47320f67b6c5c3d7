"""Time until a leader gains what full information gains, ours beside PPO of others: `python bench/train_peers.py`.

Every learner plays the same 32 games at a time, batched in the core, on one core. The default leader learns as
`paymaster train` has it learn. PPO of Stable-Baselines3, and PPO as CleanRL publishes it (plain_ppo.py), learn from the
vectors of `integrations.sb3_vec_env` and `BatchedLeaderVectors`, with the hyperparameters of their documentation and
networks of about as many weights as ours. The level is `full_information`'s gain (scripted.json). It is reached when
the mean gain of the last 256 finished training episodes is as high: offers are drawn, and nobody has played these games
before. A learner goes on for ten CPU seconds at least, so that its rate can be told, and stops after --minutes of CPU.

Rows go to train_peers.jsonl as they come; those that are there are not measured again. A run that a signal cuts short
(SIGTERM, SIGINT) is stored as such, and the next call measures it anew. Times are the process's CPU seconds and the
clock's, from the first step, without imports.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import plain_ppo
import torch
import tyro

from paymaster.algorithms import DEFAULT_LEADER
from paymaster.algorithms.process_group import SINGLE_PROCESS
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.integrations import BatchedLeaderVectors
from paymaster.play.rollout import Rollout
from paymaster.reproduction.specs import GAMES, Arm, train_config
from paymaster.training.allocator import keep_freed_memory
from paymaster.training.train import make_parts

HERE = Path(__file__).parent
PLAYED = ("RC completion", "MB completion")
NUM_ENVS, WINDOW, EPISODES = 32, 256, 10_000
LEAST_CPU_SECONDS = 10.0


class StoppedError(Exception):
    """A signal asks to stop."""


class Watch:
    """Counts steps and finished episodes, and tells when the level is reached.

    Args:
        level: of the mean gain.
        budget: CPU seconds.
    """

    def __init__(self, level: float, budget: float) -> None:
        self.level, self.budget = level, budget
        self.steps = self.episodes = 0
        self.reached: dict[str, float] | None = None
        self.curve: list[tuple[float, int, float]] = []  # CPU seconds, episodes, mean gain, at ever longer intervals
        self.cut = False
        self._gains: deque[float] = deque(maxlen=WINDOW)
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def add(self, steps: int, gains: Iterable[float]) -> float:
        """Count steps and the gains of episodes that finished with them; return the share of the time that is left."""
        self.steps += steps
        for gain in gains:
            self.episodes += 1
            self._gains.append(float(gain))
            if self.reached is None and len(self._gains) == WINDOW and self.gain() >= self.level:
                self.reached = {**self.spent(), "steps": self.steps, "episodes": self.episodes}
        cpu = self.spent()["cpu_seconds"]
        if len(self._gains) == WINDOW and cpu >= (self.curve[-1][0] * 1.1 if self.curve else 0):
            self.curve.append((round(cpu, 2), self.episodes, round(self.gain(), 3)))
        done = self.reached is not None and cpu >= LEAST_CPU_SECONDS
        return 0.0 if done else max(0.0, 1 - cpu / self.budget)

    def gain(self) -> float:
        """Return the mean gain of the last episodes."""
        return sum(self._gains) / max(1, len(self._gains))

    def spent(self) -> dict[str, float]:
        """Return CPU and wall seconds so far."""
        return {
            "cpu_seconds": round(time.process_time() - self._cpu, 3),
            "wall_seconds": round(time.perf_counter() - self._wall, 3),
        }

    def row(self) -> dict[str, Any]:
        """Return what is stored of a run."""
        own = {"steps": self.steps, "episodes": self.episodes, "last_gain": round(self.gain(), 3)}
        return {
            "level": self.level,
            **self.spent(),
            **own,
            "reached": self.reached,
            "cut": self.cut,
            "curve": self.curve,
        }


Begin = Callable[[], Watch]
Report = dict[str, Any]  # weights, settings, and the watch


def ours(game: str, seed: int, begin: Begin, report: Report) -> None:
    """Train the default leader."""
    config = train_config(Arm(game, DEFAULT_LEADER), seed, EPISODES)
    parts = make_parts(config, SINGLE_PROCESS)
    rollout = Rollout(parts.env, parts.leader, parts.generator)
    report["weights"] = weights(parts.leader.network)
    report["settings"] = f"{config.num_envs} games an update, {config.learner.epochs} epochs of one batch"
    watch = report["watch"] = begin()
    left = 1.0
    while left > 0:
        episodes, totals = rollout.play(explore=parts.leader.exploration_rate(watch.episodes))
        assert episodes is not None
        parts.leader.update(episodes, min(1.0, watch.episodes / EPISODES))
        left = watch.add(int(totals.length.sum()), totals.gain)


def sb3(game: str, seed: int, begin: Begin, report: Report) -> None:
    """Train PPO of Stable-Baselines3 with its default hyperparameters: 2,048 steps an update, of all games together."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback

    from paymaster.integrations import sb3_vec_env

    class Watching(BaseCallback):
        def _on_step(self) -> bool:
            infos = (self.locals["infos"][i] for i in np.flatnonzero(self.locals["dones"]))
            return watch.add(NUM_ENVS, [info["episode"]["r"] for info in infos]) > 0

    env = sb3_vec_env(GAMES[game].task, NUM_ENVS, seed, 1, payment=GAMES[game].payment)
    width = width_for(env.observation_space.shape[0], env.action_space.nvec.tolist())
    model = PPO(
        "MlpPolicy",
        env,
        n_steps=2_048 // NUM_ENVS,
        policy_kwargs={"net_arch": [width, width]},
        seed=seed,
        device="cpu",
    )
    report["weights"] = weights(model.policy)
    report["settings"] = (
        f"n_steps {model.n_steps} x {NUM_ENVS} games, batch {model.batch_size}, {model.n_epochs} epochs, "
        f"learning rate {model.learning_rate:g}, gamma {model.gamma:g}"
    )
    watch = report["watch"] = begin()
    model.learn(10**9, callback=Watching())


def cleanrl(game: str, seed: int, begin: Begin, report: Report) -> None:
    """Train PPO as CleanRL publishes it; the learning rate falls over the CPU time in place of the steps."""
    torch.manual_seed(seed)
    task, payment = GAMES[game].task, GAMES[game].payment
    env = BatchedLeaderVectors(LeaderVectorEnv(task, NUM_ENVS, seed, 1, autoreset_mode="SameStep", payment=payment))
    choices = env.single_action_space.nvec.tolist()
    features = env.single_observation_space.shape[0]
    agent, settings = plain_ppo.Agent(features, choices, width_for(features, choices)), plain_ppo.Settings()
    report["weights"] = weights(agent)
    batch = settings.num_steps * NUM_ENVS // settings.num_minibatches
    report["settings"] = (
        f"num_steps {settings.num_steps} x {NUM_ENVS} games, batch {batch}, "
        f"{settings.update_epochs} epochs, learning rate {settings.learning_rate:g}, gamma {settings.gamma:g}"
    )
    watch = report["watch"] = begin()
    plain_ppo.learn(env, agent, settings, lambda info: watch.add(NUM_ENVS, info["totals"]["gain"][info["over"]]))


LEARNERS = {"ours": ours, "SB3 PPO": sb3, "CleanRL PPO": cleanrl}


def weights(network: torch.nn.Module) -> int:
    """Return how many there are."""
    return sum(parameter.numel() for parameter in network.parameters())


def width_for(features: int, choices: list[int]) -> int:
    """Return the least width with which PPO's two networks have as many weights as the default leader's."""
    config = train_config(Arm(PLAYED[0], DEFAULT_LEADER), 0, EPISODES)
    wanted = weights(make_parts(config, SINGLE_PROCESS).leader.network)
    return next(width for width in range(8, 512) if weights(plain_ppo.Agent(features, choices, width)) >= wanted)


def level_of(game: str) -> float:
    """Return the gain of full information."""
    rows = json.loads((HERE / "scripted.json").read_text("utf-8"))
    of = (GAMES[game].task, GAMES[game].payment, "full_information")
    return next(float(row["gain"]) for row in rows if (row["task"], row["payment"], row["leader"]) == of)


def measure(learner: str, game: str, seed: int, budget: float) -> dict[str, Any]:
    """Return a row; one that is cut short says so."""
    report: Report = {}
    cut = False
    try:
        LEARNERS[learner](game, seed, lambda: Watch(level_of(game), budget), report)
    except StoppedError:
        cut = True
    watch: Watch = report.pop("watch")
    watch.cut = cut and watch.reached is None
    return {"learner": learner, "game": game, "seed": seed, "budget": budget, **report, **watch.row()}


def stored(out: Path) -> list[dict[str, Any]]:
    """Return the rows of a file; none where there is no file."""
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()] if out.exists() else []


def store(out: Path, row: dict[str, Any]) -> None:
    """Add a row in place of one of the same run that was cut short."""
    key = ("learner", "game", "seed")
    rows = [old for old in stored(out) if any(old[name] != row[name] for name in key)]
    new = out.with_suffix(".new")
    new.write_text("".join(json.dumps(one) + "\n" for one in [*rows, row]), "utf-8")
    new.replace(out)


def stop(*_: object) -> None:
    """Take a signal."""
    raise StoppedError


def main(
    learners: tuple[str, ...] = tuple(LEARNERS),
    games: tuple[str, ...] = PLAYED,
    seeds: int = 5,
    peer_seeds: int = 1,
    minutes: float = 30.0,
    out: Path = HERE / "train_peers.jsonl",
) -> None:
    """Measure what is not stored yet, and store it.

    Args:
        learners: of "ours", "SB3 PPO", "CleanRL PPO".
        games: names (paymaster.reproduction.specs.GAMES).
        seeds: of ours.
        peer_seeds: of the others.
        minutes: of CPU after which a run stops.
        out: file of rows.
    """
    torch.set_num_threads(1)
    keep_freed_memory()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    runs = [
        (name, game, seed)
        for name in learners
        for game in games
        for seed in range(seeds if name == "ours" else peer_seeds)
    ]
    for name, game, seed in sorted(runs, key=lambda run: (run[0] != "ours", run[2], PLAYED.index(run[1]))):
        done = any(
            (row["learner"], row["game"], row["seed"]) == (name, game, seed) and not row["cut"] for row in stored(out)
        )
        if done:
            continue
        row = measure(name, game, seed, 60 * minutes)
        store(out, row)
        print({name: value for name, value in row.items() if name != "curve"}, flush=True)
        if row["cut"]:
            sys.exit(1)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
