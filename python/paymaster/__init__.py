"""Expensive coordination: Stackelberg Markov games in which a leader pays self-interested followers.

The simulator is here (:func:`make_vec`, :func:`make`, :func:`tasks`) and needs no torch, nor do its views for other
libraries in ``paymaster.integrations``. Leaders that learn are in ``paymaster.algorithms``, their training in
``paymaster.training`` and behind the ``paymaster`` command.
"""

from paymaster import _starting as _starting  # isort: skip (first: what follows takes a second)

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as _version

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
from paymaster.worlds import Draws, Move, Moved, Parameter, World, WorldError, register

__all__ = [
    "Draws", "LeaderEnv", "LeaderVectorEnv", "Move", "Moved", "Parameter", "Task", "TwoPhaseVectorEnv", "World",
    "WorldError", "__version__", "make", "make_vec", "register", "tasks",
]  # fmt: skip
