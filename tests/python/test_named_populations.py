"""M3RL's published populations: who they are, how they are reached, and that scripted leaders gain with them what they
gain in the public environment."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import paymaster
import paymaster.integrations
from paymaster.commands.main import main
from paymaster.scripted import make_scripted

RC, MB, CRAFTING = "resource_collection", "multi_bonus_resource_collection", "crafting"
NAMES = {
    "m3rl_v0": RC, "m3rl_v1": RC, "m3rl_v3": MB, "m3rl_v4": MB, "m3rl_crafting_v0": CRAFTING,
    "m3rl_crafting_v1": CRAFTING,
}  # fmt: skip
EPISODES = 1_600


def people(name: str) -> dict[str, Any]:
    """The traits of a named population."""
    return paymaster.make_vec(NAMES[name], 1, 0, named_population=name).population


@pytest.mark.parametrize("name", NAMES)
def test_forty_followers_with_the_skills_of_their_task(name: str) -> None:
    traits = people(name)
    skills = {"m3rl_v0": 1, "m3rl_v3": 1, "m3rl_v1": 3, "m3rl_v4": 3}.get(name, 5)
    assert (traits["skill"].sum(axis=1) == skills).all() and len(traits["skill"]) == 40
    assert set(traits["preference"]) == {0, 1, 2, 3}
    levels = {1} if name in ("m3rl_v0", "m3rl_v1", "m3rl_crafting_v0") else {1, 2, 3}
    assert set(traits["reservation"]) == levels


@pytest.mark.parametrize("name", ["m3rl_v1", "m3rl_v4"])
def test_followers_with_three_skills_prefer_one_of_them(name: str) -> None:
    traits = people(name)
    assert traits["skill"][np.arange(40), traits["preference"]].all()


def test_some_followers_as_they_were_published() -> None:
    """Read off the strings by hand: follower 0 of v1 has kind 1, which lacks skill 2, and prefers 3."""
    v1, v0, crafting = people("m3rl_v1"), people("m3rl_v0"), people("m3rl_crafting_v1")
    assert v1["skill"][0].tolist() == [True, True, False, True] and v1["preference"][0] == 3
    assert v1["skill"][1].tolist() == [True, True, True, False] and v1["preference"][1] == 1
    assert v1["skill"][39].tolist() == [False, True, True, True] and v1["preference"][39] == 2
    assert v0["skill"][0].tolist() == [False, True, False, False] and v0["preference"][2] == 3
    assert np.flatnonzero(crafting["skill"][6]).tolist() == [0, 1, 2, 3, 6]
    assert crafting["preference"][:4].tolist() == [0, 0, 1, 2]
    assert crafting["reservation"][:4].tolist() == [2, 3, 3, 1]


def test_a_name_stands_where_a_population_does() -> None:
    named = paymaster.make_vec(RC, 2, 0, population="m3rl_v1")
    assert named.parameters["named_population"] == "m3rl_v1"
    given = paymaster.make_vec(RC, 2, 0, population=people("m3rl_v1"))
    seen = given.reset()[0]
    for name, array in named.reset()[0].items():
        np.testing.assert_array_equal(array, seen[name])
    skills = paymaster.make(RC, population="m3rl_v1", seed=4).state()["skill"]
    assert (skills.sum(axis=-1) == 3).all()


def test_a_member_of_a_named_population_plays_from_its_own_side() -> None:
    for arguments in ({"population": "m3rl_v1"}, {"named_population": "m3rl_v1"}):
        env = paymaster.integrations.FollowerEnv(RC, member=3, seed=0, **arguments)
        skill = people("m3rl_v1")["skill"]
        np.testing.assert_array_equal(env.game.env.population["skill"], skill)


def test_replaced_followers_are_drawn() -> None:
    env = paymaster.make_vec(RC, 2, 0, population="m3rl_v1")
    env.replace_followers([0, 5], seed=3)
    drawn = paymaster.make_vec(RC, 2, 0, population_seed=3).population
    for name, array in env.population.items():
        np.testing.assert_array_equal(array[[0, 5]], drawn[name][[0, 5]])
        np.testing.assert_array_equal(array[[1, 39]], people("m3rl_v1")[name][[1, 39]])


@pytest.mark.parametrize(
    ("task", "arguments", "words"),
    [
        (RC, {"population": "m3rl"}, "named_population: expected 'drawn', 'm3rl_v0'"),
        (RC, {"population": "m3rl_crafting_v0"}, "named_population: expected one of num_goals = 4 goal types, got "),
        (CRAFTING, {"named_population": "m3rl_v1"}, "named_population: expected one of num_goals = 8"),
        (RC, {"population": "m3rl_v1", "population_size": 30}, "population_size: expected 40 with"),
        (RC, {"population": "m3rl_v1", "named_population": "m3rl_v0"}, "named_population: expected none beside"),
    ],
)
def test_a_population_that_does_not_fit(task: str, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        paymaster.make_vec(task, 1, 0, **arguments)


def test_arrays_beside_a_name_are_refused() -> None:
    with pytest.raises(ValueError, match="population: expected none beside named_population='m3rl_v0'"):
        paymaster.make_vec(RC, 1, 0, population=people("m3rl_v1"), named_population="m3rl_v0")


def test_from_a_task_file_and_by_name(tmp_path: Path) -> None:
    file = tmp_path / "published.toml"
    file.write_text(f'task = "{CRAFTING}"\n[parameters]\nnamed_population = "m3rl_crafting_v0"\n')
    env = paymaster.make_vec(str(file), 1, 0)
    np.testing.assert_array_equal(env.population["preference"], people("m3rl_crafting_v0")["preference"])
    paymaster.register("old_team", RC, population="m3rl_v0")
    np.testing.assert_array_equal(paymaster.make_vec("old_team", 1).population["skill"], people("m3rl_v0")["skill"])


def test_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--episodes", "8", "--named-population", "m3rl_crafting_v0"]
    assert main(["evaluate", "preference", "--task", CRAFTING, *options]) == 0
    assert "0.00" in capsys.readouterr().out


# ---- gains in the public environment, mean and half of the 95 % interval of 400 episodes (m3rl.md, B)

PUBLISHED = {
    (RC, "m3rl_v1"): {
        "random": (4.76, 0.25), "fixed": (5.28, 0.23), "preference": (13.68, 0.42), "full_information": (17.86, 0.18),
    },
    (MB, "m3rl_v4"): {
        "random": (7.22, 0.43), "fixed": (5.17, 0.23), "preference": (27.90, 0.85), "full_information": (37.18, 0.30),
    },
    (CRAFTING, "m3rl_crafting_v0"): {
        "random": (-1.12, 0.15), "fixed": (-13.77, 0.49), "preference": (0.0, 0.0), "full_information": (14.55, 0.22),
    },
}  # fmt: skip


@cache
def gain(name: str, task: str, population: str, episodes: int = EPISODES) -> tuple[float, float]:
    """Mean gain, and its standard error."""
    env = paymaster.make_vec(
        task, episodes, 11, 1, payment="completion", population=population, autoreset_mode="Disabled"
    )
    leader = make_scripted(name, 0)
    seen, _ = env.reset()
    leader.start(env)
    ended = np.zeros(episodes, dtype=np.bool_)
    while not ended.all():
        seen, _, ended, _, info = env.step(leader.offers(env, seen))
    gains = info["totals"]["gain"].astype(np.float64)
    return float(gains.mean()), float(gains.std(ddof=1) / np.sqrt(episodes))


@pytest.mark.parametrize("name", ["random", "fixed", "preference", "full_information"])
@pytest.mark.parametrize(("task", "population"), PUBLISHED)
def test_gains_agree_with_the_public_environment(task: str, population: str, name: str) -> None:
    """Three standard errors of the difference; full information is ours to plan, and may be better."""
    mean, half = PUBLISHED[task, population][name]
    ours, error = gain(name, task, population, 600 if name == "full_information" else EPISODES)
    allowed = 3 * np.hypot(error, half / 1.96)
    assert ours >= mean - allowed, f"{ours:.2f} ± {1.96 * error:.2f}, published {mean} ± {half}"
    if name != "full_information":
        assert ours <= mean + allowed, f"{ours:.2f} ± {1.96 * error:.2f}, published {mean} ± {half}"
    if name == "preference" and task == CRAFTING:
        assert ours == error == 0.0
