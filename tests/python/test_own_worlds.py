"""Worlds of one's own in Python, by name everywhere: games, views, features, commands, other processes."""

from __future__ import annotations

import importlib.metadata
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

import paymaster
from own_worlds import EXAMPLES, Taxi
from paymaster import World, integrations, register
from paymaster.commands.main import main
from paymaster.features.leader import FeatureEncoder
from paymaster.scripted import SCRIPTED, make_scripted
from paymaster.testing import check_world
from paymaster.worlds import registration
from play import offer_stream, same

B, N, G = 5, 4, 4


@pytest.fixture(autouse=True)
def taxi() -> None:
    register("taxi", Taxi, num_bonuses=3, payment="completion")


def line(**own: Any) -> type[World]:
    """A class with some things of its own."""
    return type("Line", (Taxi,), own)


# ---- the rules


@pytest.mark.parametrize(
    "parameters",
    [
        {"payment": "advance", "noise": 0.2, "observe_routes": True},
        *(
            pytest.param(others, marks=pytest.mark.slow)
            for others in (
                {},
                {"num_goals": 6, "num_followers": 1, "skills_per_follower": 6},
                {"num_followers": 9, "num_goals": 12, "horizon": 9, "population_size": 400},
            )
        ),
    ],
    ids=["noise", "usual", "one driver", "many"],
)
def test_the_example_keeps_all_rules(parameters: dict[str, Any]) -> None:
    check_world(Taxi, **parameters)
    check_world("taxi", steps=40, seed=3, **parameters)


def test_the_example_is_short() -> None:
    assert len((EXAMPLES / "taxi_world.py").read_text().splitlines()) <= 80


def test_money_is_conserved_with_rewards_of_the_world() -> None:
    env = paymaster.make_vec("taxi", B, seed=1, autoreset_mode="Disabled")
    env.reset()
    fare, fuel = env.parameters["fare"], env.parameters["fuel"]
    for offers in offer_stream(env, 30):
        before = env.state()
        _, reward, _, _, info = env.step(offers)
        own = info["follower_reward"] - info["payment"]  # fares, fuel, and c where the preferred goal was reached
        contracts = (info["completed"] >= 0).sum(1) * env.goal_reward[0] - info["payment"].sum(1)
        commission = reward - contracts
        picked = np.round(commission / env.parameters["commission"]).astype(int)
        np.testing.assert_allclose(commission, picked * env.parameters["commission"], atol=1e-6)
        drives = ((info["follower_action"] != 0) & ~before["done"][:, None]).sum(1)
        preferred = own.sum(1) - picked * fare + drives * fuel
        np.testing.assert_allclose(preferred, np.round(preferred), atol=1e-5)  # c is 1
        assert (preferred >= -1e-5).all()
        if before["done"].all():
            break


# ---- by name everywhere


def test_single_games_views_and_registries() -> None:
    batch = paymaster.make_vec("taxi", B, seed=3)
    one = paymaster.make("taxi", seed=3, index=2)
    by_name = gymnasium.make("paymaster/Taxi-v0", seed=3, index=2)
    seen, expected = one.reset()[0], batch.reset()[0]
    same(seen, {name: values[2] for name, values in expected.items()})
    same(by_name.reset()[0], seen)
    assert seen in one.observation_space
    assert type(gymnasium.make_vec("paymaster/Taxi-v0", 2, seed=0, followers="meta")) is paymaster.TwoPhaseVectorEnv
    for offers in offer_stream(batch, 9):
        expected, reward, *_ = batch.step(offers)
        seen, one_reward, *_ = one.step(offers[2])
        same(seen, {name: values[2] for name, values in expected.items()})
        assert one_reward == reward[2]


@pytest.mark.parametrize("followers", ["meta", "primitive"])
def test_two_phases_and_pettingzoo(followers: str) -> None:
    view = integrations.parallel_env("taxi", seed=1, followers=followers, render_mode="ansi")
    view.reset()
    for agent in view.agents:
        view.action_space(agent).seed(0)
    assert view.action_space("follower_0").n == (Taxi.num_actions if followers == "primitive" else G + 1)
    twin = pickle.loads(pickle.dumps(view))
    while view.agents:
        actions = {agent: view.action_space(agent).sample() for agent in view.agents}
        same(view.step(actions), twin.step(actions))
    assert "waiting: " in view.render()
    turns = integrations.aec_env("taxi", seed=1)
    turns.reset()
    turns.step(turns.action_space("leader").sample())


def test_scripted_leaders_features_and_pictures() -> None:
    env = paymaster.make_vec("taxi", 3, seed=1, autoreset_mode="Disabled", render_mode="rgb_array")
    for name in SCRIPTED:
        leader = make_scripted(name)
        observation, _ = env.reset(seed=1)
        leader.start(env)
        for _ in range(4):
            observation, *_ = env.step(leader.offers(env, observation))
    first = env.render()
    assert first is not None and len(first) == 3
    follower, goal = FeatureEncoder(env).encode(observation)
    assert follower.shape == (3, N, 10 + Taxi.num_actions + G) and np.isfinite(goal).all()
    listed = paymaster.make_vec("taxi", 1, seed=1, render_mode="rgb_array")
    listed.reset()
    assert (listed.render()[0] != first[0]).any()  # type: ignore[index]


def test_features_of_its_own() -> None:
    def setup(self: Any) -> None:
        Taxi.setup(self)
        self.array("fatigue", (N,), "float32", low=0, high=10, feature="follower")
        self.array("queue", (G,), low=0, high=4, feature="goal")
        self.array("road", (N, G), "float64", low=-2, high=2, feature="goal")

    def reset(self: Any, games: Any, draws: Any) -> None:
        Taxi.reset(self, games, draws)
        self.fatigue, self.queue, self.road = 5, np.arange(G), 1

    register("tired", line(setup=setup, reset=reset))
    env = paymaster.make_vec("tired", 2, seed=0, followers="meta", autoreset_mode="Disabled", observe_routes=True)
    usual = paymaster.make_vec("taxi", 2, seed=0, num_bonuses=2, followers="meta", observe_routes=True)
    for row, plain in zip(
        FeatureEncoder(env).encode(env.reset()[0]), FeatureEncoder(usual).encode(usual.reset()[0]), strict=True
    ):
        own = row[..., plain.shape[-1] :]
        np.testing.assert_array_equal(row[..., : plain.shape[-1]], plain)
        if own.shape[-1] == 1:
            assert (own == 0.5).all()
        else:
            np.testing.assert_array_equal(own[..., 0], np.broadcast_to(np.arange(G) / 4, (2, N, G)))
            assert (own[..., 1] == 0.5).all()


def test_copies_of_copies_and_threads() -> None:
    env = paymaster.make_vec("taxi", 40, seed=3, num_threads=3)
    env.reset()
    plain = paymaster.make_vec("taxi", 40, seed=3, num_threads=1, copy=False)
    plain.reset()
    twin = pickle.loads(pickle.dumps(env))
    for offers in offer_stream(env, 40):
        same(env.step(offers), plain.step(offers))
        same(env.observe(), twin.step(offers)[0])


# ---- the command line, and other processes


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "paymaster", *arguments]


def environment() -> dict[str, str]:
    return os.environ | {
        "PYTHONPATH": os.pathsep.join([str(EXAMPLES), *filter(None, sys.path)]),
        "OMP_NUM_THREADS": "1",
    }


SMALL = ("--episodes", "240", "--num-envs", "8", "--checkpoint-every", "24", "--hidden", "8", "--evaluate", "0")


@pytest.mark.slow
def test_training_evaluation_and_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    shown = ["--demand", "0.5", "--fuel", "0.1", "--num-followers", "3"]
    few = ["--episodes", "32", "--num-envs", "8", "--hidden", "8"]
    assert main(["train", "taxi_world:Taxi", *few, "--evaluate", "8", *shown, "--out", str(out)]) == 0
    assert "taxi_world:Taxi" in capsys.readouterr().out
    again = ["--resume", "--episodes", "40", "--evaluate", "0"]
    assert main(["train", "taxi_world:Taxi", *shown, "--out", str(out), *again]) == 0
    for arguments in (
        ["evaluate", str(out), "--episodes", "8"],
        ["evaluate", "full_information", "--task", "taxi_world:Taxi", "--episodes", "8", *shown],
        ["inspect", str(out), "--episodes", "8"],
        ["render", str(out), "--out", str(tmp_path / "film.gif")],
        ["tasks", "taxi_world:Taxi"],
    ):
        assert main(arguments) == 0
    assert "passenger" in capsys.readouterr().out
    assert (tmp_path / "film.gif").stat().st_size > 1000
    learning = tmp_path / "learning"
    learn = ["train", "taxi_world:Taxi", *few, "--evaluate", "0", "--followers", "meta", "--out", str(learning)]
    assert main(learn) == 0
    assert main(["diagnose", str(learning), "--episodes", "4"]) == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["taxi_world:Taxi", "--fare", "-1"], "fare: expected a number in [0, 100], got -1"),
        (["taxi_world:Taxi", "--fair", "1"], "unrecognized options: --fair, 1; did you mean --fare?"),
        (["taxi_world:Taksi"], "task: expected 'module:Class' that can be imported, got 'taxi_world:Taksi'"),
        (["no_such_module:Taxi"], "task: expected 'module:Class' that can be imported"),
        (["taxi_world:np"], "world: expected a subclass of paymaster.World"),
    ],
)
def test_what_the_command_refuses(
    arguments: list[str], text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *arguments, "--out", str(tmp_path / "run"), "--episodes", "8"]) == 2
    assert text in " ".join(capsys.readouterr().err.split())


def test_a_pickled_environment_is_found_by_another_process(tmp_path: Path) -> None:
    register("busy_taxi", Taxi, demand=0.9, num_goals=5)
    play = (
        "import pickle, sys; env = pickle.load(open(sys.argv[1], 'rb'));"
        "assert env.parameters['demand'] == 0.9 and env.parameters['num_goals'] == 5"
    )
    (tmp_path / "env").write_bytes(pickle.dumps(paymaster.make_vec("busy_taxi", 2)))
    in_another_process(sys.executable, "-c", play, str(tmp_path / "env"))


@pytest.mark.slow
def test_a_run_is_evaluated_by_another_process(tmp_path: Path) -> None:
    from paymaster.training.config import TrainConfig
    from paymaster.training.train import train

    register("busy_taxi", Taxi, demand=0.9, num_goals=5)
    config = TrainConfig("busy_taxi", episodes=16, num_envs=8, hidden=8)
    train(config, tmp_path / "run")
    assert TrainConfig.from_json(config.to_json()) == config
    in_another_process(*command("evaluate", str(tmp_path / "run"), "--episodes", "8"))


def in_another_process(*arguments: str) -> None:
    done = subprocess.run(arguments, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_killed_and_resumed_equals_unbroken(tmp_path: Path) -> None:
    """kill -9 between checkpoints; resumed, it ends with the same bits."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train = command("train", "taxi_world:Taxi", "--out", str(whole), *SMALL)
    assert subprocess.run(train, env=environment(), stdout=subprocess.DEVNULL, timeout=300).returncode == 0
    process = subprocess.Popen(
        command("train", "taxi_world:Taxi", "--out", str(killed), *SMALL), env=environment(), stdout=subprocess.DEVNULL
    )
    deadline, metrics = time.monotonic() + 120, killed / "metrics.jsonl"
    while not metrics.exists() or metrics.read_bytes().count(b"\n") < 8:
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert metrics.read_bytes().count(b"\n") < 30
    resumed = command("train", "taxi_world:Taxi", "--out", str(killed), "--resume", "--evaluate", "0")
    assert subprocess.run(resumed, env=environment(), stdout=subprocess.DEVNULL, timeout=300).returncode == 0
    assert metrics.read_bytes() == (whole / "metrics.jsonl").read_bytes()
    assert [path.read_bytes() for path in sorted(killed.rglob("*.safetensors"))] == [
        path.read_bytes() for path in sorted(whole.rglob("*.safetensors"))
    ]


@pytest.mark.slow
def test_two_ranks(tmp_path: Path) -> None:
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "paymaster"]
    arguments = ["train", "taxi_world:Taxi", "--out", str(tmp_path / "run"), *SMALL]
    done = subprocess.run(
        [sys.executable, *launcher, *arguments], env=environment(), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


def test_costs_may_outweigh_what_followers_earn() -> None:
    env = paymaster.make_vec("taxi", 4, seed=0, fare=0.0, fuel=5.0)
    env.reset()
    random = np.random.default_rng(0)
    for _ in range(5):
        *_, info = env.step(random.integers(0, 2, (4, N, 2)))
    assert (info["totals"]["follower_reward"] < 0).any()
    twin = pickle.loads(pickle.dumps(env))
    env.restore(env.snapshot())
    same(env.step(np.zeros((4, N, 2), int)), twin.step(np.zeros((4, N, 2), int)))


def test_entry_points(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    entries = [
        importlib.metadata.EntryPoint("cabs", "taxi_world:Taxi", registration.GROUP),
        importlib.metadata.EntryPoint("broken", "no_such_module:Taxi", registration.GROUP),
    ]

    def found(group: str, name: str | None = None) -> list[importlib.metadata.EntryPoint]:
        assert group == "paymaster.worlds"
        return [entry for entry in entries if name in (None, entry.name)]

    monkeypatch.setattr(importlib.metadata, "entry_points", found)
    registration._installed.cache_clear()
    request.addfinalizer(registration._installed.cache_clear)
    assert paymaster.make_vec("cabs").parameters["fare"] == 0.8
    with pytest.warns(UserWarning, match="entry point broken = no_such_module:Taxi: expected one that can be imported"):
        assert "cabs" in [task.name for task in paymaster.tasks()]
    paymaster.tasks()  # without a second warning, which would be an error here
    with pytest.raises(ValueError, match="entry point broken"):
        paymaster.make("broken")
