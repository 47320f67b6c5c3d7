"""Settings of torch that a program around this package may have changed: set as its numbers need them, left as found.

The default dtype, the number of threads that new threads begin with and the precision of recurrences on a GPU belong to
the process; so where several trainings run in threads of one process, the first sets them and the last puts back what
the first found. The default device, autocast and the modes of autograd belong to each thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

__all__ = ["drawing_from", "threads_of_torch", "usual_torch"]

T = TypeVar("T")

_DRAWS = frozenset(
    {Tensor.uniform_, Tensor.normal_, nn.init.uniform_, nn.init.normal_, nn.init.kaiming_uniform_}
    | {nn.init.xavier_uniform_, nn.init.kaiming_normal_, nn.init.xavier_normal_}
)


class _Shared:
    """A setting of the process: as it was found when the first came, it is again when the last has gone."""

    def __init__(self, get: Callable[[], Any], put: Callable[[Any], None]) -> None:
        self._get, self._put = get, put
        self._lock, self._users, self._found = threading.Lock(), 0, None

    def enter(self) -> Any:
        """What was found; set it only after this."""
        with self._lock:
            if self._users == 0:
                self._found = self._get()
            self._users += 1
            return self._found

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._get() != self._found:
                self._put(self._found)


# Unless told not to, cuDNN rounds a recurrence to TF32, 10 bits of 23: the switch, and the value that tells it.
_cudnn: Any = torch.backends.cudnn
_switch, _name, _exact = _cudnn, "allow_tf32", cast(Any, False)
if hasattr(_cudnn, "rnn"):  # torch 2.9 and later, where the switch for all and those for each must not be mixed
    _switch, _name, _exact = _cudnn.rnn, "fp32_precision", "ieee"
_precision = _Shared(lambda: getattr(_switch, _name), lambda found: setattr(_switch, _name, found))
_dtype = _Shared(torch.get_default_dtype, torch.set_default_dtype)
_threads = _Shared(torch.get_num_threads, torch.set_num_threads)
_inside = threading.local()  # depth: of threads_of_torch in this thread


@contextmanager
def usual_torch() -> Iterator[None]:
    """While this lasts: float32 and the CPU by default, no autocast, gradients recorded unless switched off within.

    Recurrences on a GPU are computed in float32, not TF32.
    """
    _dtype.enter()
    if _precision.enter() != _exact:
        setattr(_switch, _name, _exact)
    try:
        if torch.get_default_dtype() != torch.float32:
            torch.set_default_dtype(torch.float32)
        with ExitStack() as stack:
            stack.enter_context(torch.inference_mode(False))
            stack.enter_context(torch.enable_grad())
            if torch.empty(0).device.type != "cpu":  # costs something in every call, so only where it is needed
                stack.enter_context(torch.device("cpu"))
            for device in ("cpu", "cuda"):
                if torch.is_autocast_enabled(device):
                    stack.enter_context(torch.autocast(device, enabled=False))
            yield
    finally:
        _precision.leave()
        _dtype.leave()


@contextmanager
def threads_of_torch(number: int) -> Iterator[None]:
    """While this lasts torch has so many threads in this thread, after it as many as before.

    Offers of one step are arrays so small that a second thread only costs; an update has those of whole episodes.
    """
    depth: int = getattr(_inside, "depth", 0)
    found = _threads.enter()
    # A thread begins with the number set last, by whomever; the one found first is what it would have without us.
    before = torch.get_num_threads() if depth > 0 else found
    _inside.depth = depth + 1
    torch.set_num_threads(number)
    try:
        yield
    finally:
        _inside.depth = depth
        torch.set_num_threads(before)
        _threads.leave()


@contextmanager
def drawing_from(seed: int) -> Iterator[None]:
    """While this lasts, initial weights are those that ``torch.manual_seed(seed)`` leads to.

    They come from a generator of their own: torch's, which belongs to all threads, is neither read nor changed.
    """
    with _Drawing(torch.Generator("cpu").manual_seed(seed)):
        yield


class _Drawing(TorchFunctionMode):
    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        self._generator = generator

    def __torch_function__(
        self, func: Callable[..., T], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> T:
        drawn = {"generator": self._generator} if func in _DRAWS else {}
        return func(*args, **{**(kwargs or {}), **drawn})
