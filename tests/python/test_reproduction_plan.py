"""What is reproduced: every row of the paper's experiments, its regime, and the rule of the verdicts."""

from __future__ import annotations

import dataclasses
import itertools
import math
from pathlib import Path

import pytest

from paymaster.algorithms import DEFAULT_LEADER, FIELD, LEADERS, ORIGINALS
from paymaster.algorithms.followers import FollowerLearning
from paymaster.algorithms.tuned import tuned_settings
from paymaster.analysis.intervals import Interval
from paymaster.reproduction.claims import Verdict, interval_of, overall, verdict
from paymaster.reproduction.conditions import CONDITIONS
from paymaster.reproduction.field import CHOICES
from paymaster.reproduction.figures import FIGURES, figure
from paymaster.reproduction.ladder import RUNGS
from paymaster.reproduction.names import FIGURE_NAMES, OTHER_NAMES
from paymaster.reproduction.original import share_of_budget
from paymaster.reproduction.plan import Figure, above, panel_of
from paymaster.reproduction.results import Results
from paymaster.reproduction.runs import RunJob, jobs_of, readings_of
from paymaster.reproduction.scales import SCALES
from paymaster.reproduction.scripted_job import ScriptedJob
from paymaster.reproduction.specs import GAMES, LEARNING_ADVANCE, Arm, Played, Reading, key, train_config
from paymaster.training.config import TrainConfig
from paymaster.training.regimes import REGIMES

HOLDS, FAILS, UNDECIDED = Verdict.HOLDS, Verdict.FAILS, Verdict.UNDECIDED
CPU = SCALES["cpu"]


@pytest.mark.parametrize(
    ("low", "high", "side", "found"),
    [
        (5.1, 6.0, "above", HOLDS),
        (5.0, 6.0, "above", UNDECIDED),  # an end on the threshold is on neither side
        (4.0, 6.0, "above", UNDECIDED),
        (4.0, 5.0, "above", UNDECIDED),
        (4.0, 4.9, "above", FAILS),
        (5.0, 5.0, "above", UNDECIDED),
        (4.0, 4.9, "below", HOLDS),
        (4.0, 5.0, "below", UNDECIDED),
        (5.1, 6.0, "below", FAILS),
    ],
)
def test_the_rule(low: float, high: float, side: str, found: Verdict) -> None:
    assert verdict(Interval((low + high) / 2, low, high, 5), side, 5.0) is found  # type: ignore[arg-type]


def test_one_seed_or_a_missing_number_decides_nothing() -> None:
    assert verdict(interval_of([9.0]), "above", 0.0) is UNDECIDED
    assert interval_of([]) is None and interval_of([9.0, math.nan, 9.0]) is None
    assert verdict(None, "above", 0.0) is UNDECIDED
    assert verdict(interval_of([9.0, 9.1]), "above", 0.0) is HOLDS


def test_several_cases_together() -> None:
    assert overall([HOLDS, HOLDS]) is HOLDS
    assert overall([HOLDS, UNDECIDED]) is UNDECIDED
    assert overall([HOLDS, UNDECIDED, FAILS]) is FAILS
    assert overall([]) is UNDECIDED


def test_every_row_of_the_papers_experiments_is_there() -> None:
    rows = ["fig3", "fig4", "table1", "incentive", "sparse-vs-dense", "attention", "two-time-scale", "interval"]
    assert [*rows, "follower-reward", "number-of-followers"] == list(FIGURE_NAMES)
    assert [*FIGURE_NAMES, *OTHER_NAMES] == list(FIGURES)
    for name in FIGURE_NAMES:
        found = figure(name, CPU)
        leaders = {reading.arm.leader for reading in readings_of(found)}
        assert {"ebpg", "m3rl", "no-ebpg", "no-attention", DEFAULT_LEADER} <= leaders, name
        assert "ebpg" in {claim.method for claim in found.claims}, name
        for panel in found.panels:
            assert len({len(series.points) for series in panel.series}) == 1, name


def test_fig3_shows_both_payment_rules_and_both_regimes() -> None:
    arms = {reading.arm for reading in readings_of(figure("fig3", CPU))}
    assert {arm.game for arm in arms if arm.regime == "ours"} == set(GAMES)
    assert {arm.game for arm in arms if arm.regime == "paper"} == {name for name in GAMES if name[:2] in ("RC", "MB")}
    assert {(game.task, game.payment) for game in GAMES.values()} == {
        (task, payment)
        for task in ("resource_collection", "multi_bonus_resource_collection", "navigation", "predator_prey")
        for payment in ("completion", "advance")
    }


def test_table1_has_the_papers_noises_and_gap() -> None:
    claims = [claim for claim in figure("table1", CPU).claims if claim.method == "ebpg" and claim.regime == "ours"]
    gaps = [claim for claim in claims if claim.threshold == 5.0]
    assert [claim.terms[0][1].noise for claim in gaps] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    (fall,) = (claim for claim in claims if len(claim.terms) == 4)
    gains = {("m3rl", 0.0): 9.0, ("m3rl", 0.5): 2.0, ("ebpg", 0.0): 20.0, ("ebpg", 0.5): 18.0}
    assert sum(w * gains[r.arm.leader, r.noise or 0.0] for w, r in fall.terms) == 5.0  # falls by 7 and by 2


def test_the_papers_regime_is_the_papers() -> None:
    config = train_config(Arm("MB advance", "ebpg", "paper"), 3, 10)
    learner = config.learner
    assert (config.num_envs, config.parameters["noise"], config.seed) == (1, 0.3, 3)
    assert (learner.learning_rate, learner.critic_learning_rate, learner.learning_rate_end) == (3e-4, 1e-3, 1.0)
    assert (learner.credit, learner.explore, learner.explore_episodes) == ("team", 0.1, 5_000)
    assert (learner.lambda_entropy, learner.lambda_termination, learner.entropy_end) == (0.01, 0.001, 1.0)
    assert (learner.gamma, learner.epochs, learner.gradient) == (1.0, 1, "dense")
    default = train_config(Arm("MB advance", DEFAULT_LEADER, "paper"), 3, 10).learner
    assert default.options.expiring and default.learning_rate == 3e-4
    for name in REGIMES:
        for leader in LEADERS:
            train_config(Arm("RC completion", leader, name), 0, 10).validate()


def test_as_the_original_had_it_exploration_has_its_share_of_the_training() -> None:
    """A tenth of the original's episodes; an eighth in Crafting, with its warm-up. Longer runs have its own numbers."""
    runs = {job.name: job.config for job in jobs_of([figure("original", CPU)], CPU, 5) if isinstance(job, RunJob)}
    seeds = {config.seed for config in runs.values()}
    assert len(runs) == 4 * 2 * 3 + 2 and seeds == {0, 1, 2}
    assert {config.leader for config in runs.values()} == ORIGINALS.keys()
    for config in runs.values():
        config.validate()
        share = {25_000: 10, 100_000: 1}[config.episodes]
        assert config.num_envs == 1 and config.parameters.get("noise", 0.0) == 0.0
        if config.leader == "m3rl-original":
            original = config.original
            assert (original.explore_goals_episodes, original.explore_bonuses_episodes) == (
                5_000 // share,
                100_000 // share,
            )
            assert original.warm_up_episodes == 0
        else:
            assert config.learner.explore_episodes == 5_000 // share
    crafting = [job.config for job in jobs_of([figure("crafting", CPU)], CPU, 5) if isinstance(job, RunJob)]
    planes = [config for config in crafting if config.leader == "m3rl-original"]
    assert len(crafting) == 2 * (6 * 3 + 2) and len(planes) == 4
    for config in planes:
        original = config.original
        assert (original.warm_up_episodes, original.explore_goals_episodes) == (10_000, 1_250)
        assert original.explore_bonuses_episodes == 12_500 and config.learner.options.interval == 10
    assert {config.episodes for config in crafting if config.leader != "m3rl-original"} == {20_000}


def test_the_whole_of_the_originals_training_changes_nothing() -> None:
    for leader in ORIGINALS:
        whole = Arm("RC completion", leader, "original", changes=share_of_budget(leader, 250_000))
        assert train_config(whole, 0, 10) == train_config(Arm("RC completion", leader, "original"), 0, 10)


def test_the_ladder_leads_from_ours_to_the_originals_one_change_at_a_time() -> None:
    """Each rung's configuration differs from the one before in what its name says; the ends are other figures' runs."""
    found = figure("ladder", CPU)
    assert [panel.kind for panel in found.panels] == ["bars"] * 4
    assert {panel.series[0].points[0][1].measure for panel in found.panels} == {"gain", "incentive"}
    originals = {key(job.config) for job in jobs_of([figure("original", CPU)], CPU, 5) if isinstance(job, RunJob)}
    learns = {"credit", "epochs", "gae_lambda", "normalise_advantage", "learning_rate", "critic_learning_rate"}
    for panel, series in ((one, series) for one in found.panels for series in one.series):
        game = panel.title.split(",")[0]
        assert tuple(place for place, _ in series.points) == RUNGS
        assert {reading.arm.game for _, reading in series.points} == {game}
        runs = [train_config(reading.arm, 1, CPU.episodes) for _, reading in series.points]
        for config in runs:
            config.validate()
            assert config.episodes == 25_000 and config.parameters["noise"] == 0.0
        assert runs[0] == dataclasses.replace(
            TrainConfig(GAMES[game].task, leader=series.label, seed=1),
            episodes=25_000,
            parameters={"payment": GAMES[game].payment, "noise": 0.0},
        )
        changes = [set(below.differences(above)) for below, above in itertools.pairwise(runs)]
        assert changes[0] == {"num_envs"} and runs[1].num_envs == 1
        assert all(name.startswith("learner.") for name in changes[1])
        assert learns <= {name.removeprefix("learner.") for name in changes[1]}
        assert changes[2] == {"performance_history"} and changes[3] == {"shared_goal_weights"}
        # What our learner has of the original's is as there; the last rung is a run of another figure.
        ours, theirs = runs[4].learner, ORIGINALS[f"{series.label}-original"].learner
        exploration = ("exploration", "explore", "explore_episodes")
        assert {
            field.name for field in dataclasses.fields(ours) if getattr(ours, field.name) != getattr(theirs, field.name)
        } <= set(exploration)
        assert runs[5].leader == f"{series.label}-original" and key(runs[5]) in originals
        rates = {
            "ebpg": ("offers", 0.1, 500),
            "m3rl": ("agents", 0.1, 5_000),
        }  # 500 of each of 40 followers, 4 at a time
        assert tuple(getattr(ours, name) for name in exploration) == rates[series.label]


def test_the_ladder_decides_rung_by_rung() -> None:
    claims = figure("ladder", CPU).claims
    assert [claim.regime for claim in claims] == [f"rung {rung}" for rung in RUNGS for _ in range(2)]
    for number, claim in enumerate(claims):
        (plus, paper), (minus, baseline) = claim.terms
        suffix = "-original" if number >= 10 else ""
        assert (plus, minus) == (1.0, -1.0) and claim.method == "ebpg"
        assert (paper.arm.leader, baseline.arm.leader) == (f"ebpg{suffix}", f"m3rl{suffix}")
        assert claim.case == paper.arm.game == baseline.arm.game and paper.arm.seeds == 2
    jobs = [job for job in jobs_of([figure("ladder", CPU)], CPU, 5) if isinstance(job, RunJob)]
    assert len(jobs) == 2 * 2 * 2 * len(RUNGS) and len({job.name for job in jobs}) == len(jobs)
    costs = {job.config.leader: set[float]() for job in jobs}
    for job in jobs:
        costs[job.config.leader].add(job.arm.cost)
    assert costs["ebpg"] == costs["m3rl"] == {1.0, 10.0} and costs["m3rl-original"] == {30.0}


def test_at_the_papers_scale_the_ladder_has_the_originals_numbers_of_exploration() -> None:
    found = figure("ladder", SCALES["paper"])
    runs = [train_config(r.arm, 0, SCALES["paper"].episodes) for r in readings_of(found)]
    assert {config.episodes for config in runs} == {250_000}
    explored = {c.leader: c.learner.explore_episodes for c in runs if c.learner.credit == "team"}
    assert explored["m3rl"] == 50_000 and explored["ebpg"] == 5_000


def test_readings_of_fewer_seeds(tmp_path: Path) -> None:
    """A claim is decided over the seeds that all of its readings have."""
    few, every = Reading(Arm("RC completion", "m3rl", seeds=2)), Reading(Arm("RC completion", "ebpg"))
    assert [few.arm.seeds_of(n) for n in (1, 2, 3)] == [1, 2, 2] and every.arm.seeds_of(3) == 3
    jobs = jobs_of(
        [Figure("", [panel_of("", "table", "ab", [0], lambda label, _: {"a": few, "b": every}[label])])], CPU, 3
    )
    assert sorted(job.config.seed for job in jobs if isinstance(job, RunJob)) == [0, 0, 1, 1, 2]
    results = Results(tmp_path, CPU, 3)
    results._values.update({few: [1.0, 2.0], every: [5.0, 6.5, 900.0]})
    decided = results.decide(above("", "", "", every, few))
    assert decided.interval is not None and decided.interval.mean == 4.25 and decided.interval.n == 2


def test_ours_is_tuned_for_each_leader() -> None:
    for leader in (*LEADERS, "fixed-interval(3)"):
        learner = train_config(Arm("RC completion", leader), 0, 10).learner
        assert {name: getattr(learner, name) for name in tuned_settings(leader)} == tuned_settings(leader)
    assert train_config(Arm("RC completion", "fixed-interval(3)"), 0, 10).learner.options.interval == 3
    with pytest.raises(ValueError, match=r"leader: expected a tuned one of .*, got 'boss'"):
        tuned_settings("boss")


def test_learning_followers_learn_as_they_do_by_default_and_have_their_payment_rule() -> None:
    config = train_config(Arm("navigation advance", "ebpg", followers="meta"), 0, 10)
    assert (
        config.followers_learn
        and config.parameters["payment"] == LEARNING_ADVANCE
        and config.parameters["noise"] == 0.0
    )
    assert config.follower_learner == FollowerLearning()
    assert train_config(Arm("RC completion", "ebpg", followers="meta"), 0, 10).parameters["payment"] == "completion"


def test_each_run_is_made_once_for_all_that_is_wanted_of_it() -> None:
    figures = [figure(name, CPU) for name in FIGURE_NAMES]
    jobs = jobs_of(figures, CPU, 2)
    runs = [job for job in jobs if isinstance(job, RunJob)]
    assert len({key(job.config) for job in runs}) == len(runs)
    (shared,) = (job for job in runs if job.config == train_config(Arm("MB advance", "ebpg"), 0, CPU.episodes))
    drawn = {Played(noise) for noise in CPU.noises}  # of Table 1; the likeliest of Fig. 3
    assert shared.played == drawn | {Played(greedy=True)} and shared.probes == {"attention"}
    assert {job.config.seed for job in runs} == {0, 1}
    for reading in set().union(*map(readings_of, figures)):
        if not reading.measure.startswith("attention"):
            continue
        assert any(job.arm == reading.arm and "attention" in job.probes for job in runs)


def test_other_settings_are_other_runs() -> None:
    config = train_config(Arm("RC completion", "ebpg"), 0, 10)
    assert key(config) == key(train_config(Arm("RC completion", "ebpg", noise=0.0), 0, 10))
    assert key(config) != key(dataclasses.replace(config, hidden=16))
    assert key(config) != key(train_config(Arm("RC completion", "ebpg", noise=0.1), 0, 10))
    faster = FollowerLearning(learning_rate=0.1)
    assert key(config) == key(dataclasses.replace(config, follower_learner=faster))  # who are there by rule
    learning = train_config(Arm("RC completion", "ebpg", followers="meta"), 0, 10)
    assert key(learning) != key(dataclasses.replace(learning, follower_learner=faster))
    assert Reading(Arm("RC completion", "ebpg", "paper")).played == Played(0.3)


def test_every_run_has_a_name_of_its_own() -> None:
    jobs = jobs_of([figure(name, CPU) for name in FIGURES], CPU, 2)
    assert len({job.name for job in jobs}) == len(jobs)


def test_every_leader_has_the_same_settings_to_choose_from() -> None:
    jobs = [job for job in jobs_of([figure("tuning", CPU)], CPU, 1) if isinstance(job, RunJob)]
    tried: dict[str, list[dict[str, object]]] = {}
    for job in jobs:
        assert job.config.seed == 100 and not job.done(Path("nowhere"))
        tried.setdefault(job.config.leader, []).append(
            {name: getattr(job.config.learner, name) for name in tuned_settings(job.config.leader)}
        )
    assert tried.keys() == LEADERS.keys()
    for leader, settings in tried.items():
        assert settings == tried["ebpg"] and tuned_settings(leader) in settings


def test_methods_of_the_field_have_four_settings_tried_on_a_seed_of_their_own() -> None:
    """The default of each is among them. The comparison has the scale's seeds; metagradient, followers that learn."""
    runs = [job.config for job in jobs_of([figure("field", CPU)], CPU, 5) if isinstance(job, RunJob)]
    assert CHOICES.keys() == FIELD.keys()
    for name, choice in CHOICES.items():
        tried = [config for config in runs if config.seed == 100 and config.leader == name]
        assert len(choice) == 4 and len(tried) == 4 * 7 and len({config.task for config in tried}) == 5
        usual = TrainConfig("resource_collection", leader=name)
        settings = [(config.bandit, config.bayes, config.designer, config.learner) for config in tried]
        assert len(set(settings)) == 4
        assert (usual.bandit, usual.bayes, usual.designer, usual.learner) in settings
        for config in tried:
            config.validate()
            assert (config.followers == "meta") == (name == "metagradient")
    compared = [config for config in runs if config.seed != 100]
    assert {config.seed for config in compared} == set(range(5)) and {config.episodes for config in compared} == {5_000}
    by_rule = {config.leader for config in compared if config.followers == "rule"}
    assert by_rule == {DEFAULT_LEADER, *FIELD} - {"metagradient"}
    learning = {config.leader for config in compared if config.followers == "meta"}
    assert learning == {DEFAULT_LEADER, "metagradient", "dual-rl"}
    claims = figure("field", CPU).claims
    assert {claim.terms[1][1].arm.leader for claim in claims} == {*FIELD, "nearest_hold"}
    assert all(claim.terms[0][1].arm.leader == DEFAULT_LEADER and len(claim.terms) == 2 for claim in claims)


def test_conditions_change_the_games_and_nothing_else() -> None:
    jobs = jobs_of([figure("generalisation", CPU)], CPU, 2)
    runs = [job for job in jobs if isinstance(job, RunJob)]
    on_the_grid = next(job for job in runs if job.arm.game == "RC completion")
    assert {played.condition for played in on_the_grid.played} == set(CONDITIONS)
    in_the_plane = next(job for job in runs if job.arm.game == "navigation advance")
    assert in_the_plane.config.episodes == 4 * CPU.episodes
    assert {played.condition for played in in_the_plane.played} == {n for n in CONDITIONS if not n.startswith("map")}
    beside = [job for job in jobs if isinstance(job, ScriptedJob) and job.arm.game == "RC completion"]
    seeds = {
        name: {job.parameters().get("population_seed") for job in beside if job.played.condition == name}
        for name in CONDITIONS
    }
    assert {name: found for name, found in seeds.items() if found != {None}} == {
        name: {1_000, 1_001} for name in CONDITIONS if name.startswith("strangers")
    }
    assert len({job.key for job in beside}) == len(beside) == 7 + 3 * 2
    for name, condition in CONDITIONS.items():
        assert "\n" in condition.parameters["map"] if name.startswith("map") else "map" not in condition.parameters
