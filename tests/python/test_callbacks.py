"""Callbacks and evaluation while training: what is called when, and that no number of the training depends on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import paymaster
from paymaster.algorithms import EBPG
from paymaster.algorithms.process_group import SINGLE_PROCESS, Ranks
from paymaster.analysis.evaluate import evaluate_run
from paymaster.commands.main import main
from paymaster.storage.checkpoint import latest_checkpoint, list_checkpoints, load_checkpoint
from paymaster.training import train as loop
from paymaster.training.callbacks import Callback, EarlyStopping, TrainingStart
from paymaster.training.config import TrainConfig
from paymaster.training.seeds import WHILE_TRAINING
from paymaster.training.train import train
from rest_slow import rest_slow
from small_runs import SMALL, TASK, Killed, die_at

EVALUATED = replace(SMALL, evaluate_every=20, evaluate_episodes=12)
LEARNING = {
    kind: replace(EVALUATED, parameters={"followers": kind, "payment": "advance_once"}) for kind in ("meta", "q")
}


def rows(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


class Diary(Callback):
    """Write down all that is called."""

    def __init__(self, stop_at: int = -1) -> None:
        self.entries: list[tuple[str, int]] = []
        self.rows: list[Mapping[str, Any]] = []
        self.stop_at = stop_at

    def on_start(self, start: TrainingStart) -> None:
        assert start.config.task == TASK and start.out.is_dir()
        self.earlier = list(start.rows)
        self.entries.append(("start", start.done))

    def on_update(self, done: int, row: Mapping[str, Any]) -> bool:
        self.entries.append(("update", done))
        self.rows.append(row)
        return done == self.stop_at

    def on_evaluation(self, done: int, row: Mapping[str, Any]) -> None:
        assert "evaluation_gain" in row
        self.entries.append(("evaluation", done))

    def on_checkpoint(self, done: int, path: Path) -> None:
        assert path.exists()
        self.entries.append(("checkpoint", done))

    def on_end(self, done: int) -> None:
        self.entries.append(("end", done))


def test_what_is_called_when(tmp_path: Path) -> None:
    diary = Diary()
    train(EVALUATED, tmp_path / "run", callbacks=[diary])
    expected: list[tuple[str, int]] = [("start", 0)]
    for done in range(8, 65, 8):
        expected.append(("update", done))
        expected += [("evaluation", done)] * (done in (24, 40, 64))  # the first updates at or beyond 20, 40, 60
        expected += [("checkpoint", done)] * (done % 16 == 0)
    assert diary.entries == [*expected, ("end", 64)]
    assert [{"episode": 8 * (i + 1), **row} for i, row in enumerate(diary.rows)] == rows(tmp_path / "run")
    assert diary.earlier == []


@pytest.mark.parametrize("followers", rest_slow(["rule", *LEARNING], lambda kind: kind != "meta"))
def test_an_evaluation_changes_no_number(followers: str, tmp_path: Path) -> None:
    """Metrics, weights, games, generators and statistics are those of a run without it, to the bit."""
    config = LEARNING.get(followers, EVALUATED)
    train(config, tmp_path / "with", callbacks=[Diary()])
    train(replace(config, evaluate_every=None, evaluate_episodes=100), tmp_path / "without")
    trained = [
        {name: value for name, value in row.items() if not name.startswith("evaluation_")}
        for row in rows(tmp_path / "with")
    ]
    assert trained == rows(tmp_path / "without")
    one, other = (load_checkpoint(latest_checkpoint(tmp_path / name)).tensors for name in ("with", "without"))
    for group, entries in one.items():
        for name, tensor in entries.items():
            assert torch.equal(tensor, other[group][name]), f"{group}/{name}"


@pytest.mark.parametrize("followers", rest_slow(["rule", *LEARNING], lambda kind: kind != "meta"))
def test_it_is_what_an_evaluation_of_the_run_says(followers: str, tmp_path: Path) -> None:
    train(LEARNING.get(followers, EVALUATED), tmp_path / "run")
    last, result = rows(tmp_path / "run")[-1], evaluate_run(tmp_path / "run", 12, seed=WHILE_TRAINING)
    for name in ("gain", "payments", "incentive", "follower_reward"):
        assert last[f"evaluation_{name}"] == pytest.approx(float(getattr(result, name).mean())), name
    assert last["evaluation_completions"] == pytest.approx(float(result.completions.sum(-1).mean()))
    assert [row["episode"] for row in rows(tmp_path / "run") if "evaluation_gain" in row] == [24, 40, 64]


@pytest.mark.parametrize("update", rest_slow([1, 4, 6], lambda update: update == 4))
def test_killed_and_resumed_it_is_evaluated_alike(update: int, tmp_path: Path) -> None:
    train(EVALUATED, tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, EBPG, "update", update)
        with pytest.raises(Killed):
            train(EVALUATED, tmp_path / "killed")
    diary = Diary()
    train(TrainConfig(TASK), tmp_path / "killed", resume=True, callbacks=[diary])
    assert (tmp_path / "killed/metrics.jsonl").read_bytes() == (tmp_path / "whole/metrics.jsonl").read_bytes()
    saved = 16 * ((update - 1) // 2)
    assert diary.entries[0] == ("start", saved)
    assert diary.earlier == rows(tmp_path / "whole")[: saved // 8]


def test_it_stands_in_tensorboard(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(EVALUATED, tmp_path / "run")
    events = EventAccumulator(str(tmp_path / "run")).Reload()
    shown = {event.step: event.value for event in events.Scalars("evaluation_gain")}
    kept = {row["episode"]: row["evaluation_gain"] for row in rows(tmp_path / "run") if "evaluation_gain" in row}
    assert shown == pytest.approx(kept)


def test_a_callback_stops_a_training_that_can_go_on(tmp_path: Path) -> None:
    train(SMALL, tmp_path / "whole")
    diary = Diary(stop_at=24)
    train(SMALL, tmp_path / "stopped", callbacks=[Diary(), diary])
    assert diary.entries[-3:] == [("update", 24), ("checkpoint", 24), ("end", 24)]
    assert list_checkpoints(tmp_path / "stopped")[-1].stem == "checkpoint-00000024"
    train(TrainConfig(TASK), tmp_path / "stopped", resume=True)
    assert (tmp_path / "stopped/metrics.jsonl").read_bytes() == (tmp_path / "whole/metrics.jsonl").read_bytes()


def test_what_a_callback_raises_comes_out(tmp_path: Path) -> None:
    class Fails(Diary):
        def on_update(self, done: int, row: Mapping[str, Any]) -> bool:
            if done == 40:
                raise LookupError("enough")
            return super().on_update(done, row)

    diary = Fails()
    with pytest.raises(LookupError, match="enough"):
        train(SMALL, tmp_path / "run", callbacks=[diary])
    assert diary.entries[-1] == ("end", 40) and list_checkpoints(tmp_path / "run")[-1].stem == "checkpoint-00000032"
    train(TrainConfig(TASK), tmp_path / "run", resume=True)
    assert rows(tmp_path / "run")[-1]["episode"] == 64


def test_ranks_stop_together(tmp_path: Path) -> None:
    """Only rank 0 is asked; all learn of it."""
    asked: list[dict[str, float]] = []

    class Two(Ranks):
        """Ranks of whom another one says to stop."""

        def mean(self, numbers: Mapping[str, float]) -> dict[str, float]:
            asked.append(dict(numbers))
            return {**numbers, "stopped": 0.5} if "stopped" in numbers and len(asked) > 4 else dict(numbers)

    parts = loop.make_parts(SMALL, SINGLE_PROCESS)
    object.__setattr__(parts, "ranks", Two())
    loop._training_loop(SMALL, tmp_path, None, parts, 0, loop.Callbacks([Callback()]), None)
    assert [numbers for numbers in asked if "stopped" in numbers] == [{"stopped": 0.0}] * 3  # start, two updates


def evaluations(values: list[float], stopping: EarlyStopping, first: int = 0) -> list[bool]:
    return [stopping.on_evaluation(first + i, {"evaluation_gain": value}) for i, value in enumerate(values)]


def test_early_stopping_counts_evaluations_without_a_new_best() -> None:
    start = TrainingStart(EVALUATED, Path(), 0, [])
    stopping = EarlyStopping(patience=2, by=0.5)
    stopping.on_start(start)
    assert evaluations([1.0, 2.0, 2.4, 2.6, 3.0, 2.9], stopping) == [False, False, False, False, False, True]
    assert (stopping.best, stopping.best_episode) == (2.6, 3)
    stopping.on_start(start)  # of another training
    assert evaluations([0.0, 1.0, 0.0], stopping) == [False, False, False]
    earlier = [{"episode": i, "evaluation_gain": value} for i, value in enumerate([1.0, 2.0, 1.5])]
    stopping.on_start(TrainingStart(EVALUATED, Path(), 24, [*earlier, {"episode": 4, "gain": 9.0}]))
    assert (stopping.best, stopping.best_episode) == (2.0, 1)
    assert evaluations([1.0], stopping, 5) == [True]


def test_early_stopping_ends_a_training_where_it_would_unbroken(tmp_path: Path) -> None:
    """Also where it was stopped before: then it makes no step more."""
    config = replace(EVALUATED, evaluate_every=8, learner=replace(EVALUATED.learner, learning_rate=1e-9))
    train(config, tmp_path / "whole", callbacks=[EarlyStopping(patience=2, by=0.3)])
    gains = [row["evaluation_gain"] for row in rows(tmp_path / "whole")]
    assert 2 < len(gains) < 8 and max(gains[:-2]) >= max(gains[-2:]) - 0.3
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, EBPG, "update", len(gains))
        with pytest.raises(Killed):
            train(config, tmp_path / "killed", callbacks=[EarlyStopping(patience=2, by=0.3)])
    for _ in range(2):
        train(TrainConfig(TASK), tmp_path / "killed", resume=True, callbacks=[EarlyStopping(patience=2, by=0.3)])
        assert rows(tmp_path / "killed") == rows(tmp_path / "whole")


def test_callbacks_that_make_no_sense(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"callbacks: expected paymaster\.Callback, got function"):
        train(SMALL, tmp_path / "run", callbacks=[lambda: None])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="evaluate_every: expected a number of episodes with EarlyStopping, got None"):
        train(SMALL, tmp_path / "run", callbacks=[EarlyStopping()])
    with pytest.raises(ValueError, match=r"measure: expected one of .*evaluation_gain.*, got 'loss_of_face'"):
        train(EVALUATED, tmp_path / "other", callbacks=[EarlyStopping(measure="loss_of_face")])
    for arguments, error in (
        ({"patience": 0}, "patience: expected a value in"),
        ({"patience": "x"}, "patience: expected an int, got str"),
        ({"by": np.nan}, "by: expected a num"),
        ({"by": "x"}, "by: expected a number, got str"),
        ({"measure": 3}, "measure: expected a name, got int"),
    ):
        with pytest.raises((ValueError, TypeError), match=error):
            EarlyStopping(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("callbacks", "error"),
    [
        (
            EarlyStopping(),
            r"^callbacks: expected a list of paymaster.Callback, got EarlyStopping alone; write .*\[\.\.\.\]",
        ),
        (3, "callbacks: expected a list of paymaster.Callback, got int"),
        ([EarlyStopping], "callbacks: expected paymaster.Callback, got the class EarlyStopping; make one of it"),
        ([EarlyStopping()], "evaluate_every: expected a number of episodes with EarlyStopping, got None"),
    ],
)
def test_refused_callbacks_leave_nothing_behind(callbacks: Any, error: str, tmp_path: Path) -> None:
    with pytest.raises((ValueError, TypeError), match=error):
        train(SMALL, tmp_path / "runs" / "run", callbacks=callbacks)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "run").mkdir()
    with pytest.raises((ValueError, TypeError), match=error):
        train(SMALL, tmp_path / "run", callbacks=callbacks)
    assert list((tmp_path / "run").iterdir()) == []


def test_a_measure_that_the_run_has_not_is_refused_at_once(tmp_path: Path) -> None:
    for measure in ("evaluation_objective", "evaluation_gian"):
        with pytest.raises(ValueError, match=f"measure: expected one of evaluation_gain, .*, got '{measure}'"):
            train(EVALUATED, tmp_path / "run", callbacks=[EarlyStopping(measure=measure)])
    assert list(tmp_path.iterdir()) == []


def test_what_a_run_has_learned_stays(tmp_path: Path) -> None:
    """Also where a callback refuses a run that is resumed, or after the first update."""

    class Refuses(Callback):
        def on_update(self, done: int, row: Mapping[str, Any]) -> bool:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        train(SMALL, tmp_path / "run", callbacks=[Refuses()])
    assert rows(tmp_path / "run")[-1]["episode"] == 8
    with pytest.raises(ValueError, match="evaluate_every"):
        train(TrainConfig(TASK), tmp_path / "run", resume=True, callbacks=[EarlyStopping()])
    assert (tmp_path / "run/config.json").exists()


@pytest.mark.slow
def test_the_command_evaluates_while_it_trains(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--episodes", "32", "--num-envs", "8", "--hidden", "8", "--evaluate", "0", "--out", str(tmp_path / "run")]
    assert main(["train", TASK, *words, "--evaluate-every", "16", "--evaluate-episodes", "6"]) == 0
    assert "with its tuned settings but num_envs=8, hidden=8 on" in capsys.readouterr().out  # it is no departure
    assert [("evaluation_gain" in row) for row in rows(tmp_path / "run")] == [False, True, False, True]
    assert paymaster.TrainConfig(TASK).to_json().keys().isdisjoint({"evaluate_every", "q_learner", "env"})
