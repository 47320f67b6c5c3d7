"""Every view steps the game that the batch steps; who acts when, who sees what.

One long file, because all views are held against the same batch.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray

import paymaster
from paymaster import integrations
from play import RC, offer_stream, rule, same
from worlds import CRAFTING, TASKS, by_utility

KINDS = ("meta", "primitive")
SEED, INDEX = 7, 2
PARAMETERS: dict[str, Any] = {"population_size": 4, "abstain": True, "noise": 0.1, "horizon": 17}


def parameters_for(task: str) -> dict[str, Any]:
    """As many followers as play, so that everybody is in every episode."""
    return {**PARAMETERS, **by_utility(task), **({"num_followers": 4} if task in CRAFTING else {})}


Rewards = tuple[float, list[float], bool]


def script(task: str, kind: str) -> list[tuple[NDArray[Any], NDArray[Any], Rewards]]:
    """Two episodes of game INDEX in the batch: offers [N, 2], answers [N], and what came of them."""
    env = paymaster.make_vec(task, 4, SEED, followers=kind, autoreset_mode="Disabled", **parameters_for(task))
    rng = np.random.default_rng(0)
    steps = []
    for _ in range(2):
        env.reset()
        for offers in offer_stream(env, 1_000):
            seen = env.offer(offers)
            answers = rule(seen) if kind == "meta" else rng.integers(0, 5, size=(4, 4))
            _, reward, terminated, _, info = env.act(answers)
            result = float(reward[INDEX]), info["follower_reward"][INDEX].tolist(), bool(terminated[INDEX])
            steps.append((offers[INDEX], answers[INDEX], result))
            if terminated[INDEX]:
                break
    return steps


def parallel(env: Any, steps: list[Any]) -> Iterator[Rewards]:
    over = True
    for offers, answers, _ in steps:
        if over:
            env.reset()
        _, reward, terminated, *_ = env.step({"leader": offers.ravel()})
        assert set(reward.values()) == {0.0} and not any(terminated.values())
        _, reward, terminated, truncated, _ = env.step(dict(zip(env.agents[1:], answers, strict=True)))
        assert len(set(terminated.values())) == 1 and not any(truncated.values())
        over = terminated["leader"]
        yield reward.pop("leader"), list(reward.values()), over


def turns(env: Any, steps: list[Any]) -> Iterator[Rewards]:
    over = True
    for offers, answers, _ in steps:
        if over:
            env.reset()
        for action in (offers.ravel(), *answers):
            assert not any(env.terminations.values())
            env.step(action)
        rewards, over = dict(env.rewards), env.terminations["leader"]
        yield rewards.pop("leader"), list(rewards.values()), over


def of_followers(env: Any, steps: list[Any]) -> Iterator[list[float]]:
    """The leader inside plays the script, one step ahead of the followers."""
    over = True
    for _, answers, _ in steps:
        if over:
            env.reset()
        _, reward, terminated, *_ = env.step(dict(zip(env.agents, answers, strict=True)))
        over = terminated["follower_0"]
        yield list(reward.values())


class Scripted:
    """The leader of the script."""

    def __init__(self, steps: list[Any]) -> None:
        self._offers = iter([offers for offers, *_ in steps])

    def __call__(self, observation: dict[str, NDArray[Any]]) -> NDArray[Any]:
        assert observation["identity"].shape == (4,)
        return next(self._offers)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("kind", KINDS)
def test_all_views_step_the_same_game(task: str, kind: str) -> None:
    steps = script(task, kind)
    expected = [result for *_, result in steps]
    keys: dict[str, Any] = {"seed": SEED, "index": INDEX, **parameters_for(task)}
    assert list(parallel(integrations.parallel_env(task, followers=kind, **keys), steps)) == expected
    assert list(turns(integrations.aec_env(task, followers=kind, **keys), steps)) == expected
    inside = integrations.followers_env(task, Scripted(steps), followers=kind, **keys)
    assert list(of_followers(inside, steps)) == [rewards for _, rewards, _ in expected]
    assert any(reward for _, rewards, _ in expected for reward in rewards)


@pytest.mark.parametrize("task", TASKS)
def test_where_followers_go_by_rule_the_single_sides_step_it_too(task: str) -> None:
    """Meta followers who answer by the rule play the leader's games with rule-based ones."""
    steps = script(task, "meta")
    expected = [result for *_, result in steps]
    keys: dict[str, Any] = {"seed": SEED, "index": INDEX, **parameters_for(task)}
    name = f"paymaster/{task.title().replace('_', '')}-v0"
    for env in (
        paymaster.make(task, **keys),
        gymnasium.make(name, **keys),
        integrations.LeaderVectors(paymaster.make(task, **keys)),
    ):
        over = True
        for offers, _, (reward, _, terminated) in steps:
            if over:
                env.reset()
            _, came, over, _, _ = env.step(offers.reshape(env.action_space.shape))
            assert (came, over) == (reward, terminated)
    for member in range(4):  # as many as play: everybody is in every episode
        follower = integrations.FollowerEnv(task, Scripted(steps), member, **keys)
        over = True
        for _, answers, (_, rewards, terminated) in steps:
            if over:
                follower.reset()
                seat = follower.game.observed["identity"][0].tolist().index(member)
            _, earned, over, _, _ = follower.step(answers[seat])
            assert (earned, over) == (rewards[seat], terminated)
    assert any(reward for reward, *_ in expected)


def test_batched_vectors_are_the_single_ones() -> None:
    for mode in ("Disabled", "NextStep", "SameStep"):
        batch = integrations.BatchedLeaderVectors(paymaster.make_vec(RC, 1, SEED, autoreset_mode=mode, horizon=5))
        plain = paymaster.make_vec(RC, 1, SEED, autoreset_mode=mode, horizon=5)
        one = integrations.LeaderVectors(paymaster.make(RC, SEED, horizon=5))
        same(batch.reset()[0][0], one.reset()[0])
        plain.reset()
        for t, offers in enumerate(offer_stream(plain, 7)):
            seen, reward, terminated, _, info = batch.step(offers.reshape(1, 8))
            assert batch.observation_space.contains(seen)
            assert (reward, terminated) == plain.step(offers)[1:3]
            if t < 5:
                last = one.step(offers.ravel())[0]
                came = info["final_obs"][0] if mode == "SameStep" and t == 4 else seen[0]
                np.testing.assert_array_equal(came, last)


# ---- who acts when


def test_the_leader_comes_first_and_followers_see_its_offers() -> None:
    env = integrations.aec_env(RC, seed=0)
    env.reset(seed=1)
    order, offer = [], np.array([3, 1] * 4)
    before = env.observe("follower_2")
    for agent in env.agent_iter(11):
        order.append(agent)
        assert env.observe(agent)[-1] == 1.0 and env.infos[agent]["acts"]
        env.step(offer if agent == "leader" else 0)
        if len(order) == 1:
            changed = np.flatnonzero(env.observe("follower_2") != before)
            assert len(changed) == 3  # that type 3 is offered, for how much, and that it acts
            assert not env.infos["leader"]["acts"] and env.observe("leader")[-1] == 0.0
    assert order == [*env.possible_agents, *env.possible_agents, "leader"]


def test_who_is_not_asked_is_not_heard() -> None:
    one, two = integrations.parallel_env(RC, seed=0), integrations.parallel_env(RC, seed=0)
    for env in (one, two):
        env.reset(seed=3)
    offers, answers = np.array([1, 1] * 4), {f"follower_{k}": 1 for k in range(4)}
    for _ in range(30):
        one.step({"leader": offers}), two.step({"leader": offers, **dict.fromkeys(answers, None)})
        a, b = one.step(answers), two.step({"leader": "nonsense", **answers})
        same(a, b)
    assert one.agents == two.agents == []


def test_members_who_do_not_learn_are_not_heard_either() -> None:
    people = paymaster.make_vec(RC, seed=0).population
    people["learns"] = np.zeros(40, dtype=bool)
    env, rules = integrations.parallel_env(RC, seed=0, population=people), paymaster.make(RC, seed=0)
    env.reset(), rules.reset()
    while env.agents:
        *_, infos = env.step({"leader": np.zeros(8, dtype=int)})
        assert not any(info["acts"] for info in infos.values())
        _, reward, *_ = env.step({f"follower_{k}": 4 for k in range(4)})
        assert reward["leader"] == rules.step(np.zeros((4, 2), dtype=int))[1]


# ---- who sees what


@pytest.mark.parametrize("task", [RC, "predator_prey"])
@pytest.mark.parametrize("kind", KINDS)
def test_traits_are_seen_by_their_owner_alone(task: str, kind: str) -> None:
    env = integrations.parallel_env(task, seed=0, followers=kind)
    env.reset(seed=1)
    before, _, _, _, _ = env.step({"leader": np.zeros(8, dtype=int)})
    state = env.state()
    batch = env.game.env
    traits = batch.state("skill", "preference", "reservation")
    traits["skill"][0, 2] = ~traits["skill"][0, 2]
    traits["reservation"][0, 2] += 1
    batch.set_state(**traits)
    env.game.look()
    after, _, _, _, _ = env.step({"leader": np.zeros(8, dtype=int)})
    changed = {agent: int((after[agent] != before[agent]).sum()) for agent in env.agents}
    assert changed.pop("follower_2") >= 5
    assert set(changed.values()) == {0}
    assert (env.state() != state).sum() == 5


@pytest.mark.parametrize("task", TASKS)
def test_a_seed_gives_the_same_observations_again(task: str) -> None:
    """Also after episodes that have filled the statistics, which leaders see."""
    vectors = integrations.LeaderVectors(paymaster.make(task, seed=0))
    env = integrations.parallel_env(task, seed=0)
    first, again = vectors.reset(seed=5)[0], env.reset(seed=5)[0]
    vectors.action_space.seed(0)
    for _ in range(30):
        vectors.step(vectors.action_space.sample())
        env.step({"leader": vectors.action_space.sample()})
        env.step({name: 0 for name in env.agents if name != "leader"})
    np.testing.assert_array_equal(vectors.reset(seed=5)[0], first)
    same(env.reset(seed=5)[0], again)
    vectors.step(vectors.action_space.sample())
    kept = vectors.unwrapped.batch.statistics.arrays()
    vectors.reset()
    same(vectors.unwrapped.batch.statistics.arrays(), kept)


def test_a_follower_skips_episodes_without_it() -> None:
    env, batch = integrations.FollowerEnv(RC, member=11, seed=4), paymaster.make_vec(RC, seed=4)
    episodes = [episode for episode in range(60) if 11 in batch.reset()[0]["identity"]]
    came = []
    while len(came) < len(episodes):
        env.reset()
        came.append(int(env.game.env.state("episode")["episode"][0]))
    assert came == episodes and len(episodes) > 2


# ---- leaders inside


def test_leaders_by_name_as_objects_and_as_functions() -> None:
    from paymaster.scripted import make_scripted

    played = []
    for leader in ("preference", make_scripted("preference"), lambda _: np.full((4, 2), 1)):
        env = integrations.followers_env(RC, leader, seed=0)
        env.reset(seed=2)
        played.append(env.game.seen["offered"].tolist())
    assert played[0] == played[1] and played[2] == [[[1, 1]] * 4]
    assert [goal for goal, _ in played[0][0]] == env.game.seen["preference"][0].tolist()
    env = integrations.followers_env(RC, "random", seed=0)
    twice = [env.reset(seed=8)[0] for _ in range(2)]
    same(twice[0], twice[1])


# ---- what is refused


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: integrations.parallel_env("tennis"), ValueError, "task"),
        (
            lambda: integrations.parallel_env(RC, followers="rule"),
            ValueError,
            "followers: expected 'meta' or 'primitive'",
        ),
        (
            lambda: integrations.aec_env(RC, render_mode="film"),
            ValueError,
            "render_mode: expected None or one of human",
        ),
        (lambda: integrations.aec_env(RC, autoreset_mode="NextStep"), ValueError, "autoreset_mode: expected none"),
        (lambda: integrations.followers_env(RC, "clever"), ValueError, "leader: expected one of random, fixed"),
        (lambda: integrations.followers_env(RC, 3), TypeError, "leader: expected a name"),
        (lambda: integrations.FollowerEnv(RC, member=40), ValueError, r"member: expected a value in \[0, 39\], got 40"),
        (
            lambda: integrations.FollowerEnv(RC, population={"learns": [True]}),
            ValueError,
            "population: expected no 'learns'",
        ),
        (lambda: integrations.LeaderVectors(paymaster.make_vec(RC)), TypeError, "env: expected a LeaderEnv"),
        (
            lambda: integrations.BatchedLeaderVectors(paymaster.make_vec(RC)).step([0]),
            ValueError,
            "actions: expected shape",
        ),
    ],
)
def test_impossible_arguments(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_impossible_actions_change_nothing() -> None:
    env = integrations.parallel_env(RC, seed=0)
    with pytest.raises(ValueError, match="expected reset"):
        env.step({})
    env.reset()
    before = env.state()
    for actions, error, message in (
        ({}, ValueError, "actions: expected one of 'leader', whose turn it is, got none"),
        ({"leader": np.zeros(7, dtype=int)}, ValueError, r"action of 'leader': expected shape \(8,\), got \(7,\)"),
        ({"leader": np.full(8, 9)}, ValueError, "actions"),
        ({"leader": np.zeros(8)}, TypeError, "actions"),
    ):
        with pytest.raises(error, match=message):
            env.step(actions)
    assert env.game.leader_is_next
    env.step({"leader": np.zeros(8, dtype=int)})
    offered = env.state()
    good = {f"follower_{k}": 0 for k in range(4)}
    for wrong, error, message in (
        (5, ValueError, r"action of 'follower_2': expected a value in \[0, 4\], got 5"),
        (0.5, TypeError, "action of 'follower_2': expected an int, got float"),
        ([1, 2], TypeError, "action of 'follower_2'"),
    ):
        with pytest.raises(error, match=message):
            env.step({**good, "follower_2": wrong})
    np.testing.assert_array_equal(env.state(), offered)
    assert (before != offered).any()
    turn = integrations.aec_env(RC, seed=0)
    for look in (turn.state, lambda: turn.observe("leader"), lambda: turn.observe("follower_1")):
        with pytest.raises(ValueError, match="expected"):
            look()
    with pytest.raises(ValueError, match="expected reset"):
        turn.step(0)
    follower = integrations.FollowerEnv(RC, seed=0)
    with pytest.raises(ValueError, match="expected reset"):
        follower.step(0)


# ---- what has to be installed


def run(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return result.stdout


def test_the_simulator_needs_neither_torch_nor_pettingzoo() -> None:
    out = run(
        "import sys; sys.modules.update(torch=None, pettingzoo=None, stable_baselines3=None, torchrl=None)\n"
        "import numpy as np, gymnasium, paymaster\n"
        "env = paymaster.make_vec('navigation', 2); env.reset(); env.step(env.action_space.sample())\n"
        "from paymaster import integrations\n"
        "follower = gymnasium.make('paymaster/NavigationFollower-v0')\n"
        "for env in (integrations.LeaderVectors(paymaster.make('navigation')), follower):\n"
        "    env.reset(); env.step(env.action_space.sample())\n"
        "for make in (integrations.parallel_env, integrations.aec_env, integrations.followers_env):\n"
        "    try: make('navigation')\n"
        "    except ImportError as error: print(error)\n"
        "try: integrations.sb3_vec_env('navigation')\n"
        "except ImportError as error: print(error)\n"
    )
    assert out.count("pip install 'paymaster[pettingzoo]'") == 3 and out.count("pip install 'paymaster[sb3]'") == 1


def test_importing_the_package_imports_none_of_them() -> None:
    out = run(
        "import sys, paymaster, paymaster.integrations; paymaster.make_vec('navigation')\n"
        "heavy = {'torch', 'pettingzoo', 'stable_baselines3', 'torchrl', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert out.strip() == "[]"
