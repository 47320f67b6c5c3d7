"""A search for a learning rate that gives up hopeless trainings early: `pip install optuna`, then

    python docs/examples/optuna_pruning.py

Every evaluation during training is reported to Optuna, whose pruner ends a trial that does worse than the others did.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import optuna

import paymaster
from paymaster.algorithms import EBPGConfig, leader_kind
from paymaster.training.callbacks import Row


class Pruning(paymaster.Callback):
    """Report evaluations to a trial, and end it where the pruner says so."""

    def __init__(self, trial: optuna.Trial) -> None:
        self.trial, self.gain = trial, float("-inf")

    def on_evaluation(self, done: int, row: Row) -> None:
        self.gain = row["evaluation_gain"]
        self.trial.report(self.gain, step=done)
        if self.trial.should_prune():
            raise optuna.TrialPruned  # comes out of train(), to Optuna


def main(trials: int = 8, episodes: int = 1_600, out: Path | None = None) -> optuna.Study:
    usual = vars(leader_kind("ebpg-expiring").learner)

    def objective(trial: optuna.Trial) -> float:
        rate = trial.suggest_float("learning_rate", 1e-4, 3e-2, log=True)
        learner = EBPGConfig(**{**usual, "learning_rate": rate, "critic_learning_rate": rate})
        config = paymaster.TrainConfig(
            "resource_collection", episodes=episodes, learner=learner, evaluate_every=episodes // 5
        )
        pruning = Pruning(trial)
        paymaster.train(config, folder / f"trial{trial.number}", callbacks=[pruning])
        return pruning.gain

    sampler, pruner = optuna.samplers.TPESampler(seed=0), optuna.pruners.MedianPruner(n_startup_trials=2)
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
    with tempfile.TemporaryDirectory() as scratch:
        folder = out or Path(scratch)
        study.optimize(objective, n_trials=trials)
    pruned = sum(trial.state is optuna.trial.TrialState.PRUNED for trial in study.trials)
    print(f"best gain {study.best_value:.2f} with {study.best_params}; {pruned} of {trials} trials pruned")
    return study


if __name__ == "__main__":
    main()
