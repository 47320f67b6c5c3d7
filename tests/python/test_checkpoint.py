"""Checkpoints come back bit for bit, or not at all: damage is found and explained."""

import json
import os
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from paymaster.storage.atomic import RunDirectoryError
from paymaster.storage.checkpoint import (
    CheckpointError,
    bytes_to_tensor,
    latest_checkpoint,
    list_checkpoints,
    load_checkpoint,
    tensor_to_bytes,
)
from paymaster.storage.sealed import BLANK, seal
from paymaster.validation.finite import DivergenceError
from saving import CONFIG, hidden, save, save_tensors

# --- what is saved comes back ---


def test_everything_comes_back_bit_for_bit(tmp_path: Path) -> None:
    tensors = {
        "leader": {
            "float32": torch.tensor([0.1, -0.0, 1e-42]),
            "not_contiguous": torch.arange(6.0).reshape(2, 3).T,
            "scalar": torch.tensor(3, dtype=torch.int64),
            "empty": torch.zeros(0, 5),
            "flag": torch.tensor([True, False]),
        },
    }
    tied = torch.ones(2)
    tensors["leader"] |= {"tied_a": tied, "tied_b": tied, "parameter": torch.nn.Parameter(torch.rand(2))}
    path = save_tensors(tmp_path, 12800, tensors, CONFIG)
    assert path == tmp_path / "checkpoint-00012800.safetensors"
    assert os.listdir(tmp_path) == [path.name]
    loaded = load_checkpoint(path)
    assert (loaded.path, loaded.episode, loaded.header.config) == (path, 12800, CONFIG)
    assert loaded.tensors.keys() == tensors.keys()
    for group in tensors:
        assert loaded.tensors[group].keys() == tensors[group].keys()
        for name, tensor in tensors[group].items():
            came = loaded.tensors[group][name]
            assert (came.dtype, came.shape) == (tensor.dtype, tensor.shape)
            assert came.numpy().tobytes() == tensor.detach().contiguous().numpy().tobytes()


def test_same_content_same_bytes(tmp_path: Path) -> None:
    contents = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        contents.append(save(tmp_path / name).read_bytes())
    assert contents[0] == contents[1]


def test_any_reader_of_safetensors_reads_it(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors")
    with safetensors.safe_open(save(tmp_path), "pt") as file:
        assert torch.equal(file.get_tensor("leader/weight"), torch.full((3, 4), 128.0))
        assert json.loads(file.metadata()["paymaster"])["episode"] == 128


def test_a_generator_and_bytes_continue(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(5)
    torch.rand(3, generator=generator)
    state = {"generator": generator.get_state(), "snapshot": bytes_to_tensor(b"\x00\xff game")}
    expected = torch.rand(4, generator=generator)
    loaded = load_checkpoint(save_tensors(tmp_path, 1, {"state": state})).tensors["state"]
    fresh = torch.Generator()
    fresh.set_state(loaded["generator"])
    assert torch.equal(torch.rand(4, generator=fresh), expected)
    assert tensor_to_bytes(loaded["snapshot"]) == b"\x00\xff game"
    assert tensor_to_bytes(bytes_to_tensor(b"")) == b""
    with pytest.raises(CheckpointError, match=r"uint8\[n\], got torch.float32\[2\]"):
        tensor_to_bytes(torch.zeros(2))


def test_no_pickle_in_the_file(tmp_path: Path) -> None:
    content = save(tmp_path).read_bytes()
    assert b"torch" not in content
    assert content[:2] not in (b"PK", b"\x80\x02", b"\x80\x04")


def test_the_newest_are_kept_and_found(tmp_path: Path) -> None:
    for episode in (5, 20, 100, 99_999_999, 123_456_789):
        path = save(tmp_path, episode)
        assert latest_checkpoint(tmp_path) == path
    assert [p.stem for p in list_checkpoints(tmp_path)] == ["checkpoint-99999999", "checkpoint-123456789"]
    save(tmp_path, 200_000_000, keep=1)
    assert [p.stem for p in list_checkpoints(tmp_path)] == ["checkpoint-200000000"]
    save(tmp_path, 7, keep=1)  # earlier than what is there: that stays
    assert len(list_checkpoints(tmp_path)) == 2
    assert hidden(tmp_path) == []


def test_one_of_the_same_episode_is_replaced(tmp_path: Path) -> None:
    for value in (1, 2):
        path = save_tensors(tmp_path, 4, {"leader": {"w": torch.tensor(value)}}, {"value": value})
    assert load_checkpoint(path).header.config == {"value": 2}
    assert list_checkpoints(tmp_path) == [path]
    assert hidden(tmp_path) == []


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"episode": -1}, ValueError, "episode: expected .* got -1"),
        ({"episode": 2**62}, ValueError, "episode: expected .* got"),
        ({"keep": 0}, ValueError, "keep: expected at least 1, got 0"),
        ({"tensors": {"../x": {"w": torch.ones(1)}}}, ValueError, "'../x'"),
        ({"tensors": {"leader": {"w": [1.0]}}}, TypeError, "expected a torch.Tensor, got list"),
        ({"config": {"x": float("nan")}}, ValueError, "without NaN"),
        ({"config": {"x": object()}}, TypeError, "expected JSON"),
        ({"tensors": {"leader": {"w": torch.tensor([1.0, torch.nan])}}}, DivergenceError, "leader/w: .* got nan"),
        ({"tensors": {"leader": {"w": torch.tensor(-torch.inf).double()}}}, DivergenceError, "leader/w: .* got -inf"),
        ({"tensors": {"optimizer_leader": {"0.exp_avg": torch.tensor([torch.inf])}}}, DivergenceError, "0.exp_avg"),
    ],
)
def test_refuses_arguments_and_writes_nothing(
    tmp_path: Path, kwargs: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        save_tensors(tmp_path, **({"episode": 1, "tensors": {}} | kwargs))
    assert os.listdir(tmp_path) == []


# --- damage is found and explained ---


def lengths() -> list[int]:
    return [0, 1, 7, 8, 9, 100, 500, -3, -2, -1]


@pytest.mark.parametrize("length", lengths())
def test_truncated_file(tmp_path: Path, length: int) -> None:
    older, path = save(tmp_path, 1), save(tmp_path, 2)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    assert str(path) in str(caught.value)
    assert f"{older} is intact" in str(caught.value)  # the cure
    assert ("expected a safetensors file, got an empty one" in str(caught.value)) == (length == 0)


def test_flipped_bits_are_found_wherever_they_are(tmp_path: Path) -> None:
    path = save(tmp_path)
    data = path.read_bytes()
    for position in [*range(9), *range(9, 1_500, 7), *range(1_500, len(data), 97)]:
        path.write_bytes(data[:position] + bytes([data[position] ^ 1 << position % 8]) + data[position + 1 :])
        with pytest.raises(CheckpointError, match="No intact checkpoint lies beside it") as caught:
            load_checkpoint(path)
        assert str(path) in str(caught.value)


def test_missing_and_added_bytes(tmp_path: Path) -> None:
    path = save(tmp_path)
    with open(path, "ab") as file:
        file.write(b"\0")
    with pytest.raises(CheckpointError, match="something was added"):
        load_checkpoint(path)
    path.unlink()
    with pytest.raises(CheckpointError, match="expected a checkpoint's file, found nothing"):
        load_checkpoint(path)


def test_a_renamed_checkpoint_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, 128)
    other = path.rename(tmp_path / "checkpoint-00000640.safetensors")
    with pytest.raises(CheckpointError, match=r"episode: expected that of its name, got 128: it was renamed"):
        load_checkpoint(other)


# --- files with the right digest and wrong content ---


def forge(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], bytes | None]) -> None:
    """Changes header and metadata of a checkpoint, and gives it the right digest and length again."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    outer, content = json.loads(data[8 : 8 + length]), data[8 + length :]
    inner = json.loads(outer["__metadata__"]["paymaster"])
    inner["sha256"] = BLANK
    changed = change(outer, inner)
    outer["__metadata__"]["paymaster"] = json.dumps(inner) if isinstance(inner, dict) else inner
    header = json.dumps(outer, separators=(",", ":")).encode()
    forged = struct.pack("<Q", len(header)) + header + (content if changed is None else changed)
    path.write_bytes(seal(forged))


def set_in(part: str, name: str, value: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    def change(outer: dict[str, Any], inner: dict[str, Any]) -> None:
        {"outer": outer, "inner": inner}[part][name] = value

    return change


PLACED = {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_in("inner", "episode", True), "episode: expected a whole number in .* got True"),
        (set_in("inner", "episode", -1), "episode: expected .* got -1"),
        (set_in("inner", "episode", 2**70), "episode: expected"),
        (set_in("inner", "episode", 64), "episode: expected that of its name, got 64"),
        (set_in("inner", "format", "other"), "format: expected paymaster-checkpoint, got 'other'"),
        (set_in("inner", "format_version", 3), "format_version: expected 2, got 3, written by paymaster"),
        (set_in("inner", "config", []), "config: expected an object, got a list of 0"),
        (set_in("inner", "metrics", {"bytes": -1, "sha256": "0" * 64}), r"metrics\.bytes: expected"),
        (set_in("inner", "metrics", {"bytes": 1}), r"metrics\.sha256: expected text .* got nothing"),
        (set_in("inner", "optimizers", {"leader": 1}), r"optimizers\.leader: expected an object"),
        (set_in("inner", "more", 1), "'more': expected one of the fields format"),
        (set_in("inner", "config", json.loads("[" * 30 + "]" * 30)), "config: expected an object"),
        (set_in("outer", "leader", PLACED), "expected tensors named GROUP/NAME, got 'leader'"),
        (set_in("outer", "leader/weight", {**PLACED, "dtype": "F7"}), "expected the safetensors format, got"),
        (set_in("outer", "leader/weight", {**PLACED, "shape": [2**47, 2**47]}), "expected the safetensors format, got"),
        (set_in("outer", "leader/weight", {**PLACED, "shape": [-1]}), r"leader/weight: shape\[0\]: expected"),
        (set_in("outer", "leader/weight", {**PLACED, "data_offsets": [0, 2**60]}), r"data_offsets\[1\]: expected"),
        (set_in("outer", "leader/weight", {**PLACED, "data_offsets": [48, 0]}), "expected the safetensors format"),
        (set_in("outer", "leader/weight", 5), "leader/weight: expected an object with the fields dtype"),
    ],
)
def test_each_field_is_checked(tmp_path: Path, change: Callable[..., None], message: str) -> None:
    path = save(tmp_path)
    forge(path, change)
    with pytest.raises(CheckpointError, match=message) as caught:
        load_checkpoint(path)
    assert str(path) in str(caught.value)


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path)

    def poison(outer: dict[str, Any], _: dict[str, Any]) -> bytes:
        data = path.read_bytes()
        content = bytearray(data[8 + struct.unpack("<Q", data[:8])[0] :])
        at = outer["leader/weight"]["data_offsets"][0]
        content[at : at + 4] = struct.pack("<f", float("nan"))
        return bytes(content)

    forge(path, poison)
    with pytest.raises(CheckpointError, match="leader/weight: expected finite numbers, got nan"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    "content",
    [
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 2**24) + b"[" * 2**24,
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        b"PK\x03\x04" * 500,
        bytes(4_000),
        json.dumps({"name": "a web page's manifest"}).encode(),
    ],
)
def test_other_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "checkpoint-00000001.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=re.escape(str(path))):
        load_checkpoint(path)


def test_not_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="found nothing"):
        load_checkpoint(tmp_path / "absent" / "checkpoint-00000001.safetensors")
    with pytest.raises(CheckpointError, match="found a directory"):
        load_checkpoint(tmp_path)
    path = save(tmp_path)
    with pytest.raises(CheckpointError, match=f"It is a run directory: .* such as {path}"):
        load_checkpoint(tmp_path)


def test_an_older_checkpoint_says_which_version_wrote_it(tmp_path: Path) -> None:
    older = tmp_path / "checkpoint-00000064"
    older.mkdir()
    (older / "manifest.json").write_text(json.dumps({"format_version": 1, "package_version": "0.1.0"}))
    for attempt in (lambda: load_checkpoint(older), lambda: latest_checkpoint(tmp_path)):
        with pytest.raises(CheckpointError, match=r"format version 1, which paymaster 0\.1\.0 wrote: use"):
            attempt()


def test_no_run_directory(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="expected a run directory, found nothing"):
        latest_checkpoint(tmp_path / "absent")
    with pytest.raises(CheckpointError, match="at least one checkpoint-"):
        latest_checkpoint(tmp_path)
    assert list_checkpoints(tmp_path) == []
    with pytest.raises(RunDirectoryError, match=r"absent.*No such file"):
        save(tmp_path / "absent")
