"""What a step returns, in other libraries' arrays without a copy: DLPack (NumPy, torch) and JAX."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import paymaster
from paymaster import integrations
from play import RC, leaves

GAMES = 32  # of so many, fields begin on multiples of 64 bytes
CASES: list[dict[str, Any]] = [
    {"task": RC},
    {"task": "navigation"},
    {"task": "predator_prey", "num_followers": 3},
    {"task": RC, "population_size": 40_000},  # whose identities are int32
    {"task": RC, "followers": "meta"},
]


def arrays_of(copied: bool, games: int = GAMES, **arguments: Any) -> list[NDArray[Any]]:
    """Return every array of a reset and a step."""
    env = paymaster.make_vec(num_envs=games, seed=0, copy=copied, **arguments)
    seen, _ = env.reset()
    offers = np.zeros((games, env.num_followers, 2), dtype=np.int64)
    return [*leaves(seen), *leaves(env.step(offers) if env.parameters["followers"] == "rule" else env.offer(offers))]


def address(array: NDArray[Any]) -> int:
    return int(array.__array_interface__["data"][0])


@pytest.mark.parametrize("copied", [True, False])
@pytest.mark.parametrize("arguments", CASES, ids=str)
def test_every_array_can_be_passed_on_by_dlpack(arguments: dict[str, Any], copied: bool) -> None:
    torch = pytest.importorskip("torch")
    arrays = arrays_of(copied, games=5, **arguments)
    assert len(arrays) > 15
    for array in arrays:
        assert array.flags.c_contiguous and array.flags.aligned and array.flags.writeable
        assert address(np.from_dlpack(array)) == address(array)
        tensor = torch.from_dlpack(array)
        assert tensor.data_ptr() == address(array) and tensor.shape == array.shape
        np.testing.assert_array_equal(tensor.numpy(), array)


@pytest.mark.parametrize("copied", [True, False])
@pytest.mark.parametrize("arguments", CASES[:4], ids=str)
def test_observations_of_32_games_begin_on_multiples_of_64_bytes(arguments: dict[str, Any], copied: bool) -> None:
    for games in (GAMES, 3 * GAMES):
        env = paymaster.make_vec(num_envs=games, seed=0, copy=copied, **arguments)
        seen, _ = env.reset()
        assert {address(array) % 64 for array in seen.values()} == {0}
        vectors, _ = integrations.BatchedLeaderVectors(env).reset()
        assert address(vectors) % 64 == 0 and vectors.flags.c_contiguous


def test_fresh_arrays_stay_as_they_are_and_reused_ones_do_not() -> None:
    torch = pytest.importorskip("torch")
    for copied in (True, False):
        env = paymaster.make_vec(RC, GAMES, seed=0, copy=copied)
        seen, _ = env.reset()
        tensor = torch.from_dlpack(seen["step"])
        before = tensor.clone()
        env.step(np.zeros((GAMES, 4, 2), dtype=np.int64))
        assert torch.equal(tensor, before) is copied


IN_JAX = """
import warnings
import jax, numpy as np, paymaster
from paymaster import integrations

def address(array):
    return array.__array_interface__["data"][0]

for task in ("resource_collection", "navigation", "predator_prey"):
    env = paymaster.make_vec(task, 64, seed=0)
    seen, _ = env.reset()
    seen |= {"vectors": integrations.BatchedLeaderVectors(env).reset()[0]}
    for name, array in seen.items():
        there = jax.dlpack.from_dlpack(array, copy=False)
        assert there.unsafe_buffer_pointer() == address(array), name
        np.testing.assert_array_equal(np.asarray(there), array)
    kept = {name: jax.dlpack.from_dlpack(array) for name, array in env.observe().items()}
    before = {name: np.array(array) for name, array in kept.items()}
    env.step(env.action_space.sample())
    for name in kept:
        np.testing.assert_array_equal(np.asarray(kept[name]), before[name])
    few = paymaster.make_vec(task, 5, seed=0)  # their fields begin anywhere: copied
    for name, array in few.reset()[0].items():
        np.testing.assert_array_equal(np.asarray(jax.dlpack.from_dlpack(array)), array)
print("taken without a copy")
"""


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
def test_jax_takes_observations_without_a_copy() -> None:
    """In a process of its own: once JAX is loaded, it warns of every fork."""
    done = subprocess.run([sys.executable, "-c", IN_JAX], capture_output=True, text=True, check=False)
    assert done.stdout == "taken without a copy\n", done.stderr
