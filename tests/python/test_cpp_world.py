"""`docs/examples/cpp_world`, worlds in C++ outside of this tree: pip builds it with the installed package, and Python
plays, draws, copies and views it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import paymaster

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "cpp_world"
pytestmark = pytest.mark.slow

PLAYED = """
import copy, pickle
import gymnasium, numpy as np, paymaster
import cpp_world
from paymaster import integrations
from paymaster.scripted import SCRIPTED, make_scripted
from paymaster.play.recorded_episode import record_episode

env = paymaster.make("corridor", seed=1, render_mode="ansi")
seen, _ = env.reset()
for name, low, high in (("cell", 0, 11), ("goal_cell", -1, 11), ("action", -1, 2), ("available", 0, 1)):
    space = env.observation_space[name]
    assert (space.low == low).all() and (space.high == high).all(), (name, space)
assert seen in env.observation_space
text = env.render()
state = env.state()
cells = " ".join(map(str, state["cell"].tolist()))
assert f"cell: {cells}\\n" in text and "goal_present: True True True True\\n" in text, text
assert "step 0 of 30" in text and "0 is " in text and "skill" not in text, text
env.step(np.zeros((4, 2), dtype=int))
assert "step 1 of 30" in env.render() and "offered a for 1" in env.render()

env = paymaster.make("corridor", seed=1, render_mode="rgb_array")
env.reset()
before = env.render()
for _ in range(3):
    env.step(np.zeros((4, 2), dtype=int))
after = env.render()
assert before.shape == after.shape and before.shape[2] == 3
height = len(after)
changed = (before != after).any(-1)
assert changed[: height // 2, :500].any(), "the world's fields"
assert changed[: height // 2, 600:].any(), "the panel"
assert changed[height // 2 :].any(), "the time line"
assert len(paymaster.make_vec("corridor", 2, seed=1, render_mode="rgb_array").render()) == 2
for leader in SCRIPTED:
    batch = paymaster.make_vec("corridor", 1, seed=1, autoreset_mode="Disabled")
    episode = record_episode(batch, make_scripted(leader))
    assert episode.frame(len(episode.states) - 1).ndim == 3

for followers in ("meta", "primitive"):
    view = integrations.parallel_env("corridor", seed=1, followers=followers, render_mode="ansi")
    view.reset()
    for agent in view.agents:
        view.action_space(agent).seed(0)
    twin = pickle.loads(pickle.dumps(view))
    while view.agents:
        actions = {agent: view.action_space(agent).sample() for agent in view.agents}
        same = view.step(actions), twin.step(actions)
        np.testing.assert_equal(*same)
    assert "goal_cell: " in view.render()
    assert view.action_space("follower_0").n == (3 if followers == "primitive" else 5)
turns = integrations.aec_env("corridor", seed=1, render_mode="rgb_array")
turns.reset()
turns.step(turns.action_space("leader").sample())
assert copy.deepcopy(turns).render().ndim == 3
gymnasium.make("paymaster/Corridor-v0").reset()
gymnasium.make_vec("paymaster/Corridor-v0", 2, vectorization_mode="vector_entry_point").reset()
gymnasium.make("paymaster/CorridorFollower-v0").reset()
"""

# The totals are those of the same world compiled into the core, before it could be built elsewhere.
SAME_NUMBERS = """
import numpy as np, paymaster
import cpp_world

TOTALS = {"rule": [24, 14, 22, 15, 12, 16, 12, 17], "meta": [7, 4, 6, 3, 1, 5, 3, 2]}

def play(env, steps, draws):
    total = np.zeros(env.num_envs)
    for _ in range(steps):
        offers = draws.integers(0, (4, 2), (env.num_envs, 4, 2))
        if env.parameters["followers"] == "meta":
            env.offer(offers)
            total += env.act(draws.integers(0, 5, (env.num_envs, 4)))[1]
        else:
            total += env.step(offers)[1]
    return total

for followers, expected in TOTALS.items():
    env = paymaster.make_vec("corridor", 8, seed=3, noise=0.2, followers=followers)
    env.reset()
    assert play(env, 100, np.random.default_rng(5)).tolist() == expected

games = [paymaster.make_vec("corridor", 500, seed=3, num_threads=threads) for threads in (1, 4)]
for env in games:
    env.reset()
one, four = (play(env, 50, np.random.default_rng(7)) for env in games)
np.testing.assert_array_equal(one, four)
bytes_then = games[0].snapshot()
after = play(games[0], 10, np.random.default_rng(8))
assert games[0].snapshot() != games[1].snapshot()
games[1].restore(bytes_then)
np.testing.assert_array_equal(play(games[1], 10, np.random.default_rng(8)), after)
assert games[0].snapshot() == games[1].snapshot()
"""

# The taxi world of docs/examples/taxi_world.py, and the same in C++.
BOTH_WAYS = """
import itertools, sys
import numpy as np, paymaster
sys.path.append({examples!r})

def plain(value):
    if isinstance(value, dict):
        return {{name: plain(inside) for name, inside in value.items()}}
    if isinstance(value, tuple) or getattr(value, "dtype", None) == object:  # last observations, or None
        return list(map(plain, value))
    return value

for mode, followers, payment in itertools.product(
    ("NextStep", "SameStep", "Disabled"), ("rule", "meta", "primitive"), ("completion", "advance")
):
    both = [
        paymaster.make_vec(
            task, 20, 3, noise=0.2, followers=followers, payment=payment, num_goals=6, num_followers=5,
            autoreset_mode=mode, observe_routes=True, demand=0.7,
        )
        for task in ("taxi_world:Taxi", "cpp_taxi")
    ]
    np.testing.assert_equal(*(env.reset(seed=8)[0] for env in both))
    random = np.random.default_rng(5)
    for _ in range(70):
        offers = random.integers(0, (6, 2), (20, 5, 2))
        if followers == "rule":
            results = [env.step(offers) for env in both]
        else:
            answers = random.integers(0, 4, (20, 5))
            results = [(env.offer(offers), *env.act(answers)) for env in both]
        np.testing.assert_equal(*map(plain, results))
    ours, theirs = (env.state() for env in both)
    np.testing.assert_equal(ours, theirs)
"""

# What the module throws, and what the core throws through the module.
ERRORS = r"""
import threading
import gymnasium, numpy as np, pytest, paymaster
import cpp_world

env = paymaster.make_vec("corridor", 2000, seed=1, cells=5)
zeros = np.zeros((2000, 4, 2), dtype=int)
with pytest.raises(gymnasium.error.ResetNeeded, match="step: expected reset"):
    env.step(zeros)
env.reset()
with pytest.raises(ValueError, match=r"goal_cell: expected a value in \[0, 4\], got 5 \(in game 0\)"):
    env.set_state(goal_cell=np.full((2000, 4), 5, dtype=np.int32))
with pytest.raises(ValueError, match=r"actions: bonus \(game 0, follower 0\): expected a value in \[0, 1\], got 9"):
    env.step(zeros + [0, 9])
with pytest.raises(ValueError, match="snapshot: expected intact bytes"):
    env.restore(env.snapshot()[:-1] + b"x")
with pytest.raises(ValueError, match=r"cells: expected a value in \[2, 1000\], got 1$"):
    paymaster.make("corridor", cells=1)
with pytest.raises(ValueError, match=r"num_followers: expected a value in \[1, 1024\], got 1025"):
    paymaster.make("corridor", num_followers=1025)
with pytest.raises(TypeError, match="num_resources: expected a parameter of corridor"):
    paymaster.make("corridor", num_resources=3)

# A thread has one number, in the core and in the module: this one may enter again, another may not enter.
def step():
    with pytest.raises(RuntimeError, match=r"step: expected no other call .*, got render\(\) in another thread"):
        env._core.step(zeros)
    refused.append(True)
refused = []
with env._guard("render"):
    env.step(zeros)
    other = threading.Thread(target=step)
    other.start()
    other.join()
env.step(zeros)
assert refused

assert paymaster.make("long_corridor").observation_space["cell"].high.max() == 99
"""

OTHERS = r"""
import sys
import gymnasium, pettingzoo, pytest, paymaster
from paymaster import _core

ours = _core.core_functions
def asked(change):
    def core_functions(module, interface, layout):
        return ours(module, *change(interface, layout))
    return core_functions

for change, text in (
    (lambda interface, layout: ("0.0.9 (headers 0)", layout), r"got one built for 0\.0\.9 \(headers 0\); build it "),
    (lambda interface, layout: (interface, layout + " 8"), "this paymaster, lib.* sizes .*, got one built for lib"),
):
    _core.core_functions = asked(change)
    with pytest.raises(ImportError, match="cpp_world: expected a module built for .*" + text + ".*pip install"):
        import cpp_world
    with pytest.warns(UserWarning, match="entry point corridor = cpp_world: .*build it again"):
        assert "corridor" not in [task.name for task in paymaster.tasks()]
    assert "cpp_world" not in sys.modules
_core.core_functions = ours
import paymaster.integrations.registration
import cpp_world
paymaster.make("corridor").reset()
assert "paymaster/Corridor-v0" in pettingzoo.aec_registry and "paymaster/Corridor-v0" in gymnasium.registry
assert "paymaster/CorridorFollowers-v0" in pettingzoo.parallel_registry
"""


def _builder() -> str:
    """A Python that has pip and what builds need: this one, or the one on the path (.ci/run)."""
    for python in (sys.executable, "python3"):
        found = subprocess.run([python, "-c", "import pip, scikit_build_core"], capture_output=True)
        if found.returncode == 0:
            return python
    pytest.skip("pip or scikit-build-core is not installed")


def _told(option: str) -> Path:
    done = subprocess.run([sys.executable, "-m", "paymaster", option], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the example is installed into."""
    if Path(paymaster.__file__).is_relative_to(ROOT / "python"):
        pytest.skip("a source tree has no headers for worlds elsewhere: install the package")
    folder = tmp_path_factory.mktemp("cpp_world")
    command = [
        *(_builder(), "-m", "pip", "install", "--no-deps", "--no-index", "--no-build-isolation"),
        *("--target", folder / "site", "-C", f"build-dir={folder / 'build'}"),
        *("-C", f"cmake.define.paymaster_DIR={_told('--cmake-dir')}", EXAMPLE),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


def _run(site: Path, code: str) -> str:
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, cwd=site
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_python_plays_draws_and_copies_it(site: Path) -> None:
    _run(site, PLAYED)


def test_it_plays_as_if_it_were_part_of_the_core(site: Path) -> None:
    _run(site, SAME_NUMBERS)


def test_the_same_world_in_python_and_in_cpp_gives_the_same_numbers(site: Path) -> None:
    _run(site, BOTH_WAYS.format(examples=str(EXAMPLE.parent)))


def test_errors_cross_between_the_module_and_the_core(site: Path) -> None:
    _run(site, ERRORS)


def test_a_module_built_for_another_paymaster_is_refused(site: Path) -> None:
    _run(site, OTHERS)


def test_its_entry_point_makes_it_known_without_an_import(site: Path) -> None:
    _run(site, "import paymaster; paymaster.make('corridor').reset()")
    listed = _run(site, "from paymaster.commands.main import main; main(['tasks'])")
    assert "corridor: toy: walk to goals on a line of cells" in listed
    assert "long_corridor: toy: a line of 100 cells" in listed
    assert "cells on the line" in " ".join(listed.split())


def test_where_the_headers_are_takes_no_torch(site: Path) -> None:
    code = "import sys; sys.argv = ['paymaster', '--include']; from paymaster.__main__ import main; "
    include = _run(site, code + "main(); assert 'torch' not in sys.modules").strip()
    assert (Path(include) / "game" / "world.hpp").exists()
    assert (_told("--cmake-dir") / "paymasterConfig.cmake").exists()
