"""Reports from made-up rows: every figure is drawn, tabled and judged by what the rows say."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from paymaster.algorithms.tuned import tuned_settings
from paymaster.commands.main import main
from paymaster.reproduction import report as writing
from paymaster.reproduction import reproduce as module
from paymaster.reproduction.drawing import draw_figure
from paymaster.reproduction.field import CHOICES, chosen_by
from paymaster.reproduction.figures import FIGURES, figure
from paymaster.reproduction.names import FIGURE_NAMES, OTHER_NAMES
from paymaster.reproduction.plan import Figure
from paymaster.reproduction.progress import JobsProgress
from paymaster.reproduction.reproduce import reproduce
from paymaster.reproduction.results import Results
from paymaster.reproduction.rows import BOUND, row_path, write_row
from paymaster.reproduction.runs import RunJob, jobs_of
from paymaster.reproduction.scales import SCALES
from paymaster.reproduction.scripted_job import ScriptedJob
from paymaster.reproduction.specs import key
from paymaster.storage.sealed import open_json, sealed_json

SMOKE, SEEDS = SCALES["smoke"], 3
FAST = {"fig3", "incentive", "number-of-followers"}
GAIN = {"m3rl": 4.0, "no-ebpg": 5.0, "no-attention": 5.0, "ebpg-sparse": 20.0, "ebpg": 8.0, "ebpg-expiring": 12.0}


def made_up(out: Path, job: RunJob | ScriptedJob) -> None:
    """A row of ``job``: gain as above, a little higher for higher seeds, less under noise."""
    rest = dict.fromkeys(("payments", "completions", "new_offers", "option_length"), 1.0)
    if isinstance(job, ScriptedJob) and job.leader == BOUND:
        bound = {"gain": 20.0, "episodes": job.evaluated}
        write_row(out, job.key, {"name": job.name, "parameters": job.parameters(), **bound})
        return
    if isinstance(job, ScriptedJob):
        means = {"gain": 16.0, "incentive": 16.0, "follower_reward": 16.0, **rest, "episodes": job.evaluated}
        write_row(out, job.key, {"name": job.name, "parameters": job.parameters(), **means})
        return
    gain = GAIN.get(job.config.leader, 6.0) + 0.01 * job.config.seed
    evaluations = {}
    for played in job.played:
        noisy = gain * (1 - played.noise)
        own = {"gain": noisy, "incentive": gain, "follower_reward": gain, **rest, "episodes": job.evaluated}
        evaluations[played.name] = own
    curve = {"episode": [32, 64], "gain": [0.0, gain]}
    training = {"curve": curve, "learning_gain": gain / 2, "seconds": None, "memory": 2.0}
    probes = {
        "attention": {"attention_ended": 0.4 + 0.001 * job.config.seed, "attention_running": 0.2},
        "insight": {"insight_termination": None, "insight_prediction": 0.9},
        "prediction": {
            f"prediction_{name}": value
            for name, value in (("module", 0.9), ("offer", 0.8), ("previous", 0.7), ("move", 0.9))
        }
        | {f"prediction_{name}_nats": -0.1 for name in ("module", "offer", "previous")},
    }
    measured = {"training": training, "evaluations": evaluations, **probes}
    write_row(out, key(job.config), {"name": job.name, "config": job.config.to_json(), **measured})


def drawn_if_fast(drawn: Figure, results: Results, out_png: Path) -> None:
    """Draw the first panels of figures that have panels of all kinds; all of them take seconds."""
    if out_png.stem in FAST:
        draw_figure(dataclasses.replace(drawn, panels=drawn.panels[:2]), results, out_png)
    else:
        out_png.write_bytes(b"\x89PNG")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("paper")
    for job in jobs_of([figure(name, SMOKE) for name in FIGURES], SMOKE, SEEDS):
        made_up(out, job)
        assert job.done(out)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "run_jobs", lambda jobs, *_: iter([[]] if not jobs else pytest.fail("all is there")))
        patch.setattr(writing, "draw_figure", drawn_if_fast)
        report = reproduce(FIGURE_NAMES, SMOKE, SEEDS, 1, out, Console(file=io.StringIO()))
        assert report == out / "report.md"
        for name in OTHER_NAMES:
            assert reproduce([name], SMOKE, SEEDS, 1, out, Console(file=io.StringIO())) == out / f"{name}.md"
    return out


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_written(out: Path, name: str) -> None:
    assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    text = (out / f"{name}.md").read_text()
    assert "nothing about the paper" in text and f"({name}.png)" in text
    assert rows(out / f"{name}.csv")
    verdicts = rows(out / f"{name}-verdicts.csv")
    assert {row["verdict"] for row in verdicts} <= {"holds", "does not hold", "undecided"}
    assert ("undecided" in text) == bool(verdicts)
    of_the_paper = name in FIGURE_NAMES
    assert (f"({name}.md)" in (out / "report.md").read_text()) == of_the_paper == ("| the paper says |" in text)


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_drawn(out: Path, name: str, tmp_path: Path) -> None:
    draw_figure(figure(name, SMOKE), Results(out, SMOKE, SEEDS), tmp_path / "drawn.png")
    assert (tmp_path / "drawn.png").read_bytes().startswith(b"\x89PNG")


def verdicts(out: Path, name: str, **where: str) -> set[str]:
    found = {
        row["verdict"]
        for row in rows(out / f"{name}-verdicts.csv")
        if all(row[column] == value for column, value in where.items())
    }
    assert found
    return found


def test_verdicts_follow_from_the_rows(out: Path) -> None:
    assert verdicts(out, "fig3", statement="outperforms M3RL in all tasks") == {"holds"}
    assert verdicts(out, "fig3", quantity="gain of m3rl") == {"does not hold"}  # is said to be below zero
    assert verdicts(out, "sparse-vs-dense") == {"does not hold"}
    assert verdicts(out, "attention") == {"holds"}
    assert verdicts(out, "two-time-scale") == {"undecided"}  # the same numbers in both
    gap = {"statement": "more than 5 above M3RL", "regime": "ours"}
    assert verdicts(out, "table1", method="ebpg", **gap) == {"does not hold"}
    assert verdicts(out, "table1", method="ebpg-expiring", case="noise 0%", **gap) == {"holds"}
    assert verdicts(out, "table1", method="ebpg-expiring", case="noise 50%", **gap) == {"does not hold"}
    assert verdicts(out, "table1", statement="falls less with noise than M3RL", method="ebpg") == {"does not hold"}
    assert verdicts(out, "fig4", statement="without abstraction the reward is below zero") == {"does not hold"}


def test_the_report_has_every_statement_at_a_glance(out: Path) -> None:
    text = (out / "report.md").read_text()
    line = "| [table1](table1.md) | more than 5 above M3RL | ours | does not hold (0 of 2) | does not hold (1 of 2) |"
    assert "| figure | the paper says | regime | ebpg | ebpg-expiring |" in text and line in text


def test_numbers_are_those_of_the_rows(out: Path) -> None:
    (row,) = (
        row for row in rows(out / "fig3.csv") if row["panel"] == "RC completion, our regime" and row["leader"] == "ebpg"
    )
    assert (row["measure"], row["seeds"], row["values"]) == ("gain", "3", "8.0 8.01 8.02")
    assert float(row["mean"]) == pytest.approx(8.01)
    assert 8.0 <= float(row["mean_low"]) <= 8.01 <= float(row["mean_high"]) <= 8.02
    text = (out / "fig3.md").read_text()
    assert "| ebpg | 0.50 [0.50, 0.50] | 0.50 [0.50, 0.50] | 1.00 [1.00, 1.00] |" in text  # of 16; against m3rl
    assert "| panel | at | ebpg-expiring | ebpg | no-ebpg | no-attention | m3rl |" in text
    one = f"{float(row['mean']):.2f} [{float(row['mean_low']):.2f}, {float(row['mean_high']):.2f}]"
    shown = next(line for line in text.splitlines() if line.startswith("| RC completion, our regime | RC completion |"))
    assert shown.split(" | ")[3] == one  # second of the leaders
    assert shown.endswith("| 16.00 | 16.00 | 20.00 |")  # nearest, told_best and the bound
    assert "| `nearest` | `told_best` | upper bound |" in text
    curves = [row for row in rows(out / "fig3-curves.csv") if row["leader"] == "ebpg"]
    assert [float(row["mean"]) for row in curves[:2]] == pytest.approx([0.0, 8.01])
    untimed = [row for row in rows(out / "number-of-followers.csv") if row["measure"] == "seconds"]
    assert untimed and all(row["mean"] == "" for row in untimed)


def test_leaders_are_held_against_the_default_and_the_games_reference(out: Path) -> None:
    assert verdicts(out, "leaders", statement="better than m3rl", regime="ours") == {"holds"}
    text = (out / "leaders.md").read_text()  # of 16: the mean over games, and game by game
    assert "| ebpg-expiring | 0.75 [0.75, 0.75] | 0.75 [0.75, 0.75] | 1.00 [1.00, 1.00] | 75% |" in text
    assert "| termination probability, on the grid | RC completion | - | - |" in text
    assert verdicts(out, "prediction", statement="foresees more than the offer before") == {"holds"}
    assert verdicts(out, "prediction", statement="foresees more than the planner") == {"undecided"}


def test_the_best_settings_of_the_same_choice_are_written(tmp_path: Path) -> None:
    """Of those alike, the first; made better, another."""
    given = ["reproduce", "tuning", "--scale", "smoke", "--seeds", "1", "--jobs", "1"]
    best = tmp_path / "tuned.json"
    for job in jobs_of([figure("tuning", SMOKE)], SMOKE, 1):
        made_up(tmp_path, job)
        if isinstance(job, RunJob) and (job.config.leader, job.config.learner.learning_rate) == ("m3rl", 0.003):
            resealed(
                row_path(tmp_path, key(job.config)), lambda row: row["evaluations"]["sampled, noise 0"].update(gain=9)
            )
    assert main([*given, "--out", str(tmp_path), "--write-tuned", str(best)]) == 0
    chosen = json.loads(best.read_text())
    assert {leader: settings["learning_rate"] for leader, settings in chosen.items()} == {
        "ebpg-expiring": 3e-4,
        "m3rl": 0.003,
    }
    assert chosen["m3rl"].keys() == tuned_settings("m3rl").keys()
    assert main(["reproduce", "fig3", "--write-tuned", str(best)]) == 2


def test_the_best_of_four_settings_is_chosen_for_a_method_of_the_field(tmp_path: Path) -> None:
    """By the mean share over the games; of those alike, the first."""
    for job in jobs_of([figure("field", SMOKE)], SMOKE, 1):
        made_up(tmp_path, job)
        tried = isinstance(job, RunJob) and job.config.seed == 100 and job.config.leader == "ucb"
        if tried and job.config.bandit.alpha == 1.0:
            resealed(
                row_path(tmp_path, key(job.config)), lambda row: row["evaluations"]["sampled, noise 0"].update(gain=9)
            )
    chosen = chosen_by(Results(tmp_path, SMOKE, 1))
    assert chosen == {"ucb": "bandit.alpha 1", "metagradient": "designer.learning_rate 0.003"}
    assert all(name in CHOICES[leader] for leader, name in chosen.items())


def test_a_damaged_row_is_named(tmp_path: Path) -> None:
    jobs = jobs_of([figure("attention", SMOKE)], SMOKE, 1)
    made_up(tmp_path, jobs[0])
    (path,) = (tmp_path / "rows").iterdir()
    content = path.read_bytes()
    for damaged in (content[:40], content[:-30], b"", content.replace(b'"memory": 2.0', b'"memory": 1.0')):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=rf"^{path}: .*expected .*\. Delete the file to have it measured anew"):
            reproduce(["attention"], SMOKE, 1, 1, tmp_path, Console(file=io.StringIO()))


def resealed(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Changes a row, and gives it the right digest."""
    row = open_json(path.read_bytes(), "row")
    change(row)
    path.write_bytes(sealed_json(row))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row: row["training"].update(learning_gain="1"), r"training\.learning_gain: expected a number, got '1'"),
        (lambda row: row["training"]["curve"].update(gain=[1.0]), r"training\.curve\.gain: expected 2 numbers"),
        (lambda row: row["training"].pop("seconds"), r"training\.seconds: expected .* got nothing"),
        (
            lambda row: row.update(attention={"attention_ended": 2.0, "attention_running": None}),
            "in \\[0, 1\\] or null, got",
        ),
        (
            lambda row: next(iter(row["evaluations"].values())).update(episodes=True),
            "episodes: expected a whole number",
        ),
        (lambda row: row.update(more=1), "'more': expected one of the fields"),
        (lambda row: row["config"]["learner"].update(gamma=0.5), r"key: expected '.*', got '.*' by its configuration"),
        (lambda row: row["config"].pop("parameters"), "config: expected the fields of a training run"),
        (lambda row: row.update(key="other"), "key: expected '.*', got 'other' by its name"),
    ],
)
def test_each_field_of_a_row_is_checked(tmp_path: Path, change: Callable[[dict[str, Any]], Any], message: str) -> None:
    job = jobs_of([figure("attention", SMOKE)], SMOKE, 1)[0]
    assert isinstance(job, RunJob)
    made_up(tmp_path, job)
    (path,) = (tmp_path / "rows").iterdir()
    resealed(path, change)
    with pytest.raises(ValueError, match=message) as caught:
        job.done(tmp_path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_row_of_another_run_is_refused(tmp_path: Path) -> None:
    one, other, *_ = jobs_of([figure("attention", SMOKE)], SMOKE, 1)
    reference = next(j for j in jobs_of([figure("fig3", SMOKE)], SMOKE, 1) if isinstance(j, ScriptedJob))
    for job in (one, reference):
        made_up(tmp_path, job)
    assert isinstance(one, RunJob) and isinstance(other, RunJob)
    row_path(tmp_path, key(one.config)).rename(row_path(tmp_path, key(other.config)))
    with pytest.raises(ValueError, match=r"key: expected .* it is the row of another run"):
        other.done(tmp_path)
    moved = dataclasses.replace(reference, evaluated=reference.evaluated + 1)
    row_path(tmp_path, reference.key).rename(row_path(tmp_path, moved.key))
    with pytest.raises(ValueError, match=r"key: expected .* it is the row of another run"):
        moved.done(tmp_path)


def test_time_left_is_by_the_cost_of_what_is_left(tmp_path: Path) -> None:
    jobs = jobs_of([figure("fig3", SMOKE)], SMOKE, 1)
    now = [0.0]
    text = io.StringIO()
    with JobsProgress(jobs, jobs[:3], tmp_path, Console(file=text), lambda: now[0]) as progress:
        now[0] = jobs[0].cost
        progress.finished(jobs[0], None)
        progress.running([jobs[1]])
        now[0] += jobs[1].cost
        progress.finished(jobs[1], "it broke")
    first, second, error = text.getvalue().splitlines()
    seconds = round(jobs[1].cost + jobs[2].cost)
    assert first == f"{len(jobs) - 2}/{len(jobs)}, {seconds // 60}:{seconds % 60:02d} left: {jobs[0].name}"
    assert second.endswith(f"{jobs[1].name} FAILED") and error == "it broke"


def test_a_run_half_trained_counts_as_half(tmp_path: Path) -> None:
    job = jobs_of([figure("attention", SMOKE)], SMOKE, 1)[0]
    assert isinstance(job, RunJob) and job.trained(tmp_path) == 0.0
    run = tmp_path / "runs" / key(job.config)
    run.mkdir(parents=True)
    (run / "metrics.jsonl").write_text('{"episode": 1}\n{"episode": 32}\n{"epi')
    assert job.trained(tmp_path) == 0.5
    (run / "metrics.jsonl").write_text('{"episode": 64}\n')
    assert job.trained(tmp_path) == 1.0
