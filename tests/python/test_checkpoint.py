"""Checkpoints come back bit for bit, or not at all: damage is found and explained."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from paymaster.experiments.atomic import RunDirectoryError
from paymaster.experiments.checkpoint import (
    CheckpointError,
    bytes_to_tensor,
    latest_checkpoint,
    list_checkpoints,
    load_checkpoint,
    save_checkpoint,
    tensor_to_bytes,
)
from saving import FILES, MANIFEST, hidden, save

# --- what is saved comes back ---


def test_everything_comes_back_bit_for_bit(tmp_path: Path) -> None:
    tensors = {
        "leader": {
            "float32": torch.tensor([0.1, -0.0, float("inf"), 1e-42]),
            "not_contiguous": torch.arange(6.0).reshape(2, 3).T,
            "scalar": torch.tensor(3, dtype=torch.int64),
            "empty": torch.zeros(0, 5),
            "flag": torch.tensor([True, False]),
        },
        "nothing": {},
    }
    tied = torch.ones(2)
    tensors["leader"] |= {"tied_a": tied, "tied_b": tied, "parameter": torch.nn.Parameter(torch.rand(2))}
    path = save_checkpoint(tmp_path, 12800, tensors, MANIFEST)
    assert path == tmp_path / "checkpoint-00012800"
    assert sorted(os.listdir(path)) == ["leader.safetensors", "manifest.json", "nothing.safetensors"]
    loaded = load_checkpoint(path)
    assert (loaded.path, loaded.episode, loaded.manifest) == (path, 12800, MANIFEST)
    assert loaded.tensors.keys() == tensors.keys()
    for group in tensors:
        assert loaded.tensors[group].keys() == tensors[group].keys()
        for name, tensor in tensors[group].items():
            came = loaded.tensors[group][name]
            assert (came.dtype, came.shape) == (tensor.dtype, tensor.shape)
            assert came.numpy().tobytes() == tensor.detach().contiguous().numpy().tobytes()


def test_a_generator_and_bytes_continue(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(5)
    torch.rand(3, generator=generator)
    state = {"generator": generator.get_state(), "snapshot": bytes_to_tensor(b"\x00\xff game")}
    expected = torch.rand(4, generator=generator)
    loaded = load_checkpoint(save_checkpoint(tmp_path, 1, {"state": state}, {})).tensors["state"]
    fresh = torch.Generator()
    fresh.set_state(loaded["generator"])
    assert torch.equal(torch.rand(4, generator=fresh), expected)
    assert tensor_to_bytes(loaded["snapshot"]) == b"\x00\xff game"
    assert tensor_to_bytes(bytes_to_tensor(b"")) == b""
    with pytest.raises(CheckpointError, match=r"uint8\[n\], got torch.float32\[2\]"):
        tensor_to_bytes(torch.zeros(2))


def test_no_pickle_in_any_file(tmp_path: Path) -> None:
    for file in save(tmp_path).iterdir():
        assert b"torch" not in file.read_bytes()
        assert file.read_bytes()[:2] not in (b"PK", b"\x80\x02", b"\x80\x04")


def test_the_newest_are_kept_and_found(tmp_path: Path) -> None:
    for episode in (5, 20, 100, 99_999_999, 123_456_789):
        path = save(tmp_path, episode)
        assert latest_checkpoint(tmp_path) == path
    assert [p.name for p in list_checkpoints(tmp_path)] == ["checkpoint-99999999", "checkpoint-123456789"]
    save(tmp_path, 200_000_000, keep=1)
    assert [p.name for p in list_checkpoints(tmp_path)] == ["checkpoint-200000000"]
    save(tmp_path, 7, keep=1)  # earlier than what is there: that stays
    assert len(list_checkpoints(tmp_path)) == 2
    assert hidden(tmp_path) == []


def test_one_of_the_same_episode_is_replaced(tmp_path: Path) -> None:
    for value in (1, 2):
        path = save_checkpoint(tmp_path, 4, {"leader": {"w": torch.tensor(value)}}, {"value": value})
    assert load_checkpoint(path).manifest == {"value": 2}
    assert list_checkpoints(tmp_path) == [path]
    assert hidden(tmp_path) == []


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"episode": -1}, ValueError, "episode: expected 0 or more, got -1"),
        ({"keep": 0}, ValueError, "keep: expected at least 1, got 0"),
        ({"tensors": {"../x": {}}}, ValueError, "'../x'"),
        ({"tensors": {"leader": {"w": [1.0]}}}, TypeError, "expected a torch.Tensor, got list"),
        ({"manifest": {"x": float("nan")}}, ValueError, "without NaN"),
        ({"manifest": {"x": object()}}, TypeError, "expected JSON"),
    ],
)
def test_refuses_arguments_and_writes_nothing(
    tmp_path: Path, kwargs: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        save_checkpoint(tmp_path, **({"episode": 1, "tensors": {}, "manifest": {}} | kwargs))
    assert os.listdir(tmp_path) == []


# --- damage is found and explained ---


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 100, -3, -2])
def test_truncated_file(tmp_path: Path, name: str, length: int) -> None:
    older, path = save(tmp_path, 1), save(tmp_path, 2)
    data = (path / name).read_bytes()
    cut = data[:length]
    (path / name).write_bytes(cut)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert str(path / name) in message
    assert f"{older} is intact" in message  # the cure
    if name != "manifest.json":
        assert f"expected {len(data)} bytes, got {len(cut)}" in message


@pytest.mark.parametrize("name", FILES)
def test_flipped_bit(tmp_path: Path, name: str) -> None:
    path = save(tmp_path)
    data = (path / name).read_bytes()
    for position in range(0, len(data), 1 if name == "manifest.json" else 97):
        (path / name).write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        if name == "manifest.json" and data[position : position + 1] in b" \n":
            continue  # a blank more or less may be harmless
        with pytest.raises(CheckpointError, match="No intact checkpoint lies beside it") as caught:
            load_checkpoint(path)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", FILES)
def test_missing_file(tmp_path: Path, name: str) -> None:
    path = save(tmp_path)
    (path / name).unlink()
    with pytest.raises(CheckpointError, match=f"{name}: expected .*found nothing"):
        load_checkpoint(path)


def test_added_bytes(tmp_path: Path) -> None:
    path = save(tmp_path)
    with open(path / "leader.safetensors", "ab") as file:
        file.write(b"\0")
    with pytest.raises(CheckpointError, match="something was added"):
        load_checkpoint(path)


def test_other_version(tmp_path: Path) -> None:
    path = save(tmp_path)
    text = (path / "manifest.json").read_text()
    (path / "manifest.json").write_text(text.replace('"format_version": 1', '"format_version": 2'))
    with pytest.raises(CheckpointError, match="expected format version 1, got 2, written by paymaster"):
        load_checkpoint(path)


def test_a_manifest_cannot_lead_out_of_its_directory(tmp_path: Path) -> None:
    path = save(tmp_path)
    text = (path / "manifest.json").read_text()
    (path / "manifest.json").write_text(text.replace('"leader.safe', '"../leader.safe'))
    with pytest.raises(CheckpointError, match="corrupt"):
        load_checkpoint(path)


def test_not_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="found nothing"):
        load_checkpoint(tmp_path / "absent" / "checkpoint-00000001")
    with pytest.raises(CheckpointError, match=r"manifest\.json: expected .*found nothing"):
        load_checkpoint(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(CheckpointError, match="found a file"):
        load_checkpoint(tmp_path / "file")
    (tmp_path / "manifest.json").write_text(json.dumps({"name": "a web page's manifest"}))
    with pytest.raises(CheckpointError, match="some other file"):
        load_checkpoint(tmp_path)


def test_a_run_directory_in_place_of_a_checkpoint_is_told_apart(tmp_path: Path) -> None:
    path = save(tmp_path)
    with pytest.raises(CheckpointError, match=f"It is a run directory: .* such as {path}"):
        load_checkpoint(tmp_path)


def test_no_run_directory(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="expected a run directory, found nothing"):
        latest_checkpoint(tmp_path / "absent")
    with pytest.raises(CheckpointError, match="at least one checkpoint-"):
        latest_checkpoint(tmp_path)
    assert list_checkpoints(tmp_path) == []
    with pytest.raises(RunDirectoryError, match=r"absent.*No such file"):
        save(tmp_path / "absent")
