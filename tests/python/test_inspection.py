"""Looking inside a trained leader: the figures by hand, and the command end to end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.protocol import Insight
from paymaster.analysis.inspection import summarise
from paymaster.commands.main import main
from rest_slow import rest_slow


def two_games() -> Episodes:
    """Three steps, two games, one follower; two goals with two bonuses; the second game ends after two steps."""
    offer = torch.tensor([[[0], [3]], [[0], [1]], [[2], [1]]])
    return Episodes(
        follower=torch.zeros(3, 2, 1, 1),
        goal=torch.zeros(3, 2, 1, 2, 1),
        previous=torch.tensor([[[-1], [-1]], [[0], [3]], [[0], [1]]]),
        offer=offer,
        new_offer=torch.tensor([[[True], [True]], [[False], [True]], [[True], [False]]]),
        expired=torch.tensor([[[True], [True]], [[False], [True]], [[False], [True]]]),
        explored=torch.zeros(3, 2, 1, dtype=torch.bool),
        follower_action=torch.tensor([[[0], [1]], [[1], [1]], [[2], [0]]]),
        committed=torch.tensor([[[True], [False]], [[True], [True]], [[False], [True]]]),
        completed=torch.full((3, 2, 1), -1),
        payment=torch.zeros(3, 2, 1),
        valid=torch.tensor([[True, True], [True, True], [True, False]]),
        goal_reward=torch.tensor([3.0, 3.0]),
        price=torch.tensor([1.0, 2.0]),
    )


def test_figures_by_hand() -> None:
    prediction = torch.zeros(3, 2, 1, 3)
    prediction[..., 1] = 1.0  # always action 1: right in three of the five steps played
    beta = torch.tensor([[[torch.nan], [torch.nan]], [[0.2], [0.8]], [[0.4], [0.9]]])
    weights = torch.tensor([[[1.0], [1.0]], [[0.95], [0.97]], [[0.93], [1.0]]])
    insight = Insight(attention=weights, termination=beta, prediction=prediction, entropy=torch.ones(3, 2, 1))
    found = summarise(two_games(), insight, "task", "leader")
    assert found.episodes == 2
    assert found.attention is not None and found.attention.tolist() == [0.0] * 9 + [1.0]
    assert found.attention_by_state == pytest.approx((0.97, 0.94))  # after the first step, games that go on
    assert found.termination is not None and found.prediction_accuracy is not None
    np.testing.assert_allclose(found.termination, [np.nan, 0.5, 0.4])
    assert found.termination_by_state == pytest.approx((0.8, 0.3))
    assert found.prediction_accuracy.tolist() == [0.5, 1.0, 0.0]
    assert found.prediction_confusion is not None
    np.testing.assert_allclose(found.prediction_confusion, [[0, 0.2, 0], [0, 0.6, 0], [0, 0.2, 0]])
    assert found.most_frequent_action == pytest.approx(0.6)
    assert found.acceptance.tolist() == pytest.approx([2 / 3, 0.5])  # of bonus 1: three steps; of bonus 2: two
    assert found.option_lengths.tolist() == [3, 1, 0]  # 2 and 1 in the first game, 1 and 1 in the second
    assert json.loads(json.dumps(found.to_json()))["termination"][0] is None


def test_a_leader_may_lack_every_part() -> None:
    found = summarise(two_games(), Insight(None, None, None, None), "task", "leader")
    assert (found.attention, found.termination, found.prediction_accuracy, found.entropy) == (None,) * 4
    assert found.option_lengths.sum() == 4


@pytest.mark.parametrize("leader", rest_slow(["ebpg", "m3rl"], {"ebpg"}.__contains__))
def test_the_command_writes_its_figures(leader: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    few = ["--episodes", "8", "--num-envs", "8", "--hidden", "8", "--evaluate", "0"]
    arguments = ["--leader", leader, *few, "--out", str(run)]
    assert main(["train", "navigation", *arguments]) == 0
    assert main(["inspect", str(run), "--episodes", "5"]) == 0
    found = json.loads((run / "inspection.json").read_text())
    assert (found["task"], found["episodes"]) == ("navigation", 5)
    assert (found["termination"] is None) == (leader == "m3rl")
    assert sum(np.array(found["option_lengths"]) * np.arange(1, 51)) == 5 * 4 * 50
    assert (run / "inspection.png").read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_inspected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(tmp_path / "none")]) == 2
    assert "run_directory: expected a trained leader's" in capsys.readouterr().err
