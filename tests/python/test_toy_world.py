"""The worked example of CONTRIBUTING.md, a world that only the core knows, in an extension built with it: Python plays,
draws, copies and views it. (Minutes, for it compiles the core.)"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import paymaster

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow

PLAY = """
import copy, pickle
import gymnasium, numpy as np, paymaster
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
print(env.render())

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
"""


def _pybind11() -> str:
    """Its CMake files, of this Python or of the one on the path."""
    for python in (sys.executable, shutil.which("python3") or sys.executable):
        found = subprocess.run([python, "-m", "pybind11", "--cmakedir"], capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.strip()
    pytest.skip("pybind11 is not installed")


def test_a_world_made_as_contributing_says(tmp_path: Path) -> None:
    if shutil.which("cmake") is None:
        pytest.skip("cmake is not installed")
    build = tmp_path / "build"
    for command in (
        ["cmake", "-S", ROOT, "-B", build, "-DPAYMASTER_TOY=ON", f"-DPython_EXECUTABLE={sys.executable}",
         f"-Dpybind11_DIR={_pybind11()}"],
        ["cmake", "--build", build, "--target", "_core", "-j", str(os.cpu_count())],
    ):  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    package = tmp_path / "site" / "paymaster"
    shutil.copytree(
        Path(paymaster.__file__).parent, package, ignore=lambda _, names: [name for name in names if "_core." in name]
    )
    for built in build.glob("_core*.so"):
        shutil.copy(built, package)
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    played = subprocess.run([sys.executable, "-c", PLAY], capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert played.returncode == 0, played.stderr
