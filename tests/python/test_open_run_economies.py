"""A trained leader in games of another economy: what its network has no inputs for is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from paymaster.analysis.evaluate import evaluate_run
from paymaster.commands.main import main
from paymaster.training.config import TrainConfig
from paymaster.training.train import train

TASK = "resource_collection"
ECONOMIES: dict[str, dict[str, Any]] = {
    "plain": {},
    "budget": {"budget": 6.0},
    "share": {"max_share": 0.5},
    "welfare": {"weight_welfare": 0.5},
}
BOTH = "weight_gain, weight_welfare, weight_equality: expected to reward "


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of small runs, one of each economy."""
    folder = tmp_path_factory.mktemp("economies")
    for name, parameters in ECONOMIES.items():
        train(TrainConfig(TASK, episodes=8, num_envs=8, hidden=8, parameters=parameters), folder / name)
    return folder


@pytest.mark.parametrize(
    ("run", "parameters", "error"),
    [
        ("plain", {"budget": 6.0}, "^budget: expected inf, as there is no such limit in the run's games, got 6$"),
        (
            "plain",
            {"max_share": 0.5},
            "^max_share: expected inf, as there is no such limit in the run's games, got 0.5$",
        ),
        ("budget", {"budget": float("inf")}, "^budget: expected a limit, as there is in the run's games, got inf$"),
        (
            "budget",
            {"max_share": 2.0},
            "^max_share: expected inf, as there is no such limit in the run's games, got 2$",
        ),
        (
            "share",
            {"max_share": float("inf")},
            "^max_share: expected a limit, as there is in the run's games, got inf$",
        ),
        ("plain", {"weight_welfare": 1.0}, f"^{BOTH}gain alone, as in .*, got those that reward more than the gain$"),
        ("plain", {"weight_gain": 2.0}, f"^{BOTH}gain alone, as in .*, got those that reward more than the gain$"),
        ("welfare", {"weight_welfare": 0.0}, f"^{BOTH}more than the gain, as in .*, got those that reward gain alone$"),
    ],
)
def test_other_limits_and_objectives_are_refused(runs: Path, run: str, parameters: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        evaluate_run(runs / run, 2, parameters=parameters)


@pytest.mark.parametrize(
    ("run", "parameters"),
    [
        ("budget", {"budget": 2.0}),
        ("share", {"max_share": 0.25, "payment": "outcome"}),
        ("welfare", {"weight_welfare": 3.0, "weight_equality": 1.0}),
        ("plain", {"prices": [0.5, 1.5], "goal_reward": [1.0, 2.0, 3.0, 4.0], "effort_cost": 0.05}),
    ],
)
def test_others_of_the_same_kind_are_played(runs: Path, run: str, parameters: dict[str, Any]) -> None:
    result = evaluate_run(runs / run, 8, parameters=parameters)
    assert ("objective" in result.objectives) == (run == "welfare")
    assert ("equality" in result.objectives) == ("weight_equality" in parameters)
    if "budget" in parameters:
        assert result.payments.max() <= 2.0 + 1e-6 < evaluate_run(runs / run, 8).payments.max()


def test_another_task_is_checked_as_well(runs: Path) -> None:
    """Also where the limit is the other task's own; and it can be taken back there."""
    import paymaster

    paymaster.register("poor", TASK, budget=3.0)
    with pytest.raises(ValueError, match=r"^budget: expected inf, as there is no such limit"):
        evaluate_run(runs / "plain", 2, task="poor")
    assert evaluate_run(runs / "budget", 2, task="poor").payments.max() <= 3.0 + 1e-6
    told = ["evaluate", str(runs / "plain"), "--task", "poor", "--episodes", "2"]
    assert main(told) == 2
    assert main([*told, "--budget", "inf"]) == 0
