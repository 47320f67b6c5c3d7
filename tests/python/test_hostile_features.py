"""Wrong observations, and wrong arrays to write features to, are refused: the error says the argument, what was
expected, what came; nothing is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import hostile
from hostile import RC, B, N, P, refused
from paymaster.features.leader import FeatureEncoder, expired
from worlds import PARTICLES

G = 4
COMMON = ("identity", "action", "offer", "committed", "contract_running", "contract_age", "completed", "distance",
          "available", "step")  # fmt: skip
BODY = {RC: ("heading", "route"), PARTICLES[0]: ("position", "velocity")}
FIELDS = [(task, name) for task, names in BODY.items() for name in (*COMMON, *names)]
OF_OFFERS = ("offer", "committed", "completed", "distance")


class Encoding:
    """An encoder, a good observation, and arrays that stay as they are as long as all is refused."""

    def __init__(self, task: str = RC) -> None:
        self.env = hostile.make(task, observe_routes=task == RC)
        self.encoder = FeatureEncoder(self.env)
        self.seen: dict[str, Any] = self.env.observe()
        self.outputs: dict[str, Any] = {
            "follower": np.full((B, N, self.encoder.follower_features), 7, np.float32),
            "goal": np.full((B, N, G, self.encoder.goal_features), 7, np.float32),
            "expired": np.ones((B, N), np.bool_),
        }
        self.before = {name: array.copy() for name, array in self.outputs.items()}

    def refuses(self, seen: Any, error: type[Exception], name: str, came: str = "") -> None:
        with refused(error, name, came):
            self.encoder.encode(seen)
        with refused(error, name, came):
            self.encoder.encode_into(seen, **self.outputs)
        np.testing.assert_equal(self.outputs, self.before)


@pytest.fixture(scope="module")
def encodings() -> dict[str, Encoding]:
    return {task: Encoding(task) for task in BODY}


@pytest.mark.parametrize(("task", "name"), FIELDS)
def test_a_field_is_missing(encodings: dict[str, Encoding], task: str, name: str) -> None:
    encoding = encodings[task]
    seen = {key: value for key, value in encoding.seen.items() if key != name}
    encoding.refuses(seen, ValueError, "observation", "none")
    with pytest.raises(ValueError, match=f"expected a field '{name}'"):
        encoding.encoder.encode(seen)


@pytest.mark.parametrize(("task", "name"), FIELDS)
def test_a_field_of_another_type(encodings: dict[str, Encoding], task: str, name: str) -> None:
    encoding = encodings[task]
    good = encoding.seen[name]
    for dtype in ("int8", "uint16", "int32", "int64", "float16", "float64", "bool", "complex64", "object", "U3", ">i2"):
        bad = good.astype(dtype)
        encoding.refuses({**encoding.seen, name: bad}, TypeError, f"observation['{name}']", str(bad.dtype))
    other = good.astype(np.float32 if good.dtype == np.int16 else np.int16)
    for value in (other, good.tolist(), None, "text", 3, np.int16(3)):
        encoding.refuses({**encoding.seen, name: value}, TypeError, f"observation['{name}']")


@pytest.mark.parametrize(("task", "name"), FIELDS)
def test_a_field_of_another_shape(encodings: dict[str, Encoding], task: str, name: str) -> None:
    encoding = encodings[task]
    good = encoding.seen[name]
    wrong = [good[0, ...], good[None], good[..., None], good.reshape(-1, 1, 1, 1), good.reshape(-1)[:1].reshape(())]
    if name != "distance":  # it says how many games there are
        wrong += [good[:1], good[:0], np.concatenate((good, good))]
    if good.ndim > 1:
        wrong += [good[:, 1:], np.concatenate((good, good), axis=1), good.swapaxes(0, 1), good[:, :0]]
    for bad in wrong:
        encoding.refuses({**encoding.seen, name: bad}, ValueError, "observation['")
        if name in OF_OFFERS and bad.shape != good[:, 1:].shape:
            with refused(ValueError, "observation['"):
                expired({**encoding.seen, name: bad})
    large = np.broadcast_to(good[:1], (2**40, *good.shape[1:]))
    if name != "distance":
        encoding.refuses({**encoding.seen, name: large}, ValueError, f"observation['{name}']")


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("identity", 0, P - 1), ("action", -1, 4), ("offer", -1, G), ("heading", 0, 3), ("route", 0, 4)],
)
def test_a_value_out_of_range(encodings: dict[str, Encoding], name: str, low: int, high: int) -> None:
    encoding = encodings[RC]
    for value in (low - 1, high + 1, -(2**15), 2**15 - 1):
        bad = encoding.seen[name].copy()
        bad.reshape(B, N, -1)[1, 2, 0] = value
        seen = {**encoding.seen, name: bad}
        encoding.refuses(seen, ValueError, f"observation['{name}'] (game 1, follower 2)", str(value))
        with pytest.raises(ValueError, match=re.escape(f"a value in [{low}, {high}]")):
            encoding.encoder.encode(seen)
        if name == "offer":
            with refused(ValueError, "observation['offer'] (game 1, follower 2)", str(value)):
                expired(seen)
    for value in (low, high):
        good = np.full_like(encoding.seen[name], value)
        follower, goal = encoding.encoder.encode({**encoding.seen, name: good})
        assert np.isfinite(follower).all()
        assert np.isfinite(goal).all()


def test_an_offer_of_none_is_no_offer(encodings: dict[str, Encoding]) -> None:
    """Goal type G, as an action has it, and -1, as an observation has it."""
    encoding = encodings[RC]
    of_none = {**encoding.seen, "offer": np.full_like(encoding.seen["offer"], G)}
    no_offer = {**encoding.seen, "offer": np.full_like(encoding.seen["offer"], -1)}
    np.testing.assert_equal(encoding.encoder.encode(of_none), encoding.encoder.encode(no_offer))
    assert expired(of_none).all()
    assert expired(no_offer).all()


@pytest.mark.parametrize("seen", [None, 3, "distance", [], [("distance", 1)], np.zeros((B, N, G), np.int16)])
def test_what_is_no_observation(encodings: dict[str, Encoding], seen: Any) -> None:
    encodings[RC].refuses(seen, TypeError, "observation", type(seen).__name__)
    with refused(TypeError, "observation", type(seen).__name__):
        expired(seen)


def test_run_out_looks_at_four_fields(encodings: dict[str, Encoding]) -> None:
    seen = encodings[RC].seen
    four = {name: seen[name] for name in OF_OFFERS}
    np.testing.assert_array_equal(expired(four), expired(seen))
    for name in OF_OFFERS:
        with refused(ValueError, "observation", "none"):
            expired({key: value for key, value in four.items() if key != name})
        with refused(TypeError, f"observation['{name}']", "int64"):
            expired({**four, name: four[name].astype(np.int64)})


class Lazy(Mapping[str, NDArray[Any]]):
    """A mapping that is no dict, as a file of arrays is."""

    def __init__(self, fields: dict[str, Any], broken: str = "") -> None:
        self._fields, self._broken = fields, broken

    def __getitem__(self, name: str) -> Any:
        if name == self._broken:
            raise OSError("the disk is gone")
        return self._fields[name].copy()  # nobody else holds it

    def __iter__(self) -> Any:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


def test_any_mapping_will_do(encodings: dict[str, Encoding]) -> None:
    encoding = encodings[RC]
    lazy = Lazy(encoding.seen)
    np.testing.assert_equal(encoding.encoder.encode(lazy), encoding.encoder.encode(encoding.seen))
    np.testing.assert_array_equal(expired(lazy), expired(encoding.seen))
    with pytest.raises(OSError, match="the disk is gone"):
        encoding.encoder.encode(Lazy(encoding.seen, "step"))


# ---- arrays to write to


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    array = array.copy()
    array.flags.writeable = False
    return array


def misaligned(array: NDArray[Any]) -> NDArray[Any]:
    return np.frombuffer(bytearray(array.nbytes + 1), array.dtype, offset=1).reshape(array.shape)


@pytest.mark.parametrize("name", ["follower", "goal", "expired"])
def test_an_output_that_is_none(encodings: dict[str, Encoding], name: str) -> None:
    encoding = encodings[RC]
    good = encoding.outputs[name]
    bad: list[tuple[Any, type[Exception], str]] = [
        (None, TypeError, "NoneType"),
        (good.tolist(), TypeError, "list"),
        (good.astype(np.float64), TypeError, "float64"),
        (good.astype(np.uint8), TypeError, "uint8"),
        (good.astype(object), TypeError, "object"),
        (good[0], ValueError, str(good[0].shape)),
        (good[:1], ValueError, str(good[:1].shape)),
        (good[None], ValueError, str(good[None].shape)),
        (good[..., :-1], ValueError, str(good[..., :-1].shape)),
        (np.asfortranarray(good), ValueError, "another order"),
        (np.repeat(good, 2, axis=0)[::2], ValueError, "gaps"),
        (np.repeat(good, 2, axis=-1)[..., ::2], ValueError, "gaps"),
        (good[::-1], ValueError, "another order"),
        (read_only(good), ValueError, "read-only"),
        (np.broadcast_to(good[:1], good.shape), ValueError, "read-only"),
    ]
    if name != "expired":  # a bool lies well anywhere
        bad.append((misaligned(good), ValueError, "gaps"))
    for value, error, came in bad:
        outputs = {**encoding.outputs, name: value}
        with refused(error, name, came):
            encoding.encoder.encode_into(encoding.seen, **outputs)
        np.testing.assert_equal(encoding.outputs, encoding.before)
