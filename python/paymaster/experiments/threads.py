"""Threads of torch on the CPU: an update may have several, a leader that acts has one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["threads_of_torch"]


@contextmanager
def threads_of_torch(number: int) -> Iterator[None]:
    """So many while this lasts, as many as before after it.

    Offers of one step are arrays so small that a second thread only costs; an update has those of whole episodes.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
