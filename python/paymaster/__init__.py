"""Expensive coordination: Stackelberg Markov games in which a leader pays self-interested followers.

The simulator is here (:func:`make_vec`, :func:`make`, :func:`tasks`) and needs no torch, nor do its views for other
libraries in ``paymaster.integrations``. Leaders that learn are in ``paymaster.algorithms``, their training in
``paymaster.training`` (:func:`train`, :func:`compare`) and behind the ``paymaster`` command; these import torch when
they are first used.
"""

from paymaster import _starting as _starting  # isort: skip (first: what follows takes a second)

from importlib import import_module as _import_module
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as _version
from typing import TYPE_CHECKING
from typing import Any as _Any

try:
    __version__ = _version("paymaster")
except PackageNotFoundError:  # imported from a source tree
    __version__ = "0.1.0"

try:
    from paymaster import _core as _core
except ImportError as error:
    raise ImportError(
        f"paymaster's C++ core could not be loaded ({error}). Install the package ('pip install .' in its checkout "
        "builds it, a C++20 compiler is needed) and do not import it from the source tree's python/ folder."
    ) from error

from paymaster.envs import LeaderEnv, LeaderVectorEnv, Task, TwoPhaseVectorEnv, make, make_vec, tasks
from paymaster.worlds import Draws, Move, Moved, Parameter, World, WorldError, load_task, register

if TYPE_CHECKING:
    from paymaster.analysis.compare import Comparison, compare
    from paymaster.training.callbacks import Callback, EarlyStopping
    from paymaster.training.config import TrainConfig
    from paymaster.training.train import train

__all__ = [
    "Callback", "Comparison", "Draws", "EarlyStopping", "LeaderEnv", "LeaderVectorEnv", "Move", "Moved", "Parameter",
    "Task", "TrainConfig", "TwoPhaseVectorEnv", "World", "WorldError", "__version__", "compare", "load_task", "make",
    "make_vec", "register", "tasks", "train",
]  # fmt: skip

_WITH_TORCH = {
    "Callback": "training.callbacks",
    "Comparison": "analysis.compare",
    "EarlyStopping": "training.callbacks",
    "TrainConfig": "training.config",
    "compare": "analysis.compare",
    "train": "training.train",
}
"""Name -> module that is imported when the name is first asked for."""


def __getattr__(name: str) -> _Any:
    if name not in _WITH_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(_import_module(f"{__name__}.{_WITH_TORCH[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_WITH_TORCH})
