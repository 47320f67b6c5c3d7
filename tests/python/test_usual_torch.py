"""As a library: what the program around has set of torch and matplotlib is left as found, and changes no number."""

from __future__ import annotations

import dataclasses
import itertools
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
import torch

from paymaster.algorithms import EBPG, EBPGConfig
from paymaster.analysis.equilibrium import diagnose_run
from paymaster.analysis.evaluate import evaluate_run
from paymaster.analysis.inspection import inspect_run
from paymaster.analysis.learning_curve import plot_learning_curve
from paymaster.networks.leader import LeaderConfig, LeaderNetwork
from paymaster.networks.torch_defaults import drawing_from, threads_of_torch, usual_torch
from paymaster.training.config import TrainConfig
from paymaster.training.cores import available_cores
from paymaster.training.train import train
from rest_slow import rest_slow

TASK = "resource_collection"
SMALL = TrainConfig(TASK, episodes=16, num_envs=8, checkpoint_every=8, hidden=8, seed=3)
LEARNING = dataclasses.replace(SMALL, parameters={"followers": "meta", "payment": "advance_once"})


@pytest.fixture(autouse=True)
def _as_many_threads_as_users_have() -> Iterator[None]:
    """Give torch two threads, so that one that is not put back is seen."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        assert torch.get_default_dtype() == dtype
        torch.set_default_dtype(before)


@contextmanager
def default_device(device: str) -> Iterator[None]:
    torch.set_default_device(device)
    try:
        yield
        assert torch.empty(0).device.type == device
    finally:
        torch.set_default_device(None)


AROUND: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "as usual": nullcontext,
    "float64": lambda: default_dtype(torch.float64),
    "bfloat16": lambda: default_dtype(torch.bfloat16),
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "meta device": lambda: torch.device("meta"),
    "default device": lambda: default_device("meta"),
    "inference mode": torch.inference_mode,
    "no grad": torch.no_grad,
    "grad disabled": lambda: torch.set_grad_enabled(False),
}


def everything(config: TrainConfig, out: Path) -> tuple[Any, ...]:
    train(config, out)
    evaluation = evaluate_run(out, 4)
    files = ((out / "metrics.jsonl").read_bytes(), next(out.glob("checkpoint-*16.safetensors")).read_bytes())
    return (*files, evaluation.to_json()["gain"], inspect_run(out, 4).to_json()["entropy"])


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> dict[TrainConfig, tuple[Any, ...]]:
    return {config: everything(config, tmp_path_factory.mktemp("usual") / "run") for config in (SMALL, LEARNING)}


AROUND_RUNS = [
    *itertools.product(AROUND, [SMALL]),
    *itertools.product(("float64", "autocast", "meta device"), [LEARNING]),
]
COVERING = [
    *itertools.product(("float64", "autocast", "meta device", "inference mode"), [SMALL]),
    ("float64", LEARNING),
]


@pytest.mark.parametrize(("around", "config"), rest_slow(AROUND_RUNS, COVERING.__contains__))
def test_settings_around_change_no_number_and_are_left_as_found(
    around: str, config: TrainConfig, usual: dict[TrainConfig, tuple[Any, ...]], tmp_path: Path
) -> None:
    torch.manual_seed(1), np.random.seed(1), random.seed(1)
    states = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # type: ignore[index,union-attr]
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with AROUND[around]():
        grad, inference = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        autocast, device = torch.is_autocast_enabled("cpu"), torch.empty(0).device
        assert everything(config, tmp_path / "run") == usual[config]
        assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == (grad, inference)
        assert (torch.is_autocast_enabled("cpu"), torch.empty(0).device) == (autocast, device)
    assert torch.get_default_dtype() == torch.float32
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == (threads, deterministic)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (np.random.get_state()[1].tolist(), random.getstate()) == states[1:]  # type: ignore[index,union-attr]


@pytest.mark.parametrize("around", ["float64", pytest.param("meta device", marks=pytest.mark.slow)])
def test_diagnosing(around: str, tmp_path: Path) -> None:
    found = []
    for name, context in (("usual", nullcontext), (around, AROUND[around])):
        with context():
            train(LEARNING, tmp_path / name / "learning")
            diagnosis = diagnose_run(tmp_path / name / "learning", 2, 32).to_json()
        found.append([diagnosis["regret"], diagnosis["gain"]])
    assert found[0] == found[1]


def test_trainings_in_threads_give_the_numbers_of_one(
    usual: dict[TrainConfig, tuple[Any, ...]], tmp_path: Path
) -> None:
    """Four at once, under another default dtype, while the main thread draws from the global generator."""
    found: dict[int, Any] = {}

    def work(number: int) -> None:
        config = (SMALL, LEARNING)[number % 2]
        found[number] = everything(config, tmp_path / str(number)) == usual[config]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    before = torch.get_num_threads()
    with default_dtype(torch.float64):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == dict.fromkeys(range(4), True)
    assert torch.get_num_threads() == before
    fresh: list[int] = []
    thread = threading.Thread(target=lambda: fresh.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert fresh == [before]


def test_threads_are_put_back_by_the_last() -> None:
    before, entered, leave = torch.get_num_threads(), threading.Event(), threading.Event()

    def other() -> None:
        with threads_of_torch(3):
            assert torch.get_num_threads() == 3
            with threads_of_torch(2):
                assert torch.get_num_threads() == 2
            assert torch.get_num_threads() == 3
            entered.set()
            leave.wait(10)
        assert torch.get_num_threads() == before

    thread = threading.Thread(target=other)
    with threads_of_torch(1):
        thread.start()
        entered.wait(10)
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
    leave.set()
    thread.join()


def test_dtype_is_put_back_after_an_error() -> None:
    with default_dtype(torch.float64):
        with pytest.raises(ZeroDivisionError), usual_torch():
            1 / (torch.get_default_dtype() != torch.float32)
        assert torch.get_default_dtype() == torch.float64


@pytest.mark.parametrize("allowed", [True, False])
def test_recurrences_on_a_gpu_are_not_rounded_to_tf32(allowed: bool) -> None:
    torch.backends.cudnn.allow_tf32 = allowed
    try:
        with usual_torch():
            with usual_torch():
                pass
            rnn = getattr(torch.backends.cudnn, "rnn", None)  # torch 2.9 and later
            exact = not torch.backends.cudnn.allow_tf32 if rnn is None else rnn.fp32_precision == "ieee"
            assert exact
        assert torch.backends.cudnn.allow_tf32 == allowed
    finally:
        torch.backends.cudnn.allow_tf32 = True


def test_weights_are_those_of_the_global_generator() -> None:
    sizes = LeaderConfig(num_goals=4, num_bonuses=3, num_actions=5, follower_features=9, goal_features=7, hidden=8)
    leader = EBPG(sizes, EBPGConfig(), seed=11)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        expected = LeaderNetwork(sizes).state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in leader.network.state_dict().items())
    state = torch.get_rng_state()
    with drawing_from(5):
        torch.nn.Linear(3, 3)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs affinity")
def test_cores_are_those_this_process_may_use() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert available_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert available_cores() == len(allowed)


# --- matplotlib ---

ROWS = [{"episode": 8, "gain": 1.0}, {"episode": 16, "gain": 2.0}]


def test_a_style_around_changes_no_picture_and_is_left_as_found(tmp_path: Path) -> None:
    plot_learning_curve(ROWS, tmp_path / "usual.png")
    with matplotlib.rc_context({"text.usetex": True, "font.family": "no such font", "savefig.dpi": 10}):
        before = dict(matplotlib.rcParams)
        plot_learning_curve(ROWS, tmp_path / "styled.png")
        assert dict(matplotlib.rcParams) == before
    assert (tmp_path / "usual.png").read_bytes() == (tmp_path / "styled.png").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["module://matplotlib_inline.backend_inline", "no_such_backend"])
def test_a_backend_of_a_notebook_stops_nothing(backend: str, tmp_path: Path) -> None:
    script = (
        "import sys, os\n"
        "from paymaster.analysis.learning_curve import plot_learning_curve\n"
        "plot_learning_curve([{'episode': 8, 'gain': 1.0}], sys.argv[1])\n"
        f"assert os.environ['MPLBACKEND'] == {backend!r}\n"
        "import matplotlib\n"
        f"assert matplotlib.rcParams._get('backend') in ({backend!r}, matplotlib.rcsetup._auto_backend_sentinel)\n"
    )
    environment = {**os.environ, "MPLBACKEND": backend, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "curve.png")], env=environment, check=True)
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_a_curve_that_cannot_be_drawn_loses_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from paymaster.commands.main import main

    out = tmp_path / "run"
    arguments = ["train", TASK, "--episodes", "8", "--num-envs", "8", "--hidden", "8", "--evaluate", "2"]
    (tmp_path / "run").mkdir()
    module = __import__("paymaster.analysis.plain_matplotlib", fromlist=["write_bytes"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "write_bytes", lambda *_: 1 / 0)
        assert main([*arguments, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "warning: no learning curve: ZeroDivisionError" in printed
    assert "ebpg-expiring, trained" in printed
    assert not (out / "learning_curve.png").exists()
