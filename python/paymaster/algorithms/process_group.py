"""What the processes of one training job do together.

``torchrun`` starts R processes, the ranks. Each plays games of its own; what they add up here makes one learner of
them. A job of one process adds up nothing and never touches torch.distributed.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from typing import Any, NoReturn, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from paymaster import _core
from paymaster.validation.finite import check_step, step_is_finite

__all__ = ["SINGLE_PROCESS", "RankError", "Ranks", "join_ranks", "joint_descent", "launched"]

_TIMEOUT = "PAYMASTER_RANK_TIMEOUT"  # environment variable
_SECONDS = 25.0  # its default: a job whose rank hangs ends within half a minute
_START = timedelta(minutes=10)  # until all have started, which importing torch from a cold network disk may delay
_ADVICE = "the last checkpoint is as it was: continue from it with --resume"

T = TypeVar("T")


class RankError(ConnectionError):
    """Another rank of the job has ended or does not answer, so this one cannot go on."""


class Ranks:
    """A job of one process: every sum is its own value. Jobs of several are made by :func:`join_ranks`.

    Attributes:
        rank: this process among the ranks, 0..R-1.
        size: R.
        local_size: how many of them share this machine.
    """

    rank = 0
    size = 1
    local_size = 1

    def total(self, value: Tensor) -> Tensor:
        """The sum of ``value`` over ranks, the same on all of them."""
        return value

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Each of ``tensors`` becomes its sum over ranks, in place: all of them in one all-reduce."""

    def gather(self, value: T) -> list[T] | None:
        """What every rank gives, in order of ranks, on rank 0; None on the others."""
        return [value]

    def wait(self) -> None:
        """Until all ranks are here."""

    def share(self, count: Tensor) -> Tensor:
        """This rank's share in a total, float []: the weight of its mean among the ranks' means. 0 where all have none.

        Args:
            count: of what the mean is taken over, int64 [].
        """
        return count / self.total(count).clamp(min=1)

    def mean(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """The means over ranks of numbers by name."""
        return dict(numbers)


SINGLE_PROCESS = Ranks()
"""The one process of a job that was not started by torchrun."""


class _Joined(Ranks):
    """Several processes, joined by torch.distributed: gloo for tensors on the CPU, NCCL for those on GPUs."""

    def __init__(self, rank: int, size: int, local_size: int, device: torch.device, seconds: float) -> None:
        self.rank, self.size, self.local_size = rank, size, local_size
        self._seconds = seconds
        backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
        with self._naming("waiting for all ranks to start", _START.total_seconds()):
            dist.init_process_group(backend, timeout=_START)
            # A group of its own, since ranks that have started must answer sooner than those that are still starting.
            self._group = dist.new_group(backend=backend, timeout=timedelta(seconds=seconds))

    @torch.no_grad()
    def total(self, value: Tensor) -> Tensor:
        summed = value.clone()
        self._all_reduce(summed)
        return summed

    @torch.no_grad()
    def add_up(self, tensors: Sequence[Tensor]) -> None:
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        self._all_reduce(flat)
        for tensor, sums in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(sums.view_as(tensor))

    def gather(self, value: T) -> list[T] | None:
        gathered: list[Any] | None = [None] * self.size if self.rank == 0 else None
        with self._naming("gathering", self._seconds):
            dist.gather_object(value, gathered, dst=0, group=self._group)
        return gathered

    def wait(self) -> None:
        self.total(torch.zeros(1))

    def mean(self, numbers: Mapping[str, float]) -> dict[str, float]:
        summed = self.total(torch.tensor(list(numbers.values()), dtype=torch.float64))
        return dict(zip(numbers, (summed / self.size).tolist(), strict=True))

    def leave(self) -> None:
        dist.destroy_process_group()

    def _all_reduce(self, tensor: Tensor) -> None:
        with self._naming("adding up", self._seconds):
            dist.all_reduce(tensor, group=self._group)

    @contextmanager
    def _naming(self, doing: str, seconds: float) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:  # torch's DistError is one; gloo raises it bare
            # gloo says in which of its lines, and more
            cause, *_ = re.sub(r"^\[[^]]*\] *", "", str(error)).split(". ")
            raise RankError(
                f"{_name(self.rank, self.size)}: lost the other ranks while {doing}: one has ended, or did not answer "
                f"within {seconds:g} s ({_TIMEOUT}); {_ADVICE} ({cause})"
            ) from error


@torch.no_grad()
def joint_descent(
    loss: Tensor,
    gradients: Sequence[Tensor],
    step: Callable[[], object],
    max_norm: float,
    ranks: Ranks,
    report: Sequence[Tensor] = (),
    *,
    who: str = "leader",
    order: float = 2.0,
) -> Tensor:
    """Descends on the mean over all ranks' steps: the sum of each rank's mean times its share in them.

    Args:
        loss: this rank's mean, [].
        gradients: of that mean times this rank's share (:meth:`Ranks.share`): added up over ranks, in one all-reduce,
            then scaled down together to ``max_norm``, in place.
        step: makes the optimiser's step by them.
        max_norm: of the summed gradient.
        ranks: who learns together.
        report: more to be added up in the same all-reduce, in place.
        who: learns, for the error.
        order: of the norm: 2, or 1 for the sum of the absolute values.

    Returns:
        The norm of the summed gradient before it was scaled down, [].

    Raises:
        DivergenceError: the loss or the gradient is NaN or infinite; no parameter has changed.
    """
    ranks.add_up([*gradients, *report])
    norm = _norm(gradients, order)
    if not step_is_finite(loss, norm):
        # Of a choice that has become 1e17 times as likely, say, the gradient is finite, but not the sum of its squares.
        norm = _norm([gradient.double() for gradient in gradients], order)
        check_step(loss, norm, who)
    scale = (max_norm / (norm + 1e-6)).clamp(max=1.0)  # as nn.utils.clip_grad_norm_ has it
    for gradient in gradients:
        gradient.mul_(scale)
    step()
    return norm.to(gradients[0].dtype)


def _norm(gradients: Sequence[Tensor], order: float) -> Tensor:
    if order == 1.0 and all(g.is_cpu and g.dtype is torch.float32 and g.is_contiguous() for g in gradients):
        return torch.tensor(sum(_core.absolute_sum(g.numpy()) for g in gradients), dtype=torch.float32)
    one = len(gradients) == 1
    total: Tensor = torch.linalg.vector_norm(gradients[0], order) if one else nn.utils.get_total_norm(gradients, order)
    return total


def launched() -> tuple[int, int]:
    """Return rank and number of ranks as torchrun's environment variables say, (0, 1) without them; joins nothing.

    Raises:
        ValueError: an environment variable that holds something else than a number.
    """
    rank, size = (_whole_number(name, -1) for name in ("RANK", "WORLD_SIZE"))
    if -1 in (rank, size):
        return 0, 1
    if not 0 <= rank < size:
        raise ValueError(f"RANK: expected one in [0, WORLD_SIZE = {size}), got {rank}")
    return rank, size


@contextmanager
def join_ranks(device: torch.device) -> Iterator[Ranks]:
    """The ranks of this job, joined while the context lasts; :data:`SINGLE_PROCESS` without torchrun, or with one rank.

    On CUDA each rank takes the GPU whose number is its rank on its machine. On the CPU, while joined, SIGTERM raises a
    RankError: torchrun sends it to all ranks when one has ended.

    Args:
        device: where tensors will be that are added up: "cpu", or "cuda" without a number.

    Raises:
        ValueError: a device that ranks cannot share, a machine with fewer GPUs than ranks, a timeout that is none.
        RankError: another rank has ended or hangs; from any call that waits for it.
    """
    rank, size = launched()
    if size == 1:
        yield SINGLE_PROCESS
        return
    local_size = _whole_number("LOCAL_WORLD_SIZE", size)
    _take_gpu(device, _whole_number("LOCAL_RANK", rank), size)
    seconds = _timeout()
    # A rank that waits for a GPU would not come to hear of it from Python: there SIGTERM ends it at once.
    with _sigterm_named(rank, size) if device.type == "cpu" else nullcontext():
        ranks = _Joined(rank, size, local_size, device, seconds)
        yield ranks
        ranks.leave()  # not after an error: the others may hang, and the process ends anyway


def _take_gpu(device: torch.device, local_rank: int, size: int) -> None:
    if str(device) not in ("cpu", "cuda"):
        raise ValueError(
            f"device: expected 'auto', 'cpu' or 'cuda' with {size} ranks, each of which takes the GPU of its own "
            f"number, got {str(device)!r}"
        )
    if device.type == "cuda":
        if local_rank >= torch.cuda.device_count():
            raise ValueError(
                f"device: expected a GPU for every rank on this machine, got {torch.cuda.device_count()} GPUs and a "
                f"rank numbered {local_rank}; start fewer ranks, or give --device cpu"
            )
        torch.cuda.set_device(local_rank)


def _whole_number(variable: str, default: int) -> int:
    """An environment variable's value, the default where it is not set or empty."""
    given = os.environ.get(variable, "").strip()
    if given and not re.fullmatch(r"[0-9]{1,9}", given):
        raise ValueError(f"{variable}: expected a whole number, as torchrun sets it, got {given!r:.80}")
    return int(given) if given else default


def _timeout() -> float:
    given = os.environ.get(_TIMEOUT, str(_SECONDS))
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds < 1e6:
        raise ValueError(f"{_TIMEOUT}: expected seconds above 0 and below 1,000,000, got {given!r:.80}")
    return seconds


@contextmanager
def _sigterm_named(rank: int, size: int) -> Iterator[None]:
    def end(*_: Any) -> NoReturn:
        raise RankError(
            f"{_name(rank, size)}: told to end (SIGTERM), as torchrun tells all when one rank has ended; {_ADVICE}"
        )

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: Callable[..., Any] | int | None = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _name(rank: int, size: int) -> str:
    return f"rank {rank} of {size}"
