"""The stub of the C++ core says what the compiled core has: functions, classes, methods, properties, argument names."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from types import ModuleType, WrapperDescriptorType

import pytest

import paymaster
from paymaster import _core

STUB = Path(paymaster.__file__).parent / "_core.pyi"


def _arguments(function: ast.FunctionDef) -> list[str]:
    """Names as they are passed: positional ones (self left out), then keyword-only ones behind a star."""
    names = [argument.arg for argument in function.args.args if argument.arg != "self"]
    return names + [f"*{argument.arg}" for argument in function.args.kwonlyargs]


def _stubbed(tree: ast.Module) -> dict[str, object]:
    """Public name -> argument names of a function, "property" or "class"; private names are aliases of types."""
    found: dict[str, object] = {}

    def add(prefix: str, body: list[ast.stmt]) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef):
                if node.name.startswith("_") and node.name != "__init__":
                    continue
                is_property = any(isinstance(d, ast.Name) and d.id == "property" for d in node.decorator_list)
                found[prefix + node.name] = "property" if is_property else _arguments(node)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found[prefix + node.target.id] = "settable property" if prefix else "constant"
            elif isinstance(node, ast.ClassDef):
                found[node.name] = "class"
                add(node.name + ".", node.body)

    add("", tree.body)
    return found


def _compiled(module: ModuleType) -> dict[str, object]:
    """The same of the extension; pybind11 writes each function's signature in the first line of its docstring."""
    found: dict[str, object] = {}

    def add(prefix: str, members: dict[str, object]) -> None:
        for name, value in members.items():
            if name.startswith("_") and name != "__init__":
                continue
            if isinstance(value, WrapperDescriptorType):  # of a class that only the core makes
                continue
            if inspect.isclass(value):
                found[name] = "class"
                add(name + ".", vars(value))
            elif isinstance(value, property):
                found[prefix + name] = "property" if value.fset is None else "settable property"
            elif isinstance(value, (int, float, str, dict)):
                found[prefix + name] = "constant"
            elif callable(value):
                signature = ast.parse(f"def {(value.__doc__ or '').splitlines()[0]}: ...").body[0]
                assert isinstance(signature, ast.FunctionDef)
                found[prefix + name] = _arguments(signature)

    add("", vars(module))
    return found


def _inherited(stub: dict[str, object]) -> dict[str, object]:
    """ParticleWorld32 says in the stub that it is a ParticleWorld; the core has the template twice."""
    base = {name.partition(".")[2]: kind for name, kind in stub.items() if name.startswith("ParticleWorld.")}
    return stub | {f"ParticleWorld32.{member}": kind for member, kind in base.items()}


def test_the_stub_is_in_step_with_the_core():
    assert _inherited(_stubbed(ast.parse(STUB.read_text("utf-8")))) == _compiled(_core)


@pytest.mark.parametrize(
    ("written", "stale"),
    [
        ("def observe(self)", "def look(self)"),  # another name
        ("capacity: NDArray", "room: NDArray"),  # another argument
        ("*,\n    acceleration: float,\n    max", "acceleration: float,\n    max"),  # no longer by keyword only
        ("    @property\n    def num_threads(self)", "    def num_threads(self)"),  # a method for a property
        ("def brake(", "def halt("),
        ("class FeatureEncoder", "class Encoder"),
    ],
)
def test_a_stale_stub_is_found(written: str, stale: str):
    text = STUB.read_text("utf-8")
    assert text.count(written) == 1
    assert _inherited(_stubbed(ast.parse(text.replace(written, stale)))) != _compiled(_core)
