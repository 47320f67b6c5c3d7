"""Options that cannot have an effect beside others are refused, lest somebody believes that they have one."""

from __future__ import annotations

from paymaster.algorithms import ORIGINALS, leader_kind
from paymaster.algorithms.field import READS
from paymaster.algorithms.leaders import FieldName
from paymaster.scripted import is_scripted_leader
from paymaster.training.config import TrainConfig
from paymaster.validation.imports import imported, is_import_path

__all__ = ["refuse_idle_settings"]

_OF_THE_FIELD = ("bandit.", "bayes.", "designer.")
_OF_A_NETWORK = ("hidden", "performance_history", "shared_goal_weights")


def refuse_idle_settings(config: TrainConfig) -> None:
    """Raise ValueError for a learner's setting that differs from its default and that nothing reads.

    The message names the setting, what it needs and what came.
    """
    given = config.departures
    kind, learner = leader_kind(config.leader), config.learner
    network = kind.network
    if kind.field is not None:
        _refuse_idle_field(config, given, kind.field)
    ends = network.get("termination") != "none"
    for name, wanted, there in (
        ("learner.explore_episodes", "with learner.explore above 0", learner.explore > 0),
        ("learner.clip", "with learner.epochs above 1", learner.epochs > 1),
        ("learner.entropy_end", "with learner.lambda_entropy above 0", learner.lambda_entropy > 0),
        ("learner.entropy_of_decisions", "with learner.lambda_entropy above 0", learner.lambda_entropy > 0),
        ("learner.termination_start", "with a leader that ends options itself", ends),
        ("learner.lambda_termination", "with a leader that ends options itself", ends),
        ("follower_learner.clip", "with follower_learner.epochs above 1", config.follower_learner.epochs > 1),
        ("learner.imitation_weight", "with a leader that predicts followers", network.get("prediction", True)),
    ):
        if name in given and not there and not is_import_path(config.leader):  # one of your own may read them
            raise ValueError(f"{name}: expected it only {wanted}, got {given[name]} for {config.leader}")
    own = imported("leader", config.leader) if is_import_path(config.leader) else None
    for name, value in given.items():
        if is_scripted_leader(own) and (name.startswith("learner.") or name in _OF_A_NETWORK):
            raise ValueError(f"{name}: expected it only with a leader that learns, got {value} for {config.leader}")
        if name.startswith("follower_learner.") and config.followers not in ("meta", "primitive"):
            raise ValueError(
                f"{name}: expected it only with followers that learn (--followers meta or primitive), got {value}"
            )
        if name.startswith("q_learner.") and config.followers != "q":
            raise ValueError(f"{name}: expected it only with followers that learn by it (--followers q), got {value}")
        if name.startswith(_OF_THE_FIELD) and (kind.field is None or name not in READS[kind.field]):
            readers = ", ".join(leader for leader, read in READS.items() if name in read)
            raise ValueError(f"{name}: expected it only with {readers}, got {value} for {config.leader}")
        if name.startswith("original.") and kind.original is None:
            raise ValueError(
                f"{name}: expected it only with a leader as the original had it ({', '.join(ORIGINALS)}), got {value} "
                f"for {config.leader}"
            )
    if kind.original is not None and not is_import_path(config.leader):
        _refuse_idle_original(config, given)
    if config.evaluate_episodes != 100 and config.evaluate_every is None:
        raise ValueError(f"evaluate_episodes: expected it only with --evaluate-every, got {config.evaluate_episodes}")


def _refuse_idle_field(config: TrainConfig, given: dict[str, object], name: FieldName) -> None:
    """The same for what methods of the field do not read that are no settings of our learner."""
    for setting in given:
        if setting.startswith("learner.") or setting in _OF_A_NETWORK:
            reads = ", ".join(READS[name])
            raise ValueError(
                f"{setting}: expected one of the settings of {config.leader}, {reads}, got {given[setting]}"
            )
    if "bandit.shares" in given and config.bandit.share is not None:
        raise ValueError(f"bandit.shares: expected it only without bandit.share, got {given['bandit.shares']}")


def _refuse_idle_original(config: TrainConfig, given: dict[str, object]) -> None:
    """The same for what leaders as the original had them do not read."""
    by_offers = config.original.exploration == "offers"
    for name in (*_OF_A_NETWORK, "observe_routes", "learner.exploration"):
        if name in given:
            raise ValueError(
                f"{name}: expected it only with leaders that see features, got {given[name]} for {config.leader}"
            )
    for name in ("learner.explore", "learner.explore_episodes"):
        if name in given and not by_offers:
            raise ValueError(f"{name}: expected it only with original.exploration offers, got {given[name]}")
    for name in ("explore_goals", "explore_goals_episodes", "explore_bonuses", "explore_bonuses_episodes"):
        if f"original.{name}" in given and by_offers:
            raise ValueError(
                f"original.{name}: expected it only with original.exploration workers, got {given[f'original.{name}']}"
            )
