"""M3RL's two tests of how a leader copes with change, by name, each in both of its readings (Shu & Tian 2019).

Its text replaces people: others come, with other traits, of whom nothing is known. Its code clears their statistics,
and traits stay.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from paymaster.envs.replacement import Replacement
from paymaster.training.config import TrainConfig

__all__ = ["CHANGE_TESTS", "ChangeTest", "change_test"]

_FOR_EVER: Final = 10**9  # episodes of a follower's own in which its goals are explored


@dataclass(frozen=True)
class ChangeTest:
    """A population that changes at fixed times.

    Attributes:
        meaning: in a line.
        during: "evaluation" of a trained leader, which does not learn in it, or "training".
        replacement: who is replaced, how often, and what that means.
        episodes: of the whole.
    """

    meaning: str
    during: Literal["evaluation", "training"]
    replacement: Replacement
    episodes: int

    def games_of(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameters of the evaluation's games: one team is the whole population, drawn as the task draws it.

        Args:
            parameters: of the games otherwise, with ``num_followers``.
        """
        return {"population_size": parameters["num_followers"], "named_population": "drawn"}

    def config_of(self, config: TrainConfig) -> TrainConfig:
        """Return a configuration whose training is this test; exploration by workers then lasts throughout.

        Raises:
            ValueError: a test that is an evaluation.
        """
        if self.during != "training":
            raise ValueError("change_test: expected one of training, got one of evaluation")
        original = config.original
        if original.exploration == "workers" and config.original_leader:
            original = dataclasses.replace(original, explore_goals_episodes=_FOR_EVER)
        change = self.replacement
        return dataclasses.replace(
            config,
            episodes=self.episodes,
            replace=change.share,
            replace_every=change.every,
            replace_what=change.change,
            original=original,
        )


def _tests() -> dict[str, ChangeTest]:
    tests = {}
    readings = (("new-people", "people", "others come"), ("cleared-statistics", "statistics", "statistics are cleared"))
    for reading, change, said in readings:
        tests[f"m3rl-team-{reading}"] = ChangeTest(
            f"one team is the whole population; of 75 % of it {said}, every 2,000 of 10,000 episodes",
            *("evaluation", Replacement(0.75, 2_000, change), 10_000),  # type: ignore[arg-type]
        )
        tests[f"m3rl-skills-{reading}"] = ChangeTest(
            f"of everybody {said}, every 100,000 of 400,000 episodes of training",
            *("training", Replacement(1.0, 100_000, change), 400_000),  # type: ignore[arg-type]
        )
    return tests


CHANGE_TESTS: Final[dict[str, ChangeTest]] = _tests()
"""Name -> test. "-new-people" is M3RL's text, "-cleared-statistics" its code."""


def change_test(name: str, during: str) -> ChangeTest:
    """Return the test of that name. Raises ValueError for an unknown one, or one that is not ``during`` that."""
    known = {name: test for name, test in CHANGE_TESTS.items() if test.during == during}
    if name not in known:
        raise ValueError(f"change_test: expected one of {', '.join(known)} in {during}, got {name!r:.80}")
    return known[name]
