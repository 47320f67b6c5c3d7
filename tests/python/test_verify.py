"""`paymaster verify`: exact lines hold, verdicts follow the rule, rows are whole and their own, runs are made once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from paymaster.commands.main import main
from paymaster.terminal.streams import open_console
from paymaster.verification import learned, verify
from paymaster.verification.exact_lines import EXACT, room_optimum
from paymaster.verification.learned import LearnedJob, Scale, jobs_of, learned_lines
from paymaster.verification.line import exact_line, learned_line
from paymaster.verification.names import ANSWERS
from paymaster.verification.rows import LearnedRow, read_row, row_path, write_row

JOB = LearnedJob("escape_room", (2, 1), "q", 64, 0)


def row_of(job: LearnedJob, net: float) -> LearnedRow:
    return LearnedRow(job.key, job.name, None, job.config.to_json(), net, net + 1.1, 1.1, 10)


def test_every_exact_line_is_the_known_answer() -> None:
    assert tuple(EXACT) == ANSWERS
    lines = verify.exact_lines(ANSWERS)
    assert {line.answer for line in lines} == set(ANSWERS) and len(lines) >= 25
    for line in lines:
        assert line.holds and line.verdict == "agrees" and not line.learned, line


def test_verdicts_follow_the_rule() -> None:
    assert exact_line("a", "q", 1.0, 1.0 + 1e-12).holds
    differs = exact_line("a", "q", 1.0, 1.1, within=0.05)
    assert not differs.holds and differs.verdict == "differs" and differs.exact == "1.1 ± 0.05"
    assert [room_optimum(*room) for room in ((2, 1), (3, 2))] == pytest.approx([7.9, 5.8])
    near = learned_line("a", "q", [10.0, 9.6, 9.5, 9.5, 0.0], 10.0)
    assert near.holds and near.verdict == "learned: 4 of 5 seeds within 5%" and near.ours.startswith("7.72 ± ")
    far = learned_line("a", "q", [10.0, 9.6, 9.5, 9.49, 0.0], 10.0)
    assert not far.holds and far.verdict == "not learned: 3 of 5 seeds within 5%"
    assert learned_line("a", "q", [-10.4] * 5, -10.0).holds and not learned_line("a", "q", [-10.6] * 5, -10.0).holds


def test_rows_are_whole_and_their_own(tmp_path: Path) -> None:
    assert read_row(tmp_path, JOB.key) is None
    write_row(tmp_path, row_of(JOB, 6.5))
    assert JOB.row(tmp_path) == row_of(JOB, 6.5)
    assert [file.name for file in (tmp_path / "rows").iterdir()] == [f"{JOB.key}.json"]
    path = row_path(tmp_path, JOB.key)
    whole = path.read_text()
    path.write_text(whole.replace("6.5", "7.9"))
    with pytest.raises(ValueError, match=r"sha256: expected .* it was damaged or changed by hand"):
        JOB.row(tmp_path)
    other = replace(JOB, seed=1)
    row_path(tmp_path, other.key).write_text(whole)
    with pytest.raises(ValueError, match=r"key: expected '.*seed1.*', got '.*seed0.*' by its name"):
        other.row(tmp_path)
    write_row(tmp_path, replace(row_of(JOB, 6.5), key=other.key))
    with pytest.raises(ValueError, match="by its configuration: it is the row of another run"):
        other.row(tmp_path)


def test_learned_lines_stand_where_all_seeds_were_measured(tmp_path: Path) -> None:
    jobs = jobs_of(("escape_room",), Scale(64, ((2, 1), (3, 2)), 2))
    arms = [(job.room, job.followers, job.seed) for job in jobs]
    assert arms[:6] == [(room, kind, 0) for room in ((2, 1), (3, 2)) for kind in ("reasoning", "short-sighted q", "q")]
    assert len({job.key for job in jobs}) == len(jobs) == 12 and {job.seed for job in jobs[6:]} == {1}
    assert [job.config.q_learner.gamma for job in jobs[:3]] == [0.95, 0.0, 0.95]
    assert all(job.config.learner.credit == "team" for job in jobs)
    assert jobs_of(("matrix_game",), Scale(64, ((2, 1),))) == []
    for job in jobs:
        if job.seed == 0 or (job.room, job.followers) == ((2, 1), "q"):
            write_row(tmp_path, row_of(job, 7.8))
    (line,) = learned_lines(jobs, tmp_path)
    assert (line.ours, line.exact, line.learned, line.holds) == ("7.80 ± 0.00", "7.9", True, True)
    assert line.quantity == "(2, 1): ebpg-expiring, team's credit, q followers, 64 episodes, net"


def test_the_command_prints_and_writes_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "k_implementation", "--out", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    assert "Monderer & Tennenholtz 2003" in shown and shown.count("agrees") == 2
    written = (tmp_path / "out" / "known_answers.md").read_text()
    assert written.startswith("| answer | quantity | ours | exact | published | verdict |\n| --- |")
    assert written.count("\n") == 4 and "| k_implementation | welfare there | 10 | 10 |" in written


def test_an_exact_line_that_differs_fails_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = exact_line("k_implementation", "cost", 1.0, 0.0)
    monkeypatch.setitem(EXACT, "k_implementation", lambda: iter([wrong]))
    assert main(["verify", "k_implementation", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said == "paymaster: error: k_implementation: cost: expected 0, got 1; 1 exact lines differ in all\n"


@pytest.mark.slow
def test_runs_are_made_once_and_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(learned.SCALES, "small", Scale(64, ((2, 1),), 2))
    lines = verify.verify(("escape_room",), "small", 2, tmp_path, open_console())
    assert [line.learned for line in lines[-4:]] == [False, True, True, True]
    assert lines[-1].verdict.endswith("of 2 seeds within 5%")
    rows = sorted((tmp_path / "rows").iterdir())
    assert len(rows) == 6
    times = [row.stat().st_mtime_ns for row in rows]
    stored = json.loads(rows[0].read_text())
    assert stored["episodes"] == 1_000 and stored["net"] == pytest.approx(
        stored["welfare"] - stored["payments"], abs=1e-4
    )
    rows[1].unlink()
    again = verify.verify(("escape_room",), "small", 2, tmp_path, open_console())
    assert again == lines  # the run that was there is evaluated to the same numbers
    assert rows[0].stat().st_mtime_ns == times[0] and rows[1].stat().st_mtime_ns != times[1]
