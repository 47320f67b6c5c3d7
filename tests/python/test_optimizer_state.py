"""An optimiser's state in a checkpoint: it continues to the bit."""

from pathlib import Path
from typing import Any

import pytest
import torch

from paymaster.storage.checkpoint import CheckpointError, OptimizerState, load_checkpoint
from paymaster.storage.optimizer_state import load_optimizer, optimizer_tensors
from saving import save_tensors


def network(seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1), torch.nn.Linear(2, 2))


def train(model: torch.nn.Module, optimizer: torch.optim.Optimizer, steps: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        optimizer.zero_grad()
        model[:3](torch.rand(8, 3, generator=generator)).square().mean().backward()  # the last layer has no gradient
        optimizer.step()


def adam(model: torch.nn.Module, kind: Any = torch.optim.Adam, **options: Any) -> torch.optim.Optimizer:
    groups = [
        {"params": model[0].parameters()},
        {"params": [*model[2].parameters(), *model[3].parameters()], "lr": 0.03},
    ]
    return kind(groups, **({"lr": 0.1 + 0.2, "betas": (0.8, 0.9991)} | options))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (torch.optim.Adam, {}),
        (torch.optim.Adam, {"amsgrad": True, "weight_decay": 0.01}),
        (torch.optim.AdamW, {"foreach": False, "maximize": True}),
    ],
)
def test_adam_continues_to_the_bit(tmp_path: Path, kind: Any, options: dict[str, Any]) -> None:
    model = network()
    optimizer = adam(model, kind, **options)
    train(model, optimizer, 7, seed=1)
    optimizer.param_groups[0]["lr"] = 1 / 3  # as a schedule would
    tensors, state = optimizer_tensors(optimizer)
    groups = {"leader": model.state_dict(), "optimizer": tensors}
    path = save_tensors(tmp_path, 7, groups, optimizers={"leader": state})

    other = network(seed=9)
    fresh = adam(other, kind, foreach=options.get("foreach"))  # the saved numbers replace its own
    loaded = load_checkpoint(path)
    other.load_state_dict(loaded.tensors["leader"])
    load_optimizer(fresh, loaded.tensors["optimizer"], loaded.header.optimizers["leader"])
    before = {name: tensor.clone() for name, tensor in loaded.tensors["optimizer"].items()}
    for m, o in ((model, optimizer), (other, fresh)):
        train(m, o, 20, seed=2)

    for name, weights in model.state_dict().items():
        assert torch.equal(weights, other.state_dict()[name]), name
    (expected, options_expected), (came, options_came) = (
        optimizer_tensors(optimizer),
        optimizer_tensors(fresh),
    )
    assert options_came == options_expected
    assert came.keys() == expected.keys()
    assert all(torch.equal(tensor, came[name]) for name, tensor in expected.items())
    assert all(torch.equal(tensor, loaded.tensors["optimizer"][name]) for name, tensor in before.items())


def test_an_optimiser_before_its_first_step(tmp_path: Path) -> None:
    tensors, state = optimizer_tensors(adam(network()))
    assert tensors == {}
    loaded = load_checkpoint(save_tensors(tmp_path, 0, {"optimizer": tensors}, optimizers={"leader": state}))
    load_optimizer(adam(network()), loaded.tensors.get("optimizer", {}), loaded.header.optimizers["leader"])


def test_a_state_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    model = network()
    optimizer = adam(model)
    train(model, optimizer, 2, seed=1)
    tensors, state = optimizer_tensors(optimizer)
    lacking = {name: tensor for name, tensor in tensors.items() if name != "1.exp_avg"}
    group = state.groups[0]
    cases: list[tuple[Any, Any, Any, str]] = [
        (adam(model, torch.optim.AdamW), tensors, state, "class: expected AdamW, got Adam"),
        (torch.optim.Adam(model.parameters()), tensors, state, "groups: expected 1, got 2"),
        (adam(model), tensors, OptimizerState("Adam", [group, group | {"lr": "fast"}]), "options: expected .*lr.*str"),
        (adam(model), tensors, OptimizerState("Adam", [group, {"lr": 0.1}]), "options: expected .*got"),
        (
            adam(model),
            tensors | {"0.exp_avg": torch.zeros(2)},
            state,
            r"'0.exp_avg': expected shape \[5, 3\], got \[2\]",
        ),
        (
            adam(model),
            tensors | {"0.exp_avg": torch.zeros(5, 3).int()},
            state,
            r"'0.exp_avg': expected floating numbers",
        ),
        (adam(model), tensors | {"6.exp_avg": torch.zeros(2)}, state, "a parameter below 6"),
        (adam(model), tensors | {"9" * 5_000 + ".exp_avg": torch.zeros(2)}, state, "a parameter below 6"),
        (adam(model), tensors | {"exp_avg": torch.zeros(2)}, state, "PARAMETER.NAME"),
        (adam(model), lacking, state, r"parameter 1: \['exp_avg'\] missing"),
    ]
    for fresh, some_tensors, some_state, message in cases:
        with pytest.raises(CheckpointError, match=message):
            load_optimizer(fresh, some_tensors, some_state)
        assert optimizer_tensors(fresh)[0] == {}
