"""Where a leader is rewarded for more than its gain, what is shown of it is that, by its name."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import paymaster
from command_line import SMALL, TASK, own_folder  # noqa: F401 (a fixture)
from paymaster.analysis import report
from paymaster.analysis.comparison_plot import plot_comparison
from paymaster.analysis.evaluate import evaluate_run, evaluate_scripted
from paymaster.analysis.learning_curve import plot_learning_curve
from paymaster.commands.main import main
from paymaster.training.callbacks import EarlyStopping
from paymaster.training.config import TrainConfig
from paymaster.training.progress import TrainingProgress
from paymaster.training.train import train

WELFARE = {"weight_welfare": 2.0}
OPTIONS = ["--weight-welfare", "2"]


def test_progress_shows_the_objective_beside_the_gain(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", TASK, *SMALL, *OPTIONS, "--out", "run"]) == 0
    row = json.loads(Path("run/metrics.jsonl").read_text().splitlines()[0])
    line = f"objective {row['objective']:.2f}  gain {row['gain']:.2f}"
    assert row["objective"] != row["gain"] and line in capsys.readouterr().out
    out = io.StringIO()
    with TrainingProgress(8, console=Console(file=out)) as progress:
        progress.update(8, gain=1.0, objective=None)
    assert "gain 1.00" in out.getvalue() and "objective" not in out.getvalue()


@pytest.mark.slow
def test_the_learning_curve_is_the_objectives(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[Any, dict[str, Any]]] = []

    def spy(metrics: Any, out: Path, references: Any, **how: Any) -> None:
        drawn.append((references, how))
        plot_learning_curve(metrics, out, references, **how)

    monkeypatch.setattr("paymaster.analysis.learning_curve.plot_learning_curve", spy)
    for words in ([], OPTIONS):
        assert main(["train", TASK, *SMALL[:-2], "--evaluate", "4", *words]) == 0
    assert [how["measure"] for _, how in drawn] == ["gain", "objective"]
    expected = evaluate_scripted("fixed", TASK, 4, parameters=WELFARE).objectives["objective"].mean()
    assert drawn[1][0]["fixed"] == pytest.approx(expected) != drawn[0][0]["fixed"]
    assert report.rewarded(TrainConfig(TASK, parameters=WELFARE)) == "objective"
    with pytest.raises(ValueError, match="at least one row with episode and objective"):
        plot_learning_curve([{"episode": 8, "gain": 1.0}], "x.png", measure="objective")


def test_leaders_are_compared_by_it(capsys: pytest.CaptureFixture[str]) -> None:
    config = TrainConfig(TASK, episodes=16, num_envs=8, hidden=8, parameters=WELFARE)
    train(config, Path("run"))
    comparison = paymaster.compare([Path("run"), "fixed"], episodes=10)
    learned = comparison.baseline
    one, other = evaluate_run(Path("run"), 10), evaluate_scripted("fixed", TASK, 10, parameters=WELFARE)
    assert comparison.rewarded(TASK) == "objective"
    assert (comparison.returns(learned, TASK)[0] == one.objectives["objective"]).all()
    difference = (other.objectives["objective"] - one.objectives["objective"]).mean()
    assert comparison.difference("fixed", TASK).value == pytest.approx(float(difference), rel=1e-5)
    assert comparison.gain("fixed", TASK).value == pytest.approx(float(other.gain.mean()))
    assert comparison.scores(learned)[0, 0] == pytest.approx(float(one.returns.mean()), rel=1e-6)
    told = comparison.to_json()
    assert told["rewarded"] == {TASK: "objective"}
    assert told["leaders"][1]["tasks"][TASK].keys() == {"gain", "objective", "difference"}
    plot_comparison(comparison, "picture.png")
    capsys.readouterr()
    assert main(["compare", "run", "fixed", "--episodes", "10"]) == 0
    shown = capsys.readouterr().out
    assert "objective" in shown and "objective more than" in " ".join(shown.split()) and "gain" in shown
    pytest.importorskip("pandas")
    assert {"objective", "welfare", "gain"} <= set(comparison.frame().columns)
    plain = paymaster.compare(["fixed", "random"], [TASK], episodes=4)
    assert plain.rewarded(TASK) == "gain" and plain.to_json()["leaders"][0]["tasks"][TASK].keys() == {
        "gain",
        "difference",
    }


def test_early_stopping_goes_by_it(tmp_path: Path) -> None:
    config = TrainConfig(TASK, episodes=8, num_envs=8, hidden=8, evaluate_every=8, evaluate_episodes=4)
    for one, measure in ((config, "gain"), (dataclasses.replace(config, parameters=WELFARE), "objective")):
        stopping = EarlyStopping()
        train(one, tmp_path / measure, callbacks=[stopping])
        row = json.loads((tmp_path / measure / "metrics.jsonl").read_text().splitlines()[-1])
        assert stopping.measure == f"evaluation_{measure}" and stopping.best == row[f"evaluation_{measure}"]
