"""The checks of the libraries whose environments the views claim to be; and the names in their registries."""

from __future__ import annotations

import warnings
from types import ModuleType
from typing import Any

import gymnasium
import gymnasium.wrappers.vector as wrappers
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import paymaster
from paymaster import integrations
from play import INFO, MODES, RC, offer_stream, same

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PettingZoo's tests import its old names, torchrl and SB3 warn of versions
    import pettingzoo
    from pettingzoo.test import (
        api_test,
        parallel_api_test,
        parallel_seed_test,
        render_test,
        seed_test,
        state_test,
    )
    from stable_baselines3.common.env_checker import check_env as sb3_check_env

NAMES = {RC: "ResourceCollection", "navigation": "Navigation", "predator_prey": "PredatorPrey"}
GAMES: list[tuple[str, dict[str, Any]]] = [
    (RC, {}),
    (RC, {"followers": "primitive", "num_followers": 1, "abstain": True}),
    ("navigation", {"num_followers": 2, "payment": "completion", "noise": 0.3}),
    ("predator_prey", {"followers": "primitive"}),
]
over_games = pytest.mark.parametrize(("task", "parameters"), GAMES, ids=["grid", "one", "two", "plane"])

# What PettingZoo recommends and we do not follow: a leader is no follower, and makes several offers at once.
DIFFERENT = (
    "Observations are different shapes",
    "Agents have different observation space sizes",
    "Action space for each agent probably should be gymnasium.spaces.box or gymnasium.spaces.discrete",
    "We recommend agents to be named in the format <descriptor>_<number>",
)


# ---- PettingZoo


@over_games
def test_pettingzoos_parallel_tests(task: str, parameters: dict[str, Any]) -> None:
    for make in (integrations.parallel_env, integrations.followers_env):
        parallel_api_test(make(task, **parameters), num_cycles=60)
        parallel_seed_test(lambda make=make: make(task, **parameters), num_cycles=60)


@over_games
def test_pettingzoos_aec_tests(task: str, parameters: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        for message in DIFFERENT:
            warnings.filterwarnings("ignore", message=message)
        api_test(integrations.aec_env(task, seed=0, **parameters), num_cycles=120)
    seed_test(lambda: integrations.aec_env(task, **parameters), num_cycles=120)
    state_test(
        integrations.aec_env(task, seed=0, **parameters),
        integrations.parallel_env(task, seed=0, **parameters),
        num_cycles=120,
    )


@pytest.mark.parametrize("task", [RC, "predator_prey"])
def test_pettingzoos_render_test(task: str, capsys: pytest.CaptureFixture[str]) -> None:
    render_test(lambda **mode: integrations.aec_env(task, **mode))
    assert "step 1 of" in capsys.readouterr().out  # what "human" has printed
    pictures = integrations.parallel_env(task, seed=0, render_mode="rgb_array")
    pictures.reset()
    assert pictures.render().ndim == 3
    with pytest.warns(UserWarning, match="render_mode"):
        integrations.followers_env(task, seed=0).render()


def test_names_in_pettingzoos_registry() -> None:
    import paymaster.integrations.registration

    ours = {name for name in pettingzoo.parallel_registry if name.startswith("paymaster/")}
    assert len(ours) == 2 * len(paymaster.tasks())
    assert {name for name in ours if "Followers" not in name} <= set(pettingzoo.aec_registry)
    for task, name in NAMES.items():
        whole = pettingzoo.make("parallel", f"paymaster/{name}-v0", seed=3)
        same(whole.reset()[0], integrations.parallel_env(task, seed=3).reset()[0])
        turn = pettingzoo.make("aec", f"paymaster/{name}", followers="primitive")
        assert type(turn).__name__ == "GameAECEnv" and turn.game.env.task == task
        side = pettingzoo.make("parallel", f"paymaster/{name}Followers-v0", leader="preference")
        assert side.possible_agents == [f"follower_{k}" for k in range(4)]


def test_spaces_are_the_same_objects_and_followers_are_alike() -> None:
    for env in (integrations.parallel_env(RC, seed=0), integrations.aec_env(RC, seed=0)):
        assert env.possible_agents == ["leader", *(f"follower_{k}" for k in range(4))]
        for agent in env.possible_agents:
            assert env.observation_space(agent) is env.observation_space(agent)
            assert env.action_space(agent) is env.action_space(agent)
        assert env.observation_space("follower_0") == env.observation_space("follower_3")
        assert env.observation_space("leader") != env.observation_space("follower_0")
        assert env.action_space("leader") == gymnasium.spaces.MultiDiscrete([4, 2] * 4)


# ---- Gymnasium and Stable-Baselines3


@pytest.mark.parametrize("name", [name for name in gymnasium.registry if name.startswith("paymaster/")])
@pytest.mark.filterwarnings("ignore:.*Box observation space maximum and minimum values are equal")  # of one follower
def test_gymnasiums_check_of_every_name(name: str) -> None:
    env = gymnasium.make(name, seed=0, render_mode="ansi")
    assert env.spec.id == name
    check_env(env.unwrapped, skip_render_check="Follower" not in name)


@over_games
def test_stable_baselines3_checks(task: str, parameters: dict[str, Any]) -> None:
    sb3_check_env(integrations.FollowerEnv(task, seed=0, **parameters))
    parameters = {name: value for name, value in parameters.items() if name != "followers"}
    sb3_check_env(integrations.LeaderVectors(paymaster.make(task, seed=0, **parameters)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is different from the unwrapped version")
        check_env(integrations.LeaderVectors(paymaster.make(task, seed=0, **parameters)), skip_render_check=True)


# ---- Gymnasium's batches


@pytest.mark.parametrize("mode", MODES)
def test_a_batch_by_its_name(mode: AutoresetMode) -> None:
    env = gymnasium.make_vec("paymaster/ResourceCollection-v0", 3, seed=5, autoreset_mode=mode, horizon=4)
    assert type(env) is paymaster.LeaderVectorEnv and env.num_envs == 3
    assert env.metadata["autoreset_mode"] is mode
    again = gymnasium.make_vec(env.spec)
    plain = paymaster.make_vec(RC, 3, 5, autoreset_mode=mode, horizon=4)
    assert env.reset()[0].keys() == plain.reset()[0].keys()
    again.reset()
    for offers in offer_stream(plain, 9):
        *expected, info = plain.step(offers)
        for named in (env, again):
            *came, came_info = named.step(offers)
            same(came, expected)
            same({key: came_info[key] for key in INFO}, {key: info[key] for key in INFO})


def test_batches_of_other_kinds_by_name() -> None:
    learning = gymnasium.make_vec("paymaster/Navigation-v0", 2, seed=0, followers="meta")
    assert type(learning) is paymaster.TwoPhaseVectorEnv
    games = gymnasium.make_vec("paymaster:paymaster/Navigation-v0", 2, seed=0, vectorization_mode="sync")
    assert isinstance(games, SyncVectorEnv)
    ours = gymnasium.make_vec("paymaster/Navigation-v0", 2, seed=0, vectorization_mode="vector_entry_point")
    seen, expected = ours.reset(seed=[1, 1])[0], games.reset(seed=[1, 1])[0]
    same({name: values[0] for name, values in seen.items()}, {name: values[0] for name, values in expected.items()})
    games.close()


@pytest.mark.parametrize(
    "wrap",
    [
        wrappers.RecordEpisodeStatistics,
        wrappers.DictInfoToList,
        wrappers.NormalizeReward,
        lambda env: wrappers.ClipReward(env, -1, 1),
        lambda env: wrappers.FilterObservation(env, ["step", "distance"]),
        lambda env: wrappers.NormalizeObservation(wrappers.FlattenObservation(env)),
        lambda env: wrappers.DtypeObservation(wrappers.FlattenObservation(env), np.float32),
        lambda env: wrappers.NormalizeObservation(integrations.BatchedLeaderVectors(env)),
    ],
    ids=["statistics", "list", "reward", "clip", "filter", "flatten", "dtype", "vectors"],
)
def test_gymnasiums_vector_wrappers(wrap: Any) -> None:
    env = wrap(gymnasium.make_vec("paymaster/Navigation-v0", 3, seed=0, horizon=4))
    env.action_space.seed(0)
    seen, _ = env.reset(seed=1)
    ended = 0
    for _ in range(11):
        actions = env.action_space.sample()
        if isinstance(seen, np.ndarray):
            assert seen.shape == env.observation_space.shape and np.isfinite(seen).all()
        seen, reward, terminated, _, _ = env.step(actions)
        assert np.isfinite(np.asarray(reward)).all()
        ended += int(terminated.sum())
    assert ended == 6


# ---- TorchRL


@pytest.fixture(scope="module")
def torchrl() -> ModuleType:
    """Return its environments, which take as long to import as all that the other tests need."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of versions
        import torchrl.envs
    return torchrl.envs


@over_games
@pytest.mark.filterwarnings("ignore:PettingZoo in TorchRL is tested using version")
def test_torchrls_checks(torchrl: ModuleType, task: str, parameters: dict[str, Any]) -> None:
    torchrl.check_env_specs(
        torchrl.PettingZooWrapper(integrations.parallel_env(task, seed=0, **parameters), return_state=True)
    )
    torchrl.check_env_specs(
        torchrl.PettingZooWrapper(integrations.followers_env(task, seed=0, **parameters), use_mask=True)
    )
    torchrl.check_env_specs(torchrl.PettingZooWrapper(integrations.aec_env(task, seed=0, **parameters), use_mask=True))
    torchrl.check_env_specs(torchrl.GymWrapper(integrations.FollowerEnv(task, seed=0, **parameters)))
    parameters = {name: value for name, value in parameters.items() if name != "followers"}
    torchrl.check_env_specs(torchrl.GymWrapper(integrations.LeaderVectors(paymaster.make(task, seed=0, **parameters))))
    batch = paymaster.make_vec(task, 3, autoreset_mode="Disabled", **parameters)
    wrapped = torchrl.GymWrapper(integrations.BatchedLeaderVectors(batch), categorical_action_encoding=True)
    torchrl.check_env_specs(wrapped)
    steps = batch.parameters["horizon"] + 5
    rolled = wrapped.rollout(steps, break_when_any_done=False)
    assert rolled.batch_size == (3, steps)
    assert rolled["next", "done"].sum(1).flatten().tolist() == [1, 1, 1]


@pytest.mark.parametrize("parameters", [{}, {"frame_skip": 2}, {"categorical_action_encoding": True}], ids=str)
def test_torchrl_makes_environments_by_name(torchrl: ModuleType, parameters: dict[str, Any]) -> None:
    """It tries keyword arguments that we do not have, and goes by the error's type and text."""
    follower = torchrl.GymEnv("paymaster/NavigationFollower-v0", seed=1, horizon=12, **parameters)
    torchrl.check_env_specs(follower)
    leader = torchrl.GymEnv("paymaster/Navigation-v0", seed=1, horizon=12, **parameters)
    for env in (follower, leader):
        steps = 12 // parameters.get("frame_skip", 1)
        assert env.rollout(20)["next", "terminated"].squeeze().tolist() == [False] * (steps - 1) + [True]
    with pytest.raises(TypeError, match=r"^num_follower: expected .*num_followers\?\), got an unexpected keyword"):
        torchrl.GymEnv("paymaster/Navigation-v0", num_follower=3)
